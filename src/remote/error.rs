//! Why a remote did not do what was asked, by what the user can do about it.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::hint::Hint;
use crate::progress::Stopped;

/// What was asked of the remote when it failed; prints as a verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Connecting to it, or making its folder.
    Open,
    /// Listing keys.
    List,
    /// Reading an object, its size included.
    Read,
    /// Writing an object.
    Write,
    /// Removing an object.
    Remove,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "open",
            Self::List => "list",
            Self::Read => "read",
            Self::Write => "write",
            Self::Remove => "remove",
        })
    }
}

/// Why a remote did not do what was asked. `remote` is its redacted text, `key` the object.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RemoteError {
    /// The remote answered, and has no such object.
    #[error("remote `{remote}` has no `{key}`")]
    Missing {
        /// The remote, redacted.
        remote: Arc<str>,
        /// The object.
        key: String,
    },
    /// The remote itself is not there; says nothing about any object.
    #[error("remote `{remote}` is not there: {why}")]
    Gone {
        /// The remote, redacted.
        remote: Arc<str>,
        /// The reason given.
        why: String,
    },
    /// Access was refused.
    #[error("could not {action} `{key}` on remote `{remote}`: {why}")]
    Denied {
        /// The remote, redacted.
        remote: Arc<str>,
        /// What was asked.
        action: Action,
        /// The object.
        key: String,
        /// The reason given.
        why: String,
    },
    /// The request failed, and trying again may help.
    #[error("could not {action} `{key}` on remote `{remote}`: {why}")]
    Unreachable {
        /// The remote, redacted.
        remote: Arc<str>,
        /// What was asked.
        action: Action,
        /// The object.
        key: String,
        /// The reason given.
        why: String,
    },
    /// The storage refused for a reason that names its own cure.
    #[error("could not {action} `{key}` on remote `{remote}`: {why}")]
    Refused {
        /// The remote, redacted.
        remote: Arc<str>,
        /// What was asked.
        action: Action,
        /// The object.
        key: String,
        /// The reason given.
        why: String,
        /// The next step.
        next: &'static str,
    },
    /// The remote has no room left.
    #[error("could not write `{key}` on remote `{remote}`: {why}")]
    Full {
        /// The remote, redacted.
        remote: Arc<str>,
        /// The object.
        key: String,
        /// The reason given.
        why: String,
    },
    /// The remote cannot do this at all.
    #[error("could not {action} `{key}` on remote `{remote}`, which does not offer this: {why}")]
    Unsupported {
        /// The remote, redacted.
        remote: Arc<str>,
        /// What was asked.
        action: Action,
        /// The object.
        key: String,
        /// The reason given.
        why: String,
    },
    /// The object is there, but is not what was written.
    #[error("`{key}` on remote `{remote}` is damaged: {why}")]
    Damaged {
        /// The remote, redacted.
        remote: Arc<str>,
        /// The object.
        key: String,
        /// The reason given.
        why: String,
    },
    /// Somebody else wrote the object first, or changed it meanwhile.
    #[error("could not write `{key}` on remote `{remote}`: it changed meanwhile")]
    Conflict {
        /// The remote, redacted.
        remote: Arc<str>,
        /// The object.
        key: String,
    },
    /// The key has other characters than keys have; nothing was sent.
    #[error("`{}` is not a key of remote `{remote}`", key.escape_debug())]
    InvalidKey {
        /// The remote, redacted.
        remote: Arc<str>,
        /// The object.
        key: String,
    },
    /// The range is empty backwards or longer than the caller's limit; nothing was sent.
    #[error("bytes {start} to {end} of `{key}` are not a range of at most {limit} bytes")]
    InvalidRange {
        /// The object.
        key: String,
        /// The first byte.
        start: u64,
        /// The byte after the last.
        end: u64,
        /// The limit.
        limit: u64,
    },
    /// A listing went on beyond what a remote of haul holds.
    #[error("remote `{remote}` lists more than {limit} keys under `{prefix}`")]
    TooMany {
        /// The remote, redacted.
        remote: Arc<str>,
        /// The folder that was listed.
        prefix: String,
        /// The limit.
        limit: usize,
    },
    /// The local file to be sent could not be read.
    #[error("could not read `{}`", path.display())]
    Local {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// The local file to be sent is not as long as it was.
    #[error("`{}` is no longer {expected} bytes long", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
        /// The length that was announced.
        expected: u64,
    },
    /// The local file to be sent does not hold what its name says.
    #[error("`{}` does not hash to its name", path.display())]
    Differs {
        /// The file.
        path: PathBuf,
    },
    /// The machine gave no threads to talk to remotes with.
    #[error("could not start the threads that talk to remotes: {why}")]
    NoThreads {
        /// The reason given.
        why: String,
    },
    /// The user asked to stop.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

