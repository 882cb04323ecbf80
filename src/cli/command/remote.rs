use std::io::{self, Write};

use serde::Serialize;

use crate::cli::args::RemoteVerb;
use crate::cli::failure::Failure;
use crate::cli::render::Figures;
use crate::cli::session::{Answer, Session};
use crate::ops;
use crate::ops::Exit;
use crate::ops::remote::{RemoteReport, RemoteRow};
use crate::path::show;

#[derive(Serialize)]
struct Listed {
    remotes: Vec<RemoteRow>,
}

pub(super) fn run(verb: &RemoteVerb, session: &Session<'_>) -> Result<Exit, Failure> {
    let repo = session.repo()?;
    let (done, report) = match verb {
        RemoteVerb::List => return list(session, ops::remote::list(&repo)?),
        RemoteVerb::Add { name, url } => {
            ("added the remote", ops::remote::add(&repo, name, url, &session.job)?)
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
