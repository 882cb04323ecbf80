//! Making room for a checkout: the user's changes aside, renamed data moved, gone files removed.

use std::collections::BTreeSet;
use std::path::Path;

use crate::cache::{StatEntry, note_links};
use crate::fs::{Dir, Stamp, Time};
use crate::manifest::EntryKind;
use crate::ops::add::ignore_lines;
use crate::ops::checkout::act::Notes;
use crate::ops::checkout::leavers::Leaving;
use crate::ops::checkout::packed::{Packed, Row};
use crate::ops::checkout::placed::Placed;
use crate::ops::checkout::writes::{Write, Writes};
use crate::ops::error::OpError;
use crate::path::RepoPath;
use crate::progress::Job;
use crate::repo::Repo;
use crate::worktree::{self, Parent, own_links};

/// Puts the user's unsaved files into a new folder of the state; returns it if there were any.
pub(super) fn aside(
    repo: &Repo,
    unsaved: &[Write],
    now: Time,
    job: &Job,
) -> Result<Option<String>, OpError> {
    let unsaved: BTreeSet<&RepoPath> = unsaved.iter().filter_map(|w| w.unsaved.as_ref()).collect();
    if unsaved.is_empty() {
        return Ok(None);
    }
    let folder = repo.layout().aside().join(now.0.to_string());
    for path in unsaved {
        put_aside(repo, path, &folder, job)?;
    }
    let folder = folder.display().to_string();
    job.note(&format!("changed files were put aside in `{folder}`"));
    Ok(Some(folder))
}

/// Moves what stands at a path, as a whole, into a folder of the state.
pub(crate) fn put_aside(
    repo: &Repo,
    path: &RepoPath,
    folder: &Path,
    job: &Job,
) -> Result<(), OpError> {
    let mut parent = Parent::default();
    let Some(dir) = parent.of(repo.door(), path)? else { return Ok(()) };
    worktree::put_aside((dir, path.file_name()), &folder.join(path.to_os()), job)
        .map_err(|source| OpError::Place { path: path.as_bytes().to_vec(), source })
}

/// Renames data after its pointer, mends the ignore lines, and moves what the stat cache knows.
pub(crate) fn move_data(
    repo: &Repo,
    from: &RepoPath,
    to: &RepoPath,
    notes: &mut Notes,
) -> Result<(), OpError> {
    rename_data(repo, (from, to), notes)?;
    ignore_lines(repo, &[to], &[from])?;
    notes.pointers.push((from.as_bytes().to_vec(), None));
    Ok(())
}

/// Renames data, removes folders that this leaves empty, and moves what the stat cache knows.
pub(crate) fn rename_data(
    repo: &Repo,
    (from, to): (&RepoPath, &RepoPath),
    notes: &mut Notes,
) -> Result<(), OpError> {
    let (mut source, mut target) = (Parent::default(), Parent::default());
    let old = repo.stat()?.under(from.as_bytes())?;
    match (source.of(repo.door(), from)?, target.make(repo.door(), to)?) {
        (Some(source), Some(target)) => {
            note_moved(repo, (source, from), to)?;
            source.rename(from.file_name(), target, to.file_name())?;
        }
        _ => return Err(OpError::Defect("a folder could not be opened".to_owned())),
    }
    drop(source);
    remove_empty(repo, from.parent().into_iter().collect(), |_| true)?;
    let mut parent = Parent::default();
    for (path, entry) in old {
        let rest = path.get(from.as_bytes().len()..).unwrap_or_default();
        let new = RepoPath::new([to.as_bytes(), rest].concat())?;
        let stamp = match parent.of(repo.door(), &new)? {
            Some(dir) => dir.stamp(new.file_name())?,
            None => None,
        };
        notes.files.push((path, None));
        // A rename touches the inode's own time and nothing else.
        let same = |s: &Stamp| Stamp { ctime: entry.stamp.ctime, ..*s } == entry.stamp;
        let entry = stamp.filter(same).map(|stamp| StatEntry { stamp, ..entry });
        notes.files.push((new.as_bytes().to_vec(), entry));
    }
    Ok(())
}

/// Notes where links of ours are about to stand, all that there are: the stat cache knows some of them.
fn note_moved(
    repo: &Repo,
    (folder, from): (&Dir, &RepoPath),
    to: &RepoPath,
) -> Result<(), OpError> {
    let links = own_links(folder, from.file_name())
        .map_err(|source| OpError::Place { path: from.as_bytes().to_vec(), source })?;
    let new = |path: &[u8]| {
        let below = path.get(from.file_name().len()..).unwrap_or_default();
        [to.as_bytes(), below].concat()
    };
    let paths: Vec<Vec<u8>> = links.iter().map(|(path, _)| new(path)).collect();
    Ok(note_links(repo.layout(), repo.git().root(), paths.iter().map(Vec::as_slice))?)
}

