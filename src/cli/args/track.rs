use std::ffi::OsString;

use clap::Args;

use crate::units::parse_size;

const EXAMPLES: &str = "\
Examples:
  haul track '*.bin' 'models/**'     from now on `git add` of such a file stores a pointer
  haul track                         list the patterns, and the paths that they took in
  haul track --above 10M             find large files that Git would hold itself
  haul track --above 10M --yes       track each of them by its path
  haul track data.bin                a file with a pointer beside it: Git takes the pointer in its place

Files that Git holds already are handed over with `git add --renormalize PATH`.";

/// Have Git store pointers in place of files that match a pattern
///
/// Writes lines into `.gitattributes` at the root and stages that file. Git then calls haul when it
/// stores or checks out such a file, so that `git add`, `git checkout` and `git clone` need nothing else.
/// A path that is there means that path alone; a folder, all in it.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct TrackArgs {
    /// Patterns as in `.gitattributes`, or paths
    #[arg(value_name = "PATTERN")]
    pub(crate) patterns: Vec<OsString>,

    /// Find files of more than this many bytes, such as 10M, that haul does not have
    #[arg(long, value_name = "SIZE", value_parser = parse_size, conflicts_with = "patterns")]
    pub(crate) above: Option<u64>,

    /// Track what `--above` finds
    #[arg(long, requires = "above")]
    pub(crate) yes: bool,

    /// Show what the patterns would take in, and write nothing
    #[arg(long, conflicts_with = "above", requires = "patterns")]
    pub(crate) dry_run: bool,
}
