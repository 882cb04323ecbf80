//! Bringing back what covered objects name: as a push record, which keeps it for 14 days.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalogue::{LocRecord, Object, ObjectKind, PackRecord, SOURCE_PUSH_RECORD};
use crate::fs::failpoint;
use crate::hash::{Key, PackId, RepoId};
use crate::progress::Job;
use crate::transfer::catalogue::Contact;
use crate::transfer::error::TransferError;
use crate::transfer::gc::baseline::loc;
use crate::transfer::gc::books::{Books, Cover};
use crate::transfer::gc::lease::is_there;
use crate::transfer::gc::remove::Removal;
use crate::transfer::gc::stock::Stock;
use crate::transfer::listing::keep_index;
use crate::transfer::record::send;
use crate::transfer::upload::random;

/// What a record that brings back says that its writer saw: nothing, so that no push relies on a root
/// of it without looking at all its packs, some of which are condemned.
const UNSEEN: u32 = 0;

/// What an undo did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Revived {
    /// Roots that are kept again.
    pub roots: u64,
    /// Packs that were to be removed and are kept.
    pub packs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Packs that were condemned and are gone already.
    pub gone: u64,
    /// Whether a gc was removing at that moment: it may not have seen this.
    pub too_late: bool,
}

/// Keeps everything that the listed baselines would let go; nothing if there is no baseline.
pub fn undo(contact: &Contact, repo: RepoId, job: &Job) -> Result<Option<Revived>, TransferError> {
    let view = &contact.synced().view;
    let books = Books::new(view, Cover::AsListed);
    if view.newest_baselines().is_empty() {
        return Ok(None);
    }
    let stock = Stock::take(contact)?;
    let keys: BTreeSet<Key> =
        view.all().flat_map(|(_, _, object)| object.locs.iter().map(|loc| loc.key)).collect();
    let mut locs = Vec::new();
    for key in keys {
        let there = books.places(key).into_iter().find(|spot| stock.has(spot));
        locs.extend(there.map(|spot| loc(key, spot, SOURCE_PUSH_RECORD)));
    }
    let condemned = books.condemned();
    let (keys, bytes) = stock.keys(&condemned);
    let mut revived = Revived {
        roots: locs.len() as u64,
        packs: keys.len() as u64,
        bytes,
        gone: 0,
        too_late: false,
    };
    let rows = books.rows().into_values();
    let kept =
        |row: &PackRecord| condemned.contains(&row.pack) && stock.packs.contains_key(&row.pack);
    let rows = rows.filter(kept).collect();
    record(contact, repo, locs, rows)?;
    failpoint::hit("gc.undone");
    keep_index(contact.remote(), job);
    // Either whoever removes sees the record, or it is seen here that somebody does.
    revived.too_late = is_there(contact)?;
    let left = Stock::take(contact)?;
    let gone = stock.packs.keys().filter(|pack| condemned.contains(pack));
    revived.gone = gone.filter(|pack| !left.packs.contains_key(pack)).count() as u64;
    Ok(Some(revived))
}

/// Records live roots again that only objects which are covered name: a branch came back after the
/// baseline was written. Returns how many.
pub(super) fn revive(
    removal: &Removal,
    contact: &Contact,
    repo: RepoId,
) -> Result<u64, TransferError> {
    let view = &contact.synced().view;
    let chosen = removal.survey.closure.chosen.iter();
    let lost: Vec<LocRecord> = chosen
        .filter(|(key, _)| view.locs(**key).is_empty())
        .map(|(key, (_, spot))| loc(*key, *spot, SOURCE_PUSH_RECORD))
        .collect();
    let rows: BTreeMap<PackId, PackRecord> = Books::new(view, Cover::AsListed).rows();
    let needed =
        |row: &PackRecord| removal.survey.is_live(row.pack) && !view.packs_listed(row.pack);
    let revived = lost.len() as u64;
    if revived > 0 {
        record(contact, repo, lost, rows.into_values().filter(needed).collect())?;
    }
    Ok(revived)
}

fn record(
    contact: &Contact,
    repo: RepoId,
    locs: Vec<LocRecord>,
    packs: Vec<PackRecord>,
) -> Result<(), TransferError> {
    let mut object = Object::new(ObjectKind::PushRecord, UNSEEN, repo, random()?);
    (object.locs, object.packs) = (locs, packs);
    send(contact, object).map(drop)
}
