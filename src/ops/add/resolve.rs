//! From what the user typed to the paths that are to be tracked.

use std::collections::BTreeSet;
use std::ffi::OsString;

use crate::fs::FileKind;
use crate::ops::error::OpError;
use crate::ops::inside::{Folder, look};
use crate::ops::select::{glob_matches, is_glob, resolve};
use crate::path::{RepoPath, gitignore_line, in_shell, show};
use crate::pointer::{Pointer, PointerKind};
use crate::progress::Job;
use crate::repo::Repo;
use crate::worktree::{Tracked, WorktreeError, is_excluded};

/// Finds the targets that the arguments name, in path order, each checked.
pub(super) fn targets(
    repo: &Repo,
    arguments: &[OsString],
    tracked: &[Tracked],
    job: &Job,
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
        refuse_excluded(repo, path, tracked, job)?;
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
    let mut wanted = Vec::new();
    for path in found {
        let passed = path.is_pointer_path() || in_git.contains(path.as_bytes());
        if known(&path) || !passed && !is_excluded(repo.door(), &path, None)? {
            wanted.push(path);
        }
    }
    if wanted.is_empty() {
        return Err(OpError::refused(
            format!("`{}` matches nothing that can be tracked", show(pattern.as_bytes())),
            "check the pattern; what Git tracks already, pointers, and what a `.haulignore` excludes are \
             passed over",
        ));
    }
    Ok(wanted)
}

/// Refuses what `.haulignore` files exclude, unless it is tracked already.
fn refuse_excluded(
    repo: &Repo,
    path: &RepoPath,
    tracked: &[Tracked],
    job: &Job,
) -> Result<(), OpError> {
    if !is_excluded(repo.door(), path, None)? || tracked.iter().any(|item| item.path == *path) {
        return Ok(());
    }
    let outer = tracked.iter().find(|item| path.starts_with_dir(&item.path));
    let parts = outer.and_then(|o| Some((o, o.pointer()?, path.relative_to(&o.path)?)));
    if let Some((outer, pointer, rest)) = parts {
        let folder = Folder { path: &outer.path, pointer };
        if !look(repo, folder, &[rest.as_bytes().to_vec()], job)?.entries.is_empty() {
            return Ok(());
        }
    }
    Err(OpError::refused(
        format!("cannot track `{}`: a line of a `.haulignore` excludes it", show(path.as_bytes())),
        "take out that line, or add one that begins with `!` and takes the path back",
    ))
}

/// Checks the name of one target, whatever stands there; each refusal has its own words.
pub(crate) fn check_name(path: &RepoPath, tracked: &[Tracked]) -> Result<(), OpError> {
    let shown = show(path.as_bytes());
    if path.is_pointer_path() {
        let target = path.target_of_pointer()?;
        return Err(OpError::refused(
            format!("cannot track `{shown}`: names that end in `.haul` are pointers"),
            format!("name the data itself: `haul add {}`", in_shell(target.as_bytes())),
        ));
    }
    let outer = tracked.iter().find(|t| path.starts_with_dir(&t.path));
    match outer {
        Some(outer) => check_outer(path, outer)?,
        None if path.file_name() == b".haulignore" => {
            return Err(OpError::refused(
                format!("cannot track `{shown}`: it has rules for what is tracked"),
                format!("let Git track it: `git add {}`", in_shell(path.as_bytes())),
            ));
        }
        None => {
            path.pointer_path()?;
            gitignore_line(path.file_name()).map_err(|e| {
                OpError::refused(format!("cannot track `{shown}`: {e}"), "rename it")
            })?;
        }
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
    Ok(())
}

/// Checks one target.
fn check(repo: &Repo, path: &RepoPath, tracked: &[Tracked]) -> Result<(), OpError> {
    check_name(path, tracked)?;
    let shown = show(path.as_bytes());
    let Some(stamp) = repo.door().stamp(path)? else {
        return Err(absent(repo, path, tracked)?);
    };
    match stamp.kind {
        FileKind::File | FileKind::Directory => Ok(()),
        FileKind::Symlink if tracked.iter().any(|t| path.starts_with_dir(&t.path)) => Ok(()),
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

/// Says why there is nothing at a path, as far as that can be told.
fn absent(repo: &Repo, path: &RepoPath, tracked: &[Tracked]) -> Result<OpError, OpError> {
    if repo.door().own_link(path)?.is_some() {
        return Ok(WorktreeError::Dangling { path: path.as_bytes().to_vec() }.into());
    }
    let next = if tracked.iter().any(|t| t.path == *path) {
        "it is tracked, but its data is not here: run `haul pull` first".to_owned()
    } else if tracked.iter().any(|t| path.starts_with_dir(&t.path)) {
        format!(
            "check the spelling; `haul rm {}` removes what was tracked there",
            in_shell(path.as_bytes())
        )
    } else {
        "check the spelling; paths are relative to the current folder".to_owned()
    };
    Ok(OpError::refused(format!("`{}` does not exist", show(path.as_bytes())), next))
}

/// Checks the tracked path that a target lies in: a part goes into a folder whose pointer can be read.
fn check_outer(path: &RepoPath, outer: &Tracked) -> Result<(), OpError> {
    let (shown, folder) = (show(path.as_bytes()), show(outer.path.as_bytes()));
    match outer.pointer().map(Pointer::kind) {
        Some(PointerKind::Dir { .. }) => Ok(()),
        Some(PointerKind::File { .. }) => Err(OpError::refused(
            format!("cannot track `{shown}`: `{folder}`, which it lies in, is tracked as a file"),
            format!(
                "run `haul add {}` to have it tracked as a folder",
                in_shell(outer.path.as_bytes())
            ),
        )),
        None => Err(OpError::refused(
            format!("cannot track `{shown}`: the pointer of `{folder}` is missing or damaged"),
            format!(
                "restore it with `git checkout -- {}` first",
                in_shell(&[outer.path.as_bytes(), b".haul"].concat())
            ),
        )),
    }
}

fn check_git(repo: &Repo, paths: &[RepoPath]) -> Result<(), OpError> {
    let keys: Vec<&[u8]> = paths.iter().map(RepoPath::as_bytes).collect();
    if keys.is_empty() {
        return Ok(());
    }
    check_filtered(repo, &keys)?;
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

/// Refuses what a pattern has by which Git stores pointers itself.
pub(crate) fn check_filtered(repo: &Repo, paths: &[&[u8]]) -> Result<(), OpError> {
    if let Some(path) = repo.git().is_filtered(paths.iter().copied(), None)?.first() {
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
    Ok(())
}
