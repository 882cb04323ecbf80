use std::io::{self, Write};

use crate::cli::args::HooksVerb;
use crate::cli::failure::Failure;
use crate::cli::process::program;
use crate::cli::render::{Figures, shown};
use crate::cli::session::{Answer, Session};
use crate::ops;
use crate::ops::Exit;
use crate::ops::hooks::HooksReport;
use crate::units::Count;

pub(super) fn run(verb: HooksVerb, session: &Session<'_>) -> Result<Exit, Failure> {
    let repo = session.repo()?;
    let report = match verb {
        HooksVerb::Status => ops::hooks::status(&repo)?,
        HooksVerb::Install { dry_run: false } => ops::hooks::install(&repo, &program())?,
        HooksVerb::Install { dry_run: true } => ops::hooks::plan_install(&repo, &program())?,
        HooksVerb::Uninstall { dry_run: false } => ops::hooks::uninstall(&repo)?,
        HooksVerb::Uninstall { dry_run: true } => ops::hooks::plan_uninstall(&repo)?,
    };
    let dry_run = verb.is_plan();
    let calling = report.hooks.iter().filter(|row| row.state == "installed").count() as u64;
    let line = format!(
        "{} of {} Git hooks call haul, {} {}",
        Count(calling),
        Count(report.hooks.len() as u64),
        Count(report.changed()),
        if dry_run { "would change" } else { "changed" }
    );
    let figures = Figures(session.started.elapsed()).close(&line);
    for row in &report.hooks {
        if let Some(advice) = &row.advice {
            session.job.warn(&format!("`{}`: {advice}", row.name));
        }
    }
    let text = |out: &mut dyn Write| table(&report, out);
    session.answer(Answer { report: &report, dry_run, text, figures })?;
    let wished = match verb {
        _ if dry_run => true,
        HooksVerb::Status | HooksVerb::Install { .. } => report.complete,
        HooksVerb::Uninstall { .. } => calling == 0,
    };
    Ok(if wished { Exit::Done } else { Exit::No })
}

fn table(report: &HooksReport, out: &mut dyn Write) -> io::Result<()> {
    for row in &report.hooks {
        writeln!(out, "{:<14}{:<10} {}", row.name, row.state, shown(&row.path))?;
    }
    Ok(())
}
