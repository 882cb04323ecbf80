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

/// Which keys the caller writes, and where: nothing else in a folder is looked at, as others may use it too.
#[derive(Clone, Copy, Debug)]
pub struct OwnKeys {
    /// The folders of the first part of each key, `""` for keys of one part.
    pub folders: &'static [&'static str],
    /// Says whether a key is one of them.
    pub is_own: fn(&str) -> bool,
}

/// How deep files lie below a folder of keys: `ab/NAME#1` below `p`.
const DEPTH: usize = 1;

impl OwnKeys {
    /// Returns how deep a folder of keys is looked at: not at all below the top, which others may use.
    pub(super) fn depth(folder: &str) -> usize {
        if folder.is_empty() { 0 } else { DEPTH }
    }

    /// Says whether a path is that of an unfinished write of one of the keys. The storage library writes
    /// `KEY#1`, and renames that to `KEY`; behind `ssh` it is a nonce in place of the number.
    pub(super) fn is_leftover(&self, path: &str) -> bool {
        path.split_once('#').is_some_and(|(key, mark)| {
            let is_number = !mark.is_empty() && mark.bytes().all(|c| c.is_ascii_digit());
            let is_nonce = mark.len() == 2 * LEN
                && mark.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
            (is_number || is_nonce) && (self.is_own)(key)
        })
    }
}

impl Remote {
    /// Removes files of unfinished writes that the storage last saw changed before `before_ms`;
    /// returns how many, and their bytes. Only folders have such files, here or behind `ssh`.
    pub fn remove_leftovers(
        &self,
        keys: OwnKeys,
        before_ms: u64,
    ) -> Result<(u64, u64), RemoteError> {
        match &self.inner.folder {
            Some(folder) => folder.remove_leftovers(keys, before_ms),
            None => self.remove_leftovers_there(keys, before_ms),
        }
    }

    #[cfg(feature = "sftp")]
    fn remove_leftovers_there(
        &self,
        keys: OwnKeys,
        before_ms: u64,
    ) -> Result<(u64, u64), RemoteError> {
        let Some(folder) = &self.inner.behind_ssh else { return Ok((0, 0)) };
        let site = self.inner.site(Action::Remove, "/");
        folder.remove_leftovers(keys, before_ms).map_err(|e| site.store(&e))
    }

    #[cfg(not(feature = "sftp"))]
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "with `sftp` it can fail")]
    fn remove_leftovers_there(&self, _: OwnKeys, _: u64) -> Result<(u64, u64), RemoteError> {
        Ok((0, 0))
    }
}

impl Folder {
    fn remove_leftovers(&self, keys: OwnKeys, before_ms: u64) -> Result<(u64, u64), RemoteError> {
        let remote = Arc::clone(&self.remote);
        let site = Site { remote: &remote, action: Action::Remove, key: "/" };
        self.present(site)?;
        let mut search = Search { root: &self.root, keys, before_ms, found: Vec::new() };
        for folder in keys.folders {
            search.folder(folder, OwnKeys::depth(folder)).map_err(|e| site.io(&e))?;
        }
        let (mut files, mut bytes) = (0, 0);
        for (path, size) in search.found {
            match fs::remove_file(&path) {
                Ok(()) => (files, bytes) = (files + 1, bytes + size),
                Err(e) if e.kind() == ErrorKind::NotFound => {}
                Err(e) => return Err(site.io(&e)),
            }
        }
        Ok((files, bytes))
    }
}

/// One search under way.
struct Search<'a> {
    root: &'a Path,
    keys: OwnKeys,
    before_ms: u64,
    found: Vec<(PathBuf, u64)>,
}

impl Search<'_> {
    fn folder(&mut self, folder: &str, depth: usize) -> std::io::Result<()> {
        let place = self.root.join(folder);
        // A link is not followed, and a folder that was never made holds nothing.
        if !fs::symlink_metadata(&place).is_ok_and(|meta| meta.is_dir()) {
            return Ok(());
        }
        for entry in fs::read_dir(&place)? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
            let meta = match entry.metadata() {
                Err(e) if e.kind() == ErrorKind::NotFound => continue,
                other => other?,
            };
            if meta.is_dir() && is_key(name) && depth > 0 {
                self.folder(&path, depth - 1)?;
            } else if meta.is_file()
                && self.keys.is_leftover(&path)
                && modified_ms(&meta) < self.before_ms
            {
                self.found.push((entry.path(), meta.len()));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_written_beside_an_own_key_is_a_leftover() {
        let keys = OwnKeys { folders: &["", "p"], is_own: |key| ["format", "p/ab"].contains(&key) };
        let nonce = "format#0123456789abcdef0123456789abcdef";
        for path in ["p/ab#1", "format#12", nonce] {
            assert!(keys.is_leftover(path), "{path}");
        }
        let longer = format!("{nonce}a");
        let others = ["format", "#1", "format#", "format#b", "draft#1", "p/ac#1", "format#1.txt"];
        for path in others.into_iter().chain([longer.as_str()]) {
            assert!(!keys.is_leftover(path), "{path}");
        }
    }
}
