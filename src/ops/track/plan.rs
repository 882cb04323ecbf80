//! What handing patterns to haul would change.

use serde::Serialize;

use crate::fs::{FileKind, replace};
use crate::ops::error::OpError;
use crate::ops::track::attributes::{FILE, new_of, pattern_of, read, with_lines};
use crate::ops::track::convert::{check, check_named, is_folder};
use crate::ops::track::stand_in::stand_in;
use crate::ops::track::verb::TrackOptions;
use crate::path::{JsonPath, RepoPath, json_path};
use crate::repo::Repo;
use crate::worktree::{Parent, Tracked, load_tracked};

/// What would be tracked.
#[derive(Clone, Debug, Serialize)]
pub struct TrackPlan {
    /// Patterns that would get a line.
    pub patterns: Vec<JsonPath>,
    /// Paths whose pointer lies beside them, and that Git would hold in their place.
    pub converted: Vec<JsonPath>,
    /// Files that Git has, or would take with `git add`, and hand to haul from then on.
    pub files: u64,
    /// Bytes of these.
    pub bytes: u64,
}

/// Asks Git what the lines would do; writes none of them.
pub fn plan(repo: &Repo, options: &TrackOptions) -> Result<TrackPlan, OpError> {
    repo.require_initialised()?;
    let patterns: Result<Vec<Vec<u8>>, OpError> =
        options.patterns.iter().map(|word| pattern_of(repo, word)).collect();
    let patterns = patterns?;
    let new = new_of(repo, &patterns)?;
    let git = repo.git();
    let (tracked, _) = load_tracked(git, repo.door())?;
    check_named(&tracked, &patterns)?;
    let listed = candidates(repo)?;
    let old = read(repo)?;
    let all = tracked.iter().map(|item| &item.path).chain(listed.iter().map(|(path, _)| path));
    let worktree = stand_in(repo, &old, all.clone())?;
    let files = listed.iter().map(|(path, _)| path.as_bytes());
    let before = git.would_be_filtered(files, worktree.path())?;
    replace(&worktree.path().join(FILE), &with_lines(&old, &new))?;
    let after = git.would_be_filtered(all.map(RepoPath::as_bytes), worktree.path())?;
    let taken = |item: &&Tracked| after.contains(item.path.as_bytes()) && !is_folder(item);
    let both: Vec<_> = tracked.iter().filter(taken).collect();
    check(&both)?;
    let is_new =
        |path: &RepoPath| after.contains(path.as_bytes()) && !before.contains(path.as_bytes());
    let sizes = || listed.iter().filter(|(path, _)| is_new(path)).map(|(_, size)| *size);
    Ok(TrackPlan {
        patterns: new.iter().map(|pattern| json_path(pattern)).collect(),
        converted: both.iter().map(|item| json_path(item.path.as_bytes())).collect(),
        files: sizes().count() as u64,
        bytes: sizes().fold(0, u64::saturating_add),
    })
}

/// Lists files of the worktree that Git holds, or would take with `git add`, and their bytes.
pub(super) fn candidates(repo: &Repo) -> Result<Vec<(RepoPath, u64)>, OpError> {
    let arguments = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let listed = repo.git().run(&arguments, b"")?;
    let mut parent = Parent::default();
    let mut found: Vec<(RepoPath, u64)> = Vec::new();
    for path in listed.split(|byte| *byte == 0).filter(|path| !path.is_empty()) {
        // What haul never tracks is no candidate.
        let Ok(path) = RepoPath::new(path) else { continue };
        match parent.stamp(repo.door(), &path)? {
            Some(stamp) if stamp.kind == FileKind::File => found.push((path, stamp.size)),
            Some(_) | None => {}
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}
