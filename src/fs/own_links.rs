//! Files that a folder of ours and worktrees share: by hard link, or by symbolic links that lead into
//! that folder. A symbolic link of ours stands for the file that it leads to.

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode};
use rustix::io::Errno;

use crate::fs::beside::Linked;
use crate::fs::dir::{Dir, TempFile, temp_name};
use crate::fs::error::{FsError, IoResultExt};
use crate::fs::failpoint;
use crate::fs::stamp::{FileKind, Stamp};

/// Bits of a folder's mode that a shared file in it takes over.
const READ_BITS: u32 = 0o444;
const RUN_BITS: u32 = 0o111;
/// What a folder of shared files is called.
const FILES: &str = "files";
/// Characters of the folders in it.
const PREFIX: usize = 2;
/// Characters of a hash.
const HASH: usize = 64;

impl Dir {
    /// Has symbolic links into `folder` stand for the files that they lead to, here and below.
    #[must_use]
    pub fn with_own_links(mut self, folder: &Path) -> Self {
        self.own = Some(folder.into());
        self
    }

    /// Returns where a symbolic link that a haul made leads; nothing if `name` is none.
    pub fn own_link(&self, name: &[u8]) -> Option<OwnLink> {
        let own = self.own.as_deref()?;
        let target = rustix::fs::readlinkat(&self.fd, name, Vec::new()).ok()?;
        let target = PathBuf::from(std::ffi::OsString::from_vec(target.into_bytes()));
        OwnLink::of(&target, own)
    }

    /// Says whether `name` is a link of ours behind which there is nothing.
    pub fn leads_nowhere(&self, name: &[u8]) -> bool {
        let Some(OwnLink::Here(target) | OwnLink::Elsewhere(target)) = self.own_link(name) else {
            return false;
        };
        matches!(rustix::fs::lstat(&target), Err(Errno::NOENT | Errno::NOTDIR))
    }

    /// Removes a link of ours that stands for no file, if `name` is one.
    pub fn remove_dead_link(&self, name: &[u8]) -> Result<(), FsError> {
        if self.own_link(name).is_none() || self.stamp(name)?.is_some() {
            return Ok(());
        }
        self.remove_file(name)
    }

    /// Says whether a symbolic link to `target` would be one that a haul made.
    pub fn is_own_target(&self, target: &[u8]) -> bool {
        let target = Path::new(OsStr::from_bytes(target));
        self.own.as_deref().is_some_and(|own| OwnLink::of(target, own).is_some())
    }

    /// Returns the file in our folder that a symbolic link stands for, be it there or not.
    pub(super) fn shared_file(&self, name: &[u8]) -> Option<PathBuf> {
        match self.own_link(name)? {
            OwnLink::Here(target) => Some(target),
            OwnLink::Elsewhere(_) => None,
        }
    }

    /// Gives a file of another folder a further name here, replacing what is there, if `may` allows it
    /// at the last moment; [`Linked::Taken`] if it does not.
    pub fn hard_link(
        &self,
        (from, original): (&Self, &[u8]),
        name: &[u8],
        may: impl FnOnce() -> Result<bool, FsError>,
    ) -> Result<Linked, FsError> {
        let temp = temp_name();
        let path = self.path_of(name);
        let flags = AtFlags::empty();
        match rustix::fs::linkat(&from.fd, original, &self.fd, temp.as_slice(), flags) {
            Err(Errno::XDEV | Errno::PERM | Errno::MLINK | Errno::OPNOTSUPP | Errno::NOENT) => {
                return Ok(Linked::Unable);
            }
            other => other.at("create the link", &path)?,
        }
        failpoint::hit("fs.link.made");
        let placed = may().and_then(|may| {
            if may {
                let renamed = rustix::fs::renameat(&self.fd, temp.as_slice(), &self.fd, name);
                renamed.at("create the link", &path)?;
            }
            Ok(if may { Linked::Made } else { Linked::Taken })
        });
        // A rename between two names of one file leaves both.
        let _ = rustix::fs::unlinkat(&self.fd, temp.as_slice(), AtFlags::empty());
        placed
    }

    /// Gives a file the mode of one that nobody writes to, as far as this folder lets others see it.
    pub fn share_read_only(&self, file: &File, executable: bool) -> Result<(), FsError> {
        let folder = rustix::fs::fstat(&self.fd).at("look at", self.path())?;
        let bits = if executable { READ_BITS | RUN_BITS } else { READ_BITS };
        let mode = Mode::from_raw_mode(folder.st_mode & bits);
        rustix::fs::fchmod(file, mode).at("set the mode of a file in", self.path())
    }

