use std::ffi::OsString;

use clap::Args;

use crate::cli::args::SourceArgs;

const EXAMPLES: &str = "\
Examples:
  haul diff                        what `git commit -a` would change about the data
  haul diff v1.0 v2.0 data/train   what of one folder changed between two versions
  haul diff --markdown main..      for the description of a pull request

Files are compared by what the trees say, so no content has to be here. `haul status` compares the files
in the worktree with their pointers.";

/// Show which files differ between two versions, and how much is new
///
/// Without a revision, `HEAD` is compared with the pointers in the worktree; with one, that revision is.
/// A file that lies elsewhere with the same content is shown as renamed,
/// or as copied if it was left there.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DiffArgs {
    /// Up to two revisions, or `A..B`, then paths, which may lie inside a tracked folder
    #[arg(value_name = "REV|PATH")]
    pub(crate) words: Vec<OsString>,

    /// Paths only
    #[arg(value_name = "PATH", last = true)]
    pub(crate) paths: Vec<OsString>,

    /// One line for each tracked path instead of one for each file
    #[arg(long, conflicts_with = "json")]
    pub(crate) stat: bool,

    /// Print tables in Markdown
    #[arg(long, conflicts_with_all = ["json", "stat"])]
    pub(crate) markdown: bool,

    /// Exit with 1 if anything differs
    #[arg(long)]
    pub(crate) exit_code: bool,

    #[command(flatten)]
    pub(crate) source: SourceArgs,
}
