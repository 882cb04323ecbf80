use std::ffi::OsString;

use clap::Args;

const EXAMPLES: &str = "\
Examples:
  haul untrack data/train              stop tracking a folder; its files stay
  haul untrack --dry-run data/train    show what would change
  haul untrack '*.bin'                 take back a pattern of `haul track`

Earlier commits still name the content, so `haul checkout --rev` still works for them.";

/// Stop tracking paths and leave their data where it is
///
/// Removes the pointers and the lines in ignore files, and stages that. Git then sees the data as
/// untracked files. A clone that checks this out removes its own copy, if it is unchanged.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct UntrackArgs {
    /// Tracked paths, or patterns of `haul track`
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<OsString>,

    /// Show what would change and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}
