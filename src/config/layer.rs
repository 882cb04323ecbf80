//! The order in which sources of settings override each other.

use std::fmt;

/// Where settings come from, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// Built in.
    Default,
    /// The user's own file, for all repositories.
    User,
    /// `haul.toml` at the worktree root: committed, so written by anybody.
    Repo,
    /// This repository's file under the Git folder, not committed.
    Local,
    /// A `HAUL_*` variable.
    Env,
    /// A command-line flag.
    Flag,
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Default => "default",
            Self::User => "user",
            Self::Repo => "repo",
            Self::Local => "local",
            Self::Env => "env",
            Self::Flag => "flag",
        })
    }
}
