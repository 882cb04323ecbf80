//! Merges files line by line.

use std::path::Path;

use super::{Git, GitError};

/// What becomes of lines at the same place that both sides changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// Both are kept.
    OfBoth,
    /// They are marked, for a person to choose.
    Marked,
}

impl Git {
    /// Merges the files `base` and `theirs` into the file `ours`; says whether no lines are marked.
    pub fn merge_lines(
        &self,
        (base, ours, theirs): (&Path, &Path, &Path),
        lines: Lines,
    ) -> Result<bool, GitError> {
        let mut call = self.runner.git(&["merge-file", "--quiet"]);
        if lines == Lines::OfBoth {
            call = call.arguments(["--union"]);
        }
        // Git counts what it marked, up to 127.
        let call = call.arguments([ours, base, theirs]).accept(1..=127);
        Ok(call.output()?.code == 0)
    }
}
