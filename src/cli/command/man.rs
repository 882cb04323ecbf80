use std::io::Write;

use clap::{Command, CommandFactory};
use clap_mangen::Man;
use serde::Serialize;

use crate::cli::args::{Cli, ManArgs};
use crate::cli::failure::Failure;
use crate::cli::session::Session;
use crate::fs::{make_folder, write_durably};
use crate::ops::{Exit, OpError};
use crate::path::show;

/// What was written.
#[derive(Serialize)]
struct Pages {
    folder: String,
    pages: Vec<String>,
}

pub(super) fn run(args: &ManArgs, session: &Session<'_>) -> Result<Exit, Failure> {
    let mut root = Cli::command();
    root.build();
    let folder = session.environment.cwd.join(&args.folder);
    make_folder(&folder, false).map_err(OpError::from)?;
    let mut pages = Vec::new();
    let mut open = vec![("haul".to_owned(), root)];
    while let Some((name, command)) = open.pop() {
        for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
            open.push((format!("{name}-{}", verb.get_name()), verb.clone()));
        }
        let page = format!("{name}.1");
        let text = page_of(name, command)?;
        write_durably(&folder.join(&page), &text).map_err(OpError::from)?;
        pages.push(page);
    }
    pages.sort_unstable();
    let report = Pages { folder: folder.display().to_string(), pages };
    session.show(&report, |out: &mut dyn Write| {
        report.pages.iter().try_for_each(|page| writeln!(out, "{}", show(page.as_bytes())))
    })?;
    Ok(Exit::Done)
}

/// Makes one page; verbs of their own are listed, and have pages of their own.
fn page_of(name: String, command: Command) -> Result<Vec<u8>, Failure> {
    let mut text = Vec::new();
    Man::new(command.display_name(name).version(env!("CARGO_PKG_VERSION"))).render(&mut text)?;
    Ok(text)
}
