//! Runs commands as a user would, in a home of their own, and prints each one.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::cli::demo::DemoError;
use crate::cli::render::Talk;
use crate::path::show;
use crate::progress::Job;

/// Where commands run, and how they are told of.
pub(super) struct Shell<'a> {
    /// This program, so that the demo shows this build.
    haul: PathBuf,
    home: PathBuf,
    talk: &'a Talk,
    job: Job<'a>,
    steps: Vec<Step>,
}

/// A step that was done.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) what: String,
    pub(super) time: Duration,
}

const GIT_SETTINGS: [(&str, &str); 3] =
    [("init.defaultBranch", "main"), ("advice.detachedHead", "false"), ("gc.auto", "0")];

impl<'a> Shell<'a> {
    /// Gives the commands `home` instead of the user's.
    pub(super) fn new(home: PathBuf, talk: &'a Talk, job: Job<'a>) -> Result<Self, DemoError> {
        let haul = std::env::current_exe()
            .map_err(|source| DemoError::Start { program: "haul".to_owned(), source })?;
        Ok(Self { haul, home, talk, job, steps: Vec::new() })
    }

    /// Runs `git` in `folder`.
    pub(super) fn git(&mut self, folder: &Path, arguments: &[&str]) -> Result<(), DemoError> {
        self.run("git", Command::new("git"), folder, arguments).map(drop)
    }

    /// Runs this program in `folder`; returns what it prints on stdout.
    pub(super) fn haul(&mut self, folder: &Path, arguments: &[&str]) -> Result<Vec<u8>, DemoError> {
        self.run("haul", Command::new(&self.haul), folder, arguments)
    }

    /// Runs this program with a path as its last argument, which need not be UTF-8.
    pub(super) fn haul_with(
        &mut self,
        folder: &Path,
        arguments: &[&str],
        path: &Path,
    ) -> Result<Vec<u8>, DemoError> {
        let mut all: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        all.push(path.into());
        self.run("haul", Command::new(&self.haul), folder, &all)
    }

    /// Runs this program with `--json`; returns a number of its document.
    pub(super) fn haul_number(
        &mut self,
        folder: &Path,
        arguments: &[&str],
        field: &'static str,
    ) -> Result<u64, DemoError> {
        let all: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        let text = self.haul(folder, &all)?;
        let document: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
        let number = document.get(field).and_then(serde_json::Value::as_u64);
        let command = format!("haul {}", arguments.join(" "));
        number.ok_or(DemoError::Report { command, field })
    }

    /// Does something that is no command, and takes its time.
    pub(super) fn step<T>(
        &mut self,
        what: &str,
        act: impl FnOnce() -> Result<T, DemoError>,
    ) -> Result<T, DemoError> {
        self.job.check()?;
        self.talk.step(&format!("# {what}"));
        let started = Instant::now();
        let done = act()?;
        self.steps.push(Step { what: what.to_owned(), time: started.elapsed() });
        Ok(done)
    }

    /// Returns all steps so far.
    pub(super) fn into_steps(self) -> Vec<Step> {
        self.steps
    }

    fn run(
        &mut self,
        program: &str,
        mut command: Command,
        folder: &Path,
        arguments: &[impl AsRef<OsStr>],
    ) -> Result<Vec<u8>, DemoError> {
        self.job.check()?;
        let line = format!("{program} {}", quoted(arguments));
        self.talk.step(&format!("$ {line}"));
        let started = Instant::now();
        self.isolate(&mut command);
        let output = command
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::null())
            .output()
            .map_err(|source| DemoError::Start { program: program.to_owned(), source })?;
        self.retell(&output);
        // An interrupt from the terminal ends the command too; the wish is the reason, not its code.
        self.job.check()?;
        if !output.status.success() {
            let status = output.status.to_string();
            return Err(DemoError::Command { command: line, status });
        }
        self.steps.push(Step { what: line, time: started.elapsed() });
        Ok(output.stdout)
    }

    fn retell(&self, output: &Output) {
        for line in output.stderr.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            self.talk.step(&format!("  {}", show(line)));
        }
    }

    /// Settings of the user must not change what the demo shows, and it must not change theirs.
    fn isolate(&self, command: &mut Command) {
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("GIT_") || (text.starts_with("HAUL_") && text != "HAUL_LOG") {
                command.env_remove(&name);
            }
        }
        let folders = [("HOME", ""), ("XDG_CONFIG_HOME", ".config"), ("XDG_CACHE_HOME", ".cache")];
        for (name, folder) in folders {
            command.env(name, self.home.join(folder));
        }
        command.env("XDG_STATE_HOME", self.home.join(".local/state"));
        command.env("XDG_DATA_HOME", self.home.join(".local/share"));
        command.env("PATH", self.path());
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        command.env("GIT_TERMINAL_PROMPT", "0");
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), "Demo");
            command.env(format!("GIT_{who}_EMAIL"), "demo@example.com");
        }
        command.env("GIT_CONFIG_COUNT", GIT_SETTINGS.len().to_string());
        for (number, (key, value)) in GIT_SETTINGS.iter().enumerate() {
            command.env(format!("GIT_CONFIG_KEY_{number}"), key);
            command.env(format!("GIT_CONFIG_VALUE_{number}"), value);
        }
    }

    /// Hooks and drivers that Git runs must find this build.
    fn path(&self) -> OsString {
        let own = self.haul.parent().map(Path::to_owned);
        let users = crate::cli::process::variable("PATH").unwrap_or_default();
        let all = own.into_iter().chain(std::env::split_paths(&users));
        std::env::join_paths(all).unwrap_or(users)
    }
}

fn quoted(arguments: &[impl AsRef<OsStr>]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:~@".contains(c);
    let quote = |argument: &OsStr| {
        let text = argument.to_string_lossy();
        if text.chars().all(plain) {
            text.into_owned()
        } else {
            format!("'{}'", show(text.replace('\'', "'\\''").as_bytes()))
        }
    };
    arguments.iter().map(|argument| quote(argument.as_ref())).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_printed_so_that_a_shell_takes_them() {
        assert_eq!(quoted(&["commit", "-m", "two words"]), "commit -m 'two words'");
        assert_eq!(quoted(&["checkout", "HEAD~1"]), "checkout HEAD~1");
        assert_eq!(quoted(&["it's"]), "'it'\\''s'");
    }
}
