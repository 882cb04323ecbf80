//! Which tracked paths `add -u` takes.

use crate::ops::add::run::{AddOptions, Target, old_pointer};
use crate::ops::checkout::LastPlaced;
use crate::ops::error::OpError;
use crate::ops::selection::Selection;
use crate::ops::status::{self, StatusOptions};
use crate::path::{RepoPath, in_shell, json_path, show};
use crate::progress::Job;
use crate::repo::Repo;
use crate::worktree::Tracked;

/// Returns the tracked paths that are here, but for those whose data is what an earlier pointer placed:
/// nobody changed it, and to take it would undo what Git brought.
pub(super) fn to_update(
    repo: &Repo,
    options: &AddOptions,
    tracked: &[Tracked],
    job: &Job,
) -> Result<Vec<RepoPath>, OpError> {
    let mut selection = Selection::new(repo, &options.paths)?;
    let mut here = Vec::new();
    for item in tracked {
        if selection.filter(&item.path).is_some() && repo.door().stamp(&item.path)?.is_some() {
            here.push((&item.path, old_pointer(item)?));
        }
    }
    selection.check_used()?;
    let placed = LastPlaced::load(repo)?;
    let (mut out, mut behind) = (Vec::new(), Vec::new());
    for (path, old) in here {
        let lags = old.is_some_and(|(_, bytes)| placed.is_behind(path, &bytes));
        if lags { &mut behind } else { &mut out }.push(path.clone());
    }
    if behind.is_empty() {
        return Ok(out);
    }
    let status = status::run(repo, &StatusOptions { paths: options.paths.clone() }, job)?;
    for path in behind {
        // An add that was cut short may have left a pointer that says what is here.
        let own = json_path(path.as_bytes());
        let differs = status.entries.iter().any(|entry| entry.pointer == own);
        if differs && placed.explains(repo, &path, &status.entries, job)? {
            let (shown, word) = (show(path.as_bytes()), in_shell(path.as_bytes()));
            job.warn(&format!(
                "`{shown}` is left as it is: its data did not follow its pointer yet, and nobody changed \
                 it; `haul checkout {word}` brings what the pointer names"
            ));
        } else {
            out.push(path);
        }
    }
    out.sort_unstable();
    Ok(out)
}

/// Warns of data that was placed by an earlier pointer than the one which an add is to replace.
pub(super) fn warn_of_older_data<'a>(
    repo: &Repo,
    targets: impl Iterator<Item = &'a Target>,
    job: &Job,
) -> Result<(), OpError> {
    let known: Vec<(&RepoPath, &[u8])> = targets
        .filter_map(|target| Some((&target.path, target.old.as_ref()?.1.as_slice())))
        .collect();
    if known.is_empty() {
        return Ok(());
    }
    let placed = LastPlaced::load(repo)?;
    for (path, bytes) in known {
        if placed.is_behind(path, bytes) {
            let (shown, word) = (show(path.as_bytes()), in_shell(path.as_bytes()));
            job.warn(&format!(
                "the pointer of `{shown}` changed since data was placed here: what it brought and is not in \
                 the worktree is undone by this; `haul checkout --force {word}` brings it, and puts your \
                 changes aside"
            ));
        }
    }
    Ok(())
}
