use clap::Args;

const EXAMPLE: &str = "\
Examples:
  git init && haul init && git commit -m \"use haul\"
  haul init --no-hooks                                   leave Git's hooks alone
  haul init --dry-run                                    see first what it would do

`haul init --global`, once for each user, lets `git clone` bring what `haul track` took in.

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

    /// In your own Git settings, have Git call haul for files that a repository hands over (see
    /// `haul track`): a `git clone` then has their content from the start. Nothing else is set up
    #[arg(long, conflicts_with = "no_hooks")]
    pub(crate) global: bool,

    /// Show what would be written and set up, and do nothing
    #[arg(long, conflicts_with = "global")]
    pub(crate) dry_run: bool,
}
