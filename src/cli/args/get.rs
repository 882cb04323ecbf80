use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use crate::units::parse_size;

const GET: &str = "\
Examples:
  haul get https://git.example.org/team/data models/best.bin     a copy in the current folder
  haul get ../other data/val --rev v1.0 -o val                   of a tag, under another name

A remote of the other repository that is no bucket of a known cloud is used only if
HAUL_ACCEPT_REMOTE names its address.";

const IMPORT: &str = "\
Examples:
  haul import https://git.example.org/team/data models/best.bin
  haul import ../other data/val val --rev v1.0
  haul update val                              later, as it is there by then

The pointer notes where the data came from. `haul push` uploads it to your own remote, so that
nobody who clones this repository needs the other one.";

const UPDATE: &str = "\
Examples:
  haul update                      all that was imported
  haul update val --rev v2.0       another revision, which is followed from now on

Data that you changed here is not replaced.";

/// Where data of another repository comes from.
#[derive(Debug, Args)]
pub(crate) struct OriginArgs {
    /// The address or folder of a Git repository that keeps data with haul
    #[arg(value_name = "URL")]
    pub(crate) url: String,

    /// The path there: tracked, inside a tracked folder, or a folder with tracked paths
    #[arg(value_name = "PATH")]
    pub(crate) path: String,

    /// A branch, a tag or a whole commit hash, instead of what is checked out there
    #[arg(long, value_name = "REV")]
    pub(crate) rev: Option<String>,

    /// How many requests run at once, 1 to 256
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) jobs: Option<u16>,

    /// Stop before fetching if more bytes of content than this would be received, such as 500M or 2G
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(crate) max_bytes: Option<u64>,

    /// Show what would be received and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Copy data out of another Git repository, without cloning it
///
/// Needs no repository around. One commit is fetched, without its history, and only the content asked for.
#[derive(Debug, Args)]
#[command(after_help = GET)]
pub(crate) struct GetArgs {
    #[command(flatten)]
    pub(crate) origin: OriginArgs,

    /// The file or folder to write; must not be there yet
    #[arg(long, short, value_name = "DEST")]
    pub(crate) output: Option<PathBuf>,
}

/// Track data of another Git repository here, with a note of where it came from
#[derive(Debug, Args)]
#[command(after_help = IMPORT)]
pub(crate) struct ImportArgs {
    #[command(flatten)]
    pub(crate) origin: OriginArgs,

    /// The path here; must not be there yet
    #[arg(value_name = "DEST")]
    pub(crate) to: Option<OsString>,
}

/// Bring imported data to what it is now where it came from
#[derive(Debug, Args)]
#[command(after_help = UPDATE)]
pub(crate) struct UpdateArgs {
    /// Imported paths; all of them by default
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<OsString>,

    /// Another revision of where they come from
    #[arg(long, value_name = "REV")]
    pub(crate) rev: Option<String>,

    /// How many requests run at once, 1 to 256
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) jobs: Option<u16>,

    /// Stop before an import of which more bytes of content than this would be received, such as 2G
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(crate) max_bytes: Option<u64>,

    /// Show what would be received and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}
