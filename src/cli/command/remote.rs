use std::io::{self, Write};

use serde::Serialize;

use crate::cli::args::{AccessArgs, RemoteVerb};
use crate::cli::failure::Failure;
use crate::cli::process::now_ms;
use crate::cli::render::{Figures, many, sync_line};
use crate::cli::session::{Answer, Session};
use crate::ops;
use crate::ops::Exit;
use crate::ops::remote::{
    AddRemoteOptions, Check, Outcome, RemoteReport, RemoteRow, SyncPlan, TestReport,
};
use crate::path::show;
use crate::units::ByteSize;

#[derive(Serialize)]
struct Listed {
    remotes: Vec<RemoteRow>,
}

pub(super) fn run(verb: &RemoteVerb, session: &Session<'_>) -> Result<Exit, Failure> {
    let repo = session.repo_at(verb.limit_rate())?;
    let (done, report) = match verb {
        RemoteVerb::List => return list(session, ops::remote::list(&repo)?),
        RemoteVerb::Test { name } => {
            let report = ops::remote::test(&repo, name.as_deref(), now_ms(), &session.job)?;
            return test(session, &report);
        }
        RemoteVerb::Index { name } => {
            let report = ops::remote::index(&repo, name.as_deref())?;
            let text = format!("wrote the index of {}: {}", report.name, report.objects);
            let figures = Figures(session.started.elapsed()).close(&format!("{text} objects"));
            session.answer_figures(&report, false, figures)?;
            return Ok(Exit::Done);
        }
        RemoteVerb::Sync { from, to, jobs, dry_run, .. } => {
            let names = (from.as_str(), to.as_str());
            if *dry_run {
                let plan =
                    ops::remote::plan_sync(&repo, names, jobs.map(usize::from), &session.job)?;
                let figures = Figures(session.started.elapsed()).close(&planned(&plan));
                session.answer_figures(&plan, true, figures)?;
                return Ok(Exit::Done);
            }
            let report = ops::remote::sync(&repo, names, jobs.map(usize::from), &session.job)?;
            let figures = Figures(session.started.elapsed()).close(&sync_line(&report));
            session.answer_figures(&report, false, figures)?;
            return Ok(Exit::Done);
        }
        RemoteVerb::Add { name, url, access } => {
            let options = options(access);
            ("added the remote", ops::remote::add(&repo, (name, url), &options, &session.job)?)
        }
        RemoteVerb::Remove { name } => ("removed the remote", ops::remote::remove(&repo, name)?),
        RemoteVerb::Default { name } => {
            ("made the default remote", ops::remote::set_default(&repo, name)?)
        }
        RemoteVerb::Accept { name } => ("accepted the remote", ops::remote::accept(&repo, name)?),
    };
    let figures = Figures(session.started.elapsed()).close(&line(done, &report));
    session.answer_figures(&report, false, figures)?;
    Ok(Exit::Done)
}

fn planned(plan: &SyncPlan) -> String {
    format!(
        "would copy {} from `{}` to `{}`: {} in {}, {} there; at most {}",
        many(plan.roots, "root", "roots"),
        show(plan.from.as_bytes()),
        show(plan.to.as_bytes()),
        ByteSize(plan.bytes),
        many(plan.packs, "pack", "packs"),
        many(plan.reused_roots, "root", "roots"),
        many(plan.requests, "request", "requests")
    )
}

/// A switch that is not given says nothing, and is not written down.
fn options(access: &AccessArgs) -> AddRemoteOptions {
    let AccessArgs { endpoint, region, account, user, virtual_host, allow_http, anonymous } =
        access;
    let mut options = AddRemoteOptions::default();
    options.endpoint.clone_from(endpoint);
    options.region.clone_from(region);
    options.account.clone_from(account);
    options.user.clone_from(user);
    options.path_style = virtual_host.then_some(false);
    options.allow_http = allow_http.then_some(true);
    options.anonymous = anonymous.then_some(true);
    options
}

fn line(done: &str, report: &RemoteReport) -> String {
    format!("{done} `{}`: {}", show(report.name.as_bytes()), show(report.url.as_bytes()))
}

fn list(session: &Session<'_>, remotes: Vec<RemoteRow>) -> Result<Exit, Failure> {
    let listed = Listed { remotes };
    let figures = match listed.remotes.len() {
        0 => "no remote yet; `haul remote add NAME URL` adds one".to_owned(),
        1 => "1 remote".to_owned(),
        count => format!("{count} remotes"),
    };
    let figures = Figures(session.started.elapsed()).close(&figures);
    let text = |out: &mut dyn Write| table(&listed.remotes, out);
    session.answer(Answer { report: &listed, dry_run: false, text, figures })?;
    Ok(Exit::Done)
}

/// A remote that cannot be read answers no, as one does that fails at anything.
fn test(session: &Session<'_>, report: &TestReport) -> Result<Exit, Failure> {
    let failed = report.checks.iter().any(|check| check.outcome == Outcome::Fails);
    let what = match (report.writable, report.readable) {
        (true, _) => "can be pushed to and pulled from",
        (false, true) if !failed => "can be pulled from only",
        (false, _) => "cannot be used as it is",
    };
    let text = format!("remote `{}` {what}", show(report.name.as_bytes()));
    let figures = Figures(session.started.elapsed()).close(&text);
    let text = |out: &mut dyn Write| checks(&report.checks, out);
    session.answer(Answer { report, dry_run: false, text, figures })?;
    Ok(if failed || !(report.writable || report.readable) { Exit::No } else { Exit::Done })
}

fn checks(checks: &[Check], out: &mut dyn Write) -> io::Result<()> {
    for check in checks {
        let mark = match check.outcome {
            Outcome::Works => "works",
            Outcome::Lacks => "lacks",
            Outcome::Fails => "FAILS",
        };
        writeln!(out, "{mark}  {:<9} {}", check.what, show(check.says.as_bytes()))?;
        if let Some(follows) = &check.follows {
            writeln!(out, "                 {}", show(follows.as_bytes()))?;
        }
    }
    Ok(())
}

/// Tabs part the columns, so that `cut` can take them: name, URL, state.
fn table(rows: &[RemoteRow], out: &mut dyn Write) -> io::Result<()> {
    for row in rows {
        let state = match (row.default, row.accepted) {
            (true, true) => "default",
            (true, false) => "default, not accepted",
            (false, true) => "",
            (false, false) => "not accepted",
        };
        let (name, url) = (show(row.name.as_bytes()), show(row.url.as_bytes()));
        writeln!(out, "{name}\t{url}\t{state}")?;
    }
    Ok(())
}
