use std::cell::RefCell;
use std::collections::BTreeSet;

use serde::Serialize;

use crate::cli::args::{GetArgs, ImportArgs, OriginArgs, UpdateArgs};
use crate::cli::command::ask::{accepts_there, with_acceptance};
use crate::cli::command::select::to_fetch;
use crate::cli::failure::{AGAIN, Failure};
use crate::cli::render::{ErrorDocument, ErrorText, Figures, files};
use crate::cli::session::Session;
use crate::ops;
use crate::ops::get::GetOptions;
use crate::ops::import::{ImportOptions, ImportPlanRow, ImportedRow};
use crate::ops::update::{FailedImport, UpdateOptions};
use crate::ops::{Exit, Origin};
use crate::path::{JsonPath, show};
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

/// What an update did or would do, as a document.
#[derive(Serialize)]
struct Updated<'a, T> {
    paths: &'a [T],
    failed: Vec<FailedRow<'a>>,
}

/// An import that could not be brought up to date.
#[derive(Serialize)]
struct FailedRow<'a> {
    #[serde(flatten)]
    path: &'a JsonPath,
    url: &'a str,
    commit: Option<&'a str>,
    error: ErrorDocument<'a>,
}

pub(super) fn update(args: &UpdateArgs, session: &Session<'_>) -> Result<Exit, Failure> {
    let repo = session.repo()?;
    let jobs = args.jobs.map(usize::from);
    let (paths, rev, max_bytes) = (args.paths.clone(), args.rev.clone(), args.max_bytes);
    let options = UpdateOptions { paths, rev, jobs, max_bytes };
    let declined = RefCell::new(BTreeSet::new());
    let accept = |url: &str| {
        if declined.borrow().contains(url) {
            return Ok(false);
        }
        let agreed = match accepts_there(url, session) {
            Err(Failure::Op(error)) => return Err(*error),
            // Nobody is there to be asked.
            Err(_) => false,
            Ok(agreed) => agreed,
        };
        if !agreed {
            declined.borrow_mut().insert(url.to_owned());
        }
        Ok(agreed)
    };
    if args.dry_run {
        let plan = ops::update::plan(&repo, &options, &accept, &session.job)?;
        let lines: Vec<String> =
            plan.paths.iter().map(|own| planned("would update", own)).collect();
        let line = match (lines.as_slice(), plan.failed.as_slice()) {
            ([], []) => "nothing was imported".to_owned(),
            ([], _) => "nothing would be updated".to_owned(),
            (lines, _) => lines.join("\n"),
        };
        return updated((&plan.paths, &plan.failed), (&line, true), session);
    }
    let report = ops::update::run(&repo, &options, &accept, &session.job)?;
    report.paths.iter().for_each(|own| session.job.note(&row(own)));
    let done = report.paths.iter().filter(|own| own.change == "updated").count();
    let all = report.paths.len() + report.failed.len();
    let line = format!("{} of {} imported paths updated", Count(done as u64), Count(all as u64));
    updated((&report.paths, &report.failed), (&line, false), session)
}

/// Answers with what became of each import; the first that failed decides how the command ends.
fn updated<T: Serialize>(
    (paths, failed): (&[T], &[FailedImport]),
    (line, dry_run): (&str, bool),
    session: &Session<'_>,
) -> Result<Exit, Failure> {
    let texts: Vec<ErrorText> = failed.iter().map(failed_text).collect();
    for text in &texts {
        session.talk.error(text);
    }
    let rows = failed.iter().zip(&texts).map(|(own, text)| FailedRow {
        path: &own.path,
        url: &own.url,
        commit: own.commit.as_deref(),
        error: text.part(own.error.exit()),
    });
    let report = Updated { paths, failed: rows.collect() };
    let figures = Figures(session.started.elapsed()).close(line);
    session.answer_figures(&report, dry_run, figures)?;
    Ok(failed.first().map_or(Exit::Done, |own| own.error.exit()))
}

/// Says which import it is, and what happened to it.
fn failed_text(own: &FailedImport) -> ErrorText {
    let FailedImport { path, url, commit, error } = own;
    let text = ErrorText::of(error);
    let of = commit.as_deref().map_or(String::new(), |id| format!(", of commit {}", short(id)));
    let message = format!("`{}` from `{url}`{of}: {}", path.path, text.message);
    ErrorText { message, hint: text.hint.or_else(|| Some(AGAIN.to_owned())), ..text }
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
