//! Files that fit into memory: a worker reads, cuts, hashes and compresses a run of them.

use std::io::{self, ErrorKind};

use crate::chunk::cut;
use crate::fs::{Dir, IoResultExt, PageBuffer, Stamp, planted, read_up_to};
use crate::hash::{ChunkId, Oid};
use crate::intake::error::IntakeError;
use crate::intake::frames::{Fresh, OpenFormer, frames};
use crate::intake::shared::Shared;
use crate::intake::{FormerVersion, Inlining, Source, Stored, Taken};
use crate::pack::{Batcher, Codecs, EncodedFrame, needs_own_frame};
use crate::recipe::{ChunkEntry, Pairing};

/// How often a file that changes while it is read is read again.
pub(super) const TRIES: u32 = 3;
/// Chunks whose bases are in memory at a time.
const GROUP: usize = 8;
/// Longest content that a manifest entry holds itself.
pub(super) const INLINE: usize = 48;

/// Takes in a run of files in path order; frames of small chunks are shared among them.
pub(super) fn take_run(shared: &Shared, run: &[Source]) -> Result<Vec<Taken>, IntakeError> {
    shared.with_codecs(|codecs| {
        let mut worker =
            Worker { shared, codecs, batcher: Batcher::new(), frames: Vec::new(), folder: None };
        let mut out = Vec::with_capacity(run.len());
        let mut buffer = shared.buffer();
        for source in run {
            shared.job.check()?;
            let stamp = worker.read(source, &mut buffer)?;
            out.push(worker.take(source, buffer.bytes(), stamp)?);
            shared.task.advance(buffer.bytes().len() as u64);
        }
        shared.give_back(buffer);
        worker.finish()?;
        Ok(out)
    })
}

struct Worker<'w, 'a> {
    shared: &'w Shared<'a>,
    codecs: &'w mut Codecs,
    batcher: Batcher,
    frames: Vec<EncodedFrame>,
    folder: Option<(Vec<u8>, Dir)>,
}

impl Worker<'_, '_> {
    /// Reads a file, a whole one again if it changes meanwhile.
    fn read(&mut self, source: &Source, buffer: &mut PageBuffer) -> Result<Stamp, IntakeError> {
        let (parent, name) = split(&source.path);
        if self.folder.as_ref().is_none_or(|(path, _)| path != parent) {
            self.folder = Some((parent.to_vec(), self.shared.root.descend(parent)?));
        }
        let Some((_, folder)) = &self.folder else {
            return Err(IntakeError::Defect("no folder is open".into()));
        };
        let path = self.shared.root.path_of(&source.path);
        if let Some(at) = source.at {
            let (file, stamp) = folder.open_file(name)?;
            let bytes = buffer.room(0, usize::try_from(source.size).unwrap_or(0));
            let count = read_up_to(&file, at, bytes).at("read", &path)?;
            if count < bytes.len() {
                return Err(io::Error::from(ErrorKind::UnexpectedEof)).at("read", &path)?;
            }
            return Ok(Stamp { size: source.size, ..stamp });
        }
        for _ in 0..TRIES {
            let (file, before) = folder.open_file(name)?;
            // One byte more than expected shows that it grew; memory stays bounded if it runs away.
            let most = usize::try_from(before.size).unwrap_or(usize::MAX).saturating_add(1);
            let count = read_up_to(&file, 0, buffer.room(0, most)).at("read", &path)?;
            buffer.truncate(count);
            let after = Dir::stamp_of(&file, &path)?;
            let same = before == after && count as u64 == after.size;
            if same || planted::is("stamp-not-compared") {
                return Ok(after);
            }
        }
        Err(IntakeError::Changing { path, tries: TRIES })
    }

