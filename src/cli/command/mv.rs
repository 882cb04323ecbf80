use std::io::Write;

use crate::cli::args::MvArgs;
use crate::cli::failure::Failure;
use crate::cli::render::{Figures, content, shown};
use crate::cli::session::{Answer, Session};
use crate::ops;
use crate::ops::Exit;
use crate::ops::mv::MvOptions;

pub(super) fn run(args: &MvArgs, session: &Session<'_>) -> Result<Exit, Failure> {
    let repo = session.repo()?;
    let options = MvOptions { from: args.from.clone(), to: args.to.clone() };
    let plan = ops::mv::plan(&repo, &options, &session.job)?;
    let what = if plan.data { "with its data" } else { "without data, which is not here" };
    let names = format!("{} -> {}", shown(&plan.from), shown(&plan.to));
    if args.dry_run {
        let text = |out: &mut dyn Write| writeln!(out, "would move {names}");
        let line = format!("would move 1 path, {}, {what}", content(plan.files, plan.bytes));
        let figures = Figures(session.started.elapsed()).close(&line);
        session.answer(Answer { report: &plan, dry_run: true, text, figures })?;
        return Ok(Exit::Done);
    }
    let report = ops::mv::run(&repo, plan, &session.job)?;
    let figures = Figures(session.started.elapsed()).close(&format!("moved 1 path {what}"));
    let text = |out: &mut dyn Write| writeln!(out, "moved     {names}");
    session.answer(Answer { report: &report, dry_run: false, text, figures })?;
    Ok(Exit::Done)
}
