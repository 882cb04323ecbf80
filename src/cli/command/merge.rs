use std::io::{self, Write};

use crate::cli::args::{MergeArgs, MergeDriverArgs};
use crate::cli::command::hook::tell;
use crate::cli::failure::Failure;
use crate::cli::render::{Figures, content, files, many, say, shown};
use crate::cli::session::{Answer, Session};
use crate::ops;
use crate::ops::Exit;
use crate::ops::merge::{Clash, MergePlan, MergeRow};
use crate::units::Count;

/// Conflicts that are named one by one while Git merges.
const NAMED: usize = 20;

pub(super) fn run(args: &MergeArgs, session: &Session<'_>) -> Result<Exit, Failure> {
    let repo = session.repo()?;
    let plan = ops::merge::plan(&repo, &session.job)?;
    if args.dry_run {
        return planned(&plan, session);
    }
    let report = ops::merge::run(&repo, plan, &session.job)?;
    if let Some(followed) = &report.followed {
        tell(followed, session);
    }
    let merged = report.pointers.iter().filter(|row| row.clashes.is_empty()).count() as u64;
    let clashes: usize = report.pointers.iter().map(|row| row.clashes.len()).sum();
    let line = match (report.pointers.len(), clashes) {
        (0, _) => "nothing to merge".to_owned(),
        (_, 0) => format!(
            "merged {} pointers, {} written; commit them with `git commit`",
            Count(merged),
            files(report.written)
        ),
        (_, clashes) => format!(
            "merged {} pointers, {} written; {clashes} paths in conflict",
            Count(merged),
            files(report.written)
        ),
    };
    let figures = Figures(session.started.elapsed()).close(&line);
    let text = |out: &mut dyn Write| table(&report.pointers, out);
    session.answer(Answer { report: &report, dry_run: false, text, figures })?;
    if clashes > 0 {
        session.job.note(
            "`haul checkout --ours`, `--theirs` or `--base PATH --to FILE` gives you a version; then \
             run `haul add` on the tracked path",
        );
    }
    Ok(if report.complete { Exit::Done } else { Exit::No })
}

fn planned(plan: &MergePlan, session: &Session<'_>) -> Result<Exit, Failure> {
    let merged = plan.pointers.iter().filter(|row| row.clashes.is_empty()).count() as u64;
    let clashes: usize = plan.pointers.iter().map(|row| row.clashes.len()).sum();
    let line = format!(
        "would merge {}, {} from the other side; {}",
        many(merged, "pointer", "pointers"),
        content(plan.files, plan.bytes),
        many(clashes as u64, "path in conflict", "paths in conflict")
    );
    let figures = Figures(session.started.elapsed()).close(&line);
    let text = |out: &mut dyn Write| table(&plan.pointers, out);
    session.answer(Answer { report: plan, dry_run: true, text, figures })?;
    Ok(if plan.complete { Exit::Done } else { Exit::No })
}

fn table(rows: &[MergeRow], out: &mut dyn Write) -> io::Result<()> {
    for row in rows {
        writeln!(out, "{:<9} {}", row.state, shown(&row.path))?;
        for clash in &row.clashes {
            writeln!(out, "  {}: {}", shown(&clash.path), deeds(clash))?;
        }
    }
    Ok(())
}

fn deeds(clash: &Clash) -> String {
    format!("ours {}, theirs {}", clash.ours, clash.theirs)
}

/// Merges for Git; its own words stand around ours, so that no figures are shown.
pub(super) fn drive(args: &MergeDriverArgs, session: &Session<'_>) -> Result<Exit, Failure> {
    let repo = session.repo()?;
    let files = (args.base.as_path(), args.ours.as_path(), args.theirs.as_path());
    let path = args.path.as_encoded_bytes();
    let clashes = ops::merge::drive(&repo, files, path, &session.job)?;
    for clash in clashes.iter().take(NAMED) {
        session.job.warn(&format!("conflict in `{}`: {}", shown(&clash.path), deeds(clash)));
    }
    if clashes.is_empty() {
        return Ok(Exit::Done);
    }
    if clashes.len() > NAMED {
        say(&format!("and {} more", clashes.len() - NAMED));
    }
    session.job.note("run `haul merge` for what to do next");
    Ok(Exit::No)
}
