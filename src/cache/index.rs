//! The index: which pack holds an object and where, and what is known of each pack.
//!
//! A cache of pack footers: it can be rebuilt from them at any time (`rebuild.rs`).

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use redb::{ReadOnlyTable, ReadableTable, TableDefinition, WriteTransaction};

use crate::cache::arrivals::Arrivals;
use crate::cache::database::{Db, Opened, PATIENCE};
use crate::cache::error::CacheError;
use crate::cache::layout::Layout;
use crate::cache::place::{Held, PackState, Place};
use crate::cache::rebuild;
use crate::cache::usage::Usage;
use crate::fs::{failpoint, remove};
use crate::hash::{ChunkId, PackId, RemoteId};
use crate::pack::Bases;
use crate::progress::StopFlag;
use crate::wire::Reader;

pub(super) const OBJECTS: TableDefinition<&[u8; 32], &[u8; 32]> = TableDefinition::new("objects 1");
/// Chunk that is stored as a delta → where its base begins, and the chunks of the base.
const BASES: TableDefinition<&[u8; 32], &[u8]> = TableDefinition::new("bases 1");
const PACKS: TableDefinition<&[u8; 16], &[u8; 6]> = TableDefinition::new("packs 1");
/// Pack and remote → generation at which a push confirmed it.
const CONFIRMED: TableDefinition<&[u8; 32], u32> = TableDefinition::new("confirmed 1");
/// Exists once the packs on disk have been taken in: a rebuild that died is begun again.
const FILLED: TableDefinition<&[u8; 1], u32> = TableDefinition::new("filled 1");

/// The open index of a repository.
pub struct Index {
    pub(super) db: Db,
    pub(super) usage: Usage,
    pub(super) stop: StopFlag,
    arrivals: Arrivals,
}

/// A fixed view of the index for many look-ups from many threads.
pub struct IndexReader {
    objects: ReadOnlyTable<&'static [u8; 32], &'static [u8; 32]>,
    packs: ReadOnlyTable<&'static [u8; 16], &'static [u8; 6]>,
    bases: ReadOnlyTable<&'static [u8; 32], &'static [u8]>,
}

impl IndexReader {
    /// Returns where an object lies; a damaged row counts as none, and so does one of a chunk whose
    /// base lies nowhere.
    pub fn find(&self, id: &[u8; 32]) -> Option<Place> {
        let place = self.row(id)?;
        let complete = !place.delta || self.base_places(ChunkId(*id)).is_some();
        complete.then_some(place)
    }

    fn row(&self, id: &[u8; 32]) -> Option<Place> {
        self.objects.get(id).ok().flatten().and_then(|row| Place::decode(row.value()))
    }

    /// Returns what a chunk is stored as a delta to; nothing if it is not.
    pub fn bases(&self, id: ChunkId) -> Option<Bases> {
        self.row(&id.0).filter(|place| place.delta)?;
        let row = self.bases.get(&id.0).ok().flatten()?;
        let mut r = Reader::new(row.value());
        let skip = r.u32().ok()?;
        let (ids, []) = r.rest().as_chunks::<{ ChunkId::LEN }>() else { return None };
        Some(Bases { ids: ids.iter().map(|id| ChunkId(*id)).collect(), skip })
    }

    /// Returns where the bases of a chunk lie, in their order; nothing if one is unknown or is a
    /// delta itself.
    pub fn base_places(&self, id: ChunkId) -> Option<Vec<Place>> {
        let bases = self.bases(id)?;
        bases.ids.iter().map(|base| self.row(&base.0).filter(|place| !place.delta)).collect()
    }

    /// Returns what is known of a pack.
    pub fn pack(&self, pack: PackId) -> Option<PackState> {
        self.packs.get(&pack.0).ok().flatten().map(|row| PackState::decode(*row.value()))
    }

    /// Returns where an object lies if its frame is on this machine, whether its base is or not.
    pub fn find_frame(&self, id: &[u8; 32]) -> Option<(Place, Held)> {
        let place = self.row(id)?;
        let held = self.pack(place.pack)?.held;
        (held != Held::Gone).then_some((place, held))
    }

    /// Returns where an object lies if its bytes are on this machine, those of its base too.
    pub fn find_held(&self, id: &[u8; 32]) -> Option<(Place, Held)> {
        let (place, held) = self.find_frame(id)?;
        if place.delta {
            let gone = |base: &Place| self.pack(base.pack).is_none_or(|s| s.held == Held::Gone);
            if self.base_places(ChunkId(*id))?.iter().any(gone) {
                return None;
            }
        }
        Some((place, held))
    }
}

impl Index {
    /// Opens the index; one that is missing or unusable is rebuilt from the packs on disk.
    pub fn open(layout: &Layout) -> Result<Self, CacheError> {
        Self::open_within(layout, PATIENCE)
    }

