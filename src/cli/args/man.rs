use std::path::PathBuf;

use clap::Args;

const EXAMPLES: &str = "\
Examples:
  haul man ~/.local/share/man/man1    then `man haul`, `man haul-add`
  haul man pages                      into a folder of a package";

/// Write the manual pages of haul and of each verb into a folder
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ManArgs {
    /// The folder; pages in it are replaced
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
}
