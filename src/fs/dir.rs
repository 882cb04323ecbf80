//! A folder held open, reached without following a symbolic link, so that nothing written through
//! it can land elsewhere even if somebody swaps a folder for a link meanwhile.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags, RenameFlags, ResolveFlags};
use rustix::io::Errno;

use crate::fs::atomic::{Temp, make_folder};
use crate::fs::error::{FsError, IoResultExt};
use crate::fs::own_links::{OwnLink, stamp_of_own};
use crate::fs::pages::write_all_at;
use crate::fs::stamp::{FileKind, Stamp};
use crate::fs::{ahead, failpoint, planted};

pub(super) const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
/// What names of temporary files in a worktree begin with; no tracked path has such a part.
pub const TEMP_PREFIX: &[u8] = b".haul-tmp-";

/// An open folder. Names given to its methods are single names unless a method says otherwise.
#[derive(Debug)]
pub struct Dir {
    pub(super) fd: OwnedFd,
    path: PathBuf,
    /// Where symbolic links of ours lead; the file behind one stands for it.
    pub(super) own: Option<Arc<Path>>,
}

/// One name in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirEntry {
    /// The raw name.
    pub name: Vec<u8>,
    /// What the folder says it is, where the file system records that.
    pub kind: Option<FileKind>,
}

/// Says whether a name is that of a temporary file of ours, left by a crash or in use.
pub fn is_temp_name(name: &[u8]) -> bool {
    name.starts_with(TEMP_PREFIX)
}

impl Dir {
    /// Opens the folder that everything else is relative to; links in `path` itself are followed.
    pub fn open(path: &Path) -> Result<Self, FsError> {
        let fd = rustix::fs::open(path, FOLDER, Mode::empty()).at("open the folder", path)?;
        Ok(Self::of(fd, path.to_owned()))
    }

    /// Wraps a folder that is open already.
    pub(super) fn of(fd: OwnedFd, path: PathBuf) -> Self {
        Self { fd, path, own: None }
    }

    fn below(&self, fd: OwnedFd, path: PathBuf) -> Self {
        Self { fd, path, own: self.own.clone() }
    }

    /// Returns the path for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the path of a name in this folder, for messages.
    pub fn path_of(&self, relative: &[u8]) -> PathBuf {
        if relative.is_empty() {
            return self.path.clone();
        }
        self.path.join(std::ffi::OsStr::from_bytes(relative))
    }

    /// Opens a folder below this one by relative path, following no link on the way.
    pub fn descend(&self, relative: &[u8]) -> Result<Self, FsError> {
        let path = self.path_of(relative);
        let fd = self.open_below(relative).at("open the folder", &path)?;
        Ok(self.below(fd, path))
    }

    /// Opens a folder below this one, making what is missing, following no link on the way.
    pub fn descend_or_make(&self, relative: &[u8]) -> Result<Self, FsError> {
        let path = self.path_of(relative);
        match self.open_below(relative) {
            Ok(fd) => return Ok(self.below(fd, path)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(e).at("open the folder", &path),
        }
        let mut fd = self.open_below(b"").at("open the folder", &self.path)?;
        for part in relative.split(|b| *b == b'/').filter(|p| !p.is_empty()) {
            match rustix::fs::mkdirat(&fd, part, Mode::from_raw_mode(0o777)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(e) => return Err(e).at("create the folder", &path),
            }
            fd = rustix::fs::openat(&fd, part, FOLDER | OFlags::NOFOLLOW, Mode::empty())
                .at("open the folder", &path)?;
        }
        Ok(self.below(fd, path))
    }

    fn open_below(&self, relative: &[u8]) -> io::Result<OwnedFd> {
        if planted::is("symlink-followed") && !relative.is_empty() {
            return Ok(rustix::fs::openat(&self.fd, relative, FOLDER, Mode::empty())?);
        }
        let flags = FOLDER | OFlags::NOFOLLOW;
        if relative.is_empty() {
            return Ok(rustix::fs::openat(&self.fd, c".", flags, Mode::empty())?);
        }
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        match rustix::fs::openat2(&self.fd, relative, flags, Mode::empty(), resolve) {
            Err(Errno::NOSYS | Errno::PERM | Errno::INVAL) => {}
            other => return Ok(other?),
        }
        let mut fd = rustix::fs::openat(&self.fd, c".", flags, Mode::empty())?;
        for part in relative.split(|b| *b == b'/') {
            if part.is_empty() || part == b"." || part == b".." {
                return Err(io::ErrorKind::InvalidInput.into());
            }
            fd = rustix::fs::openat(&fd, part, flags, Mode::empty())?;
        }
        Ok(fd)
    }

    /// Returns what lies at a name, the link itself if it is one; nothing if there is nothing. A link
    /// of ours is the file that it leads to; one that leads nowhere, or elsewhere, is nothing.
    pub fn stamp(&self, name: &[u8]) -> Result<Option<Stamp>, FsError> {
        match rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => {
                let stamp = Stamp::from(&stat);
                let link = self.own.is_some() && stamp.kind == FileKind::Symlink;
                match link.then(|| self.own_link(name)).flatten() {
                    Some(OwnLink::Here(target)) => stamp_of_own(&target),
                    Some(OwnLink::Elsewhere(_)) => Ok(None),
                    None => Ok(Some(stamp)),
                }
            }
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(e) => Err(e).at("look at", &self.path_of(name)),
        }
    }

