//! Making durable what was written through a folder handle.

use crate::fs::dir::Dir;
use crate::fs::error::{FsError, IoResultExt};
use crate::fs::planted;

impl Dir {
    /// Makes a file's bytes durable; its name is [`Self::sync_names`]'s to keep.
    pub fn sync_file(&self, name: &[u8]) -> Result<(), FsError> {
        let (file, _) = self.open_file(name)?;
        if planted::is("no-fsync") {
            return Ok(());
        }
        file.sync_all().at("write", &self.path_of(name))
    }

    /// Makes the names in this folder durable.
    pub fn sync_names(&self) -> Result<(), FsError> {
        if planted::is("no-fsync") {
            return Ok(());
        }
        rustix::fs::fsync(&self.fd).at("sync the folder", self.path())
    }

    /// Makes everything written to this file system durable: once per command, not per file.
    pub fn sync(&self) -> Result<(), FsError> {
        if planted::is("no-fsync") {
            return Ok(());
        }
        #[cfg(target_os = "linux")]
        return rustix::fs::syncfs(&self.fd).at("sync the file system of", self.path());
        #[cfg(not(target_os = "linux"))]
        {
            rustix::fs::sync();
            Ok(())
        }
    }
}
