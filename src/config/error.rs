//! What makes settings unusable.

use std::io;
use std::path::PathBuf;

use super::Origin;
use crate::hint::Hint;

/// Why settings could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The system refused.
    #[error("could not read settings from `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Not a plain file, or a symbolic link in place of the committed file.
    #[error("could not read settings from `{}`: it is not a plain file", path.display())]
    NotAFile {
        /// The file.
        path: PathBuf,
    },
    /// Longer than any file of settings.
    #[error("could not read settings from `{}`: it is longer than 1 MiB", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// Not TOML.
    #[error("could not read settings from `{}`, line {line}: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong; never the text of the line, which may hold a secret.
        message: String,
    },
    /// The committed file does not say which version it is.
    #[error("could not read settings from `{}`: it does not say `version = 1`", path.display())]
    NoVersion {
        /// The file.
        path: PathBuf,
    },
    /// Written by a newer release.
    #[error("could not read settings from `{}`: its version is {found}, this build reads 1; a newer haul is needed", path.display())]
    TooNew {
        /// The file.
        path: PathBuf,
        /// The version it names.
        found: i64,
    },
    /// A value that its setting does not take.
    #[error("`{name}` is set to something else than {expected} ({origin})")]
    Value {
        /// The setting.
        name: String,
        /// What it takes.
        expected: &'static str,
        /// Where it was set.
        origin: Origin,
    },
}

impl Hint for ConfigError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Read { path, .. } => {
                Some(format!("make `{}` readable, then run the command again", path.display()))
            }
            Self::TooLarge { path } => Some(format!("shorten `{}`", path.display())),
            Self::NotAFile { path } => {
                Some(format!("replace `{}` by a plain file", path.display()))
            }
            Self::Syntax { path, line, .. } => {
                Some(format!("correct line {line} of `{}`", path.display()))
            }
            Self::NoVersion { path } => {
                Some(format!("put the line `version = 1` at the top of `{}`", path.display()))
            }
            Self::TooNew { .. } => Some("install the newest release of haul".to_owned()),
            Self::Value { origin, .. } => Some(format!("correct or remove it in {origin}")),
        }
    }
}
