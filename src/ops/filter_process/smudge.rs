//! From the pointer that Git holds to the bytes of the file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::time::Duration;

use crate::cache::ObjectReader;
use crate::config::Environment;
use crate::fs::{Dir, Scratch};
use crate::git::{Channel, Request, Verdict, Wish};
use crate::hash::Oid;
use crate::hint::Hint;
use crate::manifest::{Content, EntryKind};
use crate::ops::checkout::{Target, chunks, file_content};
use crate::ops::error::{Exit, OpError};
use crate::ops::fetch::bring_content;
use crate::ops::filter_process::cut::unread;
use crate::ops::filter_process::pass::pass_on;
use crate::ops::filter_process::serve::Smudged;
use crate::ops::retain::{After, retain};
use crate::ops::supply::part;
use crate::path::{RepoPath, show};
use crate::pointer::{MAX_POINTER, Pointer, PointerKind};
use crate::progress::{Job, Kind};
use crate::repo::Repo;
use crate::transfer::{Filter, Root, Wanted};
use crate::units::ByteSize;
use crate::worktree::{LARGE, PlaceError, Recipe, Whole, place_file};

/// The name of a large file in a folder of its own.
const NAME: &[u8] = b"content";
/// How long another command may have the index before files are left as pointers.
const PATIENCE: Duration = Duration::from_secs(60);
/// Digits of a commit that a message shows.
const DIGITS: usize = 10;

/// The files of one run of Git.
pub(super) struct Smudging<'e> {
    environment: &'e Environment,
    smudged: Smudged,
    /// What Git will ask for again, with the pointers.
    delayed: BTreeMap<Vec<u8>, Vec<u8>>,
    /// What holds its pointer for now.
    left: u64,
    /// The first of these, and why.
    first: Option<(Vec<u8>, Vec<u8>, OpError)>,
}

/// Bytes that are proved to be what a pointer names.
enum Proved {
    Bytes(Vec<u8>),
    /// A file in a folder that goes with it.
    File(File, Scratch),
}

impl<'e> Smudging<'e> {
    pub(super) fn new(environment: &'e Environment, smudged: Smudged) -> Self {
        Self { environment, smudged, delayed: BTreeMap::new(), left: 0, first: None }
    }

