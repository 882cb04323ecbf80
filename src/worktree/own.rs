//! Links of ours in the worktree: where they stand, and making files of their own of them before the
//! cache may let go of what they lead to.

use std::collections::HashSet;
use std::path::Path;

use crate::fs::{Dir, FileKind, FsError, IoResultExt, Links, OwnLink, open_plain};
use crate::progress::Job;
use crate::worktree::place::PlaceError;
use crate::worktree::share::copy_bytes;

/// Calls `each` with the folder and name of all that lies at and below a name, folders left out, and its
/// path as seen from `dir`. Follows no link.
fn walk(
    dir: &Dir,
    name: &[u8],
    mut each: impl FnMut((&Dir, &[u8]), &[u8]) -> Result<(), PlaceError>,
) -> Result<(), PlaceError> {
    if kind((dir, name), None)? != Some(FileKind::Directory) {
        return each((dir, name), name);
    }
    let mut pending = vec![name.to_vec()];
    while let Some(folder) = pending.pop() {
        let below = dir.descend(&folder)?;
        for entry in below.entries()? {
            let path = [folder.as_slice(), b"/", &entry.name].concat();
            if kind((&below, &entry.name), entry.kind)? == Some(FileKind::Directory) {
                pending.push(path);
            } else {
                each((&below, &entry.name), &path)?;
            }
        }
    }
    Ok(())
}

fn kind((dir, name): (&Dir, &[u8]), listed: Option<FileKind>) -> Result<Option<FileKind>, FsError> {
    if listed.is_some() {
        return Ok(listed);
    }
    Ok(dir.stamp(name)?.map(|stamp| stamp.kind))
}

/// Lists the links of ours at and below a name, by their paths as seen from `dir`.
pub(crate) fn own_links(dir: &Dir, name: &[u8]) -> Result<Vec<(Vec<u8>, OwnLink)>, PlaceError> {
    let mut out = Vec::new();
    walk(dir, name, |(dir, name), path| {
        out.extend(dir.own_link(name).map(|link| (path.to_vec(), link)));
        Ok(())
    })?;
    Ok(out)
}

/// Makes files of their own where links of ours stand at and below a name, and where a file has one of
/// these inodes too; says whether there were any. What leads nowhere is left.
pub(crate) fn make_own(
    (dir, name): (&Dir, &[u8]),
    shared: &HashSet<(u64, u64)>,
    job: &Job,
) -> Result<bool, PlaceError> {
    let mut made = false;
    walk(dir, name, |place, _| {
        job.check()?;
        made |= make_one(place, shared, job)?;
        Ok(())
    })?;
    Ok(made)
}

fn make_one(
    (dir, name): (&Dir, &[u8]),
    shared: &HashSet<(u64, u64)>,
    job: &Job,
) -> Result<bool, PlaceError> {
    let (link, seen) = (dir.own_link(name), dir.stamp(name)?);
    let file = match (&link, seen) {
        (Some(OwnLink::Elsewhere(target)), _) => match open_plain(target, Links::Refuse) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            other => other.at("read", target)?,
        },
        (Some(OwnLink::Here(_)), Some(_)) => dir.open_file(name)?.0,
        (None, Some(stamp)) if shared.contains(&(stamp.dev, stamp.ino)) => dir.open_file(name)?.0,
        (Some(OwnLink::Here(_)), None) | (None, _) => return Ok(false),
    };
    let before = Dir::stamp_of(&file, dir.path())?;
    let temp = dir.temp(before.is_executable())?;
    if !temp.reflink(&file) {
        copy_bytes(&file, (temp.file(), dir.path()), job)?;
    }
    let same = Dir::stamp_of(&file, dir.path())?.still_is(&before)
        && dir.own_link(name) == link
        && match (dir.stamp(name)?, seen) {
            (Some(now), Some(seen)) => now.still_is(&seen),
            (now, seen) => now == seen,
        };
    if !same {
        return Err(PlaceError::ChangedMeanwhile);
    }
    temp.place(name)?;
    Ok(true)
}

/// Moves what stands at a name out of the worktree, a folder as a whole. Links of ours become files of
/// their own first, on the disk before the names that they have in the worktree go.
pub(crate) fn put_aside(
    (dir, name): (&Dir, &[u8]),
    to: &Path,
    job: &Job,
) -> Result<(), PlaceError> {
    if make_own((dir, name), &HashSet::new(), job)? {
        dir.sync()?;
    }
    Ok(dir.move_out(name, to)?)
}
