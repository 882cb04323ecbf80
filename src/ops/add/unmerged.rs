//! Paths in a merge under way: what they did is in the pointer and may not be in the worktree yet.

use std::collections::{BTreeMap, BTreeSet};

use crate::ops::error::OpError;
use crate::path::{RepoPath, show};
use crate::repo::Repo;
use crate::worktree::{Tracked, TrackedState};

/// What Git keeps in its folder while it merges.
const SIGNS: [&str; 4] = ["MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge"];

/// Refuses unmerged paths whose data has not followed the merged pointer: an add would take files that
/// they brought for removed.
pub(super) fn refuse_unmerged(
    repo: &Repo,
    paths: &[RepoPath],
    tracked: &[Tracked],
) -> Result<(), OpError> {
    let merging = |sign: &&str| repo.git().git_dir().join(sign).symlink_metadata().is_ok();
    if !SIGNS.iter().any(merging) {
        return Ok(());
    }
    let entries = repo.git().pointers()?.into_iter().filter(|entry| entry.stage > 0);
    let unmerged: BTreeSet<RepoPath> = entries
        .filter_map(|entry| RepoPath::new(&entry.path).and_then(|own| own.target_of_pointer()).ok())
        .collect();
    let placed: BTreeMap<Vec<u8>, Vec<u8>> = repo.stat()?.pointers()?.into_iter().collect();
    for path in paths.iter().filter(|path| unmerged.contains(*path)) {
        let stands = tracked.iter().find(|item| item.path == *path).map(|item| &item.state);
        let Some(TrackedState::Sound(_, bytes)) = stands else { continue };
        if placed.get(path.as_bytes()).is_some_and(|last| last != bytes) {
            return Err(OpError::refused(
                format!(
                    "`{}` is being merged, and what the other side brought is not in the worktree yet",
                    show(path.as_bytes())
                ),
                "run `haul merge` first: it places what did merge",
            ));
        }
    }
    Ok(())
}
