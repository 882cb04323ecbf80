//! One chunk of a file, as a leaf of its recipe names it.

use crate::hash::ChunkId;
use crate::node::{Child, Entry, EntryError, Kind, MAX_CHUNK};
use crate::wire::{Reader, put_varint};

/// A chunk and its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkEntry {
    /// The id.
    pub id: ChunkId,
    /// Bytes, 1 to 2 MiB.
    pub size: u64,
}

impl Entry for ChunkEntry {
    const KIND: Kind = Kind::Recipe;

    fn key(&self) -> &[u8] {
        &[]
    }

    fn split_input(&self) -> &[u8] {
        self.id.as_bytes()
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn child(&self) -> Option<Child> {
        Some(Child::Chunk { id: self.id, size: self.size })
    }

    fn check(&self) -> Result<(), EntryError> {
        if (1..=MAX_CHUNK).contains(&self.size) {
            return Ok(());
        }
        Err(EntryError::Rule("a chunk has 1 byte to 2 MiB"))
    }

    fn check_key(key: &[u8]) -> Result<(), EntryError> {
        if key.is_empty() { Ok(()) } else { Err(EntryError::Rule("a chunk has no key")) }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.id.as_bytes());
        put_varint(out, self.size);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, EntryError> {
        let entry = Self { id: ChunkId(reader.array()?), size: reader.varint()? };
        entry.check()?;
        Ok(entry)
    }
}
