//! A worktree of nothing but files of attributes: what Git says there, it would say here if the root's file
//! were another.

use std::collections::BTreeSet;
use std::io::Read;

use crate::fs::{FileKind, Scratch, make_folder, replace};
use crate::ops::error::OpError;
use crate::ops::track::attributes::{FILE, LIMIT};
use crate::path::{RepoPath, show};
use crate::repo::Repo;
use crate::worktree::Parent;

/// Makes one for these paths, with `text` as the root's file, or without one if that is empty. Where the
/// worktree has no such file, or none that Git would read, it takes that of the index there as it does here.
pub(super) fn stand_in<'p>(
    repo: &Repo,
    text: &[u8],
    paths: impl IntoIterator<Item = &'p RepoPath>,
) -> Result<Scratch, OpError> {
    let scratch = Scratch::new_in(&repo.layout().temp())?;
    if !text.is_empty() {
        replace(&scratch.path().join(FILE), text)?;
    }
    let mut folders = BTreeSet::new();
    for path in paths {
        let mut above = path.parent();
        while let Some(folder) = above {
            above = folder.parent();
            if !folders.insert(folder) {
                break;
            }
        }
    }
    let mut parent = Parent::default();
    for folder in &folders {
        let stamp = parent.stamp(repo.door(), folder)?;
        if stamp.is_none_or(|stamp| stamp.kind != FileKind::Directory) {
            continue;
        }
        if let Some(text) = text_in(repo, folder)? {
            let copy = scratch.path().join(folder.to_os());
            make_folder(&copy, false)?;
            replace(&copy.join(FILE), &text)?;
        }
    }
    Ok(scratch)
}

/// Reads the file of attributes in a folder; nothing if there is none.
fn text_in(repo: &Repo, folder: &RepoPath) -> Result<Option<Vec<u8>>, OpError> {
    let dir = repo.door().root().descend(folder.as_bytes())?;
    let stamp = dir.stamp(FILE.as_bytes())?;
    if stamp.is_none_or(|stamp| stamp.kind != FileKind::File) {
        return Ok(None);
    }
    let (file, _) = dir.open_file(FILE.as_bytes())?;
    let (mut text, path) = (Vec::new(), dir.path_of(FILE.as_bytes()));
    let read = file.take(LIMIT + 1).read_to_end(&mut text);
    read.map_err(|source| crate::fs::FsError { doing: "read", path: path.clone(), source })?;
    if text.len() as u64 > LIMIT {
        return Err(OpError::refused(
            format!("`{}/{FILE}` is too long to be looked into", show(folder.as_bytes())),
            "run the same command without `--dry-run`, and look at `git diff`",
        ));
    }
    Ok(Some(text))
}
