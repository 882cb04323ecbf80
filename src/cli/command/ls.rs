use std::io::{self, Write};

use crate::cli::args::LsArgs;
use crate::cli::command::select::source;
use crate::cli::failure::Failure;
use crate::cli::render::shown;
use crate::cli::session::Session;
use crate::ops;
use crate::ops::Exit;
use crate::ops::ls::{Depth, LsOptions, LsReport};
use crate::units::{ByteSize, Count};

pub(super) fn run(args: &LsArgs, session: &Session<'_>) -> Result<Exit, Failure> {
    let repo = session.repo_or_bare()?;
    let depth = if args.recursive { Depth::All } else { Depth::One };
    let options = LsOptions { words: args.words.clone(), depth, source: source(&args.source) };
    let report = ops::ls::run(&repo, &options, &session.job)?;
    session.show(&report, |out: &mut dyn Write| table(&report, out))?;
    Ok(Exit::Done)
}

/// Kind, bytes, entries of a folder, path; folders end with a slash.
fn table(report: &LsReport, out: &mut dyn Write) -> io::Result<()> {
    for row in &report.entries {
        let (size, path) = (ByteSize(row.bytes).to_string(), shown(&row.path));
        let (count, slash) = match row.kind {
            "folder" => (Count(row.files).to_string(), "/"),
            "empty-folder" => (String::new(), "/"),
            _ => (String::new(), ""),
        };
        writeln!(out, "{:<12} {size:>10} {count:>10}  {path}{slash}", row.kind)?;
    }
    Ok(())
}
