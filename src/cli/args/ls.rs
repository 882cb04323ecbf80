use std::ffi::OsString;

use clap::Args;

use crate::cli::args::SourceArgs;

const EXAMPLES: &str = "\
Examples:
  haul ls                       what is tracked
  haul ls data/train            what a tracked folder has, though it may not be in the worktree
  haul ls -r v1.0:data/train    every file of an older version

As with Git, a path behind `REV:` is meant from the root of the repository, unless it begins with `./`.";

/// List tracked files and what tracked folders hold, with sizes
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct LsArgs {
    /// Tracked paths or paths inside them, of a revision or of the worktree's pointers
    #[arg(value_name = "[REV:]PATH")]
    pub(crate) words: Vec<OsString>,

    /// List every file, whatever folder it lies in
    #[arg(long, short)]
    pub(crate) recursive: bool,

    #[command(flatten)]
    pub(crate) source: SourceArgs,
}
