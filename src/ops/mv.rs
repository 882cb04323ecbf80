//! `haul mv`: pointer, ignore line and data under another name. No content is read or fetched.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use serde::Serialize;

use crate::fs::FileKind;
use crate::ops::add::ignore_lines;
use crate::ops::checkout::{Notes, move_data, remove_empty};
use crate::ops::error::OpError;
use crate::ops::select::resolve_or_root;
use crate::ops::tracked::{named, remove_file};
use crate::path::{JsonPath, RepoPath, gitignore_line, json_path, show};
use crate::repo::Repo;
use crate::worktree::{Tracked, load_tracked};

/// Longest pointer in bytes.
const MAX_POINTER: u64 = 4096;

/// What to move where.
#[derive(Clone, Debug, Default)]
pub struct MvOptions {
    /// A tracked path.
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
    #[serde(skip)]
    old: RepoPath,
    #[serde(skip)]
    new: RepoPath,
    #[serde(skip)]
    pointer: Vec<u8>,
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
pub fn plan(repo: &Repo, options: &MvOptions) -> Result<MvPlan, OpError> {
    let mut found = named(repo, std::slice::from_ref(&options.from))?;
    let item = found.pop().ok_or_else(|| OpError::Defect("nothing was named".to_owned()))?;
    let old = item.path;
    let pointer = item.pointer.ok_or_else(|| {
        OpError::refused(
            format!("the pointer of `{}` is missing or damaged", show(old.as_bytes())),
            "restore it with `git checkout -- <pointer>` first",
        )
    })?;
    let (tracked, _) = load_tracked(repo.git(), repo.door())?;
    let new = target(repo, &options.to, (&old, &pointer), &tracked)?;
    check(repo, (&old, &new), &tracked)?;
    let data = repo.door().stamp(&old)?.is_some();
    let at = |path: &RepoPath| repo.door().stamp(path).map(|stamp| stamp.is_some());
    // A run that was cut short has written the new pointer and may have moved the data.
    let begun = begun(repo, &new, &pointer, &tracked)?;
    let in_the_way = (data || !begun) && at(&new)? || !begun && at(&new.pointer_path()?)?;
    if in_the_way {
        return Err(OpError::refused(
            format!("`{}` is there already", show(new.as_bytes())),
            "choose another name, or move away what is there",
        ));
    }
    let (from, to) = (json_path(old.as_bytes()), json_path(new.as_bytes()));
    Ok(MvPlan { from, to, data, old, new, pointer })
}

/// Resolves the new name; an existing folder takes the path in.
fn target(
    repo: &Repo,
    word: &OsString,
    (old, pointer): (&RepoPath, &[u8]),
    tracked: &[Tracked],
) -> Result<RepoPath, OpError> {
    let path = resolve_or_root(repo, word)?;
    let path = path.map(|path| path.target_of_pointer().unwrap_or(path));
    let Some(path) = path else { return Ok(RepoPath::new(old.file_name())?) };
    let stamp = repo.door().stamp(&path)?;
    let folder = stamp.is_some_and(|stamp| stamp.kind == FileKind::Directory);
    // The folder may be the data itself, which an earlier run has moved.
    let folder = folder && !begun(repo, &path, pointer, tracked)?;
    if folder || word.as_bytes().ends_with(b"/") {
        return Ok(RepoPath::new([path.as_bytes(), b"/", old.file_name()].concat())?);
    }
    Ok(path)
}

/// Says whether an earlier run has written the new pointer. One that Git knows is of another path, which
/// may have the same content: a run stages last.
fn begun(
    repo: &Repo,
    new: &RepoPath,
    pointer: &[u8],
    tracked: &[Tracked],
) -> Result<bool, OpError> {
    if tracked.iter().any(|item| item.path == *new) {
        return Ok(false);
    }
    let there = repo.door().read_small(&new.pointer_path()?, MAX_POINTER)?;
    Ok(there.is_some_and(|there| there == pointer))
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
        if new.starts_with_dir(&other.path) {
            let why = format!("that lies inside the tracked `{shown}`");
            return refused(why, "`haul untrack` it first, then add it with that folder");
        }
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

/// Moves it; running it again completes what was cut short.
pub fn run(repo: &Repo, plan: MvPlan) -> Result<MvReport, OpError> {
    let _working = repo.lock_for_work()?;
    let MvPlan { from, to, data, old, new, pointer } = plan;
    let (old_pointer, new_pointer) = (old.pointer_path()?, new.pointer_path()?);
    make_parent(repo, &new)?;
    repo.door().write_durably(&new_pointer, &pointer)?;
    let mut notes = Notes::default();
    if data {
        move_data(repo, &old, &new, &mut notes)?;
    } else {
        ignore_lines(repo, &[&new], &[&old])?;
    }
    remove_file(repo, &old_pointer)?;
    remove_empty(repo, old.parent().into_iter().collect(), |_| true)?;
    repo.door().root().sync()?;
    repo.git().stage(&[old_pointer.as_bytes(), new_pointer.as_bytes()])?;
    notes.save(repo, &[(old.as_bytes(), None), (new.as_bytes(), Some(&pointer))])?;
    Ok(MvReport { from, to, data })
}

fn make_parent(repo: &Repo, path: &RepoPath) -> Result<(), OpError> {
    if let Some(parent) = path.parent() {
        repo.door().root().descend_or_make(parent.as_bytes())?;
    }
    Ok(())
}