    /// As [`Self::open`]; [`CacheError::Busy`] if another process has it for longer than `patience`.
    pub fn open_within(layout: &Layout, patience: Duration) -> Result<Self, CacheError> {
        let path = layout.index();
        let opened = match Db::open(&path, patience)? {
            Opened::Ready(db) => Some(Self::of(db)),
            Opened::Unusable(_) => None,
        };
        if let Some(index) = opened {
            index.create_tables()?;
            return index.filled(layout);
        }
        remove(&path)?;
        let Opened::Ready(db) = Db::open(&path, patience)? else {
            return Err(CacheError::Database { path, why: "it cannot be created".to_owned() });
        };
        let index = Self::of(db);
        index.create_tables()?;
        index.filled(layout)
    }

    /// Opens the index to look things up, as any number of processes can at once; nothing if there is
    /// none that can be used as it is. Fails where something is to be recorded.
    pub fn open_to_look(layout: &Layout, patience: Duration) -> Result<Option<Self>, CacheError> {
        let Some(db) = Db::open_to_look(&layout.index(), patience)? else { return Ok(None) };
        let txn = db.begin_read()?;
        let complete = txn.open_table(FILLED).is_ok() && txn.open_table(BASES).is_ok();
        Ok(complete.then(|| Self::of(db)))
    }

    fn of(db: Db) -> Self {
        let (usage, stop, arrivals) = (Usage::default(), StopFlag::default(), Arrivals::default());
        Self { db, usage, stop, arrivals }
    }

    /// Returns how often it was written, to wait for.
    pub fn arrivals(&self) -> &Arrivals {
        &self.arrivals
    }

    /// Has those who read by this index end long walks once the user asks to stop.
    #[must_use]
    pub fn with_stop(self, stop: StopFlag) -> Self {
        Self { stop, ..self }
    }

    /// Fills an index that no run has filled to the end yet.
    fn filled(self, layout: &Layout) -> Result<Self, CacheError> {
        let txn = self.db.begin_read()?;
        if txn.open_table(FILLED).is_ok() {
            return Ok(self);
        }
        rebuild::fill(&self, layout)?;
        self.write(|txn| txn.open_table(FILLED).map(drop))?;
        Ok(self)
    }

    fn create_tables(&self) -> Result<(), CacheError> {
        let txn = self.db.begin_read()?;
        if txn.open_table(BASES).is_ok() {
            return Ok(());
        }
        self.write(|txn| {
            txn.open_table(OBJECTS)?;
            txn.open_table(BASES)?;
            txn.open_table(PACKS)?;
            txn.open_table(CONFIRMED).map(drop)
        })
    }

    pub(super) fn write(
        &self,
        change: impl FnOnce(&WriteTransaction) -> Result<(), redb::TableError>,
    ) -> Result<(), CacheError> {
        let fail = |e: &dyn std::fmt::Display| self.db.failed(e);
        let txn = self.db.begin_write()?;
        change(&txn).map_err(|e| fail(&e))?;
        failpoint::hit("index.before-commit");
        txn.commit().map_err(|e| fail(&e))?;
        failpoint::hit("index.after-commit");
        self.arrivals.tell();
        Ok(())
    }

    /// Takes a view of the index as it is now.
    pub fn reader(&self) -> Result<IndexReader, CacheError> {
        let fail = |e: &dyn std::fmt::Display| self.db.failed(e);
        let txn = self.db.begin_read()?;
        Ok(IndexReader {
            objects: txn.open_table(OBJECTS).map_err(|e| fail(&e))?,
            packs: txn.open_table(PACKS).map_err(|e| fail(&e))?,
            bases: txn.open_table(BASES).map_err(|e| fail(&e))?,
        })
    }

    /// Records packs and the objects in them, durably, in one step; `deltas` names the bases of those
    /// objects that are stored as a delta.
    ///
    /// A pack that is held whole already keeps that form, and what its own tables say of its objects:
    /// a remote's copy of it may be another than it seems. A chunk that is here whole is not replaced
    /// by a delta: it may be the base of others.
    pub fn record(
        &self,
        packs: &[(PackId, PackState)],
        objects: &mut [([u8; 32], Place)],
        deltas: &[(ChunkId, Bases)],
    ) -> Result<(), CacheError> {
        objects.sort_unstable_by_key(|a| a.0);
        self.write(|txn| {
            let mut states = txn.open_table(PACKS)?;
            let (mut returning, mut kept) = (HashSet::new(), HashSet::new());
            for (pack, state) in packs {
                let old = states.get(&pack.0)?.map(|row| PackState::decode(*row.value()));
                if state.held == Held::Part && old.is_some_and(|old| old.held == Held::Gone) {
                    returning.insert(*pack);
                }
                let keep = old.is_some_and(|old| {
                    state.held == Held::Part && matches!(old.held, Held::Unpushed | Held::Whole)
                });
                if keep {
                    kept.insert(*pack);
                } else {
                    states.insert(&pack.0, &state.encode())?;
                }
            }
            let mut table = txn.open_table(OBJECTS)?;
            if !returning.is_empty() {
                // Of a pack that was only known, some frames are here now: the others are not.
                table.retain(|_, place| {
                    Place::decode(place).is_none_or(|place| !returning.contains(&place.pack))
                })?;
            }
            let mut written = HashSet::new();
            for (id, place) in objects.iter().filter(|(_, place)| !kept.contains(&place.pack)) {
                if place.delta {
                    let old = table.get(id)?.and_then(|row| Place::decode(row.value()));
                    if let Some(old) = old.filter(|old| !old.delta)
                        && states.get(&old.pack.0)?.is_some_and(|row| is_here(*row.value()))
                    {
                        continue;
                    }
                    written.insert(*id);
                }
                table.insert(id, &place.encode())?;
            }
            let mut table = txn.open_table(BASES)?;
            for (id, bases) in deltas.iter().filter(|(id, _)| written.contains(&id.0)) {
                let ids = bases.ids.iter().flat_map(|id| id.0);
                let row: Vec<u8> = bases.skip.to_le_bytes().into_iter().chain(ids).collect();
                table.insert(&id.0, row.as_slice())?;
            }
            Ok(())
        })
    }

