use clap::Args;

use crate::cli::args::{SelectArgs, TransferArgs};

const EXAMPLES: &str = "\
Examples:
  git pull && haul pull       pointers first, then the content they name
  haul pull data/val          only a part; it may lie inside a tracked folder
  haul pull --max-bytes 2GiB  nothing at all if it is more than that

Never overwrites or removes a file that you changed and did not add, unless --force is given.";

/// Get content from the remote and place it in the worktree
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct PullArgs {
    #[command(flatten)]
    pub(crate) select: SelectArgs,

    #[command(flatten)]
    pub(crate) transfer: TransferArgs,

    /// Replace changed files too; what they held is put aside, and where is said
    #[arg(long)]
    pub(crate) force: bool,

    /// Show what would be fetched and placed, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}
