use std::io::{self, Write};

use crate::cli::args::DuArgs;
use crate::cli::command::select::select;
use crate::cli::failure::Failure;
use crate::cli::render::{Figures, du_line, shown};
use crate::cli::session::{Answer, Session};
use crate::ops;
use crate::ops::Exit;
use crate::ops::du::{DuOptions, DuReport, DuRow, Room};
use crate::units::ByteSize;

pub(super) fn run(args: &DuArgs, session: &Session<'_>) -> Result<Exit, Failure> {
    let repo = session.repo_or_bare()?;
    let options = DuOptions {
        select: select(&args.select, false),
        remote: args.remote.clone(),
        jobs: args.jobs.map(usize::from),
    };
    let report = ops::du::run(&repo, &options, &session.job)?;
    let figures = Figures(session.started.elapsed()).close(&du_line(&report));
    let text = |out: &mut dyn Write| table(&report, out);
    session.answer(Answer { report: &report, dry_run: false, text, figures })?;
    Ok(Exit::Done)
}

/// A line for each path; one for all if there are several.
fn table(report: &DuReport, out: &mut dyn Write) -> io::Result<()> {
    if report.paths.is_empty() {
        return Ok(());
    }
    writeln!(out, "{:>10}  {:>10}  {:>10}  path", "logical", "unique", "stored")?;
    for row in &report.paths {
        line(&row.room, &label(row), out)?;
    }
    if report.paths.len() > 1 {
        line(&report.total, "(total)", out)?;
    }
    Ok(())
}

fn line(room: &Room, label: &str, out: &mut dyn Write) -> io::Result<()> {
    let sizes = [room.logical_bytes, room.unique_bytes, room.stored_bytes];
    for size in sizes.map(|size| ByteSize(size).to_string()) {
        write!(out, "{size:>10}  ")?;
    }
    writeln!(out, "{label}")
}

fn label(row: &DuRow) -> String {
    let path = shown(&row.path);
    if row.whole { path } else { format!("{path} (part)") }
}
