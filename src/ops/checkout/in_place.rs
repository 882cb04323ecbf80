//! Paths that Git's filter has: where it left the pointer that Git holds, its content takes that place.
//! All else about such a file is for Git.

use crate::fs::FileKind;
use crate::manifest::EntryKind;
use crate::ops::checkout::plan::CheckoutPlan;
use crate::ops::checkout::wanted::{Target, file_content};
use crate::ops::checkout::writes::Write;
use crate::ops::chosen::Chosen;
use crate::ops::error::OpError;
use crate::path::RepoPath;
use crate::pointer::MAX_POINTER;
use crate::progress::Job;
use crate::repo::Repo;
use crate::worktree::Tracking;

/// Splits what Git's filter has from what haul places by itself.
pub(super) fn split(chosen: &[Chosen]) -> (Vec<&Chosen>, Vec<&Chosen>) {
    chosen.iter().partition(|item| item.by == Tracking::Beside)
}

/// Says whether the worktree holds the pointer of a path in place of its content.
pub(crate) fn is_unfilled(repo: &Repo, path: &RepoPath, pointer: &[u8]) -> Result<bool, OpError> {
    let Some(stamp) = repo.door().stamp(path)? else { return Ok(false) };
    if stamp.kind != FileKind::File || stamp.size != pointer.len() as u64 {
        return Ok(false);
    }
    let bytes = repo.door().read_small(path, MAX_POINTER as u64)?;
    Ok(bytes.as_deref() == Some(pointer))
}

/// Plans to put content where pointers stand. A file that holds anything else is left to Git.
pub(super) fn fill(
    repo: &Repo,
    items: &[&Chosen],
    plan: &mut CheckoutPlan,
    job: &Job,
) -> Result<(), OpError> {
    let mut unfilled = Vec::new();
    for item in items {
        job.check()?;
        if is_unfilled(repo, &item.path, &item.bytes)? {
            unfilled.push(*item);
        } else {
            plan.keep += 1;
        }
    }
    if let Some(first) = unfilled.first()
        && repo.git().filter()?.is_none()
    {
        job.warn(&unset(&first.path, unfilled.len()));
        return Ok(());
    }
    for item in unfilled {
        let seen = repo.door().stamp(&item.path)?;
        let Some((_, content)) = file_content(item.pointer.kind()) else { continue };
        // Whether it may be run is said by Git, not by the pointer.
        let executable = seen.is_some_and(|stamp| stamp.is_executable());
        let kind = if executable { EntryKind::Executable } else { EntryKind::File };
        let target = Target { path: item.path.clone(), kind, content };
        plan.write += 1;
        plan.bytes = plan.bytes.saturating_add(target.content.size());
        plan.work.filled.push(Write::anew(target, seen));
    }
    Ok(())
}

/// What is wrong in a clone whose Git has no filter, and what to do.
pub(crate) fn unset(path: &RepoPath, count: usize) -> String {
    let more = if count > 1 { format!(" and {} more hold", count - 1) } else { " holds".into() };
    format!(
        "`{}`{more} a pointer in place of content, and Git does not call haul for it in this clone; \
         run `haul init`, then `haul pull`",
        crate::path::show(path.as_bytes())
    )
}

/// Lets Git see that content stands where a pointer stood, and that nothing changed by that.
pub(super) fn refresh(repo: &Repo, filled: &[Write]) -> Result<(), OpError> {
    let paths: Vec<&[u8]> = filled.iter().map(|write| write.target.path.as_bytes()).collect();
    Ok(repo.git().refresh_filtered(&paths)?)
}
