use std::io;
use std::path::PathBuf;

use crate::fs::FsError;
use crate::hint::Hint;
use crate::ops::Exit;
use crate::progress::Stopped;

/// Why the demo ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    /// The user's folder holds something.
    #[error("could not use `{}` for the demo: it is not empty", path.display())]
    NotEmpty { path: PathBuf },
    #[error(transparent)]
    File(#[from] FsError),
    /// This program, or `git`, could not be started.
    #[error("could not start `{program}`")]
    Start { program: String, source: io::Error },
    /// A command of the demo failed; what it said was printed.
    #[error("`{command}` ended with {status}")]
    Command { command: String, status: String },
    /// A command said nothing that the demo understands.
    #[error("`{command} --json` printed no field `{field}`")]
    Report { command: String, field: &'static str },
    /// A file came back with other bytes.
    #[error("`{}` differs from what was added", path.display())]
    Differs { path: PathBuf },
    /// A folder came back with more or fewer files.
    #[error("`{}` holds {found} files instead of the {made} that were added", path.display())]
    Count { path: PathBuf, found: usize, made: usize },
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

impl DemoError {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Stopped(_) => Exit::Interrupted,
            Self::NotEmpty { .. }
            | Self::File(_)
            | Self::Start { .. }
            | Self::Command { .. }
            | Self::Report { .. }
            | Self::Differs { .. }
            | Self::Count { .. } => Exit::No,
        }
    }
}

impl Hint for DemoError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NotEmpty { .. } => {
                Some("name a folder that does not exist yet, or none at all".to_owned())
            }
            Self::Start { program, .. } if program == "git" => {
                Some("install Git and make sure that `git` is found".to_owned())
            }
            Self::Command { .. }
            | Self::Report { .. }
            | Self::Differs { .. }
            | Self::Count { .. } => Some(
                "run `haul demo --keep`, look into its folder and report what you see".to_owned(),
            ),
            Self::File(_) | Self::Start { .. } | Self::Stopped(_) => None,
        }
    }
}
