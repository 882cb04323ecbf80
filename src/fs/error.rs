//! An I/O error that knows what was done and on which path.

use std::io;
use std::path::{Path, PathBuf};

use crate::hint::Hint;

/// Why a file system operation did not succeed.
#[derive(Debug, thiserror::Error)]
#[error("could not {doing} `{}`", path.display())]
pub struct FsError {
    /// The verb of what was tried: `read`, `create the folder`.
    pub doing: &'static str,
    /// The path it was tried on.
    pub path: PathBuf,
    /// What the system answered.
    pub source: io::Error,
}

impl FsError {
    /// Says whether the disk or a quota is full.
    pub fn is_full(&self) -> bool {
        matches!(self.source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
    }

    /// Says whether a rename would have led to another file system.
    pub fn is_across(&self) -> bool {
        self.source.kind() == io::ErrorKind::CrossesDevices
    }

    /// Says whether a symbolic link stood where none is followed.
    pub fn is_link(&self) -> bool {
        self.source.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
    }

    /// Says whether something else stood where a folder was needed.
    pub fn is_no_folder(&self) -> bool {
        self.source.kind() == io::ErrorKind::NotADirectory
    }

    /// Says whether the path does not exist.
    pub fn is_missing(&self) -> bool {
        self.source.kind() == io::ErrorKind::NotFound
    }
}

impl Hint for FsError {
    fn hint(&self) -> Option<String> {
        if self.is_full() {
            return Some("free some disk space and run the same command again".to_owned());
        }
        if self.is_link() {
            return Some(
                "put a real file or folder in place of the symbolic link: haul follows none here"
                    .to_owned(),
            );
        }
        if self.is_no_folder() {
            return Some(
                "move away what stands in place of the folder, then run the same command again"
                    .to_owned(),
            );
        }
        Some(what_helps(&self.source).to_owned())
    }
}

/// What to do about an answer of the system that needs no more words than its own.
pub fn what_helps(error: &io::Error) -> &'static str {
    use rustix::io::Errno;
    let is = |errno: Errno| error.raw_os_error() == Some(errno.raw_os_error());
    if error.kind() == io::ErrorKind::PermissionDenied {
        "check the permissions of this path and run the same command again"
    } else if error.kind() == io::ErrorKind::InvalidInput {
        "move away what stands in place of a regular file, then run the same command again"
    } else if error.kind() == io::ErrorKind::AlreadyExists {
        "move away what is there, then run the same command again"
    } else if error.kind() == io::ErrorKind::NotFound {
        "see who removed it, then run the same command again"
    } else if error.kind() == io::ErrorKind::ReadOnlyFilesystem {
        "make the file system writable, then run the same command again"
    } else if is(Errno::MFILE) || is(Errno::NFILE) {
        "allow more open files with `ulimit -n`, then run the same command again"
    } else if is(Errno::IO) {
        "look for disk errors in the system's log, then run the same command again"
    } else {
        "remove the cause, then run the same command again"
    }
}

/// Adds the path and the deed to an [`io::Result`].
pub trait IoResultExt<T> {
    /// Wraps the error with what was done (`read`) and on which path.
    fn at(self, doing: &'static str, path: &Path) -> Result<T, FsError>;
}

impl<T, E: Into<io::Error>> IoResultExt<T> for Result<T, E> {
    fn at(self, doing: &'static str, path: &Path) -> Result<T, FsError> {
        self.map_err(|e| FsError { doing, path: path.to_owned(), source: e.into() })
    }
}
