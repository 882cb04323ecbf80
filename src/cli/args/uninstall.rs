use clap::Args;

const EXAMPLE: &str = "\
Examples:
  haul uninstall              take haul out of this clone
  haul uninstall --dry-run    show what that would change
  haul uninstall --global     undo `haul init --global`

Data, pointers and the local state stay.";

/// Undo what `haul init` did, and leave data
///
/// Removes haul from Git's hooks and from the settings of this clone. If no path is tracked, also
/// its lines from `.gitattributes`, and `haul.toml` if nothing was added to it.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct UninstallArgs {
    /// Show what would be taken back and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Take haul out of your own Git settings instead, where `haul init --global` put it
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) global: bool,
}
