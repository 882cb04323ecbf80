//! From arguments to an exit code.

use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal, Write};
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::Instant;

use clap::Parser;
use clap::error::ErrorKind;

use crate::cli::args::{Cli, Globals};
use crate::cli::command;
use crate::cli::complete;
use crate::cli::exit;
use crate::cli::failure::Failure;
use crate::cli::process;
use crate::cli::render::{self, ErrorText, Style, Talk};
use crate::cli::session::Session;
use crate::cli::version::version;
use crate::config::Environment;
use crate::ops::{Exit, OpError};
use crate::path::show;
use crate::progress::{Job, KeptJob};

/// Runs the program: reads its arguments, does what they ask, returns the exit code.
pub fn main() -> ExitCode {
    let started = Instant::now();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    if complete::answered(&arguments) {
        return exit::code(Exit::Done);
    }
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => return exit::code(answer_usage(&error, &arguments)),
    };
    process::spare_addresses();
    process::explain_panics(cli.globals.verbose > 0);
    process::arm_crash_point();
    if let Err(failure) = process::start_log(cli.globals.verbose, cli.globals.trace_file.as_deref())
    {
        let text = ErrorText::of(&failure);
        Talk::new(&cli.globals).error(&text);
        return exit::code(failure.exit());
    }
    process::catch_signals();
    tracing::info!(verb = cli.verb.name(), version = version(), "begins");
    let run = panic::catch_unwind(AssertUnwindSafe(|| run(&cli, started)));
    let exit = run.unwrap_or_else(|_| defect(&cli));
    tracing::info!(?exit, seconds = started.elapsed().as_secs_f64(), "ends");
    exit::code(exit)
}

/// Prints help, the version, or what is wrong with the arguments.
fn answer_usage(error: &clap::Error, arguments: &[OsString]) -> Exit {
    let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    // A shell puts the names of a folder among the arguments.
    let deceives = |argument: &OsString| {
        let bytes = argument.as_encoded_bytes();
        show(bytes).to_string().as_bytes() != bytes
    };
    let printed = if arguments.iter().any(deceives) {
        let rendered = error.render().to_string();
        rendered
            .trim_end()
            .lines()
            .for_each(|line| render::say(&show(line.as_bytes()).to_string()));
        Ok(())
    } else {
        error.print()
    };
    let printed = printed.and_then(|()| process::flush());
    if asked {
        return match printed {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Exit::No,
            _ => Exit::Done,
        };
    }
    let json = arguments.iter().take_while(|a| *a != "--").any(|a| a == OsStr::new("--json"));
    if json {
        let rendered = error.render().to_string();
        let first = rendered.split("\n\n").next().unwrap_or(&rendered);
        let words: Vec<&str> = first.trim_start_matches("error:").split_whitespace().collect();
        let message = words.join(" ");
        let hint = Some("run it with `--help`".to_owned());
        print_document(&ErrorText { message, causes: vec![], hint }.document(None, Exit::Usage));
    }
    Exit::Usage
}

fn run(cli: &Cli, started: Instant) -> Exit {
    let globals = &cli.globals;
    let talk = Talk::new(globals);
    let stopped = || process::STOP.load(Ordering::Relaxed);
    match dispatch(cli, &talk, started).map_err(|failure| failure.settled(stopped())) {
        Ok(exit) => exit,
        Err(failure) if failure.is_quiet() => Exit::Done,
        Err(failure) => {
            let text = ErrorText::of(&failure);
            talk.error(&text);
            if globals.json && !matches!(failure, Failure::Output { .. }) {
                print_document(&text.document(Some(cli.verb.name()), failure.exit()));
            }
            failure.exit()
        }
    }
}

fn dispatch(cli: &Cli, talk: &Talk, started: Instant) -> Result<Exit, Failure> {
    let Globals { directory, json, color, .. } = &cli.globals;
    if let Some(path) = directory {
        std::env::set_current_dir(path)
            .map_err(|source| Failure::Folder { path: path.clone(), source })?;
    }
    let job = KeptJob::new(talk.kept_sink(), &process::STOP);
    let environment = Environment { job, ..Environment::read().map_err(OpError::from)? };
    let session = Session {
        environment: &environment,
        job: Job::new(talk.sink(), &process::STOP),
        talk,
        verb: cli.verb.name(),
        json: *json,
        style: Style::choose(*color, io::stdout().is_terminal()),
        started,
    };
    command::run(&cli.verb, &session)
}

/// The panic itself was printed by the hook.
fn defect(cli: &Cli) -> Exit {
    if cli.globals.json {
        let message = "this is a defect of haul".to_owned();
        let text = ErrorText { message, ..ErrorText::default() };
        print_document(&text.document(Some(cli.verb.name()), Exit::Defect));
    }
    Exit::Defect
}

/// There is nothing left to do about a stdout that cannot be written.
fn print_document(text: &str) {
    let printed = io::stdout().write_all(text.as_bytes()).and_then(|()| process::flush());
    if printed.is_err_and(|error| error.kind() != io::ErrorKind::BrokenPipe) {
        render::say("warning: the JSON document could not be written to standard output");
    }
}
