//! What it takes to change a file that other programs change too: a look at it, a copy, a name that
//! says who is at work, and a rename.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use tempfile::NamedTempFile;

use crate::fs::atomic::{PREFIX, remove};
use crate::fs::error::{FsError, IoResultExt};
use crate::fs::plain::{Links, open_plain};
use crate::fs::stamp::Stamp;

/// A file as it was when it was looked at, or that there was none. It is held open, so that no other
/// file gets its inode number meanwhile.
#[derive(Debug)]
pub struct Seen {
    found: Option<(File, Stamp)>,
}

impl Seen {
    /// Looks at what lies at `path`.
    pub fn look(path: &Path) -> Result<Self, FsError> {
        let file = match open_plain(path, Links::Follow) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Self { found: None }),
            other => other.at("read", path)?,
        };
        let stamp = Stamp::from(&rustix::fs::fstat(&file).at("look at", path)?);
        Ok(Self { found: Some((file, stamp)) })
    }

    /// Says whether the same file lies at `path`, unchanged, or still none.
    pub fn is_still_at(&self, path: &Path) -> Result<bool, FsError> {
        let now = match rustix::fs::stat(path) {
            Ok(stat) => Some(Stamp::from(&stat)),
            Err(Errno::NOENT) => None,
            Err(e) => return Err(e).at("look at", path),
        };
        Ok(now == self.found.as_ref().map(|(_, stamp)| *stamp))
    }

    /// Copies the file, with the time of its last change, over what lies at `copy`.
    pub fn copy_to(&self, copy: &Path) -> Result<(), FsError> {
        remove(copy)?;
        let Some((file, _)) = &self.found else { return Ok(()) };
        let changed = file.metadata().and_then(|metadata| metadata.modified());
        let made = fs::OpenOptions::new().write(true).create_new(true).open(copy);
        let mut made = made.at("create", copy)?;
        io::copy(&mut &*file, &mut made).at("write", copy)?;
        made.set_modified(changed.at("look at", copy)?).at("set the times of", copy)
    }
}

/// A file that only says, by the lock that is held on it, that a process lives; gone when dropped.
#[derive(Debug)]
pub struct LifeSign {
    file: NamedTempFile,
}

impl LifeSign {
    /// Makes one in a folder for temporary files, which is made if needed. Other users may lock it,
    /// as far as the umask lets them.
    pub fn new_in(folder: &Path) -> Result<Self, FsError> {
        fs::create_dir_all(folder).at("create the folder", folder)?;
        let made = tempfile::Builder::new()
            .prefix(PREFIX)
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(folder);
        let file = made.at("create a temporary file in", folder)?;
        // Nobody knows its name yet, so nobody is in the way.
        file.as_file().lock().at("lock", file.path())?;
        Ok(Self { file })
    }

    /// Returns where it lies.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Says whether a file name may be that of one.
    pub fn is_name(name: &std::ffi::OsStr) -> bool {
        name.as_encoded_bytes().starts_with(PREFIX.as_bytes())
    }
}

/// What came of making a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Linked {
    /// It is there.
    Made,
    /// Something has that name already, which is not to go.
    Taken,
    /// This file system has no such links, or they are not allowed.
    Unable,
}

/// Makes a symbolic link `link` to `target`, unless something has that name.
pub fn make_link(target: &Path, link: &Path) -> Result<Linked, FsError> {
    match rustix::fs::symlink(target, link) {
        Ok(()) => Ok(Linked::Made),
        Err(Errno::EXIST) => Ok(Linked::Taken),
        Err(Errno::PERM | Errno::OPNOTSUPP | Errno::NOSYS) => Ok(Linked::Unable),
        Err(e) => Err(e).at("create the link", link),
    }
}

/// Returns where a symbolic link leads; nothing if there is none at `path`.
pub fn link_target(path: &Path) -> Result<Option<PathBuf>, FsError> {
    match fs::read_link(path) {
        Ok(target) => Ok(Some(target)),
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidInput) => {
            Ok(None)
        }
        Err(e) => Err(e).at("read the link", path),
    }
}

/// Renames a file over another, without waiting for the disk.
pub fn put_over(file: &Path, target: &Path) -> Result<(), FsError> {
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    fs::rename(file, target).at("replace", target)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::{Lock, write_durably};

    #[test]
    fn a_file_is_the_same_until_it_is_replaced_or_written() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("file"), folder.path().join("other"));
        let absent = Seen::look(&path).unwrap();
        assert!(absent.is_still_at(&path).unwrap());
        write_durably(&path, b"one").unwrap();
        assert!(!absent.is_still_at(&path).unwrap());
        let seen = Seen::look(&path).unwrap();
        assert!(seen.is_still_at(&path).unwrap());
        write_durably(&other, b"one").unwrap();
        put_over(&other, &path).unwrap();
        assert!(!seen.is_still_at(&path).unwrap());
    }

    #[test]
    fn a_copy_has_the_time_of_what_it_was_made_of() {
        let folder = tempfile::tempdir().unwrap();
        let (path, copy) = (folder.path().join("file"), folder.path().join("copy"));
        write_durably(&path, b"one").unwrap();
        write_durably(&copy, b"of another time").unwrap();
        let file = fs::OpenOptions::new().append(true).open(&path).unwrap();
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_nanos(1_234_567_890_123_456);
        file.set_modified(time).unwrap();
        Seen::look(&path).unwrap().copy_to(&copy).unwrap();
        assert_eq!(fs::read(&copy).unwrap(), b"one");
        assert_eq!(copy.metadata().unwrap().modified().unwrap(), time);
        fs::remove_file(&path).unwrap();
        Seen::look(&path).unwrap().copy_to(&copy).unwrap();
        assert!(!copy.exists());
    }

    #[test]
    fn a_sign_of_life_cannot_be_locked_while_its_process_lives() {
        let folder = tempfile::tempdir().unwrap();
        let sign = LifeSign::new_in(folder.path()).unwrap();
        let path = sign.path().to_owned();
        assert!(LifeSign::is_name(path.file_name().unwrap()));
        assert!(Lock::try_exclusive(&path).unwrap().is_none());
        drop(sign);
        assert!(!path.exists());
        assert!(Lock::try_exclusive(&path).unwrap().is_some());
    }
}
