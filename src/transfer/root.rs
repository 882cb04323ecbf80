//! What a pointer names, as transfer sees it.

use crate::hash::{ChunkId, Key, NodeId};
use crate::node::{Expectation, Kind};
use crate::pointer::{Pointer, PointerKind};
use crate::transfer::filter::Filter;

/// The root of a pointer's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Root {
    /// A file of no bytes: nothing to move.
    Empty,
    /// A file of one chunk.
    Chunk {
        /// The chunk, whose id is the file's oid.
        id: ChunkId,
        /// Its length in bytes.
        size: u64,
    },
    /// A recipe or a manifest.
    Tree {
        /// Its root node.
        id: NodeId,
        /// What the pointer says of it.
        expectation: Expectation,
    },
}

impl Root {
    /// Returns the root that a pointer names.
    pub fn of(pointer: &Pointer) -> Self {
        match pointer.kind() {
            PointerKind::File { size: 0, .. } => Self::Empty,
            PointerKind::File { oid, size, root: None, .. } => {
                Self::Chunk { id: (*oid).into(), size: *size }
            }
            PointerKind::File { size, root: Some(root), .. } => Self::Tree {
                id: root.id,
                expectation: Expectation::root(Kind::Recipe).with_size(*size),
            },
            PointerKind::Dir { files, root, size } => Self::Tree {
                id: *root,
                expectation: Expectation::root(Kind::Manifest).with_size(*size).with_count(*files),
            },
        }
    }

    /// Returns the full identity, of chunk or node; nothing for the empty file.
    pub fn id(&self) -> Option<[u8; 32]> {
        match self {
            Self::Empty => None,
            Self::Chunk { id, .. } => Some(id.0),
            Self::Tree { id, .. } => Some(id.0),
        }
    }

    /// Returns the size of the content in bytes.
    pub fn size(&self) -> u64 {
        match self {
            Self::Empty => 0,
            Self::Chunk { size, .. } => *size,
            Self::Tree { expectation, .. } => expectation.size.unwrap_or(0),
        }
    }

    /// Returns how many files the content is.
    pub fn files(&self) -> u64 {
        match self {
            Self::Empty | Self::Chunk { .. } => 1,
            Self::Tree { expectation, .. } => match expectation.kind {
                Kind::Recipe => 1,
                Kind::Manifest => expectation.count.unwrap_or(0),
            },
        }
    }

    /// Returns the look-up key of the catalogue; nothing for the empty file.
    pub fn key(&self) -> Option<Key> {
        match self {
            Self::Empty => None,
            Self::Chunk { id, .. } => Some(id.key()),
            Self::Tree { id, .. } => Some(id.key()),
        }
    }
}

/// A pointer's content, or the part of it that is wanted.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The tracked path, for messages.
    pub path: Vec<u8>,
    /// What its pointer names.
    pub root: Root,
    /// Which entries of a directory are wanted.
    pub filter: Filter,
}