    fn take(&mut self, source: &Source, bytes: &[u8], stamp: Stamp) -> Result<Taken, IntakeError> {
        let settled = stamp.is_settled_at(self.shared.began);
        let inline = source.inlining == Inlining::Allowed && bytes.len() <= INLINE;
        if inline || bytes.is_empty() {
            let stored = Stored::Bytes(bytes.to_vec());
            return Ok(Taken { oid: Oid::of(bytes), stored, stamp, settled });
        }
        let size = bytes.len() as u64;
        let oid = Oid::of(bytes);
        let is_whole = source.whole == Some(oid);
        let lengths = if is_whole { Vec::new() } else { cut(source.profile, bytes) };
        if lengths.len() <= 1 {
            self.store(oid.into(), bytes)?;
            return Ok(Taken { oid, stored: Stored::Chunk { size }, stamp, settled });
        }
        let mut pieces = Vec::with_capacity(lengths.len());
        let mut rest = bytes;
        for len in lengths {
            let (chunk, tail) = rest.split_at_checked(len).unwrap_or((rest, &[]));
            rest = tail;
            pieces.push(chunk);
        }
        let entry = |chunk: &&[u8]| ChunkEntry { id: ChunkId::of(chunk), size: chunk.len() as u64 };
        let chunks: Vec<ChunkEntry> = pieces.iter().map(entry).collect();
        let former = match &source.former {
            Some(FormerVersion::Stored { root, size, profile, path }) => {
                OpenFormer::stored(self.shared, (*root, *size, *profile), path.as_deref())?
            }
            Some(FormerVersion::Source(_)) | None => None,
        };
        match former {
            Some(former) => self.store_paired(&former, &chunks, &pieces)?,
            None => {
                for (chunk, bytes) in chunks.iter().zip(&pieces) {
                    self.store(chunk.id, bytes)?;
                }
            }
        }
        let stored = Stored::Chunks { size, profile: source.profile, chunks };
        Ok(Taken { oid, stored, stamp, settled })
    }

    fn store(&mut self, id: ChunkId, bytes: &[u8]) -> Result<(), IntakeError> {
        if !self.shared.claim(id, bytes.len()) {
            return Ok(());
        }
        if needs_own_frame(bytes.len()) {
            self.frames.push(Shared::frame(self.codecs, id, bytes)?);
        } else if let Some(batch) = self.batcher.push(id, bytes) {
            let frame = batch.encode(self.codecs);
            self.frames.push(frame.map_err(|e| IntakeError::Defect(e.to_string()))?);
        }
        Ok(())
    }

    /// Stores the chunks of a file of which a former version is there to be compared with.
    fn store_paired(
        &mut self,
        former: &OpenFormer,
        chunks: &[ChunkEntry],
        pieces: &[&[u8]],
    ) -> Result<(), IntakeError> {
        let paired = Pairing::new(&former.chunks).pair(chunks);
        let mut fresh = Vec::new();
        for ((chunk, bytes), range) in chunks.iter().zip(pieces).zip(paired) {
            if !needs_own_frame(bytes.len()) {
                self.store(chunk.id, bytes)?;
            } else if self.shared.claim(chunk.id, bytes.len()) {
                fresh.push(Fresh { id: chunk.id, bytes, former: range });
            }
        }
        for group in fresh.chunks(GROUP) {
            self.frames.extend(frames(self.shared, self.codecs, Some(former), group)?);
        }
        Ok(())
    }

    fn finish(mut self) -> Result<(), IntakeError> {
        if let Some(batch) = self.batcher.finish() {
            let frame = batch.encode(self.codecs);
            self.frames.push(frame.map_err(|e| IntakeError::Defect(e.to_string()))?);
        }
        self.shared.send(self.frames)
    }
}

/// Splits a path into its folder (empty at the top) and its last name.
pub(super) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|b| *b == b'/') {
        Some(at) => path.split_at_checked(at).map_or((&[], path), |(parent, name)| {
            (parent, name.split_first().map_or(name, |(_, name)| name))
        }),
        None => (&[], path),
    }
}
