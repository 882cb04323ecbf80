use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use crate::cli::args::TransferArgs;

const EXAMPLES: &str = "\
Examples:
  haul clone git@example.com:team/project.git      clone, set up, and get the content
  haul clone --no-pull https://example.com/p.git   leave the content for `haul pull PATH`

Runs `git clone`, has Git call haul in the clone, and pulls all content in one batch.";

/// Clone a Git repository with everything set up, and get its content
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CloneArgs {
    /// What `git clone` takes
    #[arg(value_name = "URL")]
    pub(crate) url: OsString,

    /// The folder to make; named after the address if it is left out
    #[arg(value_name = "FOLDER")]
    pub(crate) folder: Option<PathBuf>,

    /// The branch or tag to check out
    #[arg(long, short, value_name = "NAME")]
    pub(crate) branch: Option<String>,

    /// Only so many commits of the history
    #[arg(long, value_name = "N")]
    pub(crate) depth: Option<u32>,

    /// Leave Git's hooks as they are
    #[arg(long)]
    pub(crate) no_hooks: bool,

    /// Get no content yet
    #[arg(long)]
    pub(crate) no_pull: bool,

    /// Show what is tracked there and clone nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) transfer: TransferArgs,
}
