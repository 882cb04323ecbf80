use clap::Args;

const EXAMPLES: &str = "\
Examples:
  haul fsck                     read everything: this machine's cache and the remote
  haul fsck --quick             names, sizes and tables only, in CI say
  haul fsck --local --repair    heal the cache from the remotes and the worktree
  haul fsck --remote backup     the remote `backup` only

Without --repair nothing is changed. With it, damaged packs of this machine go to `quarantine/`, and
what is damaged on a remote is uploaded again under new names; nothing is deleted anywhere. Needs the
content of what it repairs to be somewhere: in the worktree, in the cache, or on another remote.

Exits with 0 if all is sound or was repaired, with 4 if damage remains, with 3 if the remote is out
of reach, with 1 if the system refuses to read something of this machine.";

/// Read all stored content, name what is damaged down to file and commit, and repair it
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct FsckArgs {
    /// Look at this machine only
    #[arg(long, conflicts_with = "remote")]
    pub(crate) local: bool,

    /// Look at a remote only: the default one, or NAME
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "")]
    pub(crate) remote: Option<String>,

    /// Read no content: compare names, sizes and tables
    #[arg(long, conflicts_with = "sample")]
    pub(crate) quick: bool,

    /// Read all bytes of this share of the packs, others in each run
    #[arg(long, value_name = "N%", value_parser = percent)]
    pub(crate) sample: Option<u8>,

    /// Put aside what is damaged, and bring good content from where there is some
    #[arg(long)]
    pub(crate) repair: bool,

    /// How many requests run at once, 1 to 256
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) jobs: Option<u16>,
}

fn percent(text: &str) -> Result<u8, String> {
    let number: Option<u8> = text.strip_suffix('%').unwrap_or(text).parse().ok();
    number
        .filter(|n| (1..=100).contains(n))
        .ok_or_else(|| "give a share from 1% to 100%".to_owned())
}
