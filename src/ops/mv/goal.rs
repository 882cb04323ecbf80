//! Where a path moves to: what `haul add` refuses there, or warns of, is told here too.

use crate::fs::FileKind;
use crate::ops::error::OpError;
use crate::path::{RepoPath, find_collisions, show};
use crate::progress::Job;
use crate::repo::Repo;
use crate::worktree::{Tracked, is_excluded};

/// Refuses a name that a `.haulignore` excludes, and warns of one that some systems take for another.
pub(super) fn judge(
    repo: &Repo,
    (old, new): (&RepoPath, &RepoPath),
    kind: FileKind,
    tracked: &[Tracked],
    job: &Job,
) -> Result<(), OpError> {
    let excluded = |path| is_excluded(repo.door(), path, Some(kind));
    // What is tracked though a rule excludes it stays so under another such name.
    if excluded(new)? && !excluded(old)? {
        let (from, to) = (show(old.as_bytes()), show(new.as_bytes()));
        return Err(OpError::refused(
            format!("cannot move `{from}` to `{to}`: a line of a `.haulignore` excludes it"),
            "choose another name, or take out that line",
        ));
    }
    for text in [new.windows_problem(), new.caution()].into_iter().flatten() {
        job.warn(&format!("`{}`: {text}", show(new.as_bytes())));
    }
    let mut made = Some(new.clone());
    while let Some(path) = made {
        warn_of_twins(repo, (old, &path), tracked, job);
        let folder = path.parent();
        // A folder that is there already is no new name.
        made = match folder {
            Some(folder) if !repo.door().has(&folder)? => Some(folder),
            Some(_) | None => None,
        };
    }
    Ok(())
}

/// Warns of names beside a new one that some systems take for it.
fn warn_of_twins(repo: &Repo, (old, new): (&RepoPath, &RepoPath), tracked: &[Tracked], job: &Job) {
    let mut beside = beside(repo, new, tracked);
    beside.retain(|path| path != old && path != new);
    beside.push(new.clone());
    beside.sort_unstable();
    for collision in find_collisions(&beside).iter().filter(|found| found.paths.contains(new)) {
        let names = collision.paths.iter().map(|path| format!("`{}`", show(path.as_bytes())));
        let names: Vec<String> = names.collect();
        job.warn(&format!("{} {}", names.join(" and "), collision.kind));
    }
}

/// What stands in the folder of a path, or is tracked there.
fn beside(repo: &Repo, path: &RepoPath, tracked: &[Tracked]) -> Vec<RepoPath> {
    let parent = path.parent();
    let folder = parent.as_ref().map_or(&b""[..], RepoPath::as_bytes);
    // A folder that is not there yet holds nothing.
    let entries = repo.door().root().descend(folder).and_then(|folder| folder.entries());
    let named = entries.unwrap_or_default().into_iter().filter_map(|entry| {
        let parts = [folder, &entry.name];
        RepoPath::new(parts.into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join(&b'/'))
            .ok()
    });
    let known = tracked.iter().map(|item| item.path.clone()).filter(|path| path.parent() == parent);
    let mut all: Vec<RepoPath> = named.chain(known).collect();
    all.sort_unstable();
    all.dedup();
    all
}
