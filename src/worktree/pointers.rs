//! The pointers of the worktree: which paths are tracked, and by what.

use crate::fs::FileKind;
use crate::git::Git;
use crate::path::RepoPath;
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

/// Loads every pointer that Git's index lists, from the worktree, in path order.
///
/// A pointer whose own path is one that haul never writes is an error.
pub fn load_tracked(git: &Git, door: &Door) -> Result<Vec<Tracked>, WorktreeError> {
    let mut out = Vec::new();
    for entry in git.pointers()? {
        let own = RepoPath::new(&entry.path)
            .map_err(|source| WorktreeError::Name { path: entry.path.clone(), source })?;
        let path = own
            .target_of_pointer()
            .map_err(|source| WorktreeError::Name { path: entry.path.clone(), source })?;
        if out.last().is_some_and(|last: &Tracked| last.path == path) {
            continue;
        }
        let state = match door.stamp(&own)? {
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
    Ok(out)
}

/// Reads the bytes of a pointer as a tracked state.
pub fn parse_tracked(bytes: Vec<u8>) -> TrackedState {
    match Pointer::parse(&bytes) {
        Ok(pointer) => TrackedState::Sound(pointer, bytes),
        Err(e) => TrackedState::Unsound(e),
    }
}
