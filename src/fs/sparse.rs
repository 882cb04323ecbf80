//! A file that is filled piece by piece, at offsets: what can be fetched again, or waits in it.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use crate::fs::error::{FsError, IoResultExt};
use crate::fs::failpoint;
use crate::fs::pages::write_all_at;

/// An open file of pieces. Not durable, and after a crash any piece may be missing or torn: its
/// reader must check what it reads.
#[derive(Debug)]
pub struct SparseFile {
    file: File,
    path: PathBuf,
}

impl SparseFile {
    /// Wraps a file that was opened through its folder.
    pub(super) fn of(file: File, path: PathBuf) -> Self {
        Self { file, path }
    }

    /// Writes a piece where it belongs.
    pub fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<(), FsError> {
        failpoint::hit("fs.sparse.write");
        write_all_at(&self.file, offset, bytes).at("write", &self.path)
    }

    /// Fills `bytes` with the piece at `offset`; false if nothing was written there yet.
    pub fn read_at(&self, offset: u64, bytes: &mut [u8]) -> Result<bool, FsError> {
        match self.file.read_exact_at(bytes, offset) {
            Err(e) if e.kind() == ErrorKind::UnexpectedEof => Ok(false),
            other => other.at("read", &self.path).map(|()| bytes.iter().any(|byte| *byte != 0)),
        }
    }
}
