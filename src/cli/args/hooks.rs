use std::ffi::OsString;

use clap::{Args, Subcommand};

const EXAMPLES: &str = "\
Examples:
  haul hooks status       which Git hooks call haul, and what to do about the others
  haul hooks install      as `haul init` does
  haul hooks uninstall    put back what was there before

`git push` then sends the data first, `git checkout`, `git merge` and `git rebase` bring the data that
is on this machine along, and `git commit` says what was forgotten. HAUL_SKIP=1 switches them off for
one command; the settings `hooks.*` say more.";

/// Have Git call haul before commits and pushes, and after checkouts and merges
///
/// Hooks of others are kept and called first; those that husky, lefthook, overcommit or a commit look
/// after are left alone, and the line to add to them is shown.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct HooksArgs {
    #[command(subcommand)]
    pub(crate) verb: HooksVerb,
}

#[derive(Clone, Copy, Debug, Subcommand)]
#[command(disable_help_subcommand = true)]
pub(crate) enum HooksVerb {
    /// Show which Git hooks call haul; exit code 1 if not all of them do
    #[command(after_help = "Examples:\n  haul hooks status\n  haul hooks status --json")]
    Status,
    /// Have Git call haul
    #[command(
        after_help = "Examples:\n  haul hooks install\n  haul hooks install && haul doctor    and see that they answer"
    )]
    Install {
        /// Show which Git hooks would change, and change none
        #[arg(long)]
        dry_run: bool,
    },
    /// Remove haul's Git hooks and put back what was there before
    #[command(
        after_help = "Examples:\n  haul hooks uninstall\n  HAUL_SKIP=1 git push    without haul this once, hooks stay"
    )]
    Uninstall {
        /// Show which Git hooks would change, and change none
        #[arg(long)]
        dry_run: bool,
    },
}

impl HooksVerb {
    /// Says whether only a plan is asked for.
    pub(crate) fn is_plan(self) -> bool {
        match self {
            Self::Status => false,
            Self::Install { dry_run } | Self::Uninstall { dry_run } => dry_run,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Status => "hooks status",
            Self::Install { .. } => "hooks install",
            Self::Uninstall { .. } => "hooks uninstall",
        }
    }
}

/// What Git hooks call; not for people
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  haul hook post-checkout \"$@\"    in a Git hook")]
pub(crate) struct HookArgs {
    /// Git's name of the moment
    pub(crate) name: String,

    /// What Git gives the hook
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) arguments: Vec<OsString>,
}
