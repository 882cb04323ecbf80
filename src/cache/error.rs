//! Why local content could not be used.

use std::path::{Path, PathBuf};

use crate::fs::FsError;
use crate::hash::{Digest, PackId};
use crate::hint::Hint;
use crate::progress::Stopped;

/// Why the cache, the index or the stat cache did not answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CacheError {
    /// The file system refused.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// The database file refused; it can be deleted, what it holds is made again.
    #[error("could not use the database `{}`: {why}", path.display())]
    Database {
        /// The database file.
        path: PathBuf,
        /// What the database library said.
        why: String,
    },
    /// Another process held the database for too long.
    #[error("`{}` is in use by another haul for more than {waited} s", path.display())]
    Busy {
        /// The database file.
        path: PathBuf,
        /// How long this process waited, in seconds.
        waited: u64,
    },
    /// The user asked to stop while it waited for another process.
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// A local pack does not hold what the index says; it has been put aside.
    #[error("object {object} in the local pack {pack} is damaged: {why}; {}", whereabouts(aside.as_deref()))]
    Damaged {
        /// The chunk or node that was asked for.
        object: Digest,
        /// The pack that should hold it.
        pack: PackId,
        /// What was wrong with the bytes.
        why: String,
        /// Where the damaged pack lies now; nothing if this user may not move it.
        aside: Option<PathBuf>,
        /// Whether the pack had not been pushed yet.
        unpushed: bool,
    },
    /// A new pack could not be written as its format demands.
    #[error("could not write a pack: {why}")]
    Pack {
        /// What the pack writer said.
        why: String,
    },
}

fn whereabouts(aside: Option<&Path>) -> String {
    match aside {
        Some(path) => format!("the pack was moved to `{}`", path.display()),
        None => "the pack belongs to another user and stays where it is".to_owned(),
    }
}

impl CacheError {
    /// Says whether the disk is full.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Fs(e) if e.is_full())
    }
}

impl Hint for CacheError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Fs(e) => e.hint(),
            Self::Database { .. } => {
                Some("check disk space and permissions, then run the same command again".to_owned())
            }
            Self::Busy { .. } => {
                Some("wait for the other command to end, then run this one again".to_owned())
            }
            Self::Damaged { unpushed: false, .. } => {
                Some(
                    "run the same command again to fetch a good copy from the remote; `haul fsck` says \
                     whether more is damaged"
                        .to_owned(),
                )
            }
            Self::Damaged { unpushed: true, .. } => Some(
                "run `haul add` on the path again if its file is still in the worktree, or `haul fsck \
                 --repair`, which looks for it on remotes too; the pack had not been pushed, and what is \
                 sound of it was kept"
                    .to_owned(),
            ),
            Self::Pack { .. } | Self::Stopped(_) => None,
        }
    }
}
