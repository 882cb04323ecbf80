//! The index: which pack holds an object and where, and what is known of each pack.
//!
//! A cache of pack footers: it can be rebuilt from them at any time (`rebuild.rs`).

use std::collections::{BTreeSet, HashSet};

use redb::{ReadOnlyTable, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};

use crate::cache::database::{Db, Opened};
use crate::cache::error::CacheError;
use crate::cache::layout::Layout;
use crate::cache::rebuild;
use crate::fs::{failpoint, remove};
use crate::hash::{PackId, RemoteId};
use crate::wire::Reader;

const OBJECTS: TableDefinition<&[u8; 32], &[u8; 32]> = TableDefinition::new("objects 1");
const PACKS: TableDefinition<&[u8; 16], &[u8; 6]> = TableDefinition::new("packs 1");
/// Pack and remote → generation at which a push confirmed it.
const CONFIRMED: TableDefinition<&[u8; 32], u32> = TableDefinition::new("confirmed 1");
/// Root and remote → generation at which a push confirmed it.
const ROOTS: TableDefinition<&[u8; 48], u32> = TableDefinition::new("roots 1");

/// Exists once the packs on disk have been taken in: a rebuild that died is begun again.
const FILLED: TableDefinition<&[u8; 1], u32> = TableDefinition::new("filled 1");

/// Where an object lies: in which pack, in which frame, and where in the frame's raw bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The pack.
    pub pack: PackId,
    /// Where the frame begins in the pack.
    pub offset: u32,
    /// Length of the frame in the pack.
    pub frame_len: u32,
    /// Where the object begins in the frame's raw bytes.
    pub skip: u32,
    /// Length of the object.
    pub len: u32,
}

impl Place {
    fn encode(&self) -> [u8; 32] {
        let mut out = [0; 32];
        let (pack, rest) = out.split_at_mut(16);
        pack.copy_from_slice(&self.pack.0);
        for (slot, n) in rest.as_chunks_mut::<4>().0.iter_mut().zip([
            self.offset,
            self.frame_len,
            self.skip,
            self.len,
        ]) {
            *slot = n.to_le_bytes();
        }
        out
    }

    fn decode(bytes: &[u8; 32]) -> Option<Self> {
        let mut r = Reader::new(bytes);
        Some(Self {
            pack: PackId(r.array().ok()?),
            offset: r.u32().ok()?,
            frame_len: r.u32().ok()?,
            skip: r.u32().ok()?,
            len: r.u32().ok()?,
        })
    }
}

/// In which form this machine has a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// Whole, and not confirmed on the push remote: must be kept.
    Unpushed,
    /// Whole, and can be fetched again.
    Whole,
    /// Some frames only; the objects in the index are those of these frames.
    Part,
    /// Not here any more; the index still knows what it holds.
    Gone,
}

/// What is known of a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackState {
    /// Whether this machine has it.
    pub held: Held,
    /// The kind byte of the pack format: 1 data, 2 nodes.
    pub kind: u8,
    /// Size of the whole pack in bytes; 0 if unknown.
    pub size: u32,
}

impl PackState {
    fn encode(self) -> [u8; 6] {
        let held = match self.held {
            Held::Unpushed => 1,
            Held::Whole => 2,
            Held::Part => 3,
            Held::Gone => 4,
        };
        let [a, b, c, d] = self.size.to_le_bytes();
        [held, self.kind, a, b, c, d]
    }

    fn decode(bytes: [u8; 6]) -> Self {
        let [held, kind, size @ ..] = bytes;
        let held = match held {
            1 => Held::Unpushed,
            2 => Held::Whole,
            3 => Held::Part,
            _ => Held::Gone,
        };
        Self { held, kind, size: u32::from_le_bytes(size) }
    }
}

/// The open index of a repository.
pub struct Index {
    db: Db,
}

/// A fixed view of the index for many look-ups from many threads.
pub struct IndexReader {
    objects: ReadOnlyTable<&'static [u8; 32], &'static [u8; 32]>,
    packs: ReadOnlyTable<&'static [u8; 16], &'static [u8; 6]>,
}

impl IndexReader {
    /// Returns where an object lies; a damaged row counts as none.
    pub fn find(&self, id: &[u8; 32]) -> Option<Place> {
        self.objects.get(id).ok().flatten().and_then(|row| Place::decode(row.value()))
    }

    /// Returns what is known of a pack.
    pub fn pack(&self, pack: PackId) -> Option<PackState> {
        self.packs.get(&pack.0).ok().flatten().map(|row| PackState::decode(*row.value()))
    }

    /// Returns where an object lies if its bytes are on this machine.
    pub fn find_held(&self, id: &[u8; 32]) -> Option<(Place, Held)> {
        let place = self.find(id)?;
        let state = self.pack(place.pack)?;
        (state.held != Held::Gone).then_some((place, state.held))
    }
}

impl Index {
    /// Opens the index; one that is missing or unusable is rebuilt from the packs on disk.
    pub fn open(layout: &Layout) -> Result<Self, CacheError> {
        let path = layout.index();
        let opened = match Db::open(&path)? {
            Opened::Ready(db) => Some(Self { db }),
            Opened::Unusable(_) => None,
        };
        if let Some(index) = opened {
            index.create_tables()?;
            return index.filled(layout);
        }
        remove(&path)?;
        let Opened::Ready(db) = Db::open(&path)? else {
            return Err(CacheError::Database { path, why: "it cannot be created".to_owned() });
        };
        let index = Self { db };
        index.create_tables()?;
        index.filled(layout)
    }

