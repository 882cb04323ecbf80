use std::ffi::OsString;

use clap::Args;

/// What Git calls to show how a pointer changed; not for people
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  haul diff-driver --           as `diff.haul.command` in Git's settings\n  \
                  haul diff-driver --text --    as `diff.haul.textconv`"
)]
pub(crate) struct DiffDriverArgs {
    /// Describe the one pointer in a file
    #[arg(long)]
    pub(crate) text: bool,

    /// What Git adds: the file; or path, file, name and mode of both versions
    #[arg(value_name = "WORD", required = true, allow_hyphen_values = true)]
    pub(crate) words: Vec<OsString>,
}
