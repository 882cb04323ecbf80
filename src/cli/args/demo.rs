use std::path::PathBuf;

use clap::Args;

const EXAMPLES: &str = "\
Examples:
  haul demo                  in a temporary folder, removed at the end
  haul demo /tmp/try-haul    and look around afterwards

Makes about 250 MiB of data, two versions of it, and needs about 1.5 GiB of disk for a minute.";

/// See haul work on made-up data: two versions pushed, cloned, pulled and checked
///
/// Runs the real commands and prints each one. Touches nothing outside its folder.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DemoArgs {
    /// A new or empty folder to work in, which is kept
    #[arg(value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,

    /// Keep the temporary folder
    #[arg(long)]
    pub(crate) keep: bool,
}
