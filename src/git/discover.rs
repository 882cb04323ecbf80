//! Finds the repository and holds it open.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use git2::{Repository, RepositoryOpenFlags};

use super::GitError;
use super::command::{REPOSITORY_VARIABLES, Runner, os_path};
use crate::progress::StopFlag;

/// How long `git add` is tried again while another program holds the index.
const INDEX_WAIT: Duration = Duration::from_secs(5);

/// An open Git repository with a worktree; can be shared between threads.
pub struct Git {
    pub(super) root: PathBuf,
    own_dir: PathBuf,
    common_dir: PathBuf,
    bare: bool,
    /// Nothing if libgit2 cannot open this kind of repository.
    library: Mutex<Option<Repository>>,
    pub(super) runner: Runner,
    pub(super) index_wait: Duration,
    /// For copies of the index; on the same file system as that.
    pub(super) temp: PathBuf,
    pub(super) stop: StopFlag,
}

/// Whether `GIT_DIR` and its kind speak of the repository that is meant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Surroundings {
    /// As `git` does: a hook or filter runs with variables that name its repository and index.
    Heed,
    /// The folder alone decides: the caller means a repository that is not the one around it.
    Ignore,
}

struct Found {
    root: PathBuf,
    git_dir: PathBuf,
    common_dir: PathBuf,
    library: Option<Repository>,
}

impl Git {
    /// Opens the repository that `start` lies in, as `git` itself would when run there.
    ///
    /// Variables such as `GIT_DIR` and `GIT_INDEX_FILE` count, because hooks and filters run with
    /// them: during `git commit -- PATH` the index that will be committed is not `.git/index`.
    ///
    /// `search`, if given, takes the place of `PATH` for `git` and what it runs; an empty one leaves
    /// the system's own folders.
    pub fn open(start: &Path, search: Option<&OsStr>) -> Result<Self, GitError> {
        Self::discover(start, Surroundings::Heed, Self::search_variables(search))
    }

    pub(super) fn search_variables(search: Option<&OsStr>) -> Vec<(OsString, Option<OsString>)> {
        let value = |folders: &OsStr| (!folders.is_empty()).then(|| folders.to_owned());
        let path = search.map(|folders| (OsString::from("PATH"), value(folders)));
        path.into_iter().collect()
    }

    /// Opens the repository that `folder` lies in, whatever `GIT_DIR` and its kind say: for a
    /// repository other than the one the command runs in.
    pub fn open_at(folder: &Path) -> Result<Self, GitError> {
        Self::discover(folder, Surroundings::Ignore, Vec::new())
    }

    pub(super) fn discover(
        start: &Path,
        surroundings: Surroundings,
        variables: Vec<(OsString, Option<OsString>)>,
    ) -> Result<Self, GitError> {
        let not_here = || GitError::NotARepository { start: start.to_path_buf() };
        let folder = std::path::absolute(start).map_err(|_| not_here())?;
        if !folder.is_dir() {
            return Err(not_here());
        }
        let mut runner = Runner { folder, variables };
        let flags = match surroundings {
            Surroundings::Heed => RepositoryOpenFlags::FROM_ENV,
            Surroundings::Ignore => {
                for name in REPOSITORY_VARIABLES {
                    runner.set(name, None);
                }
                RepositoryOpenFlags::empty()
            }
        };
        let none: [&OsStr; 0] = [];
        let found = match Repository::open_ext(&runner.folder, flags, none) {
            Ok(library) => found_by_library(library)?,
            // libgit2 knows fewer kinds of repository than Git: Git has the last word.
            Err(error) => found_by_command(&runner).map_err(|failure| {
                let no_git = matches!(failure, GitError::Spawn { .. });
                if no_git && error.code() == git2::ErrorCode::NotFound {
                    not_here()
                } else {
                    explain(failure, start)
                }
            })?,
        };
        if is_embedded(&runner.folder, &found.git_dir) {
            return Err(GitError::Embedded { git_dir: found.git_dir });
        }
        // From here on every command means exactly this repository, wherever it is run.
        runner.folder.clone_from(&found.root);
        runner.set("GIT_DIR", Some(found.git_dir.as_os_str()));
        runner.set("GIT_WORK_TREE", Some(found.root.as_os_str()));
        let parts = (found.root, found.git_dir, found.common_dir);
        Ok(Self::of_parts(parts, found.library, runner))
    }

    /// Puts together root, Git folder and common folder with what reads them.
    pub(super) fn of_parts(
        (root, own_dir, common_dir): (PathBuf, PathBuf, PathBuf),
        library: Option<Repository>,
        runner: Runner,
    ) -> Self {
        let (temp, library) = (own_dir.clone(), Mutex::new(library));
        let (bare, index_wait, stop) = (false, INDEX_WAIT, StopFlag::default());
        Self { root, own_dir, common_dir, bare, library, runner, index_wait, temp, stop }
    }

