//! From the chunks of a file to its recipe, if it needs one.

use std::convert::Infallible;
use std::error::Error;

use super::ChunkEntry;
use crate::hash::NodeId;
use crate::node::{self, BuildError, BuiltNode, Entry, NodeError, Summary};

/// How the content of a file hangs together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// No byte, no chunk.
    Empty,
    /// One chunk, whose id is the oid of the file; there is no recipe.
    Chunk(ChunkEntry),
    /// Two chunks or more, under a recipe root.
    Tree(Summary),
}

impl Shape {
    /// Returns the bytes of the file.
    pub fn size(&self) -> u64 {
        match self {
            Self::Empty => 0,
            Self::Chunk(entry) => entry.size,
            Self::Tree(summary) => summary.size,
        }
    }

    /// Returns the recipe root, if there is one.
    pub fn root(&self) -> Option<NodeId> {
        match self {
            Self::Empty | Self::Chunk(_) => None,
            Self::Tree(summary) => Some(summary.root),
        }
    }
}

/// Builds a recipe from the chunks of a file in order; holds at most 385 entries per level.
pub struct Builder<F> {
    inner: node::Builder<ChunkEntry, F>,
    shape: Option<ChunkEntry>,
    many: bool,
}

impl<F, S> Builder<F>
where
    F: FnMut(BuiltNode) -> Result<(), S>,
    S: Error + 'static,
{
    /// Starts an empty file; `sink` takes finished nodes, children first, the root last.
    pub fn new(sink: F) -> Self {
        Self { inner: node::Builder::new(sink), shape: None, many: false }
    }

    /// Adds the next chunk.
    pub fn push(&mut self, entry: ChunkEntry) -> Result<(), BuildError<S>> {
        self.many = self.shape.is_some();
        self.shape.get_or_insert(entry);
        self.inner.push(entry)
    }

    /// Ends the file. Nodes are made only if it has two chunks or more.
    pub fn finish(self) -> Result<Shape, BuildError<S>> {
        match self.shape {
            None => Ok(Shape::Empty),
            Some(entry) if !self.many => Ok(Shape::Chunk(entry)),
            Some(_) => self.inner.finish().map(Shape::Tree),
        }
    }
}

/// Builds a recipe and keeps all its nodes; for files that are known to be small.
pub fn build(
    entries: impl IntoIterator<Item = ChunkEntry>,
) -> Result<(Shape, Vec<BuiltNode>), BuildError<Infallible>> {
    let mut nodes = Vec::new();
    let mut builder = Builder::new(|node| {
        nodes.push(node);
        Ok(())
    });
    for entry in entries {
        builder.push(entry)?;
    }
    let shape = builder.finish()?;
    Ok((shape, nodes))
}

impl Shape {
    /// Takes a list of fewer than two chunks.
    pub(super) fn of_few(entries: &[ChunkEntry]) -> Result<Self, NodeError> {
        match entries {
            [] => Ok(Self::Empty),
            [entry] => {
                entry.check().map_err(|source| NodeError::Entry { index: 0, source })?;
                Ok(Self::Chunk(*entry))
            }
            more => Err(NodeError::TooFew { found: more.len() as u64 }),
        }
    }
}
