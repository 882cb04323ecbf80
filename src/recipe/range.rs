//! The chunks of a file, or of a range of its bytes.

use std::error::Error;
use std::ops::Range;

use super::ChunkEntry;
use crate::hash::NodeId;
use crate::node::{Cursor, Expectation, Kind, ReadError, Scope};

/// A chunk and where it lies in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkAt {
    /// Bytes of the file before the chunk.
    pub offset: u64,
    /// The chunk.
    pub entry: ChunkEntry,
}

/// Yields chunks in the order of the file; reads one node at a time.
pub struct Chunks<F>(Cursor<ChunkEntry, F>);

impl<F, B, S> Chunks<F>
where
    F: FnMut(NodeId) -> Result<B, S>,
    B: AsRef<[u8]>,
    S: Error + 'static,
{
    /// Yields all chunks of the file of `size` bytes with this recipe root. A recipe of another
    /// size is refused.
    pub fn all(root: NodeId, size: u64, source: F) -> Self {
        Self::scoped(root, size, Scope::All, source)
    }

    /// Yields the chunks that hold a byte of `range`; reads only the nodes on the way to them.
    pub fn range(root: NodeId, size: u64, range: Range<u64>, source: F) -> Self {
        Self::scoped(root, size, Scope::Bytes(range), source)
    }

    fn scoped(root: NodeId, size: u64, scope: Scope, source: F) -> Self {
        let expectation = Expectation::root(Kind::Recipe).with_size(size);
        Self(Cursor::new(root, expectation, scope, source))
    }
}

impl<F, B, S> Iterator for Chunks<F>
where
    F: FnMut(NodeId) -> Result<B, S>,
    B: AsRef<[u8]>,
    S: Error + 'static,
{
    type Item = Result<ChunkAt, ReadError<S>>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.0.next_at()?.map(|(offset, entry)| ChunkAt { offset, entry }))
    }
}