    /// Notes that there is no worktree.
    pub(super) fn without_worktree(self) -> Self {
        Self { bare: true, ..self }
    }

    /// Says whether there is no worktree: see [`Git::open_any`].
    pub fn is_bare(&self) -> bool {
        self.bare
    }

    /// Has what is temporary made in `folder`, and not in the Git folder.
    #[must_use]
    pub fn with_temp(self, folder: PathBuf) -> Self {
        Self { temp: folder, ..self }
    }

    /// Ends a wait for another program once the user asks to stop.
    #[must_use]
    pub fn with_stop(self, stop: StopFlag) -> Self {
        Self { stop, ..self }
    }

    /// Returns the worktree root: absolute, symbolic links resolved.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the Git folder of this worktree: `.git`, or a folder in `.git/worktrees/`.
    pub fn git_dir(&self) -> &Path {
        &self.own_dir
    }

    /// Returns the Git folder that all worktrees of the repository share.
    pub fn common_dir(&self) -> &Path {
        &self.common_dir
    }

    /// Asks libgit2. Nothing if it cannot open the repository or cannot answer: the caller then
    /// asks `git`, whose answer or error counts.
    pub(super) fn library<T>(
        &self,
        ask: impl FnOnce(&Repository) -> Result<T, git2::Error>,
    ) -> Option<T> {
        let library = self.library.lock().unwrap_or_else(PoisonError::into_inner);
        library.as_ref().and_then(|library| ask(library).ok())
    }

    /// Leaves `git` as the only source, as for a repository that libgit2 cannot open.
    #[cfg(test)]
    pub(super) fn without_library(self) -> Self {
        *self.library.lock().unwrap() = None;
        self
    }

    #[cfg(test)]
    pub(super) fn has_library(&self) -> bool {
        self.library.lock().unwrap().is_some()
    }
}

/// Asks `git` which version it is, in a folder that need not be a repository; `search` as for
/// [`Git::open`]. Returns its own words, such as `2.43.0`.
pub fn version(folder: &Path, search: Option<&OsStr>) -> Result<String, GitError> {
    let mut runner = Runner { folder: folder.to_owned(), variables: Vec::new() };
    if let Some(search) = search {
        runner.set("PATH", Some(search).filter(|folders| !folders.is_empty()));
    }
    let answer = runner.git(&["version"]).output()?.stdout;
    let text = String::from_utf8_lossy(&answer);
    Ok(text.trim().trim_start_matches("git version ").to_owned())
}

impl fmt::Debug for Git {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Git").field("root", &self.root).finish_non_exhaustive()
    }
}

/// Says whether a folder was taken for a Git folder by its content alone: any commit can hold such a
/// folder, and its settings would name programs that Git runs. Only a `.git` cannot be committed.
fn is_embedded(start: &Path, git_dir: &Path) -> bool {
    let (Ok(start), Ok(git_dir)) = (start.canonicalize(), git_dir.canonicalize()) else {
        return false;
    };
    start.starts_with(&git_dir) && git_dir.file_name() != Some(OsStr::new(".git"))
}

/// Takes off the slash that libgit2 puts at the end of folders.
fn folder(path: &Path) -> PathBuf {
    path.components().collect()
}

fn found_by_library(library: Repository) -> Result<Found, GitError> {
    let git_dir = folder(library.path());
    let Some(root) = library.workdir().map(folder) else {
        return Err(GitError::Bare { git_dir });
    };
    let common_dir = folder(library.commondir());
    Ok(Found { root, git_dir, common_dir, library: Some(library) })
}

fn found_by_command(runner: &Runner) -> Result<Found, GitError> {
    // One question per run: answers end with a line end, and a folder's name may contain one.
    let ask = |question: &str| -> Result<Vec<u8>, GitError> {
        let mut answer = runner.git(&["rev-parse", question]).output()?.stdout;
        if answer.last() == Some(&b'\n') {
            answer.pop();
        }
        Ok(answer)
    };
    let git_dir = folder(&os_path(&ask("--absolute-git-dir")?)?);
    if ask("--is-bare-repository")? == b"true" {
        return Err(GitError::Bare { git_dir });
    }
    let root = folder(&os_path(&ask("--show-toplevel")?)?);
    let common = runner.folder.join(os_path(&ask("--git-common-dir")?)?);
    let common_dir = common.canonicalize().unwrap_or(common);
    Ok(Found { root, git_dir, common_dir, library: None })
}

fn explain(failure: GitError, start: &Path) -> GitError {
    let GitError::Command { stderr, .. } = &failure else { return failure };
    let start = start.to_path_buf();
    if stderr.contains("not a git repository") {
        GitError::NotARepository { start }
    } else if stderr.contains("dubious ownership") {
        GitError::Untrusted { start }
    } else if stderr.contains("must be run in a work tree") {
        GitError::Bare { git_dir: start }
    } else {
        failure
    }
}
