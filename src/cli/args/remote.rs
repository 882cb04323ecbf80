use std::ffi::OsString;

use clap::{Args, Subcommand};

use crate::units::parse_size;

const EXAMPLES: &str = "\
Examples:
  haul remote add origin /mnt/data/project    a folder; it is made if it is missing
  haul remote add origin s3://bucket/project  credentials come from the cloud's own variables
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
    #[command(after_help = "Examples:\n  haul remote add origin /mnt/data/project\n  \
        haul remote add origin s3://bucket/project --endpoint https://minio.example.org:9000")]
    Add {
        /// The name to call it by
        name: String,
        #[arg(
            help = "A folder, or an address such as s3://bucket/path, gs://…, az://…, https://… or sftp://…"
        )]
        url: OsString,
        #[command(flatten)]
        access: AccessArgs,
    },
    /// List the remotes, one per line
    #[command(after_help = "Examples:\n  haul remote list --json\n  haul remote list")]
    List,
    /// Take a remote out of the settings; what it keeps stays there
    #[command(after_help = "Examples:\n  haul remote remove old\n  haul remote remove old --json")]
    Remove {
        /// The remote
        name: String,
    },
    /// Make a remote the one that push and pull use
    #[command(after_help = "Examples:\n  haul remote default origin\n  haul remote default backup")]
    Default {
        /// The remote
        name: String,
    },
    /// Try what haul asks of a remote, and say what works and what follows
    ///
    /// Writes one small object of its own and removes it again.
    #[command(after_help = "Examples:\n  haul remote test origin\n  haul remote test")]
    Test {
        /// The remote; without it, the default one
        name: Option<String>,
    },
    /// Write down what the catalogue of a remote holds, for web servers that cannot list
    ///
    /// Run it once: later pushes keep it, and who reads through such a server sees what it says.
    #[command(after_help = "Examples:\n  haul remote index origin\n  haul remote index")]
    Index {
        /// The remote; without it, the default one
        name: Option<String>,
    },
    /// Copy to one remote what it lacks of another
    ///
    /// Nothing of it has to be on this machine. Run again, it goes on where it was interrupted.
    #[command(
        after_help = "Examples:\n  haul remote sync origin backup\n  haul remote sync origin backup --limit-rate 2M"
    )]
    Sync {
        /// The remote to read
        from: String,
        /// The remote to write to
        to: String,
        /// How many transfers run at once, 1 to 256
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
        jobs: Option<u16>,
        /// Most bytes per second to send and receive, such as 500k or 2M
        #[arg(long, value_name = "SIZE", value_parser = parse_size)]
        limit_rate: Option<u64>,
        /// Show what would be copied, and copy nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Trust a remote that a commit brought along
    #[command(
        after_help = "Examples:\n  haul remote accept origin\n  haul remote accept origin --json"
    )]
    Accept {
        /// The remote
        name: String,
    },
}

/// How a service is reached; these become settings of the remote.
#[derive(Debug, Args)]
pub(crate) struct AccessArgs {
    /// The server, if it is not the cloud's own
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint: Option<String>,
    /// The region of an s3:// remote
    #[arg(long, value_name = "NAME")]
    pub(crate) region: Option<String>,
    /// The storage account of an az:// remote
    #[arg(long, value_name = "NAME")]
    pub(crate) account: Option<String>,
    /// Whose password is sent to an https:// remote, or who signs in to an sftp:// remote
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// Put the bucket into the name of the host, not into the path
    #[arg(long)]
    pub(crate) virtual_host: bool,
    /// Allow requests that are not encrypted, to an http:// address
    #[arg(long)]
    pub(crate) allow_http: bool,
    /// Send requests unsigned, as public buckets take them
    #[arg(long)]
    pub(crate) anonymous: bool,
}

impl RemoteVerb {
    /// Returns what `--limit-rate` says, where there is one.
    pub(crate) fn limit_rate(&self) -> Option<u64> {
        match self {
            Self::Sync { limit_rate, .. } => *limit_rate,
            Self::Add { .. }
            | Self::List
            | Self::Remove { .. }
            | Self::Default { .. }
            | Self::Test { .. }
            | Self::Index { .. }
            | Self::Accept { .. } => None,
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Add { .. } => "remote add",
            Self::List => "remote list",
            Self::Remove { .. } => "remote remove",
            Self::Default { .. } => "remote default",
            Self::Test { .. } => "remote test",
            Self::Index { .. } => "remote index",
            Self::Sync { .. } => "remote sync",
            Self::Accept { .. } => "remote accept",
        }
    }
}
