//! Opening what must be a regular file, whatever others may have put in its place.

use std::fs::File;
use std::io;
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;

/// What to do about a symbolic link at the end of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// Fail.
    Refuse,
    /// Open what it leads to.
    Follow,
}

/// Opens a regular file for reading; fails at once on a pipe, which would wait for a writer, and on
/// anything else that is no regular file.
pub fn open_plain(path: &Path, links: Links) -> io::Result<File> {
    plain(path, links, OFlags::RDONLY)
}

/// Opens a regular file for reading and writing, or makes it; never through a link.
pub(super) fn open_or_make_plain(path: &Path) -> io::Result<File> {
    plain(path, Links::Refuse, OFlags::RDWR | OFlags::CREATE)
}

fn plain(path: &Path, links: Links, access: OFlags) -> io::Result<File> {
    let mut flags = access | OFlags::NONBLOCK | OFlags::CLOEXEC;
    if links == Links::Refuse {
        flags |= OFlags::NOFOLLOW;
    }
    let fd = rustix::fs::open(path, flags, Mode::from_raw_mode(0o666))?;
    let kind = FileType::from_raw_mode(rustix::fs::fstat(&fd)?.st_mode);
    if kind == FileType::RegularFile {
        return Ok(File::from(fd));
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"))
}

/// Says whether a file was not opened because it is a link, a folder, a pipe or the like.
pub fn is_not_plain(error: &io::Error) -> bool {
    let link = Errno::LOOP.raw_os_error();
    error.raw_os_error() == Some(link) || error.kind() == io::ErrorKind::InvalidInput
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_regular_file_is_opened_and_nothing_waits() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        open_or_make_plain(&path("file")).unwrap();
        std::os::unix::fs::symlink("file", path("link")).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, path("pipe"), Mode::from_raw_mode(0o600)).unwrap();
        assert!(open_plain(&path("file"), Links::Refuse).is_ok());
        assert!(open_plain(&path("link"), Links::Follow).is_ok());
        for name in ["link", "pipe", "."] {
            assert!(is_not_plain(&open_plain(&path(name), Links::Refuse).unwrap_err()), "{name}");
        }
        for name in ["link", "pipe"] {
            assert!(is_not_plain(&open_or_make_plain(&path(name)).unwrap_err()), "{name}");
        }
        let error = open_plain(&path("none"), Links::Refuse).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
