use std::time::Duration;

use clap::{Args, Subcommand};

use crate::cli::args::span::{parse_day, parse_span};
use crate::hash::RepoId;

const EXAMPLES: &str = "\
Examples:
  haul gc                                          show what nobody needs; removes nothing
  haul gc --yes                                    condemn that; a day later: remove it
  haul gc undo                                     in between: keep it after all
  haul gc --repo git@example.org:team/fork.git     a repository that shares the remote

Kept is whatever a ref, a reflog, the stash, an index or a worktree of the repository and of its Git
remote names, and whatever was pushed in the last 14 days. Every repository that keeps data on the
remote has to be given. The first run with --yes condemns packs, so that no push relies on them
any more; one after the grace time looks at everything again and removes those still not needed.";

/// Remove from a remote what no repository needs
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub(crate) struct GcArgs {
    #[command(subcommand)]
    pub(crate) verb: Option<GcVerb>,

    /// Act, in place of only showing what would be done
    #[arg(long)]
    pub(crate) yes: bool,

    /// Also move what is needed out of packs that are mostly dead: fetches it and sends it again
    #[arg(long)]
    pub(crate) repack: bool,

    /// Another repository that keeps data there: its folder, or its URL (repeat for more)
    #[arg(long, value_name = "PATH|URL")]
    pub(crate) repo: Vec<String>,

    /// A registered repository that does not exist any more, by the id that `haul gc` shows
    #[arg(long, value_name = "ID")]
    pub(crate) gone: Vec<RepoId>,

    /// How long condemned packs stay, such as 30m, 24h or 7d; 0 if nobody reads meanwhile
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = parse_span)]
    pub(crate) grace: Duration,

    /// Let old commits go, but for the newest N of each ref
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) keep_last: Option<u32>,

    /// Let old commits go, but for those since this day
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = parse_day)]
    pub(crate) keep_since: Option<String>,

    /// Let old commits go, but for those of refs that match
    #[arg(long = "ref", value_name = "GLOB")]
    pub(crate) refs: Vec<String>,

    #[command(flatten)]
    pub(crate) at: GcPlace,
}

#[derive(Debug, Args)]
pub(crate) struct GcPlace {
    /// The remote, instead of the default one
    #[arg(long, value_name = "NAME")]
    pub(crate) remote: Option<String>,

    /// How many requests run at once, 1 to 256
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) jobs: Option<u16>,
}

#[derive(Debug, Subcommand)]
#[command(disable_help_subcommand = true)]
pub(crate) enum GcVerb {
    /// Keep what was condemned, as long as it is not removed
    #[command(after_help = "Examples:\n  haul gc undo\n  haul gc undo --remote backup")]
    Undo(GcPlace),
}

impl GcArgs {
    pub(crate) fn name(&self) -> &'static str {
        match &self.verb {
            None => "gc",
            Some(GcVerb::Undo(_)) => "gc undo",
        }
    }
}
