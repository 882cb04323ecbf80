//! What fetch, checkout and pull have in common.

use crate::cli::args::{SelectArgs, TransferArgs};
use crate::cli::render::files;
use crate::ops::Select;
use crate::ops::fetch::FetchOptions;
use crate::path::show;
use crate::units::ByteSize;

pub(super) fn select(args: &SelectArgs, all: bool) -> Select {
    Select { paths: args.paths.clone(), rev: args.rev.clone(), all }
}

pub(super) fn fetch_options(select: Select, args: &TransferArgs) -> FetchOptions {
    FetchOptions {
        select,
        remote: args.remote.clone(),
        jobs: args.jobs.map(usize::from),
        max_bytes: args.max_bytes,
    }
}

/// Returns what a dry run of fetch or pull would get.
pub(super) fn planned(
    verb: &str,
    remote: &str,
    (count, bytes, fetch_bytes): (u64, u64, u64),
) -> String {
    format!(
        "would {verb} {}, {} from `{}`: about {} to receive",
        files(count),
        ByteSize(bytes),
        show(remote.as_bytes()),
        ByteSize(fetch_bytes)
    )
}
