//! What worktree files hold: by the stat cache where it can tell, else by reading them.

use std::collections::HashMap;
use std::io::Read;

use rayon::prelude::*;

use crate::cache::{Known, StatEntry};
use crate::fs::{Dir, FileKind, IoResultExt, Stamp, Time, failpoint, planted};
use crate::hash::Oid;
use crate::path::RepoPath;
use crate::progress::{Job, Task};
use crate::worktree::door::{Door, Parent};
use crate::worktree::error::WorktreeError;

/// Bytes read at a time.
const BUFFER: usize = 1 << 20;
/// How often a file that changes while it is read is read again.
const TRIES: u32 = 3;

/// The content of a worktree file or link, as far as this run knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content {
    /// The stamp at the time.
    pub stamp: Stamp,
    /// The hash of the bytes, or of a link's target.
    pub oid: Oid,
    /// Whether haul is known to hold these bytes.
    pub known: Known,
}

/// The stat cache's entries for the paths in question, and what was learned on top of them.
pub struct Knowledge {
    entries: HashMap<Vec<u8>, StatEntry>,
    began: Time,
}

impl Knowledge {
    /// Starts from stat cache entries; `began` is the file system's clock now.
    pub fn new(entries: Vec<(Vec<u8>, StatEntry)>, began: Time) -> Self {
        Self { entries: entries.into_iter().collect(), began }
    }

    /// Returns what the stat cache says, if the stamp is still that of its entry.
    pub fn recall(&self, path: &RepoPath, stamp: &Stamp) -> Option<StatEntry> {
        let entry = self.entries.get(path.as_bytes()).copied()?;
        let believed = planted::is("size-tells-all") && entry.stamp.size == stamp.size;
        (entry.stamp == *stamp || believed).then_some(entry)
    }

    /// Says whether the stat cache has an entry for the path, valid or not.
    pub fn has(&self, path: &RepoPath) -> bool {
        self.entries.contains_key(path.as_bytes())
    }

    /// Returns every remembered path that was added or placed by haul.
    pub fn stored_paths(&self) -> impl Iterator<Item = (&[u8], &StatEntry)> {
        let stored = self.entries.iter().filter(|(_, e)| e.known == Known::Stored);
        stored.map(|(path, entry)| (path.as_slice(), entry))
    }

    /// Finds the content of each path, reading in parallel only what the stat cache cannot tell.
    pub fn identify(
        &self,
        door: &Door,
        files: &[(RepoPath, Stamp)],
        task: &Task,
        job: &Job,
    ) -> Result<Vec<Content>, WorktreeError> {
        files
            .par_iter()
            .map_init(Parent::default, |parent, (path, stamp)| {
                job.check()?;
                if let Some(entry) = self.recall(path, stamp) {
                    return Ok(Content { stamp: *stamp, oid: entry.oid, known: entry.known });
                }
                let (stamp, oid) = read((door, parent), (path, *stamp), task, job)?;
                Ok(Content { stamp, oid, known: Known::Hashed })
            })
            .collect()
    }

    /// Makes the stat cache entry of a content, unless its stamp could hide a later change.
    pub fn entry(&self, content: &Content) -> Option<StatEntry> {
        content.stamp.is_settled_at(self.began).then_some(StatEntry {
            stamp: content.stamp,
            oid: content.oid,
            tree: None,
            known: content.known,
        })
    }
}

fn read(
    (door, parent): (&Door, &mut Parent),
    (path, stamp): (&RepoPath, Stamp),
    task: &Task,
    job: &Job,
) -> Result<(Stamp, Oid), WorktreeError> {
    let shown = door.root().path_of(path.as_bytes());
    let dir = match parent.of(door, path)? {
        Some(dir) => dir,
        None => door.root(),
    };
    if stamp.kind == FileKind::Symlink {
        return Ok((stamp, Oid::of(&dir.read_link(path.file_name())?)));
    }
    for _ in 0..TRIES {
        let (mut file, before) = dir.open_file(path.file_name())?;
        let mut hasher = blake3::Hasher::new();
        let mut buffer = vec![0; BUFFER.min(usize::try_from(before.size).unwrap_or(BUFFER) + 1)];
        loop {
            failpoint::hit("worktree.read");
            job.check()?;
            let n = file.read(&mut buffer).at("read", &shown)?;
            let Some(bytes) = buffer.get(..n).filter(|b| !b.is_empty()) else { break };
            hasher.update(bytes);
            task.advance(n as u64);
        }
        if Dir::stamp_of(&file, &shown)? == before {
            return Ok((before, Oid(*hasher.finalize().as_bytes())));
        }
    }
    // It is changing right now, so it is certainly not what any pointer says.
    Ok((stamp, Oid([0; 32])))
}
