//! Why a repository could not be opened.

use crate::config::ConfigError;
use crate::fs::FsError;
use crate::git::GitError;
use crate::hint::Hint;

/// Why a repository could not be opened or is not ready.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RepoError {
    /// Git refused.
    #[error(transparent)]
    Git(#[from] GitError),
    /// A setting is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The file system refused.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// There is no `haul.toml`.
    #[error("this Git repository does not use haul yet: there is no `haul.toml` at its root")]
    NotInitialised,
    /// `add.profile` names a rule that this build does not know.
    #[error("`{name}` is not a chunk profile that this haul knows (set by {origin})")]
    UnknownProfile {
        /// The name.
        name: String,
        /// Where it was set.
        origin: String,
    },
    /// The system gave no random bytes.
    #[error("could not draw an identity for this repository: {0}")]
    NoRandomness(String),
}

impl Hint for RepoError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Git(e) => e.hint(),
            Self::Config(e) => e.hint(),
            Self::Fs(e) => e.hint(),
            Self::NotInitialised => Some("run `haul init`".to_owned()),
            Self::UnknownProfile { .. } => Some(
                "set `add.profile` to m16.1, m64.1 or m256.1, or install a newer haul".to_owned(),
            ),
            Self::NoRandomness(_) => None,
        }
    }
}
