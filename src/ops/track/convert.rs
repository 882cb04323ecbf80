//! From a pointer beside the data to one in its place: what it names stays the same.

use crate::git::StagedBytes;
use crate::ops::error::OpError;
use crate::ops::track::attributes::literal;
use crate::ops::tracked::{let_go, own_files};
use crate::path::{RepoPath, in_shell, show};
use crate::pointer::{Pointer, PointerKind};
use crate::progress::Job;
use crate::repo::Repo;
use crate::worktree::{Tracked, TrackedState};

/// Says whether a folder is tracked: Git knows no such path, so that no pattern means it.
pub(super) fn is_folder(item: &Tracked) -> bool {
    item.pointer().is_some_and(|pointer| matches!(pointer.kind(), PointerKind::Dir { .. }))
}

/// Refuses patterns that name a tracked folder.
pub(super) fn check_named(tracked: &[Tracked], patterns: &[Vec<u8>]) -> Result<(), OpError> {
    let names = |item: &&Tracked| {
        let own = literal(&item.path, true);
        let own = own.strip_prefix(b"/").unwrap_or(&own);
        patterns.iter().any(|pattern| pattern.strip_prefix(b"/").unwrap_or(pattern) == own)
    };
    match tracked.iter().filter(|item| is_folder(item)).find(names) {
        Some(item) => Err(unfit(item, "is tracked as a folder")),
        None => Ok(()),
    }
}

/// Refuses what cannot become a pointer in place of data.
pub(super) fn check(items: &[&Tracked]) -> Result<(), OpError> {
    match items.iter().find(|item| item.pointer().is_none()) {
        Some(item) => Err(unfit(item, "has a pointer that cannot be used")),
        None => Ok(()),
    }
}

fn unfit(item: &Tracked, why: &str) -> OpError {
    OpError::refused(
        format!("nothing was changed: `{}` {why}", show(item.path.as_bytes())),
        format!(
            "run `haul untrack {}` first, then `git add` its files",
            in_shell(item.path.as_bytes())
        ),
    )
}

/// Stages the pointers at the paths of the data, and lets go of those beside.
pub(super) fn convert(repo: &Repo, items: &[&Tracked], job: &Job) -> Result<(), OpError> {
    if items.is_empty() {
        return Ok(());
    }
    own_files(repo, items.iter().map(|item| &item.path), job)?;
    let (mut staged, mut paths) = (Vec::new(), Vec::new());
    for item in items {
        let TrackedState::Sound(pointer, _) = &item.state else { continue };
        let PointerKind::File { oid, size, root, executable } = pointer.kind() else { continue };
        // Whether a file may be run is said by Git, where Git has the file.
        let kind =
            PointerKind::File { oid: *oid, size: *size, root: root.clone(), executable: false };
        let new = Pointer::with_new_content(pointer, kind);
        let new = new.map_err(|e| OpError::Defect(format!("a new pointer is not sound: {e}")))?;
        let bytes = if *size == 0 { Vec::new() } else { new.to_bytes() };
        // As `git checkout` would leave it: content comes with `haul pull`.
        if repo.door().stamp(&item.path)?.is_none() {
            repo.door().write_durably(&item.path, &bytes)?;
        }
        let mode = if *executable { 0o100_755 } else { 0o100_644 };
        staged.push(StagedBytes { path: item.path.as_bytes().to_vec(), mode, bytes });
        paths.push(item.path.clone());
    }
    if paths.is_empty() {
        return Ok(());
    }
    // In this order: at each moment Git has a pointer to the content.
    repo.git().stage_bytes(&staged)?;
    let_go(repo, &paths)?;
    let keys: Vec<&[u8]> = paths.iter().map(RepoPath::as_bytes).collect();
    Ok(repo.git().refresh_filtered(&keys)?)
}
