use clap::Args;

use crate::cli::args::SelectArgs;
use crate::units::parse_size;

const EXAMPLES: &str = "\
Examples:
  haul fetch                        so that `haul checkout` works without a network
  haul fetch --rev v1.0 data/val    one folder of an older version";

/// Get content into the cache, and leave the worktree as it is
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct FetchArgs {
    #[command(flatten)]
    pub(crate) select: SelectArgs,

    /// The pointers of all branches and tags
    #[arg(long, conflicts_with = "rev")]
    pub(crate) all: bool,

    #[command(flatten)]
    pub(crate) transfer: TransferArgs,

    /// Show what would be fetched and fetch nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// How content travels.
#[derive(Debug, Args)]
pub(crate) struct TransferArgs {
    /// The remote, instead of the default one
    #[arg(long, value_name = "NAME")]
    pub(crate) remote: Option<String>,

    /// How many transfers run at once, 1 to 256
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) jobs: Option<u16>,

    /// Most bytes per second to send and receive, such as 500k or 2M
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(crate) limit_rate: Option<u64>,

    /// Stop before fetching if more bytes of content than this would be received, such as 500M or 2G
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(crate) max_bytes: Option<u64>,
}
