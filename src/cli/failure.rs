//! Everything that can end a command early, as one error with an exit code.

use std::io;
use std::path::PathBuf;

use crate::cli::demo::DemoError;
use crate::hint::Hint;
use crate::ops::{Exit, OpError};
use crate::progress::Stopped;
use crate::repo::RepoError;

/// What is left to do where nothing better is known.
pub(crate) const AGAIN: &str = "remove the cause, then run the same command again";

/// Why a command ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Op(Box<OpError>),
    #[error(transparent)]
    Demo(#[from] DemoError),
    #[error("could not change to the folder `{}`", path.display())]
    Folder { path: PathBuf, source: io::Error },
    #[error("could not write to standard output")]
    Output { source: io::Error },
    /// Of a clone that stands and lacks content.
    #[error("{source}")]
    Cloned { source: Box<Failure>, rest: String },
    #[error("could not put the report into JSON")]
    Json { source: serde_json::Error },
}

impl Failure {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Op(error) => error.exit(),
            Self::Demo(error) => error.exit(),
            Self::Cloned { source, .. } => source.exit(),
            Self::Output { source } if source.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
            Self::Folder { .. } | Self::Output { .. } => Exit::No,
            Self::Json { .. } => Exit::Defect,
        }
    }

    /// Takes a failure of Git for the interruption itself if there was one: on a terminal Ctrl-C
    /// reaches every `git` that we run.
    pub(crate) fn settled(self, stopped: bool) -> Self {
        let of_git = matches!(&self, Self::Op(error)
            if matches!(**error, OpError::Git(_) | OpError::Repo(RepoError::Git(_))));
        if let Self::Cloned { source, rest } = self {
            return Self::Cloned { source: Box::new(source.settled(stopped)), rest };
        }
        if stopped && of_git { OpError::from(Stopped).into() } else { self }
    }

    /// Says whether the reader of our output went away, which is nobody's fault.
    pub(crate) fn is_quiet(&self) -> bool {
        matches!(self, Self::Output { .. }) && self.exit() == Exit::Done
    }
}

impl Hint for Failure {
    fn hint(&self) -> Option<String> {
        let own = match self {
            Self::Op(error) => error.hint(),
            Self::Demo(error) => error.hint(),
            // The same command would find a clone that is there already.
            Self::Cloned { rest, .. } if self.exit() == Exit::Interrupted => {
                Some(format!("run `{rest}` to complete it"))
            }
            Self::Cloned { source, .. } => source.hint(),
            Self::Folder { .. } | Self::Output { .. } | Self::Json { .. } => None,
        };
        // No failure leaves its reader alone, also where only the cause says more.
        let plain = || AGAIN.to_owned();
        let may_work = matches!(self.exit(), Exit::No | Exit::Remote | Exit::Damaged);
        own.or_else(|| may_work.then(plain))
    }
}

impl From<OpError> for Failure {
    /// Boxed: it is far larger than any answer.
    fn from(error: OpError) -> Self {
        Self::Op(Box::new(error))
    }
}

impl From<io::Error> for Failure {
    /// Only output is written by the command line itself; all else arrives as an operation's error.
    fn from(source: io::Error) -> Self {
        Self::Output { source }
    }
}
