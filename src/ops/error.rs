//! What a verb can fail with, and what that means for the exit code.

use crate::cache::CacheError;
use crate::config::ConfigError;
use crate::fs::FsError;
use crate::git::{ChannelError, GitError};
use crate::hint::Hint;
use crate::intake::IntakeError;
use crate::path::{PathError, in_shell, show};
use crate::progress::Stopped;
use crate::remote::{RemoteError, SpecError};
use crate::repo::RepoError;
use crate::transfer::TransferError;
use crate::worktree::{PlaceError, WorktreeError};

/// The exit codes of the program, one meaning each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// The work is done.
    Done = 0,
    /// The answer is no, or the user can fix it.
    No = 1,
    /// The command was not understood.
    Usage = 2,
    /// The remote is out of reach or refused.
    Remote = 3,
    /// Data is damaged or missing.
    Damaged = 4,
    /// A defect of haul.
    Defect = 101,
    /// The user interrupted it.
    Interrupted = 130,
}

/// Why a verb did not succeed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpError {
    /// The repository could not be opened.
    #[error(transparent)]
    Repo(#[from] RepoError),
    /// The file system refused.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// The cache refused.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// Git refused.
    #[error(transparent)]
    Git(#[from] GitError),
    /// Git and its filter do not understand each other.
    #[error(transparent)]
    Channel(#[from] ChannelError),
    /// A setting is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A path that haul never tracks.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The manifest of a tracked folder names a path that is never written.
    #[error("the manifest of `{}` is refused: {source}", show(folder))]
    Entry {
        /// The tracked folder.
        folder: Vec<u8>,
        /// The path, and the rule it breaks.
        source: PathError,
    },
    /// An address of a remote is wrong.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The remote did not do what was asked.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// The worktree could not be read or changed.
    #[error(transparent)]
    Worktree(#[from] WorktreeError),
    /// Files could not be taken in.
    #[error(transparent)]
    Intake(#[from] IntakeError),
    /// Content could not be moved.
    #[error(transparent)]
    Transfer(#[from] TransferError),
    /// A file could not be placed.
    #[error("could not place `{}`: {source}", show(path))]
    Place {
        /// The worktree path.
        path: Vec<u8>,
        /// What went wrong.
        source: PlaceError,
    },
    /// A place where a link into the cache may stand cannot be looked at.
    #[error("could not see which links lead into the cache: {0}")]
    Unseen(FsError),
    /// A committed remote, a folder or a server, outside the repository that the user has not agreed to.
    #[error("remote `{name}` (`{url}`) lies outside the repository and you have not accepted it")]
    NotAccepted {
        /// The remote's name.
        name: String,
        /// Its address, without secrets.
        url: String,
    },
    /// The same of a foreign repository, whose remotes nobody can accept by their names.
    #[error("the data lies on `{url}`, and you have not accepted that remote")]
    NotAcceptedThere {
        /// The remote's address, without secrets.
        url: String,
    },
    /// The request cannot be carried out, and the user can change that.
    #[error("{what}")]
    Refused {
        /// What was asked, of which path, and why not.
        what: String,
        /// The next step.
        next: String,
    },
    /// Damaged or missing data, and what it is of.
    #[error("{source}; that is of {of}")]
    InCommit {
        /// The commit, and the file if that is not said yet.
        of: String,
        /// Whose commit brought the pointer, where nobody pushed the data and that is known.
        by: Option<String>,
        /// What is wrong.
        source: Box<Self>,
    },
    /// Something that cannot happen did.
    #[error("a defect in haul: {0}")]
    Defect(String),
    /// The user asked to stop.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

impl OpError {
    /// Refuses a request: `what` names the path and the cause, `next` the next step.
    pub(crate) fn refused(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self::Refused { what: what.into(), next: next.into() }
    }

    /// Says whether it is damage of a pack in the cache, which can be fetched again.
    pub(crate) fn is_cached_damage(&self) -> bool {
        let own = self.without_commit();
        let (Self::Cache(e) | Self::Place { source: PlaceError::Cache(e), .. }) = own else {
            return false;
        };
        matches!(e, CacheError::Damaged { unpushed: false, .. })
    }

    /// Says whether it is the fault of one remote, so that another one may serve.
    pub(crate) fn is_of_one_remote(&self) -> bool {
        let own = self.without_commit();
        if let Self::Remote(e) = own {
            return e.is_of_the_remote();
        }
        matches!(own, Self::Transfer(e) if e.is_of_one_remote())
    }

    /// What went wrong, without the commit that it is about.
    fn without_commit(&self) -> &Self {
        let mut own = self;
        while let Self::InCommit { source, .. } = own {
            own = source;
        }
        own
    }

    /// Returns the exit code that this failure means.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Stopped(_)
            | Self::Worktree(WorktreeError::Stopped(_))
            | Self::Intake(IntakeError::Stopped(_))
            | Self::Transfer(TransferError::Stopped(_))
            | Self::Place { source: PlaceError::Stopped(_), .. } => Exit::Interrupted,
            Self::InCommit { source, .. } => source.exit(),
            Self::Cache(e)
            | Self::Worktree(WorktreeError::Cache(e))
            | Self::Intake(IntakeError::Cache(e))
            | Self::Place { source: PlaceError::Cache(e), .. } => cache_exit(e),
            Self::Remote(e) | Self::Transfer(TransferError::Remote(e)) => remote_exit(e),
            Self::Transfer(e) if e.is_damage() => Exit::Damaged,
            Self::Transfer(
                TransferError::Outrun { .. }
                | TransferError::Unlisted { .. }
                | TransferError::Emptied { .. }
                | TransferError::Foreign { .. }
                // Of a newer haul: what is damaged was told apart before.
                | TransferError::Catalogue { .. },
            ) => Exit::Remote,
            Self::Entry { .. }
            | Self::Place {
                source: PlaceError::Wrong { .. } | PlaceError::WrongSize { .. }, ..
            } => Exit::Damaged,
            Self::Intake(IntakeError::Defect(_)) | Self::Defect(_) => Exit::Defect,
            Self::Repo(_)
            | Self::Fs(_)
            | Self::Git(_)
            | Self::Channel(_)
            | Self::Config(_)
            | Self::Path(_)
            | Self::Spec(_)
            | Self::Worktree(_)
            | Self::Intake(_)
            | Self::Transfer(_)
            | Self::Place { .. }
            | Self::Unseen(_)
            | Self::NotAccepted { .. }
            | Self::NotAcceptedThere { .. }
            | Self::Refused { .. } => Exit::No,
        }
    }
}

fn cache_exit(error: &CacheError) -> Exit {
    match error {
        CacheError::Damaged { .. } => Exit::Damaged,
        CacheError::Stopped(_) => Exit::Interrupted,
        CacheError::Pack { .. } => Exit::Defect,
        CacheError::Fs(_) | CacheError::Database { .. } | CacheError::Busy { .. } => Exit::No,
    }
}

fn remote_exit(error: &RemoteError) -> Exit {
    if error.is_stopped() {
        Exit::Interrupted
    } else if error.is_full() {
        Exit::No
    } else if error.is_missing() || error.is_damaged() {
        Exit::Damaged
    } else {
        Exit::Remote
    }
}

impl Hint for OpError {
    fn hint(&self) -> Option<String> {
        if self.exit() == Exit::Interrupted {
            return Some("run the same command again to complete it".to_owned());
        }
        match self {
            Self::InCommit { by: Some(author), .. } => Some(format!(
                "ask {author} to run `haul push` in the clone that has the data, then run the same \
                 command again"
            )),
            Self::InCommit { by: None, source, .. } => source.hint(),
            Self::Repo(e) => e.hint(),
            Self::Fs(e) | Self::Unseen(e) | Self::Place { source: PlaceError::Fs(e), .. } => {
                e.hint()
            }
            Self::Cache(e) | Self::Place { source: PlaceError::Cache(e), .. } => e.hint(),
            Self::Git(e) => e.hint(),
            Self::Channel(e) => e.hint(),
            Self::Config(e) => e.hint(),
            Self::Path(e) => e.hint(),
            Self::Entry { .. } => Some(
                "no haul wrote this: do not trust whoever made the pointer, and restore it from an \
                 earlier commit"
                    .to_owned(),
            ),
            Self::Spec(e) => e.hint(),
            Self::Remote(e) => e.hint(),
            Self::Worktree(e) => e.hint(),
            Self::Intake(e) => e.hint(),
            Self::Transfer(e) => e.hint(),
            Self::Place { source: PlaceError::ChangedMeanwhile, .. } => {
                Some("run the same command again to see what it would replace".to_owned())
            }
            Self::Place { source: PlaceError::Absent(_), .. } => {
                Some("run `haul pull` to fetch it".to_owned())
            }
            Self::Place {
                source: PlaceError::Wrong { .. } | PlaceError::WrongSize { .. }, ..
            } => Some(
                "if the pointer was edited, restore it with `git checkout`; else ask whoever \
                 committed it to run `haul add` and `haul push` again"
                    .to_owned(),
            ),
            Self::NotAccepted { name, url } => Some(format!(
                "if you trust it, run `haul remote accept {name}`, or set HAUL_ACCEPT_REMOTE={url}"
            )),
            Self::NotAcceptedThere { url } => Some(format!(
                "if you trust it, set HAUL_ACCEPT_REMOTE={}",
                in_shell(url.as_bytes())
            )),
            Self::Refused { next, .. } => Some(next.clone()),
            Self::Defect(_) => Some("report this with the command that you ran".to_owned()),
            Self::Place { source: PlaceError::Stopped(_), .. } | Self::Stopped(_) => None,
        }
    }
}
