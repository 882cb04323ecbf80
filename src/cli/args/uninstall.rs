use clap::Args;

const EXAMPLE: &str = "\
Example:
  haul uninstall

Data, pointers and the local state stay.";

/// Undo what `haul init` did, and leave data
///
/// Removes haul from Git's hooks and from the settings of this clone. If no path is tracked, also
/// its lines from `.gitattributes`, and `haul.toml` if nothing was added to it.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct UninstallArgs {}