/// Removes files whose stamps are still those that were seen, then folders left empty. Returns how
/// many files went.
pub(super) fn remove_all(
    repo: &Repo,
    leaving: &Leaving,
    notes: &mut Notes,
) -> Result<u64, OpError> {
    let top = &leaving.top;
    let mut parent = Parent::default();
    let mut removed = 0;
    let mut folders: BTreeSet<RepoPath> = leaving.folders.iter().cloned().collect();
    for (path, seen) in &leaving.files {
        let Some(dir) = parent.of(repo.door(), path)? else { continue };
        if !dir.stamp(path.file_name())?.is_some_and(|now| now.still_is(seen)) {
            continue;
        }
        dir.remove_file(path.file_name())?;
        removed += 1;
        notes.files.push((path.as_bytes().to_vec(), None));
        folders.extend(path.parent());
    }
    for path in &leaving.dangling {
        let Some(dir) = parent.of(repo.door(), path)? else { continue };
        if dir.leads_nowhere(path.file_name()) {
            dir.remove_file(path.file_name())?;
            folders.extend(path.parent());
        }
    }
    parent.close();
    if leaving.whole && !leaving.folders.is_empty() {
        folders.insert(top.clone());
    }
    let may_go = |folder: &RepoPath| leaving.whole || folder.starts_with_dir(top);
    remove_empty(repo, folders, may_go)?;
    Ok(removed)
}

/// Removes those of the folders that are empty, and folders above that are empty without them, as
/// far as they may go.
pub(crate) fn remove_empty(
    repo: &Repo,
    mut folders: BTreeSet<RepoPath>,
    may_go: impl Fn(&RepoPath) -> bool,
) -> Result<(), OpError> {
    // Deepest first, so that a folder of empty folders goes as well.
    while let Some(folder) = folders.pop_last() {
        if !may_go(&folder) || repo.door().stamp(&folder)?.is_none() {
            continue;
        }
        let mut parent = Parent::default();
        let Some(dir) = parent.of(repo.door(), &folder)? else { continue };
        if dir.remove_folder(folder.file_name())? {
            folders.extend(folder.parent());
        }
    }
    Ok(())
}

/// Mends the ignore lines of a path whose pointer was renamed: an earlier run may have been cut
/// short, or its data may have stayed behind because it was changed.
pub(super) fn mend_ignore(repo: &Repo, from: &RepoPath, to: &RepoPath) -> Result<(), OpError> {
    if repo.door().stamp(from)?.is_some() {
        return ignore_lines(repo, &[to], &[]);
    }
    ignore_lines(repo, &[to], &[from])
}

/// Removes temporary files that a crash left in the folders of these paths and at the root.
pub(super) fn sweep<R: Row>(repo: &Repo, rows: &Packed<R>) -> Result<(), OpError> {
    repo.door().root().sweep()?;
    let mut folders = BTreeSet::new();
    for window in rows.windows() {
        folders.extend(window?.iter().filter_map(|row| row.path().parent()));
    }
    for folder in folders {
        repo.door().root().descend(folder.as_bytes())?.sweep()?;
    }
    Ok(())
}

/// As [`sweep`], before anything is placed: not all folders are there, and who places something in one says what
/// is wrong with it.
pub(super) fn sweep_before(
    repo: &Repo,
    (writes, filled): (&Writes, &[Write]),
) -> Result<(), OpError> {
    let mut folders = BTreeSet::new();
    let mut note = |write: &Write| {
        folders.extend(write.target.path.parent());
        Ok(())
    };
    writes.each(&mut note)?;
    filled.iter().try_for_each(note)?;
    for folder in folders {
        drop(repo.door().root().descend(folder.as_bytes()).and_then(|dir| dir.sweep()));
    }
    Ok(())
}

/// Makes a few placed paths durable, with the folders above them.
pub(super) fn make_durable(repo: &Repo, placed: &Packed<Placed>) -> Result<(), OpError> {
    let root = repo.door().root();
    let mut folders = BTreeSet::new();
    for window in placed.windows() {
        for row in window? {
            let mut above = row.path.parent();
            if matches!(row.kind, EntryKind::File | EntryKind::Executable) {
                let parent = above.as_ref().map_or(&b""[..], RepoPath::as_bytes);
                root.descend(parent)?.sync_file(row.path.file_name())?;
            }
            while let Some(folder) = above {
                above = folder.parent();
                folders.insert(folder);
            }
        }
    }
    for folder in folders {
        root.descend(folder.as_bytes())?.sync_names()?;
    }
    Ok(root.sync_names()?)
}
