//! Putting push records together, so that a listing stays short.

use std::collections::{BTreeMap, BTreeSet};

use crate::hash::CatalogueId;
use crate::hash::Key;
use crate::hash::PackId;
use crate::hash::RepoId;

use super::name::{Name, ObjectKind};
use super::object::Object;
use super::record::{CoverRecord, HookRecord, LocRecord, PackRecord};
use super::view::{LONE_LIMIT, Listing, Need, View};

/// Makes a run of the lone push records of the newest generation, and of runs of it while the next is
/// at most twice as large as what is taken; nothing if there are fewer than [`LONE_LIMIT`] of them, or
/// if something that counts was not fetched.
///
/// Left alone: older generations, as pushes and gc go by the generation of a push record, which a run
/// has for all of its own; objects that have sections that this build does not know; and runs with a
/// push record that gc has covered, whose packs could not be told apart.
pub fn consolidate(view: &View, repo: RepoId, nonce: [u8; 16]) -> Option<Object> {
    if view.lone_push_records() < LONE_LIMIT || !view.missing(Need::Read).is_empty() {
        return None;
    }
    let generation = view.generation();
    let whole = || {
        let fit = |(name, _, object): &(&Name, &Listing, &Object)| {
            name.generation == generation && object.unknown.is_empty()
        };
        view.counting().filter(fit)
    };
    let mut merge = Merge::default();
    let mut taken = 0u64;
    for (name, listing, object) in whole().filter(|(name, ..)| name.kind == ObjectKind::PushRecord)
    {
        merge.add_push_record(name, listing, object);
        taken = taken.saturating_add(listing.size);
    }
    if merge.covers.len() < LONE_LIMIT {
        return None;
    }
    let mut runs: Vec<_> = whole()
        .filter(|(name, _, object)| name.kind == ObjectKind::Run && view.is_whole(object))
        .collect();
    runs.sort_by_key(|(name, listing, _)| (listing.size, **name));
    for (_, listing, run) in runs {
        if listing.size > taken.saturating_mul(2) {
            break;
        }
        merge.add_run(run);
        taken = taken.saturating_add(listing.size);
    }
    Some(merge.finish(generation, repo, nonce))
}

/// Makes a run of these push records, all of one generation, and of nothing else, so that readers need
/// none of them.
pub fn run_of(
    records: &[(Name, Listing, Object)],
    generation: u32,
    repo: RepoId,
    nonce: [u8; 16],
) -> Object {
    let mut merge = Merge::default();
    for (name, listing, object) in records {
        merge.add_push_record(name, listing, object);
    }
    merge.finish(generation, repo, nonce)
}

/// Tables under construction. Maps instead of rows, so that what two objects share counts once.
#[derive(Default)]
struct Merge {
    covers: BTreeMap<CatalogueId, CoverRecord>,
    locs: BTreeMap<(CatalogueId, Key), LocRecord>,
    packs: BTreeMap<PackId, PackRecord>,
    hooks: BTreeSet<([u8; 8], PackId)>,
}

impl Merge {
    fn add_push_record(&mut self, name: &Name, listing: &Listing, object: &Object) {
        let (push_record, stored_ms) = (name.id, listing.modified_ms);
        self.covers.insert(push_record, CoverRecord { push_record, stored_ms, repo: object.repo });
        for loc in &object.locs {
            self.locs.insert((push_record, loc.key), *loc);
        }
        self.add_packs(object);
    }

    fn add_run(&mut self, run: &Object) {
        for cover in &run.covers {
            self.covers.entry(cover.push_record).or_insert(*cover);
        }
        for loc in &run.locs {
            if let Some(cover) = run.covers.get(loc.source as usize) {
                self.locs.entry((cover.push_record, loc.key)).or_insert(*loc);
            }
        }
        self.add_packs(run);
    }

    fn add_packs(&mut self, object: &Object) {
        self.packs.extend(object.packs.iter().map(|record| (record.pack, *record)));
        for hook in &object.hooks {
            if let Some(record) = object.packs.get(hook.pack_row as usize) {
                self.hooks.insert((hook.chunk, record.pack));
            }
        }
    }

    fn finish(self, generation: u32, repo: RepoId, nonce: [u8; 16]) -> Object {
        let mut run = Object::new(ObjectKind::Run, generation, repo, nonce);
        let cover_rows: BTreeMap<_, _> = self.covers.keys().copied().zip(0u32..).collect();
        let pack_rows: BTreeMap<_, _> = self.packs.keys().copied().zip(0u32..).collect();
        run.covers = self.covers.into_values().collect();
        run.packs = self.packs.into_values().collect();
        run.locs = self
            .locs
            .into_iter()
            .filter_map(|((push_record, _), loc)| {
                Some(LocRecord { source: *cover_rows.get(&push_record)?, ..loc })
            })
            .collect();
        run.locs.sort_unstable_by_key(|loc| (loc.key, loc.source));
        run.hooks = self
            .hooks
            .into_iter()
            .filter_map(|(chunk, pack)| {
                Some(HookRecord { chunk, pack_row: *pack_rows.get(&pack)? })
            })
            .collect();
        run
    }
}
