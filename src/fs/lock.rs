//! File locks that the system releases when the process ends, however it ends.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::fs::error::{FsError, IoResultExt};
use crate::fs::plain::open_or_make_plain;

/// How often a lock is asked for that somebody else holds.
const STEP: Duration = Duration::from_millis(10);

/// How a lock is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Together with others.
    Together,
    /// Alone.
    Alone,
}

/// A held lock on a file; dropping it releases it.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Waits for a lock that many may hold together.
    pub fn shared(path: &Path) -> Result<Self, FsError> {
        let file = open(path)?;
        file.lock_shared().at("lock", path)?;
        Ok(Self { _file: file })
    }

    /// Waits for a lock that only one may hold.
    pub fn exclusive(path: &Path) -> Result<Self, FsError> {
        let file = open(path)?;
        file.lock().at("lock", path)?;
        Ok(Self { _file: file })
    }

    /// Waits for the lock of a folder itself, which needs no file in it, for `patience` at most; nothing
    /// if somebody holds it for longer.
    pub fn of_folder(path: &Path, patience: Duration) -> Result<Option<Self>, FsError> {
        let begun = Instant::now();
        loop {
            let folder = File::open(path).at("open", path)?;
            let lock = Self::try_of(folder, Hold::Alone, path)?;
            if lock.is_some() || begun.elapsed() >= patience {
                return Ok(lock);
            }
            std::thread::sleep(STEP);
        }
    }

    /// Takes the lock of an open file if nobody is in the way now.
    pub fn try_of(file: File, hold: Hold, path: &Path) -> Result<Option<Self>, FsError> {
        let locked = match hold {
            Hold::Together => file.try_lock_shared(),
            Hold::Alone => file.try_lock(),
        };
        match locked {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(e)) => Err(e).at("lock", path),
        }
    }

    /// Takes the exclusive lock if nobody holds it now.
    pub fn try_exclusive(path: &Path) -> Result<Option<Self>, FsError> {
        let file = open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(e)) => Err(e).at("lock", path),
        }
    }
}

fn open(path: &Path) -> Result<File, FsError> {
    open_or_make_plain(path).at("open", path)
}
