use std::ffi::OsString;

use clap::Args;

const EXAMPLES: &str = "\
Examples:
  haul rm data/old                remove a tracked folder: pointer, ignore line and files
  haul rm data/train/bad.png      remove one file of the tracked folder `data/train`
  haul rm --force scratch.bin     also what is in no commit; it is put aside, and where is said

Earlier commits still name the content. `haul gc` may remove it from the remote once none does.";

/// Stop tracking paths and remove their data from the worktree
///
/// A path inside a tracked folder goes from that folder, whose other files need not be here.
/// Removes only data that haul can give back: unchanged, and in the cache or on the remote.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RmArgs {
    /// Tracked paths, or paths inside tracked folders
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<OsString>,

    /// Remove what was changed or is in no commit too; the data is put aside
    #[arg(long)]
    pub(crate) force: bool,

    /// Show what would go and remove nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}
