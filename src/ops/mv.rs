//! `haul mv`: pointer, ignore line and data under another name, or an entry of a tracked folder. No content is read or fetched.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use serde::Serialize;

use crate::fs::FileKind;
use crate::manifest::{EntryKind, FileEntry};
use crate::ops::add::ignore_lines;
use crate::ops::checkout::{Notes, move_data, remove_empty, rename_data};
use crate::ops::error::OpError;
use crate::ops::inside::{change, look, replace_pointer};
use crate::ops::select::resolve_or_root;
use crate::ops::tracked::{Outer, figures, named, remove_file};
use crate::path::{JsonPath, RepoPath, gitignore_line, in_shell, json_path, show};
use crate::progress::Job;
use crate::repo::Repo;
use crate::worktree::{Tracked, load_tracked};

/// Longest pointer in bytes.
const MAX_POINTER: u64 = 4096;

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
    old: RepoPath,
    #[serde(skip)]
    new: RepoPath,
    #[serde(skip)]
    pointer: Vec<u8>,
    #[serde(skip)]
    inside: Option<Outer>,
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
    repo.begin_changes();
    let mut found = named(repo, std::slice::from_ref(&options.from), job)?;
    let (files, bytes) = figures(&found);
    let item = found.pop().ok_or_else(|| OpError::Defect("nothing was named".to_owned()))?;
    let old = item.path;
    let pointer = item.pointer.ok_or_else(|| {
        OpError::refused(
            format!("the pointer of `{}` is missing or damaged", show(old.as_bytes())),
            "restore it with `git checkout -- <pointer>` first",
        )
    })?;
    let (tracked, _) = load_tracked(repo.git(), repo.door())?;
    let mut new = target(repo, &options.to, (&old, &pointer), &tracked)?;
    if let Some(outer) = &item.inside {
        if is_folder(repo, outer, (&old, &new), job)? {
            new = RepoPath::new([new.as_bytes(), b"/", old.file_name()].concat())?;
        }
        let data = check_inside(repo, outer, (&old, &new), job)?;
        let (from, to) = (json_path(old.as_bytes()), json_path(new.as_bytes()));
        let inside = item.inside;
        return Ok(MvPlan { from, to, data, files, bytes, old, new, pointer, inside });
    }
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
    Ok(MvPlan { from, to, data, files, bytes, old, new, pointer, inside: None })
}

