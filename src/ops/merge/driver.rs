//! What Git calls to merge a pointer.

use std::path::Path;

use crate::fs::{read_limited, replace};
use crate::git::{Lines, POINTER_LIMIT, stays_in_git};
use crate::ops::error::OpError;
use crate::ops::merge::Clash;
use crate::ops::merge::pointers::{Sides, merge_pointer};
use crate::path::json_path;
use crate::progress::Job;
use crate::repo::Repo;
use crate::worktree::Tracking;

/// Merges the files `base` and `theirs` into the file `ours`, which are versions of the pointer at
/// `path`; returns what needs a person. Whatever happens, `ours` holds a sound pointer if it held one.
pub fn drive(
    repo: &Repo,
    (base, ours, theirs): (&Path, &Path, &Path),
    path: &[u8],
    job: &Job,
) -> Result<Vec<Clash>, OpError> {
    let at = |file: &Path| repo.cwd().join(file);
    if stays_in_git(path) && !path.ends_with(b".haul") {
        // A pattern for all of a folder gives its ignore file this driver as well.
        let files = (&*at(base), &*at(ours), &*at(theirs));
        return merge_own(repo, files, path);
    }
    let (_, own) = Tracking::of(path)?;
    let read = |file: &Path| -> Result<Vec<u8>, OpError> {
        Ok(read_limited(&at(file), POINTER_LIMIT)?.unwrap_or_default())
    };
    let (base, mine, yours) = (read(base)?, read(ours)?, read(theirs)?);
    // Git gives an empty file where there is no common version.
    let base = Some(base.as_slice()).filter(|base| !base.is_empty());
    let merged = merge_pointer(repo, &own, Sides { base, ours: &mine, theirs: &yours }, job)?;
    if merged.pointer != mine {
        merged.write_nodes(repo)?;
        replace(&at(ours), &merged.pointer)?;
    }
    Ok(merged.clashes)
}

/// Merges a file that is no pointer, as Git would without this driver: of ignore files it keeps the lines
/// of both sides.
fn merge_own(
    repo: &Repo,
    files: (&Path, &Path, &Path),
    path: &[u8],
) -> Result<Vec<Clash>, OpError> {
    let lines = if path.ends_with(b".gitignore") { Lines::OfBoth } else { Lines::Marked };
    if repo.git().merge_lines(files, lines)? {
        return Ok(Vec::new());
    }
    Ok(vec![Clash { path: json_path(path), ours: "changed", theirs: "changed" }])
}
