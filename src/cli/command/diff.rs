use std::io::Write;

use crate::cli::args::DiffArgs;
use crate::cli::command::select::source;
use crate::cli::failure::Failure;
use crate::cli::render::{diff_listing, diff_markdown, diff_stat};
use crate::cli::session::Session;
use crate::ops;
use crate::ops::Exit;
use crate::ops::diff::DiffOptions;

pub(super) fn run(args: &DiffArgs, session: &Session<'_>) -> Result<Exit, Failure> {
    let repo = session.repo_or_bare()?;
    let (words, paths) = (args.words.clone(), args.paths.clone());
    let options = DiffOptions { words, paths, source: source(&args.source) };
    let report = ops::diff::run(&repo, &options, &session.job)?;
    session.show(&report, |out: &mut dyn Write| {
        if args.markdown {
            diff_markdown(&report, out)
        } else if args.stat {
            diff_stat(&report, out)
        } else {
            diff_listing(&report, out)
        }
    })?;
    Ok(if args.exit_code && !report.difference.entries.is_empty() { Exit::No } else { Exit::Done })
}
