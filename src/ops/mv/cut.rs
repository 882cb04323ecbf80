//! A move that was cut short when the old name had gone from the worktree and Git did not know yet. All
//! that is left is to tell Git, and what the stat cache remembers.

use std::os::unix::ffi::OsStrExt;

use crate::git::{Content, POINTER_LIMIT};
use crate::ops::add::ignore_lines;
use crate::ops::checkout::Notes;
use crate::ops::error::OpError;
use crate::ops::inside::{Folder, is_followed, look};
use crate::ops::mv::parts::{are_same, at, below, entries_of, own_pointer};
use crate::ops::mv::plan::{MvOptions, MvPlan, Way, is_begun};
use crate::ops::select::{resolve, resolve_or_root};
use crate::ops::tracked::{Named, Outer, figures};
use crate::path::{RepoPath, json_path};
use crate::pointer::{Pointer, PointerKind};
use crate::progress::Job;
use crate::repo::Repo;
use crate::worktree::{Tracked, TrackedState, load_tracked, parse_tracked};

/// What Git and the stat cache are to be told.
#[derive(Default)]
pub(super) struct Rest {
    pointers: Vec<RepoPath>,
    ignored: Vec<RepoPath>,
    unignored: Vec<RepoPath>,
    seen: Vec<(RepoPath, Option<Vec<u8>>)>,
}

/// Finds such a move: in Git's index the old name still is, and the new one has what it had.
pub(super) fn plan(repo: &Repo, options: &MvOptions, job: &Job) -> Result<Option<MvPlan>, OpError> {
    let (tracked, _) = load_tracked(repo.git(), repo.door())?;
    let Some((former, was)) = former(repo, options, &tracked, job)? else { return Ok(None) };
    let old = former.path.clone();
    if repo.door().has(&old)? {
        return Ok(None);
    }
    for new in goals(repo, options, &old)? {
        let Some(mut rest) = arrived(repo, (&former, &was), &new, &tracked, job)? else { continue };
        leave(repo, &former, &was, &tracked, &mut rest)?;
        let (files, bytes) = figures(std::slice::from_ref(&former));
        let (from, to) = (json_path(old.as_bytes()), json_path(new.as_bytes()));
        let data = repo.door().stamp(&new)?.is_some();
        let (pointer, way) = (was.to_bytes(), Way::Told(Box::new(rest)));
        return Ok(Some(MvPlan {
            from,
            to,
            data,
            files,
            bytes,
            old,
            new,
            moves: false,
            pointer,
            way,
        }));
    }
    Ok(None)
}

/// Tells Git.
pub(super) fn run(repo: &Repo, rest: &Rest) -> Result<(), OpError> {
    let ignored: Vec<&RepoPath> = rest.ignored.iter().collect();
    let unignored: Vec<&RepoPath> = rest.unignored.iter().collect();
    ignore_lines(repo, &ignored, &unignored)?;
    repo.door().root().sync()?;
    let seen = rest.seen.iter().map(|(path, bytes)| (path.as_bytes(), bytes.as_deref()));
    Notes::default().save(repo, &seen.collect::<Vec<_>>())?;
    let pointers: Vec<&[u8]> = rest.pointers.iter().map(RepoPath::as_bytes).collect();
    Ok(repo.git().stage(&pointers)?)
}

