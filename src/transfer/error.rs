//! Why content could not be moved.

use crate::cache::CacheError;
use crate::catalogue::{CatalogueError, Entry, ObjectKind, key};
use crate::fs::FsError;
use crate::hash::{Digest, PackId};
use crate::hint::Hint;
use crate::node::NodeError;
use crate::path::show;
use crate::progress::Stopped;
use crate::remote::RemoteError;
use crate::transfer::doubt::foreign_hint;

/// Why a push, fetch or proof did not succeed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransferError {
    /// The remote did not do what was asked.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// The local cache refused.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The file system refused.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// A catalogue object or the listing cannot be used.
    #[error("`{object}` on remote `{remote}` cannot be used: {source}")]
    Catalogue {
        /// The object, or the folder of all of them.
        object: String,
        /// The remote.
        remote: String,
        /// The reason.
        source: CatalogueError,
    },
    /// The remote has a catalogue, but nothing that says what it is.
    #[error("remote `{remote}` has no `format`: it was lost, or the remote was copied in part")]
    NoFormat {
        /// The remote.
        remote: String,
    },
    /// The remote has packs, but a catalogue that lists nothing.
    #[error(
        "remote `{remote}` holds packs, but its catalogue `i/` lists nothing{}: it was lost, the listing \
         leaves it out, or the first push has not ended",
        unknown(path)
    )]
    NoCatalogue {
        /// What was looked for, if it was anything of its own.
        path: Vec<u8>,
        /// The remote.
        remote: String,
    },
    /// The remote does not list what is there.
    #[error("remote `{remote}` lists nothing below `i/`, though `{key}` is there as before")]
    Unlisted {
        /// The remote.
        remote: String,
        /// An object that it should list.
        key: String,
    },
    /// Nothing that says what a remote holds is left where one was.
    #[error(
        "remote `{remote}` is empty, though it was not when this repository last used it{left}"
    )]
    Emptied {
        /// The remote.
        remote: String,
        /// Says what it still holds, if anything.
        left: &'static str,
    },
    /// What lies there was never haul's.
    #[error("remote `{remote}` holds something else: haul did not write its `{object}`")]
    Foreign {
        /// The remote.
        remote: String,
        /// An object that stands where one of haul should.
        object: String,
    },
    /// The remote was never pushed to.
    #[error("remote `{remote}` holds no haul data")]
    NeverUsed {
        /// The remote.
        remote: String,
    },
    /// The remote's catalogue does not know the content, and it is not on this machine.
    #[error(
        "the content of `{}` ({root}) is neither on this machine nor on remote `{remote}`",
        show(path)
    )]
    NobodyPushed {
        /// The tracked path.
        path: Vec<u8>,
        /// What the pointer names.
        root: Digest,
        /// The remote.
        remote: String,
    },
    /// A node is not what its parent or the pointer says.
    #[error("the tree of `{}` is damaged: {source}", show(path))]
    Tree {
        /// The tracked path.
        path: Vec<u8>,
        /// What is wrong with the node.
        source: NodeError,
    },
    /// The copy of an object that is on this machine is damaged.
    #[error("`{}` cannot be read: {source}", show(path))]
    Local {
        /// The tracked path that needs it.
        path: Vec<u8>,
        /// What is wrong.
        source: CacheError,
    },
    /// An object is not at the place that its parent names.
    #[error(
        "{object} of `{}` cannot be read from pack {pack} on remote `{remote}`: {why}",
        show(path)
    )]
    Damaged {
        /// The tracked path.
        path: Vec<u8>,
        /// The chunk or node.
        object: Digest,
        /// The pack that should hold it.
        pack: PackId,
        /// The remote.
        remote: String,
        /// What is wrong.
        why: String,
    },
    /// A pack that a push relies on is gone from the remote and not on this machine.
    #[error(
        "pack {pack}, which `{}` needs, is not listed on remote `{remote}` and not on this machine",
        show(path)
    )]
    PinLost {
        /// The pack.
        pack: PackId,
        /// The tracked path.
        path: Vec<u8>,
        /// The remote.
        remote: String,
    },
    /// A pack that a remote lists is not there.
    #[error("pack {pack}{} is not on remote `{remote}` as its catalogue says", needed(path))]
    PackGone {
        /// The pack.
        pack: PackId,
        /// Who needs it, if that is known.
        path: Vec<u8>,
        /// The remote.
        remote: String,
    },
    /// A pack that is to be copied has the name of one that gc lets go.
    #[error("pack {pack} cannot be copied to remote `{remote}`, where gc has condemned it")]
    Condemned {
        /// The pack.
        pack: PackId,
        /// The remote that was to receive it.
        remote: String,
    },
    /// A pack in the cache is not what its name says; nothing was sent.
    #[error(
        "the local pack {pack}, which `{}` needs, is damaged, so nothing was pushed: {why}",
        show(path)
    )]
    LocalPack {
        /// The pack.
        pack: PackId,
        /// A tracked path that needs it.
        path: Vec<u8>,
        /// What is wrong.
        why: String,
    },
    /// The remote was cleaned up again and again while this push ran.
    #[error("remote `{remote}` was changed by gc {rounds} times during this push")]
    Outrun {
        /// The remote.
        remote: String,
        /// How often the push started over.
        rounds: u32,
    },
    /// More bytes than the user allowed.
    #[error("{wanted} bytes would be transferred, more than the {allowed} allowed")]
    OverBudget {
        /// Bytes to receive, or to send.
        wanted: u64,
        /// The limit given.
        allowed: u64,
    },
    /// The user asked to stop.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

