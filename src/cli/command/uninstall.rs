use crate::cli::failure::Failure;
use crate::cli::render::Figures;
use crate::cli::session::Session;
use crate::ops;
use crate::ops::Exit;
use crate::ops::uninstall::UninstallReport;
use crate::units::Count;

pub(super) fn run(session: &Session<'_>) -> Result<Exit, Failure> {
    let repo = session.repo()?;
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
