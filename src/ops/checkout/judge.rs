//! What becomes of a path, by what stands there.

use crate::fs::FileKind;
use crate::manifest::EntryKind;
use crate::ops::checkout::past::Past;
use crate::ops::checkout::plan::Work;
use crate::ops::checkout::survey::{Seen, Site};
use crate::ops::error::OpError;
use crate::path::RepoPath;
use crate::repo::Repo;

/// What is to become of a path.
pub(super) enum Verdict {
    Right,
    Replace,
    /// It is right, and is to be shared with the cache in another way.
    Reshape,
    /// This path holds what the user did not add.
    Unsaved(RepoPath),
}

/// Judges what stands at a path.
pub(super) fn judge(
    repo: &Repo,
    seen: &Seen,
    past: &Past,
    work: &Work,
) -> Result<Verdict, OpError> {
    let path = &seen.target.path;
    let stamp = match &seen.site {
        Site::Free => return Ok(Verdict::Replace),
        Site::Blocked(by) if work.going.contains(by.as_bytes()) => return Ok(Verdict::Replace),
        Site::Blocked(by) => return Ok(Verdict::Unsaved(by.clone())),
        Site::Here(stamp) => stamp,
    };
    let unless = |safe| if safe { Verdict::Replace } else { Verdict::Unsaved(path.clone()) };
    match (stamp.kind, seen.content) {
        (FileKind::Directory, _) if seen.target.kind == EntryKind::EmptyDir => {
            // It goes with the last file in it, unless it is made again.
            let emptied = work.leaving.last().is_some_and(|leaving| {
                leaving.files.iter().any(|(gone, _)| gone.starts_with_dir(path))
            });
            Ok(if emptied { Verdict::Replace } else { Verdict::Right })
        }
        (FileKind::Directory, _) => Ok(unless(makes_room(repo, path, work)?)),
        (FileKind::File | FileKind::Symlink, Some(content)) => {
            if seen.is_right() {
                return Ok(Verdict::Right);
            }
            Ok(unless(past.vouches(repo, seen, &content)?))
        }
        (FileKind::Special, _) | (FileKind::File | FileKind::Symlink, None) => Ok(unless(false)),
    }
}

/// Says whether a folder holds nothing but files that are to go.
fn makes_room(repo: &Repo, path: &RepoPath, work: &Work) -> Result<bool, OpError> {
    let mut pending = vec![path.as_bytes().to_vec()];
    while let Some(folder) = pending.pop() {
        for entry in repo.door().root().descend(&folder)?.entries()? {
            let path = [folder.as_slice(), b"/", &entry.name].concat();
            if entry.kind == Some(FileKind::Directory) {
                pending.push(path);
            } else if !work.going.contains(&path) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}
