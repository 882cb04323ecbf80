use clap::Args;

const EXAMPLES: &str = "\
Examples:
  haul doctor              try what haul relies on, and read from the remote
  haul doctor --write      also write one small object to the remote, and remove it
  haul doctor --offline    ask no remote";

/// Try what haul relies on, and say what to do about what does not work
///
/// Looks at Git, its hooks (which are called, and do nothing then), the merge driver, pointers, the
/// cache, disks, links, clocks and the remote. Exits with 1 if anything fails; a warning is no failure.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DoctorArgs {
    /// Write one small object to the remote and remove it again, as `haul remote test` does
    #[arg(long, conflicts_with = "offline")]
    pub(crate) write: bool,

    /// Ask no remote
    #[arg(long)]
    pub(crate) offline: bool,
}
