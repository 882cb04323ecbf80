//! Handing patterns to haul.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::ops::error::OpError;
use crate::ops::track::attributes::{Addition, pattern_of};
use crate::ops::track::convert::{check, check_named, convert, is_folder};
use crate::path::{JsonPath, json_path};
use crate::progress::Job;
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
pub fn run(repo: &Repo, options: &TrackOptions, job: &Job) -> Result<TrackReport, OpError> {
    repo.require_initialised()?;
    let patterns: Result<Vec<Vec<u8>>, OpError> =
        options.patterns.iter().map(|word| pattern_of(repo, word)).collect();
    hand_over(repo, &patterns?, &options.haul, job)
}

/// Hands these patterns of `.gitattributes` to haul.
pub(super) fn hand_over(
    repo: &Repo,
    patterns: &[Vec<u8>],
    haul: &Path,
    job: &Job,
) -> Result<TrackReport, OpError> {
    repo.begin_changes(job)?;
    let _working = repo.lock_for_work()?;
    let (tracked, _) = load_tracked(repo.git(), repo.door())?;
    check_named(&tracked, patterns)?;
    let addition = Addition::write(repo, patterns)?;
    let keys = tracked.iter().map(|item| item.path.as_bytes());
    let filtered = repo.git().is_filtered(keys, None)?;
    let both: Vec<_> = tracked
        .iter()
        .filter(|item| filtered.contains(item.path.as_bytes()) && !is_folder(item))
        .collect();
    if let Err(error) = check(&both) {
        addition.undo(repo)?;
        return Err(error);
    }
    repo.git().set_filter(haul)?;
    let new = addition.stage(repo)?;
    convert(repo, &both, job)?;
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
