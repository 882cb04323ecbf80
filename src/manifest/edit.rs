//! A new manifest from an old one and a list of changed paths.

use std::error::Error;

use super::FileEntry;
use crate::hash::NodeId;
use crate::node::{
    self, BuiltNode, EditError, Entry, KeyOrder, NodeError, OldTree, ReadError, Splice, Summary,
};

/// What happens to one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// The entry comes in, in the place of one with the same path if there is one.
    Put(FileEntry),
    /// The path goes; nothing happens if it is not there.
    Remove(Vec<u8>),
}

impl Edit {
    /// Returns the path.
    pub fn path(&self) -> &[u8] {
        match self {
            Self::Put(entry) => &entry.path,
            Self::Remove(path) => path,
        }
    }
}

/// Why a manifest could not be edited.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestEditError<S: Error + 'static> {
    /// The edits are not sorted by path, or name a path twice.
    #[error("the edits of a manifest are not in strictly rising order of their paths")]
    Order,
    /// A path would be a file and a directory at once, or the tree could not be read or written.
    #[error("the manifest could not be edited: {0}")]
    Tree(#[from] EditError<S>),
}

impl<S: Error + 'static> From<ReadError<S>> for ManifestEditError<S> {
    fn from(error: ReadError<S>) -> Self {
        Self::Tree(error.into())
    }
}

impl<S: Error + 'static> From<NodeError> for ManifestEditError<S> {
    fn from(error: NodeError) -> Self {
        Self::Tree(error.into())
    }
}

/// Applies edits, sorted by path, and hands each new node to `sink`, children first, the root
/// last. The result is the manifest that a build from scratch gives. Edits that change nothing
/// make no node.
///
/// Reads and writes some nodes per edit and level; a changed value alone costs one per level.
pub fn edit<B, S>(
    root: NodeId,
    source: impl FnMut(NodeId) -> Result<B, S>,
    edits: &[Edit],
    sink: impl FnMut(BuiltNode) -> Result<(), S>,
) -> Result<Summary, ManifestEditError<S>>
where
    B: AsRef<[u8]>,
    S: Error + 'static,
{
    if !edits.is_sorted_by(|a, b| a.path() < b.path()) {
        return Err(ManifestEditError::Order);
    }
    let mut old: OldTree<FileEntry, _> = OldTree::open(root, source)?;
    let mut neighbours = Neighbours { edits, order: KeyOrder::new(), last: &[] };
    let mut changes = Vec::new();
    for (index, edit) in edits.iter().enumerate() {
        let (at, found) = old.at_or_after(edit.path())?;
        let found = found.filter(|entry| entry.path == edit.path());
        match (edit, found) {
            (Edit::Remove(_), None) => {}
            (Edit::Remove(_), Some(_)) => changes.push(Splice::new(at..at + 1, Vec::new())),
            (Edit::Put(entry), found) => {
                entry.check().map_err(|source| NodeError::Entry { index, source })?;
                neighbours.order.push(&entry.path)?;
                match found {
                    Some(same) if same == *entry => {}
                    Some(_) => changes.push(Splice::same_cut(at, entry.clone())),
                    None => {
                        neighbours.check(&mut old, &entry.path)?;
                        changes.push(Splice::new(at..at, vec![entry.clone()]));
                    }
                }
            }
        }
    }
    Ok(node::splice(&mut old, changes, sink)?)
}

/// Looks for old entries that a new path cannot stand beside.
struct Neighbours<'a> {
    edits: &'a [Edit],
    /// Finds clashes among the new entries.
    order: KeyOrder,
    /// The last new path; its directories have been looked up.
    last: &'a [u8],
}

impl<'a> Neighbours<'a> {
    fn check<F, B, S>(
        &mut self,
        old: &mut OldTree<FileEntry, F>,
        path: &'a [u8],
    ) -> Result<(), ManifestEditError<S>>
    where
        F: FnMut(NodeId) -> Result<B, S>,
        B: AsRef<[u8]>,
        S: Error + 'static,
    {
        let shared = self.last.iter().zip(path).take_while(|(a, b)| a == b).count();
        let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        for (at, _) in slashes.filter(|(at, _)| *at >= shared) {
            let Some(dir) = path.get(..at) else { continue };
            let (_, found) = old.at_or_after(dir)?;
            if found.is_some_and(|entry| entry.path == dir) && !self.removed(dir) {
                return Err(NodeError::nested(dir, path).into());
            }
        }
        self.last = path;
        let mut from = [path, b"/"].concat();
        let dir = from.clone();
        while let Some(below) = old.at_or_after(&from)?.1.filter(|e| e.path.starts_with(&dir)) {
            if !self.removed(&below.path) {
                return Err(NodeError::nested(path, &below.path).into());
            }
            from = below.path;
            from.push(0);
        }
        Ok(())
    }

    fn removed(&self, path: &[u8]) -> bool {
        let found = self.edits.binary_search_by(|edit| edit.path().cmp(path));
        found.ok().and_then(|index| self.edits.get(index)).is_some_and(|edit| match edit {
            Edit::Remove(_) => true,
            Edit::Put(_) => false,
        })
    }
}
