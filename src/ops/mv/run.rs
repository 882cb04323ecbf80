//! Moving what was planned.

use crate::ops::add::ignore_lines;
use crate::ops::checkout::{Notes, move_data, remove_empty};
use crate::ops::error::OpError;
use crate::ops::mv::across;
use crate::ops::mv::cut;
use crate::ops::mv::place::Before;
use crate::ops::mv::plan::{MvPlan, MvReport, Way, is_committed};
use crate::ops::mv::within;
use crate::ops::tracked::remove_file;
use crate::path::RepoPath;
use crate::progress::Job;
use crate::repo::Repo;

/// Moves it; running it again completes what was cut short.
pub fn run(repo: &Repo, plan: MvPlan, job: &Job) -> Result<MvReport, OpError> {
    let _working = repo.lock_for_work()?;
    let MvPlan { from, to, data, old, new, pointer, moves, way, .. } = plan;
    match way {
        Way::Within(outer) => within::run(repo, &outer, (&old, &new), moves, job)?,
        Way::Across(crossing) => across::run(repo, *crossing, (&old, &new), moves, job)?,
        Way::Whole => whole(repo, (&old, &new), moves, &pointer)?,
        Way::Told(rest) => cut::run(repo, &rest)?,
    }
    Ok(MvReport { from, to, data })
}

/// Moves a tracked path with its pointer.
fn whole(
    repo: &Repo,
    (old, new): (&RepoPath, &RepoPath),
    data: bool,
    pointer: &[u8],
) -> Result<(), OpError> {
    let (old_pointer, new_pointer) = (old.pointer_path()?, new.pointer_path()?);
    make_parent(repo, new)?;
    let before = Before::look(repo, new)?;
    repo.door().write_durably(&new_pointer, pointer)?;
    let mut notes = Notes::default();
    if data {
        before.rename(repo, (old, new), || move_data(repo, old, new, &mut notes))?;
    } else {
        ignore_lines(repo, &[new], &[old])?;
    }
    stage_early(repo, &new_pointer)?;
    remove_file(repo, &old_pointer)?;
    remove_empty(repo, old.parent().into_iter().collect(), |_| true)?;
    repo.door().root().sync()?;
    notes.save(repo, &[(old.as_bytes(), None), (new.as_bytes(), Some(pointer))])?;
    Ok(repo.git().stage(&[old_pointer.as_bytes(), new_pointer.as_bytes()])?)
}

/// Lets Git know of a new pointer before the old one goes, so that no commit has neither. One in the place of
/// another that was committed waits: only as unknown to Git is it one that an earlier run has written.
pub(super) fn stage_early(repo: &Repo, pointer: &RepoPath) -> Result<(), OpError> {
    if is_committed(repo, pointer)? {
        return Ok(());
    }
    Ok(repo.git().stage(&[pointer.as_bytes()])?)
}

/// Makes the folders above a path.
pub(super) fn make_parent(repo: &Repo, path: &RepoPath) -> Result<(), OpError> {
    if let Some(parent) = path.parent() {
        repo.door().root().descend_or_make(parent.as_bytes())?;
    }
    Ok(())
}