/// Resolves the new name; an existing folder takes the path in.
fn target(
    repo: &Repo,
    word: &OsString,
    (old, pointer): (&RepoPath, &[u8]),
    tracked: &[Tracked],
) -> Result<RepoPath, OpError> {
    let path = resolve_or_root(repo, word)?;
    // Inside of tracked folders names may end like those of pointers.
    let inside = |path: &RepoPath| tracked.iter().any(|item| path.starts_with_dir(&item.path));
    let path = path.map(|path| match path.target_of_pointer() {
        Ok(target) if !inside(&path) => target,
        Ok(_) | Err(_) => path,
    });
    let Some(path) = path else { return Ok(RepoPath::new(old.file_name())?) };
    let stamp = repo.door().stamp(&path)?;
    let folder = stamp.is_some_and(|stamp| stamp.kind == FileKind::Directory);
    // The folder may be the data itself, which an earlier run has moved.
    // Nor does what a run has moved take it in once more.
    let moved = tracked.iter().any(|item| old.starts_with_dir(&item.path))
        && repo.door().stamp(old)?.is_none();
    let folder = folder && !moved && !begun(repo, &path, pointer, tracked)?;
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

/// Says whether the tracked folder has files below a path, here or not.
fn is_folder(
    repo: &Repo,
    outer: &Outer,
    (old, new): (&RepoPath, &RepoPath),
    job: &Job,
) -> Result<bool, OpError> {
    let Some(rest) = new.relative_to(&outer.path).filter(|_| old != new) else { return Ok(false) };
    let there = look(repo, outer.folder(), &[rest.as_bytes().to_vec()], job)?.entries;
    Ok(there.iter().any(|e| e.path != rest.as_bytes() || e.kind == EntryKind::EmptyDir))
}

/// Checks that a path of a tracked folder may have another name in there. Says whether there is data to
/// be moved.
fn check_inside(
    repo: &Repo,
    outer: &Outer,
    (old, new): (&RepoPath, &RepoPath),
    job: &Job,
) -> Result<bool, OpError> {
    let (from, to, top) = (show(old.as_bytes()), show(new.as_bytes()), show(outer.path.as_bytes()));
    let refused = |why: String, next: String| {
        Err(OpError::refused(format!("cannot move `{from}` to `{to}`: {why}"), next))
    };
    let Some(rest) = new.relative_to(&outer.path) else {
        return refused(
            format!("it is a part of the tracked `{top}`, and that lies outside"),
            format!(
                "move the file yourself, then run `haul add {}` and `haul rm {}`",
                in_shell(new.as_bytes()),
                in_shell(old.as_bytes())
            ),
        );
    };
    if old == new || new.starts_with_dir(old) || old.starts_with_dir(new) {
        return refused("one lies in the other".to_owned(), "choose another name".to_owned());
    }
    let there = look(repo, outer.folder(), &[rest.as_bytes().to_vec()], job)?;
    let file = |entry: &FileEntry| entry.kind != EntryKind::EmptyDir;
    if !there.entries.is_empty() || there.above.iter().any(file) {
        return refused(
            format!("the tracked `{top}` has something there already"),
            "choose another name, or remove what is there with `haul rm`".to_owned(),
        );
    }
    let data = repo.door().stamp(old)?.is_some();
    // Without the one, the other is what an earlier run, or the user, has moved.
    if data && repo.door().stamp(new)?.is_some() {
        return refused(
            "there is something already".to_owned(),
            "choose another name, or move away what is there".to_owned(),
        );
    }
    Ok(data)
}

/// Moves it; running it again completes what was cut short.
pub fn run(repo: &Repo, plan: MvPlan, job: &Job) -> Result<MvReport, OpError> {
    let _working = repo.lock_for_work()?;
    let MvPlan { from, to, data, old, new, pointer, inside, .. } = plan;
    if let Some(outer) = &inside {
        move_inside(repo, outer, (&old, &new), data, job)?;
        return Ok(MvReport { from, to, data });
    }
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

/// Moves entries of a manifest, then the data, then writes the pointer: what is cut short before that
/// is seen as files that were moved by hand.
fn move_inside(
    repo: &Repo,
    outer: &Outer,
    (old, new): (&RepoPath, &RepoPath),
    data: bool,
    job: &Job,
) -> Result<(), OpError> {
    let rest = new.relative_to(&outer.path).map(|rest| rest.as_bytes().to_vec());
    let rest = rest.ok_or_else(|| OpError::Defect("a path left its folder".to_owned()))?;
    let moved = outer.entries.iter().map(|entry| {
        let below = entry.path.get(outer.rest.len()..).unwrap_or_default();
        FileEntry { path: [&rest, below].concat(), ..entry.clone() }
    });
    let moved: Vec<FileEntry> = moved.collect();
    let paths = [outer.rest.clone(), rest];
    let kind = change(repo, outer.folder(), (&paths, &moved), job)?;
    let mut notes = Notes::default();
    if data {
        rename_data(repo, (old, new), &mut notes)?;
        repo.door().root().sync()?;
    }
    notes.save(repo, &[])?;
    replace_pointer(repo, outer.folder(), kind)
}

fn make_parent(repo: &Repo, path: &RepoPath) -> Result<(), OpError> {
    if let Some(parent) = path.parent() {
        repo.door().root().descend_or_make(parent.as_bytes())?;
    }
    Ok(())
}
