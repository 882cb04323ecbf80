//! Handing patterns to haul.

use std::ffi::OsString;
use std::path::PathBuf;

use serde::Serialize;

use crate::ops::error::OpError;
use crate::ops::track::attributes::{add, pattern_of};
use crate::ops::track::convert::{check, convert};
use crate::path::{JsonPath, json_path};
use crate::repo::Repo;
use crate::worktree::{load_in_place, load_tracked};

/// What to track.
#[derive(Clone, Debug, Default)]
pub struct TrackOptions {
    /// Patterns, or paths that are there.
    pub patterns: Vec<OsString>,
    /// Where haul lies, for Git to call.
    pub haul: PathBuf,
}

/// What is tracked from now on.
#[derive(Clone, Debug, Serialize)]
pub struct TrackReport {
    /// Patterns that got a line.
    pub patterns: Vec<JsonPath>,
    /// Paths whose pointer lay beside them, and that Git holds in their place now.
    pub converted: Vec<JsonPath>,
    /// Files that Git still holds itself: `git add --renormalize` hands them over.
    pub waiting: Vec<JsonPath>,
}

/// Writes the lines and has Git call haul; nothing is taken in yet, but for pointers beside files, which
/// become pointers in their place.
pub fn run(repo: &Repo, options: &TrackOptions) -> Result<TrackReport, OpError> {
    repo.require_initialised()?;
    let _working = repo.lock_for_work()?;
    let patterns: Result<Vec<Vec<u8>>, OpError> =
        options.patterns.iter().map(|word| pattern_of(repo, word)).collect();
    let patterns = patterns?;
    repo.git().set_filter(&options.haul)?;
    let new = add(repo, &patterns)?;
    let (tracked, _) = load_tracked(repo.git(), repo.door())?;
    let keys = tracked.iter().map(|item| item.path.as_bytes());
    let filtered = repo.git().is_filtered(keys, None)?;
    let both: Vec<_> =
        tracked.iter().filter(|item| filtered.contains(item.path.as_bytes())).collect();
    check(&both)?;
    convert(repo, &both)?;
    let json = |path: &[u8]| json_path(path);
    Ok(TrackReport {
        patterns: new.iter().map(|pattern| json(pattern)).collect(),
        converted: both.iter().map(|item| json(item.path.as_bytes())).collect(),
        waiting: waiting(repo)?.iter().map(|path| json(path)).collect(),
    })
}

/// Files that attributes hand to haul and that Git holds itself.
fn waiting(repo: &Repo) -> Result<Vec<Vec<u8>>, OpError> {
    let (held, _) = load_in_place(repo.git())?;
    let held: std::collections::BTreeSet<&[u8]> =
        held.iter().map(|item| item.path.as_bytes()).collect();
    let mut out: Vec<Vec<u8>> =
        repo.git().filtered()?.into_iter().map(|entry| entry.path).collect();
    out.retain(|path| !held.contains(path.as_slice()));
    out.dedup();
    Ok(out)
}
