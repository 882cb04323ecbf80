//! The note in a pointer that says where imported data came from, and when it is lost.

use crate::config::redact_git;
use crate::path::{RepoPath, show};
use crate::pointer::Pointer;
use crate::progress::Job;

/// Keys of a pointer that say where its data came from; they go when other data is added.
pub(crate) const FROM: &str = "from";
pub(crate) const FROM_COMMIT: &str = "from-commit";
pub(crate) const FROM_PATH: &str = "from-path";
pub(crate) const FROM_REV: &str = "from-rev";

/// Says that what becomes a part of a tracked folder loses its note: only a pointer can hold it.
pub(crate) fn warn_of_part(path: &RepoPath, url: &str, job: &Job) {
    warn((path, url), "a part of a tracked folder", job);
}

/// Returns the address that a new pointer has no note of any more.
pub(crate) fn lost_note(old: &Pointer, new: &Pointer) -> Option<String> {
    old.extra().get(FROM).filter(|_| !new.extra().contains_key(FROM)).cloned()
}

/// Says that an import loses its note: its data is no longer what was imported.
pub(crate) fn warn_of_change(path: &RepoPath, url: &str, job: &Job) {
    warn((path, url), "what was changed here", job);
}

fn warn((path, url): (&RepoPath, &str), what: &str, job: &Job) {
    job.warn(&format!(
        "`{}` comes from `{}`; {what} keeps no note of that, so that `haul update` will pass it over",
        show(path.as_bytes()),
        show(redact_git(url).as_bytes())
    ));
}
