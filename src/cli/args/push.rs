use std::ffi::OsString;

use clap::Args;

use crate::units::parse_size;

const EXAMPLES: &str = "\
Examples:
  haul push && git push       content first, so that no pointer names what nobody has
  haul push --dry-run         show how much would be sent
  haul push --max-bytes 2GiB  nothing at all if it is more than that

A push that was interrupted goes on where it stopped when it is run again.";

/// Send content to the remote
///
/// Sends what the pointers of HEAD and of the index name and the remote does not have yet.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct PushArgs {
    /// Only the pointers of these paths
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<OsString>,

    /// The pointers of this revision
    #[arg(long, value_name = "REV")]
    pub(crate) rev: Option<String>,

    /// The pointers of all branches and tags
    #[arg(long, conflicts_with = "rev")]
    pub(crate) all: bool,

    /// The remote, instead of the default one
    #[arg(long, value_name = "NAME")]
    pub(crate) remote: Option<String>,

    /// Every remote, the default one last
    #[arg(long, conflicts_with = "remote")]
    pub(crate) all_remotes: bool,

    /// How many transfers run at once, 1 to 256
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) jobs: Option<u16>,

    /// Most bytes per second to send and receive, such as 500k or 2M
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(crate) limit_rate: Option<u64>,

    /// Stop before sending if more bytes than this would be sent to a remote, such as 500M or 2G
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(crate) max_bytes: Option<u64>,

    /// Show what would be sent and send nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}
