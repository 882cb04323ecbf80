//! From the bytes of a file to the pointer that Git stores.

use std::collections::HashMap;
use std::io::{self, Read, Write};

use crate::config::Environment;
use crate::fs::{IoResultExt, Scratch, Temp};
use crate::git::{Channel, Verdict};
use crate::hint::Hint;
use crate::intake::SMALL;
use crate::ops::error::OpError;
use crate::ops::filter_process::cut::{Rule, pointer_of, unread};
use crate::ops::filter_process::serve::Taking;
use crate::ops::filter_process::spool::{Spool, adopt, take_one};
use crate::path::show;
use crate::pointer::{Pointer, PointerError, PointerKind, looks_like_pointer};
use crate::progress::Job;
use crate::repo::Repo;
use crate::worktree::{TrackedState, load_in_place};

/// The name of a large file in a folder of its own.
const LARGE: &str = "content";

/// The files of one run of Git.
pub(super) struct Cleaning<'e> {
    environment: &'e Environment,
    taking: Taking,
    start: Option<Start>,
    spool: Option<Spool>,
}

/// What is looked up once.
struct Start {
    /// Its index is never opened.
    repo: Repo,
    /// The pointers that Git's index has.
    old: HashMap<Vec<u8>, Pointer>,
}

impl<'e> Cleaning<'e> {
    pub(super) fn new(environment: &'e Environment, taking: Taking) -> Self {
        Self { environment, taking, start: None, spool: None }
    }

    /// Answers with the pointer of what Git sends; Git is told if there can be none.
    pub(super) fn answer<R: Read, W: Write>(
        &mut self,
        path: &[u8],
        channel: &mut Channel<R, W>,
        job: &Job,
    ) -> Result<(), OpError> {
        match self.pointer(path, channel, job) {
            Ok(pointer) => Ok(channel.answer_with(pointer.as_slice())?.map_err(unread)?),
            Err(error @ OpError::Channel(_)) => Err(error),
            Err(error) => {
                let hint = error.hint().map_or_else(String::new, |hint| format!("; {hint}"));
                let path = show(path);
                job.warn(&format!("`{path}` cannot be taken in: {error}{hint}"));
                Ok(channel.answer(Verdict::Error)?)
            }
        }
    }

    fn pointer<R: Read, W: Write>(
        &mut self,
        path: &[u8],
        channel: &mut Channel<R, W>,
        job: &Job,
    ) -> Result<Vec<u8>, OpError> {
        let mut content = channel.content();
        let mut bytes = Vec::new();
        content.by_ref().take(SMALL + 1).read_to_end(&mut bytes).map_err(unread)?;
        if bytes.is_empty() || is_pointer(&bytes)? {
            return Ok(bytes);
        }
        if self.start.is_none() {
            self.start = Some(Start::open(self.environment)?);
        }
        let Some(Start { repo, old }) = &self.start else {
            return Err(OpError::Defect("the repository is not open".to_owned()));
        };
        let old = old.get(path);
        let rule = Rule::after(old, repo.profile());
        if bytes.len() as u64 > SMALL {
            let rest = bytes.as_slice().chain(content);
            let kind = match self.taking {
                Taking::Hash => rule.kind_of_stream(rest)?,
                Taking::Store => take_large((self.environment, repo), rest, &rule, job)?,
            };
            return pointer_of(old, kind);
        }
        let pointer = pointer_of(old, rule.kind_of(&bytes)?)?;
        if self.taking == Taking::Store {
            let spool = match self.spool.take() {
                Some(spool) => spool,
                None => Spool::new(repo)?,
            };
            self.spool.insert(spool).put(&bytes, rule)?;
            if self.spool.as_ref().is_some_and(Spool::is_full) {
                self.drain(job)?;
            }
        }
        Ok(pointer)
    }

    /// Takes in what waits, and what runs before this one left.
    pub(super) fn finish(mut self, job: &Job) -> Result<(), OpError> {
        let waited = self.spool.is_some();
        self.drain(job)?;
        if waited {
            adopt(&Repo::open(self.environment, &[])?, job)?;
        }
        Ok(())
    }

    /// Takes in what waits: what Git asks for next may be that.
    pub(super) fn drain(&mut self, job: &Job) -> Result<(), OpError> {
        match self.spool.take() {
            // Opened for this alone: a hook that Git calls later may want the index.
            Some(spool) => spool.drain(&Repo::open(self.environment, &[])?, job),
            None => Ok(()),
        }
    }
}

impl Start {
    fn open(environment: &Environment) -> Result<Self, OpError> {
        let repo = Repo::open(environment, &[])?;
        let (tracked, _) = load_in_place(repo.git())?;
        let sound = tracked.into_iter().filter_map(|item| match item.state {
            TrackedState::Sound(pointer, _) => Some((item.path.as_bytes().to_vec(), pointer)),
            TrackedState::Missing | TrackedState::Unsound(_) => None,
        });
        let old = sound.collect();
        Ok(Self { repo, old })
    }
}

/// Says whether what Git sends is a pointer already, as where its content was not to be had.
fn is_pointer(bytes: &[u8]) -> Result<bool, OpError> {
    if !looks_like_pointer(bytes) {
        return Ok(false);
    }
    let why = match Pointer::parse(bytes) {
        Ok(pointer) if matches!(pointer.kind(), PointerKind::Dir { .. }) => PointerError::Folder,
        Ok(_) => return Ok(true),
        Err(e @ (PointerError::Conflict { .. } | PointerError::Newer { .. })) => e,
        Err(e) if bytes.starts_with(b"haul 1\n") => e,
        // A text that happens to begin alike.
        Err(_) => return Ok(false),
    };
    Err(OpError::refused(
        format!("it holds a pointer that cannot be used: {why}"),
        "put the content there, or restore the pointer with `git checkout -- PATH`",
    ))
}

/// Takes in a file that is too large for memory; it is durable afterwards.
fn take_large(
    (environment, repo): (&Environment, &Repo),
    mut content: impl Read,
    rule: &Rule,
    job: &Job,
) -> Result<PointerKind, OpError> {
    let scratch = Scratch::new_in(&repo.layout().temp())?;
    let path = scratch.path().join(LARGE);
    let mut temp = Temp::new_in(scratch.path())?;
    let size = io::copy(&mut content, &mut temp).at("write", &path)?;
    temp.publish_lazily(&path)?;
    let repo = Repo::open(environment, &[])?;
    take_one(&repo, (scratch.path(), LARGE, size), rule, job)
}
