//! Copies of whole files that share the disk's blocks where the file system can.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::fs::ahead::WriteAhead;
use crate::fs::atomic::{make_folder, sync_folder};
use crate::fs::planted;

/// Bytes between two looks whether to go on; a multiple of every block size, as shared blocks need.
const STEP: u64 = 2 << 20;
/// Names that are tried for the file beside the target before giving up.
const TRIES: u32 = 1000;

/// Why a copy was not made.
#[derive(Debug)]
pub enum NotCopied<E> {
    /// The original cannot be read.
    Source(io::Error),
    /// The copy cannot be written.
    Target(io::Error),
    /// The original does not have the length that it should have.
    Changed,
    /// The caller did not want it any more.
    Stopped,
    /// The caller found an error.
    Refused(E),
}

/// Copies `size` bytes of `from` to `target`, durably: written beside it as `NAME#1` (or 2, 3, …), synced, renamed,
/// the folder synced. Folders that are missing are made. Replaces what is there.
///
/// The system copies, without a way through this process, and shares blocks where the file system can (XFS, Btrfs).
/// `go_on` is asked with the count of bytes copied every 2 MiB, and at last with `size` before the copy gets its name.
/// What is not finished is removed.
pub fn copy_durably<E>(
    from: &File,
    size: u64,
    target: &Path,
    go_on: impl FnMut(u64) -> Result<bool, E>,
) -> Result<(), NotCopied<E>> {
    let folder = target.parent().unwrap_or(Path::new("."));
    make_folder(folder, true).map_err(|e| NotCopied::Target(e.source))?;
    let (to, beside) = make_beside(target).map_err(NotCopied::Target)?;
    let written = write(from, size, &to, go_on).and_then(|()| {
        #[expect(clippy::disallowed_methods, reason = "this is the door")]
        fs::rename(&beside, target).map_err(NotCopied::Target)
    });
    if let Err(error) = written {
        // A leftover is found again by its name.
        fs::remove_file(&beside).unwrap_or_default();
        return Err(error);
    }
    sync_folder(folder).map_err(|e| NotCopied::Target(e.source))
}

fn write<E>(
    from: &File,
    size: u64,
    mut to: &File,
    mut go_on: impl FnMut(u64) -> Result<bool, E>,
) -> Result<(), NotCopied<E>> {
    reserve(to, size).map_err(NotCopied::Target)?;
    let mut ahead = WriteAhead::default();
    let mut done = 0;
    loop {
        if done == size && !at_end(from)? {
            return Err(NotCopied::Changed);
        }
        match go_on(done) {
            Ok(true) => {}
            Ok(false) => return Err(NotCopied::Stopped),
            Err(error) => return Err(NotCopied::Refused(error)),
        }
        if done == size {
            break;
        }
        let step = STEP.min(size - done);
        let copied = io::copy(&mut from.take(step), &mut to).map_err(|e| blame(from, done, e))?;
        ahead.wrote(to, copied);
        done += copied;
        if copied < step {
            return Err(NotCopied::Changed);
        }
    }
    if planted::is("no-fsync") { Ok(()) } else { to.sync_all().map_err(NotCopied::Target) }
}

/// Has the file system find room for all of it at once, where it can: a full disk shows before the work, and
/// the blocks need not be found piece by piece while they are written.
fn reserve(to: &File, size: u64) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{FallocateFlags, fallocate};
        use rustix::io::Errno;
        if size > STEP {
            return match fallocate(to, FallocateFlags::empty(), 0, size) {
                Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => Ok(()),
                other => other.map_err(io::Error::from),
            };
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (to, size);
    Ok(())
}

fn at_end<E>(mut from: &File) -> Result<bool, NotCopied<E>> {
    Ok(from.read(&mut [0]).map_err(NotCopied::Source)? == 0)
}

/// The system does not say which of the two files failed.
fn blame<E>(from: &File, near: u64, error: io::Error) -> NotCopied<E> {
    match from.read_at(&mut [0], near) {
        Ok(_) => NotCopied::Target(error),
        Err(source) => NotCopied::Source(source),
    }
}

fn make_beside(target: &Path) -> io::Result<(File, PathBuf)> {
    for number in 1..=TRIES {
        let mut beside = target.as_os_str().to_owned();
        beside.push(format!("#{number}"));
        match File::options().write(true).create_new(true).open(&beside) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
            other => return other.map(|file| (file, beside.into())),
        }
    }
    Err(io::Error::other(format!("{TRIES} files of unfinished writes lie beside it")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plant(path: &Path, bytes: &[u8]) {
        #[expect(clippy::disallowed_methods, reason = "a file of the test, not of the user")]
        fs::write(path, bytes).unwrap();
    }

    fn source(bytes: &[u8]) -> (tempfile::TempDir, File) {
        let folder = tempfile::tempdir().unwrap();
        plant(&folder.path().join("source"), bytes);
        let file = File::open(folder.path().join("source")).unwrap();
        (folder, file)
    }

    #[test]
    fn a_copy_of_many_steps_replaces_what_was_there_and_leaves_nothing_beside() {
        let bytes: Vec<u8> = (0..=250).cycle().take(2 * 8_388_608 + 5).collect();
        let (folder, file) = source(&bytes);
        let target = folder.path().join("a/b/copy");
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        plant(&target, b"old");
        plant(&folder.path().join("a/b/copy#1"), b"of a run that died");
        copy_durably(&file, bytes.len() as u64, &target, |_| Ok::<_, ()>(true)).unwrap();
        assert!(fs::read(&target).unwrap() == bytes);
        assert_eq!(fs::read_dir(target.parent().unwrap()).unwrap().count(), 2);
    }

    #[test]
    fn what_has_another_length_or_is_not_wanted_any_more_is_not_copied() {
        let (folder, file) = source(b"12345");
        let target = folder.path().join("copy");
        for (size, go_on, why) in [
            (4, Ok(true), "Changed"),
            (6, Ok(true), "Changed"),
            (5, Ok(false), "Stopped"),
            (5, Err(7), "Refused(7)"),
        ] {
            let file = file.try_clone().unwrap();
            io::Seek::rewind(&mut &file).unwrap();
            let error = copy_durably(&file, size, &target, |_| go_on).unwrap_err();
            assert_eq!(format!("{error:?}"), why);
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "{size}");
        }
    }
}
