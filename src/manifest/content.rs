//! What stands behind a path, and where its bytes are.

use std::num::NonZeroU8;

use crate::hash::{NodeId, Oid};

/// Longest content of a file that lies in the manifest itself; longer content never does.
pub const MAX_INLINE: usize = 48;

/// Longest target of a symlink.
pub const MAX_TARGET: usize = 4095;

/// What a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// A file.
    File,
    /// A file that may be run.
    Executable,
    /// A symlink; its content is the target.
    Symlink,
    /// A directory with nothing in it; its content is empty.
    EmptyDir,
}

impl EntryKind {
    /// Returns the word that reports have for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Executable => "executable",
            Self::Symlink => "symlink",
            Self::EmptyDir => "empty-folder",
        }
    }

    pub(crate) fn code(self) -> u8 {
        match self {
            Self::File => 0,
            Self::Executable => 1,
            Self::Symlink => 2,
            Self::EmptyDir => 3,
        }
    }

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::File),
            1 => Some(Self::Executable),
            2 => Some(Self::Symlink),
            3 => Some(Self::EmptyDir),
            _ => None,
        }
    }
}

/// Where the bytes of an entry are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Content {
    /// Here: a file of at most 48 bytes, the target of a symlink, or nothing.
    Inline(Vec<u8>),
    /// In one chunk, whose id is the oid.
    Chunk {
        /// Hash of the whole file.
        oid: Oid,
        /// Bytes, more than 48.
        size: u64,
    },
    /// In the chunks of a recipe.
    Tree {
        /// Hash of the whole file.
        oid: Oid,
        /// Bytes.
        size: u64,
        /// The profile that cut it. Readers need it for nothing.
        profile_code: NonZeroU8,
        /// The root of the recipe.
        root: NodeId,
    },
}

impl Content {
    /// Returns the bytes of the content.
    pub fn size(&self) -> u64 {
        match self {
            Self::Inline(bytes) => bytes.len() as u64,
            Self::Chunk { size, .. } | Self::Tree { size, .. } => *size,
        }
    }

    /// Returns the hash of the content; computed for inline content.
    pub fn oid(&self) -> Oid {
        match self {
            Self::Inline(bytes) => Oid::of(bytes),
            Self::Chunk { oid, .. } | Self::Tree { oid, .. } => *oid,
        }
    }

    pub(super) fn form(&self) -> u8 {
        match self {
            Self::Inline(_) => 0,
            Self::Chunk { .. } => 1,
            Self::Tree { .. } => 2,
        }
    }
}
