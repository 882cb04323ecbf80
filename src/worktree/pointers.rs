//! The pointers of the worktree: which paths are tracked, and by what.

use crate::fs::FileKind;
use crate::git::Git;
use crate::path::{PathError, RepoPath};
use crate::pointer::{Pointer, PointerError};
use crate::worktree::door::Door;
use crate::worktree::error::WorktreeError;

/// Longest pointer in bytes.
const POINTER_MAX: u64 = 4096;

/// A tracked path and the state of its pointer in the worktree.
#[derive(Debug)]
pub struct Tracked {
    /// The path of the data.
    pub path: RepoPath,
    /// The pointer, or what is wrong with it.
    pub state: TrackedState,
}

/// What the worktree holds in place of a pointer.
#[derive(Debug)]
pub enum TrackedState {
    /// A sound pointer, and its exact bytes.
    Sound(Pointer, Vec<u8>),
    /// Git's index has it, the worktree does not.
    Missing,
    /// Something that is not a sound pointer.
    Unsound(PointerError),
}

impl Tracked {
    /// Returns the pointer if it is sound.
    pub fn pointer(&self) -> Option<&Pointer> {
        match &self.state {
            TrackedState::Sound(pointer, _) => Some(pointer),
            TrackedState::Missing | TrackedState::Unsound(_) => None,
        }
    }
}

/// A file with the name of a pointer, for a path that haul never tracks.
#[derive(Debug)]
pub struct RefusedPointer {
    /// Its path, raw bytes.
    pub pointer: Vec<u8>,
    /// The rule that its path, or that of the data, breaks.
    pub why: PathError,
}

/// Loads every pointer that Git's index lists, from the worktree, in path order; those for paths
/// that haul never tracks are listed and not read, those that a sparse checkout leaves out passed over.
pub fn load_tracked(
    git: &Git,
    door: &Door,
) -> Result<(Vec<Tracked>, Vec<RefusedPointer>), WorktreeError> {
    let (mut out, mut refused) = (Vec::new(), Vec::new());
    for entry in git.pointers()? {
        let paths = RepoPath::new(&entry.path).and_then(|own| Ok((own.target_of_pointer()?, own)));
        let (path, own) = match paths {
            Ok(paths) => paths,
            Err(why) => {
                refused.push(RefusedPointer { pointer: entry.path, why });
                continue;
            }
        };
        if out.last().is_some_and(|last: &Tracked| last.path == path) {
            continue;
        }
        let state = match door.stamp(&own)? {
            None if entry.skipped => continue,
            None => TrackedState::Missing,
            Some(stamp) if stamp.kind != FileKind::File => {
                TrackedState::Unsound(PointerError::NotAPointer)
            }
            Some(_) => match door.read_small(&own, POINTER_MAX)? {
                None => TrackedState::Missing,
                Some(bytes) => parse_tracked(bytes),
            },
        };
        out.push(Tracked { path, state });
    }
    Ok((out, refused))
}

/// Reads the bytes of a pointer as a tracked state.
pub fn parse_tracked(bytes: Vec<u8>) -> TrackedState {
    match Pointer::parse(&bytes) {
        Ok(pointer) => TrackedState::Sound(pointer, bytes),
        Err(e) => TrackedState::Unsound(e),
    }
}