impl TransferError {
    /// Says whether data is damaged or missing, as opposed to out of reach for now.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::NobodyPushed { .. }
            | Self::NeverUsed { .. }
            | Self::NoCatalogue { .. }
            | Self::NoFormat { .. }
            | Self::Damaged { .. }
            | Self::PinLost { .. }
            | Self::PackGone { .. }
            | Self::LocalPack { .. } => true,
            // A disk or a limit that refuses says nothing about the content.
            Self::Local { source, .. } => !matches!(
                source,
                CacheError::Fs(_) | CacheError::Busy { .. } | CacheError::Stopped(_)
            ),
            // What only a newer haul can read is sound, and the user can fix that.
            Self::Catalogue { source, .. } => !source.is_newer(),
            Self::Tree { source, .. } => !source.is_newer(),
            Self::Cache(e) => matches!(e, CacheError::Damaged { .. }),
            Self::Remote(_)
            | Self::Fs(_)
            | Self::Condemned { .. }
            | Self::Unlisted { .. }
            | Self::Emptied { .. }
            | Self::Foreign { .. }
            | Self::Outrun { .. }
            | Self::OverBudget { .. }
            | Self::Stopped(_) => false,
        }
    }

    /// Says whether it is the fault of one remote, so that another one may serve.
    pub fn is_of_one_remote(&self) -> bool {
        match self {
            Self::Remote(e) => e.is_of_the_remote(),
            Self::Catalogue { .. }
            | Self::NoCatalogue { .. }
            | Self::Unlisted { .. }
            | Self::Emptied { .. }
            | Self::Foreign { .. }
            | Self::NoFormat { .. }
            | Self::NeverUsed { .. }
            | Self::NobodyPushed { .. }
            | Self::Tree { .. }
            | Self::Damaged { .. } => true,
            Self::Cache(_)
            | Self::Fs(_)
            | Self::Local { .. }
            | Self::PinLost { .. }
            | Self::PackGone { .. }
            | Self::Condemned { .. }
            | Self::LocalPack { .. }
            | Self::Outrun { .. }
            | Self::OverBudget { .. }
            | Self::Stopped(_) => false,
        }
    }

    /// Says which path needs what is damaged; anything else is as it was.
    pub(super) fn needed_by(self, path: &[u8]) -> Self {
        if let Self::Cache(source @ CacheError::Damaged { .. }) = self {
            return Self::Local { path: path.to_vec(), source };
        }
        self
    }

    /// Returns the tracked path that an error names, and the object or root that it lacks.
    pub fn place(&self) -> Option<(&[u8], Option<Digest>)> {
        match self {
            Self::NobodyPushed { path, root, .. } => Some((path, Some(*root))),
            Self::Damaged { path, object, .. } => Some((path, Some(*object))),
            Self::Local { path, source: CacheError::Damaged { object, .. } } => {
                Some((path, Some(*object)))
            }
            Self::NoCatalogue { path, .. } if path.is_empty() => None,
            Self::NoCatalogue { path, .. }
            | Self::Local { path, .. }
            | Self::Tree { path, .. }
            | Self::PinLost { path, .. }
            | Self::LocalPack { path, .. } => Some((path, None)),
            Self::Remote(_)
            | Self::Cache(_)
            | Self::Fs(_)
            | Self::Catalogue { .. }
            | Self::Unlisted { .. }
            | Self::Emptied { .. }
            | Self::Foreign { .. }
            | Self::NoFormat { .. }
            | Self::NeverUsed { .. }
            | Self::PackGone { .. }
            | Self::Condemned { .. }
            | Self::Outrun { .. }
            | Self::OverBudget { .. }
            | Self::Stopped(_) => None,
        }
    }

    /// Says whether a newer listing may lead to what was not found.
    pub(super) fn may_be_stale(&self) -> bool {
        matches!(self, Self::NobodyPushed { .. } | Self::Damaged { .. })
    }
}

