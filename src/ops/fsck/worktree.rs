//! Looking at the stat cache: whether files that seem unchanged are.

use crate::cache::StatEntry;
use crate::fs::{FileKind, Stamp};
use crate::ops::error::OpError;
use crate::ops::fsck::finding::{Finding, Side, What};
use crate::path::{RepoPath, show};
use crate::progress::{Job, Kind};
use crate::repo::Repo;
use crate::worktree::{Knowledge, Parent, load_tracked};

/// Files that are read before the next ones are looked for.
const BATCH: usize = 10_000;

/// Reads every tracked file for which the stat cache vouches.
pub(super) fn look(repo: &Repo, job: &Job) -> Result<Vec<Finding>, OpError> {
    let mut out = Vec::new();
    for tracked in load_tracked(repo.git(), repo.door())?.0 {
        let entries = repo.stat()?.under(tracked.path.as_bytes())?;
        for batch in entries.chunks(BATCH) {
            out.extend(compare(repo, batch, job)?);
        }
    }
    Ok(out)
}

fn compare(
    repo: &Repo,
    entries: &[(Vec<u8>, StatEntry)],
    job: &Job,
) -> Result<Vec<Finding>, OpError> {
    let (door, mut parent) = (repo.door(), Parent::default());
    let (mut files, mut oids): (Vec<(RepoPath, Stamp)>, Vec<_>) = (Vec::new(), Vec::new());
    for (path, entry) in entries.iter().filter(|(_, e)| e.stamp.kind == FileKind::File) {
        let Ok(path) = RepoPath::new(path) else { continue };
        if parent.stamp(door, &path)?.is_some_and(|stamp| stamp == entry.stamp) {
            files.push((path, entry.stamp));
            oids.push(entry.oid);
        }
    }
    let task = job.begin(Kind::Check, Some(files.iter().map(|(_, stamp)| stamp.size).sum()));
    let knowledge = Knowledge::new(Vec::new(), door.now()?);
    let found = knowledge.identify(door, &files, &task, job)?;
    let wrong = files
        .into_iter()
        .zip(oids)
        .zip(found)
        .filter(|(((_, stamp), oid), content)| content.oid != *oid && content.stamp == *stamp);
    Ok(wrong
        .map(|(((path, _), oid), content)| {
            let shown = show(path.as_bytes()).to_string();
            let what = What::Stat { path: path.as_bytes().to_vec() };
            Finding::new(Side::Local, what, &shown, &shown).because(&format!(
                "its bytes hash to {}, not to {oid} as when it was placed, though its times are the same",
                content.oid
            ))
        })
        .collect())
}
