//! The lines in ignore files that keep tracked content out of Git: one escaped line per path.

use std::collections::BTreeMap;

use crate::ops::error::OpError;
use crate::path::{RepoPath, gitignore_line, show};
use crate::repo::Repo;

/// Largest `.gitignore` that is edited, in bytes.
const LIMIT: u64 = 16 << 20;

/// Lines to add to and to take out of one ignore file.
#[derive(Default)]
struct Edit {
    add: Vec<Vec<u8>>,
    remove: Vec<Vec<u8>>,
}

/// Adds and removes the lines of paths, and stages the files that changed.
pub(crate) fn ignore_lines(
    repo: &Repo,
    add: &[&RepoPath],
    remove: &[&RepoPath],
) -> Result<(), OpError> {
    let files = write_lines(repo, add, remove)?;
    let paths: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
    if paths.is_empty() {
        return Ok(());
    }
    Ok(repo.git().stage(&paths)?)
}

/// Adds and removes the lines of paths; returns the ignore files concerned.
pub(super) fn write_lines(
    repo: &Repo,
    add: &[&RepoPath],
    remove: &[&RepoPath],
) -> Result<Vec<Vec<u8>>, OpError> {
    let mut files: BTreeMap<Vec<u8>, Edit> = BTreeMap::new();
    for path in add {
        files.entry(file_of(path)).or_default().add.push(line_of(path)?);
    }
    for path in remove {
        files.entry(file_of(path)).or_default().remove.push(line_of(path)?);
    }
    for (file, edit) in &files {
        let place = RepoPath::new(file)?;
        let old = repo.door().read_small(&place, LIMIT)?.unwrap_or_default();
        if old.len() as u64 > LIMIT {
            return Err(OpError::refused(
                format!("`{}` is too long to be edited", show(file)),
                "shorten it, or move some of its lines to another ignore file",
            ));
        }
        let new = edited(&old, edit);
        if new != old {
            repo.door().write_durably(&place, &new)?;
        }
    }
    Ok(files.into_keys().collect())
}

fn file_of(path: &RepoPath) -> Vec<u8> {
    let folder = path.parent().map_or(Vec::new(), |p| [p.as_bytes(), b"/"].concat());
    [folder.as_slice(), b".gitignore"].concat()
}

fn line_of(path: &RepoPath) -> Result<Vec<u8>, OpError> {
    gitignore_line(path.file_name()).map_err(|e| {
        OpError::refused(format!("cannot track `{}`: {e}", show(path.as_bytes())), "rename it")
    })
}

fn edited(old: &[u8], edit: &Edit) -> Vec<u8> {
    let mut out = Vec::with_capacity(old.len());
    for line in old.split_inclusive(|b| *b == b'\n') {
        let bare = line.strip_suffix(b"\n").unwrap_or(line);
        if !edit.remove.iter().any(|gone| gone == bare) {
            out.extend(line);
        }
    }
    for line in &edit.add {
        if !out.split(|b| *b == b'\n').any(|have| have == line.as_slice()) {
            if !out.is_empty() && !out.ends_with(b"\n") {
                out.push(b'\n');
            }
            out.extend(line);
            out.push(b'\n');
        }
    }
    out
}
