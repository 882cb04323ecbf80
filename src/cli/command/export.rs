use crate::cli::args::ExportArgs;
use crate::cli::command::select::{planned, source};
use crate::cli::failure::Failure;
use crate::cli::render::{Figures, files};
use crate::cli::session::Session;
use crate::ops;
use crate::ops::export::ExportOptions;
use crate::ops::{Exit, Recall};
use crate::path::show;
use crate::units::ByteSize;

pub(super) fn run(args: &ExportArgs, session: &Session<'_>) -> Result<Exit, Failure> {
    let repo = session.repo_or_bare()?;
    let mut options = ExportOptions {
        word: args.word.clone(),
        folder: args.folder.clone(),
        source: source(&args.source),
        max_bytes: args.max_bytes,
    };
    if args.dry_run {
        options.source.recall = Recall::No;
    }
    let plan = ops::export::plan(&repo, &options, &session.job)?;
    if args.dry_run {
        let figures = Figures(session.started.elapsed()).close(&planned("export", &plan.fetch));
        session.answer_figures(&plan, true, figures)?;
        return Ok(Exit::Done);
    }
    let report = ops::export::run(&repo, plan, &session.job)?;
    let line = format!(
        "exported {}, {} to `{}`: {} received",
        files(report.files),
        ByteSize(report.bytes),
        show(report.folder.as_bytes()),
        ByteSize(report.requests.received)
    );
    let figures = Figures(session.started.elapsed()).close(&line);
    session.answer_figures(&report, false, figures)?;
    Ok(Exit::Done)
}
