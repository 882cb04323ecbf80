//! Files that the worktree shares with the cache: taken from there, and kept there once built (ADR 0019).

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use crate::cache::{Link, WholeFile, WholeFiles, WholeName};
use crate::fs::{Dir, IoResultExt, Linked, Stamp, TempFile, is_own};
use crate::hash::Oid;
use crate::progress::Job;
use crate::worktree::place::{PlaceError, StillAsSeen, Whole};

/// Bytes copied at a time.
const BUFFER: usize = 1 << 20;
/// Bytes from which on a file is kept for its blocks: a smaller one is decoded as fast.
const WORTH_CLONING: u64 = 256 << 10;

/// How one file is shared.
#[derive(Clone, Copy)]
pub(crate) struct Sharing<'a> {
    /// The whole files of the cache.
    pub(crate) files: &'a WholeFiles<'a>,
    /// What it is called there.
    pub(crate) name: WholeName,
    /// How.
    pub(crate) link: Link,
    /// Whether the cache keeps it if it has to be built.
    pub(crate) keep: bool,
}

/// Where a file gets its name, unless what stands there is not what was seen.
pub(super) type Place<'a> = (&'a Dir, &'a [u8], StillAsSeen<'a>);

/// Says whether what stands there is still what was judged.
pub(super) fn stands((dir, name, still): Place<'_>) -> Result<bool, crate::fs::FsError> {
    Ok(still(dir.stamp(name)?.as_ref()))
}

/// Places a whole file of the cache; nothing if none is there that is as its name says.
pub(crate) fn place_whole(
    sharing: &Sharing<'_>,
    place: Place<'_>,
    whole: &Whole,
    job: &Job,
) -> Result<Option<Stamp>, PlaceError> {
    let Sharing { files, name: of, link, .. } = sharing;
    let found = match link {
        Link::Copy => files.open_unproven(of)?,
        Link::Reflink | Link::Hardlink | Link::Symlink => files.find(of, whole.size)?,
    };
    let Some(found) = found else { return Ok(None) };
    let linked = match link {
        Link::Hardlink if is_own(&found.file) => hard_link(sharing, &found, place)?,
        Link::Symlink if is_own(&found.file) => symlink(sharing, &found, place)?,
        Link::Hardlink | Link::Symlink | Link::Reflink | Link::Copy => None,
    };
    match linked {
        Some(stamp) => Ok(Some(stamp)),
        None => copy(&found, (place, *link), whole, job),
    }
}

/// Takes away the right to write, if somebody gave it.
fn protect(sharing: &Sharing<'_>, found: &WholeFile) -> Result<Stamp, PlaceError> {
    if found.stamp.mode & 0o222 == 0 {
        return Ok(found.stamp);
    }
    found.dir.share_read_only(&found.file, sharing.name.executable)?;
    let stamp = Dir::stamp_of(&found.file, found.dir.path())?;
    sharing.files.note(&sharing.name, stamp);
    Ok(stamp)
}

fn hard_link(
    sharing: &Sharing<'_>,
    found: &WholeFile,
    place: Place<'_>,
) -> Result<Option<Stamp>, PlaceError> {
    let proven = protect(sharing, found)?;
    let (dir, name, _) = place;
    let text = sharing.name.to_string();
    match dir.hard_link((&found.dir, text.as_bytes()), name, || stands(place))? {
        Linked::Unable => return Ok(None),
        Linked::Taken => return Err(PlaceError::ChangedMeanwhile),
        Linked::Made => {}
    }
    proven_at(sharing, (found, proven), (dir, name))
}

fn symlink(
    sharing: &Sharing<'_>,
    found: &WholeFile,
    place: Place<'_>,
) -> Result<Option<Stamp>, PlaceError> {
    let proven = protect(sharing, found)?;
    let (dir, name, _) = place;
    link_to(sharing, place)?;
    proven_at(sharing, (found, proven), (dir, name))
}

/// Returns the stamp of a file that has one name more or less than when it was proven, which touches
/// the inode's own time and nothing else.
fn proven_at(
    sharing: &Sharing<'_>,
    (found, proven): (&WholeFile, Stamp),
    (dir, name): (&Dir, &[u8]),
) -> Result<Option<Stamp>, PlaceError> {
    let now = Dir::stamp_of(&found.file, found.dir.path())?;
    let there = dir.stamp(name)?.is_some_and(|stamp| stamp.still_is(&now));
    if (Stamp { ctime: proven.ctime, ..now }) != proven || !there {
        return Err(PlaceError::ChangedMeanwhile);
    }
    sharing.files.note(&sharing.name, now);
    Ok(Some(now))
}

