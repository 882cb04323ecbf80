use std::io;

use crate::cli::args::FilterProcessArgs;
use crate::cli::failure::Failure;
use crate::cli::session::Session;
use crate::ops;
use crate::ops::Exit;
use crate::ops::filter_process::{FilterOptions, Smudged, Taking};

/// Serves Git over standard input and output; its own words stand around ours.
pub(super) fn run(_: &FilterProcessArgs, session: &Session<'_>) -> Result<Exit, Failure> {
    let is_set = |name| session.environment.text(name).is_some_and(|value| value != "0");
    // As a haul says that has Git compare.
    let only_hash = is_set("HAUL_HASH_ONLY");
    let options = FilterOptions {
        taking: if only_hash { Taking::Hash } else { Taking::Store },
        smudged: if only_hash || is_set("HAUL_SKIP_SMUDGE") {
            Smudged::Pointers
        } else {
            Smudged::Content
        },
    };
    let pipes = (io::stdin().lock(), io::BufWriter::new(io::stdout().lock()));
    ops::filter_process::run(session.environment, options, pipes, &session.job)?;
    Ok(Exit::Done)
}
