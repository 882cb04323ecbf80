//! Questions, asked only where a person is there to answer.

use std::io::{self, BufRead, IsTerminal, Write};

use crate::cli::failure::Failure;
use crate::cli::session::Session;
use crate::ops;
use crate::ops::OpError;
use crate::path::show;
use crate::repo::Repo;

/// Turns a remote that was not accepted into a question; returns if the user agrees, which is kept.
///
/// Any other failure, and this one where nobody can answer, is handed back.
pub(super) fn accepts(error: OpError, repo: &Repo, session: &Session<'_>) -> Result<(), Failure> {
    let there = io::stdin().is_terminal() && io::stderr().is_terminal();
    let OpError::NotAccepted { name, url } = &error else { return Err(error.into()) };
    if session.json || !there {
        return Err(error.into());
    }
    let mut out = io::stderr().lock();
    write!(
        out,
        "remote `{}` lies outside the repository: {}\nuse it, now and from now on? [y/N] ",
        show(name.as_bytes()),
        show(url.as_bytes())
    )?;
    out.flush()?;
    drop(out);
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    if !matches!(answer.trim(), "y" | "Y" | "yes") {
        return Err(error.into());
    }
    ops::remote::accept(repo, name)?;
    Ok(())
}
