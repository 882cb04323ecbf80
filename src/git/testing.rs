//! Real repositories in a temporary folder, cut off from the user's Git settings.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use super::discover::Surroundings;
use super::{Git, GitError};

/// A repository that vanishes with the test.
pub(super) struct World {
    // Removed when dropped.
    _home: tempfile::TempDir,
    pub(super) root: PathBuf,
}

/// What keeps a command apart from the machine it runs on.
pub(super) fn isolated() -> Vec<(OsString, Option<OsString>)> {
    [
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("HOME", "/nonexistent"),
        ("GIT_AUTHOR_NAME", "a"),
        ("GIT_AUTHOR_EMAIL", "a@example.org"),
        ("GIT_COMMITTER_NAME", "a"),
        ("GIT_COMMITTER_EMAIL", "a@example.org"),
    ]
    .map(|(name, value)| (name.into(), Some(value.into())))
    .into()
}

impl World {
    pub(super) fn new() -> Self {
        Self::with(&[])
    }

    pub(super) fn with(init: &[&str]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().canonicalize().unwrap().join("repo");
        std::fs::create_dir(&root).unwrap();
        let world = Self { _home: home, root };
        world.git(&[&["init", "-q", "-b", "main"], init].concat());
        world
    }

    /// A folder beside the repository.
    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.root.with_file_name(name)
    }

    pub(super) fn git(&self, arguments: &[&str]) -> String {
        Self::git_in(&self.root, arguments)
    }

    pub(super) fn git_in(folder: &Path, arguments: &[&str]) -> String {
        let out = Self::output_in(folder, arguments);
        assert!(out.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap().trim_end().to_owned()
    }

    /// Says whether the command ended well.
    pub(super) fn try_git_in(folder: &Path, arguments: &[&str]) -> bool {
        Self::output_in(folder, arguments).status.success()
    }

    fn output_in(folder: &Path, arguments: &[&str]) -> Output {
        let mut command = Command::new("git");
        command.args(arguments).current_dir(folder);
        for name in super::command::REPOSITORY_VARIABLES {
            command.env_remove(name);
        }
        for (name, value) in isolated() {
            command.env(name, value.unwrap());
        }
        command.output().unwrap()
    }

    #[expect(clippy::disallowed_methods, reason = "a test's own files need no durability")]
    pub(super) fn write(&self, path: impl AsRef<OsStr>, text: impl AsRef<[u8]>) {
        let path = self.root.join(path.as_ref());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Commits all files and returns the commit.
    pub(super) fn commit(&self) -> String {
        self.git(&["add", "-A", "-f"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", "x"]);
        self.git(&["rev-parse", "HEAD"])
    }

    pub(super) fn open(&self) -> Git {
        open_in(&self.root).unwrap()
    }

    /// Both ways to read: libgit2 with the command behind it, and the command alone.
    pub(super) fn both(&self) -> [Git; 2] {
        let library = self.open();
        assert!(library.has_library());
        [library, self.open().without_library()]
    }
}

pub(super) fn open_in(folder: &Path) -> Result<Git, GitError> {
    let mut git = Git::discover(folder, Surroundings::Ignore, isolated())?;
    git.index_wait = Duration::from_millis(120);
    Ok(git)
}
