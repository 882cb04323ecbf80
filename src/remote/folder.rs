//! What the storage library does not guard in a folder: links, odd names, a disk that is gone.
//!
//! Others may write to the folder too. So no link in it is followed, nothing but regular files is
//! opened (a pipe would hang the reader), and names that are no keys are never used as paths.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use super::error::{Action, RemoteError};
use super::io::{Listed, MAX_LISTED, is_key};
use super::site::Site;
use crate::fs::planted;

/// How deep folders may lie in each other; keys have three parts at most.
const MAX_DEPTH: usize = 8;

/// The folder of a remote, with links in the path to it resolved.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    pub(super) root: PathBuf,
    pub(super) remote: Arc<str>,
}

impl Folder {
    /// Fails unless the folder is still there: an empty mount point must not pass for an answer.
    pub(super) fn present(&self, site: Site<'_>) -> Result<(), RemoteError> {
        match fs::metadata(&self.root) {
            Ok(meta) if meta.is_dir() => Ok(()),
            Ok(_) => Err(site.gone("it is not a folder")),
            Err(e) if e.kind() == ErrorKind::NotFound => Err(site.gone("no such folder")),
            Err(e) => Err(site.io(&e)),
        }
    }

    /// Fails if the way to `key` leads over a link, or to anything but a regular file or nothing.
    pub(super) fn guard(&self, site: Site<'_>) -> Result<(), RemoteError> {
        self.present(site)?;
        let mut path = self.root.clone();
        let mut parts = site.key.split('/').peekable();
        while let Some(part) = parts.next() {
            path.push(part);
            let meta = match fs::symlink_metadata(&path) {
                Ok(meta) => meta,
                Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
                Err(e) => return Err(site.io(&e)),
            };
            let wanted = if parts.peek().is_some() { meta.is_dir() } else { meta.is_file() };
            if !wanted {
                return Err(site.damaged(odd_kind(&path, &meta)));
            }
        }
        Ok(())
    }

    /// Lists the regular files below `prefix`, which is a folder or not there, by key.
    pub(super) fn list(&self, prefix: &str) -> Result<Vec<Listed>, RemoteError> {
        let site = Site { remote: &self.remote, action: Action::List, key: prefix };
        self.present(site)?;
        let mut walk = Walk { site, found: Vec::new(), seen: 0, skipped: 0 };
        let mut start = self.root.clone();
        for part in prefix.split('/').filter(|part| !part.is_empty()) {
            start.push(part);
            match fs::symlink_metadata(&start) {
                Ok(meta) if meta.is_dir() => {}
                Ok(meta) => return Err(site.damaged(odd_kind(&start, &meta))),
                Err(e) if e.kind() == ErrorKind::NotFound => {
                    // Asked once more, so that a disk that went away is no empty listing.
                    self.present(site)?;
                    return Ok(Vec::new());
                }
                Err(e) => return Err(site.io(&e)),
            }
        }
        walk.folder(&start, prefix.trim_end_matches('/'), 0)?;
        self.present(site)?;
        if walk.skipped > 0 {
            tracing::warn!(remote = %self.remote, prefix, skipped = walk.skipped,
                "the remote holds entries that haul did not write; they are left alone");
        }
        walk.found.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        Ok(walk.found)
    }
}

/// One listing under way.
struct Walk<'a> {
    site: Site<'a>,
    found: Vec<Listed>,
    seen: usize,
    skipped: usize,
}

impl Walk<'_> {
    fn folder(&mut self, path: &Path, key: &str, depth: usize) -> Result<(), RemoteError> {
        let entries = match fs::read_dir(path) {
            Ok(entries) => entries,
            Err(e) if e.kind() == ErrorKind::NotFound && depth > 0 => return Ok(()),
            Err(e) => return Err(self.site.io(&e)),
        };
        for entry in entries {
            let entry = entry.map_err(|e| self.site.io(&e))?;
            self.seen += 1;
            if self.seen > MAX_LISTED {
                return Err(too_many(self.site));
            }
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|name| is_key(name)) else {
                self.skipped += 1;
                continue;
            };
            let below = if key.is_empty() { name.to_owned() } else { format!("{key}/{name}") };
            let meta = match entry.metadata() {
                Ok(meta) => meta,
                Err(e) if e.kind() == ErrorKind::NotFound => continue,
                Err(e) => return Err(self.site.io(&e)),
            };
            if meta.is_dir() && depth < MAX_DEPTH {
                self.folder(&entry.path(), &below, depth + 1)?;
            } else if meta.is_file() && is_key(&below) {
                let (size, modified_ms) = (meta.len(), modified_ms(&meta));
                self.found.push(Listed { key: below, size, modified_ms });
            } else {
                self.skipped += 1;
            }
        }
        Ok(())
    }
}

pub(super) fn too_many(site: Site<'_>) -> RemoteError {
    let (remote, prefix) = (Arc::clone(site.remote), site.key.to_owned());
    RemoteError::TooMany { remote, prefix, limit: MAX_LISTED }
}

fn odd_kind(path: &Path, meta: &Metadata) -> String {
    let what = if meta.is_symlink() {
        "a symbolic link, which is not followed in a remote"
    } else if meta.is_dir() {
        "a folder"
    } else if meta.is_file() {
        "a file"
    } else {
        "neither a file nor a folder"
    };
    format!("`{}` is {what}", path.display())
}

pub(super) fn modified_ms(meta: &Metadata) -> u64 {
    let since = meta.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.and_then(|since| u64::try_from(since.as_millis()).ok()).unwrap_or(0)
}

/// Makes `folder` and the folders above it, so that a crash does not lose them again.
pub(super) fn make(folder: &Path) -> io::Result<()> {
    let Some(parent) = folder.parent() else { return Ok(()) };
    if folder.is_dir() {
        return Ok(());
    }
    make(parent)?;
    match fs::create_dir(folder) {
        Err(e) if e.kind() != ErrorKind::AlreadyExists => Err(e),
        _ if planted::is("no-fsync") => Ok(()),
        _ => File::open(parent)?.sync_all(),
    }
}
