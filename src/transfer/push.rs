//! The push protocol: packs, then the push record, then one more listing. A crash at any point
//! leaves orphans, never a pointer to nothing (`docs/format/protocol.md`).

use std::collections::{BTreeMap, BTreeSet};

use crate::cache::{Held, ObjectReader, PackState};
use crate::catalogue::{LocRecord, SOURCE_PUSH_RECORD};
use crate::fs::{failpoint, move_durably};
use crate::hash::{PackId, RemoteId, RepoId};
use crate::progress::Job;
use crate::transfer::catalogue::Contact;
use crate::transfer::dedup::dedup;
use crate::transfer::error::TransferError;
use crate::transfer::nodes::{Walked, walk};
use crate::transfer::record::Record;
use crate::transfer::recut::{Elsewhere, recut};
use crate::transfer::root::{Root, Wanted};
use crate::transfer::upload::{Journal, prepare, register, upload};

/// How often a push starts over because gc got between.
const ROUNDS: u32 = 5;

/// Whether Git's remote has the commits that name a root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Its refs reach them: gc sees the root through Git.
    Published,
    /// Not yet: only a push record keeps the root alive.
    Unpublished,
}

/// What to push.
pub struct PushRequest {
    /// The roots, each with the stage of its commits.
    pub roots: Vec<(Wanted, Stage)>,
    /// Earlier versions of the same paths: where to look for chunks that the remote has.
    pub earlier: Vec<Wanted>,
    /// This repository as the remote knows it, and where its Git repository is.
    pub repo: (RepoId, Option<String>),
    /// Whether packs confirmed here need not be kept any more.
    pub home: Home,
}

/// What confirmation on this remote means for local packs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    /// It is the push remote: a confirmed pack can be fetched again.
    Yes,
    /// It is another remote: packs stay where they must be kept.
    No,
}

/// What a push did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pushed {
    /// Roots asked for, empty files left out.
    pub roots: u64,
    /// Roots that the remote had.
    pub reused_roots: u64,
    /// Packs sent.
    pub packs: u64,
    /// Bytes of these packs.
    pub sent_bytes: u64,
    /// Bytes of packs relied on.
    pub reused_bytes: u64,
}

/// What the roots need of the remote.
struct Needs {
    /// Packs to upload, with one path that needs each.
    own: BTreeMap<PackId, Vec<u8>>,
    /// Packs relied on.
    pins: BTreeMap<PackId, Vec<u8>>,
}

/// Runs the protocol to its end; on success everything named by the roots is on the remote.
pub fn push(
    request: &PushRequest,
    contact: &mut Contact,
    job: &Job,
) -> Result<Pushed, TransferError> {
    let roots: Vec<&(Wanted, Stage)> =
        request.roots.iter().filter(|(w, _)| w.root != Root::Empty).collect();
    let mut pushed = Pushed { roots: roots.len() as u64, ..Pushed::default() };
    let (there, absent): (Vec<_>, Vec<_>) =
        roots.into_iter().partition(|(wanted, _)| found(contact, &wanted.root).is_some());
    pushed.reused_roots = there.len() as u64;
    if absent.is_empty() && there.iter().all(|(_, stage)| *stage == Stage::Published) {
        return Ok(pushed);
    }
    let absent: Vec<Wanted> = absent.into_iter().map(|(wanted, _)| wanted.clone()).collect();
    let there: Vec<&Wanted> = there.into_iter().map(|(wanted, _)| wanted).collect();
    let remote = prepare(contact, job)?;
    let journal = Journal::open(contact.layout(), remote);
    dedup(contact, &absent, &request.earlier, job)?;
    for _ in 0..ROUNDS {
        job.check()?;
        let mut reader = ObjectReader::new(contact.layout(), contact.index())?;
        let walked = walk(&absent, &mut reader, Some(contact), job)?;
        let needs = needs(contact, &absent, &walked)?;
        let sent = upload(contact, &journal, needs.own.keys().copied(), job)?;
        pushed.packs += sent.packs;
        pushed.sent_bytes += sent.bytes;
        register(contact, remote, &request.repo)?;
        let record = Record {
            repo: request.repo.0,
            locs: locs(contact, &absent, &there)?,
            own: needs.own.keys().copied().collect(),
            first_chunks: &walked.first_chunks,
        };
        failpoint::hit("push.before-record");
        record.put(contact)?;
        failpoint::hit("push.after-record");
        let before = contact.baselines();
        contact.refresh(job)?;
        if contact.baselines() == before || still_good(contact, &needs, &there, job)? {
            failpoint::hit("push.before-confirm");
            pushed.reused_bytes = reused(contact, &needs);
            confirm(contact, remote, request, &needs, &absent)?;
            journal.clear()?;
            return Ok(pushed);
        }
        journal.clear()?;
        recut(contact, needs.own.keys().copied().collect(), &Elsewhere::new(), job)?;
    }
    Err(TransferError::Outrun { remote: contact.label().to_owned(), rounds: ROUNDS })
}

