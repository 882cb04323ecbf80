//! Git's lock of the index, taken in a way that tells whose it is.
//!
//! To Git a lock is a name, `index.lock`. Here it is a symbolic link to a file that haul holds a
//! system lock on while it lives: one call makes it, it names its owner from the first moment, also
//! after a power cut, and once nobody holds the file, it is what a haul that died has left
//! (`docs/adr/0014-a-lock-that-names-its-owner.md`).

use std::path::{Path, PathBuf};

use super::GitError;
use crate::fs::{LifeSign, Linked, Lock, failpoint, link_target, make_link, remove};

/// Git's lock, held by this process; released when dropped.
#[derive(Debug)]
pub(super) struct IndexLock {
    lock: PathBuf,
    owner: LifeSign,
}

/// What came of one try at the lock.
#[derive(Debug)]
pub(super) enum Try {
    /// It is ours.
    Held(IndexLock),
    /// Somebody else has it, or a program that knows no owners has left it.
    Busy,
    /// This file system cannot tell whose it is.
    Unable,
}

impl IndexLock {
    /// Takes the lock of this name if nobody has it now; `temp` is for the files of its owners.
    pub(super) fn take(lock: &Path, temp: &Path) -> Result<Try, GitError> {
        if Self::clear_left(lock, temp)? == Left::Other {
            return Ok(Try::Busy);
        }
        let owner = LifeSign::new_in(temp)?;
        match make_link(owner.path(), lock)? {
            Linked::Made => {}
            Linked::Taken => return Ok(Try::Busy),
            Linked::Unable => return Ok(Try::Unable),
        }
        let held = Self { lock: lock.to_owned(), owner };
        failpoint::hit("git.index.locked");
        Ok(Try::Held(held))
    }

    /// Removes a lock that a haul which is gone has left.
    pub(super) fn clear_left(lock: &Path, temp: &Path) -> Result<Left, GitError> {
        let Some(owner) = link_target(lock)? else {
            let there = lock.symlink_metadata().is_ok();
            return Ok(if there { Left::Other } else { Left::None });
        };
        let Some(name) = owner.file_name().filter(|name| LifeSign::is_name(name)) else {
            return Ok(Left::Other);
        };
        // The folder may have been moved since. Who holds this lock is the only one to remove the
        // other; a file that is gone is made again for that.
        let sign = temp.join(name);
        let Ok(Some(_alone)) = Lock::try_exclusive(&sign) else { return Ok(Left::Other) };
        // Somebody may have been quicker, and another lock may stand there by now.
        if link_target(lock)?.as_ref() == Some(&owner) {
            remove(lock)?;
        }
        remove(&sign)?;
        Ok(Left::None)
    }

    /// Says whether nobody has removed it by hand.
    pub(super) fn is_ours(&self) -> Result<bool, GitError> {
        Ok(link_target(&self.lock)?.as_deref() == Some(self.owner.path()))
    }

    /// Releases the lock, and says if that cannot be done.
    pub(super) fn release(self) -> Result<(), GitError> {
        if self.is_ours()? {
            remove(&self.lock)?;
        }
        Ok(())
    }
}

impl Drop for IndexLock {
    fn drop(&mut self) {
        if self.is_ours().is_ok_and(|ours| ours) {
            // What stays is known for ours by the next that comes.
            drop(remove(&self.lock));
        }
    }
}

/// What stands in the way of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    /// Nothing.
    None,
    /// A lock of somebody who lives, or of another program.
    Other,
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Place {
        _folder: tempfile::TempDir,
        lock: PathBuf,
        temp: PathBuf,
    }

    fn place() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let (lock, temp) = (folder.path().join("index.lock"), folder.path().join("tmp"));
        Place { _folder: folder, lock, temp }
    }

    fn take(place: &Place) -> Try {
        IndexLock::take(&place.lock, &place.temp).unwrap()
    }

    /// Leaves a lock as a process does that dies.
    fn die(place: &Place) {
        let Try::Held(held) = take(place) else { panic!("is free") };
        let link = link_target(&place.lock).unwrap().unwrap();
        held.release().unwrap();
        assert_eq!(make_link(&link, &place.lock).unwrap(), Linked::Made);
    }

    #[test]
    fn one_at_a_time_has_the_lock() {
        let place = place();
        let Try::Held(held) = take(&place) else { panic!("is free") };
        assert!(matches!(take(&place), Try::Busy));
        assert!(held.is_ours().unwrap());
        drop(held);
        assert!(place.lock.symlink_metadata().is_err());
        assert!(matches!(take(&place), Try::Held(_)));
        assert_eq!(std::fs::read_dir(&place.temp).unwrap().count(), 0);
    }

    #[test]
    fn the_lock_of_one_that_died_is_taken_over() {
        let place = place();
        die(&place);
        let Try::Held(held) = take(&place) else { panic!("was left") };
        held.release().unwrap();
        die(&place);
        assert_eq!(IndexLock::clear_left(&place.lock, &place.temp).unwrap(), Left::None);
        assert!(place.lock.symlink_metadata().is_err());
        assert_eq!(std::fs::read_dir(&place.temp).unwrap().count(), 0);
    }

    #[test]
    fn a_lock_of_another_program_stays() {
        let place = place();
        crate::fs::write_durably(&place.lock, b"").unwrap();
        assert!(matches!(take(&place), Try::Busy));
        remove(&place.lock).unwrap();
        make_link(Path::new("/somewhere/else"), &place.lock).unwrap();
        assert!(matches!(take(&place), Try::Busy));
        assert!(place.lock.symlink_metadata().is_ok());
    }

    #[test]
    fn who_lost_the_lock_removes_none_of_another() {
        let place = place();
        let Try::Held(first) = take(&place) else { panic!("is free") };
        remove(&place.lock).unwrap();
        let Try::Held(second) = take(&place) else { panic!("is free") };
        assert!(!first.is_ours().unwrap());
        drop(first);
        assert!(second.is_ours().unwrap());
    }
}
