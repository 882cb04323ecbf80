use crate::cli::args::UninstallArgs;
use crate::cli::failure::Failure;
use crate::cli::render::{Figures, many};
use crate::cli::session::Session;
use crate::ops;
use crate::ops::Exit;
use crate::ops::uninstall::UninstallReport;
use crate::units::Count;

pub(super) fn run(args: &UninstallArgs, session: &Session<'_>) -> Result<Exit, Failure> {
    if args.global {
        let report = ops::uninstall::global(session.environment)?;
        let line = if report.filter {
            "Git calls haul in clones alone that were set up for it"
        } else {
            "the user's settings of Git do not name haul, nothing to do"
        };
        let figures = Figures(session.started.elapsed()).close(line);
        session.answer_figures(&report, false, figures)?;
        return Ok(Exit::Done);
    }
    let repo = session.repo()?;
    if args.dry_run {
        let plan = ops::uninstall::plan(&repo)?;
        let driver = if plan.merge_driver { ", the merge driver" } else { "" };
        let line = format!("would take back {} Git hooks{driver}", Count(plan.hooks.len() as u64));
        let line = plan.files.iter().fold(line, |line, name| line + &format!(", `{name}`"));
        let figures = Figures(session.started.elapsed()).close(&line);
        session.answer_figures(&plan, true, figures)?;
        return Ok(Exit::Done);
    }
    let report = ops::uninstall::run(&repo)?;
    for row in &report.hooks.hooks {
        if let Some(advice) = row.advice.as_ref().filter(|_| row.state == "installed") {
            session.job.warn(&format!("`{}`: {advice}", row.name));
        }
    }
    if report.tracked > 0 {
        session.job.note(&format!(
            "`haul.toml` and `.gitattributes` stay, as {} tracked paths need them",
            Count(report.tracked)
        ));
    }
    if report.in_place > 0 {
        session.job.warn(&format!(
            "of {} Git holds pointers in their place, and `git add` stores their content itself from now \
             on; to hand them back first: `haul init`, `haul untrack PATTERN` for each that `haul track` \
             lists, `git add --renormalize .`",
            many(report.in_place, "file", "files")
        ));
    }
    let figures = Figures(session.started.elapsed()).close(&line(&report));
    session.answer_figures(&report, false, figures)?;
    Ok(Exit::Done)
}

fn line(report: &UninstallReport) -> String {
    let driver = if report.merge_driver { ", the merge driver" } else { "" };
    let filter = if report.filter { ", the filter" } else { "" };
    let hooks = format!("took back {} Git hooks{driver}{filter}", Count(report.hooks.changed()));
    report.files.iter().fold(hooks, |line, name| line + &format!(", `{name}`"))
}
