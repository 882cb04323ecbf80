//! The only way to a worktree path: a validated [`RepoPath`], through open folder handles.

use std::io::{ErrorKind, Read};
use std::path::Path;

use crate::fs::{Dir, FsError, IoResultExt, OwnLink, Stamp, Time};
use crate::path::RepoPath;

/// The worktree root, held open.
#[derive(Debug)]
pub struct Door {
    root: Dir,
}

/// The open folder of the path last asked for; neighbours share it.
#[derive(Debug, Default)]
pub struct Parent {
    open: Option<(Vec<u8>, Dir)>,
}

impl Parent {
    /// Opens the folder of `path`; nothing if it does not exist.
    pub fn of(&mut self, door: &Door, path: &RepoPath) -> Result<Option<&Dir>, FsError> {
        let parent = parent_of(path);
        if self.open.as_ref().is_none_or(|(open, _)| open != parent) {
            match door.root.descend(parent) {
                Ok(dir) => self.open = Some((parent.to_vec(), dir)),
                Err(e) if e.is_missing() || e.is_no_folder() => return Ok(None),
                Err(e) => return Err(e),
            }
        }
        Ok(self.open.as_ref().map(|(_, dir)| dir))
    }

    /// Opens the folder of `path`, making it and its parents where they are missing.
    pub fn make(&mut self, door: &Door, path: &RepoPath) -> Result<Option<&Dir>, FsError> {
        let parent = parent_of(path);
        if self.open.as_ref().is_none_or(|(open, _)| open != parent) {
            self.open = Some((parent.to_vec(), door.root.descend_or_make(parent)?));
        }
        Ok(self.open.as_ref().map(|(_, dir)| dir))
    }

    /// Returns what lies at `path`, as [`Door::stamp`] does; a link on the way hides what is behind.
    pub fn stamp(&mut self, door: &Door, path: &RepoPath) -> Result<Option<Stamp>, FsError> {
        match self.of(door, path) {
            Ok(Some(dir)) => dir.stamp(path.file_name()),
            Ok(None) => Ok(None),
            Err(e) if e.is_link() => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Forgets the open folder, after it may have been removed.
    pub fn close(&mut self) {
        self.open = None;
    }
}

/// The bytes of the folder that a path lies in; empty at the top.
fn parent_of(path: &RepoPath) -> &[u8] {
    let whole = path.as_bytes();
    let end = whole.len().saturating_sub(path.file_name().len() + 1);
    whole.get(..end).unwrap_or_default()
}

impl Door {
    /// Opens the worktree at `root`.
    pub fn open(root: &Path) -> Result<Self, FsError> {
        Ok(Self { root: Dir::open(root)? })
    }

    /// Has symbolic links into `folder` stand for the files that they lead to.
    #[must_use]
    pub fn with_own_links(self, folder: &Path) -> Self {
        Self { root: self.root.with_own_links(folder) }
    }

    /// Returns the root folder.
    pub fn root(&self) -> &Dir {
        &self.root
    }

    /// Returns what lies at `path`, the link itself if it is one; nothing if there is nothing.
    pub fn stamp(&self, path: &RepoPath) -> Result<Option<Stamp>, FsError> {
        match Parent::default().of(self, path)? {
            Some(dir) => dir.stamp(path.file_name()),
            None => Ok(None),
        }
    }

    /// Returns where a link of ours leads; nothing if `path` is none.
    pub fn own_link(&self, path: &RepoPath) -> Result<Option<OwnLink>, FsError> {
        let mut parent = Parent::default();
        Ok(parent.of(self, path)?.and_then(|dir| dir.own_link(path.file_name())))
    }

    /// Says whether anything stands at `path`, be it a link of ours that stands for no file.
    pub fn has(&self, path: &RepoPath) -> Result<bool, FsError> {
        let mut parent = Parent::default();
        let Some(dir) = parent.of(self, path)? else { return Ok(false) };
        Ok(dir.stamp(path.file_name())?.is_some() || dir.own_link(path.file_name()).is_some())
    }

    /// Writes `bytes` as the whole content of a path whose folder exists, durably.
    pub fn write_durably(&self, path: &RepoPath, bytes: &[u8]) -> Result<(), FsError> {
        self.root.descend(parent_of(path))?.write_durably(path.file_name(), bytes)
    }

    /// Reads a small file whole, without following a link; nothing if it is not there.
    ///
    /// At most `limit` bytes and one more are read: a longer answer means that it is too long.
    pub fn read_small(&self, path: &RepoPath, limit: u64) -> Result<Option<Vec<u8>>, FsError> {
        let mut parent = Parent::default();
        let Some(dir) = parent.of(self, path)? else { return Ok(None) };
        if dir.stamp(path.file_name())?.is_none() {
            return Ok(None);
        }
        let file = match dir.open_file(path.file_name()) {
            Ok((file, _)) => file,
            // Gone since.
            Err(e) if e.is_missing() => return Ok(None),
            Err(e) => return Err(e),
        };
        let mut bytes = Vec::new();
        let shown = dir.path_of(path.file_name());
        file.take(limit.saturating_add(1)).read_to_end(&mut bytes).at("read", &shown)?;
        Ok(Some(bytes))
    }

    /// As [`Self::now`]; where nothing can be written, a time before all others, so that no stamp counts
    /// as settled.
    pub fn now_if_writable(&self) -> Result<Time, FsError> {
        match self.now() {
            Err(error)
                if matches!(
                    error.source.kind(),
                    ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem
                ) =>
            {
                Ok(Time(i64::MIN))
            }
            other => other,
        }
    }

    /// Reads the file system's own clock by stamping a temporary file at the root.
    pub fn now(&self) -> Result<Time, FsError> {
        let temp = self.root.temp(false)?;
        Ok(Dir::stamp_of(temp.file(), self.root.path())?.ctime)
    }
}
