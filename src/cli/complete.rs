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
use crate::ops::complete;
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

/// Lists paths below the current folder that haul knows and that begin so.
fn tracked(current: &OsStr) -> Option<Vec<CompletionCandidate>> {
    let environment = Environment::read().ok()?;
    let repo = Repo::open(&environment, &[]).ok()?;
    let mut here = repo.cwd().strip_prefix(repo.git().root()).ok()?.as_os_str().as_bytes().to_vec();
    if !here.is_empty() {
        here.push(b'/');
    }
    let found = complete::paths(&repo, &[here.as_slice(), current.as_bytes()].concat());
    let offered = found.iter().filter_map(|path| path.strip_prefix(here.as_slice()));
    Some(offered.map(|value| CompletionCandidate::new(OsStr::from_bytes(value))).collect())
}
