//! Waiting for another command that is at work in the same repository.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::fs::failpoint;
use crate::path::show;
use crate::progress::{Job, Stopped};

/// How often a command that waits for another looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(200);
/// How long it waits without a word.
const SILENT: Duration = Duration::from_secs(2);

/// Tries again until an attempt brings something, for `patience` at most; an attempt is told how long it
/// may wait itself. Says once, after a while, which repository it is that another command works in.
///
/// Fails once the user asks to stop.
pub(super) fn in_turn<T, E: From<Stopped>>(
    git_folder: &Path,
    patience: Duration,
    mut attempt: impl FnMut(Duration) -> Result<Option<T>, E>,
    job: &Job,
) -> Result<Option<T>, E> {
    let begun = Instant::now();
    let (mut waited, mut said) = (Duration::ZERO, false);
    loop {
        let step = LOOK.min(patience.saturating_sub(waited));
        let found = attempt(step)?;
        // An attempt that cannot wait ends at once, and is not made for ever.
        waited = waited.saturating_add(step).max(begun.elapsed());
        if found.is_some() || waited >= patience {
            return Ok(found);
        }
        failpoint::hit("repo.waiting");
        job.check()?;
        if waited >= SILENT && !said {
            said = true;
            let place = show(worktree(git_folder).as_os_str().as_encoded_bytes());
            job.note(&format!(
                "another haul is at work in `{place}`; waiting for it (Ctrl-C stops)"
            ));
            failpoint::hit("repo.said");
        }
    }
}

/// The folder by which a user knows a repository.
fn worktree(git_folder: &Path) -> &Path {
    git_folder.parent().filter(|_| git_folder.ends_with(".git")).unwrap_or(git_folder)
}
