//! What can go wrong at the door to Git.

use std::io;
use std::path::PathBuf;

use super::ObjectId;
use crate::fs::{FsError, what_helps};
use crate::hint::Hint;

/// Why Git could not be asked, or did not answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GitError {
    /// Neither the folder nor one above it is a Git repository.
    #[error("`{}` is not in a Git repository", start.display())]
    NotARepository {
        /// Where the search began.
        start: PathBuf,
    },
    /// The repository has no worktree.
    #[error("`{}` is a bare Git repository: there is no worktree to keep data in", git_dir.display())]
    Bare {
        /// The Git folder.
        git_dir: PathBuf,
    },
    /// A folder with the files of a Git folder, which may have come with a commit, and a worktree.
    #[error("`{}` looks like a Git folder but is not called `.git`: it may have come with a commit, and its settings can run programs", git_dir.display())]
    Embedded {
        /// The folder.
        git_dir: PathBuf,
    },
    /// The repository belongs to another user and Git refuses to trust it.
    #[error("Git does not trust the repository at `{}`: another user owns it", start.display())]
    Untrusted {
        /// Where the search began.
        start: PathBuf,
    },
    /// The `git` program could not be started.
    #[error("could not run `{command}`")]
    Spawn {
        /// The command as one could type it.
        command: String,
        /// What the system said.
        source: io::Error,
    },
    /// `git add` ended well and did not stage a file that is there.
    #[error("Git did not stage `{}`", path.display())]
    NotStaged {
        /// The file, from the root of the worktree.
        path: PathBuf,
    },
    /// `git` ran and failed.
    #[error("`{command}` failed ({status}): {stderr}")]
    Command {
        /// The command as one could type it, without passwords.
        command: String,
        /// Exit status or signal.
        status: String,
        /// What it said, control characters escaped.
        stderr: String,
    },
    /// `git` ran and printed something we do not understand.
    #[error("`{command}` printed something unexpected: {text}")]
    Answer {
        /// The command as one could type it.
        command: String,
        /// The part that could not be read.
        text: String,
    },
    /// No commit has this name.
    #[error("`{rev}` names no commit of this repository")]
    UnknownRevision {
        /// As the user gave it, control characters escaped.
        rev: String,
        /// A branch or tag that is probably meant, escaped too.
        meant: Option<String>,
    },
    /// Several objects have names that begin so.
    #[error("`{rev}` may mean any of {count} objects, such as {such}")]
    AmbiguousRevision {
        /// As the user gave it.
        rev: String,
        /// How many objects.
        count: usize,
        /// Some of them.
        such: String,
    },
    /// A name is that of a branch and of a tag, which are different commits.
    #[error("`{name}` is both a branch and a tag, of different commits")]
    BranchAndTag {
        /// The name, control characters escaped.
        name: String,
    },
    /// A repository elsewhere does not have a revision, or does not give it.
    #[error("`{url}` gives no revision `{rev}`")]
    NotThere {
        /// As the user gave it, control characters escaped.
        rev: String,
        /// The repository, without a password.
        url: String,
    },
    /// An object that the repository needs is not there.
    #[error("Git object {id} is missing from the repository")]
    MissingObject {
        /// Its name.
        id: ObjectId,
    },
    /// Only files can be staged one by one.
    #[error("could not stage `{}`: it is a folder", path.display())]
    Folder {
        /// The path, relative to the worktree root.
        path: PathBuf,
    },
    /// A name that this system cannot write.
    #[error("the Git path `{path}` is no file name on this system")]
    Name {
        /// The name, escaped.
        path: String,
    },
    /// Another program holds the Git index.
    #[error("could not stage: the Git index stayed locked by `{}`; the data is kept", lock.display())]
    Locked {
        /// The lock file.
        lock: PathBuf,
        /// What the user can run to finish.
        command: String,
    },
    /// A program that Git is to run could not be put there or taken away.
    #[error("could not change the Git hook `{}`: {source}", path.display())]
    Hook {
        /// The program.
        path: PathBuf,
        /// What the file system said.
        source: FsError,
    },
    /// The file system refused what the index needs.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// There are several Git remotes and none is meant by default.
    #[error("no default Git remote: the branch follows none and there are {count} to choose from")]
    NoDefaultRemote {
        /// How many remotes there are.
        count: usize,
    },
}

impl GitError {
    /// Says which revision to name instead.
    fn revision_to_name(&self) -> String {
        if let Self::UnknownRevision { meant: Some(meant), .. } = self {
            format!("did you mean `{meant}`?")
        } else if let Self::BranchAndTag { name } = self {
            format!("write `heads/{name}` for the branch, or `tags/{name}` for the tag")
        } else if matches!(self, Self::AmbiguousRevision { .. }) {
            "write more of the id, or name a branch or a tag".to_owned()
        } else if matches!(self, Self::NotThere { .. }) {
            "name a branch, a tag or a whole commit hash that `git ls-remote` lists".to_owned()
        } else {
            "check the name with `git log --oneline`, or run `git fetch` if it is newer than this \
             clone"
                .to_owned()
        }
    }
}

impl Hint for GitError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NotARepository { .. } => {
                Some("run `git init` or change into a repository".to_owned())
            }
            Self::Bare { .. } => {
                Some("run haul in a clone, or make a worktree with `git worktree add`".to_owned())
            }
            Self::Embedded { .. } => {
                Some("run the command outside of this folder, in the worktree".to_owned())
            }
            Self::Untrusted { start } => Some(format!(
                "run `git config --global --add safe.directory {}` if you trust its owner",
                crate::path::in_shell(start.as_os_str().as_encoded_bytes())
            )),
            Self::Spawn { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Some("install Git, version 2.34 or later, so that `git` is found".to_owned())
            }
            Self::Spawn { source, .. } => Some(what_helps(source).to_owned()),
            Self::UnknownRevision { .. }
            | Self::AmbiguousRevision { .. }
            | Self::BranchAndTag { .. }
            | Self::NotThere { .. } => Some(self.revision_to_name()),
            Self::MissingObject { .. } => {
                Some("run `git fsck`, then `git fetch` to get missing objects again".to_owned())
            }
            Self::Locked { command, .. } => Some(format!(
                "run `{command}` once the other Git command has ended (if none is running, \
                 remove the lock file first)"
            )),
            Self::Hook { .. } => Some(
                "make the folder writable, or call `haul hook NAME \"$@\"` from a hook of your own"
                    .to_owned(),
            ),
            Self::Fs(e) => e.hint(),
            Self::NoDefaultRemote { count: 0 } => {
                Some("run `git remote add origin URL`".to_owned())
            }
            Self::NoDefaultRemote { .. } => {
                Some("run `git branch --set-upstream-to=REMOTE/BRANCH`".to_owned())
            }
            Self::NotStaged { .. } => Some(
                "check the permissions of its folder, then run the same command again".to_owned(),
            ),
            Self::Command { .. } => {
                Some("put right what Git says, then run the same command again".to_owned())
            }
            Self::Answer { .. } | Self::Folder { .. } | Self::Name { .. } => None,
        }
    }
}
