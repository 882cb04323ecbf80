use clap::Args;

use crate::cli::args::SelectArgs;

const EXAMPLES: &str = "\
Examples:
  haul du                        all tracked paths
  haul du --rev v1.0 data/val    one folder of an older version

The columns are the bytes of the files, those that no path above in the list has, and those that
they take on the remote, compressed. Needs no content: trees that are not here are fetched.";

/// Show how much room tracked paths take, and how much of it is stored
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DuArgs {
    #[command(flatten)]
    pub(crate) select: SelectArgs,

    /// The remote, instead of the default one
    #[arg(long, value_name = "NAME")]
    pub(crate) remote: Option<String>,

    /// How many requests run at once, 1 to 256
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) jobs: Option<u16>,
}
