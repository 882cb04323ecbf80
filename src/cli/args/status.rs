use std::ffi::OsString;

use clap::Args;

const EXAMPLES: &str = "\
Examples:
  haul status
  haul status --exit-code -q data    ask in a script: 0 nothing differs, 1 something does

With --porcelain each line is two letters, a tab and a path. The first letter says what is
compared, the second how it differs; later versions may add letters:
  w content against its pointer    M modified  D missing  ? untracked  T another kind
                                   A added  R moved  U conflict  X not known
                                   N not trackable: a pipe, a refused name, a pointer
                                   ! pointer damaged  P pointer missing
                                   p pointer in place of content
  h pointer against HEAD           N new  M changed
  r pointer against the remote     ! not pushed  ? not known
In paths, backslashes, control characters and bytes that are not UTF-8 are written as \\\\, \\n, \\t,
\\r, \\xNN.";

/// Show which tracked content differs from its pointer, from HEAD and from the remote
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct StatusArgs {
    /// Only these paths
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<OsString>,

    /// Exit with 1 if anything differs
    #[arg(long)]
    pub(crate) exit_code: bool,

    /// Print lines for programs, the same in every version
    #[arg(long, conflicts_with = "json")]
    pub(crate) porcelain: bool,
}
