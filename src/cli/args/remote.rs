use std::ffi::OsString;

use clap::{Args, Subcommand};

const EXAMPLES: &str = "\
Examples:
  haul remote add origin /mnt/data/project    a folder; it is made if it is missing
  haul remote list
  haul remote accept origin                   use a folder that somebody else committed

A remote that a commit brings along is used only after you accepted it once, because it decides
where your content goes to.";

/// Say where content is kept
///
/// A remote is storage you have, such as a folder on a server. Settings go into `haul.toml`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RemoteArgs {
    #[command(subcommand)]
    pub(crate) verb: RemoteVerb,
}

#[derive(Debug, Subcommand)]
#[command(disable_help_subcommand = true)]
pub(crate) enum RemoteVerb {
    /// Add a remote; the first one becomes the default
    #[command(after_help = "Example:\n  haul remote add origin /mnt/data/project")]
    Add {
        /// The name to call it by
        name: String,
        /// A folder or a URL
        url: OsString,
    },
    /// List the remotes, one per line
    #[command(after_help = "Example:\n  haul remote list --json")]
    List,
    /// Take a remote out of the settings; what it keeps stays there
    #[command(after_help = "Example:\n  haul remote remove old")]
    Remove {
        /// The remote
        name: String,
    },
    /// Make a remote the one that push and pull use
    #[command(after_help = "Example:\n  haul remote default origin")]
    Default {
        /// The remote
        name: String,
    },
    /// Trust a remote that a commit brought along
    #[command(after_help = "Example:\n  haul remote accept origin")]
    Accept {
        /// The remote
        name: String,
    },
}

impl RemoteVerb {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Add { .. } => "remote add",
            Self::List => "remote list",
            Self::Remove { .. } => "remote remove",
            Self::Default { .. } => "remote default",
            Self::Accept { .. } => "remote accept",
        }
    }
}
