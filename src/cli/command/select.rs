//! What verbs that select and fetch have in common.

use std::io::{self, Write};

use crate::cli::args::{SelectArgs, SourceArgs, TransferArgs};
use crate::cli::render::{content, many, shown};
use crate::ops::fetch::{FetchOptions, FetchPlan};
use crate::ops::{Recall, Select, Source, ToFetch};
use crate::path::{JsonPath, show};
use crate::units::ByteSize;

pub(super) fn select(args: &SelectArgs, all: bool) -> Select {
    let (paths, rev, view) = (args.paths.clone(), args.rev.clone(), args.view.clone());
    Select { paths, rev, all, view }
}

pub(super) fn source(args: &SourceArgs) -> Source {
    Source { remote: args.remote.clone(), jobs: args.jobs.map(usize::from), recall: Recall::Yes }
}

pub(super) fn fetch_options(select: Select, args: &TransferArgs) -> FetchOptions {
    FetchOptions {
        select,
        remote: args.remote.clone(),
        jobs: args.jobs.map(usize::from),
        max_bytes: args.max_bytes,
        recall: Recall::Yes,
    }
}

/// Returns what a dry run of fetch or pull would get.
pub(super) fn planned(verb: &str, plan: &FetchPlan) -> String {
    // No remote is asked if the cache has everything.
    let from = match plan.remote.as_str() {
        "" => String::new(),
        remote => format!(" from `{}`", show(remote.as_bytes())),
    };
    to_fetch(&format!("would {verb}"), &from, &plan.figures())
}

/// Returns what is to be fetched, from where.
pub(super) fn to_fetch(begin: &str, from: &str, plan: &ToFetch) -> String {
    format!(
        "{begin} {}{from}: {} to receive in {}",
        content(plan.files, plan.bytes),
        ByteSize(plan.receive_bytes),
        many(plan.requests, "request", "requests")
    )
}

/// Prints a line for each path, behind a word.
pub(super) fn list(word: &str, paths: &[JsonPath], out: &mut dyn Write) -> io::Result<()> {
    paths.iter().try_for_each(|path| writeln!(out, "{word:<9} {}", shown(path)))
}
