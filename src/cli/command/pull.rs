use std::io::Write;

use crate::cli::args::PullArgs;
use crate::cli::command::ask::accepts;
use crate::cli::command::checkout::{left_out, placing, remarks, unplaced};
use crate::cli::command::select::{fetch_options, planned, select};
use crate::cli::failure::Failure;
use crate::cli::render::{Figures, checkout_line, fetch_line};
use crate::cli::session::{Answer, Session};
use crate::ops;
use crate::ops::pull::{PullOptions, PullPlan};
use crate::ops::{Exit, Recall};
use crate::repo::Repo;

pub(super) fn run(args: &PullArgs, session: &Session<'_>) -> Result<Exit, Failure> {
    let repo = session.repo_at(args.transfer.limit_rate)?;
    let mut fetch = fetch_options(select(&args.select, false), &args.transfer);
    if args.dry_run {
        fetch.recall = Recall::No;
    }
    let options = PullOptions { fetch, force: args.force };
    if args.dry_run {
        let plan = plan(&repo, &options, session)?;
        let plan = ops::pull::preview(&repo, plan, &session.job)?;
        let line = format!("{}; {}", planned("pull", &plan.fetch), placing(&plan.checkout));
        let figures = Figures(session.started.elapsed()).close(&line);
        plan.checkout.collisions().iter().for_each(|why| session.job.warn(why));
        let text = |out: &mut dyn Write| unplaced(&plan.checkout, out);
        session.answer(Answer { report: &plan, dry_run: true, text, figures })?;
        return Ok(Exit::Done);
    }
    pull(&repo, &options, session)
}

/// Asks about a remote that the user did not agree to yet, if somebody is there.
fn plan<'r>(
    repo: &'r Repo,
    options: &PullOptions,
    session: &Session<'_>,
) -> Result<PullPlan<'r>, Failure> {
    match ops::pull::plan(repo, options, &session.job) {
        Ok(plan) => Ok(plan),
        Err(error) => {
            accepts(error, repo, session)?;
            Ok(ops::pull::plan(repo, options, &session.job)?)
        }
    }
}

/// Gets content and places it.
pub(super) fn pull(
    repo: &Repo,
    options: &PullOptions,
    session: &Session<'_>,
) -> Result<Exit, Failure> {
    let plan = plan(repo, options, session)?;
    let report = ops::pull::run(repo, plan, &session.job)?;
    let line = format!("{}; {}", fetch_line(&report.fetch), checkout_line(&report.checkout));
    let figures = Figures(session.started.elapsed()).close(&line);
    remarks(&report.checkout, "ask whoever pushed the pointers to run `haul push`", session);
    let text = |out: &mut dyn Write| left_out(&report.checkout, out);
    session.answer(Answer { report: &report, dry_run: false, text, figures })?;
    Ok(match &report.checkout {
        placed if !placed.missing.is_empty() => Exit::Damaged,
        placed if !placed.colliding.is_empty() => Exit::No,
        _ => Exit::Done,
    })
}