impl RemoteError {
    /// Says whether the object is there but is not what was written.
    pub fn is_damaged(&self) -> bool {
        matches!(self, Self::Damaged { .. })
    }

    /// Says whether the remote has no room left.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full { .. })
    }

    /// Says whether the user asked to stop.
    pub fn is_stopped(&self) -> bool {
        matches!(self, Self::Stopped(_))
    }

    /// Says whether it is for the remote, and neither this machine nor the user, that it failed.
    pub fn is_of_the_remote(&self) -> bool {
        match self {
            Self::Missing { .. }
            | Self::Gone { .. }
            | Self::Denied { .. }
            | Self::Unreachable { .. }
            | Self::Refused { .. }
            | Self::Unsupported { .. }
            | Self::Damaged { .. }
            | Self::TooMany { .. } => true,
            Self::Full { .. }
            | Self::Conflict { .. }
            | Self::InvalidKey { .. }
            | Self::InvalidRange { .. }
            | Self::Local { .. }
            | Self::Changed { .. }
            | Self::Differs { .. }
            | Self::NoThreads { .. }
            | Self::Stopped(_) => false,
        }
    }

    /// Says whether nothing can be listed there, or not by this user: reading may go by `index`.
    pub fn is_without_listing(&self) -> bool {
        matches!(self, Self::Unsupported { .. } | Self::Denied { action: Action::List, .. })
    }

    /// Returns true if the remote answered that there is no such object.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing { .. })
    }

    /// Returns true if the request may have been carried out although it failed.
    pub(super) fn is_uncertain(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Conflict { .. })
    }
}

impl Hint for RemoteError {
    fn hint(&self) -> Option<String> {
        let text = match self {
            Self::Missing { .. } => {
                "ask whoever pushed this to run `haul push` again, then repeat the command".into()
            }
            Self::Gone { remote, .. } if remote.contains("://") => {
                "check that the disk is mounted there; a folder that is to be new has to be made on that \
                 host first"
                    .into()
            }
            Self::Gone { remote, .. } => {
                format!(
                    "check that the disk is mounted, or make the folder with `mkdir -p {remote}`"
                )
            }
            Self::Denied { remote, action: Action::Write | Action::Remove, .. } => {
                format!("ask for the right to write to `{remote}`")
            }
            Self::Denied { remote, action: Action::List, .. } => format!(
                "ask for the right to list `{remote}`, which pushing needs; for reading it is enough that \
                 somebody who may runs `haul remote index`"
            ),
            Self::Denied { remote, .. } => format!("ask for the right to read `{remote}`"),
            Self::Unreachable { .. } | Self::Conflict { .. } => {
                "run the same command again; what was sent already is not sent twice".into()
            }
            Self::Refused { next, .. } => (*next).to_owned(),
            Self::Full { remote, .. } => {
                format!("make room where `{remote}` lies, then run the same command again")
            }
            Self::Damaged { .. } | Self::Differs { .. } => {
                "run `haul fsck` to see what is affected, and `haul fsck --repair` where the data is"
                    .into()
            }
            Self::TooMany { .. } => "check that the remote is a folder that only haul uses".into(),
            Self::Local { .. } | Self::Changed { .. } => {
                "run the same command again; if it fails again, `haul add` the path anew".into()
            }
            Self::Unsupported { action: Action::List, .. } => {
                "where it can be listed, under another address, run `haul remote index` to make it \
                 readable here; pushing needs a listing"
                    .into()
            }
            Self::Unsupported { remote, .. } => {
                format!("run `haul remote test` to see what `{remote}` can do")
            }
            Self::InvalidKey { .. }
            | Self::InvalidRange { .. }
            | Self::NoThreads { .. }
            | Self::Stopped(_) => return None,
        };
        Some(text)
    }
}
