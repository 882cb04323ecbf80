use std::io::{self, Write};

use crate::cli::args::AddArgs;
use crate::cli::failure::Failure;
use crate::cli::render::{Figures, add_line, files, push_line, shown};
use crate::cli::session::{Answer, Session};
use crate::ops;
use crate::ops::Exit;
use crate::ops::add::{AddOptions, AddPlan, AddReport};
use crate::units::ByteSize;

pub(super) fn run(args: &AddArgs, session: &Session<'_>) -> Result<Exit, Failure> {
    let repo = session.repo()?;
    let options =
        AddOptions { paths: args.paths.clone(), update: args.update, ..AddOptions::default() };
    let plan = ops::add::plan(&repo, &options, &session.job)?;
    if args.dry_run {
        let line = format!("would add {}, {}", files(plan.files), ByteSize(plan.bytes));
        let text = |out: &mut dyn Write| planned(&plan, out);
        let figures = Figures(session.started.elapsed()).close(&line);
        session.answer(Answer { report: &plan, dry_run: true, text, figures })?;
        return Ok(Exit::Done);
    }
    if args.push {
        let report = ops::add::run_and_push(&repo, plan, None, &session.job)?;
        let line = format!("{}; {}", add_line(&report.add), push_line(&report.push));
        let figures = Figures(session.started.elapsed()).close(&line);
        let text = |out: &mut dyn Write| added(&report.add, out);
        session.answer(Answer { report: &report, dry_run: false, text, figures })?;
        return Ok(Exit::Done);
    }
    let report = ops::add::run(&repo, plan, &session.job)?;
    let figures = Figures(session.started.elapsed()).close(&add_line(&report));
    let text = |out: &mut dyn Write| added(&report, out);
    session.answer(Answer { report: &report, dry_run: false, text, figures })?;
    Ok(Exit::Done)
}

fn planned(plan: &AddPlan, out: &mut dyn Write) -> io::Result<()> {
    plan.targets.iter().try_for_each(|target| writeln!(out, "{}", shown(&target.path)))
}

fn added(report: &AddReport, out: &mut dyn Write) -> io::Result<()> {
    for target in &report.targets {
        writeln!(out, "{:<9} {}", target.change, shown(&target.path))?;
    }
    Ok(())
}
