use clap::Args;

/// What Git calls for files with the attribute `filter=haul`; not for people
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  haul filter-process    as `filter.haul.process` in Git's settings"
)]
pub(crate) struct FilterProcessArgs {}
