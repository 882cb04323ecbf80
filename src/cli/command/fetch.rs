use crate::cli::args::FetchArgs;
use crate::cli::command::select::{fetch_options, planned, select};
use crate::cli::failure::Failure;
use crate::cli::render::{Figures, fetch_line};
use crate::cli::session::Session;
use crate::ops;
use crate::ops::{Exit, Recall};

pub(super) fn run(args: &FetchArgs, session: &Session<'_>) -> Result<Exit, Failure> {
    let repo = session.repo_or_bare_at(args.transfer.limit_rate)?;
    let mut options = fetch_options(select(&args.select, args.all), &args.transfer);
    if args.dry_run {
        options.recall = Recall::No;
    }
    let plan = ops::fetch::plan(&repo, &options, &session.job)?;
    if args.dry_run {
        let line = planned("fetch", &plan);
        let figures = Figures(session.started.elapsed()).close(&line);
        session.answer_figures(&plan, true, figures)?;
        return Ok(Exit::Done);
    }
    let report = ops::fetch::run(&repo, plan, &session.job)?;
    let figures = Figures(session.started.elapsed()).close(&fetch_line(&report));
    session.answer_figures(&report, false, figures)?;
    Ok(Exit::Done)
}
