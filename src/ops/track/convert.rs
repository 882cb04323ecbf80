//! From a pointer beside the data to one in its place: what it names stays the same.

use crate::git::StagedBytes;
use crate::ops::error::OpError;
use crate::ops::tracked::let_go;
use crate::path::{RepoPath, show};
use crate::pointer::{Pointer, PointerKind};
use crate::repo::Repo;
use crate::worktree::{Tracked, TrackedState};

/// Refuses what cannot become a pointer in place of data.
pub(super) fn check(items: &[&Tracked]) -> Result<(), OpError> {
    for item in items {
        let path = show(item.path.as_bytes());
        let is_file = |pointer: &Pointer| matches!(pointer.kind(), PointerKind::File { .. });
        if !item.pointer().is_some_and(is_file) {
            return Err(OpError::refused(
                format!("`{path}` is tracked as a folder, or its pointer cannot be used"),
                format!("run `haul untrack {path}` first, then `git add` its files"),
            ));
        }
    }
    Ok(())
}

/// Stages the pointers at the paths of the data, and lets go of those beside.
pub(super) fn convert(repo: &Repo, items: &[&Tracked]) -> Result<(), OpError> {
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
        paths.push(&item.path);
    }
    if paths.is_empty() {
        return Ok(());
    }
    // In this order: at each moment Git has a pointer to the content.
    repo.git().stage_bytes(&staged)?;
    let_go(repo, &paths)?;
    let keys: Vec<&[u8]> = paths.iter().copied().map(RepoPath::as_bytes).collect();
    Ok(repo.git().refresh_filtered(&keys)?)
}
