use clap::Args;

const EXAMPLES: &str = "\
Examples:
  haul verify              before you delete a copy, or in CI
  haul verify v1.0

Exits with 4 and lists what is missing if the remote is not complete.";

/// Prove that everything a revision's pointers name is on the remote
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct VerifyArgs {
    /// The revision; by default the worktree, and what of HEAD does not stand there
    #[arg(value_name = "REV")]
    pub(crate) rev: Option<String>,

    /// The remote, instead of the default one
    #[arg(long, value_name = "NAME")]
    pub(crate) remote: Option<String>,

    /// How many requests run at once, 1 to 256
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) jobs: Option<u16>,
}
