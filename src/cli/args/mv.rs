use std::ffi::OsString;

use clap::Args;

const EXAMPLES: &str = "\
Examples:
  haul mv data/train data/train-2024    rename a tracked folder
  haul mv model.bin models/             move a tracked file into a folder
  haul mv data/train/a data/train/b     rename inside the tracked folder `data/train`
  haul mv data/train/a a                a pointer of its own for a part of a tracked folder
  haul mv model.bin data/train/         a tracked file becomes a part of a tracked folder

The data moves as it stands, changed or not; if it is not in the worktree, only the pointer moves.";

/// Rename a tracked path: pointer, ignore line and data
///
/// Reads and fetches no content, but of a file of one chunk that comes out of a tracked folder or goes into one.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct MvArgs {
    /// A tracked path, or a path inside a tracked folder
    #[arg(value_name = "FROM")]
    pub(crate) from: OsString,

    /// Its new name, or a folder that it goes into
    #[arg(value_name = "TO")]
    pub(crate) to: OsString,

    /// Show what would move and move nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}