/// The old name as Git's index has it, and the pointer by which it was found; nothing if the worktree says
/// the same of it.
fn former(
    repo: &Repo,
    options: &MvOptions,
    tracked: &[Tracked],
    job: &Job,
) -> Result<Option<(Named, Pointer)>, OpError> {
    let given = resolve(repo, &options.from)?;
    let path = given.target_of_pointer().unwrap_or_else(|_| given.clone());
    let found = tracked.iter().find(|item| item.path == path || given.starts_with_dir(&item.path));
    let Some(item) = found else { return Ok(None) };
    let own = item.path.pointer_path()?;
    let mut entries = repo.git().tracked(&[own.as_bytes()])?;
    entries.retain(|entry| entry.stage == 0 && entry.path == own.as_bytes());
    let content = repo.git().index_contents(&entries, POINTER_LIMIT)?.pop();
    let Some(Content::Whole(bytes)) = content else { return Ok(None) };
    let TrackedState::Sound(pointer, bytes) = parse_tracked(bytes) else { return Ok(None) };
    let named = match &item.state {
        TrackedState::Missing if item.path == path => {
            Named { path, pointer: Some(bytes), inside: None }
        }
        TrackedState::Sound(_, now) if *now != bytes && item.path != path => {
            let rest = at(&item.path, &given)?;
            let folder = Folder { path: &item.path, pointer: &pointer };
            let present = look(repo, folder, std::slice::from_ref(&rest), job)?;
            if present.entries.is_empty() {
                return Ok(None);
            }
            let (path, entries, visited) = (item.path.clone(), present.entries, present.visited);
            let inside = Some(Outer { path, pointer: pointer.clone(), rest, entries, visited });
            Named { path: given, pointer: Some(bytes), inside }
        }
        TrackedState::Missing | TrackedState::Sound(..) | TrackedState::Unsound(_) => {
            return Ok(None);
        }
    };
    Ok(Some((named, pointer)))
}

/// The names that the new one may be: as it was given, or in a folder of that name.
fn goals(repo: &Repo, options: &MvOptions, old: &RepoPath) -> Result<Vec<RepoPath>, OpError> {
    let Some(path) = resolve_or_root(repo, &options.to)? else {
        return Ok(vec![RepoPath::new(old.file_name())?]);
    };
    let mut out = vec![RepoPath::new([path.as_bytes(), b"/", old.file_name()].concat())?];
    if !options.to.as_bytes().ends_with(b"/") {
        out.extend(path.target_of_pointer());
        out.push(path);
    }
    out.retain(|new| new != old);
    Ok(out)
}

/// Says what is to be told of the new name, if it has what the old one had.
fn arrived(
    repo: &Repo,
    (former, was): (&Named, &Pointer),
    new: &RepoPath,
    tracked: &[Tracked],
    job: &Job,
) -> Result<Option<Rest>, OpError> {
    let mut rest = Rest::default();
    if let Some(item) = tracked.iter().find(|item| new.starts_with_dir(&item.path)) {
        let Some(pointer) = item.pointer().filter(|p| matches!(p.kind(), PointerKind::Dir { .. }))
        else {
            return Ok(None);
        };
        let key = at(&item.path, new)?;
        let put = if let Some(outer) = &former.inside {
            below(&outer.entries, &outer.rest, &key)
        } else {
            let folder = Folder { path: &former.path, pointer: was };
            below(&entries_of(repo, folder, job)?.entries, b"", &key)
        };
        let folder = Folder { path: &item.path, pointer };
        let there = look(repo, folder, std::slice::from_ref(&key), job)?.entries;
        rest.pointers.push(item.path.pointer_path()?);
        return Ok(are_same(&there, &put).then_some(rest));
    }
    let standing = match &former.inside {
        Some(outer) => own_pointer(outer, &former.path)?.pointer.to_bytes(),
        None => was.to_bytes(),
    };
    if !is_begun(repo, (&former.path, new), &standing, tracked)? {
        return Ok(None);
    }
    rest.pointers.push(new.pointer_path()?);
    rest.ignored.push(new.clone());
    rest.seen.push((new.clone(), Some(standing)));
    Ok(Some(rest))
}

/// Says what is to be told of the old name.
fn leave(
    repo: &Repo,
    former: &Named,
    was: &Pointer,
    tracked: &[Tracked],
    rest: &mut Rest,
) -> Result<(), OpError> {
    let Some(outer) = &former.inside else {
        rest.pointers.push(former.path.pointer_path()?);
        rest.unignored.push(former.path.clone());
        rest.seen.push((former.path.clone(), None));
        return Ok(());
    };
    rest.pointers.push(outer.path.pointer_path()?);
    let now = tracked.iter().find(|item| item.path == outer.path);
    // What else the folder holds is as far behind, or not, as it was.
    if let Some(Tracked { state: TrackedState::Sound(_, bytes), .. }) = now
        && is_followed(repo, Folder { path: &outer.path, pointer: was })?
    {
        rest.seen.push((outer.path.clone(), Some(bytes.clone())));
    }
    Ok(())
}
