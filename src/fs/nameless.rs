//! Files that have no name until they are whole: nobody sees them, and nothing stays of one whose process dies.

use std::os::fd::AsRawFd;

use rustix::fs::{AtFlags, CWD};

use crate::fs::dir::{Dir, TempFile, temp_name};
use crate::fs::error::{FsError, IoResultExt};

impl Dir {
    /// Creates a file without a name on the file system of this folder, whose rules for new files hold for it;
    /// nothing where that is not to be had: on Linux most file systems of a disk have it.
    #[cfg(target_os = "linux")]
    pub fn nameless(&self, executable: bool) -> Option<TempFile<'_>> {
        use rustix::fs::{FlockOperation, Mode, OFlags};

        let mode = Mode::from_raw_mode(if executable { 0o777 } else { 0o666 });
        let flags = OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.fd, ".", flags, mode).ok()?;
        // As for one with a name: once it has one, the lock tells a sweep that somebody still needs it.
        let _ = rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive);
        Some(TempFile { dir: self, name: Vec::new(), file: file.into(), placed: true })
    }

    /// Creates a file without a name; nothing, as there is none here.
    #[cfg(not(target_os = "linux"))]
    pub fn nameless(&self, _: bool) -> Option<TempFile<'_>> {
        None
    }
}

impl TempFile<'_> {
    /// Gives a file without a name a temporary one in a folder.
    pub(super) fn name_in<'d>(&self, dir: &'d Dir) -> Result<TempFile<'d>, FsError> {
        let (name, own) = (temp_name(), format!("/proc/self/fd/{}", self.file.as_raw_fd()));
        let path = dir.path_of(&name);
        let file = self.file.try_clone().at("create", &path)?;
        rustix::fs::linkat(CWD, own, &dir.fd, name.as_slice(), AtFlags::SYMLINK_FOLLOW)
            .at("create", &path)?;
        Ok(TempFile { dir, name, file, placed: false })
    }
}
