use clap::Args;

const EXAMPLES: &str = "\
Examples:
  haul config                                every setting, its value and where that was set
  haul config cache.max-size 20G             for this clone
  haul config --shared delta.base worth-it   for everybody, in `haul.toml`";

/// Show and change settings
///
/// Later files override earlier ones: the user's, `haul.toml`, this clone's; then variables, then flags.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ConfigArgs {
    /// The setting, such as `cache.max-size`
    #[arg(value_name = "KEY")]
    pub(crate) key: Option<String>,

    /// Its new value
    #[arg(value_name = "VALUE", requires = "key", conflicts_with = "unset")]
    pub(crate) value: Option<String>,

    /// Take it out of the file
    #[arg(long, requires = "key")]
    pub(crate) unset: bool,

    /// Change the user's own file, for all repositories, instead of this clone's
    #[arg(long, conflicts_with = "shared")]
    pub(crate) user: bool,

    /// Change `haul.toml`, which everybody shares, and stage it
    #[arg(long)]
    pub(crate) shared: bool,
}
