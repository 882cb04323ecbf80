//! How a path's previous version was cut, so that the same content gets the same recipe and the
//! same pointer, whatever the settings or the defaults are now.

use std::ops::ControlFlow;

use crate::cache::{LocalNodeError, ObjectReader};
use crate::chunk::Profile;
use crate::hash::{NodeId, Oid};
use crate::manifest::{Content, FileEntry};
use crate::node::{Cursor, Entry, ReadError, Scope};
use crate::ops::add::find::Target;
use crate::ops::checkout::{file_content, tree_error};
use crate::ops::error::OpError;
use crate::path::RepoPath;
use crate::transfer::Root;

/// How the previous version of one file was cut.
#[derive(Clone, Debug)]
pub(super) enum Previous {
    /// Into several chunks.
    Cut(Box<OldCut>),
    /// Not at all: it was one chunk.
    Whole(Oid),
}

/// A file of several chunks that was stored before.
#[derive(Clone, Copy, Debug)]
pub(super) struct OldCut {
    /// The rule.
    pub(super) profile: Profile,
    /// The recipe.
    pub(super) root: NodeId,
    /// Bytes of the file.
    pub(super) size: u64,
}

impl Previous {
    fn of(content: &Content) -> Option<Self> {
        match content {
            Content::Tree { profile_code, root, size, .. } => {
                let (profile, root, size) = (Profile::by_code(profile_code.get())?, *root, *size);
                Some(Self::Cut(Box::new(OldCut { profile, root, size })))
            }
            Content::Chunk { oid, .. } => Some(Self::Whole(*oid)),
            Content::Inline(_) => None,
        }
    }
}

/// Hands over the files of a target's previous version, as far as its trees are on this machine and as long as more
/// of them are wanted: their paths, in byte order, and how each was cut.
pub(super) fn previous(
    target: &Target,
    reader: &mut ObjectReader,
    mut each: impl FnMut(RepoPath, Previous) -> ControlFlow<()>,
) -> Result<(), OpError> {
    let Some((pointer, _)) = &target.old else { return Ok(()) };
    let top = target.top();
    if let Some((_, content)) = file_content(pointer.kind()) {
        if let Some(previous) = Previous::of(&content) {
            let _only = each(top.clone(), previous);
        }
        return Ok(());
    }
    let Root::Tree { id, expectation } = Root::of(pointer) else { return Ok(()) };
    let rest = target.rest();
    let scope = if rest.is_empty() { Scope::All } else { Scope::Under(rest) };
    let stop = reader.stop();
    for entry in Cursor::<FileEntry, _>::new(id, expectation, scope, |id| reader.node_bytes(id)) {
        stop.check()?;
        match entry {
            Ok(entry) => {
                let path = RepoPath::new([top.as_bytes(), b"/", entry.key()].concat());
                let folder = || top.as_bytes().to_vec();
                let path = path.map_err(|source| OpError::Entry { folder: folder(), source })?;
                let previous = Previous::of(&entry.content);
                if previous.is_some_and(|previous| each(path, previous).is_break()) {
                    break;
                }
            }
            Err(ReadError::Source { source: LocalNodeError::Absent(_), .. }) => break,
            Err(e) => return Err(tree_error(top, e)),
        }
    }
    Ok(())
}
