//! What lies at and below a path, without reading contents.

use std::io::Read;

use rayon::prelude::*;

use crate::fs::{Dir, DirEntry, FileKind, IoResultExt, Stamp, failpoint, is_temp_name};
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

/// What lies below a folder.
#[derive(Debug, Default)]
pub struct Scan {
    /// What can be tracked, in byte order of whole paths.
    pub found: Vec<Found>,
    /// Raw paths of what cannot, each with the reason: special files, names that are never stored,
    /// pointers. Nothing below them was looked at.
    pub refused: Vec<(Vec<u8>, WorktreeError)>,
}

/// Lists everything below a folder in byte order of whole paths; links are never followed.
///
/// Temporary files of ours are passed over. The first thing that cannot be tracked is an error that
/// names it.
pub fn scan(door: &Door, folder: &RepoPath, job: &Job) -> Result<Vec<Found>, WorktreeError> {
    let scan = look(door, folder, job)?;
    match scan.refused.into_iter().next() {
        Some((_, error)) => Err(error),
        None => Ok(scan.found),
    }
}

/// Lists as [`scan`] does, and beside it what cannot be tracked. Folders of one depth are looked at side
/// by side: each is opened once, and each name in it looked at once.
pub fn look(door: &Door, folder: &RepoPath, job: &Job) -> Result<Scan, WorktreeError> {
    let mut out = Scan::default();
    let mut level = vec![folder.as_bytes().to_vec()];
    for depth in 0.. {
        let looked: Result<Vec<Listed>, WorktreeError> =
            level.par_iter().map(|path| list((door, folder), path, depth, job)).collect();
        let mut next = Vec::new();
        for (scan, folders) in looked? {
            out.found.extend(scan.found);
            out.refused.extend(scan.refused);
            next.extend(folders);
        }
        if next.is_empty() {
            break;
        }
        level = next;
    }
    out.found.par_sort_unstable_by(|a, b| a.path.cmp(&b.path));
    out.refused.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    Ok(out)
}

/// What one folder holds, and the folders in it.
type Listed = (Scan, Vec<Vec<u8>>);

/// Looks at one folder below `folder`; returns what it holds, and the folders in it.
fn list(
    (door, folder): (&Door, &RepoPath),
    path: &[u8],
    depth: usize,
    job: &Job,
) -> Result<Listed, WorktreeError> {
    job.check()?;
    let (mut out, mut folders) = (Scan::default(), Vec::new());
    let dir = door.root().descend(path)?;
    let mut empty = true;
    let entries = dir.entries()?;
    failpoint::hit("worktree.listed");
    for DirEntry { name, kind } in entries {
        if is_temp_name(&name) {
            continue;
        }
        empty = false;
        let full = [path, b"/", &name].concat();
        let Some(full) = out.named(full) else { continue };
        if kind == Some(FileKind::Directory) && depth < MAX_DEPTH {
            folders.push(full.as_bytes().to_vec());
            continue;
        }
        let Some(stamp) = dir.stamp(&name)? else { continue };
        let what = match stamp.kind {
            FileKind::Directory => {
                folders.push(full.as_bytes().to_vec());
                continue;
            }
            FileKind::File if name.ends_with(b".haul") && is_pointer(&dir, &name, stamp)? => {
                let (folder, pointer) = (folder.as_bytes().to_vec(), full.as_bytes().to_vec());
                out.refuse(&full, WorktreeError::PointerInside { folder, pointer });
                continue;
            }
            FileKind::File => What::File(stamp),
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
        && let Some(path) = out.named(path.to_vec())
    {
        out.found.push(Found { path, what: What::EmptyFolder });
    }
    Ok((out, folders))
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
