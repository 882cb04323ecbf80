use std::io::Write;

use crate::cli::args::TrackArgs;
use crate::cli::command::select::list;
use crate::cli::failure::Failure;
use crate::cli::process::program;
use crate::cli::render::{Figures, content, many, shown};
use crate::cli::session::{Answer, Session};
use crate::ops;
use crate::ops::Exit;
use crate::ops::track::{TrackOptions, TrackPlan, TrackReport};
use crate::units::ByteSize;

pub(super) fn run(args: &TrackArgs, session: &Session<'_>) -> Result<Exit, Failure> {
    let repo = session.repo()?;
    let options = TrackOptions { patterns: args.patterns.clone(), haul: program() };
    if let Some(above) = args.above {
        let report = ops::track::large(&repo, above, args.yes.then_some(&options), &session.job)?;
        let text = |out: &mut dyn Write| {
            for file in &report.files {
                writeln!(out, "{:>10}  {}", ByteSize(file.size).to_string(), shown(&file.path))?;
            }
            Ok(())
        };
        let count = many(report.files.len() as u64, "file", "files");
        let line = match &report.tracked {
            Some(tracked) => said(tracked, session),
            None => format!("{count} of more than {}", ByteSize(above)),
        };
        let figures = Figures(session.started.elapsed()).close(&line);
        session.answer(Answer { report: &report, dry_run: !args.yes, text, figures })?;
        return Ok(Exit::Done);
    }
    if args.patterns.is_empty() {
        let report = ops::track::list(&repo)?;
        let text = |out: &mut dyn Write| {
            list("pattern", &report.patterns, out)?;
            list("path", &report.paths, out)
        };
        session.show(&report, text)?;
        return Ok(Exit::Done);
    }
    if args.dry_run {
        return planned(&ops::track::plan(&repo, &options)?, session);
    }
    let report = ops::track::run(&repo, &options, &session.job)?;
    let text = |out: &mut dyn Write| {
        list("tracked", &report.patterns, out)?;
        list("converted", &report.converted, out)
    };
    let figures = Figures(session.started.elapsed()).close(&said(&report, session));
    session.answer(Answer { report: &report, dry_run: false, text, figures })?;
    Ok(Exit::Done)
}

fn planned(plan: &TrackPlan, session: &Session<'_>) -> Result<Exit, Failure> {
    let text = |out: &mut dyn Write| {
        list("track", &plan.patterns, out)?;
        list("convert", &plan.converted, out)
    };
    let patterns = many(plan.patterns.len() as u64, "new pattern", "new patterns");
    let line = format!("would write {patterns}, for {}", content(plan.files, plan.bytes));
    let figures = Figures(session.started.elapsed()).close(&line);
    session.answer(Answer { report: plan, dry_run: true, text, figures })?;
    Ok(Exit::Done)
}

/// Says what was done, and what is to be done next.
fn said(report: &TrackReport, session: &Session<'_>) -> String {
    if let Some(first) = report.waiting.first() {
        session.job.note(&format!(
            "Git still holds {} itself, such as `{}`; `git add --renormalize .` stores pointers in \
             their place",
            many(report.waiting.len() as u64, "file", "files"),
            shown(first)
        ));
    }
    let patterns = many(report.patterns.len() as u64, "new pattern", "new patterns");
    match report.converted.len() as u64 {
        0 => format!("{patterns} in `.gitattributes`; commit it with your files"),
        count => format!("{patterns}; {} converted", many(count, "path", "paths")),
    }
}