    /// Returns how many names the file at `name` has; none if it is not there.
    pub fn names_of(&self, name: &[u8]) -> Result<u64, FsError> {
        match rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(stat.st_nlink),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(0),
            Err(e) => Err(e).at("look at", &self.path_of(name)),
        }
    }
}

impl TempFile<'_> {
    /// Makes the file, which is empty, share the bytes of another one until one of the two is written
    /// to; false where the file system cannot, and nothing is changed.
    pub fn reflink(&self, from: &File) -> bool {
        #[cfg(target_os = "linux")]
        return rustix::fs::ioctl_ficlone(&self.file, from).is_ok();
        #[cfg(not(target_os = "linux"))]
        false
    }

    /// Gives the file a name in another folder too; false where that cannot be, or the name is taken.
    pub fn link_into(&self, dir: &Dir, name: &[u8]) -> bool {
        let flags = AtFlags::empty();
        rustix::fs::linkat(&self.dir.fd, self.name.as_slice(), &dir.fd, name, flags).is_ok()
    }
}

/// Says whether the file is one that only this user, or the system's own, can write to.
pub fn is_own(file: &File) -> bool {
    let me = rustix::process::geteuid().as_raw();
    rustix::fs::fstat(file).is_ok_and(|stat| stat.st_uid == me && stat.st_mode & 0o022 == 0)
}

/// Where a symbolic link that a haul made leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnLink {
    /// To this file of our folder, which stands for the link.
    Here(PathBuf),
    /// To this file of another such folder: the clone was moved, say. The link stands for nothing.
    Elsewhere(PathBuf),
}

impl OwnLink {
    /// Says what a link to `target` is where ours lead into `folder`; nothing if no haul made it.
    ///
    /// All of them lead to `…/files/ab/abcd…`, a hash with what belongs to it, by an absolute path.
    pub fn of(target: &Path, folder: &Path) -> Option<Self> {
        let (name, nested) = (target.file_name()?, target.parent()?);
        let (prefix, files) = (nested.file_name()?, nested.parent()?);
        let ours = target.is_absolute()
            && files.file_name() == Some(OsStr::new(FILES))
            && prefix.len() == PREFIX
            && name.as_bytes().starts_with(prefix.as_bytes())
            && is_name(name.as_bytes());
        if !ours {
            return None;
        }
        Some(if files == folder || is_same(files, folder) {
            Self::Here(folder.join(prefix).join(name))
        } else {
            Self::Elsewhere(target.to_owned())
        })
    }
}

/// Says whether this can be the name of a shared file: one hash or two, and how it is shared.
fn is_name(name: &[u8]) -> bool {
    let name = name.strip_suffix(b".x").unwrap_or(name);
    let hex = |part: &[u8]| {
        part.len() == HASH && part.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    let mut parts = name.split(|byte| *byte == b'-');
    parts.next().is_some_and(hex) && parts.next().is_none_or(hex) && parts.next().is_none()
}

/// Says whether two paths are of one folder, spelled in two ways.
fn is_same(one: &Path, other: &Path) -> bool {
    let (Ok(one), Ok(other)) = (rustix::fs::stat(one), rustix::fs::stat(other)) else {
        return false;
    };
    (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
}

/// Returns the stamp of a file that a link of ours leads to; nothing if it is gone or no file.
pub(super) fn stamp_of_own(target: &Path) -> Result<Option<Stamp>, FsError> {
    match rustix::fs::lstat(target) {
        Ok(stat) => Ok(Some(Stamp::from(&stat)).filter(|stamp| stamp.kind == FileKind::File)),
        Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
        Err(e) => Err(e).at("look at", target),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_of_ours_is_told_by_its_form_and_by_where_it_leads() {
        let (folder, hash) = (Path::new("/c/files"), "ab".repeat(HASH / 2));
        let of = |target: &str| OwnLink::of(Path::new(target), folder);
        for name in [hash.clone(), format!("{hash}.x"), format!("{hash}-{hash}.x")] {
            let here = format!("/c/files/ab/{name}");
            assert_eq!(of(&here), Some(OwnLink::Here(here.clone().into())));
            let other = format!("/moved/.git/haul/files/ab/{name}");
            assert_eq!(of(&other), Some(OwnLink::Elsewhere(other.clone().into())));
        }
        for foreign in [
            format!("c/files/ab/{hash}"),
            format!("/c/files/cd/{hash}"),
            format!("/c/packs/ab/{hash}"),
            format!("/c/files/ab/{hash}-"),
            format!("/c/files/ab/{hash}-{hash}-{hash}"),
            "/c/files/ab/abcd".to_owned(),
            format!("/c/files/ab/{}", hash.to_uppercase()),
        ] {
            assert_eq!(of(&foreign), None, "{foreign}");
        }
    }
}
