//! Which way a path moves, and whether it may.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use serde::Serialize;

use crate::fs::FileKind;
use crate::ops::error::OpError;
use crate::ops::inside::Folder;
use crate::ops::mv::across::{self, Crossing};
use crate::ops::mv::cut::{self, Rest};
use crate::ops::mv::goal::judge;
use crate::ops::mv::parts::own_pointer;
use crate::ops::mv::place::refuse_elsewhere;
use crate::ops::mv::within::{self, is_folder};
use crate::ops::select::resolve_or_root;
use crate::ops::tracked::{Named, Outer, figures, lost_pointer, named};
use crate::path::{JsonPath, RepoPath, gitignore_line, json_path, show};
use crate::progress::Job;
use crate::repo::Repo;
use crate::worktree::{Tracked, TrackedState, load_tracked};

/// Longest pointer in bytes.
pub(super) const MAX_POINTER: u64 = 4096;

/// What to move where.
#[derive(Clone, Debug, Default)]
pub struct MvOptions {
    /// A tracked path, or a path inside a tracked folder.
    pub from: OsString,
    /// Its new name, or a folder to put it in.
    pub to: OsString,
}

/// What would move.
#[derive(Serialize)]
pub struct MvPlan {
    /// The tracked path.
    pub from: JsonPath,
    /// Its new name.
    pub to: JsonPath,
    /// Whether its data is in the worktree, to move with it.
    pub data: bool,
    /// Files that it has, as the pointer says.
    pub files: u64,
    /// Bytes of these.
    pub bytes: u64,
    #[serde(skip)]
    pub(super) old: RepoPath,
    #[serde(skip)]
    pub(super) new: RepoPath,
    /// Whether something stands at the old name, be it a link that leads nowhere.
    #[serde(skip)]
    pub(super) moves: bool,
    #[serde(skip)]
    pub(super) pointer: Vec<u8>,
    #[serde(skip)]
    pub(super) way: Way,
}

/// Between what it moves.
pub(super) enum Way {
    /// The pointer moves as it is.
    Whole,
    /// From one name in a tracked folder to another.
    Within(Box<Outer>),
    /// Into a tracked folder, out of one, or both.
    Across(Box<Crossing>),
    /// All has moved, and Git has not been told.
    Told(Box<Rest>),
}

/// What moved.
#[derive(Clone, Debug, Serialize)]
pub struct MvReport {
    /// The former name.
    pub from: JsonPath,
    /// The new name.
    pub to: JsonPath,
    /// Whether data moved with it.
    pub data: bool,
}

/// Checks that the path may have its new name.
pub fn plan(repo: &Repo, options: &MvOptions, job: &Job) -> Result<MvPlan, OpError> {
    repo.begin_changes(job)?;
    let found = named(repo, std::slice::from_ref(&options.from), job);
    let lost = |found: &Vec<Named>| found.iter().any(|item| item.pointer.is_none());
    if found.as_ref().map_or(true, lost)
        && let Some(plan) = cut::plan(repo, options, job)?
    {
        return Ok(plan);
    }
    let mut found = found?;
    let (files, bytes) = figures(&found);
    let item = found.pop().ok_or_else(|| OpError::Defect("nothing was named".to_owned()))?;
    let kind = item.kind();
    let Named { path: old, pointer, inside } = item;
    let pointer = pointer.ok_or_else(|| lost_pointer(&old))?;
    let (tracked, _) = load_tracked(repo.git(), repo.door())?;
    // What it has, or would have, as a path of its own.
    let own = inside.as_ref().map(|outer| own_pointer(outer, &old));
    let standing = match &own {
        Some(Ok(own)) => own.pointer.to_bytes(),
        Some(Err(_)) | None => pointer.clone(),
    };
    let (new, into) = goal(repo, &options.to, (&old, &standing), &tracked, job)?;
    let (way, moves) = match (inside, into) {
        (Some(outer), Some(into)) if outer.path == *into.path => {
            let data = within::check(repo, &outer, (&old, &new), job)?;
            (Way::Within(Box::new(outer)), data)
        }
        (None, None) => {
            check(repo, (&old, &new), &tracked)?;
            (Way::Whole, has_room(repo, (&old, &new), &standing, &tracked)?)
        }
        (outer, Some(into)) => {
            let (crossing, data) = across::into(repo, (outer, &pointer), into, (&old, &new), job)?;
            (Way::Across(Box::new(crossing)), data)
        }
        (Some(outer), None) => {
            let own = own.unwrap_or_else(|| own_pointer(&outer, &old))?;
            check(repo, (&old, &new), &tracked)?;
            let data = has_room(repo, (&old, &new), &standing, &tracked)?;
            (Way::Across(Box::new(Crossing::out(outer, own))), data)
        }
    };
    if moves {
        refuse_elsewhere(repo, &old, &new)?;
    }
    // What an earlier run has moved, it has judged.
    if moves || !repo.door().has(&new)? {
        judge(repo, (&old, &new), kind, &tracked, job)?;
    }
    let (from, to) = (json_path(old.as_bytes()), json_path(new.as_bytes()));
    let data = moves && repo.door().stamp(&old)?.is_some();
    Ok(MvPlan { from, to, data, files, bytes, old, new, moves, pointer, way })
}

