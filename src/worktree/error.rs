//! Why worktree files could not be looked at or placed.

use std::path::PathBuf;

use crate::cache::CacheError;
use crate::fs::FsError;
use crate::git::GitError;
use crate::hint::Hint;
use crate::path::{PathError, show};
use crate::progress::Stopped;

/// Why the worktree could not be read or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorktreeError {
    /// The file system refused.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// The local cache refused.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// Git refused.
    #[error(transparent)]
    Git(#[from] GitError),
    /// A name that haul never stores or writes.
    #[error("cannot track `{}`: {source}", show(path))]
    Name {
        /// The path as it lies in the worktree.
        path: Vec<u8>,
        /// The rule it breaks.
        source: PathError,
    },
    /// A socket, FIFO or device.
    #[error("cannot track `{}`: it is a socket, FIFO or device, not a file", show(path))]
    Special {
        /// The path.
        path: Vec<u8>,
    },
    /// A pointer lies inside a folder that is to be tracked as one unit.
    #[error("cannot track `{}`: the pointer `{}` lies inside", show(folder), show(pointer))]
    PointerInside {
        /// The folder that was to be tracked.
        folder: Vec<u8>,
        /// The pointer inside.
        pointer: Vec<u8>,
    },
    /// A link that a haul made, and that leads to no file of this cache.
    #[error(
        "cannot track `{}`: it is a link into a cache of haul, and the file that it stands for is not \
         in this one",
        show(path)
    )]
    Dangling {
        /// The path.
        path: Vec<u8>,
    },
    /// Files with rules about what is not tracked are larger than is good for anybody.
    #[error("could not follow the rules of `{}`: {why}", path.display())]
    Rules {
        /// The file that is too much.
        path: PathBuf,
        /// Which bound it crosses.
        why: String,
    },
    /// The user asked to stop.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

impl Hint for WorktreeError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Fs(e) => e.hint(),
            Self::Cache(e) => e.hint(),
            Self::Git(e) => e.hint(),
            Self::Name { .. } => Some("rename it, or move it out of the tracked path".to_owned()),
            Self::Special { .. } => Some("remove it or move it out of the tracked path".to_owned()),
            Self::PointerInside { .. } => Some(
                "track the folder as a whole or its parts, not both: remove the pointer inside with \
                 `git rm --cached` and its ignore line, or add only the parts"
                    .to_owned(),
            ),
            Self::Dangling { .. } => Some(
                "run `haul pull` to bring the file back if it is tracked; else remove the link"
                    .to_owned(),
            ),
            Self::Rules { .. } => {
                Some("take rules out of it: one pattern can stand for many paths".to_owned())
            }
            Self::Stopped(_) => None,
        }
    }
}
