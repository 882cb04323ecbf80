//! What lies at and below a path, without reading contents.

use std::io::Read;

use crate::fs::{Dir, FileKind, IoResultExt, Stamp, is_temp_name};
use crate::path::RepoPath;
use crate::pointer::looks_like_pointer;
use crate::progress::Job;
use crate::worktree::door::Door;
use crate::worktree::error::WorktreeError;

/// Deepest nesting of folders; a path longer than a key may be is refused before that.
const MAX_DEPTH: usize = 2048;
const POINTER_MAX: u64 = 4096;

/// One thing to be tracked.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its path from the worktree root.
    pub path: RepoPath,
    /// What it is.
    pub what: What,
}

/// What a manifest can hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A regular file.
    File(Stamp),
    /// A symbolic link and where it points.
    Symlink(Vec<u8>),
    /// A folder with nothing in it.
    EmptyFolder,
}

/// Lists everything below a folder in byte order of whole paths; links are never followed.
///
/// Temporary files of ours are passed over. A special file, a name that is never stored, or a
/// pointer ends the scan with an error that names it.
pub fn scan(door: &Door, folder: &RepoPath, job: &Job) -> Result<Vec<Found>, WorktreeError> {
    let mut out = Vec::new();
    let mut pending = vec![(folder.as_bytes().to_vec(), 0)];
    while let Some((path, depth)) = pending.pop() {
        job.check()?;
        let dir = door.root().descend(&path)?;
        let entries = dir.entries()?;
        let mut empty = true;
        for entry in entries {
            if is_temp_name(&entry.name) {
                continue;
            }
            empty = false;
            let mut full = path.clone();
            full.push(b'/');
            full.extend(&entry.name);
            let full = RepoPath::new(&full)
                .map_err(|source| WorktreeError::Name { path: full.clone(), source })?;
            let kind = entry.kind;
            if kind == Some(FileKind::Directory) && depth < MAX_DEPTH {
                pending.push((full.as_bytes().to_vec(), depth + 1));
                continue;
            }
            let Some(stamp) = dir.stamp(&entry.name)? else { continue };
            match stamp.kind {
                FileKind::Directory => pending.push((full.as_bytes().to_vec(), depth + 1)),
                FileKind::File => {
                    if entry.name.ends_with(b".haul") && is_pointer(&dir, &entry.name, stamp)? {
                        let (folder, pointer) =
                            (folder.as_bytes().to_vec(), full.as_bytes().to_vec());
                        return Err(WorktreeError::PointerInside { folder, pointer });
                    }
                    out.push(Found { path: full, what: What::File(stamp) });
                }
                FileKind::Symlink => {
                    let target = dir.read_link(&entry.name)?;
                    out.push(Found { path: full, what: What::Symlink(target) });
                }
                FileKind::Special => {
                    return Err(WorktreeError::Special { path: full.as_bytes().to_vec() });
                }
            }
        }
        if empty && path != folder.as_bytes() {
            let path = RepoPath::new(&path)
                .map_err(|source| WorktreeError::Name { path: path.clone(), source })?;
            out.push(Found { path, what: What::EmptyFolder });
        }
    }
    out.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(out)
}

fn is_pointer(dir: &Dir, name: &[u8], stamp: Stamp) -> Result<bool, WorktreeError> {
    if stamp.size > POINTER_MAX {
        return Ok(false);
    }
    let (file, _) = dir.open_file(name)?;
    let mut bytes = Vec::new();
    file.take(POINTER_MAX).read_to_end(&mut bytes).at("read", &dir.path_of(name))?;
    Ok(looks_like_pointer(&bytes))
}