    /// Fills an index that no run has filled to the end yet.
    fn filled(self, layout: &Layout) -> Result<Self, CacheError> {
        let fail = |e: &dyn std::fmt::Display| self.db.failed(e);
        let txn = self.db.db.begin_read().map_err(|e| fail(&e))?;
        if txn.open_table(FILLED).is_ok() {
            return Ok(self);
        }
        rebuild::fill(&self, layout)?;
        self.write(|txn| txn.open_table(FILLED).map(drop))?;
        Ok(self)
    }

    fn create_tables(&self) -> Result<(), CacheError> {
        let fail = |e: &dyn std::fmt::Display| self.db.failed(e);
        let txn = self.db.db.begin_read().map_err(|e| fail(&e))?;
        if txn.open_table(ROOTS).is_ok() {
            return Ok(());
        }
        self.write(|txn| {
            txn.open_table(OBJECTS)?;
            txn.open_table(PACKS)?;
            txn.open_table(CONFIRMED)?;
            txn.open_table(ROOTS).map(drop)
        })
    }

    fn write(
        &self,
        change: impl FnOnce(&WriteTransaction) -> Result<(), redb::TableError>,
    ) -> Result<(), CacheError> {
        let fail = |e: &dyn std::fmt::Display| self.db.failed(e);
        let txn = self.db.db.begin_write().map_err(|e| fail(&e))?;
        change(&txn).map_err(|e| fail(&e))?;
        failpoint::hit("index.before-commit");
        txn.commit().map_err(|e| fail(&e))?;
        failpoint::hit("index.after-commit");
        Ok(())
    }

    /// Takes a view of the index as it is now.
    pub fn reader(&self) -> Result<IndexReader, CacheError> {
        let fail = |e: &dyn std::fmt::Display| self.db.failed(e);
        let txn = self.db.db.begin_read().map_err(|e| fail(&e))?;
        Ok(IndexReader {
            objects: txn.open_table(OBJECTS).map_err(|e| fail(&e))?,
            packs: txn.open_table(PACKS).map_err(|e| fail(&e))?,
        })
    }

    /// Records packs and the objects in them, durably, in one step.
    ///
    /// A pack that is held whole already keeps that form, and what its own tables say of its objects:
    /// a remote's copy of it may be another than it seems.
    pub fn record(
        &self,
        packs: &[(PackId, PackState)],
        objects: &mut [([u8; 32], Place)],
    ) -> Result<(), CacheError> {
        objects.sort_unstable_by_key(|a| a.0);
        self.write(|txn| {
            let mut table = txn.open_table(PACKS)?;
            let (mut returning, mut kept) = (HashSet::new(), HashSet::new());
            for (pack, state) in packs {
                let old = table.get(&pack.0)?.map(|row| PackState::decode(*row.value()));
                if state.held == Held::Part && old.is_some_and(|old| old.held == Held::Gone) {
                    returning.insert(*pack);
                }
                let keep = old.is_some_and(|old| {
                    state.held == Held::Part && matches!(old.held, Held::Unpushed | Held::Whole)
                });
                if keep {
                    kept.insert(*pack);
                } else {
                    table.insert(&pack.0, &state.encode())?;
                }
            }
            let mut table = txn.open_table(OBJECTS)?;
            if !returning.is_empty() {
                // Of a pack that was only known, some frames are here now: the others are not.
                table.retain(|_, place| {
                    Place::decode(place).is_none_or(|place| !returning.contains(&place.pack))
                })?;
            }
            for (id, place) in objects.iter().filter(|(_, place)| !kept.contains(&place.pack)) {
                table.insert(id, &place.encode())?;
            }
            Ok(())
        })
    }

    /// Records that a push confirmed these packs and roots on a remote at a generation.
    pub fn confirm(
        &self,
        remote: RemoteId,
        generation: u32,
        packs: &[PackId],
        roots: &[[u8; 32]],
    ) -> Result<(), CacheError> {
        self.write(|txn| {
            let mut table = txn.open_table(CONFIRMED)?;
            for pack in packs {
                table.insert(&joined::<16, 32>(&pack.0, remote), generation)?;
            }
            let mut table = txn.open_table(ROOTS)?;
            for root in roots {
                table.insert(&joined::<32, 48>(root, remote), generation)?;
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
        let txn = self.db.db.begin_read().map_err(|e| fail(&e))?;
        let table = txn.open_table(CONFIRMED).map_err(|e| fail(&e))?;
        let mut confirmed = Vec::new();
        for pack in &out {
            let key = joined::<16, 32>(&pack.0, remote);
            if table.get(&key).map_err(|e| fail(&e))?.is_some() {
                confirmed.push(*pack);
            }
        }
        for pack in confirmed {
            out.remove(&pack);
        }
        Ok(out)
    }

    /// Returns the generation at which a push confirmed a root on a remote.
    pub fn confirmed_root(
        &self,
        remote: RemoteId,
        root: &[u8; 32],
    ) -> Result<Option<u32>, CacheError> {
        let fail = |e: &dyn std::fmt::Display| self.db.failed(e);
        let txn = self.db.db.begin_read().map_err(|e| fail(&e))?;
        let table = txn.open_table(ROOTS).map_err(|e| fail(&e))?;
        let row = table.get(&joined::<32, 48>(root, remote)).map_err(|e| fail(&e))?;
        Ok(row.map(|row| row.value()))
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
        let txn = self.db.db.begin_read().map_err(|e| fail(&e))?;
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

fn joined<const N: usize, const M: usize>(id: &[u8; N], remote: RemoteId) -> [u8; M] {
    let mut out = [0; M];
    for (slot, byte) in out.iter_mut().zip(id.iter().chain(&remote.0)) {
        *slot = *byte;
    }
    out
}
