//! Who brought the version of a file that a commit has.

use super::command::os_path;
use super::{CommitId, CommitNote, Git, GitError, ObjectId};

impl Git {
    /// Finds the commit that gave a path the content that it has at `commit`; nothing if history is cut
    /// off before that.
    pub fn bringer(
        &self,
        commit: CommitId,
        path: &[u8],
    ) -> Result<Option<(CommitId, CommitNote)>, GitError> {
        let from = commit.to_string();
        let call = self.runner.git(&["rev-list", "--max-count=1", &from, "--"]);
        let found = call.arguments([os_path(path)?]).output()?.stdout;
        let Some(found) = ObjectId::from_hex(found.trim_ascii()).map(CommitId) else {
            return Ok(None);
        };
        if self.is_cut_off(found)? {
            return Ok(None);
        }
        Ok(self.notes_of(&[found])?.pop().map(|note| (found, note)))
    }

    /// Says whether the parents of a commit were left out of a shallow clone: all files seem to be its own.
    fn is_cut_off(&self, commit: CommitId) -> Result<bool, GitError> {
        let shallow = self.runner.git(&["rev-parse", "--is-shallow-repository"]).output()?.stdout;
        if shallow.trim_ascii() != b"true" {
            return Ok(false);
        }
        let commit = commit.to_string();
        let line =
            self.runner.git(&["rev-list", "--max-count=1", "--parents", &commit]).output()?;
        Ok(line.stdout.trim_ascii() == commit.as_bytes())
    }
}
