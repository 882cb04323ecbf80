use std::io::Write;

use crate::cli::args::StatusArgs;
use crate::cli::failure::Failure;
use crate::cli::render::{Figures, porcelain_listing, status_line, status_listing};
use crate::cli::session::{Answer, Session};
use crate::ops;
use crate::ops::Exit;
use crate::ops::status::StatusOptions;

pub(super) fn run(args: &StatusArgs, session: &Session<'_>) -> Result<Exit, Failure> {
    let repo = session.repo()?;
    let options = StatusOptions { paths: args.paths.clone() };
    let report = ops::status::run(&repo, &options, &session.job)?;
    let figures = Figures(session.started.elapsed()).close(&status_line(&report));
    let text = |out: &mut dyn Write| {
        if args.porcelain {
            porcelain_listing(&report, out)
        } else {
            status_listing(&report, session.style, out)
        }
    };
    session.answer(Answer { report: &report, dry_run: false, text, figures })?;
    Ok(if args.exit_code && !report.clean { Exit::No } else { Exit::Done })
}
