//! Which packs the roots of a push need, and how each of them is to be had.

use std::collections::{BTreeMap, BTreeSet};

use crate::cache::{Held, IndexReader, WrittenPack};
use crate::catalogue::{LocRecord, key};
use crate::fs::planted;
use crate::hash::{PackId, PackKind};
use crate::progress::Job;
use crate::transfer::catalogue::Contact;
use crate::transfer::error::TransferError;
use crate::transfer::root::{Root, Wanted};
use crate::transfer::walk::ChunkStep;
use crate::transfer::walked::Walked;

/// Packs of the remote that a push must not use, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Avoid {
    /// Every pack may be used.
    Nothing,
    /// They are to be left: what the roots need of them is written afresh.
    Left(BTreeSet<PackId>),
    /// They are damaged: nothing in them is relied on, and every root is written again, with the nodes
    /// above what lay in them.
    Damaged(BTreeSet<PackId>),
}

/// Up to this many packs relied on are asked for one by one; beyond, the catalogue is believed.
const ASK_EACH: usize = 64;

/// What was found out about packs in the course of a push.
#[derive(Default)]
pub(super) struct Doubts {
    /// The catalogue lists them, and the remote does not have them as it should.
    pub(super) lost: BTreeSet<PackId>,
    /// Names that were used and must not be used again.
    pub(super) spent: BTreeSet<PackId>,
    /// Packs and roots that the records of this very push list: that proves nothing about them.
    pub(super) ours: BTreeSet<PackId>,
    pub(super) our_roots: BTreeSet<[u8; 32]>,
}

impl Doubts {
    /// What is known from the start: nothing, unless packs are to be left.
    pub(super) fn leaving<T>(avoid: &Avoid, roots: &[(Wanted, T)]) -> Self {
        let (lost, spent) = match avoid {
            Avoid::Nothing => Default::default(),
            Avoid::Left(packs) => (BTreeSet::new(), packs.clone()),
            Avoid::Damaged(packs) => (packs.clone(), packs.clone()),
        };
        let mut doubts = Self { lost, spent, ..Self::default() };
        if !doubts.spent.is_empty() {
            doubts.our_roots.extend(roots.iter().filter_map(|(wanted, _)| wanted.root.id()));
        }
        doubts
    }
}

/// Packs of the closure of all roots, each with one path that needs it.
#[derive(Default)]
pub(super) struct Needs {
    /// To be uploaded as they lie.
    pub(super) own: BTreeMap<PackId, Vec<u8>>,
    /// On the remote, and relied on.
    pub(super) pins: BTreeMap<PackId, Vec<u8>>,
    /// Neither: what is needed of them has to be written afresh.
    pub(super) replace: BTreeMap<PackId, Vec<u8>>,
}

impl Needs {
    /// Returns the bytes of the packs that are relied on.
    pub(super) fn reused_bytes(&self, contact: &Contact) -> u64 {
        let view = &contact.synced().view;
        let sizes = self.pins.keys().filter_map(|pack| view.pack_record(*pack));
        sizes.map(|record| u64::from(record.size)).sum()
    }
}

/// The place of a root that the catalogue lists in a pack that may be relied on.
///
/// Only of the newest generation: a push that wrote its record without having seen the newest
/// baseline, and ended before it looked, may name packs that were deleted meanwhile. Such a root is
/// walked, and each of its packs looked at.
pub(super) fn found(contact: &Contact, doubts: &Doubts, root: &Root) -> Option<LocRecord> {
    if root.id().is_some_and(|id| doubts.our_roots.contains(&id)) {
        return None;
    }
    let view = &contact.synced().view;
    let may = |loc: &LocRecord| view.may_rely_on(loc.pack) && !doubts.lost.contains(&loc.pack);
    view.current_locs(root.key()?).find(may)
}

