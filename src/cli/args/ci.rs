use clap::{Args, Subcommand};

use crate::cli::args::SelectArgs;

const EXAMPLES: &str = "\
Examples:
  haul ci key                      of all that is tracked
  haul ci key --view ci            of what `haul pull --view ci` brings
  haul ci key --exact data/train   changes only if a file below data/train does

docs/ci.md has whole jobs for several services.";

/// Help a CI service to keep the cache between jobs
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CiArgs {
    #[command(subcommand)]
    pub(crate) verb: CiVerb,
}

#[derive(Debug, Subcommand)]
#[command(disable_help_subcommand = true)]
pub(crate) enum CiVerb {
    /// Print a key that changes with the data that is asked for, and with nothing else
    ///
    /// Told from pointers: no content is read and no remote asked. The key of a part of a tracked folder
    /// changes with anything in that folder, unless --exact is given.
    #[command(after_help = "Examples:\n  haul ci key\n  haul ci key --view ci")]
    Key {
        #[command(flatten)]
        select: SelectArgs,

        /// Look at each file that is asked for; trees that are not on this machine are fetched
        #[arg(long)]
        exact: bool,
    },
}

impl CiVerb {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Key { .. } => "ci key",
        }
    }
}
