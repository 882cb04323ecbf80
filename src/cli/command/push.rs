use serde::Serialize;

use crate::cli::args::PushArgs;
use crate::cli::failure::Failure;
use crate::cli::render::{Figures, content, many, push_line};
use crate::cli::session::Session;
use crate::ops;
use crate::ops::Exit;
use crate::ops::push::{PushOptions, PushPreview};
use crate::path::show;
use crate::repo::Repo;
use crate::units::ByteSize;

pub(super) fn run(args: &PushArgs, session: &Session<'_>) -> Result<Exit, Failure> {
    let repo = session.repo_at(args.limit_rate)?;
    let options = PushOptions {
        paths: args.paths.clone(),
        rev: args.rev.clone(),
        all: args.all,
        remote: args.remote.clone(),
        jobs: args.jobs.map(usize::from),
        max_bytes: args.max_bytes,
    };
    if args.all_remotes {
        return to_all(args, &options, &repo, session);
    }
    let plan = ops::push::plan(&repo, &options, &session.job)?;
    if args.dry_run {
        let plan = ops::push::preview(&repo, plan, &session.job)?;
        let figures = Figures(session.started.elapsed()).close(&planned(&plan));
        session.answer_figures(&plan, true, figures)?;
        return Ok(Exit::Done);
    }
    let report = ops::push::run(&repo, plan, &session.job)?;
    let figures = Figures(session.started.elapsed()).close(&push_line(&report));
    session.answer_figures(&report, false, figures)?;
    Ok(Exit::Done)
}

/// What `--all-remotes` did or would do, remote by remote.
#[derive(Serialize)]
struct ToAll<T> {
    remotes: Vec<T>,
}

fn to_all(
    args: &PushArgs,
    options: &PushOptions,
    repo: &Repo,
    session: &Session<'_>,
) -> Result<Exit, Failure> {
    let plans = ops::push::plan_all(repo, options, &session.job)?;
    if args.dry_run {
        let plans: Result<Vec<PushPreview>, _> =
            plans.into_iter().map(|plan| ops::push::preview(repo, plan, &session.job)).collect();
        let plans = plans?;
        let lines: Vec<String> = plans.iter().map(planned).collect();
        let figures = Figures(session.started.elapsed()).close(&lines.join("\n"));
        session.answer_figures(&ToAll { remotes: plans }, true, figures)?;
        return Ok(Exit::Done);
    }
    let (reports, failed) = ops::push::run_all(repo, plans, &session.job);
    let lines: Vec<String> = reports.iter().map(push_line).collect();
    let figures = Figures(session.started.elapsed()).close(&lines.join("\n"));
    if let Some(error) = failed {
        if !lines.is_empty() {
            session.talk.figures(&figures);
        }
        return Err(error.into());
    }
    session.answer_figures(&ToAll { remotes: reports }, false, figures)?;
    Ok(Exit::Done)
}

fn planned(plan: &PushPreview) -> String {
    format!(
        "would push {}, {} to `{}` ({}): {} new, at most {} in {} and {}",
        many(plan.roots, "root", "roots"),
        content(plan.files, plan.logical_bytes),
        show(plan.remote.as_bytes()),
        show(plan.url.as_bytes()),
        ByteSize(plan.new_bytes),
        ByteSize(plan.bytes),
        many(plan.packs, "pack", "packs"),
        many(plan.requests, "request", "requests")
    )
}
