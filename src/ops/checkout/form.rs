//! In which form a file stands: as one of its own, or as a link that shares its bytes with the cache.

use crate::cache::{Link, WholeFiles};
use crate::ops::checkout::survey::{Seen, Site};
use crate::ops::error::OpError;
use crate::repo::Repo;
use crate::worktree::Parent;

/// Says whether a file that is right shares its bytes in another way than this one. Whether two files
/// share blocks cannot be told: a file of its own will do for that.
pub(super) fn stands_otherwise(
    repo: &Repo,
    seen: &Seen,
    files: &WholeFiles,
    link: Link,
) -> Result<bool, OpError> {
    let (Site::Here(stamp), Some(name)) = (&seen.site, seen.target.whole_name()) else {
        return Ok(false);
    };
    let path = &seen.target.path;
    let mut parent = Parent::default();
    let Some(dir) = parent.of(repo.door(), path)? else { return Ok(false) };
    let now = if dir.own_link(path.file_name()).is_some() {
        Link::Symlink
    } else {
        let cached = files.open_unproven(&name)?.map(|file| (file.stamp.dev, file.stamp.ino));
        if cached == Some((stamp.dev, stamp.ino)) { Link::Hardlink } else { Link::Copy }
    };
    Ok(match link {
        Link::Hardlink | Link::Symlink => now != link,
        Link::Reflink | Link::Copy => now != Link::Copy,
    })
}
