//! A path of a tracked folder that gets another name in there.

use crate::manifest::{EntryKind, FileEntry};
use crate::ops::checkout::{Notes, rename_data};
use crate::ops::error::OpError;
use crate::ops::inside::{Change, Folder, change, look, replace_pointer};
use crate::ops::mv::parts::{at, below};
use crate::ops::mv::place::told;
use crate::ops::tracked::Outer;
use crate::path::{RepoPath, show};
use crate::pointer::PointerKind;
use crate::progress::Job;
use crate::repo::Repo;

/// Says whether a tracked folder has files below a path in there, here or not.
pub(super) fn is_folder(
    repo: &Repo,
    folder: Folder<'_>,
    (old, new): (&RepoPath, &RepoPath),
    job: &Job,
) -> Result<bool, OpError> {
    if old == new || matches!(folder.pointer.kind(), PointerKind::File { .. }) {
        return Ok(false);
    }
    if new == folder.path {
        return Ok(true);
    }
    let Some(rest) = new.relative_to(folder.path) else { return Ok(false) };
    let there = look(repo, folder, &[rest.as_bytes().to_vec()], job)?.entries;
    Ok(there.iter().any(|e| e.path != rest.as_bytes() || e.kind == EntryKind::EmptyDir))
}

/// Checks that a path of a tracked folder may have another name in there. Says whether there is data to
/// be moved.
pub(super) fn check(
    repo: &Repo,
    outer: &Outer,
    (old, new): (&RepoPath, &RepoPath),
    job: &Job,
) -> Result<bool, OpError> {
    let (from, to, top) = (show(old.as_bytes()), show(new.as_bytes()), show(outer.path.as_bytes()));
    let refused = |why: String, next: String| {
        Err(OpError::refused(format!("cannot move `{from}` to `{to}`: {why}"), next))
    };
    if old == new || new.starts_with_dir(old) || old.starts_with_dir(new) {
        return refused("one lies in the other".to_owned(), "choose another name".to_owned());
    }
    let there = look(repo, outer.folder(), &[at(&outer.path, new)?], job)?;
    let file = |entry: &FileEntry| entry.kind != EntryKind::EmptyDir;
    if !there.entries.is_empty() || there.above.iter().any(file) {
        return refused(
            format!("the tracked `{top}` has something there already"),
            "choose another name, or remove what is there with `haul rm`".to_owned(),
        );
    }
    let data = repo.door().has(old)?;
    // Without the one, the other is what an earlier run, or the user, has moved.
    if data && repo.door().has(new)? {
        return refused(
            "there is something already".to_owned(),
            "choose another name, or move away what is there".to_owned(),
        );
    }
    Ok(data)
}

/// Moves entries of a manifest, then the data, then writes the pointer: what is cut short before that
/// is seen as files that were moved by hand, and after that as a move of which Git was not told.
pub(super) fn run(
    repo: &Repo,
    outer: &Outer,
    (old, new): (&RepoPath, &RepoPath),
    data: bool,
    job: &Job,
) -> Result<(), OpError> {
    let rest = at(&outer.path, new)?;
    let moved: Vec<FileEntry> = below(&outer.entries, &outer.rest, &rest);
    let paths = [outer.rest.clone(), rest];
    let wanted = Change { paths: &paths, puts: &moved, visited: &[] };
    let kind = change(repo, outer.folder(), wanted, job)?;
    let mut notes = Notes::default();
    if data {
        rename_data(repo, (old, new), &mut notes).map_err(|e| told(e, (old, new)))?;
        repo.door().root().sync()?;
    }
    notes.save(repo, &[])?;
    replace_pointer(repo, outer.folder(), kind, job)
}
