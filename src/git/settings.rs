//! Reads Git's own settings, and runs a command that has no method here.

use std::ffi::OsStr;
use std::path::PathBuf;

use super::command::os_path;
use super::{Git, GitError};

impl Git {
    /// Returns the last value of a Git setting as text; nothing if it is not set.
    pub fn setting(&self, key: &str) -> Result<Option<String>, GitError> {
        let found = self.library(|library| match library.config()?.snapshot()?.get_string(key) {
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
            found => found.map(Some),
        });
        match found {
            Some(found) => Ok(found),
            None => Ok(self.ask_setting("--no-type", key)?.map(|value| lossy(&value))),
        }
    }

    /// Returns a Git setting read as Git reads truth (`yes`, `on`, `1`); false if it is not set.
    pub fn flag(&self, key: &str) -> Result<bool, GitError> {
        let found = self.library(|library| match library.config()?.snapshot()?.get_bool(key) {
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(false),
            found => found,
        });
        match found {
            Some(found) => Ok(found),
            None => Ok(self.ask_setting("--type=bool", key)?.is_some_and(|value| value == b"true")),
        }
    }

    /// Returns a Git setting that names a file, `~` resolved; nothing if it is not set.
    pub fn path_setting(&self, key: &str) -> Result<Option<PathBuf>, GitError> {
        let value = self.ask_setting("--type=path", key)?;
        value.map(|value| os_path(&value)).transpose()
    }

    /// As [`Self::setting`], of the file of this repository alone.
    pub fn own_setting(&self, key: &str) -> Result<Option<String>, GitError> {
        Ok(self.ask_setting("--local", key)?.map(|value| lossy(&value)))
    }

    fn ask_setting(&self, kind: &str, key: &str) -> Result<Option<Vec<u8>>, GitError> {
        let call = self.runner.git(&["config", "-z", kind, "--get", key]).accept(1..=1);
        let mut answer = call.output()?;
        if answer.code == 1 {
            return Ok(None);
        }
        if answer.stdout.last() == Some(&0) {
            answer.stdout.pop();
        }
        Ok(Some(answer.stdout))
    }

    /// Runs `git` in the worktree root with these arguments and input; returns what it printed.
    ///
    /// Path arguments are literal. For the few writes that have no method of their own, such as
    /// setting a filter; failure of the command is an error with its words.
    pub fn run<S: AsRef<OsStr>>(&self, arguments: &[S], stdin: &[u8]) -> Result<Vec<u8>, GitError> {
        Ok(self.runner.git(&[]).arguments(arguments).stdin(stdin).output()?.stdout)
    }
}

fn lossy(value: &[u8]) -> String {
    String::from_utf8_lossy(value).into_owned()
}
