use std::ffi::OsString;

use clap::Args;

const EXAMPLES: &str = "\
Examples:
  haul check-ignore data/train/a.jpg    is that tracked by haul, and with which pointer?
  haul check-ignore -q big.bin          ask in a script: 0 tracked, 1 not";

/// Say which paths Git ignores because haul tracks them
///
/// Prints each tracked path, a tab, and the tracked file or folder that it is or lies in. Warns of one
/// that Git does not ignore. What a `.haulignore` excludes is not tracked. Exits with 1 if haul tracks none of them.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CheckIgnoreArgs {
    /// Paths; they need not exist
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<OsString>,
}
