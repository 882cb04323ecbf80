//! What worktree files hold: by the stat cache where it can tell, else by reading them.

use std::collections::HashMap;
use std::io::ErrorKind;

use rayon::prelude::*;

use crate::cache::{Known, StatEntry};
use crate::fs::{Dir, FileKind, FsError, Stamp, Time, failpoint, planted};
use crate::hash::{By, Oid, hash_file};
use crate::path::RepoPath;
use crate::progress::{Job, Task};
use crate::worktree::door::{Door, Parent};
use crate::worktree::error::WorktreeError;

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

/// Says whether a file with this stamp is what an entry of the stat cache is about.
pub fn vouches(entry: &StatEntry, stamp: &Stamp) -> bool {
    let believed = planted::is("size-tells-all") && entry.stamp.size == stamp.size;
    entry.stamp == *stamp || believed
}

impl Knowledge {
    /// Starts from stat cache entries; `began` is the file system's clock now.
    pub fn new(entries: Vec<(Vec<u8>, StatEntry)>, began: Time) -> Self {
        Self { entries: entries.into_iter().collect(), began }
    }

    /// Returns what the stat cache says, if the stamp is still that of its entry.
    pub fn recall(&self, path: &RepoPath, stamp: &Stamp) -> Option<StatEntry> {
        let entry = self.entries.get(path.as_bytes()).copied()?;
        vouches(&entry, stamp).then_some(entry)
    }

    /// Returns the stat cache's entry for the path, valid or not.
    pub fn last(&self, path: &RepoPath) -> Option<StatEntry> {
        self.entries.get(path.as_bytes()).copied()
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
        let is_large = |stamp: &Stamp| By::alone(stamp.size) == By::AllCores;
        let large = files.iter().enumerate().filter(|(_, (_, stamp))| is_large(stamp));
        let unknown = large.filter(|(_, (path, stamp))| self.recall(path, stamp).is_none());
        let unknown: Vec<(usize, &(RepoPath, Stamp))> = unknown.collect();
        let bytes: u64 = unknown.iter().map(|(_, (_, stamp))| stamp.size).sum();
        // What is more than one core's share of them would keep the others waiting.
        let share = bytes / rayon::current_num_threads() as u64;
        let content = |parent: &mut Parent, (path, stamp): &(RepoPath, Stamp), by| {
            job.check()?;
            if let Some(entry) = self.recall(path, stamp) {
                return Ok(Content { stamp: *stamp, oid: entry.oid, known: entry.known });
            }
            let (stamp, oid) = read((door, parent), (path, *stamp, by), task, job)?;
            Ok(Content { stamp, oid, known: Known::Hashed })
        };
        let mut done = HashMap::new();
        for (i, file) in unknown.into_iter().filter(|(_, (_, stamp))| stamp.size > share) {
            done.insert(i, content(&mut Parent::default(), file, By::AllCores)?);
        }
        let others = files.par_iter().enumerate();
        others
            .map_init(Parent::default, |parent, (i, file)| match done.get(&i) {
                Some(content) => Ok(*content),
                None => content(parent, file, By::OneCore),
            })
            .collect()
    }

    /// Says whether the stamp of a content would show a later change.
    pub fn is_settled(&self, content: &Content) -> bool {
        content.stamp.is_settled_at(self.began)
    }

    /// Makes the stat cache entry of a content, unless its stamp could hide a later change.
    pub fn entry(&self, content: &Content) -> Option<StatEntry> {
        self.is_settled(content).then_some(StatEntry {
            stamp: content.stamp,
            oid: content.oid,
            tree: None,
            known: content.known,
        })
    }
}

fn read(
    (door, parent): (&Door, &mut Parent),
    (path, stamp, by): (&RepoPath, Stamp, By),
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
        let (file, before) = dir.open_file(path.file_name())?;
        let failed = |source| FsError { doing: "read", path: shown.clone(), source }.into();
        let hashed = hash_file(&file, (before.size, by), failed, |n| {
            failpoint::hit("worktree.read");
            task.advance(n);
            Ok(job.check()?)
        });
        match hashed {
            Ok(oid) if Dir::stamp_of(&file, &shown)? == before => return Ok((before, oid)),
            Ok(_) => {}
            Err(WorktreeError::Fs(e)) if e.source.kind() == ErrorKind::UnexpectedEof => {}
            Err(e) => return Err(e),
        }
    }
    // It is changing right now, so it is certainly not what any pointer says.
    Ok((stamp, Oid([0; 32])))
}
