use clap::Args;

const EXAMPLE: &str = "\
Examples:
  git init && haul init && git commit -m \"use haul\"
  haul init --no-hooks                                   leave Git's hooks alone

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
