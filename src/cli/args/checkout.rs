use std::ffi::OsString;

use clap::Args;

use crate::cli::args::SelectArgs;

const EXAMPLES: &str = "\
Examples:
  git checkout v1.0 && haul checkout      bring the content to where the pointers are
  haul checkout --rev HEAD~1 table.csv    the previous content of one file, to look at
  haul checkout HEAD~1 -- table.csv       go back to it: content and pointer, staged

Content that is not in the cache yet is fetched by `haul pull`.";

/// Place content from the cache in the worktree
///
/// `REV -- PATH` also takes the pointers of that revision, and stages them, as `git checkout REV -- PATH`
/// does for files that Git holds. Never overwrites or removes a file that you changed and did not add, unless --force is given.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CheckoutArgs {
    #[command(flatten)]
    pub(crate) select: SelectArgs,

    /// After `REV --`: tracked paths that go back to that revision
    #[arg(value_name = "PATH", last = true, conflicts_with = "rev")]
    pub(crate) back: Vec<OsString>,

    /// Replace changed files too; what they held is put aside, and where is said
    #[arg(long)]
    pub(crate) force: bool,

    /// Show what would be placed and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}
