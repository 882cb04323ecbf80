//! What is known of the content of things that were found.

use std::num::NonZeroU8;

use crate::cache::{CacheError, Known, NodeSink, StatEntry};
use crate::chunk::Profile;
use crate::fs::Stamp;
use crate::hash::{NodeId, Oid};
use crate::intake::{IntakeError, Stored, Taken};
use crate::manifest::Content as EntryContent;
use crate::node::BuildError;
use crate::path::RepoPath;
use crate::pointer::{PointerKind, Root};
use crate::recipe::{self, ChunkEntry};

/// The content of one thing that was found, whose size and mode its stamp has. 40 bytes: there may be millions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Content {
    /// A file that is to be read, or no file.
    #[default]
    Unknown,
    /// A few bytes, which an entry holds itself.
    Inline { bytes: Box<[u8]>, row: Row },
    /// One chunk.
    Chunk { oid: Oid, row: Row },
    /// Several chunks with a recipe that is written.
    Tree(Box<Tree>),
    /// Several chunks without one.
    Cut(Box<Cut>),
}

/// What becomes of a file's row in the stat cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Row {
    /// It stays.
    Kept,
    /// It is written anew.
    Written,
    /// It goes: the stamp could hide a later change.
    Removed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tree {
    oid: Oid,
    profile: Profile,
    root: NodeId,
    row: Row,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    oid: Oid,
    profile: Profile,
    chunks: Vec<ChunkEntry>,
    row: Row,
}

impl Content {
    /// Returns what the stat cache knows; nothing of a file that was cut by a rule of another build.
    pub(super) fn remembered(entry: &StatEntry, row: Row) -> Self {
        let oid = entry.oid;
        match entry.tree.map(|(code, root)| (Profile::by_code(code), root)) {
            None => Self::Chunk { oid, row },
            Some((Some(profile), root)) => Self::Tree(Box::new(Tree { oid, profile, root, row })),
            Some((None, _)) => Self::Unknown,
        }
    }

    /// Returns what an intake found.
    pub(super) fn taken(taken: Taken) -> Self {
        let (oid, row) = (taken.oid, if taken.settled { Row::Written } else { Row::Removed });
        match taken.stored {
            Stored::Bytes(bytes) => Self::Inline { bytes: bytes.into(), row },
            Stored::Chunk { .. } => Self::Chunk { oid, row },
            Stored::Chunks { profile, chunks, .. } => {
                Self::Cut(Box::new(Cut { oid, profile, chunks, row }))
            }
        }
    }

    /// Writes the recipe that it needs and has not.
    pub(super) fn write_recipe(&mut self, sink: &mut NodeSink) -> Result<(), IntakeError> {
        let Self::Cut(cut) = self else { return Ok(()) };
        let (oid, profile, row) = (cut.oid, cut.profile, cut.row);
        let mut builder = recipe::Builder::new(|node| sink.put(&node));
        for chunk in &cut.chunks {
            builder.push(*chunk).map_err(|e| unbuilt(e, "recipe"))?;
        }
        let shape = builder.finish().map_err(|e| unbuilt(e, "recipe"))?;
        let tree = |root| Self::Tree(Box::new(Tree { oid, profile, root, row }));
        *self = shape.root().map_or(Self::Chunk { oid, row }, tree);
        Ok(())
    }

    /// Returns what an entry of a manifest says of it; nothing as long as that is not known.
    pub(super) fn entry(&self, size: u64) -> Option<EntryContent> {
        match self {
            Self::Unknown | Self::Cut(_) => None,
            Self::Inline { bytes, .. } => Some(EntryContent::Inline(bytes.to_vec())),
            Self::Chunk { oid, .. } => Some(EntryContent::Chunk { oid: *oid, size }),
            Self::Tree(tree) => Some(EntryContent::Tree {
                oid: tree.oid,
                size,
                profile_code: NonZeroU8::new(tree.profile.code()).unwrap_or(NonZeroU8::MIN),
                root: tree.root,
            }),
        }
    }

    /// Returns what a pointer of a file of this size and mode says of it.
    pub(super) fn pointer(&self, size: u64, executable: bool) -> Option<PointerKind> {
        let root = match self {
            Self::Tree(tree) => Some((tree.profile, tree.root)),
            Self::Unknown | Self::Inline { .. } | Self::Chunk { .. } | Self::Cut(_) => None,
        };
        let root = root.map(|(profile, id)| Root { profile: profile.name().to_owned(), id });
        Some(PointerKind::File { oid: self.entry(size)?.oid(), size, root, executable })
    }

    /// Returns what the stat cache is to say of a path from now on, which may be nothing; nothing at all if its row
    /// stays.
    pub(super) fn row<'p>(
        &self,
        path: &'p RepoPath,
        stamp: Stamp,
    ) -> Option<(&'p [u8], Option<StatEntry>)> {
        let (oid, tree, row) = match self {
            Self::Unknown | Self::Cut(_) => return None,
            Self::Inline { bytes, row } => (Oid::of(bytes), None, *row),
            Self::Chunk { oid, row } => (*oid, None, *row),
            Self::Tree(tree) => (tree.oid, Some((tree.profile.code(), tree.root)), tree.row),
        };
        let entry = StatEntry { stamp, oid, tree, known: Known::Stored };
        match row {
            Row::Kept => None,
            Row::Written => Some((path.as_bytes(), Some(entry))),
            Row::Removed => Some((path.as_bytes(), None)),
        }
    }
}

/// A tree that could not be built: the sink's own error, or a defect.
pub(super) fn unbuilt(error: BuildError<CacheError>, what: &str) -> IntakeError {
    match error {
        BuildError::Sink(e) => e.into(),
        BuildError::Entries(e) => IntakeError::Defect(format!("a {what} could not be built: {e}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_of_them_take_forty_megabytes() {
        assert_eq!(size_of::<Content>(), 40);
    }
}