    /// Opens a regular file for reading; never follows a link but one of ours, never waits on a FIFO.
    pub fn open_file(&self, name: &[u8]) -> Result<(File, Stamp), FsError> {
        let path = self.path_of(name);
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let opened = match rustix::fs::openat(&self.fd, name, flags, Mode::empty()) {
            Err(Errno::LOOP) => match self.shared_file(name) {
                Some(target) => rustix::fs::open(&target, flags, Mode::empty()),
                None => Err(Errno::LOOP),
            },
            other => other,
        };
        let fd = opened.at("open", &path)?;
        let file = File::from(fd);
        let stamp = Self::stamp_of(&file, &path)?;
        if stamp.kind != FileKind::File {
            let source = io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file");
            return Err(FsError { doing: "read", path, source });
        }
        Ok((file, stamp))
    }

    /// Returns the stamp of an open file; `path` is for the message.
    pub fn stamp_of(file: &File, path: &Path) -> Result<Stamp, FsError> {
        Ok(Stamp::from(&rustix::fs::fstat(file).at("look at", path)?))
    }

    /// Reads where a symbolic link points.
    pub fn read_link(&self, name: &[u8]) -> Result<Vec<u8>, FsError> {
        let target = rustix::fs::readlinkat(&self.fd, name, Vec::new());
        Ok(target.at("read the link", &self.path_of(name))?.into_bytes())
    }

    /// Lists the names in this folder in byte order, `.` and `..` left out.
    pub fn entries(&self) -> Result<Vec<DirEntry>, FsError> {
        let dir = rustix::fs::Dir::read_from(&self.fd).at("list", &self.path)?;
        let mut out = Vec::new();
        for entry in dir {
            let entry = entry.at("list", &self.path)?;
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            let kind = match entry.file_type() {
                rustix::fs::FileType::RegularFile => Some(FileKind::File),
                rustix::fs::FileType::Directory => Some(FileKind::Directory),
                rustix::fs::FileType::Symlink => Some(FileKind::Symlink),
                rustix::fs::FileType::Unknown => None,
                rustix::fs::FileType::Fifo
                | rustix::fs::FileType::Socket
                | rustix::fs::FileType::CharacterDevice
                | rustix::fs::FileType::BlockDevice => Some(FileKind::Special),
            };
            out.push(DirEntry { name: name.to_vec(), kind });
        }
        out.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(out)
    }

