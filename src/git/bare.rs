//! A repository without a worktree, for what only reads.

use std::ffi::OsStr;
use std::path::Path;

use git2::Repository;

use super::command::Runner;
use super::discover::Surroundings;
use super::{Git, GitError};

impl Git {
    /// As [`Git::open`], and opens a bare repository too. In place of the worktree root it has a folder
    /// of its own inside the Git folder, which need not exist.
    pub fn open_any(start: &Path, search: Option<&OsStr>) -> Result<Self, GitError> {
        match Self::open(start, search) {
            Err(GitError::Bare { git_dir }) => Self::bare(&git_dir, search),
            opened => opened,
        }
    }

    fn bare(git_dir: &Path, search: Option<&OsStr>) -> Result<Self, GitError> {
        let unknown = || GitError::NotARepository { start: git_dir.to_path_buf() };
        let git_dir = git_dir.canonicalize().map_err(|_| unknown())?;
        // A commit can hold a folder that looks like one, and its settings would name programs: only
        // where no repository is around can it be none of that.
        let above = git_dir.parent().map(|above| {
            Self::discover(above, Surroundings::Ignore, Self::search_variables(search))
        });
        if !matches!(above, None | Some(Err(GitError::NotARepository { .. }))) {
            return Err(GitError::Embedded { git_dir });
        }
        let variables = Self::search_variables(search);
        let mut runner = Runner { folder: git_dir.clone(), variables };
        runner.set("GIT_DIR", Some(git_dir.as_os_str()));
        let library = Repository::open_bare(&git_dir).ok();
        let root = git_dir.join("haul").join("bare");
        Ok(Self::of_parts((root, git_dir.clone(), git_dir), library, runner).without_worktree())
    }
}
