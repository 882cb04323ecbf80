//! Opening a redb file that several processes take turns with.

use std::path::{Path, PathBuf};
use std::time::Duration;

use redb::{Database, DatabaseError};

use crate::cache::error::CacheError;
use crate::fs::make_folder;

/// Memory that one open database may use for its pages, in bytes.
const PAGES: usize = 24 << 20;
const STEP: Duration = Duration::from_millis(10);
/// How long a command waits for others, unless it has a reason not to.
pub(super) const PATIENCE: Duration = Duration::from_secs(600);

/// An open database with the path for its errors.
pub(super) struct Db {
    pub(super) db: Database,
    pub(super) path: PathBuf,
}

/// What opening found.
pub(super) enum Opened {
    Ready(Db),
    /// The file is not a database that this build can read.
    Unusable(String),
}

impl Db {
    /// Opens or creates the file; waits while another process has it, for `patience` at most.
    pub(super) fn open(path: &Path, patience: Duration) -> Result<Opened, CacheError> {
        if let Some(folder) = path.parent() {
            make_folder(folder, true)?;
        }
        let mut waited = Duration::ZERO;
        loop {
            match Database::builder().set_cache_size(PAGES).create(path) {
                Ok(db) => return Ok(Opened::Ready(Self { db, path: path.to_owned() })),
                Err(DatabaseError::DatabaseAlreadyOpen) if waited < patience => {
                    std::thread::sleep(STEP);
                    waited += STEP;
                }
                Err(DatabaseError::DatabaseAlreadyOpen) => {
                    return Err(CacheError::Busy {
                        path: path.to_owned(),
                        waited: waited.as_secs(),
                    });
                }
                Err(DatabaseError::Storage(redb::StorageError::Io(e)))
                    if e.kind() != std::io::ErrorKind::InvalidData
                        && e.kind() != std::io::ErrorKind::UnexpectedEof =>
                {
                    return Err(failed(path, &e));
                }
                Err(e) => return Ok(Opened::Unusable(e.to_string())),
            }
        }
    }

    /// Turns a database error into ours.
    pub(super) fn failed(&self, error: &dyn std::fmt::Display) -> CacheError {
        failed(&self.path, error)
    }
}

fn failed(path: &Path, error: &dyn std::fmt::Display) -> CacheError {
    CacheError::Database { path: path.to_owned(), why: error.to_string() }
}