fn link_to(sharing: &Sharing<'_>, place: Place<'_>) -> Result<(), PlaceError> {
    let target = sharing.files.path_of(&sharing.name);
    let (dir, name, _) = place;
    let made = dir.symlink(target.as_os_str().as_encoded_bytes(), name, || stands(place))?;
    if made { Ok(()) } else { Err(PlaceError::ChangedMeanwhile) }
}

fn copy(
    found: &WholeFile,
    (place, link): (Place<'_>, Link),
    whole: &Whole,
    job: &Job,
) -> Result<Option<Stamp>, PlaceError> {
    let (dir, name, _) = place;
    let temp = dir.temp(whole.executable)?;
    let cloned = link == Link::Reflink && temp.reflink(&found.file);
    let right = if cloned {
        Dir::stamp_of(&found.file, found.dir.path())?.still_is(&found.stamp)
    } else {
        copy_bytes(&found.file, (temp.file(), dir.path()), job)? == whole.oid
    };
    if !right {
        return Ok(None);
    }
    if !stands(place)? {
        return Err(PlaceError::ChangedMeanwhile);
    }
    Ok(Some(temp.place(name)?))
}

/// Copies a file from its beginning; returns the hash of its bytes. `path` is for messages.
pub(super) fn copy_bytes(
    from: &File,
    (mut to, path): (&File, &Path),
    job: &Job,
) -> Result<Oid, PlaceError> {
    let mut from = from;
    std::io::Seek::rewind(&mut from).at("read", path)?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; BUFFER];
    loop {
        job.check()?;
        let n = from.read(&mut buffer).at("read", path)?;
        let Some(bytes) = buffer.get(..n).filter(|bytes| !bytes.is_empty()) else { break };
        hasher.update(bytes);
        to.write_all(bytes).at("write", path)?;
    }
    Ok(Oid(*hasher.finalize().as_bytes()))
}

impl Sharing<'_> {
    /// Opens the folder of the cache in which a file for a symbolic link is to be built; nothing if it
    /// cannot be there.
    pub(super) fn folder_for_link(&self) -> Option<Dir> {
        if self.link != Link::Symlink || !self.keep {
            return None;
        }
        let dir = self.files.folder_of(&self.name)?;
        // One that lies there is not as its name says, and may be somebody's work.
        dir.stamp(self.name.to_string().as_bytes()).ok()?.is_none().then_some(dir)
    }

    /// Gives a built file its name in the cache, and the worktree a link to it.
    pub(super) fn place_linked(
        &self,
        (temp, cache): (TempFile<'_>, &Dir),
        place: Place<'_>,
    ) -> Result<Stamp, PlaceError> {
        cache.share_read_only(temp.file(), self.name.executable)?;
        let stamp = temp.place(self.name.to_string().as_bytes())?;
        self.files.note_kept(&self.name, stamp);
        // A link that led nowhere leads to it now.
        let (dir, name, still) = place;
        let still = |now: Option<&Stamp>| still(now) || now == Some(&stamp) && still(None);
        link_to(self, (dir, name, &still))?;
        Ok(stamp)
    }

    /// Has the cache keep a built file, by its blocks or as a second name of it. Whether that can be
    /// is the file system's to say; the file in the worktree is right in any case.
    pub(super) fn keep_built(&self, temp: &TempFile<'_>, size: u64) -> bool {
        if !self.keep {
            return false;
        }
        match self.link {
            Link::Hardlink => self.keep_link(temp),
            Link::Reflink if size >= WORTH_CLONING => {
                // What cannot be kept is built again.
                let _kept: Option<()> = self.keep_clone(temp);
                false
            }
            Link::Reflink | Link::Symlink | Link::Copy => false,
        }
    }

    fn keep_link(&self, temp: &TempFile<'_>) -> bool {
        let Some(dir) = self.files.folder_of(&self.name) else { return false };
        let linked = temp.link_into(&dir, self.name.to_string().as_bytes());
        linked && dir.share_read_only(temp.file(), self.name.executable).is_ok()
    }

    fn keep_clone(&self, built: &TempFile<'_>) -> Option<()> {
        if !self.files.can_clone(built) {
            return None;
        }
        let (dir, text) = (self.files.folder_of(&self.name)?, self.name.to_string());
        if dir.stamp(text.as_bytes()).ok()?.is_some() {
            return None;
        }
        let temp = dir.temp(false).ok()?;
        if temp.reflink(built.file()) && dir.share_read_only(temp.file(), false).is_ok() {
            let stamp = temp.place(text.as_bytes()).ok()?;
            self.files.note_kept(&self.name, stamp);
        }
        Some(())
    }
}