    /// Creates a temporary file in this folder; gone unless placed.
    pub fn temp(&self, executable: bool) -> Result<TempFile<'_>, FsError> {
        let mode = Mode::from_raw_mode(if executable { 0o777 } else { 0o666 });
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        loop {
            let name = temp_name();
            let fd = rustix::fs::openat(&self.fd, name.as_slice(), flags, mode)
                .at("create a temporary file in", &self.path)?;
            let file = File::from(fd);
            // The lock tells a sweep that somebody still writes here. One that was quicker took the
            // file away; where locks are not to be had, no sweep gets one either.
            let locked = rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive);
            let links = rustix::fs::fstat(&file).at("look at", &self.path)?.st_nlink;
            if links == 0 || locked == Err(Errno::WOULDBLOCK) {
                continue;
            }
            return Ok(TempFile { dir: self, name, file, placed: false });
        }
    }

    /// Makes a symbolic link at `name`, replacing a file or link that is there, if `may` allows it at
    /// the last moment; says whether it did.
    pub fn symlink(
        &self,
        target: &[u8],
        name: &[u8],
        may: impl FnOnce() -> Result<bool, FsError>,
    ) -> Result<bool, FsError> {
        let temp = temp_name();
        let path = self.path_of(name);
        rustix::fs::symlinkat(target, &self.fd, temp.as_slice()).at("create the link", &path)?;
        failpoint::hit("fs.symlink.made");
        let placed = may().and_then(|may| {
            if may {
                let renamed = rustix::fs::renameat(&self.fd, temp.as_slice(), &self.fd, name);
                renamed.at("create the link", &path)?;
            }
            Ok(may)
        });
        if !matches!(placed, Ok(true)) {
            // The error that matters is the first.
            let _ = rustix::fs::unlinkat(&self.fd, temp.as_slice(), AtFlags::empty());
        }
        placed
    }

    /// Renames `name` here to `to` in another open folder of the same file system, where nothing may
    /// stand.
    pub fn rename(&self, name: &[u8], other: &Self, to: &[u8]) -> Result<(), FsError> {
        let flags = RenameFlags::NOREPLACE;
        let renamed = match rustix::fs::renameat_with(&self.fd, name, &other.fd, to, flags) {
            // An old file system without the flag.
            Err(Errno::INVAL | Errno::NOSYS) => rustix::fs::renameat(&self.fd, name, &other.fd, to),
            other => other,
        };
        if matches!(renamed, Err(Errno::EXIST | Errno::NOTEMPTY)) {
            return renamed.at("move something to", &other.path_of(to));
        }
        renamed.at("rename", &self.path_of(name))
    }

    /// Moves a file, link or folder out of the worktree to an absolute path, whose folders are made;
    /// across file systems by copy, the original removed only once the copy is durable.
    pub fn move_out(&self, name: &[u8], to: &Path) -> Result<(), FsError> {
        let path = self.path_of(name);
        if let Some(folder) = to.parent() {
            make_folder(folder, true)?;
        }
        match rustix::fs::renameat(&self.fd, name, rustix::fs::CWD, to) {
            Err(Errno::XDEV) => {}
            other => return other.at("put aside", &path),
        }
        let (mut file, _) = self.open_file(name)?;
        let mut temp = Temp::new_in(to.parent().unwrap_or(Path::new("/")))?;
        io::copy(&mut file, &mut temp).at("put aside", &path)?;
        temp.publish(to)?;
        self.remove_file(name)
    }

    /// Returns how many bytes this file system has left for this user.
    pub fn free_bytes(&self) -> Result<u64, FsError> {
        let stat = rustix::fs::fstatvfs(&self.fd).at("look at the file system of", &self.path)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    /// Removes a file or link; one that is not there is fine.
    pub fn remove_file(&self, name: &[u8]) -> Result<(), FsError> {
        match rustix::fs::unlinkat(&self.fd, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(e) => Err(e).at("remove", &self.path_of(name)),
        }
    }

    /// Removes an empty folder; says whether it is gone. One that a file system is mounted on stays.
    pub fn remove_folder(&self, name: &[u8]) -> Result<bool, FsError> {
        match rustix::fs::unlinkat(&self.fd, name, AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT) => Ok(true),
            Err(Errno::NOTEMPTY | Errno::EXIST | Errno::NOTDIR | Errno::BUSY) => Ok(false),
            Err(e) => Err(e).at("remove the folder", &self.path_of(name)),
        }
    }

    /// Writes `bytes` as the whole content of `name`, durably: after a crash it is old or new.
    pub fn write_durably(&self, name: &[u8], bytes: &[u8]) -> Result<(), FsError> {
        let path = self.path_of(name);
        let mut temp = self.temp(false)?;
        temp.file.write_all(bytes).at("write", &path)?;
        failpoint::hit("fs.durable.written");
        if planted::is("no-fsync") {
            return temp.place(name).map(drop);
        }
        temp.file.sync_all().at("write", &path)?;
        temp.place(name)?;
        rustix::fs::fsync(&self.fd).at("sync the folder", &self.path)?;
        failpoint::hit("fs.durable.synced");
        Ok(())
    }
}

pub(super) fn temp_name() -> Vec<u8> {
    let mut random = [0u8; 8];
    // Without randomness the name is still unlikely to be taken, and O_EXCL refuses if it is.
    let _ = getrandom::fill(&mut random);
    let mut name = TEMP_PREFIX.to_vec();
    name.extend(format!("{:016x}", u64::from_le_bytes(random)).bytes());
    name
}

/// A file without its final name yet.
#[derive(Debug)]
pub struct TempFile<'d> {
    pub(super) dir: &'d Dir,
    /// Nothing if it has none.
    pub(super) name: Vec<u8>,
    pub(super) file: File,
    pub(super) placed: bool,
}

impl TempFile<'_> {
    /// Returns the open file.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Writes bytes where they belong, and has the disk begin with them; `path` is for the message.
    pub fn write_at(&self, offset: u64, bytes: &[u8], path: &Path) -> Result<(), FsError> {
        write_all_at(&self.file, offset, bytes).at("write", path)?;
        ahead::begin(&self.file, offset, bytes.len() as u64);
        Ok(())
    }

    /// Ends the file after so many bytes; `path` is for the message.
    pub fn end_at(&self, len: u64, path: &Path) -> Result<(), FsError> {
        self.file.set_len(len).at("write", path)
    }

    /// Gives the file its name, replacing a file or link that is there; returns its stamp.
    pub fn place(mut self, name: &[u8]) -> Result<Stamp, FsError> {
        failpoint::hit("fs.place.written");
        rustix::fs::renameat(&self.dir.fd, self.name.as_slice(), &self.dir.fd, name)
            .at("create", &self.dir.path_of(name))?;
        self.placed = true;
        failpoint::hit("fs.place.renamed");
        Dir::stamp_of(&self.file, &self.dir.path_of(name))
    }

    /// As [`Self::place`], of a file without a name, in a folder of the same file system.
    pub fn place_in(self, dir: &Dir, name: &[u8]) -> Result<Stamp, FsError> {
        if self.name.is_empty() { self.name_in(dir)?.place(name) } else { self.place(name) }
    }
}

impl Drop for TempFile<'_> {
    fn drop(&mut self) {
        if !self.placed {
            let _ = rustix::fs::unlinkat(&self.dir.fd, self.name.as_slice(), AtFlags::empty());
        }
    }
}