/// The place of a root that the catalogue lists in a pack that may be relied on.
fn found(contact: &Contact, root: &Root) -> Option<LocRecord> {
    let view = &contact.synced().view;
    let locs = view.locs(root.key()?);
    locs.into_iter().map(|loc| loc.record).find(|loc| view.may_rely_on(loc.pack))
}

/// Sorts every pack that the closure of the roots names: on the remote for certain, or to be sent.
fn needs(contact: &Contact, absent: &[Wanted], walked: &Walked) -> Result<Needs, TransferError> {
    let view = contact.index().reader()?;
    let mut all: BTreeMap<PackId, usize> = BTreeMap::new();
    for (_, pack, wanted) in &walked.nodes {
        all.entry(*pack).or_insert(*wanted);
    }
    for step in &walked.chunks {
        let place = step.spot.map(|s| s.pack).or_else(|| view.find(&step.id.0).map(|p| p.pack));
        match place {
            Some(pack) => drop(all.entry(pack).or_insert(step.wanted)),
            None => return Err(contact.nobody_pushed(absent, step.wanted, &step.id.0)),
        }
    }
    let mut needs = Needs { own: BTreeMap::new(), pins: BTreeMap::new() };
    for (pack, wanted) in all {
        let path = absent.get(wanted).map_or(Vec::new(), |w| w.path.clone());
        let state: Option<PackState> = view.pack(pack);
        let here = state.is_some_and(|s| matches!(s.held, Held::Unpushed | Held::Whole));
        if contact.synced().view.may_rely_on(pack) {
            needs.pins.insert(pack, path);
        } else if here {
            needs.own.insert(pack, path);
        } else {
            return Err(TransferError::PinLost { pack, path, remote: contact.label().to_owned() });
        }
    }
    Ok(needs)
}

/// The LOC records of all roots: those just sent from the index, the others from the catalogue.
fn locs(
    contact: &Contact,
    absent: &[Wanted],
    there: &[&Wanted],
) -> Result<Vec<LocRecord>, TransferError> {
    let view = contact.index().reader()?;
    let mut out: BTreeMap<_, LocRecord> = BTreeMap::new();
    for wanted in there {
        if let (Some(key), Some(loc)) = (wanted.root.key(), found(contact, &wanted.root)) {
            out.insert(key, LocRecord { source: SOURCE_PUSH_RECORD, ..loc });
        }
    }
    for (i, wanted) in absent.iter().enumerate() {
        let (Some(key), Some(id)) = (wanted.root.key(), wanted.root.id()) else { continue };
        let place = view.find(&id).ok_or_else(|| contact.nobody_pushed(absent, i, &id))?;
        out.insert(
            key,
            LocRecord {
                key,
                pack: place.pack,
                offset: place.offset,
                frame_len: place.frame_len,
                skip: place.skip,
                source: SOURCE_PUSH_RECORD,
            },
        );
    }
    Ok(out.into_values().collect())
}

/// After a gc got between: whether everything relied on and everything sent is still to be trusted.
fn still_good(
    contact: &Contact,
    needs: &Needs,
    there: &[&Wanted],
    job: &Job,
) -> Result<bool, TransferError> {
    let view = &contact.synced().view;
    if !needs.pins.keys().all(|pack| view.may_rely_on(*pack))
        || !there.iter().all(|wanted| found(contact, &wanted.root).is_some())
        || needs.own.keys().any(|pack| view.condemned(*pack))
    {
        return Ok(false);
    }
    crate::transfer::upload::all_present(contact, needs.own.keys().copied(), job)
}

fn reused(contact: &Contact, needs: &Needs) -> u64 {
    let view = &contact.synced().view;
    let sizes = needs.pins.keys().filter_map(|pack| view.pack_record(*pack));
    sizes.map(|record| u64::from(record.size)).sum()
}

/// Notes what is certain now, and moves packs that need not be kept any more into the cache.
fn confirm(
    contact: &Contact,
    remote: RemoteId,
    request: &PushRequest,
    needs: &Needs,
    absent: &[Wanted],
) -> Result<(), TransferError> {
    let generation = contact.synced().view.generation();
    let packs: BTreeSet<PackId> = needs.own.keys().chain(needs.pins.keys()).copied().collect();
    let packs: Vec<PackId> = packs.into_iter().collect();
    let roots: Vec<[u8; 32]> = absent.iter().filter_map(|w| w.root.id()).collect();
    contact.index().confirm(remote, generation, &packs, &roots)?;
    if request.home == Home::No {
        return Ok(());
    }
    let view = contact.index().reader()?;
    let mut moved = Vec::new();
    for pack in packs {
        if view.pack(pack).is_some_and(|s| s.held == Held::Unpushed) {
            let (from, to) = (contact.layout().unpushed(pack), contact.layout().whole(pack));
            if from.exists() {
                move_durably(&from, &to)?;
            }
            moved.push(pack);
        }
    }
    Ok(contact.index().set_held(&moved, Held::Whole)?)
}
