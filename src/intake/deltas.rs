//! What an intake knows of chunks that are stored as a delta, and the readers for their bases.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::cache::{Index, Layout, ObjectReader};
use crate::hash::ChunkId;
use crate::intake::claims::Claims;
use crate::intake::error::IntakeError;
use crate::pack::Bases;
use crate::recipe::ChunkEntry;

pub(super) struct Deltas<'a> {
    layout: &'a Layout,
    index: &'a Index,
    claims: &'a Claims<'a>,
    /// With how much was recorded when each began.
    readers: Mutex<Vec<(u64, ObjectReader<'a>)>>,
    /// What this intake stored in a frame of its own: to what it is a delta, if it is one.
    made: Mutex<HashMap<ChunkId, Option<Bases>>>,
    /// Where in the worktree the bytes of chunks are that serve as a base and were met in a file.
    origins: Mutex<HashMap<ChunkId, Origin>>,
    bytes: AtomicU64,
}

/// A file, and the length of a chunk in it and where that begins.
type Origin = (Arc<[u8]>, u64, u64);

impl<'a> Deltas<'a> {
    pub(super) fn new(layout: &'a Layout, index: &'a Index, claims: &'a Claims<'a>) -> Self {
        let (readers, made, origins) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { layout, index, claims, readers, made, origins, bytes: AtomicU64::new(0) }
    }

    /// Lends a reader of local content, which knows what was recorded by now: one from before would keep the
    /// index from using its space again.
    pub(super) fn with_reader<R>(
        &self,
        work: impl FnOnce(&mut ObjectReader<'a>) -> Result<R, IntakeError>,
    ) -> Result<R, IntakeError> {
        let now = self.claims.times_recorded();
        let spare = {
            let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
            readers.retain(|(then, _)| *then == now);
            readers.pop()
        };
        let (then, mut reader) = match spare {
            Some(spare) => spare,
            None => (now, ObjectReader::new(self.layout, self.index)?),
        };
        let result = work(&mut reader);
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).push((then, reader));
        result
    }

    /// Notes how a chunk of `len` bytes was stored.
    pub(super) fn note(&self, id: ChunkId, bases: Option<&Bases>, len: usize) {
        if bases.is_some() {
            self.bytes.fetch_add(len as u64, Ordering::Relaxed);
        }
        self.made.lock().unwrap_or_else(PoisonError::into_inner).insert(id, bases.cloned());
    }

    /// Notes where the chunks of a base were read, for those whose base they become as well.
    pub(super) fn note_origins(&self, path: &Arc<[u8]>, chunks: &[(ChunkEntry, u64)]) {
        let mut origins = self.origins.lock().unwrap_or_else(PoisonError::into_inner);
        for (chunk, at) in chunks {
            origins.entry(chunk.id).or_insert_with(|| (Arc::clone(path), chunk.size, *at));
        }
    }

    /// Returns the file that a chunk of a base was read from, its length and where it begins there.
    pub(super) fn origin(&self, id: ChunkId) -> Option<Origin> {
        self.origins.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    /// Returns what this intake stored a chunk as a delta to.
    pub(super) fn made(&self, id: ChunkId) -> Option<Bases> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned().flatten()
    }

    /// Says whether this intake stored a chunk, and not as a delta. That another worker is about
    /// to store it is not enough: it may become a delta yet.
    pub(super) fn made_whole(&self, id: ChunkId) -> bool {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.get(&id).is_some_and(Option::is_none)
    }

    /// Returns how many bytes of chunks were stored as a delta.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}
