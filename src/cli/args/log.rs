use std::ffi::OsString;

use clap::Args;

use crate::cli::args::SourceArgs;

const EXAMPLES: &str = "\
Examples:
  haul log                       every commit that changed tracked data
  haul log -n 5 data/train/a     the last five that changed a part of a tracked folder";

/// Show which commits changed tracked data, and how much of it
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct LogArgs {
    /// Only what changed these paths; they may lie inside a tracked folder, or be gone by now
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<OsString>,

    /// Begin at this revision instead of HEAD
    #[arg(long, value_name = "REV")]
    pub(crate) rev: Option<String>,

    /// Show so many commits at most
    #[arg(long, short = 'n', value_name = "N")]
    pub(crate) max_count: Option<usize>,

    #[command(flatten)]
    pub(crate) source: SourceArgs,
}