/// The pack that readers will look for a chunk in.
pub(super) fn pack_of(step: &ChunkStep, view: &IndexReader, contact: &Contact) -> Option<PackId> {
    let by_index = || view.find(&step.id.0).map(|place| place.pack);
    let by_catalogue = || contact.locate(step.id.key()).map(|spot| spot.pack);
    step.spot.map(|spot| spot.pack).or_else(by_index).or_else(by_catalogue)
}

/// Sorts every pack that the closure of the roots names; what was `sent` by this command counts as here.
pub(super) fn needs(
    contact: &Contact,
    absent: &[Wanted],
    walked: &Walked,
    (doubts, sent): (&Doubts, &BTreeMap<PackId, WrittenPack>),
) -> Result<Needs, TransferError> {
    let view = contact.index().reader()?;
    let mut all: BTreeMap<PackId, usize> = BTreeMap::new();
    for node in &walked.nodes {
        all.entry(node.at.pack).or_insert(node.wanted);
    }
    for step in walked.chunks.iter() {
        let pack = pack_of(&step, &view, contact)
            .ok_or_else(|| contact.nobody_pushed(absent, step.wanted, &step.id.0))?;
        all.entry(pack).or_insert(step.wanted);
        for base in &step.bases {
            all.entry(base.pack).or_insert(step.wanted);
        }
    }
    let mut needs = Needs::default();
    for (pack, wanted) in all {
        let path = absent.get(wanted).map_or(Vec::new(), |w| w.path.clone());
        let refused = contact.synced().view.condemned(pack) || doubts.spent.contains(&pack);
        let doubted = doubts.lost.contains(&pack) || doubts.ours.contains(&pack);
        let sound = contact.synced().view.may_rely_on(pack) && !doubted;
        let unproved = planted::is("dedup-hit-unconfirmed")
            && view.pack(pack).is_some_and(|state| state.held != Held::Unpushed);
        let list = if unproved {
            &mut needs.pins
        } else if refused {
            &mut needs.replace
        } else if sound {
            &mut needs.pins
        } else if sent.contains_key(&pack) || here(contact, &view, pack)? {
            &mut needs.own
        } else {
            &mut needs.replace
        };
        list.insert(pack, path);
    }
    Ok(needs)
}

/// Says whether a pack lies on this machine whole, so that it can be sent.
fn here(contact: &Contact, view: &IndexReader, pack: PackId) -> Result<bool, TransferError> {
    let layout = contact.layout();
    Ok(match view.pack(pack).map(|state| state.held) {
        Some(Held::Unpushed) => true,
        Some(Held::Whole) if layout.whole(pack).exists() || layout.unpushed(pack).exists() => true,
        // Somebody emptied the cache, which is allowed.
        Some(Held::Whole) => {
            contact.index().set_held(&[pack], Held::Gone)?;
            false
        }
        Some(Held::Part | Held::Gone) | None => false,
    })
}

/// Returns those packs relied on that the remote does not have as the catalogue says.
pub(super) fn missing_pins(
    contact: &Contact,
    pins: impl Iterator<Item = PackId>,
    job: &Job,
) -> Result<BTreeSet<PackId>, TransferError> {
    let view = &contact.synced().view;
    let pins: BTreeSet<PackId> = pins.collect();
    if pins.len() > ASK_EACH {
        return Ok(BTreeSet::new());
    }
    let said: Vec<(PackId, PackKind, u32)> = pins
        .iter()
        .filter_map(|pack| view.pack_record(*pack).map(|row| (*pack, row.kind, row.size)))
        .collect();
    let keys = said.iter().map(|(pack, kind, _)| key::pack(*kind, *pack)).collect();
    let answers = contact.remote().head_many(keys, contact.jobs(), job)?;
    let wrong = said.iter().zip(answers).filter(|((_, _, size), listed)| {
        listed.as_ref().is_none_or(|listed| listed.size != u64::from(*size))
    });
    Ok(wrong.map(|((pack, ..), _)| *pack).collect())
}
