use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use crate::cli::args::SourceArgs;
use crate::units::parse_size;

const EXAMPLES: &str = "\
Examples:
  haul export v1.0:data/val /tmp/val    one folder of an older version, as plain files
  haul export model.bin out             one file, as it is tracked now

As with Git, a path behind `REV:` is meant from the root of the repository, unless it begins with `./`.";

/// Write tracked files to a folder of their own, for those who have no haul
///
/// What the folder then holds are plain files that nothing tracks. Content that is not here is fetched.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ExportArgs {
    /// A tracked path, one inside it, or a folder of such; of a revision or of the worktree's pointers
    #[arg(value_name = "[REV:]PATH")]
    pub(crate) word: OsString,

    /// A new or empty folder
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,

    #[command(flatten)]
    pub(crate) source: SourceArgs,

    /// Stop before fetching if more bytes of content than this would be received, such as 500M or 2G
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(crate) max_bytes: Option<u64>,

    /// Show what would be written and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}
