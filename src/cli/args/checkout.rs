use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cli::args::SelectArgs;

const EXAMPLES: &str = "\
Examples:
  git checkout v1.0 && haul checkout      bring the content to where the pointers are
  haul checkout --rev HEAD~1 table.csv    the previous content of one file, to look at
  haul checkout HEAD~1 -- table.csv       go back to it: content and pointer, staged
  haul checkout --as copy x.bin           a file that may be written to, where files are links
  haul checkout --theirs x.bin --to y.bin one version of a file that is in conflict

Content that is not in the cache yet is fetched by `haul pull`.";

/// How a file shares bytes with the cache.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LinkArg {
    /// By blocks of the disk, where the file system can; else not at all
    Reflink,
    /// As a second name of one file
    Hardlink,
    /// By a symbolic link into the cache
    Symlink,
    /// Not at all
    Copy,
}

/// Place content from the cache in the worktree
///
/// `REV -- PATH` also takes the pointers of that revision, and stages them, as `git checkout REV -- PATH`
/// does for files that Git holds. Never overwrites or removes a file that you changed and did not add, unless --force is given.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct CheckoutArgs {
    #[command(flatten)]
    pub(crate) select: SelectArgs,

    /// After `REV --`: tracked paths that go back to that revision
    #[arg(value_name = "PATH", last = true, conflicts_with_all = ["rev", "view"])]
    pub(crate) back: Vec<OsString>,

    /// Replace changed files too; what they held is put aside, and where is said
    #[arg(long)]
    pub(crate) force: bool,

    /// How the files share bytes with the cache, this time: `hardlink` and `symlink` make them read-only
    #[arg(long = "as", value_name = "LINK", value_enum, conflicts_with = "to")]
    pub(crate) link: Option<LinkArg>,

    /// Of a merge: write the file PATH as our side has it to the file that --to names
    #[arg(long, group = "side", requires = "to")]
    pub(crate) ours: bool,

    /// Of a merge: write the file PATH as their side has it
    #[arg(long, group = "side", requires = "to")]
    pub(crate) theirs: bool,

    /// Of a merge: write the file PATH as it was before both sides
    #[arg(long, group = "side", requires = "to")]
    pub(crate) base: bool,

    /// The file to write; must not be there yet
    #[arg(long, value_name = "FILE", requires = "side", conflicts_with_all = ["force", "dry_run", "rev", "view"])]
    pub(crate) to: Option<PathBuf>,

    /// Show what would be placed and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}
