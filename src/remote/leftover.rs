//! What writes that died have left in a folder: files beside the object that was to be, which no
//! listing shows.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::connect::Remote;
use super::error::{Action, RemoteError};
use super::folder::{Folder, modified_ms};
use super::io::is_key;
use super::site::Site;
use crate::fs::nonce::LEN;

/// How deep such files may lie: `p/ab/NAME#1`.
const DEPTH: usize = 2;

impl Remote {
    /// Removes files of unfinished writes that the storage last saw changed before `before_ms`;
    /// returns how many, and their bytes. Only folders have such files, here or behind `ssh`.
    pub fn remove_leftovers(&self, before_ms: u64) -> Result<(u64, u64), RemoteError> {
        match &self.inner.folder {
            Some(folder) => folder.remove_leftovers(before_ms),
            None => self.remove_leftovers_there(before_ms),
        }
    }

    #[cfg(feature = "sftp")]
    fn remove_leftovers_there(&self, before_ms: u64) -> Result<(u64, u64), RemoteError> {
        let Some(folder) = &self.inner.behind_ssh else { return Ok((0, 0)) };
        let site = self.inner.site(Action::Remove, "/");
        folder.remove_leftovers(before_ms).map_err(|e| site.store(&e))
    }

    #[cfg(not(feature = "sftp"))]
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "with `sftp` it can fail")]
    fn remove_leftovers_there(&self, _: u64) -> Result<(u64, u64), RemoteError> {
        Ok((0, 0))
    }
}

impl Folder {
    fn remove_leftovers(&self, before_ms: u64) -> Result<(u64, u64), RemoteError> {
        let remote = Arc::clone(&self.remote);
        let site = Site { remote: &remote, action: Action::Remove, key: "/" };
        self.present(site)?;
        let mut found = Vec::new();
        leftovers(&self.root, 0, before_ms, &mut found).map_err(|e| site.io(&e))?;
        let (mut files, mut bytes) = (0, 0);
        for (path, size) in found {
            match fs::remove_file(&path) {
                Ok(()) => (files, bytes) = (files + 1, bytes + size),
                Err(e) if e.kind() == ErrorKind::NotFound => {}
                Err(e) => return Err(site.io(&e)),
            }
        }
        Ok((files, bytes))
    }
}

fn leftovers(
    folder: &Path,
    depth: usize,
    before_ms: u64,
    found: &mut Vec<(PathBuf, u64)>,
) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let meta = match entry.metadata() {
            Err(e) if e.kind() == ErrorKind::NotFound => continue,
            other => other?,
        };
        if meta.is_dir() && is_key(name) && depth < DEPTH {
            leftovers(&entry.path(), depth + 1, before_ms, found)?;
        } else if meta.is_file() && is_leftover(name) && modified_ms(&meta) < before_ms {
            found.push((entry.path(), meta.len()));
        }
    }
    Ok(())
}

/// The storage library writes `NAME#1`, and renames that to `NAME`; behind `ssh` it is a nonce in place
/// of the number.
pub(super) fn is_leftover(name: &str) -> bool {
    name.split_once('#').is_some_and(|(name, mark)| {
        let is_number = !mark.is_empty() && mark.bytes().all(|c| c.is_ascii_digit());
        let is_nonce =
            mark.len() == 2 * LEN && mark.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
        is_key(name) && (is_number || is_nonce)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_library_writes_beside_an_object_is_a_leftover() {
        let nonce = "format#0123456789abcdef0123456789abcdef";
        for name in ["0123abcd#1", "format#12", "u-00000000-00000001-0123456789abcdef#3", nonce] {
            assert!(is_leftover(name), "{name}");
        }
        let longer = format!("{nonce}a");
        for name in ["format", "#1", "a#", "a#b", "a b#1", "A#1", "a#1.txt", &longer] {
            assert!(!is_leftover(name), "{name}");
        }
    }
}
