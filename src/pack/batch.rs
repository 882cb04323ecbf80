//! The rule that puts small chunks together into one frame.

use std::collections::HashSet;

use super::codec::Codecs;
use super::encode::{EncodedFrame, encode};
use super::error::EncodeError;
use super::layout::{BATCH_BELOW, MAX_BATCH_RAW, MAX_COUNT};
use crate::hash::ChunkId;
use crate::hash::PackKind;

/// Says whether a chunk of `len` bytes gets a frame of its own.
pub fn needs_own_frame(len: usize) -> bool {
    len >= BATCH_BELOW as usize
}

/// Small chunks that go into one frame, their bytes joined.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    raw: Vec<u8>,
    objects: Vec<(ChunkId, usize)>,
}

impl Batch {
    /// Returns id and length of each chunk, in order.
    pub fn objects(&self) -> &[(ChunkId, usize)] {
        &self.objects
    }

    /// Returns the joined bytes.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// Encodes the batch as one frame.
    pub fn encode(&self, codecs: &mut Codecs) -> Result<EncodedFrame, EncodeError> {
        let table = self.objects.iter().map(|(id, len)| (id.0, *len));
        encode(codecs, PackKind::Data, &self.raw, table)
    }
}

/// Collects small chunks in the order of their paths; holds at most 256 KiB of content.
#[derive(Debug, Default)]
pub struct Batcher {
    batch: Batch,
    ids: HashSet<ChunkId>,
}

impl Batcher {
    /// Starts with nothing collected.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says whether the chunk is among those collected now.
    pub fn contains(&self, id: ChunkId) -> bool {
        self.ids.contains(&id)
    }

    /// Collects a chunk; returns the batch before it, if that has no room for this one.
    ///
    /// A chunk that is collected already is not taken twice. A chunk for which
    /// [`needs_own_frame`] holds does not belong here; it would still be encoded, as a batch.
    pub fn push(&mut self, id: ChunkId, bytes: &[u8]) -> Option<Batch> {
        if self.ids.contains(&id) {
            return None;
        }
        let full = self.batch.raw.len() + bytes.len() > MAX_BATCH_RAW as usize
            || self.batch.objects.len() >= MAX_COUNT as usize;
        let before = if full { self.finish() } else { None };
        self.ids.insert(id);
        self.batch.raw.extend_from_slice(bytes);
        self.batch.objects.push((id, bytes.len()));
        before
    }

    /// Returns what is collected, if anything, and starts anew.
    pub fn finish(&mut self) -> Option<Batch> {
        self.ids.clear();
        let batch = std::mem::take(&mut self.batch);
        (!batch.objects.is_empty()).then_some(batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_closes_when_the_next_chunk_would_pass_the_limit() {
        let mut batcher = Batcher::new();
        let chunk = |n: u8| vec![n; 32_767];
        for n in 0..8 {
            assert_eq!(batcher.push(ChunkId::of(&chunk(n)), &chunk(n)), None);
        }
        let rest = [8; 8];
        assert_eq!(batcher.push(ChunkId::of(&rest), &rest), None, "exactly full is allowed");
        let batch = batcher.push(ChunkId::of(b"x"), b"x").unwrap();
        assert_eq!(batch.raw().len(), 262_144);
        assert_eq!(batch.objects().len(), 9);
        assert_eq!(batcher.finish().unwrap().raw(), b"x");
        assert_eq!(batcher.finish(), None);
    }

    #[test]
    fn a_chunk_is_collected_once() {
        let mut batcher = Batcher::new();
        batcher.push(ChunkId::of(b"x"), b"x");
        assert!(batcher.contains(ChunkId::of(b"x")));
        batcher.push(ChunkId::of(b"x"), b"x");
        assert_eq!(batcher.finish().unwrap().objects().len(), 1);
        assert!(!batcher.contains(ChunkId::of(b"x")));
    }

    #[test]
    fn chunks_from_32_kib_on_have_their_own_frame() {
        assert!(!needs_own_frame(32_767));
        assert!(needs_own_frame(32_768));
    }
}
