//! Before a commit: the content of filtered paths that it names has to be on this machine.

use std::time::Duration;

use crate::git::{Content, IndexEntry, POINTER_LIMIT};
use crate::hash::Oid;
use crate::ops::error::OpError;
use crate::ops::filter_process::{adopt, regain, unknown, waiting};
use crate::path::RepoPath;
use crate::pointer::PointerKind;
use crate::progress::Job;
use crate::repo::Repo;
use crate::worktree::{Tracked, in_place};

/// What of the content that a commit names was looked for.
pub(super) enum Handed {
    /// All of it is known but that of these paths, where the worktree holds another.
    Seen(Vec<RepoPath>),
    /// Another command has the index for too long.
    Busy,
}

/// Finds content of which Git has the pointer and this machine nothing, as a power cut can leave it, and
/// takes it in again from the worktree. `repo` is opened to look and may be opened to work for that.
pub(super) fn handed(
    repo: Repo,
    staged: &[IndexEntry],
    (patience, job): (Duration, &Job),
) -> Result<(Repo, Handed), OpError> {
    let pointers = staged_in_place(&repo, staged)?;
    let none = Handed::Seen(Vec::new());
    if pointers.is_empty() {
        return Ok((repo, none));
    }
    // In this order: whoever changes pointers may wait for the index.
    if !repo.begin_within(patience, job)? || !repo.index_within(patience)? {
        return Ok((repo, Handed::Busy));
    }
    let mut missing = unknown(&repo, pointers)?;
    if !missing.is_empty() {
        // What `git commit -a` itself hands over is on its way. It comes no further while the index is ours.
        let waiting = waiting(&repo)?;
        missing.retain(|item| oid_of(item).is_none_or(|oid| !waiting.contains(&oid)));
    }
    if missing.is_empty() {
        return Ok((repo, none));
    }
    let repo = repo.to_work();
    if !repo.index_within(patience)? {
        return Ok((repo, Handed::Busy));
    }
    adopt(&repo, job)?;
    let missing = unknown(&repo, missing)?;
    let lost = regain(&repo, &missing, job)?;
    Ok((repo, Handed::Seen(lost)))
}

fn oid_of(item: &Tracked) -> Option<Oid> {
    match item.pointer()?.kind() {
        PointerKind::File { oid, .. } => Some(*oid),
        PointerKind::Dir { .. } => None,
    }
}

/// The staged files that hold a pointer in place of their content.
fn staged_in_place(repo: &Repo, staged: &[IndexEntry]) -> Result<Vec<Tracked>, OpError> {
    let contents: Vec<Content> = repo.git().index_contents(staged, POINTER_LIMIT)?;
    let mut out = Vec::new();
    for (file, content) in staged.iter().zip(contents) {
        let Some(state) = in_place(content) else { continue };
        // One that haul never tracks is no filtered path either.
        let Ok(path) = RepoPath::new(&file.path) else { continue };
        if !path.is_pointer_path() {
            out.push(Tracked { path, state });
        }
    }
    let paths = out.iter().map(|item| item.path.as_bytes());
    let filtered = repo.git().is_filtered(paths, None)?;
    out.retain(|item| filtered.contains(item.path.as_bytes()));
    Ok(out)
}
