//! A new version of a file from the recipe of the old one.

use std::error::Error;

use super::{ChunkEntry, Shape};
use crate::hash::NodeId;
use crate::node::{self, BuiltNode, EditError, OldTree, Splice};

/// Replaces runs of chunks; each run is the numbers of the chunks that go and the chunks that
/// come, sorted and not overlapping. The result is what a build from scratch gives.
///
/// Reads and writes some nodes per change and level; new nodes go to `sink`, children first.
pub fn splice<B, S>(
    root: NodeId,
    source: impl FnMut(NodeId) -> Result<B, S>,
    changes: Vec<Splice<ChunkEntry>>,
    sink: impl FnMut(BuiltNode) -> Result<(), S>,
) -> Result<Shape, EditError<S>>
where
    B: AsRef<[u8]>,
    S: Error + 'static,
{
    let mut old = OldTree::open(root, source)?;
    match node::few_left(&mut old, &changes)? {
        None => node::splice(&mut old, changes, sink).map(Shape::Tree),
        Some(entries) => Ok(Shape::of_few(&entries)?),
    }
}
