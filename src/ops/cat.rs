//! `haul cat`: the bytes of a file at a revision, of which only the chunks that are needed are fetched.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::ops::Range;

use crate::cache::ObjectReader;
use crate::fs::Lock;
use crate::hash::{ChunkId, Oid};
use crate::manifest::{Content, EntryKind, FileEntry};
use crate::node::{Cursor, Scope};
use crate::ops::at::{At, Inside};
use crate::ops::checkout::{file_content, tree_error};
use crate::ops::error::OpError;
use crate::ops::retain::{After, retain};
use crate::ops::select::Select;
use crate::ops::supply::Supply;
use crate::ops::trees::{Source, look_into};
use crate::path::show;
use crate::progress::Job;
use crate::recipe::Chunks;
use crate::repo::Repo;
use crate::transfer::{Filter, Root, Wanted, bring_trees, fetch_data, is_local, plan_fetch};
use crate::worktree::PlaceError;

/// Bytes that are fetched before the first of them is handed out.
const WINDOW: u64 = 32 << 20;

/// What to read.
#[derive(Clone, Debug, Default)]
pub struct CatOptions {
    /// `[REV:]PATH` of a tracked file, or of one inside a tracked folder.
    pub word: OsString,
    /// The first byte, and the one behind the last; the end of the file if absent.
    pub range: Option<(u64, Option<u64>)>,
    /// Where absent content comes from.
    pub source: Source,
}

/// A file that is being read.
pub struct Cat<'r> {
    repo: &'r Repo,
    source: Source,
    supply: Option<Supply<'r>>,
    reader: ObjectReader<'r>,
    inside: Inside,
    select: Select,
    content: Content,
    /// What is still to be handed out.
    left: Range<u64>,
    /// Pieces that are here: a chunk, and which bytes of it.
    ready: VecDeque<(ChunkId, Range<usize>)>,
    /// Where the whole file is read, its hash so far.
    hasher: Option<blake3::Hasher>,
    _working: Lock,
}

impl<'r> Cat<'r> {
    /// Finds the file. Fetches nodes at most.
    pub fn open(repo: &'r Repo, options: &CatOptions, job: &Job) -> Result<Self, OpError> {
        let at = At::parse(repo, &options.word)?;
        let inside = at.find_one(repo)?;
        let working = repo.lock_for_work()?;
        let content = content(repo, &at, &inside, (&options.source, job))?;
        let size = content.size();
        let (from, to) = options.range.unwrap_or((0, None));
        let left = from.min(size)..to.unwrap_or(size).min(size);
        let whole = left == (0..size);
        Ok(Self {
            repo,
            source: options.source.clone(),
            supply: None,
            reader: ObjectReader::new(repo.layout(), repo.index()?)?,
            select: Select { rev: at.rev.clone(), ..Select::default() },
            inside,
            content,
            left,
            ready: VecDeque::new(),
            hasher: whole.then(blake3::Hasher::new),
            _working: working,
        })
    }

    /// Hands out the next bytes, each checked against the id of its chunk; nothing at the end. That
    /// the chunks of a whole file make up the file that the pointer names shows at the end only.
    pub fn next_bytes(&mut self, job: &Job) -> Result<Option<Vec<u8>>, OpError> {
        let bytes = self.piece(job).map_err(|e| e.with_commit(self.repo, &self.select))?;
        match (&bytes, &mut self.hasher) {
            (Some(bytes), Some(hasher)) => drop(hasher.update(bytes)),
            (None, Some(hasher)) => {
                let (expected, actual) = (self.content.oid(), Oid(*hasher.finalize().as_bytes()));
                if actual != expected {
                    return Err(self.failed(PlaceError::Wrong { expected, actual }));
                }
            }
            (_, None) => {}
        }
        if bytes.is_none() && self.supply.is_some() {
            retain(self.repo, After::Fetch, job);
        }
        Ok(bytes)
    }

    fn failed(&self, source: PlaceError) -> OpError {
        let top = self.inside.chosen.path.as_bytes();
        let path = match self.inside.rest.as_slice() {
            [] => top.to_vec(),
            rest => [top, b"/", rest].concat(),
        };
        OpError::Place { path, source }
    }

