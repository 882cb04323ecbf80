//! What a walk over trees came to.

use std::collections::BTreeSet;

use crate::hash::{ChunkId, NodeId};
use crate::transfer::walk::{ChunkStep, Spot};

/// Everything that a walk came to.
#[derive(Default)]
pub(super) struct Walked {
    /// Every wanted chunk, each once; where copies count, once for each pack that is named.
    pub(super) chunks: Vec<ChunkStep>,
    /// The nodes that were read.
    pub(super) nodes: Vec<Visited>,
    /// The first chunk of each file of more than one.
    pub(super) first_chunks: BTreeSet<ChunkId>,
    /// Files wanted.
    pub(super) files: u64,
    /// Their bytes.
    pub(super) bytes: u64,
}

/// A node that was read, and from where.
#[derive(Clone, Copy, Debug)]
pub(super) struct Visited {
    pub(super) id: NodeId,
    pub(super) at: Spot,
    /// Which of the wanted pointers it serves.
    pub(super) wanted: usize,
    /// The node that named it, by its number among those visited.
    pub(super) above: Option<u32>,
}
