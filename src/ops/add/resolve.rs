//! From what the user typed to the paths that are to be tracked.

use std::collections::BTreeSet;
use std::ffi::OsString;

use crate::fs::FileKind;
use crate::ops::error::OpError;
use crate::ops::select::{glob_matches, is_glob, resolve};
use crate::path::{RepoPath, gitignore_line, in_shell, show};
use crate::repo::Repo;
use crate::worktree::Tracked;

/// Finds the targets that the arguments name, in path order, each checked.
pub(super) fn targets(
    repo: &Repo,
    arguments: &[OsString],
    tracked: &[Tracked],
) -> Result<Vec<RepoPath>, OpError> {
    let mut out = BTreeSet::new();
    for argument in arguments {
        let path = resolve(repo, argument)?;
        let stamp = repo.door().stamp(&path)?;
        if stamp.is_none() && is_glob(path.as_bytes()) {
            out.extend(globbed(repo, &path, tracked)?);
        } else {
            out.insert(path);
        }
    }
    let out: Vec<_> = out.into_iter().collect();
    for path in &out {
        check(repo, path, tracked)?;
    }
    for pair in out.windows(2) {
        if let [above, below] = pair
            && below.starts_with_dir(above)
        {
            return Err(OpError::refused(
                format!(
                    "cannot track `{}` and `{}` inside it",
                    show(above.as_bytes()),
                    show(below.as_bytes())
                ),
                "name the folder as a whole or its parts, not both",
            ));
        }
    }
    check_git(repo, &out)?;
    Ok(out)
}

fn globbed(repo: &Repo, pattern: &RepoPath, tracked: &[Tracked]) -> Result<Vec<RepoPath>, OpError> {
    let found = glob_matches(repo, pattern)?;
    let keys: Vec<&[u8]> = found.iter().map(RepoPath::as_bytes).collect();
    let in_git = if keys.is_empty() { BTreeSet::new() } else { repo.git().is_tracked(&keys)? };
    let known = |path: &RepoPath| tracked.iter().any(|t| t.path == *path);
    let wanted: Vec<_> = found
        .into_iter()
        .filter(|path| known(path) || !(path.is_pointer_path() || in_git.contains(path.as_bytes())))
        .collect();
    if wanted.is_empty() {
        return Err(OpError::refused(
            format!("`{}` matches nothing that can be tracked", show(pattern.as_bytes())),
            "check the pattern; what Git tracks already and pointers are passed over",
        ));
    }
    Ok(wanted)
}

/// Checks one target, each refusal with its own words.
fn check(repo: &Repo, path: &RepoPath, tracked: &[Tracked]) -> Result<(), OpError> {
    let shown = show(path.as_bytes());
    gitignore_line(path.file_name())
        .map_err(|e| OpError::refused(format!("cannot track `{shown}`: {e}"), "rename it"))?;
    if path.is_pointer_path() {
        let target = path.target_of_pointer()?;
        return Err(OpError::refused(
            format!("cannot track `{shown}`: names that end in `.haul` are pointers"),
            format!("name the data itself: `haul add {}`", in_shell(target.as_bytes())),
        ));
    }
    path.pointer_path()?;
    if let Some(outer) = tracked.iter().find(|t| t.path != *path && path.starts_with_dir(&t.path)) {
        return Err(OpError::refused(
            format!(
                "cannot track `{shown}` by itself: it lies inside the tracked `{}`",
                show(outer.path.as_bytes())
            ),
            format!("run `haul add {}`", in_shell(outer.path.as_bytes())),
        ));
    }
    if let Some(inner) = tracked.iter().find(|t| t.path != *path && t.path.starts_with_dir(path)) {
        let pointer = inner.path.pointer_path()?;
        return Err(OpError::refused(
            format!(
                "cannot track `{shown}`: the pointer `{}` lies inside",
                show(pointer.as_bytes())
            ),
            "track the folder as a whole or its parts, not both",
        ));
    }
    let Some(stamp) = repo.door().stamp(path)? else {
        let has_pointer = tracked.iter().any(|t| t.path == *path);
        let next = if has_pointer {
            "it is tracked, but its data is not here: run `haul pull` first"
        } else {
            "check the spelling; paths are relative to the current folder"
        };
        return Err(OpError::refused(format!("`{shown}` does not exist"), next));
    };
    match stamp.kind {
        FileKind::File | FileKind::Directory => Ok(()),
        FileKind::Symlink => Err(OpError::refused(
            format!("cannot track `{shown}`: it is a symbolic link"),
            "let Git track the link with `git add`, or name what it points to",
        )),
        FileKind::Special => Err(OpError::refused(
            format!("cannot track `{shown}`: it is a socket, FIFO or device"),
            "name a file or a folder",
        )),
    }
}

fn check_git(repo: &Repo, paths: &[RepoPath]) -> Result<(), OpError> {
    let keys: Vec<&[u8]> = paths.iter().map(RepoPath::as_bytes).collect();
    if keys.is_empty() {
        return Ok(());
    }
    if let Some(path) = repo.git().is_filtered(keys.iter().copied(), None)?.first() {
        let path = show(path);
        return Err(OpError::refused(
            format!(
                "cannot track `{path}` by a pointer beside it: a pattern of `haul track` has it"
            ),
            format!(
                "run `git add {path}`; for a pointer beside it, take the pattern back with `haul \
                 untrack`, and run `git rm --cached {path}` first if Git has it"
            ),
        ));
    }
    let in_git = repo.git().is_tracked(&keys)?;
    match in_git.iter().next() {
        None => Ok(()),
        Some(path) => Err(OpError::refused(
            format!("cannot track `{}`: Git tracks it, or files inside it, already", show(path)),
            format!(
                "run `git rm -r --cached {}` first if its content belongs in haul; the files stay",
                in_shell(path)
            ),
        )),
    }
}
