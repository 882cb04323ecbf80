use std::io::{self, Write};

use crate::cli::args::{GcArgs, GcVerb};
use crate::cli::failure::Failure;
use crate::cli::render::{Figures, gc_line, shown, undo_line};
use crate::cli::session::{Answer, Session};
use crate::git::Retention;
use crate::ops;
use crate::ops::Exit;
use crate::ops::gc::{GcOptions, GcReport, GcState, Repack};
use crate::path::show;

pub(super) fn run(args: &GcArgs, session: &Session<'_>) -> Result<Exit, Failure> {
    let repo = session.repo()?;
    if let Some(GcVerb::Undo(at)) = &args.verb {
        let jobs = at.jobs.map(usize::from);
        let report = ops::gc::undo(&repo, at.remote.as_deref(), jobs, &session.job)?;
        let figures = Figures(session.started.elapsed()).close(&undo_line(&report));
        session.answer_figures(&report, false, figures)?;
        let late = report.too_late || report.gone > 0;
        return Ok(if late { Exit::No } else { Exit::Done });
    }
    let options = GcOptions {
        repos: args.repo.clone(),
        gone: args.gone.clone(),
        retention: Retention {
            last: args.keep_last,
            since: args.keep_since.clone(),
            refs: args.refs.clone(),
        },
        repack: if args.repack { Repack::Yes } else { Repack::No },
        grace: args.grace,
        remote: args.at.remote.clone(),
        jobs: args.at.jobs.map(usize::from),
    };
    let plan = ops::gc::plan(&repo, &options, &session.job)?;
    let report = if args.yes { ops::gc::run(&repo, plan, &session.job)? } else { plan.report };
    let figures = Figures(session.started.elapsed()).close(&gc_line(&report));
    let text = |out: &mut dyn Write| table(&report, out);
    session.answer(Answer { report: &report, dry_run: !args.yes, text, figures })?;
    Ok(match report.state {
        GcState::Blocked | GcState::Raced => Exit::No,
        _ if !report.incomplete.is_empty() => Exit::Damaged,
        GcState::Nothing
        | GcState::Plan
        | GcState::Waiting
        | GcState::Due
        | GcState::Condemned
        | GcState::Removed => Exit::Done,
    })
}

/// Tabs part the columns; the first says what the line is about.
fn table(report: &GcReport, out: &mut dyn Write) -> io::Result<()> {
    for row in report.repositories.iter().filter(|row| !row.given) {
        let url = row.url.as_deref().unwrap_or("no address");
        writeln!(out, "not given\t{}\t{}", row.id, show(url.as_bytes()))?;
    }
    for row in &report.incomplete {
        writeln!(out, "incomplete\t{}\tpack {}", shown(&row.path), row.pack)?;
    }
    for path in &report.never_pushed {
        writeln!(out, "never pushed\t{}", shown(path))?;
    }
    for row in &report.victims {
        writeln!(out, "{}\t{}\t{}", row.reason, row.pack, row.bytes)?;
    }
    Ok(())
}
