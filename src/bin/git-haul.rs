//! `git haul …`: Git looks for a program of this name, which hands over to the `haul` beside it.
#![forbid(unsafe_code)]

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

#[expect(clippy::print_stderr, reason = "there is nothing of haul here yet that could say it")]
fn main() -> ExitCode {
    // Only beside it: a folder on the path could be that of a repository.
    let error = match std::env::current_exe() {
        Ok(own) => {
            Command::new(own.with_file_name("haul")).args(std::env::args_os().skip(1)).exec()
        }
        Err(error) => error,
    };
    eprintln!("error: `git-haul` could not run the `haul` beside it: {error}");
    eprintln!("  hint: install both into one folder");
    ExitCode::from(1)
}
