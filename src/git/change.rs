//! Changes the Git index: `git` writes a copy of it, which then takes its place.
//!
//! So a `git` that is killed leaves nothing in the way of others, and Git's lock is held for the
//! moment of a rename only.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::command::{Call, os_path};
use super::lock::{IndexLock, Try};
use super::{Git, GitError};
use crate::fs::{Scratch, Seen, failpoint, put_over};

/// Between two tries at a locked index.
const RETRY: Duration = Duration::from_millis(50);

/// A change of the index under way.
struct Change<'c> {
    git: &'c Git,
    call: &'c Call<'c>,
    /// What the call stages, for messages.
    paths: &'c [&'c [u8]],
    index: PathBuf,
    lock: PathBuf,
    start: Instant,
}

impl Git {
    /// Runs a command that changes the index so that it is changed as a whole or not at all; waits
    /// while somebody else has locked it. Nothing that is filtered may be stored by it.
    pub(super) fn change_index(&self, call: &Call<'_>, paths: &[&[u8]]) -> Result<(), GitError> {
        let index = self.index_path()?;
        let mut lock = OsString::from(&index);
        lock.push(".lock");
        let lock = PathBuf::from(lock);
        IndexLock::clear_left(&lock, &self.temp)?;
        let start = Instant::now();
        let call = &call.clone().hookless();
        Change { git: self, call, paths, index, lock, start }.on_a_copy()
    }

    /// Asks where the index lies: hooks and worktrees have their own, and it may be a link.
    pub(super) fn index_path(&self) -> Result<PathBuf, GitError> {
        let mut answer = self.runner.git(&["rev-parse", "--git-path", "index"]).output()?.stdout;
        if answer.last() == Some(&b'\n') {
            answer.pop();
        }
        let path = self.root.join(os_path(&answer)?);
        Ok(path.canonicalize().unwrap_or(path))
    }
}

impl Change<'_> {
    fn on_a_copy(&self) -> Result<(), GitError> {
        let work = Scratch::new_in(&self.git.temp)?;
        let copy = work.path().join("index");
        let call = self.call.clone().on_index(&copy);
        let mut held: Option<IndexLock> = None;
        loop {
            let before = Seen::look(&self.index)?;
            before.copy_to(&copy)?;
            let copied = Seen::look(&copy)?;
            call.output()?;
            if copied.is_still_at(&copy)? {
                // Nothing to change.
                return held.map_or(Ok(()), IndexLock::release);
            }
            let alone = held.is_some();
            let lock = match held.take() {
                Some(lock) => lock,
                None => match self.wait_for_lock()? {
                    Some(lock) => lock,
                    None => return self.in_place(),
                },
            };
            if lock.is_ours()? && before.is_still_at(&self.index)? {
                return self.publish(&copy, lock);
            }
            // Somebody was quicker. With the lock in hand that does not happen again, but with those
            // who heed no lock.
            if alone && self.start.elapsed() >= self.git.index_wait {
                return Err(self.git.locked(&self.lock, self.paths));
            }
            held = lock.is_ours()?.then_some(lock);
        }
    }

    /// Gives the copy the name of the index.
    fn publish(&self, copy: &Path, lock: IndexLock) -> Result<(), GitError> {
        match put_over(copy, &self.index) {
            Err(e) if e.source.kind() == io::ErrorKind::CrossesDevices => {
                lock.release()?;
                return self.in_place();
            }
            other => other?,
        }
        failpoint::hit("git.index.renamed");
        lock.release()
    }

    /// Takes Git's lock; nothing where it cannot be told whose it is.
    fn wait_for_lock(&self) -> Result<Option<IndexLock>, GitError> {
        loop {
            match IndexLock::take(&self.lock, &self.git.temp)? {
                Try::Held(lock) => return Ok(Some(lock)),
                Try::Unable => return Ok(None),
                Try::Busy => self.wait()?,
            }
        }
    }

    /// Lets `git` change the index itself, for file systems on which nothing else works.
    fn in_place(&self) -> Result<(), GitError> {
        loop {
            match self.call.output() {
                Err(GitError::Command { stderr, .. }) if is_locked(&stderr) => self.wait()?,
                result => return result.map(drop),
            }
        }
    }

    fn wait(&self) -> Result<(), GitError> {
        failpoint::hit("git.index.waiting");
        let stopped = self.git.stop.check().is_err();
        if stopped || self.start.elapsed() >= self.git.index_wait {
            return Err(self.git.locked(&self.lock, self.paths));
        }
        thread::sleep(RETRY.min(self.git.index_wait));
        Ok(())
    }
}

/// Recognises `Unable to create '/x/.git/index.lock': File exists.`
fn is_locked(stderr: &str) -> bool {
    stderr.contains("Unable to create '") && stderr.contains(".lock': File exists")
}
