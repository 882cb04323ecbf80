//! Whether the disks can hold what a checkout writes.

use std::collections::HashSet;
use std::path::Path;

use crate::cache::{Link, WholeFiles};
use crate::fs::{Dir, is_own};
use crate::ops::checkout::plan::CheckoutPlan;
use crate::ops::checkout::wanted::Target;
use crate::ops::error::OpError;
use crate::repo::Repo;
use crate::units::ByteSize;

/// Bytes that a checkout writes.
#[derive(Default)]
struct Room {
    /// Into the worktree.
    worktree: u64,
    /// Into the cache, for links to lead there.
    cache: u64,
}

/// Refuses before the first write what a disk cannot hold beside the bytes that were built ahead.
pub(super) fn check_room(repo: &Repo, plan: &CheckoutPlan, ahead: u64) -> Result<(), OpError> {
    let root = repo.door().root();
    let Room { worktree, cache } = needed(repo, plan)?;
    let worktree = worktree.saturating_sub(ahead);
    let shelf = nearest(repo.layout().cache_path())?;
    if device(root)? == device(&shelf)? {
        return check(worktree.saturating_add(cache), root);
    }
    check(worktree, root)?;
    check(cache, &shelf)
}

fn check(bytes: u64, dir: &Dir) -> Result<(), OpError> {
    let free = dir.free_bytes()?;
    if bytes <= free {
        return Ok(());
    }
    Err(OpError::refused(
        format!(
            "nothing was changed: {} are needed in `{}`, and {} are free",
            ByteSize(bytes),
            dir.path().display(),
            ByteSize(free)
        ),
        "free some disk space, or name fewer paths",
    ))
}

/// Counts what will be written: nothing for a link to a file that the cache has, and once for all links to
/// one that it will have.
fn needed(repo: &Repo, plan: &CheckoutPlan) -> Result<Room, OpError> {
    let mut room = Room { worktree: plan.bytes, cache: 0 };
    let link = plan.work.link.unwrap_or(repo.config().cache_link.value);
    if !matches!(link, Link::Hardlink | Link::Symlink) {
        return Ok(room);
    }
    let files = WholeFiles::open(repo.layout(), repo.index()?)?;
    let mut counted = HashSet::new();
    plan.work.writes.each(|write| {
        let Some(name) = write.target.whole_name() else { return Ok(()) };
        let bytes = write.target.content.size();
        if !counted.insert(name) || can_link(repo, (&files, link), &write.target)? {
            room.worktree = room.worktree.saturating_sub(bytes);
        } else if link == Link::Symlink {
            room.worktree = room.worktree.saturating_sub(bytes);
            room.cache = room.cache.saturating_add(bytes);
        }
        Ok(())
    })?;
    Ok(room)
}

/// Says whether the cache has a file to which a link of this kind can be made.
fn can_link(
    repo: &Repo,
    (files, link): (&WholeFiles, Link),
    target: &Target,
) -> Result<bool, OpError> {
    let Some(name) = target.whole_name() else { return Ok(false) };
    let Some(found) = files.open_unproven(&name)? else { return Ok(false) };
    let reaches = link == Link::Symlink || Some(found.stamp.dev) == device(repo.door().root())?;
    Ok(reaches && is_own(&found.file) && found.stamp.size == target.content.size())
}

/// Opens a folder, or the nearest above it that is there.
fn nearest(path: &Path) -> Result<Dir, OpError> {
    let there = path.ancestors().find(|above| above.is_dir()).unwrap_or(Path::new("/"));
    Ok(Dir::open(there)?)
}

fn device(dir: &Dir) -> Result<Option<u64>, OpError> {
    Ok(dir.stamp(b".")?.map(|stamp| stamp.dev))
}
