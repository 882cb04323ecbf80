//! The pointers of the worktree: which paths are tracked, and by what.

use std::time::Duration;

use crate::fs::{FileKind, FsError};
use crate::git::{Content, Git, IndexEntry};
use crate::path::{PathError, RepoPath};
use crate::pointer::{Pointer, PointerError, PointerKind, looks_like_pointer};
use crate::worktree::door::Door;
use crate::worktree::error::WorktreeError;

/// Longest pointer in bytes.
const POINTER_MAX: u64 = 4096;
/// How long Git may take from making a pointer's file to writing it.
const WRITING: Duration = Duration::from_millis(20);

/// How Git holds the pointer of a tracked path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tracking {
    /// In a file beside the data.
    Beside,
    /// In place of the data, for which Git's filter exchanges it in the worktree.
    InPlace,
}

impl Tracking {
    /// Tells by the path of a pointer in Git which path it tracks, and how.
    pub fn of(pointer: &[u8]) -> Result<(Self, RepoPath), PathError> {
        let own = RepoPath::new(pointer)?;
        if own.is_pointer_path() {
            Ok((Self::Beside, own.target_of_pointer()?))
        } else {
            Ok((Self::InPlace, own))
        }
    }

    /// Returns the path at which Git holds the pointer of a tracked path.
    pub fn pointer_path(self, path: &RepoPath) -> Result<RepoPath, PathError> {
        match self {
            Self::Beside => path.pointer_path(),
            Self::InPlace => Ok(path.clone()),
        }
    }
}

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
    tracked_by(git.pointers()?, door)
}

/// As [`load_tracked`], of the pointers that these entries of the index name.
pub fn tracked_by(
    entries: Vec<IndexEntry>,
    door: &Door,
) -> Result<(Vec<Tracked>, Vec<RefusedPointer>), WorktreeError> {
    let (mut out, mut refused, mut waited) = (Vec::new(), Vec::new(), false);
    for entry in entries {
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
            Some(_) => match read_pointer(door, &own, &mut waited)? {
                None => TrackedState::Missing,
                Some(bytes) => parse_tracked(bytes),
            },
        };
        out.push(Tracked { path, state });
    }
    Ok((out, refused))
}

/// Reads the file of a pointer; nothing if it is not there. Git makes a file first and writes it then, so that
/// one without bytes is read once more, and waited for if nobody `waited` yet.
fn read_pointer(
    door: &Door,
    own: &RepoPath,
    waited: &mut bool,
) -> Result<Option<Vec<u8>>, FsError> {
    let found = door.read_small(own, POINTER_MAX)?;
    if found.as_ref().is_none_or(|bytes| !bytes.is_empty()) {
        return Ok(found);
    }
    if !*waited {
        std::thread::sleep(WRITING);
        *waited = true;
    }
    door.read_small(own, POINTER_MAX)
}

/// Loads every pointer that Git's index holds in place of data, in path order. Files that were not
/// handed to the filter yet, and those that are not merged, are passed over.
pub fn load_in_place(git: &Git) -> Result<(Vec<Tracked>, Vec<RefusedPointer>), WorktreeError> {
    let (mut out, mut refused) = (Vec::new(), Vec::new());
    let mut entries = git.filtered()?;
    entries.retain(|entry| entry.stage == 0);
    let contents = git.index_contents(&entries, POINTER_MAX)?;
    for (entry, content) in entries.into_iter().zip(contents) {
        let Some(state) = in_place(content) else { continue };
        match RepoPath::new(&entry.path) {
            Ok(path) => out.push(Tracked { path, state }),
            Err(why) => refused.push(RefusedPointer { pointer: entry.path, why }),
        }
    }
    Ok((out, refused))
}

/// Reads what Git holds in place of data; nothing if that is the data itself.
pub fn in_place(content: Content) -> Option<TrackedState> {
    match content {
        Content::Whole(bytes) if looks_like_pointer(&bytes) => Some(of_file(parse_tracked(bytes))),
        Content::Whole(_) | Content::TooLarge(_) => None,
    }
}

/// Lets no pointer of a folder stand in place of a file.
fn of_file(state: TrackedState) -> TrackedState {
    match state {
        TrackedState::Sound(pointer, _) if matches!(pointer.kind(), PointerKind::Dir { .. }) => {
            TrackedState::Unsound(PointerError::Folder)
        }
        TrackedState::Sound(..) | TrackedState::Missing | TrackedState::Unsound(_) => state,
    }
}

/// Reads the bytes of a pointer as a tracked state.
pub fn parse_tracked(bytes: Vec<u8>) -> TrackedState {
    match Pointer::parse(&bytes) {
        Ok(pointer) => TrackedState::Sound(pointer, bytes),
        Err(e) => TrackedState::Unsound(e),
    }
}
