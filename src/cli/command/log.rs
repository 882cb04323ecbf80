use std::io::{self, Write};

use crate::cli::args::LogArgs;
use crate::cli::command::select::source;
use crate::cli::failure::Failure;
use crate::cli::render::{diff_bytes, diff_changes, shown};
use crate::cli::session::Session;
use crate::ops;
use crate::ops::Exit;
use crate::ops::log::{LogOptions, LogReport};
use crate::path::show;

/// Digits of a commit's name.
const DIGITS: usize = 12;

pub(super) fn run(args: &LogArgs, session: &Session<'_>) -> Result<Exit, Failure> {
    let repo = session.repo_or_bare()?;
    let options = LogOptions {
        paths: args.paths.clone(),
        rev: args.rev.clone(),
        limit: args.max_count,
        source: source(&args.source),
    };
    let report = ops::log::run(&repo, &options, &session.job)?;
    session.show(&report, |out: &mut dyn Write| list(&report, out))?;
    Ok(Exit::Done)
}

fn list(report: &LogReport, out: &mut dyn Write) -> io::Result<()> {
    for row in &report.commits {
        let commit = row.commit.get(..DIGITS).unwrap_or(&row.commit);
        let day = row.date.get(..10).unwrap_or(&row.date);
        let (author, subject) = (show(row.author.as_bytes()), show(row.subject.as_bytes()));
        writeln!(out, "{commit} {day} {author}: {subject}")?;
        for path in &row.paths {
            writeln!(out, "    {}", shown(path))?;
        }
        let (changes, bytes) = (diff_changes(&row.figures), diff_bytes(&row.figures));
        writeln!(out, "    {changes}; {bytes}")?;
    }
    Ok(())
}
