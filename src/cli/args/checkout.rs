use clap::Args;

use crate::cli::args::SelectArgs;

const EXAMPLES: &str = "\
Examples:
  git checkout v1.0 && haul checkout      bring the content to where the pointers are
  haul checkout --rev HEAD~1 table.csv    the previous content of one file

Content that is not in the cache yet is fetched by `haul pull`.";

/// Place content from the cache in the worktree
///
/// Never overwrites or removes a file that you changed and did not add, unless --force is given.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CheckoutArgs {
    #[command(flatten)]
    pub(crate) select: SelectArgs,

    /// Replace changed files too; what they held is put aside, and where is said
    #[arg(long)]
    pub(crate) force: bool,

    /// Show what would be placed and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}