/// Finds the new name, and the tracked folder that the path is to be a part of.
fn goal<'t>(
    repo: &Repo,
    word: &OsString,
    (old, standing): (&RepoPath, &[u8]),
    tracked: &'t [Tracked],
    job: &Job,
) -> Result<(RepoPath, Option<Folder<'t>>), OpError> {
    let (new, in_folder) = target(repo, word, (old, standing), tracked)?;
    let begun = tracked.iter().any(|item| item.path == new)
        && is_begun(repo, (old, &new), standing, tracked)?;
    let into = tracked.iter().find(|item| {
        item.path != *old && (new == item.path && !begun || new.starts_with_dir(&item.path))
    });
    if in_folder && into.is_some_and(|item| item.path == new) {
        let (from, to) = (show(old.as_bytes()), show(new.as_bytes()));
        return Err(OpError::refused(
            format!("cannot move `{from}` there: `{to}` is tracked there already"),
            "choose another name, or move away what is there",
        ));
    }
    let into = into.map(folder_of).transpose()?;
    match into {
        Some(folder) if is_folder(repo, folder, (old, &new), job)? => {
            Ok((RepoPath::new([new.as_bytes(), b"/", old.file_name()].concat())?, into))
        }
        Some(_) | None => Ok((new, into)),
    }
}

/// The tracked folder that something is to move into.
fn folder_of(item: &Tracked) -> Result<Folder<'_>, OpError> {
    match &item.state {
        TrackedState::Sound(pointer, _) => Ok(Folder { path: &item.path, pointer }),
        TrackedState::Missing | TrackedState::Unsound(_) => Err(lost_pointer(&item.path)),
    }
}

/// Says whether there is data to be moved; what stands where it goes is an error.
fn has_room(
    repo: &Repo,
    (old, new): (&RepoPath, &RepoPath),
    pointer: &[u8],
    tracked: &[Tracked],
) -> Result<bool, OpError> {
    let moves = repo.door().has(old)?;
    let at = |path: &RepoPath| repo.door().has(path);
    // A run that was cut short has written the new pointer and may have moved the data.
    let begun = is_begun(repo, (old, new), pointer, tracked)?;
    if (moves || !begun) && at(new)? || !begun && at(&new.pointer_path()?)? {
        return Err(there_already(new));
    }
    Ok(moves)
}

pub(super) fn there_already(path: &RepoPath) -> OpError {
    OpError::refused(
        format!("`{}` is there already", show(path.as_bytes())),
        "choose another name, or move away what is there",
    )
}

/// Resolves the new name, and says whether that of a folder was given, which takes the path in.
fn target(
    repo: &Repo,
    word: &OsString,
    (old, pointer): (&RepoPath, &[u8]),
    tracked: &[Tracked],
) -> Result<(RepoPath, bool), OpError> {
    let path = resolve_or_root(repo, word)?;
    // Inside of tracked folders names may end like those of pointers.
    let inside = |path: &RepoPath| tracked.iter().any(|item| path.starts_with_dir(&item.path));
    let path = path.map(|path| match path.target_of_pointer() {
        Ok(target) if !inside(&path) => target,
        Ok(_) | Err(_) => path,
    });
    let Some(path) = path else { return Ok((RepoPath::new(old.file_name())?, true)) };
    let stamp = repo.door().stamp(&path)?;
    let folder = stamp.is_some_and(|stamp| stamp.kind == FileKind::Directory);
    // The folder may be the data itself, which an earlier run has moved.
    // Nor does what a run has moved take it in once more.
    let moved =
        tracked.iter().any(|item| path.starts_with_dir(&item.path)) && !repo.door().has(old)?;
    let folder = folder && !moved && !is_begun(repo, (old, &path), pointer, tracked)?;
    if folder || word.as_bytes().ends_with(b"/") {
        return Ok((RepoPath::new([path.as_bytes(), b"/", old.file_name()].concat())?, true));
    }
    Ok((path, false))
}

/// Says whether an earlier run has written the new pointer. One that Git knows and that was committed is of
/// another path, which may have the same content, and so is one with data beside that of the old name.
pub(super) fn is_begun(
    repo: &Repo,
    (old, new): (&RepoPath, &RepoPath),
    pointer: &[u8],
    tracked: &[Tracked],
) -> Result<bool, OpError> {
    let own = new.pointer_path()?;
    let there = repo.door().read_small(&own, MAX_POINTER)?;
    if there.is_none_or(|there| there != pointer) {
        return Ok(false);
    }
    if tracked.iter().all(|item| item.path != *new) {
        return Ok(true);
    }
    let both = repo.door().has(old)? && repo.door().has(new)?;
    Ok(!both && !is_committed(repo, &own)?)
}

/// Says whether `HEAD` has a file at the path of a pointer.
pub(super) fn is_committed(repo: &Repo, pointer: &RepoPath) -> Result<bool, OpError> {
    Ok(repo.git().head()?.is_some()
        && repo.git().file_at("HEAD", pointer.as_bytes(), MAX_POINTER)?.is_some())
}

fn check(
    repo: &Repo,
    (old, new): (&RepoPath, &RepoPath),
    tracked: &[Tracked],
) -> Result<(), OpError> {
    let (from, to) = (show(old.as_bytes()), show(new.as_bytes()));
    let refused = |why: String, next: &str| {
        Err(OpError::refused(format!("cannot move `{from}` to `{to}`: {why}"), next))
    };
    gitignore_line(new.file_name()).map_err(|e| {
        OpError::refused(format!("cannot move `{from}`: {e}"), "choose another name")
    })?;
    new.pointer_path()?;
    if old == new || new.starts_with_dir(old) || old.starts_with_dir(new) {
        return refused("one lies in the other".to_owned(), "choose another name");
    }
    let others = tracked.iter().filter(|item| item.path != *old && item.path != *new);
    for other in others {
        let shown = show(other.path.as_bytes());
        if other.path.starts_with_dir(new) {
            return refused(
                format!("the tracked `{shown}` lies inside that"),
                "choose another name",
            );
        }
    }
    let in_git = repo.git().is_tracked(&[new.as_bytes()])?;
    if in_git.is_empty() {
        return Ok(());
    }
    refused("Git tracks a file of that name".to_owned(), "choose another name")
}
