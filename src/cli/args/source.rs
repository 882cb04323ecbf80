use clap::Args;

/// Where trees and content come from that are not on this machine.
#[derive(Debug, Args)]
pub(crate) struct SourceArgs {
    /// The remote, instead of the default one
    #[arg(long, value_name = "NAME")]
    pub(crate) remote: Option<String>,

    /// How many requests run at once, 1 to 256
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) jobs: Option<u16>,
}
