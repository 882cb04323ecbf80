//! A file that is filled piece by piece, at offsets: what can be fetched again.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::fs::atomic::make_folder;
use crate::fs::error::{FsError, IoResultExt};
use crate::fs::failpoint;
use crate::fs::plain::open_or_make_plain;

/// An open file of pieces. Not durable, and after a crash any piece may be missing or torn: its
/// reader must check what it reads.
#[derive(Debug)]
pub struct SparseFile {
    file: File,
    path: PathBuf,
}

impl SparseFile {
    /// Opens the file, or makes it and its folder; a link in its place is an error.
    pub fn open(path: &Path) -> Result<Self, FsError> {
        if let Some(folder) = path.parent() {
            make_folder(folder, false)?;
        }
        Ok(Self { file: open_or_make_plain(path).at("open", path)?, path: path.to_owned() })
    }

    /// Writes a piece where it belongs.
    pub fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<(), FsError> {
        failpoint::hit("fs.sparse.write");
        self.file.write_all_at(bytes, offset).at("write", &self.path)
    }
}
