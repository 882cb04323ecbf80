use crate::cli::args::{GetArgs, ImportArgs, OriginArgs, UpdateArgs};
use crate::cli::command::ask::with_acceptance;
use crate::cli::command::select::to_fetch;
use crate::cli::failure::Failure;
use crate::cli::render::{Figures, files};
use crate::cli::session::Session;
use crate::ops;
use crate::ops::get::GetOptions;
use crate::ops::import::{ImportOptions, ImportPlanRow, ImportedRow};
use crate::ops::update::UpdateOptions;
use crate::ops::{Exit, Origin};
use crate::path::show;
use crate::units::{ByteSize, Count};

fn origin(args: &OriginArgs) -> Origin {
    Origin {
        url: args.url.clone(),
        rev: args.rev.clone(),
        max_bytes: args.max_bytes,
        jobs: args.jobs.map(usize::from),
    }
}

pub(super) fn get(args: &GetArgs, session: &Session<'_>) -> Result<Exit, Failure> {
    let OriginArgs { path, .. } = &args.origin;
    let (origin, path) = (origin(&args.origin), path.clone());
    let options = GetOptions { origin, path, to: args.output.clone() };
    if args.origin.dry_run {
        let plan = with_acceptance(
            || ops::get::plan(session.environment, &options, &session.job),
            session,
        )?;
        let from = format!(" as `{}`, of commit {}", show(plan.to.as_bytes()), short(&plan.commit));
        let line = to_fetch("would get", &from, &plan.fetch);
        let figures = Figures(session.started.elapsed()).close(&line);
        session.answer_figures(&plan, true, figures)?;
        return Ok(Exit::Done);
    }
    let report =
        with_acceptance(|| ops::get::run(session.environment, &options, &session.job), session)?;
    let line = format!(
        "got {}, {} as `{}`, of commit {}: {} received",
        files(report.files),
        ByteSize(report.bytes),
        show(report.to.as_bytes()),
        short(&report.commit),
        ByteSize(report.requests.received)
    );
    let figures = Figures(session.started.elapsed()).close(&line);
    session.answer_figures(&report, false, figures)?;
    Ok(Exit::Done)
}

pub(super) fn import(args: &ImportArgs, session: &Session<'_>) -> Result<Exit, Failure> {
    let repo = session.repo()?;
    let OriginArgs { path, .. } = &args.origin;
    let (origin, path) = (origin(&args.origin), path.clone());
    let options = ImportOptions { origin, path, to: args.to.clone() };
    if args.origin.dry_run {
        let plan = with_acceptance(|| ops::import::plan(&repo, &options, &session.job), session)?;
        let figures = Figures(session.started.elapsed()).close(&planned("would import", &plan));
        session.answer_figures(&plan, true, figures)?;
        return Ok(Exit::Done);
    }
    let report = with_acceptance(|| ops::import::run(&repo, &options, &session.job), session)?;
    let figures = Figures(session.started.elapsed()).close(&row(&report));
    session.answer_figures(&report, false, figures)?;
    Ok(Exit::Done)
}

pub(super) fn update(args: &UpdateArgs, session: &Session<'_>) -> Result<Exit, Failure> {
    let repo = session.repo()?;
    let jobs = args.jobs.map(usize::from);
    let (paths, rev, max_bytes) = (args.paths.clone(), args.rev.clone(), args.max_bytes);
    let options = UpdateOptions { paths, rev, jobs, max_bytes };
    if args.dry_run {
        let plan = with_acceptance(|| ops::update::plan(&repo, &options, &session.job), session)?;
        let lines: Vec<String> =
            plan.paths.iter().map(|own| planned("would update", own)).collect();
        let line =
            if lines.is_empty() { "nothing was imported".to_owned() } else { lines.join("\n") };
        let figures = Figures(session.started.elapsed()).close(&line);
        session.answer_figures(&plan, true, figures)?;
        return Ok(Exit::Done);
    }
    let report = with_acceptance(|| ops::update::run(&repo, &options, &session.job), session)?;
    report.paths.iter().for_each(|own| session.job.note(&row(own)));
    let updated = report.paths.iter().filter(|own| own.change == "updated").count();
    let (updated, all) = (Count(updated as u64), Count(report.paths.len() as u64));
    let line = format!("{updated} of {all} imported paths updated");
    let figures = Figures(session.started.elapsed()).close(&line);
    session.answer_figures(&report, false, figures)?;
    Ok(Exit::Done)
}

fn planned(begin: &str, row: &ImportPlanRow) -> String {
    let (path, url) = (show(row.path.path.as_bytes()), show(row.url.as_bytes()));
    if row.change == "unchanged" {
        return format!("`{path}` is what `{url}` has, of commit {}", short(&row.commit));
    }
    let from = format!(" of `{url}` as `{path}`, of commit {}", short(&row.commit));
    to_fetch(begin, &from, &row.fetch)
}

fn row(row: &ImportedRow) -> String {
    let ImportedRow { path, url, commit, change, files: count, bytes, requests } = row;
    let (path, url) = (show(path.path.as_bytes()), show(url.as_bytes()));
    if *change == "unchanged" {
        return format!("`{path}` is what `{url}` has, of commit {}", short(commit));
    }
    if *change == "followed" {
        let commit = short(commit);
        return format!(
            "`{path}` is what `{url}` has at commit {commit}, whose revision it follows now"
        );
    }
    format!(
        "{change} `{path}` from `{url}`, of commit {}: {}, {}, {} received",
        short(commit),
        files(*count),
        ByteSize(*bytes),
        ByteSize(requests.received)
    )
}

fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}
