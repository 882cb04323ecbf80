//! Files that are large and that haul does not have.

use serde::Serialize;

use crate::git::stays_in_git;
use crate::ops::error::OpError;
use crate::ops::track::attributes::literal;
use crate::ops::track::plan::candidates;
use crate::ops::track::verb::{TrackOptions, TrackReport, hand_over};
use crate::path::{JsonPath, RepoPath, json_path};
use crate::progress::Job;
use crate::repo::Repo;

/// A large file.
#[derive(Clone, Debug, Serialize)]
pub struct LargeFile {
    /// The path.
    #[serde(flatten)]
    pub path: JsonPath,
    /// Bytes.
    pub size: u64,
}

/// The large files of a worktree.
#[derive(Clone, Debug, Serialize)]
pub struct LargeReport {
    /// The largest first.
    pub files: Vec<LargeFile>,
    /// What was done about them; nothing if they were only looked for.
    pub tracked: Option<TrackReport>,
}

/// Finds files of more than `above` bytes that Git holds, or would take with `git add`, and that it does
/// not hand to haul; tracks each of them by its path if there are `options` for that.
pub fn large(
    repo: &Repo,
    above: u64,
    options: Option<&TrackOptions>,
    job: &Job,
) -> Result<LargeReport, OpError> {
    repo.require_initialised()?;
    let mut found = candidates(repo)?;
    found.retain(|(_, size)| *size > above);
    let keys = found.iter().map(|(path, _)| path.as_bytes());
    let filtered = repo.git().is_filtered(keys, None)?;
    found.retain(|(path, _)| !filtered.contains(path.as_bytes()) && !stays_in_git(path.as_bytes()));
    found.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let tracked = match options {
        Some(options) if !found.is_empty() => {
            let names = found.iter().map(|(path, _)| literal(path, false));
            Some(hand_over(repo, &names.collect::<Vec<_>>(), &options.haul, job)?)
        }
        Some(_) | None => None,
    };
    let row = |(path, size): &(RepoPath, u64)| LargeFile {
        path: json_path(path.as_bytes()),
        size: *size,
    };
    Ok(LargeReport { files: found.iter().map(row).collect(), tracked })
}
