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
pub(in crate::transfer) enum Cover {
    /// Those that the newest baselines cover.
    AsListed,
    /// Those, and all that a baseline written now covers: old ones of generations before the newest.
    /// One of the newest generation may be of a push that slept since it wrote it and ends just before
    /// the baseline, which then would have no place for its root.
    Now {
        /// The storage's time, in ms since 1970.
        now_ms: u64,
    },
    /// Those that a baseline written after another one would cover: all old ones.
    Ahead {
        /// The storage's time, in ms since 1970.
        now_ms: u64,
    },
}

/// All fetched objects, each push record either covered or kept.
#[derive(Clone, Copy)]
pub(in crate::transfer) struct Books<'v> {
    view: &'v View,
    cover: Cover,
}

impl<'v> Books<'v> {
    pub(in crate::transfer) fn new(view: &'v View, cover: Cover) -> Self {
        Self { view, cover }
    }

    /// `generation` is that of the push record, or of the run that holds it.
    fn is_covered(&self, push_record: CatalogueId, stored_ms: u64, generation: u32) -> bool {
        let goes = match self.cover {
            Cover::AsListed => false,
            Cover::Now { now_ms } => {
                generation < self.view.generation() && is_older(stored_ms, OLD_MS, now_ms)
            }
            Cover::Ahead { now_ms } => is_older(stored_ms, OLD_MS, now_ms),
        };
        goes || self.view.is_covered(push_record)
    }

    /// Every push record that is listed, alone or in a run, as a baseline would name it, with its
    /// generation.
    fn push_records(&self) -> BTreeMap<CatalogueId, (CoverRecord, u32)> {
        let mut out = BTreeMap::new();
        for (name, listing, object) in self.view.all() {
            match name.kind {
                ObjectKind::PushRecord => {
                    let (push_record, repo) = (name.id, object.repo);
                    let stored_ms = listing.modified_ms;
                    let record = CoverRecord { push_record, stored_ms, repo };
                    out.insert(push_record, (record, name.generation));
                }
                ObjectKind::Run => {
                    for cover in &object.covers {
                        out.entry(cover.push_record).or_insert((*cover, name.generation));
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
        let covered = |(c, generation): &(CoverRecord, u32)| {
            self.is_covered(c.push_record, c.stored_ms, *generation)
        };
        all.filter(covered).map(|(c, _)| c).collect()
    }

    /// Says whether only their generation keeps old push records from being covered: with one more
    /// baseline they could be.
    pub(super) fn are_held_back(&self, now_ms: u64) -> bool {
        let with = |cover| Self { cover, ..*self }.covered().len();
        with(Cover::Now { now_ms }) < with(Cover::Ahead { now_ms })
    }

    /// Says whether nothing of an object is kept: a push record that is covered, or a run of such.
    pub(super) fn is_spent(&self, name: &Name, stored_ms: u64, object: &Object) -> bool {
        match name.kind {
            ObjectKind::PushRecord => self.is_covered(name.id, stored_ms, name.generation),
            ObjectKind::Run => {
                let covered =
                    |c: &CoverRecord| self.is_covered(c.push_record, c.stored_ms, name.generation);
                object.covers.iter().all(covered)
            }
            ObjectKind::Baseline => true,
        }
    }

    /// Where kept push records say that their roots lie.
    pub(super) fn kept_locs(&self) -> Vec<LocRecord> {
        let mut out = Vec::new();
        for (name, listing, object) in self.view.all() {
            let kept = |id, stored_ms| !self.is_covered(id, stored_ms, name.generation);
            match name.kind {
                ObjectKind::PushRecord if kept(name.id, listing.modified_ms) => {
                    out.extend(&object.locs);
                }
                ObjectKind::Run => out.extend(object.locs.iter().filter(|loc| {
                    let source = object.covers.get(loc.source as usize);
                    source.is_some_and(|c| kept(c.push_record, c.stored_ms))
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
    pub(in crate::transfer) fn rows(&self) -> BTreeMap<PackId, PackRecord> {
        let all = self.view.all().flat_map(|(_, _, object)| &object.packs);
        all.map(|row| (row.pack, *row)).collect()
    }

    /// Samples of chunks, each with its pack.
    pub(in crate::transfer) fn hooks(&self) -> BTreeSet<([u8; 8], PackId)> {
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::catalogue::Listed;

    const REPO: RepoId = RepoId([1; 16]);
    const NOW: u64 = OLD_MS + 1000;

    /// A catalogue in memory, each object with the time when it was stored.
    #[derive(Default)]
    struct Fake(Vec<(Listed, Name, Arc<Object>)>);

    impl Fake {
        fn put(&mut self, object: Object, modified_ms: u64) -> CatalogueId {
            let (name, bytes) = object.encode().unwrap();
            let listed = Listed { name: name.to_string(), size: bytes.len() as u64, modified_ms };
            let object = Object::parse_named(&name, &bytes).unwrap();
            self.0.push((listed, name, Arc::new(object)));
            name.id
        }

        fn record(&mut self, generation: u32, modified_ms: u64) -> CatalogueId {
            let nonce = [u8::try_from(self.0.len()).unwrap(); 16];
            self.put(Object::new(ObjectKind::PushRecord, generation, REPO, nonce), modified_ms)
        }

        fn view(&self) -> View {
            let listing = self.0.iter().map(|(listed, ..)| listed.clone());
            let objects = self.0.iter().map(|(_, name, object)| (*name, Arc::clone(object)));
            View::build(listing, objects).unwrap()
        }
    }

    fn covered(view: &View, cover: Cover) -> BTreeSet<CatalogueId> {
        Books::new(view, cover).covered().into_iter().map(|c| c.push_record).collect()
    }

    #[test]
    fn a_baseline_covers_old_push_records_of_generations_before_the_newest_only() {
        let mut fake = Fake::default();
        let before = fake.record(0, 500);
        let now = Cover::Now { now_ms: NOW };
        assert_eq!(covered(&fake.view(), now), BTreeSet::new(), "there is no baseline yet");
        assert!(Books::new(&fake.view(), now).are_held_back(NOW));
        fake.put(Object::new(ObjectKind::Baseline, 1, REPO, [9; 16]), 600);
        fake.record(0, 2000);
        assert!(!Books::new(&fake.view(), now).are_held_back(NOW));
        let current = fake.record(1, 700);
        let mut run = Object::new(ObjectKind::Run, 1, REPO, [8; 16]);
        let member = CatalogueId([7; 8]);
        run.covers = vec![CoverRecord { push_record: member, stored_ms: 800, repo: REPO }];
        fake.put(run, 2000);
        let view = fake.view();
        let books = Books::new(&view, now);
        assert_eq!(covered(&view, now), BTreeSet::from([before]));
        assert_eq!(covered(&view, Cover::AsListed), BTreeSet::new());
        let ahead = covered(&view, Cover::Ahead { now_ms: NOW });
        assert_eq!(ahead, BTreeSet::from([before, current, member]));
        assert!(books.are_held_back(NOW));
        let spent = view.all().filter(|(name, listing, object)| {
            name.kind != ObjectKind::Baseline && books.is_spent(name, listing.modified_ms, object)
        });
        assert_eq!(spent.map(|(name, ..)| name.id).collect::<Vec<_>>(), [before]);
        fake.put(Object::new(ObjectKind::Baseline, 2, REPO, [9; 16]), 900);
        assert_eq!(covered(&fake.view(), now), ahead, "what one more baseline makes of it");
    }
}
