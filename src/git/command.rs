//! Runs the `git` program: arguments as bytes, no shell, no prompt, the same words in every locale.

use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use super::GitError;
use super::quote::{printable, without_password};
use crate::path::in_shell;

/// What is kept of the words of a failing command.
const STDERR_LIMIT: u64 = 64 * 1024;

/// Would change how our own path patterns are read; `--literal-pathspecs` even refuses to run with some.
const PATHSPEC_VARIABLES: [&str; 5] = [
    "GIT_LITERAL_PATHSPECS",
    "GIT_GLOB_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
    "GIT_PREFIX",
];

/// What `git rev-parse --local-env-vars` names, but for settings given with `git -c`: they tie a
/// command to one repository, so they are wrong for any other.
pub(super) const REPOSITORY_VARIABLES: [&str; 13] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_CONFIG",
    "GIT_GRAFT_FILE",
    "GIT_SHALLOW_FILE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_REPLACE_REF_BASE",
    "GIT_INTERNAL_SUPER_PREFIX",
];

/// Where and with which variables `git` runs.
#[derive(Clone, Debug)]
pub(super) struct Runner {
    pub(super) folder: PathBuf,
    /// Set, or with nothing removed.
    pub(super) variables: Vec<(OsString, Option<OsString>)>,
}

impl Runner {
    pub(super) fn set(&mut self, name: &str, value: Option<&OsStr>) {
        self.variables.push((name.into(), value.map(OsStr::to_owned)));
    }

    /// Begins a command; its path arguments are taken literally unless [`Call::globs`] is called.
    pub(super) fn git<'a>(&'a self, arguments: &[&str]) -> Call<'a> {
        Call {
            runner: self,
            arguments: arguments.iter().map(OsString::from).collect(),
            stdin: &[],
            index: None,
            literal: true,
            hookless: false,
            accepted: 0..=0,
        }
    }
}

/// One run of `git` to be.
#[derive(Clone)]
pub(super) struct Call<'a> {
    runner: &'a Runner,
    arguments: Vec<OsString>,
    stdin: &'a [u8],
    index: Option<&'a Path>,
    literal: bool,
    hookless: bool,
    accepted: RangeInclusive<i32>,
}

/// What a finished command printed.
pub(super) struct Output {
    pub(super) stdout: Vec<u8>,
    /// The exit code: 0, or one that was accepted.
    pub(super) code: i32,
}

impl<'a> Call<'a> {
    pub(super) fn arguments<S: AsRef<OsStr>>(mut self, more: impl IntoIterator<Item = S>) -> Self {
        self.arguments.extend(more.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    pub(super) fn stdin(mut self, bytes: &'a [u8]) -> Self {
        self.stdin = bytes;
        self
    }

    /// Lets it work on another index than that of the worktree.
    pub(super) fn on_index(mut self, index: &'a Path) -> Self {
        self.index = Some(index);
        self
    }

    /// Lets path arguments be patterns.
    pub(super) fn globs(mut self) -> Self {
        self.literal = false;
        self
    }

    /// Has Git call no hooks: what one of them adds would be compared only, and not taken in.
    pub(super) fn hookless(mut self) -> Self {
        self.hookless = true;
        self
    }

    /// Takes these exit codes for an answer rather than a failure.
    pub(super) fn accept(mut self, codes: RangeInclusive<i32>) -> Self {
        self.accepted = codes;
        self
    }

    /// Runs it and returns all it printed.
    pub(super) fn output(&self) -> Result<Output, GitError> {
        let mut stdout = Vec::new();
        let code = self.run(|out| out.read_to_end(&mut stdout).map(drop))?;
        Ok(Output { stdout, code })
    }

    /// Runs it and hands over each NUL-terminated record as it comes, so that a listing of any
    /// length needs the memory of one record.
    pub(super) fn each_record(&self, mut take: impl FnMut(&[u8])) -> Result<i32, GitError> {
        self.run(|out| {
            let mut record = Vec::new();
            while out.read_until(0, &mut record)? > 0 {
                if record.last() == Some(&0) {
                    record.pop();
                }
                take(&record);
                record.clear();
            }
            Ok(())
        })
    }

    /// The command as one could type it.
    pub(super) fn shown(&self) -> String {
        let mut text = String::from("git");
        for argument in &self.arguments {
            let argument = without_password(&in_shell(argument.as_encoded_bytes()));
            text.push(' ');
            text.push_str(&argument);
        }
        text
    }

    /// An error about what it printed.
    pub(super) fn unexpected(&self, answer: &[u8]) -> GitError {
        let start = answer.get(..200).unwrap_or(answer);
        GitError::Answer { command: self.shown(), text: printable(start) }
    }

    fn run(&self, read: impl FnOnce(&mut dyn BufRead) -> io::Result<()>) -> Result<i32, GitError> {
        let failed = |source| GitError::Spawn { command: self.shown(), source };
        let mut child = self.spawn().map_err(failed)?;
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (words, result) = thread::scope(|scope| {
            scope.spawn(|| {
                // A command that has seen enough closes its end early; its exit code then decides.
                if let Some(mut stdin) = stdin {
                    drop(stdin.write_all(self.stdin));
                }
            });
            let words = scope.spawn(|| stderr.map(read_words).unwrap_or_default());
            let result = match stdout {
                Some(stdout) => read(&mut BufReader::with_capacity(64 * 1024, stdout)),
                None => Ok(()),
            };
            (words.join().unwrap_or_default(), result)
        });
        let status = child.wait().map_err(failed)?;
        tracing::debug!(command = self.shown(), %status, "git");
        result.map_err(failed)?;
        match status.code() {
            Some(code) if code == 0 || self.accepted.contains(&code) => Ok(code),
            _ => Err(GitError::Command {
                command: self.shown(),
                status: status.to_string(),
                stderr: printable(&words),
            }),
        }
    }

    fn spawn(&self) -> io::Result<Child> {
        let mut command = Command::new("git");
        command.current_dir(&self.runner.folder);
        for name in PATHSPEC_VARIABLES {
            command.env_remove(name);
        }
        command.env("LC_ALL", "C").env("GIT_TERMINAL_PROMPT", "0");
        // A filter that Git calls now would wait for the index, which may be ours: it only compares.
        command.env("HAUL_HASH_ONLY", "1");
        for (name, value) in &self.runner.variables {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if let Some(index) = self.index {
            command.env("GIT_INDEX_FILE", index);
        }
        if self.hookless {
            command.args(["-c", "core.hooksPath=/dev/null"]);
        }
        if self.literal {
            command.arg("--literal-pathspecs");
        }
        let input = if self.stdin.is_empty() { Stdio::null() } else { Stdio::piped() };
        command.args(&self.arguments).stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn()
    }
}

fn read_words(mut stderr: impl Read) -> Vec<u8> {
    let mut words = Vec::new();
    // What cannot be read of an explanation is only an explanation less.
    drop(stderr.by_ref().take(STDERR_LIMIT).read_to_end(&mut words));
    drop(io::copy(&mut stderr, &mut io::sink()));
    words
}

/// Turns a path of Git into one of this system.
#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems cannot write every name")]
pub(super) fn os_path(path: &[u8]) -> Result<PathBuf, GitError> {
    use std::os::unix::ffi::OsStrExt as _;
    Ok(PathBuf::from(OsStr::from_bytes(path)))
}

/// Turns a path of Git into one of this system.
#[cfg(not(unix))]
pub(super) fn os_path(path: &[u8]) -> Result<PathBuf, GitError> {
    std::str::from_utf8(path)
        .map(PathBuf::from)
        .map_err(|_| GitError::Name { path: in_shell(path) })
}