    fn piece(&mut self, job: &Job) -> Result<Option<Vec<u8>>, OpError> {
        loop {
            job.check()?;
            if let Some((id, range)) = self.ready.pop_front() {
                let found = self.reader.chunk(id)?;
                let bytes = found.and_then(|bytes| bytes.get(range)).map(<[u8]>::to_vec);
                let bytes = bytes.ok_or_else(|| self.failed(PlaceError::Absent(id)))?;
                return Ok(Some(bytes));
            }
            if self.left.is_empty() {
                return Ok(None);
            }
            let window = self.left.start..self.left.end.min(self.left.start.saturating_add(WINDOW));
            self.left.start = window.end;
            if let Content::Inline(bytes) = &self.content {
                let range = number(window.start)..number(window.end);
                return Ok(bytes.get(range).map(<[u8]>::to_vec));
            }
            self.bring(&window, job)?;
            self.line_up(&window)?;
        }
    }

    /// Fetches what is not here of the chunks that hold these bytes.
    fn bring(&mut self, window: &Range<u64>, job: &Job) -> Result<(), OpError> {
        let filter = Filter::Span { path: self.inside.rest.clone(), bytes: window.clone() };
        let wanted = vec![Wanted { filter, ..self.inside.chosen.wanted() }];
        if is_local(&wanted, &mut self.reader, job)?.is_none() {
            let supply = match self.supply.take() {
                Some(supply) => supply,
                None => Supply::of(self.repo, &self.source)?,
            };
            self.supply.insert(supply).serve(&[], job, |contact| {
                let plan = plan_fetch(wanted.clone(), contact, job)?;
                Ok(fetch_data(&plan, contact, job)?)
            })?;
        }
        self.reader = self.reader.another()?;
        Ok(())
    }

    /// Lists the pieces of chunks that these bytes are made of.
    fn line_up(&mut self, window: &Range<u64>) -> Result<(), OpError> {
        let mut put = |id: ChunkId, chunk: Range<u64>| {
            let from = window.start.max(chunk.start) - chunk.start;
            let to = window.end.min(chunk.end).saturating_sub(chunk.start);
            self.ready.push_back((id, number(from)..number(to)));
        };
        match &self.content {
            Content::Inline(_) => {}
            Content::Chunk { oid, size } => put((*oid).into(), 0..*size),
            Content::Tree { root, size, .. } => {
                let reader = &mut self.reader;
                let source = |id| reader.node_bytes(id);
                for chunk in Chunks::range(*root, *size, window.clone(), source) {
                    let chunk = chunk.map_err(|e| tree_error(&self.inside.chosen.path, e))?;
                    let end = chunk.offset.saturating_add(chunk.entry.size);
                    put(chunk.entry.id, chunk.offset..end);
                }
            }
        }
        Ok(())
    }
}

fn number(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

/// Finds what the file is; nodes on the way to it are fetched.
fn content(
    repo: &Repo,
    at: &At,
    inside: &Inside,
    (source, job): (&Source, &Job),
) -> Result<Content, OpError> {
    let path = &inside.chosen.path;
    if let Some((_, content)) = file_content(inside.chosen.pointer.kind()) {
        return if inside.rest.is_empty() { Ok(content) } else { Err(at.nothing_there()) };
    }
    let folder = || {
        OpError::refused(
            format!("`{}` is a folder", show(at.word.as_encoded_bytes())),
            "name a file in it; `haul ls` lists them, and `haul export` writes them all",
        )
    };
    let Root::Tree { id, expectation } = Root::of(&inside.chosen.pointer) else {
        return Err(at.nothing_there());
    };
    if inside.rest.is_empty() {
        return Err(folder());
    }
    let filter = Filter::names_below(&inside.rest);
    let wanted = [Wanted { filter, ..inside.chosen.wanted() }];
    let (found, _) = look_into(
        repo,
        source,
        |reader, contact| {
            bring_trees(&wanted, reader, contact, job)?;
            let mut reader = reader.another()?;
            let mut cursor = Cursor::<FileEntry, _>::new(
                id,
                expectation.clone(),
                Scope::Under(inside.rest.clone()),
                |id| reader.node_bytes(id),
            );
            cursor.next().transpose().map_err(|e| tree_error(path, e))
        },
        job,
    )?;
    match found {
        None => Err(at.nothing_there()),
        Some(entry) if entry.path != inside.rest || entry.kind == EntryKind::EmptyDir => {
            Err(folder())
        }
        Some(entry) => Ok(entry.content),
    }
}
