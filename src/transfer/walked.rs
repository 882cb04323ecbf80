//! What a walk over trees came to.

use std::collections::BTreeSet;

use crate::hash::{ChunkId, Digest, NodeId, PackId};
use crate::transfer::chunk_list::ChunkList;
use crate::transfer::walk::Spot;

/// Everything that a walk came to.
#[derive(Default)]
pub(super) struct Walked {
    /// Every wanted chunk, each once; where copies count, once for each pack that is named.
    pub(super) chunks: ChunkList,
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

/// A chunk, and what else counts of it, in 16 bytes, as packs are named by: there can be millions.
pub(super) type ChunkCopy = [u8; 16];

/// Names a chunk in the copy that lies in this pack and is a delta to what lies in those, as one of the wanted
/// needs it.
pub(super) fn copy_of(
    id: ChunkId,
    copy: Option<PackId>,
    bases: impl Iterator<Item = PackId>,
    wanted: Option<usize>,
) -> ChunkCopy {
    let mut more = Vec::new();
    more.extend(copy.into_iter().flat_map(|pack| [&[1][..], &pack.0].concat()));
    more.extend(bases.flat_map(|pack| [&[2][..], &pack.0].concat()));
    more.extend(wanted.into_iter().flat_map(|n| [&[3][..], &n.to_le_bytes()].concat()));
    let name = if more.is_empty() { id.0 } else { Digest::of(&[&id.0[..], &more].concat()).0 };
    name.as_chunks().0.first().copied().unwrap_or_default()
}