impl Hint for TransferError {
    fn hint(&self) -> Option<String> {
        let text = match self {
            Self::Remote(e) => return e.hint(),
            Self::Cache(e) | Self::Local { source: e, .. } => return e.hint(),
            Self::Fs(e) => return e.hint(),
            Self::Catalogue { object, source, .. } => return catalogue_hint(object, source),
            Self::NoFormat { .. } => {
                "run `haul push`, which writes `format` again; if other files of the remote are lost as \
                 well, `haul verify` says which"
            }
            Self::NoCatalogue { .. } => {
                "run the same command again; if it says the same, `haul fsck --repair` in a clone that has \
                 used the remote, or `haul push --all` in one with the data, records again what packs hold"
            }
            Self::Unlisted { .. } => {
                "run the same command again; if it says the same, the storage does not list what it has: \
                 ask who runs it"
            }
            Self::Emptied { .. } => {
                "check that its disk is mounted; if it is to begin anew, run `haul remote accept NAME` for \
                 it, then the same command again"
            }
            Self::Foreign { object, .. } => foreign_hint(object),
            Self::NeverUsed { .. } => {
                "check the address with `haul remote list`, or ask whoever committed the pointers to \
                 run `haul push`"
            }
            Self::NobodyPushed { .. } => {
                "ask whoever committed this pointer to run `haul push`, then run the same command \
                 again; `git log -- <path>.haul` names them"
            }
            Self::Tree { source, .. } if source.is_newer() => return source.hint(),
            Self::Tree { .. } | Self::Damaged { .. } => {
                "run `haul fsck --repair` in a clone that has the data; `haul verify` lists everything \
                 that is missing"
            }
            Self::PinLost { .. } => {
                "run `haul fetch` if another remote has it, or `haul add` on the path again with its data \
                 present; then `haul push`. `haul fsck` says who has good content"
            }
            Self::LocalPack { .. } => {
                "run `haul add` on the path again with its data present, or `haul fsck --repair`, which looks \
                 for good content in the worktree and on remotes; then `haul push`"
            }
            Self::PackGone { .. } => {
                "run `haul fsck --remote NAME --repair` for it in a clone that has the data, then the \
                 same command again"
            }
            Self::Condemned { .. } => {
                "run `haul fetch --all` from the one remote, then `haul push --all` to the other, which \
                 writes such content afresh"
            }
            Self::Outrun { .. } => "run `haul push` again once gc is done",
            Self::OverBudget { .. } => "name fewer paths or raise `--max-bytes`",
            Self::Stopped(_) => return None,
        };
        Some(text.to_owned())
    }
}

/// What helps against a bad object: its content can be sent again from where the data is.
fn catalogue_hint(object: &str, source: &CatalogueError) -> Option<String> {
    if source.is_damage() { Some(object_hint(object)) } else { source.hint() }
}

/// What helps against a damaged object of a catalogue, by its key.
pub fn object_hint(object: &str) -> String {
    let name = object.strip_prefix(key::CATALOGUE).map(Entry::parse);
    let is_baseline =
        matches!(name, Some(Entry::Object(name)) if name.kind == ObjectKind::Baseline);
    let last = if object == key::FORMAT {
        "move it away from the remote and run `haul push`, which writes it again"
    } else if is_baseline {
        "put back a copy of it from a backup of the remote, but do not remove it: packs that gc has \
         removed would count again"
    } else {
        "put back a copy of it, or move it away from the remote and run `haul push` in a clone that \
         has the data, which records again what it named"
    };
    format!(
        "run `haul fsck --repair` in a clone that has used the remote, which may have a good copy; if \
         none has, {last}"
    )
}

/// Says of what a catalogue says nothing.
fn unknown(path: &[u8]) -> String {
    if path.is_empty() { String::new() } else { format!(", also of `{}`", show(path)) }
}

/// Says who needs a pack.
fn needed(path: &[u8]) -> String {
    if path.is_empty() { String::new() } else { format!(", which `{}` needs,", show(path)) }
}
