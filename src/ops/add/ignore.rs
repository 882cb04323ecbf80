//! The lines in ignore files that keep tracked content out of Git: one escaped line per path.

use std::collections::BTreeMap;

use crate::git::{Content, StagedBytes};
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

/// Adds and removes the lines of paths, and stages these lines.
pub(crate) fn ignore_lines(
    repo: &Repo,
    add: &[&RepoPath],
    remove: &[&RepoPath],
) -> Result<(), OpError> {
    let lines = write_lines(repo, add, remove)?;
    let paths: Vec<&[u8]> = lines.whole.iter().map(Vec::as_slice).collect();
    if !paths.is_empty() {
        repo.git().stage(&paths)?;
    }
    Ok(repo.git().stage_bytes(&lines.partly)?)
}

/// What is to be staged of ignore files.
#[derive(Default)]
pub(super) struct Lines {
    /// Files that differ from the index by our lines only, or that it does not have.
    pub(super) whole: Vec<Vec<u8>>,
    /// Files that the user edited as well: what the index has, with our lines and nothing else.
    pub(super) partly: Vec<StagedBytes>,
}

/// Adds and removes the lines of paths; returns what of the ignore files is to be staged.
pub(super) fn write_lines(
    repo: &Repo,
    add: &[&RepoPath],
    remove: &[&RepoPath],
) -> Result<Lines, OpError> {
    let mut files: BTreeMap<Vec<u8>, Edit> = BTreeMap::new();
    for path in add {
        files.entry(file_of(path)).or_default().add.push(line_of(path)?);
    }
    for path in remove {
        files.entry(file_of(path)).or_default().remove.push(line_of(path)?);
    }
    let mut lines = Lines::default();
    if files.is_empty() {
        return Ok(lines);
    }
    let mut staged = in_index(repo, &files)?;
    for (file, edit) in files {
        let place = RepoPath::new(&file)?;
        let old = repo.door().read_small(&place, LIMIT)?.unwrap_or_default();
        if old.len() as u64 > LIMIT {
            return Err(too_long(&file));
        }
        let new = edited(&old, &edit);
        if new != old {
            repo.door().write_durably(&place, &new)?;
        }
        let (mode, old) = match staged.remove(&file) {
            Some(Staged::Conflict) => continue,
            Some(Staged::Whole(mode, bytes)) => (mode, bytes),
            // With a part of it in the index alone, no other branch could be checked out.
            None => {
                lines.whole.push(file);
                continue;
            }
        };
        let bytes = edited(&old, &edit);
        if bytes == new && bytes != old {
            lines.whole.push(file);
        } else if bytes != old {
            lines.partly.push(StagedBytes { path: file, mode, bytes });
        }
    }
    Ok(lines)
}

/// What Git's index holds of an ignore file.
enum Staged {
    /// Both sides of a merge: the user settles them, our line with them.
    Conflict,
    Whole(u32, Vec<u8>),
}

fn in_index(
    repo: &Repo,
    files: &BTreeMap<Vec<u8>, Edit>,
) -> Result<BTreeMap<Vec<u8>, Staged>, OpError> {
    let paths: Vec<&[u8]> = files.keys().map(Vec::as_slice).collect();
    let mut entries = repo.git().tracked(&paths)?;
    entries.retain(|entry| files.contains_key(&entry.path));
    let contents = repo.git().index_contents(&entries, LIMIT)?;
    let mut out = BTreeMap::new();
    for (entry, content) in entries.into_iter().zip(contents) {
        let staged = match content {
            _ if entry.stage != 0 => Staged::Conflict,
            Content::Whole(bytes) => Staged::Whole(entry.mode, bytes),
            Content::TooLarge(_) => return Err(too_long(&entry.path)),
        };
        out.insert(entry.path, staged);
    }
    Ok(out)
}

fn too_long(file: &[u8]) -> OpError {
    OpError::refused(
        format!("`{}` is too long to be edited", show(file)),
        "shorten it, or move some of its lines to another ignore file",
    )
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
