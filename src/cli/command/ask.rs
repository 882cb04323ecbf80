//! Questions, asked only where a person is there to answer.

use std::io::{self, BufRead, IsTerminal, Write};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::cli::failure::Failure;
use crate::cli::session::Session;
use crate::ops;
use crate::ops::OpError;
use crate::path::show;
use crate::repo::Repo;

/// How often a question looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(50);

/// Turns a remote that was not accepted into a question; returns if the user agrees, which is kept.
///
/// Any other failure, and this one where nobody can answer, is handed back.
pub(super) fn accepts(error: OpError, repo: &Repo, session: &Session<'_>) -> Result<(), Failure> {
    let OpError::NotAccepted { name, url } = &error else { return Err(error.into()) };
    let shown = show(name.as_bytes());
    let what = format!("remote `{shown}` lies outside the repository: {}", show(url.as_bytes()));
    if !agrees(&what, session)? {
        return Err(error.into());
    }
    ops::remote::accept(repo, name)?;
    Ok(())
}

/// Does what takes data from a foreign repository, once more if the user then agrees to its remote.
pub(super) fn with_acceptance<T>(
    work: impl Fn() -> Result<T, OpError>,
    session: &Session<'_>,
) -> Result<T, Failure> {
    let error = match work() {
        Ok(done) => return Ok(done),
        Err(error) => error,
    };
    let OpError::NotAcceptedThere { url } = &error else { return Err(error.into()) };
    if !accepts_there(url, session)? {
        return Err(error.into());
    }
    Ok(work()?)
}

/// Asks for the use of a remote of a foreign repository; that the user agrees is kept.
pub(super) fn accepts_there(url: &str, session: &Session<'_>) -> Result<bool, Failure> {
    let agreed = agrees(&format!("the data lies on {}", show(url.as_bytes())), session)?;
    if agreed {
        ops::remote::accept_address(session.environment, url)?;
    }
    Ok(agreed)
}

/// Asks for the use of a remote; nobody agrees where nobody is there.
fn agrees(what: &str, session: &Session<'_>) -> Result<bool, Failure> {
    let there = io::stdin().is_terminal() && io::stderr().is_terminal();
    if session.json || !there {
        return Ok(false);
    }
    let mut out = io::stderr().lock();
    write!(out, "{what}\nuse it, now and from now on? [y/N] ")?;
    out.flush()?;
    drop(out);
    let answer = typed(session)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Waits for a line, or for the wish to stop. Reading it goes on after a signal, so that another thread
/// does that.
fn typed(session: &Session<'_>) -> Result<String, Failure> {
    let (send, answers) = mpsc::channel();
    thread::spawn(move || {
        let mut answer = String::new();
        let read = io::stdin().lock().read_line(&mut answer);
        // Who asked may not want to know any more.
        drop(send.send(read.map(|_| answer)));
    });
    loop {
        match answers.recv_timeout(LOOK) {
            Ok(answer) => return Ok(answer?),
            Err(RecvTimeoutError::Timeout) => session.job.check().map_err(OpError::from)?,
            Err(RecvTimeoutError::Disconnected) => return Ok(String::new()),
        }
    }
}
