use std::ffi::OsString;

use clap::Args;

const EXAMPLES: &str = "\
Examples:
  haul add data/train model.safetensors    track a folder and a file
  haul add --push images                   the same, sent at once: the disk need not hold it twice
  haul add -u                              take every tracked path that changed
  haul add data/train/new.png              take one file into the tracked folder `data/train`

Then `git commit` the pointers and `haul push` the content.";

/// Track files and folders, or take their changed content
///
/// Keeps the content in the cache, writes a pointer `PATH.haul` beside each path, adds the path
/// to `.gitignore` and stages both in Git. A path inside a tracked folder goes into that folder's
/// pointer, and the other files of it need not be here. What `.haulignore` files exclude, by the rules
/// of Git's ignore files, is passed over.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct AddArgs {
    /// Files and folders, each one tracked as a unit, or parts of tracked folders
    #[arg(value_name = "PATH", required_unless_present = "update")]
    pub(crate) paths: Vec<OsString>,

    /// Take every tracked path that changed (below PATH, if given)
    #[arg(long, short)]
    pub(crate) update: bool,

    /// Send the content to the default remote while it is read, and keep none of it in the cache
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) push: bool,

    /// Show what would be added and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}
