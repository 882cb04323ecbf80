use std::ffi::OsString;

use clap::Args;

/// Which content a verb is about.
#[derive(Debug, Args)]
pub(crate) struct SelectArgs {
    /// Only these paths; they may lie inside a tracked folder
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<OsString>,

    /// As the pointers of this revision say, instead of those in the worktree
    #[arg(long, value_name = "REV")]
    pub(crate) rev: Option<String>,

    /// Only what this view of the settings chooses: `include` and `exclude` of `[view.NAME]`
    #[arg(long, value_name = "NAME")]
    pub(crate) view: Option<String>,
}
