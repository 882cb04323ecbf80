use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

const EXAMPLES: &str = "\
Examples:
  git merge other                                      pointers merge by themselves where they can
  haul merge                                           after a conflict: place what did merge
  haul merge --dry-run                                 what would merge, and what would not
  haul checkout --theirs data/x.bin --to x-theirs.bin  look at the other version
  haul add data                                        the conflict is settled
  git pull && haul merge                               after a merge on a forge's web page

Without files in conflict it stages the merged pointers, for you to commit.";

/// Merge the pointers that a merge left in conflict, file by file
///
/// Looks at pointers that Git left unmerged, or, if there are none, at the merge that HEAD is: a forge
/// merges pointers as text or not at all. Fetches no content. Exit code 1 if a file was changed on both
/// sides.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct MergeArgs {
    /// Show what would be merged and what is in conflict, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// What Git calls to merge a pointer; not for people
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  haul merge-driver -- %O %A %B %P    as `merge.haul.driver` in Git's settings"
)]
pub(crate) struct MergeDriverArgs {
    /// The file with the common version; empty if there is none
    pub(crate) base: PathBuf,
    /// The file with our version, where the result goes
    pub(crate) ours: PathBuf,
    /// The file with their version
    pub(crate) theirs: PathBuf,
    /// The path of the pointer
    #[arg(allow_hyphen_values = true)]
    pub(crate) path: OsString,
}
