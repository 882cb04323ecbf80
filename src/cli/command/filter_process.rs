use std::io;

use crate::cli::args::FilterProcessArgs;
use crate::cli::failure::Failure;
use crate::cli::session::Session;
use crate::ops;
use crate::ops::Exit;
use crate::ops::filter_process::{FilterOptions, Smudged, Taking};

/// Serves Git over standard input and output; its own words stand around ours.
pub(super) fn run(args: &FilterProcessArgs, session: &Session<'_>) -> Result<Exit, Failure> {
    let skip = session.environment.text("HAUL_SKIP_SMUDGE").is_some_and(|value| value != "0");
    let options = FilterOptions {
        taking: if args.hash_only { Taking::Hash } else { Taking::Store },
        smudged: if skip { Smudged::Pointers } else { Smudged::Content },
    };
    let pipes = (io::stdin().lock(), io::BufWriter::new(io::stdout().lock()));
    ops::filter_process::run(session.environment, options, pipes, &session.job)?;
    Ok(Exit::Done)
}
