//! What all objects of a catalogue say together, those included that no reader goes by any more.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalogue::{
    CoverRecord, LocRecord, Name, Object, ObjectKind, PackRecord, Registration, View, key,
};
use crate::hash::{CatalogueId, Key, PackId, RepoId};
use crate::transfer::catalogue::Contact;
use crate::transfer::error::TransferError;
use crate::transfer::gc::clock::{OLD_MS, is_older};
use crate::transfer::walk::Spot;

const TEXT_LIMIT: u64 = 4096;

/// Which push records are taken for covered.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cover {
    /// Those that the newest baselines cover.
    AsListed,
    /// Those, and all that a baseline written now would cover.
    ByAge {
        /// The storage's time, in ms since 1970.
        now_ms: u64,
    },
}

/// All fetched objects, each push record either covered or kept.
#[derive(Clone, Copy)]
pub(super) struct Books<'v> {
    view: &'v View,
    cover: Cover,
}

impl<'v> Books<'v> {
    pub(super) fn new(view: &'v View, cover: Cover) -> Self {
        Self { view, cover }
    }

    fn is_covered(&self, push_record: CatalogueId, stored_ms: u64) -> bool {
        let by_age = match self.cover {
            Cover::AsListed => false,
            Cover::ByAge { now_ms } => is_older(stored_ms, OLD_MS, now_ms),
        };
        by_age || self.view.is_covered(push_record)
    }

    /// Every push record that is listed, alone or in a run, as a baseline would name it.
    fn push_records(&self) -> BTreeMap<CatalogueId, CoverRecord> {
        let mut out = BTreeMap::new();
        for (name, listing, object) in self.view.all() {
            match name.kind {
                ObjectKind::PushRecord => {
                    let (push_record, repo) = (name.id, object.repo);
                    let stored_ms = listing.modified_ms;
                    out.insert(push_record, CoverRecord { push_record, stored_ms, repo });
                }
                ObjectKind::Run => {
                    for cover in &object.covers {
                        out.entry(cover.push_record).or_insert(*cover);
                    }
                }
                ObjectKind::Baseline => {}
            }
        }
        out
    }

    /// The push records that are covered.
    pub(super) fn covered(&self) -> Vec<CoverRecord> {
        let all = self.push_records().into_values();
        all.filter(|c| self.is_covered(c.push_record, c.stored_ms)).collect()
    }

    /// Says whether nothing of an object is kept: a push record that is covered, or a run of such.
    pub(super) fn is_spent(&self, name: &Name, stored_ms: u64, object: &Object) -> bool {
        match name.kind {
            ObjectKind::PushRecord => self.is_covered(name.id, stored_ms),
            ObjectKind::Run => {
                object.covers.iter().all(|c| self.is_covered(c.push_record, c.stored_ms))
            }
            ObjectKind::Baseline => true,
        }
    }

    /// Where kept push records say that their roots lie.
    pub(super) fn kept_locs(&self) -> Vec<LocRecord> {
        let mut out = Vec::new();
        for (name, listing, object) in self.view.all() {
            match name.kind {
                ObjectKind::PushRecord if !self.is_covered(name.id, listing.modified_ms) => {
                    out.extend(&object.locs);
                }
                ObjectKind::Run => out.extend(object.locs.iter().filter(|loc| {
                    let source = object.covers.get(loc.source as usize);
                    source.is_some_and(|c| !self.is_covered(c.push_record, c.stored_ms))
                })),
                ObjectKind::PushRecord | ObjectKind::Baseline => {}
            }
        }
        out
    }

    /// The packs that kept push records brought; of a run that is kept in part, all of them, as they
    /// cannot be told apart.
    pub(super) fn kept_packs(&self) -> BTreeSet<PackId> {
        let all = self.view.all();
        let kept = all.filter(|(name, listing, object)| {
            name.kind != ObjectKind::Baseline && !self.is_spent(name, listing.modified_ms, object)
        });
        kept.flat_map(|(_, _, object)| object.packs.iter().map(|row| row.pack)).collect()
    }

    /// What the catalogue says of each pack that any object lists.
    pub(super) fn rows(&self) -> BTreeMap<PackId, PackRecord> {
        let all = self.view.all().flat_map(|(_, _, object)| &object.packs);
        all.map(|row| (row.pack, *row)).collect()
    }

    /// Samples of chunks, each with its pack.
    pub(super) fn hooks(&self) -> BTreeSet<([u8; 8], PackId)> {
        let mut out = BTreeSet::new();
        for (_, _, object) in self.view.all() {
            let pack = |row: u32| object.packs.get(row as usize).map(|row| row.pack);
            out.extend(object.hooks.iter().filter_map(|h| Some((h.chunk, pack(h.pack_row)?))));
        }
        out
    }

    /// The packs that some listed baseline condemns.
    pub(super) fn condemned(&self) -> BTreeSet<PackId> {
        self.view.all().flat_map(|(_, _, object)| object.victims.iter().copied()).collect()
    }

    /// Every place that any object lists for a root: those that count first, each group newest first,
    /// and condemned packs after all others.
    pub(super) fn places(&self, key: Key) -> Vec<Spot> {
        let mut all: Vec<Spot> = self.view.locs(key).into_iter().map(|l| l.record.into()).collect();
        let mut others = Vec::new();
        for (_, listing, object) in self.view.all() {
            let start = object.locs.partition_point(|loc| loc.key < key);
            let same = object.locs.iter().skip(start).take_while(|loc| loc.key == key);
            others.extend(same.map(|loc| (listing.modified_ms, Spot::from(*loc))));
        }
        others.sort_by_key(|(stored_ms, _)| std::cmp::Reverse(*stored_ms));
        all.extend(others.into_iter().map(|(_, spot)| spot));
        all.retain(Spot::can_be);
        let mut seen = BTreeSet::new();
        all.retain(|spot| seen.insert(*spot));
        let (lasting, condemned): (Vec<Spot>, Vec<Spot>) =
            all.into_iter().partition(|spot| !self.view.condemned(spot.pack));
        [lasting, condemned].concat()
    }
}

/// A repository that the remote knows of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepoMention {
    /// Its identity.
    pub id: RepoId,
    /// Where it may be found, if it is registered with an address.
    pub url: Option<String>,
}

/// Lists every repository that is registered, or that a push record or a baseline names.
pub fn mentioned(contact: &Contact) -> Result<Vec<RepoMention>, TransferError> {
    let mut out: BTreeMap<RepoId, Option<String>> = BTreeMap::new();
    for (name, _, object) in contact.synced().view.all() {
        // Whoever put records together has pushed as well; gc may run where nobody pushes.
        let own = (name.kind != ObjectKind::Baseline).then_some(object.repo);
        let all = object.covers.iter().map(|cover| cover.repo).chain(own);
        out.extend(all.map(|id| (id, None)));
    }
    for listed in contact.remote().list(key::REPOS)? {
        let bytes = contact.remote().get(&listed.key, TEXT_LIMIT)?;
        let text = Registration::parse(&bytes).map_err(|e| contact.wrong_object(&listed.key, e))?;
        out.insert(text.id, text.url);
    }
    Ok(out.into_iter().map(|(id, url)| RepoMention { id, url }).collect())
}
