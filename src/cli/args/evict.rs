use std::ffi::OsString;

use clap::Args;

use crate::units::parse_size;

const EXAMPLES: &str = "\
Examples:
  haul evict                          show what `cache.max-size` does not leave room for
  haul evict --yes data/old           free the room of a path; its files stay where they are
  haul evict --yes --rev v1.0         free what only an older version needs

Without `--yes` it shows what would go. The remote is asked for each pack first: what it does not
have stays. What is gone is fetched again when it is needed.";

/// Free room in the cache by dropping content that the remote has
///
/// Drops content from this machine's cache: never a file of the worktree, and nothing that was not
/// pushed. Without a path, revision or size, what the settings `cache.max-size` and `cache.keep` ask for.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct EvictArgs {
    /// Only the content of these paths, without what other tracked paths need too
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<OsString>,

    /// The content of this revision, without what the worktree's pointers need too
    #[arg(long, value_name = "REV")]
    pub(crate) rev: Option<String>,

    /// All content that the remote has
    #[arg(long, conflicts_with_all = ["paths", "rev", "max_size"])]
    pub(crate) all: bool,

    /// What was used longest ago, until the cache takes no more than this, such as 20G
    #[arg(long, value_name = "SIZE", value_parser = parse_size, conflicts_with_all = ["paths", "rev"])]
    pub(crate) max_size: Option<u64>,

    /// Do it
    #[arg(long)]
    pub(crate) yes: bool,
}