    pub(super) fn environment(&self) -> &'e Environment {
        self.environment
    }

    /// Answers with content, with the promise of it, or with what Git sent where that is no pointer.
    pub(super) fn answer<R: Read, W: Write>(
        &mut self,
        (path, can_delay): (&[u8], bool),
        channel: &mut Channel<R, W>,
        job: &Job,
    ) -> Result<(), OpError> {
        let mut bytes = Vec::new();
        let limit = MAX_POINTER as u64 + 1;
        channel.content().take(limit).read_to_end(&mut bytes).map_err(unread)?;
        if bytes.len() as u64 == limit {
            return pass_on(self.environment, bytes, channel);
        }
        let is_file = |pointer: &Pointer| matches!(pointer.kind(), PointerKind::File { .. });
        let pointer = Pointer::parse(&bytes).ok().filter(is_file);
        let Some(pointer) = pointer.filter(|_| self.smudged == Smudged::Content) else {
            return give(channel, Proved::Bytes(bytes));
        };
        if can_delay {
            self.delayed.insert(path.to_vec(), bytes);
            return Ok(channel.answer(Verdict::Delayed)?);
        }
        let found = Repo::open(self.environment, &[]).map_err(OpError::from).and_then(|repo| {
            wait_for_index(&repo)?;
            bring_content(&repo, vec![wanted(path, &pointer)], job)?;
            let mut reader = ObjectReader::new(repo.layout(), repo.index()?)?;
            prove(&repo, (path, &pointer), &mut reader, job)
        });
        let found = self.or_pointer((path, bytes), found)?;
        give(channel, found)
    }

    /// Fetches what was delayed, all at once, and hands it out as Git asks for it; returns the first
    /// request that is none of these.
    pub(super) fn hand_out<R: Read, W: Write>(
        &mut self,
        channel: &mut Channel<R, W>,
        job: &Job,
    ) -> Result<Option<Request>, OpError> {
        let delayed = std::mem::take(&mut self.delayed);
        let paths: Vec<Vec<u8>> = delayed.keys().cloned().collect();
        if paths.is_empty() {
            channel.answer_paths(&[])?;
            return channel.request().map_err(OpError::from);
        }
        let opened = Repo::open(self.environment, &[]).map_err(OpError::from);
        let opened = opened.and_then(|repo| wait_for_index(&repo).map(|()| repo));
        let mut failures: BTreeMap<Vec<u8>, OpError> = match &opened {
            Ok(repo) => bring_delayed(repo, &delayed, job).into_iter().collect(),
            Err(_) => BTreeMap::new(),
        };
        job.check()?;
        channel.answer_paths(&paths)?;
        let reader = opened
            .as_ref()
            .map_err(again)
            .and_then(|repo| Ok((repo, ObjectReader::new(repo.layout(), repo.index()?)?)));
        let mut reader = reader;
        loop {
            let request = channel.request()?;
            let asked = request.as_ref().filter(|r| matches!(r.wish, Wish::Smudge { .. }));
            let Some((path, bytes)) = asked.and_then(|r| delayed.get_key_value(&r.path)) else {
                if let Ok((repo, reader)) = reader {
                    drop(reader);
                    retain(repo, After::Checkout, job);
                }
                return Ok(request);
            };
            let found = match (&mut reader, failures.remove(path)) {
                (_, Some(failure)) => Err(failure),
                (Ok((repo, reader)), None) => match Pointer::parse(bytes) {
                    Ok(pointer) => prove(repo, (path, &pointer), reader, job),
                    Err(_) => Ok(Proved::Bytes(bytes.clone())),
                },
                (Err(failure), None) => Err(again(failure)),
            };
            let found = self.or_pointer((path, bytes.clone()), found)?;
            give(channel, found)?;
        }
    }

    /// Warns once of what holds pointers.
    pub(super) fn tell(&self, job: &Job) {
        let Some((path, bytes, error)) = &self.first else { return };
        let who = self.who(path, bytes).unwrap_or_default();
        let hint = error.hint().filter(|hint| !hint.is_empty());
        let hint = hint.map_or_else(String::new, |hint| format!("{hint}; "));
        let files = if self.left == 1 {
            format!("`{}` holds its pointer", show(path))
        } else {
            format!("`{}` and {} more files hold their pointers", show(path), self.left - 1)
        };
        job.warn(&format!("{files} in place of content: {error}{who}; {hint}then run `haul pull`"));
    }

    /// Names the commit that has the pointer, and who made it.
    fn who(&self, path: &[u8], bytes: &[u8]) -> Option<String> {
        let repo = Repo::open(self.environment, &[]).ok()?;
        let commit = repo.git().newest_with(path, bytes).ok()??;
        let note = repo.git().notes_of(&[commit]).ok()?.pop()?;
        let commit = commit.to_string();
        let author = show(note.author.as_bytes()).to_string();
        Some(format!("; commit {} of {author} names it", commit.get(..DIGITS).unwrap_or_default()))
    }

    /// Leaves the pointer where content is not to be had: Git's command must go on.
    fn or_pointer(
        &mut self,
        (path, bytes): (&[u8], Vec<u8>),
        found: Result<Proved, OpError>,
    ) -> Result<Proved, OpError> {
        match found {
            Ok(found) => Ok(found),
            Err(error @ OpError::Channel(_)) => Err(error),
            Err(error) if error.exit() == Exit::Interrupted => Err(error),
            Err(error) => {
                self.left += 1;
                self.first.get_or_insert_with(|| (path.to_vec(), bytes.clone(), error));
                Ok(Proved::Bytes(bytes))
            }
        }
    }
}

fn give<R: Read, W: Write>(channel: &mut Channel<R, W>, proved: Proved) -> Result<(), OpError> {
    let given = match proved {
        Proved::Bytes(bytes) => channel.answer_with(bytes.as_slice())?,
        Proved::File(file, _folder) => channel.answer_with(file)?,
    };
    given.map_err(unread)
}

fn wanted(path: &[u8], pointer: &Pointer) -> Wanted {
    Wanted { path: path.to_vec(), root: Root::of(pointer), filter: Filter::All }
}

/// Opens the index. Git waits as long, and holds its own meanwhile.
fn wait_for_index(repo: &Repo) -> Result<(), OpError> {
    if repo.index_within(PATIENCE)? {
        return Ok(());
    }
    Err(OpError::refused("another haul is at work in this repository", "wait for it to end"))
}

/// The same failure for one more file.
fn again(error: &OpError) -> OpError {
    OpError::refused(error.to_string(), error.hint().unwrap_or_default())
}

