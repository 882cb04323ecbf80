use std::io::Write;

use crate::cli::args::CiVerb;
use crate::cli::command::select::select;
use crate::cli::failure::Failure;
use crate::cli::session::Session;
use crate::ops;
use crate::ops::Exit;
use crate::ops::ci::{CiKeyOptions, Precision};

pub(super) fn run(verb: &CiVerb, session: &Session<'_>) -> Result<Exit, Failure> {
    let CiVerb::Key { select: chosen, exact } = verb;
    let repo = session.repo_or_bare()?;
    let precision = if *exact { Precision::Files } else { Precision::Pointers };
    let options = CiKeyOptions { select: select(chosen, false), precision };
    let report = ops::ci::key(&repo, &options, &session.job)?;
    session.show(&report, |out: &mut dyn Write| writeln!(out, "{}", report.key))?;
    Ok(Exit::Done)
}
