//! Removing what the newest baseline condemns, as far as nothing needs it now.

use crate::catalogue::{Name, ObjectKind, View, key};
use crate::fs::{failpoint, planted};
use crate::hash::RepoId;
use crate::progress::Job;
use crate::remote::OwnKeys;
use crate::transfer::catalogue::Contact;
use crate::transfer::error::TransferError;
use crate::transfer::gc::books::{Books, Cover};
use crate::transfer::gc::clock::{HOUR_MS, OLD_MS, is_older};
use crate::transfer::gc::revive::revive;
use crate::transfer::gc::survey::{Reason, Survey, Victim, survey_as};
use crate::transfer::root::Wanted;

/// What can be removed now, after a survey of what is alive now.
pub struct Removal {
    /// The baseline that condemns it.
    pub baseline: Name,
    /// When the storage received that, in ms since 1970; if it does not say, the latest time there is.
    pub written_ms: u64,
    /// Packs that nobody needs.
    pub packs: Vec<Victim>,
    /// Objects of the catalogue that others replace, by name.
    pub objects: Vec<Name>,
    /// The survey behind it.
    pub survey: Survey,
}

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// Packs.
    pub packs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Objects of the catalogue.
    pub objects: u64,
    /// Roots that are alive again and were recorded again.
    pub revived: u64,
}

/// Finds what the single newest baseline lets go; nothing if there is none, or if two gcs raced.
pub fn pending(
    roots: &[Wanted],
    contact: &Contact,
    now_ms: u64,
    job: &Job,
) -> Result<Option<Removal>, TransferError> {
    let view = &contact.synced().view;
    let [baseline] = *view.newest_baselines() else { return Ok(None) };
    let survey = survey_as(roots, contact, Cover::AsListed, (now_ms, job))?;
    let condemned = view.all().find(|(name, ..)| **name == baseline);
    let Some((_, listing, object)) = condemned else { return Ok(None) };
    let mut packs = Vec::new();
    let blind = planted::is("gc-without-reread");
    for pack in object.victims.iter().filter(|pack| blind || !survey.is_live(**pack)) {
        if let Some(stored) = survey.stock.packs.get(pack) {
            let reason = Reason::Condemned;
            packs.push(Victim { pack: *pack, bytes: stored.size, reason });
        }
    }
    let lasting = is_older(listing.modified_ms, HOUR_MS, now_ms);
    let mut objects = superseded(view, now_ms);
    if lasting {
        objects.extend(replaced(view, baseline));
    }
    let written_ms = Some(listing.modified_ms).filter(|ms| *ms > 0).unwrap_or(u64::MAX);
    Ok(Some(Removal { baseline, written_ms, packs, objects, survey }))
}

/// Push records, runs and baselines that the newest baseline stands for. An older baseline only if
/// all it condemned is condemned here as well: whoever wrote this one had then seen it.
fn replaced(view: &View, newest: Name) -> Vec<Name> {
    let books = Books::new(view, Cover::AsListed);
    let carried = view.all().find(|(name, ..)| **name == newest).map(|(_, _, object)| object);
    let mut out = Vec::new();
    for (name, listing, object) in view.all().filter(|(name, ..)| **name != newest) {
        let goes = match name.kind {
            ObjectKind::Baseline => object.victims.iter().all(|pack| {
                carried.is_some_and(|newest| newest.victims.binary_search(pack).is_ok())
            }),
            ObjectKind::PushRecord | ObjectKind::Run => {
                books.is_spent(name, listing.modified_ms, object)
            }
        };
        if goes {
            out.push(*name);
        }
    }
    out
}

/// Push records that lie in a run which readers have had an hour to see.
fn superseded(view: &View, now_ms: u64) -> Vec<Name> {
    let runs = view.all().filter(|(name, listing, _)| {
        name.kind == ObjectKind::Run && is_older(listing.modified_ms, HOUR_MS, now_ms)
    });
    let inside: std::collections::BTreeSet<_> =
        runs.flat_map(|(_, _, run)| run.covers.iter().map(|cover| cover.push_record)).collect();
    let covered = |name: &&Name| view.is_covered(name.id);
    let names = view.all().map(|(name, ..)| name);
    names
        .filter(|name| name.kind == ObjectKind::PushRecord && inside.contains(&name.id))
        .filter(|name| !covered(name))
        .copied()
        .collect()
}

/// Removes: first the packs, then what the catalogue needs no more. What is interrupted is completed
/// by the next run.
pub fn remove(
    removal: &Removal,
    contact: &Contact,
    repo: RepoId,
    job: &Job,
) -> Result<Removed, TransferError> {
    let mut removed = Removed { revived: revive(removal, contact, repo)?, ..Removed::default() };
    failpoint::hit("gc.before-remove");
    let (remote, jobs) = (contact.remote(), contact.jobs());
    let (keys, bytes) = removal.survey.stock.keys(removal.packs.iter().map(|victim| &victim.pack));
    (removed.packs, removed.bytes) = (keys.len() as u64, bytes);
    remote.remove_many(keys, jobs, job, |_| failpoint::hit("gc.removed-one"))?;
    failpoint::hit("gc.removed-packs");
    let keys: Vec<String> = removal.objects.iter().map(key::catalogue).collect();
    removed.objects = keys.len() as u64;
    remote.remove_many(keys, jobs, job, |_| failpoint::hit("gc.removed-one"))?;
    Ok(removed)
}

/// Removes files that writes which died have left for 14 days; returns how many, and their bytes. No
/// protocol needs to know of them, and they harm nobody: where they cannot be removed, that is a warning.
pub fn remove_leftovers(contact: &Contact, now_ms: u64, job: &Job) -> (u64, u64) {
    let keys = OwnKeys { folders: &key::FOLDERS, is_own: key::is_own };
    let removed = contact.remote().remove_leftovers(keys, now_ms.saturating_sub(OLD_MS));
    removed.unwrap_or_else(|e| {
        job.warn(&format!("files that unfinished writes left stay where they are: {e}"));
        (0, 0)
    })
}