/// Brings what was delayed; returns what is not to be had.
fn bring_delayed(
    repo: &Repo,
    delayed: &BTreeMap<Vec<u8>, Vec<u8>>,
    job: &Job,
) -> Vec<(Vec<u8>, OpError)> {
    let wanted = delayed.iter().filter_map(|(path, bytes)| {
        Pointer::parse(bytes).ok().map(|pointer| wanted(path, &pointer))
    });
    bring(repo, wanted.collect(), job)
}

/// Brings the content of files; returns those of which it is not to be had. What nobody has is told from
/// the rest at once; where one of many is damaged, it is looked for in halves, so that it costs the
/// others nothing.
fn bring(repo: &Repo, wanted: Vec<Wanted>, job: &Job) -> Vec<(Vec<u8>, OpError)> {
    let mut failures = Vec::new();
    let mut pending = vec![wanted];
    let mut parted = false;
    while let Some(mut some) = pending.pop() {
        let brought = match bring_content(repo, some.clone(), job) {
            Err(e) if e.exit() == Exit::Damaged && some.len() > 1 && !parted => {
                parted = true;
                part(repo, some.clone(), job).map(|(known, absent)| {
                    failures.extend(absent);
                    pending.extend(Some(known).filter(|known| !known.is_empty()));
                })
            }
            other => other,
        };
        match brought {
            Ok(()) => {}
            Err(e) if e.exit() == Exit::Damaged && some.len() > 1 => {
                pending.push(some.split_off(some.len() / 2));
                pending.push(some);
            }
            Err(e) => {
                // Of several it is the same reason for each, which is said once.
                failures.extend(some.into_iter().map(|wanted| (wanted.path, again(&e))));
            }
        }
    }
    failures
}

/// Makes the content of a pointer from what is on this machine, and proves it before any of it is given.
fn prove(
    repo: &Repo,
    (path, pointer): (&[u8], &Pointer),
    reader: &mut ObjectReader,
    job: &Job,
) -> Result<Proved, OpError> {
    let failed = |source: PlaceError| OpError::Place { path: path.to_vec(), source };
    let Some((_, content)) = file_content(pointer.kind()) else {
        return Err(OpError::Defect("a pointer of a folder was delayed".to_owned()));
    };
    let kind = EntryKind::File;
    let target = Target { path: RepoPath::new(path)?, kind, content };
    let (oid, size) = (target.oid(), target.content.size());
    let recipe = match &target.content {
        Content::Inline(bytes) => Recipe::Bytes(bytes.clone()),
        Content::Chunk { oid, .. } => Recipe::Chunk((*oid).into()),
        Content::Tree { root, .. } => match chunks(&target, reader)? {
            Some(chunks) => Recipe::Chunks(chunks),
            None => return Err(failed(PlaceError::Absent(crate::hash::ChunkId(root.0)))),
        },
    };
    if size >= LARGE {
        // What is made of little may be more than the disk holds.
        let free = repo.door().root().free_bytes()?;
        if size > free {
            let what = format!("it has {}, and {} are free", ByteSize(size), ByteSize(free));
            return Err(OpError::refused(what, "free some disk space"));
        }
        let scratch = Scratch::new_in(&repo.layout().temp())?;
        let dir = Dir::open(scratch.path())?;
        let whole = Whole { oid, size, executable: false };
        let file = crate::worktree::Wanted { recipe: &recipe, whole, former: None, sharing: None };
        let task = job.begin(Kind::Place, Some(size));
        place_file(reader, (&dir, NAME, &|_| true), &file, &task, job).map_err(failed)?;
        let (file, _) = dir.open_file(NAME)?;
        return Ok(Proved::File(file, scratch));
    }
    let mut bytes = Vec::new();
    let ids = match recipe {
        Recipe::Bytes(inline) => {
            bytes = inline;
            Vec::new()
        }
        Recipe::Chunk(id) => vec![id],
        Recipe::Chunks(chunks) => chunks.iter().map(|chunk| chunk.id).collect(),
    };
    for id in ids {
        let chunk = reader.chunk(id)?.ok_or_else(|| failed(PlaceError::Absent(id)))?;
        bytes.extend_from_slice(chunk);
    }
    let (expected, actual) = (size, bytes.len() as u64);
    if actual != expected {
        return Err(failed(PlaceError::WrongSize { expected, actual }));
    }
    let (expected, actual) = (oid, Oid::of(&bytes));
    if actual != expected {
        return Err(failed(PlaceError::Wrong { expected, actual }));
    }
    Ok(Proved::Bytes(bytes))
}
