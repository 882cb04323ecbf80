//! What lies at and below a path, without reading contents.

use std::io::Read;

use crate::fs::{Dir, DirEntry, FileKind, IoResultExt, Stamp, failpoint, is_temp_name};
use crate::path::RepoPath;
use crate::pointer::looks_like_pointer;
use crate::progress::Job;
use crate::worktree::door::Door;
use crate::worktree::error::WorktreeError;
use crate::worktree::ignore::{Kept, Rules};

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

/// What lies below a folder.
#[derive(Debug, Default)]
pub struct Scan {
    /// What can be tracked, in byte order of whole paths.
    pub found: Vec<Found>,
    /// Raw paths of what cannot, each with the reason: special files, names that are never stored,
    /// pointers. Nothing below them was looked at.
    pub refused: Vec<(Vec<u8>, WorktreeError)>,
    /// Raw paths of what `.haulignore` files exclude. Nothing below them was looked at.
    pub excluded: Vec<Vec<u8>>,
}

/// A folder that is still to be listed.
struct Pending {
    path: Vec<u8>,
    /// The rules that hold for it; nothing if it is excluded itself, and only holds what is kept.
    rules: Option<Rules>,
}

/// Lists everything below a folder in byte order of whole paths, and beside it what cannot be tracked;
/// links are never followed.
///
/// Temporary files of ours are passed over, and so is what `.haulignore` files exclude, unless it is to
/// be kept.
pub fn look(door: &Door, folder: &RepoPath, kept: &Kept, job: &Job) -> Result<Scan, WorktreeError> {
    let mut out = Scan::default();
    let rules = Rules::above(door, folder)?;
    let rules = rules.filter(|rules| !rules.excludes(folder.as_bytes(), true));
    let mut pending = vec![Pending { path: folder.as_bytes().to_vec(), rules }];
    while let Some(Pending { path, rules }) = pending.pop() {
        job.check()?;
        let dir = door.root().descend(&path)?;
        let rules = rules.map(|rules| rules.enter(&dir, &path)).transpose()?;
        let mut empty = true;
        let entries = dir.entries()?;
        failpoint::hit("worktree.listed");
        for DirEntry { name, kind } in entries {
            if is_temp_name(&name) {
                continue;
            }
            let full = [path.as_slice(), b"/", &name].concat();
            let stamp = if kind == Some(FileKind::Directory) { None } else { dir.stamp(&name)? };
            let Some(kind) = stamp.map(|stamp| stamp.kind).or(kind) else { continue };
            let is_dir = kind == FileKind::Directory;
            let excluded = rules.as_ref().is_none_or(|rules| rules.excludes(&full, is_dir));
            if excluded && !kept.needs(&full) {
                out.excluded.push(full);
                // A folder with nothing else in it is not worth tracking, unless it is tracked.
                empty &= kept.has(&path);
                continue;
            }
            empty = false;
            let Some(full) = out.named(full) else { continue };
            if is_dir {
                let rules = rules.clone().filter(|_| !excluded);
                let path = full.as_bytes().to_vec();
                pending.push(Pending { path, rules });
                continue;
            }
            let Some(stamp) = stamp else { continue };
            let what = match kind {
                FileKind::File if name.ends_with(b".haul") && is_pointer(&dir, &name, stamp)? => {
                    let (folder, pointer) = (folder.as_bytes().to_vec(), full.as_bytes().to_vec());
                    out.refuse(&full, WorktreeError::PointerInside { folder, pointer });
                    continue;
                }
                FileKind::File | FileKind::Directory => What::File(stamp),
                FileKind::Symlink => What::Symlink(dir.read_link(&name)?),
                FileKind::Special => {
                    out.refuse(&full, WorktreeError::Special { path: full.as_bytes().to_vec() });
                    continue;
                }
            };
            out.found.push(Found { path: full, what });
        }
        if empty
            && path != folder.as_bytes()
            && let Some(path) = out.named(path)
        {
            out.found.push(Found { path, what: What::EmptyFolder });
        }
    }
    out.found.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    out.refused.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    Ok(out)
}

impl Scan {
    fn named(&mut self, path: Vec<u8>) -> Option<RepoPath> {
        match RepoPath::new(&path) {
            Ok(path) => Some(path),
            Err(source) => {
                self.refused.push((path.clone(), WorktreeError::Name { path, source }));
                None
            }
        }
    }

    fn refuse(&mut self, path: &RepoPath, error: WorktreeError) {
        self.refused.push((path.as_bytes().to_vec(), error));
    }
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
