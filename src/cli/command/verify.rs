use std::collections::BTreeSet;
use std::io::{self, Write};

use crate::cli::args::VerifyArgs;
use crate::cli::failure::Failure;
use crate::cli::render::{Figures, shown, verify_line};
use crate::cli::session::{Answer, Session};
use crate::ops;
use crate::ops::Exit;
use crate::ops::verify::{MissingRow, VerifyOptions};
use crate::path::show;

pub(super) fn run(args: &VerifyArgs, session: &Session<'_>) -> Result<Exit, Failure> {
    let repo = session.repo_or_bare()?;
    let options = VerifyOptions {
        rev: args.rev.clone(),
        remote: args.remote.clone(),
        jobs: args.jobs.map(usize::from),
    };
    let report = ops::verify::run(&repo, &options, &session.job)?;
    let figures = Figures(session.started.elapsed()).close(&verify_line(&report));
    let text = |out: &mut dyn Write| table(&report.missing, out);
    session.answer(Answer { report: &report, dry_run: false, text, figures })?;
    let told: BTreeSet<(&str, &str)> =
        report.missing.iter().map(|row| (row.path.path.as_str(), row.brought.as_str())).collect();
    for (path, brought) in told.into_iter().filter(|(_, brought)| !brought.is_empty()) {
        session.job.note(&format!("`{}` {brought}", show(path.as_bytes())));
    }
    if !report.complete {
        session.job.note(
            "run `haul push` or `haul fsck --repair` in a clone that has the data; `haul fsck` reads \
             everything and says of which commits it is",
        );
    }
    Ok(if report.complete { Exit::Done } else { Exit::Damaged })
}

/// Tabs part the columns: path, why, which object.
fn table(rows: &[MissingRow], out: &mut dyn Write) -> io::Result<()> {
    for row in rows {
        let (why, object) = (show(row.why.as_bytes()), show(row.object.as_bytes()));
        writeln!(out, "{}\t{why}\t{object}", shown(&row.path))?;
    }
    Ok(())
}
