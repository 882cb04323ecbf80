//! Tracked paths that are named one by one, and letting go of them.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use crate::ops::add::ignore_lines;
use crate::ops::checkout::begun_key;
use crate::ops::error::OpError;
use crate::ops::select::resolve;
use crate::path::{RepoPath, in_shell, show};
use crate::repo::Repo;
use crate::worktree::{Parent, Tracked, TrackedState, load_in_place, load_tracked};

/// A tracked path, and its pointer if there is one that can be read.
pub(crate) struct Named {
    pub(crate) path: RepoPath,
    pub(crate) pointer: Option<Vec<u8>>,
}

/// Finds tracked paths by their own names, or those of their pointers.
pub(crate) fn named(repo: &Repo, words: &[OsString]) -> Result<Vec<Named>, OpError> {
    let (tracked, _) = load_tracked(repo.git(), repo.door())?;
    let mut out: Vec<Named> = Vec::new();
    for word in words {
        let path = resolve(repo, word)?;
        let path = path.target_of_pointer().unwrap_or(path);
        let Some(found) = tracked.iter().find(|item| item.path == path) else {
            let (in_place, _) = load_in_place(repo.git())?;
            return Err(unknown(word, &path, (&tracked, &in_place)));
        };
        let pointer = match &found.state {
            TrackedState::Sound(_, bytes) => Some(bytes.clone()),
            TrackedState::Missing | TrackedState::Unsound(_) => None,
        };
        if out.iter().all(|other| other.path != path) {
            out.push(Named { path, pointer });
        }
    }
    Ok(out)
}

fn unknown(
    word: &OsString,
    path: &RepoPath,
    (tracked, in_place): (&[Tracked], &[Tracked]),
) -> OpError {
    let word = show(word.as_bytes());
    if let Some(outer) = tracked.iter().find(|item| path.starts_with_dir(&item.path)) {
        let (word_of, outer) = (in_shell(outer.path.as_bytes()), show(outer.path.as_bytes()));
        return OpError::refused(
            format!("`{word}` is not tracked by itself: it lies inside the tracked `{outer}`"),
            format!("change the files in it, then run `haul add {word_of}`"),
        );
    }
    if tracked.iter().any(|item| item.path.starts_with_dir(path)) {
        return OpError::refused(
            format!("`{word}` is not tracked by itself: tracked paths lie inside"),
            "name these; `haul ls` lists them",
        );
    }
    if in_place.iter().any(|item| item.path == *path) {
        return OpError::refused(
            format!("`{word}` is tracked by a pattern: Git holds its pointer in its place"),
            "`haul track` lists the patterns for `haul untrack`; `git rm` and `git mv` work as on any \
             file of Git",
        );
    }
    OpError::refused(
        format!("`{word}` is not tracked"),
        "run `haul ls` to see what is; files that Git tracks are for `git`",
    )
}

/// Takes away the pointers and ignore lines of paths, stages both, and forgets what was known of their
/// data. Nothing is done to the data. Running it again completes what was cut short.
pub(crate) fn let_go(repo: &Repo, paths: &[&RepoPath]) -> Result<(), OpError> {
    // First, so that no later checkout takes the data for what lost its pointer.
    forget(repo, paths)?;
    ignore_lines(repo, &[], paths)?;
    let mut pointers = Vec::new();
    for path in paths {
        let pointer = path.pointer_path()?;
        remove_file(repo, &pointer)?;
        pointers.push(pointer);
    }
    let keys: Vec<&[u8]> = pointers.iter().map(RepoPath::as_bytes).collect();
    Ok(repo.git().stage(&keys)?)
}

/// Removes a file of the worktree, if it is there.
pub(crate) fn remove_file(repo: &Repo, path: &RepoPath) -> Result<(), OpError> {
    let mut parent = Parent::default();
    if let Some(dir) = parent.of(repo.door(), path)?
        && dir.stamp(path.file_name())?.is_some()
    {
        dir.remove_file(path.file_name())?;
    }
    Ok(())
}

fn forget(repo: &Repo, paths: &[&RepoPath]) -> Result<(), OpError> {
    let (mut files, mut pointers) = (Vec::new(), Vec::new());
    for path in paths {
        files.extend(repo.stat()?.under(path.as_bytes())?.into_iter().map(|(path, _)| path));
        pointers.extend([path.as_bytes().to_vec(), begun_key(path.as_bytes())]);
    }
    let files = files.iter().map(|path| (path.as_slice(), None));
    Ok(repo.stat()?.save(files, pointers.iter().map(|path| (path.as_slice(), None)))?)
}
