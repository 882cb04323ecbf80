//! Opening a redb file that several processes take turns with.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use redb::{
    Database, DatabaseError, ReadOnlyDatabase, ReadTransaction, ReadableDatabase, StorageError,
    WriteTransaction,
};

use crate::cache::error::CacheError;
use crate::fs::make_folder;

/// Memory that one open database may use for its pages, in bytes.
const PAGES: usize = 24 << 20;
const STEP: Duration = Duration::from_millis(10);
/// How long a command waits for others, unless it has a reason not to.
pub const PATIENCE: Duration = Duration::from_secs(600);

/// An open database with the path for its errors.
pub(super) struct Db {
    access: Access,
    path: PathBuf,
}

enum Access {
    /// Opening and closing it syncs the disk some five times, even if nothing is changed.
    Work(Database),
    /// Syncs nothing, and any number of processes have it at the same time.
    Look(ReadOnlyDatabase),
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
        let open = || Database::builder().set_cache_size(PAGES).create(path);
        match in_turn(path, patience, open)? {
            Ok(db) => Ok(Opened::Ready(Self { access: Access::Work(db), path: path.to_owned() })),
            Err(DatabaseError::Storage(StorageError::Io(e)))
                if e.kind() != std::io::ErrorKind::InvalidData
                    && e.kind() != std::io::ErrorKind::UnexpectedEof =>
            {
                Err(failed(path, &e))
            }
            Err(e) => Ok(Opened::Unusable(e.to_string())),
        }
    }

    /// Opens a file that nothing is to be written to; nothing if there is none, or if it has to be
    /// mended first.
    pub(super) fn open_to_look(
        path: &Path,
        patience: Duration,
    ) -> Result<Option<Self>, CacheError> {
        let open = || Database::builder().set_cache_size(PAGES).open_read_only(path);
        let opened = in_turn(path, patience, open)?.ok();
        Ok(opened.map(|db| Self { access: Access::Look(db), path: path.to_owned() }))
    }

    /// Takes a view of the tables as they are now.
    pub(super) fn begin_read(&self) -> Result<ReadTransaction, CacheError> {
        let begun = match &self.access {
            Access::Work(db) => db.begin_read(),
            Access::Look(db) => db.begin_read(),
        };
        begun.map_err(|e| self.failed(&e))
    }

    /// Begins a change of the tables.
    pub(super) fn begin_write(&self) -> Result<WriteTransaction, CacheError> {
        match &self.access {
            Access::Work(db) => db.begin_write().map_err(|e| self.failed(&e)),
            Access::Look(_) => Err(self.failed(&"it was opened only to be read")),
        }
    }

    /// Turns a database error into ours.
    pub(super) fn failed(&self, error: &dyn std::fmt::Display) -> CacheError {
        failed(&self.path, error)
    }
}

/// Opens a file as soon as no other process stands in the way, which is waited for as long as
/// `patience` lasts.
fn in_turn<D>(
    path: &Path,
    patience: Duration,
    open: impl Fn() -> Result<D, DatabaseError>,
) -> Result<Result<D, DatabaseError>, CacheError> {
    let begun = Instant::now();
    loop {
        match open() {
            Err(DatabaseError::DatabaseAlreadyOpen) if begun.elapsed() < patience => {
                std::thread::sleep(STEP);
            }
            Err(DatabaseError::DatabaseAlreadyOpen) => {
                let waited = begun.elapsed().as_secs();
                return Err(CacheError::Busy { path: path.to_owned(), waited });
            }
            other => return Ok(other),
        }
    }
}

fn failed(path: &Path, error: &dyn std::fmt::Display) -> CacheError {
    CacheError::Database { path: path.to_owned(), why: error.to_string() }
}
