//! A file that is filled piece by piece, at offsets: what can be fetched again.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::fs::atomic::{make_folder, remove};
use crate::fs::error::{FsError, IoResultExt};
use crate::fs::failpoint;
use crate::fs::plain::{is_not_plain, open_or_make_plain};

/// An open file of pieces. Not durable, and after a crash any piece may be missing or torn: its
/// reader must check what it reads.
#[derive(Debug)]
pub struct SparseFile {
    file: File,
    path: PathBuf,
}

impl SparseFile {
    /// Opens the file, or makes it and its folder; a link or a pipe in its place goes.
    pub fn open(path: &Path) -> Result<Self, FsError> {
        if let Some(folder) = path.parent() {
            make_folder(folder, false)?;
        }
        let file = match open_or_make_plain(path) {
            Err(error) if is_not_plain(&error) => {
                remove(path)?;
                open_or_make_plain(path)
            }
            other => other,
        };
        Ok(Self { file: file.at("open", path)?, path: path.to_owned() })
    }

    /// Writes a piece where it belongs.
    pub fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<(), FsError> {
        failpoint::hit("fs.sparse.write");
        self.file.write_all_at(bytes, offset).at("write", &self.path)
    }
}
