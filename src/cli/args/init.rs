use clap::Args;

const EXAMPLE: &str = "\
Example:
  git init && haul init && git commit -m \"use haul\"

Running it again changes nothing.";

/// Set up haul in the Git repository you are in
///
/// Writes `haul.toml`, the settings that everybody shares, and a line in `.gitattributes` by which
/// ignore files of two branches merge; stages both in Git. Has Git's hooks call haul, beside those that
/// are there (see `haul hooks`).
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct InitArgs {
    /// Leave Git's hooks as they are
    #[arg(long)]
    pub(crate) no_hooks: bool,
}
