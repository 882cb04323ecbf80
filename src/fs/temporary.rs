//! Temporary folders in a worktree, and the removal of what the dead left there.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use crate::fs::atomic::{remove_tree, replace};
use crate::fs::dir::{Dir, FOLDER, TEMP_PREFIX, is_temp_name, temp_name};
use crate::fs::error::{FsError, IoResultExt};
use crate::fs::stamp::FileKind;

/// A folder in a worktree for what is to get its name there later; gone with all in it once this is
/// dropped. Git does not see what lies in it.
#[derive(Debug)]
pub struct TempFolder {
    path: PathBuf,
    /// Holds the lock that tells a sweep that somebody still works here.
    _open: OwnedFd,
}

impl TempFolder {
    /// Returns where the folder lies.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for TempFolder {
    fn drop(&mut self) {
        // What stays is for a sweep.
        drop(remove_tree(&self.path));
    }
}

impl Dir {
    /// Makes a temporary folder in this one, once what the dead left here is gone.
    pub fn temp_folder(&self) -> Result<TempFolder, FsError> {
        self.sweep()?;
        loop {
            let name = temp_name();
            rustix::fs::mkdirat(&self.fd, name.as_slice(), Mode::from_raw_mode(0o700))
                .at("create a temporary folder in", self.path())?;
            let path = self.path_of(&name);
            // A sweep that was quicker took it away; where locks are not to be had, none gets one.
            let (open, locked) = match self.lock_folder(&name) {
                Err(Errno::NOENT) => continue,
                other => other.at("open the folder", &path)?,
            };
            if locked != Err(Errno::WOULDBLOCK) && self.stamp(&name)?.is_some() {
                let made = TempFolder { path, _open: open };
                replace(&made.path.join(".gitignore"), b"*\n")?;
                return Ok(made);
            }
        }
    }

    /// Opens a folder in this one, and tries to take its lock.
    fn lock_folder(&self, name: &[u8]) -> Result<(OwnedFd, Result<(), Errno>), Errno> {
        let flags = FOLDER | OFlags::NOFOLLOW;
        let open = rustix::fs::openat(&self.fd, name, flags, Mode::empty())?;
        let locked = rustix::fs::flock(&open, FlockOperation::NonBlockingLockExclusive);
        Ok((open, locked))
    }

    /// Says whether what lies here can be renamed to `other`. It is tried, as also two mounts of one file
    /// system are two.
    pub fn renames_into(&self, other: &Self) -> Result<bool, FsError> {
        let temp = self.temp(false)?;
        let name = temp.name.as_slice();
        match rustix::fs::renameat(&self.fd, name, &other.fd, name) {
            Ok(()) => other.remove_file(name).map(|()| true),
            Err(Errno::XDEV) => Ok(false),
            Err(e) => Err(e).at("create a temporary file in", other.path()),
        }
    }

    /// Removes temporary files and folders that a process which is gone left in this folder.
    ///
    /// A living one holds a lock on each of its own. A link cannot be locked; it has its name for
    /// a moment only, in which no other command works in the same worktree.
    pub fn sweep(&self) -> Result<(), FsError> {
        for entry in self.entries()?.iter().filter(|entry| is_temp_name(&entry.name)) {
            match entry.kind {
                Some(FileKind::Symlink) => self.remove_file(&entry.name)?,
                Some(FileKind::File) => self.sweep_file(&entry.name)?,
                Some(FileKind::Directory) if is_whole_name(&entry.name) => {
                    if let Ok((_open, Ok(()))) = self.lock_folder(&entry.name) {
                        remove_tree(&self.path_of(&entry.name))?;
                    }
                }
                Some(FileKind::Directory | FileKind::Special) | None => {}
            }
        }
        Ok(())
    }

    /// Removes a temporary file if nobody holds its lock. It is held here until the name is gone: whoever
    /// makes the file at that moment finds it locked, or without a name, and makes another.
    fn sweep_file(&self, name: &[u8]) -> Result<(), FsError> {
        let Ok((file, _)) = self.open_file(name) else { return Ok(()) };
        if rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
            self.remove_file(name)?;
        }
        Ok(())
    }
}

/// Says whether a name is one that we give, to its last letter: a folder goes with all that is in it.
fn is_whole_name(name: &[u8]) -> bool {
    let rest = name.strip_prefix(TEMP_PREFIX).unwrap_or_default();
    rest.len() == 16 && rest.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
