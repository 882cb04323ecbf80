//! Files in a folder that other users may write to as well: nothing planted there is followed, waited
//! on or trusted, and what is made there has the modes of the folder, whatever the umask.

use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, Mode, OFlags, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT};
use rustix::io::Errno;

use crate::fs::dir::Dir;
use crate::fs::error::{FsError, IoResultExt};
use crate::fs::plain::is_not_plain;
use crate::fs::sparse::SparseFile;
use crate::fs::stamp::{FileKind, Stamp};

/// Bits of a folder's mode that files in it take over.
const FILE_BITS: u32 = 0o666;
/// Bits of a folder's mode that folders in it take over, the one that hands the group on included.
const FOLDER_BITS: u32 = 0o2777;
/// Bytes of a block, in which the system counts what a file takes.
const BLOCK: u64 = 512;

/// Says whether there is no such file, or something else in its place.
pub fn is_no_file(error: &io::Error) -> bool {
    let kind = error.kind();
    let absent = kind == io::ErrorKind::NotFound || kind == io::ErrorKind::NotADirectory;
    absent || is_not_plain(error)
}

/// Notes in a file's own times that it was used just now, where this user may: it is a hint.
pub fn mark_used(file: &File) {
    let omit = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    let times = Timestamps { last_access: omit, last_modification: now };
    // Who may not set it uses the pack all the same.
    let _ = rustix::fs::futimens(file, &times);
}

impl Dir {
    /// As [`Dir::descend_or_make`]; what is made takes its mode from the folder above it.
    pub fn descend_or_make_alike(&self, relative: &[u8]) -> Result<Self, FsError> {
        let path = self.path_of(relative);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let open = |fd: &_, part: &[u8]| rustix::fs::openat(fd, part, flags, Mode::empty());
        let mut fd = open(&self.fd, b".").at("open the folder", self.path())?;
        for part in relative.split(|b| *b == b'/').filter(|part| !part.is_empty()) {
            let made = rustix::fs::mkdirat(&fd, part, Mode::from_raw_mode(0o777));
            let below = open(&fd, part).at("open the folder", &path)?;
            if made.is_ok() {
                let above = rustix::fs::fstat(&fd).at("look at", &path)?;
                let mode = Mode::from_raw_mode(above.st_mode & FOLDER_BITS);
                rustix::fs::fchmod(&below, mode).at("set the mode of", &path)?;
            }
            fd = below;
        }
        Ok(Self::of(fd, path))
    }

    /// Gives a file the mode that this folder hands on, where this user may.
    pub fn share(&self, file: &File) -> Result<(), FsError> {
        let folder = rustix::fs::fstat(&self.fd).at("look at", self.path())?;
        let wanted = folder.st_mode & FILE_BITS;
        let now = rustix::fs::fstat(file).at("look at", self.path())?;
        if now.st_mode & 0o777 == wanted {
            return Ok(());
        }
        match rustix::fs::fchmod(file, Mode::from_raw_mode(wanted)) {
            Err(Errno::PERM) => Ok(()),
            other => other.at("set the mode of a file in", self.path()),
        }
    }

    /// Opens a file of pieces or makes it; what stands in its place and is no file is removed.
    pub fn open_pieces(&self, name: &[u8]) -> Result<SparseFile, FsError> {
        let path = self.path_of(name);
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let open = || -> io::Result<Option<File>> {
            let mode = Mode::from_raw_mode(FILE_BITS);
            match rustix::fs::openat(&self.fd, name, flags | OFlags::CLOEXEC, mode) {
                Ok(fd) => {
                    let file = File::from(fd);
                    let kind = Stamp::from(&rustix::fs::fstat(&file)?).kind;
                    Ok((kind == FileKind::File).then_some(file))
                }
                Err(Errno::LOOP | Errno::ISDIR | Errno::NXIO) => Ok(None),
                Err(e) => Err(e.into()),
            }
        };
        let file = if let Some(file) = open().at("open", &path)? {
            file
        } else {
            self.clear(name)?;
            let refused = || io::Error::other("something else is put in its place");
            open().and_then(|file| file.ok_or_else(refused)).at("open", &path)?
        };
        self.share(&file)?;
        Ok(SparseFile::of(file, path))
    }

    /// Opens the file whose lock users of this folder share, or makes it; nothing if something else is
    /// in its place or this user may not read it.
    pub fn open_lock(&self, name: &[u8]) -> Option<File> {
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(FILE_BITS);
        let open = |how| rustix::fs::openat(&self.fd, name, flags | how, mode);
        // A lock needs no right to write.
        let made = open(OFlags::RDWR | OFlags::CREATE).or_else(|_| open(OFlags::RDONLY));
        let file = File::from(made.ok()?);
        let found = Stamp::from(&rustix::fs::fstat(&file).ok()?);
        // That others may open it is a matter of the folder's mode; one that cannot be told stays.
        drop(self.share(&file));
        (found.kind == FileKind::File).then_some(file)
    }

    /// Removes what is no regular file; a folder only if it is empty.
    pub fn clear(&self, name: &[u8]) -> Result<(), FsError> {
        match self.stamp(name)?.map(|stamp| stamp.kind) {
            None | Some(FileKind::File) => Ok(()),
            Some(FileKind::Symlink | FileKind::Special) => self.remove_file(name),
            Some(FileKind::Directory) => rustix::fs::unlinkat(&self.fd, name, AtFlags::REMOVEDIR)
                .at("remove the folder", &self.path_of(name)),
        }
    }

    /// Returns the stamp of a name and the bytes that its file takes on the disk.
    pub fn measure(&self, name: &[u8]) -> Result<Option<(Stamp, u64)>, FsError> {
        match rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => {
                let blocks = u64::try_from(stat.st_blocks).unwrap_or(0);
                Ok(Some((Stamp::from(&stat), blocks.saturating_mul(BLOCK))))
            }
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(e) => Err(e).at("look at", &self.path_of(name)),
        }
    }

    /// Moves a file of another folder of the same file system here, replacing a file or link that is
    /// there; says whether the two folders are on one file system.
    pub fn move_in(&self, from: &Path, name: &[u8]) -> Result<bool, FsError> {
        let from_name = from.as_os_str().as_bytes();
        match rustix::fs::renameat(rustix::fs::CWD, from_name, &self.fd, name) {
            Err(Errno::XDEV) => Ok(false),
            other => other.map(|()| true).at("create", &self.path_of(name)),
        }
    }
}