    /// Records that a push confirmed these packs on a remote at a generation.
    pub fn confirm(
        &self,
        remote: RemoteId,
        generation: u32,
        packs: &[PackId],
    ) -> Result<(), CacheError> {
        self.write(|txn| {
            let mut table = txn.open_table(CONFIRMED)?;
            for pack in packs {
                table.insert(&joined(*pack, remote), generation)?;
            }
            Ok(())
        })
    }

    /// Returns the packs that are neither on this machine nor confirmed on `remote`: what they hold
    /// is not to be had there.
    pub fn out_of_reach(&self, remote: Option<RemoteId>) -> Result<BTreeSet<PackId>, CacheError> {
        let gone = self.packs(Held::Gone)?.into_iter().map(|(pack, _)| pack);
        let mut out: BTreeSet<PackId> = gone.collect();
        let Some(remote) = remote.filter(|_| !out.is_empty()) else { return Ok(out) };
        let fail = |e: &dyn std::fmt::Display| self.db.failed(e);
        let txn = self.db.begin_read()?;
        let table = txn.open_table(CONFIRMED).map_err(|e| fail(&e))?;
        let mut confirmed = Vec::new();
        for pack in &out {
            let key = joined(*pack, remote);
            if table.get(&key).map_err(|e| fail(&e))?.is_some() {
                confirmed.push(*pack);
            }
        }
        for pack in confirmed {
            out.remove(&pack);
        }
        Ok(out)
    }

    /// Changes the form in which packs are held.
    pub fn set_held(&self, packs: &[PackId], held: Held) -> Result<(), CacheError> {
        self.write(|txn| {
            let mut table = txn.open_table(PACKS)?;
            for pack in packs {
                let state = table.get(&pack.0)?.map(|row| PackState::decode(*row.value()));
                if let Some(state) = state {
                    table.insert(&pack.0, &PackState { held, ..state }.encode())?;
                }
            }
            Ok(())
        })
    }

    /// Forgets packs and every object that the index places in them.
    pub fn forget(&self, packs: &[PackId]) -> Result<(), CacheError> {
        self.write(|txn| {
            let mut table = txn.open_table(PACKS)?;
            for pack in packs {
                table.remove(&pack.0)?;
            }
            let mut table = txn.open_table(OBJECTS)?;
            table.retain(|_, place| {
                Place::decode(place).is_none_or(|place| !packs.contains(&place.pack))
            })?;
            Ok(())
        })
    }

    /// Forgets single objects, so that they are stored again when they are met again.
    pub fn forget_objects(&self, ids: &[[u8; 32]]) -> Result<(), CacheError> {
        self.write(|txn| {
            let mut table = txn.open_table(OBJECTS)?;
            for id in ids {
                table.remove(id)?;
            }
            Ok(())
        })
    }

    /// Returns every pack that is held in the given form.
    pub fn packs(&self, held: Held) -> Result<Vec<(PackId, PackState)>, CacheError> {
        let fail = |e: &dyn std::fmt::Display| self.db.failed(e);
        let txn = self.db.begin_read()?;
        let table = txn.open_table(PACKS).map_err(|e| fail(&e))?;
        let mut out = Vec::new();
        for row in table.iter().map_err(|e| fail(&e))? {
            let (key, value) = row.map_err(|e| fail(&e))?;
            let state = PackState::decode(*value.value());
            if state.held == held {
                out.push((PackId(*key.value()), state));
            }
        }
        Ok(out)
    }
}

fn is_here(state: [u8; 6]) -> bool {
    PackState::decode(state).held != Held::Gone
}

fn joined(pack: PackId, remote: RemoteId) -> [u8; 32] {
    let mut out = [0; 32];
    for (slot, byte) in out.iter_mut().zip(pack.0.iter().chain(&remote.0)) {
        *slot = *byte;
    }
    out
}
