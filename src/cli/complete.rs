//! Completion in shells: the script that asks, and the answers. Tracked paths are offered also where
//! their data is not on the disk.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;

use clap::{Arg, Command, CommandFactory};
use clap_complete::engine::{
    ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter,
};
use clap_complete::env::{CompleteEnv, Shells};

use crate::cli::args::Cli;
use crate::config::Environment;
use crate::path::RepoPath;
use crate::repo::Repo;

/// The variable with which a shell asks.
const VARIABLE: &str = "HAUL_COMPLETE";

/// Answers a shell that asks for completions; false if none does.
pub(crate) fn answered(arguments: &[OsString]) -> bool {
    let env = CompleteEnv::with_factory(command).var(VARIABLE);
    let folder = std::env::current_dir().ok();
    // A shell has no use for an error in the middle of a line.
    env.try_complete(arguments.iter().cloned(), folder.as_deref()).unwrap_or(true)
}

/// Writes the script by which a shell asks.
pub(crate) fn write_script(shell: &str, out: &mut dyn Write) -> io::Result<()> {
    let shells = Shells::builtins();
    match shells.completer(shell) {
        Some(completer) => completer.write_registration(VARIABLE, "haul", "haul", "haul", out),
        None => Err(io::Error::new(io::ErrorKind::Unsupported, "the shell is not known")),
    }
}

/// The command line, with what paths can be.
fn command() -> Command {
    Cli::command()
        .mut_subcommands(|verb| verb.mut_args(|arg| if is_path(&arg) { paths(arg) } else { arg }))
}

fn is_path(arg: &Arg) -> bool {
    let names = arg.get_value_names().unwrap_or_default();
    names.iter().any(|name| matches!(name.as_str(), "PATH" | "REV|PATH" | "[REV:]PATH" | "FROM"))
}

fn paths(arg: Arg) -> Arg {
    let either = |current: &OsStr| {
        let mut found = tracked(current).unwrap_or_default();
        let there = PathCompleter::any().complete(current);
        let new = there
            .into_iter()
            .filter(|file| found.iter().all(|f| f.get_value() != file.get_value()));
        let new: Vec<CompletionCandidate> = new.collect();
        found.extend(new);
        found
    };
    arg.add(ArgValueCompleter::new(either))
}

/// Lists tracked paths below the current folder that begin so; up to the next slash, as files are.
fn tracked(current: &OsStr) -> Option<Vec<CompletionCandidate>> {
    let environment = Environment::read().ok()?;
    let repo = Repo::open(&environment, &[]).ok()?;
    let here = repo.cwd().strip_prefix(repo.git().root()).ok()?.as_os_str().as_bytes().to_vec();
    let mut values: Vec<Vec<u8>> = Vec::new();
    for entry in repo.git().pointers().ok()? {
        let path = RepoPath::new(&entry.path).and_then(|pointer| pointer.target_of_pointer());
        let Ok(path) = path else { continue };
        let rest = match here.as_slice() {
            [] => Some(path.as_bytes()),
            here => path.as_bytes().strip_prefix(here).and_then(|rest| rest.strip_prefix(b"/")),
        };
        let Some(rest) = rest.filter(|rest| rest.starts_with(current.as_bytes())) else { continue };
        let more = rest.get(current.len()..).unwrap_or_default();
        let end = more
            .iter()
            .position(|byte| *byte == b'/')
            .map_or(rest.len(), |at| current.len() + at + 1);
        let value = rest.get(..end).unwrap_or(rest).to_vec();
        if values.last() != Some(&value) {
            values.push(value);
        }
    }
    Some(
        values
            .into_iter()
            .map(|value| CompletionCandidate::new(OsStr::from_bytes(&value)))
            .collect(),
    )
}
