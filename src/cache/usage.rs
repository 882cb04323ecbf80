//! How much the cache takes, without looking at each pack, and what one command uses of it.

use std::collections::HashSet;
use std::fs::File;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use redb::{TableDefinition, TableError};

use crate::cache::error::CacheError;
use crate::cache::folder::Form;
use crate::cache::index::Index;
use crate::cache::place::Held;
use crate::fs::mark_used;
use crate::hash::PackId;

/// Bytes that the cache took when it was listed last, and bytes that came to it since.
const SIZES: TableDefinition<&[u8; 1], u64> = TableDefinition::new("cache sizes 1");
const LISTED: &[u8; 1] = b"l";
const ADDED: &[u8; 1] = b"a";

/// What this process did with the cache.
#[derive(Debug, Default)]
pub(super) struct Usage {
    used: Mutex<HashSet<PackId>>,
    added: AtomicU64,
}

/// What the cache takes, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheSize {
    /// When it was listed last.
    pub listed: u64,
    /// What this clone put there since.
    pub added: u64,
}

impl Index {
    /// Notes that a pack of the cache is used by this command: once for each, in the times of its
    /// file, where every clone that shares the cache sees it.
    pub(super) fn note_use(&self, pack: PackId, file: &File) {
        if self.usage.used.lock().unwrap_or_else(PoisonError::into_inner).insert(pack) {
            mark_used(file);
        }
    }

    /// Returns the packs of the cache that this command used or brought.
    pub fn used_packs(&self) -> HashSet<PackId> {
        self.usage.used.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes that this command put bytes of a pack into the cache.
    pub fn note_added(&self, pack: PackId, bytes: u64) {
        self.usage.used.lock().unwrap_or_else(PoisonError::into_inner).insert(pack);
        self.usage.added.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Notes that this command put a whole file into the cache.
    pub(super) fn note_file_added(&self, bytes: u64) {
        self.usage.added.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Returns what the cache takes, what this command added included; nothing if it was never
    /// listed. Remembers what was added.
    pub fn cache_size(&self) -> Result<Option<CacheSize>, CacheError> {
        let fail = |e: &dyn std::fmt::Display| self.db.failed(e);
        let new = self.usage.added.swap(0, Ordering::Relaxed);
        let txn = self.db.begin_read()?;
        let (mut listed, mut added) = (None, new);
        match txn.open_table(SIZES) {
            Ok(table) => {
                let get = |key| table.get(key).map(|row| row.map(|row| row.value()));
                listed = get(LISTED).map_err(|e| fail(&e))?;
                added += get(ADDED).map_err(|e| fail(&e))?.unwrap_or(0);
            }
            Err(TableError::TableDoesNotExist(_)) => {}
            Err(e) => return Err(fail(&e)),
        }
        if new > 0 {
            self.write(|txn| {
                txn.open_table(SIZES)?.insert(ADDED, added).map(drop).map_err(Into::into)
            })?;
        }
        Ok(listed.map(|listed| CacheSize { listed, added }))
    }

    /// Remembers what the cache takes, now that it was listed.
    pub fn set_cache_size(&self, bytes: u64) -> Result<(), CacheError> {
        self.write(|txn| {
            let mut table = txn.open_table(SIZES)?;
            table.insert(LISTED, bytes)?;
            table.insert(ADDED, 0)?;
            Ok(())
        })
    }

    /// Notes that packs of the cache were removed, each in this form; what must be kept, or is here
    /// in another form, stays as it is.
    pub fn note_removed(&self, packs: &[(PackId, Form)]) -> Result<(), CacheError> {
        let view = self.reader()?;
        let held = |pack: &PackId| view.pack(*pack).map(|state| state.held);
        let gone = packs.iter().filter(|(pack, form)| match form {
            Form::Whole => held(pack) == Some(Held::Whole),
            Form::Part => held(pack) == Some(Held::Part),
        });
        let gone: Vec<PackId> = gone.map(|(pack, _)| *pack).collect();
        self.set_held(&gone, Held::Gone)
    }
}
