//! What is to be added: the paths that are meant, and everything found below them.

use std::collections::BTreeSet;

use crate::fs::{FileKind, Stamp};
use crate::ops::add::run::AddOptions;
use crate::ops::error::OpError;
use crate::ops::inside::{self, Folder};
use crate::ops::select::Selection;
use crate::path::{RepoPath, show};
use crate::pointer::{Pointer, PointerError, PointerKind};
use crate::progress::Job;
use crate::repo::Repo;
use crate::transfer::{Choice, Filter};
use crate::worktree::{Found, Kept, Parent, Tracked, TrackedState, What, look};

/// A target with everything found below it.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) path: RepoPath,
    /// The pointer that stands there now, with its bytes; inside a tracked folder, that of the folder.
    pub(super) old: Option<(Pointer, Vec<u8>)>,
    /// The tracked folder that the path lies in.
    pub(super) outer: Option<RepoPath>,
    pub(super) found: Vec<Found>,
    pub(super) is_dir: bool,
}

impl Target {
    /// Returns the path that has the pointer.
    pub(super) fn top(&self) -> &RepoPath {
        self.outer.as_ref().unwrap_or(&self.path)
    }

    /// Returns the path inside the tracked folder; nothing for a path with a pointer of its own.
    pub(super) fn rest(&self) -> Vec<u8> {
        let rest = self.outer.as_ref().and_then(|outer| self.path.relative_to(outer));
        rest.map_or(Vec::new(), |rest| rest.as_bytes().to_vec())
    }
}

/// The pointer that an add goes on from; a damaged one is replaced, one of a newer haul never.
fn old_pointer(tracked: &Tracked) -> Result<Option<(Pointer, Vec<u8>)>, OpError> {
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

/// The tracked paths whose data is in the worktree; of folders of which only parts are meant, these.
pub(super) fn present(
    repo: &Repo,
    options: &AddOptions,
    tracked: &[Tracked],
    job: &Job,
) -> Result<Vec<RepoPath>, OpError> {
    let mut selection = Selection::new(repo, &options.paths)?;
    let mut out = BTreeSet::new();
    for item in tracked {
        let Some(filter) = selection.filter(&item.path) else { continue };
        match filter {
            Filter::All | Filter::Span { .. } => out.extend([item.path.clone()]),
            Filter::Some(choices) => out.extend(parts(repo, &item.path, choices, job)?),
        }
    }
    selection.check_used()?;
    let all: Vec<RepoPath> = out.into_iter().collect();
    let mut out: Vec<RepoPath> = Vec::new();
    for path in all {
        let inside = out.iter().any(|above| path.starts_with_dir(above));
        if !inside && repo.door().stamp(&path)?.is_some() {
            out.push(path);
        }
    }
    Ok(out)
}

/// What choices mean below a tracked folder.
fn parts(
    repo: &Repo,
    folder: &RepoPath,
    choices: Vec<Choice>,
    job: &Job,
) -> Result<Vec<RepoPath>, OpError> {
    let mut out = Vec::new();
    let mut globs = Vec::new();
    for choice in choices {
        match choice {
            Choice::Under(rest) => {
                out.push(RepoPath::new([folder.as_bytes(), b"/", &rest].concat())?);
            }
            other @ (Choice::Glob { .. } | Choice::Of(_) | Choice::Names(_)) => globs.push(other),
        }
    }
    let is_dir = repo.door().stamp(folder)?.is_some_and(|s| s.kind == FileKind::Directory);
    if globs.is_empty() || !is_dir {
        return Ok(out);
    }
    let filter = Filter::Some(globs);
    let meant = |found: &Found| {
        found.path.relative_to(folder).is_some_and(|rest| filter.matches(rest.as_bytes()))
    };
    let found = look(repo.door(), folder, &Kept::default(), job)?.found.into_iter();
    out.extend(found.filter(meant).map(|found| found.path));
    Ok(out)
}

/// Says whether a path is tracked by this pointer, as itself or inside its folder.
pub(super) fn owns(tracked: &Tracked, path: &RepoPath) -> bool {
    tracked.path == *path || path.starts_with_dir(&tracked.path)
}

pub(super) fn find(
    repo: &Repo,
    path: &RepoPath,
    owner: Option<&Tracked>,
    job: &Job,
) -> Result<Target, OpError> {
    let old = owner.map_or(Ok(None), old_pointer)?;
    let outer = owner.map(|owner| &owner.path).filter(|outer| *outer != path).cloned();
    let stamp = repo.door().stamp(path)?;
    let is_dir = stamp.is_some_and(|s| s.kind == FileKind::Directory);
    let found = match stamp {
        Some(_) if is_dir => {
            let found = scan(repo, path, (owner, old.as_ref()), job)?;
            let empty = found.is_empty() && outer.is_some();
            let itself = empty.then(|| Found { path: path.clone(), what: What::EmptyFolder });
            found.into_iter().chain(itself).collect()
        }
        Some(stamp) => vec![Found { path: path.clone(), what: what(repo, path, stamp)? }],
        None => Vec::new(),
    };
    Ok(Target { path: path.clone(), old, outer, found, is_dir })
}

/// Lists what is below a folder. The first thing that cannot be tracked is an error that names it;
/// what is excluded and was tracked before stays so, as with Git.
fn scan(
    repo: &Repo,
    path: &RepoPath,
    (owner, old): (Option<&Tracked>, Option<&(Pointer, Vec<u8>)>),
    job: &Job,
) -> Result<Vec<Found>, OpError> {
    let mut scan = look(repo.door(), path, &Kept::default(), job)?;
    if let (false, Some(owner), Some((pointer, _))) = (scan.excluded.is_empty(), owner, old)
        && matches!(pointer.kind(), PointerKind::Dir { .. })
    {
        let folder = Folder { path: &owner.path, pointer };
        let rest = path.relative_to(&owner.path);
        let rest = rest.map_or(Vec::new(), |rest| rest.as_bytes().to_vec());
        let before = inside::look(repo, folder, &[rest], job)?.entries.into_iter();
        let whole = before.map(|entry| [owner.path.as_bytes(), b"/", &entry.path].concat());
        scan = look(repo.door(), path, &Kept::new(whole), job)?;
    }
    match scan.refused.into_iter().next() {
        Some((_, error)) => Err(error.into()),
        None => Ok(scan.found),
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
