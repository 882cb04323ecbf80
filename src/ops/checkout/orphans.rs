//! Tracked paths whose pointer is gone: renamed with `git mv`, removed, or of another commit.

use std::collections::BTreeSet;

use crate::fs::Stamp;
use crate::ops::error::OpError;
use crate::ops::select::Chosen;
use crate::path::RepoPath;
use crate::progress::Job;
use crate::repo::Repo;
use crate::worktree::{Knowledge, Parent, load_tracked};

/// What becomes of data whose pointer is gone.
pub(super) enum Orphan {
    /// The same pointer stands under another name: the data follows it.
    Moved { from: RepoPath, to: RepoPath },
    /// No pointer names it: what is unchanged since haul placed it goes.
    Gone { path: RepoPath, files: Vec<(RepoPath, Stamp)> },
}

/// Finds paths that haul added or placed and that no pointer names now.
pub(super) fn orphans(repo: &Repo, chosen: &[Chosen], job: &Job) -> Result<Vec<Orphan>, OpError> {
    let tracked: BTreeSet<Vec<u8>> = load_tracked(repo.git(), repo.door())?
        .into_iter()
        .map(|t| t.path.as_bytes().to_vec())
        .collect();
    let placed = repo.stat()?.pointers()?;
    let known: BTreeSet<&[u8]> = placed.iter().map(|(path, _)| path.as_slice()).collect();
    let mut taken: BTreeSet<RepoPath> = BTreeSet::new();
    let mut out = Vec::new();
    for (path, bytes) in placed.iter().filter(|(path, _)| !tracked.contains(path)) {
        job.check()?;
        let from = RepoPath::new(path)?;
        let heir = chosen.iter().find(|item| {
            item.bytes == *bytes
                && !known.contains(item.path.as_bytes())
                && !taken.contains(&item.path)
        });
        let moved = match heir {
            Some(item) if can_move(repo, &from, &item.path)? => Some(item.path.clone()),
            Some(_) | None => None,
        };
        out.push(if let Some(to) = moved {
            taken.insert(to.clone());
            Orphan::Moved { from, to }
        } else {
            let files = unchanged(repo, &from)?;
            Orphan::Gone { path: from, files }
        });
    }
    Ok(out)
}

/// Data moves as a whole, only if nothing in it was changed and nothing stands in its new place.
fn can_move(repo: &Repo, from: &RepoPath, to: &RepoPath) -> Result<bool, OpError> {
    if repo.door().stamp(from)?.is_none() || repo.door().stamp(to)?.is_some() {
        return Ok(false);
    }
    let entries = repo.stat()?.under(from.as_bytes())?;
    Ok(unchanged(repo, from)?.len() == entries.len())
}

/// The files at and below a path that are as haul added or placed them.
fn unchanged(repo: &Repo, path: &RepoPath) -> Result<Vec<(RepoPath, Stamp)>, OpError> {
    let entries = repo.stat()?.under(path.as_bytes())?;
    let knowledge = Knowledge::new(entries, repo.door().now()?);
    let mut parent = Parent::default();
    let mut out = Vec::new();
    let mut paths: Vec<&[u8]> = knowledge.stored_paths().map(|(path, _)| path).collect();
    paths.sort_unstable();
    for path in paths {
        let path = RepoPath::new(path)?;
        let Some(dir) = parent.of(repo.door(), &path)? else { continue };
        let Some(stamp) = dir.stamp(path.file_name())? else { continue };
        if knowledge.recall(&path, &stamp).is_some() {
            out.push((path, stamp));
        }
    }
    Ok(out)
}
