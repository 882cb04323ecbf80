//! The pointer of a folder whose manifest was changed: written, staged, remembered.

use crate::ops::checkout::LastPlaced;
use crate::ops::error::OpError;
use crate::ops::inside::Folder;
use crate::ops::provenance::{lost_note, warn_of_change};
use crate::path::RepoPath;
use crate::pointer::{Pointer, PointerKind};
use crate::progress::Job;
use crate::repo::Repo;

/// Says whether the worktree follows the pointer, as far as that is remembered; a folder that was
/// never placed has nothing that could be behind.
pub(crate) fn is_followed(repo: &Repo, folder: Folder<'_>) -> Result<bool, OpError> {
    Ok(!LastPlaced::load(repo)?.is_behind(folder.path, &folder.pointer.to_bytes()))
}

/// Writes the pointer that takes the place of a folder's, and stages it.
pub(crate) fn replace_pointer(
    repo: &Repo,
    folder: Folder<'_>,
    kind: PointerKind,
    job: &Job,
) -> Result<(), OpError> {
    let own = write_pointer(repo, folder, kind, job)?;
    Ok(repo.git().stage(&[own.as_bytes()])?)
}

/// Writes the pointer that takes the place of a folder's; returns its path, which is to be staged. What
/// else the folder holds is as far behind, or not, as it was.
pub(crate) fn write_pointer(
    repo: &Repo,
    folder: Folder<'_>,
    kind: PointerKind,
    job: &Job,
) -> Result<RepoPath, OpError> {
    let followed = is_followed(repo, folder)?;
    let pointer = Pointer::with_new_content(folder.pointer, kind)
        .map_err(|e| OpError::Defect(format!("a new pointer is not sound: {e}")))?;
    if let Some(url) = lost_note(folder.pointer, &pointer) {
        warn_of_change(folder.path, &url, job);
    }
    let (own, bytes) = (folder.path.pointer_path()?, pointer.to_bytes());
    repo.door().write_durably(&own, &bytes)?;
    // Before Git: if its index is locked, the user stages, and the data is as this pointer says.
    if followed {
        repo.stat()?.save([], [(folder.path.as_bytes(), Some(bytes.as_slice()))])?;
    }
    Ok(own)
}
