//! What is to be added: the paths that are meant, and everything found below them.

use std::collections::BTreeMap;

use crate::fs::{FileKind, Stamp};
use crate::ops::add::contents::Content;
use crate::ops::error::OpError;
use crate::ops::inside::{self, Folder};
use crate::path::{RepoPath, show};
use crate::pointer::{Pointer, PointerError, PointerKind};
use crate::progress::Job;
use crate::repo::Repo;
use crate::worktree::{
    Found, Kept, Parent, Scan, Tracked, TrackedState, What, WorktreeError, look,
};

/// A target with everything found below it.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) path: RepoPath,
    /// The pointer that stands there now, with its bytes; inside a tracked folder, that of the folder.
    pub(super) old: Option<(Pointer, Vec<u8>)>,
    /// The tracked folder that the path lies in.
    pub(super) outer: Option<RepoPath>,
    pub(super) found: Vec<Found>,
    /// What is known of each of them.
    pub(super) contents: Vec<Content>,
    /// Those of them that are links of ours.
    pub(super) links: Vec<RepoPath>,
    pub(super) is_dir: bool,
    /// Further keys that the pointer gets.
    pub(super) further: BTreeMap<String, String>,
}

impl Target {
    /// Returns the path that has the pointer.
    pub(super) fn top(&self) -> &RepoPath {
        self.outer.as_ref().unwrap_or(&self.path)
    }

    /// Says whether a manifest has its entries.
    pub(super) fn in_folder(&self) -> bool {
        self.is_dir || self.outer.is_some()
    }

    /// Returns the path of the tracked folder that its files are in; nothing for a file with a pointer of its own.
    pub(super) fn folder(&self) -> &[u8] {
        if self.in_folder() { self.top().as_bytes() } else { &[] }
    }

    /// Returns the path inside the tracked folder; nothing for a path with a pointer of its own.
    pub(super) fn rest(&self) -> Vec<u8> {
        let rest = self.outer.as_ref().and_then(|outer| self.path.relative_to(outer));
        rest.map_or(Vec::new(), |rest| rest.as_bytes().to_vec())
    }
}

/// The pointer that an add goes on from; a damaged one is replaced, one of a newer haul never.
pub(super) fn old_pointer(tracked: &Tracked) -> Result<Option<(Pointer, Vec<u8>)>, OpError> {
    match &tracked.state {
        TrackedState::Sound(pointer, bytes) => Ok(Some((pointer.clone(), bytes.clone()))),
        TrackedState::Unsound(e @ PointerError::Newer { .. }) => {
            let path = show(tracked.path.as_bytes());
            Err(OpError::refused(format!("cannot add `{path}`: {e}"), "install a newer haul"))
        }
        TrackedState::Missing | TrackedState::Unsound(_) => Ok(None),
    }
}

pub(super) fn size_of(found: &Found) -> u64 {
    match &found.what {
        What::File(stamp) => stamp.size,
        What::Symlink(target) => target.len() as u64,
        What::EmptyFolder => 0,
    }
}

/// Says whether a path is tracked by this pointer, as itself or inside its folder.
pub(super) fn owns(tracked: &Tracked, path: &RepoPath) -> bool {
    tracked.path == *path || path.starts_with_dir(&tracked.path)
}

/// Finds what is at and below a path; what is excluded is taken in if it is one of `also`.
pub(super) fn find(
    repo: &Repo,
    (path, also): (&RepoPath, &[Vec<u8>]),
    owner: Option<&Tracked>,
    job: &Job,
) -> Result<Target, OpError> {
    let old = owner.map_or(Ok(None), old_pointer)?;
    let outer = owner.map(|owner| &owner.path).filter(|outer| *outer != path).cloned();
    let stamp = repo.door().stamp(path)?;
    let is_dir = stamp.is_some_and(|s| s.kind == FileKind::Directory);
    let (found, links) = match stamp {
        Some(_) if is_dir => {
            let Scan { mut found, links, .. } =
                scan(repo, (path, also), (owner, old.as_ref()), job)?;
            if found.is_empty() && outer.is_some() {
                found.push(Found { path: path.clone(), what: What::EmptyFolder });
            }
            (found, links)
        }
        Some(stamp) => {
            let link = repo.door().own_link(path)?.map(|_| path.clone());
            let found = Found { path: path.clone(), what: what(repo, path, stamp)? };
            (vec![found], link.into_iter().collect())
        }
        None => (Vec::new(), Vec::new()),
    };
    let contents = vec![Content::Unknown; found.len()];
    let (path, further) = (path.clone(), BTreeMap::new());
    Ok(Target { path, old, outer, found, contents, links, is_dir, further })
}

/// Lists what is below a folder. The first thing that cannot be tracked is an error that names it;
/// what is excluded and was tracked before stays so, as with Git.
fn scan(
    repo: &Repo,
    (path, also): (&RepoPath, &[Vec<u8>]),
    (owner, old): (Option<&Tracked>, Option<&(Pointer, Vec<u8>)>),
    job: &Job,
) -> Result<Scan, OpError> {
    let also = also.iter().cloned();
    let mut scan = look(repo.door(), path, &Kept::new(also.clone()), job)?;
    if let (false, Some(owner), Some((pointer, _))) = (scan.excluded.is_empty(), owner, old)
        && matches!(pointer.kind(), PointerKind::Dir { .. })
    {
        let folder = Folder { path: &owner.path, pointer };
        let rest = path.relative_to(&owner.path);
        let rest = rest.map_or(Vec::new(), |rest| rest.as_bytes().to_vec());
        let before = inside::look(repo, folder, &[rest], job)?.entries.into_iter();
        let whole = before.map(|entry| [owner.path.as_bytes(), b"/", &entry.path].concat());
        scan = look(repo.door(), path, &Kept::new(also.chain(whole)), job)?;
    }
    if let Some(path) = scan.dangling.first() {
        // Nobody said that the file is to go.
        return Err(WorktreeError::Dangling { path: path.as_bytes().to_vec() }.into());
    }
    match (!scan.refused.is_empty()).then(|| scan.refused.swap_remove(0)) {
        Some((_, error)) => Err(error.into()),
        None => Ok(scan),
    }
}

fn what(repo: &Repo, path: &RepoPath, stamp: Stamp) -> Result<What, OpError> {
    if stamp.kind != FileKind::Symlink {
        return Ok(What::File(stamp));
    }
    let mut parent = Parent::default();
    let dir = parent.of(repo.door(), path)?.unwrap_or(repo.door().root());
    Ok(What::Symlink(dir.read_link(path.file_name())?))
}
