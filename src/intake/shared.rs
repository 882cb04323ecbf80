//! What all workers of one intake share: known chunks, codecs, and the queue to the pack writer.

use std::fs::File;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Mutex, PoisonError};

use crate::fs::{Dir, PageBuffer, Time};
use crate::hash::ChunkId;
use crate::intake::SMALL;
use crate::intake::claims::Claims;
use crate::intake::deltas::Deltas;
use crate::intake::error::IntakeError;
use crate::intake::small::split;
use crate::intake::spares::Spares;
use crate::pack::{Bases, Codecs, EncodedFrame, encode_data_frame};
use crate::progress::{Job, Task};

/// Buffers for frames that a set of codecs is lent with.
const LENT: usize = 16;

pub(super) struct Shared<'a> {
    pub(super) root: &'a Dir,
    pub(super) job: &'a Job<'a>,
    pub(super) task: &'a Task<'a>,
    /// The file system's clock when the intake began.
    pub(super) began: Time,
    /// Bytes of chunks that were not known before.
    pub(super) new_bytes: AtomicU64,
    claims: &'a Claims<'a>,
    codecs: Mutex<Vec<Codecs>>,
    buffers: Mutex<Vec<PageBuffer>>,
    frames: SyncSender<Vec<EncodedFrame>>,
    spares: &'a Spares,
    pub(super) deltas: Deltas<'a>,
}

impl<'a> Shared<'a> {
    pub(super) fn new(
        root: &'a Dir,
        (job, task): (&'a Job<'a>, &'a Task<'a>),
        claims: &'a Claims<'a>,
        (frames, spares): (SyncSender<Vec<EncodedFrame>>, &'a Spares),
        (began, deltas): (Time, Deltas<'a>),
    ) -> Self {
        let new_bytes = AtomicU64::new(0);
        let (codecs, buffers) = (Mutex::default(), Mutex::default());
        Self { root, job, task, began, new_bytes, claims, codecs, buffers, frames, spares, deltas }
    }

    /// Says whether the caller is the first to meet this chunk and so has to store it.
    pub(super) fn claim(&self, id: ChunkId, len: usize) -> bool {
        if !self.claims.claim(id) {
            return false;
        }
        self.new_bytes.fetch_add(len as u64, Ordering::Relaxed);
        self.task.meet_new(len as u64);
        true
    }

    /// Returns what a chunk is stored as a delta to, if it is.
    pub(super) fn bases_of(&self, id: ChunkId) -> Option<Bases> {
        self.claims.view().bases(id).or_else(|| self.deltas.made(id))
    }

    /// Returns the length of a chunk that was stored before this intake, or served it as a base.
    pub(super) fn len_of(&self, id: ChunkId) -> Option<u64> {
        let stored = self.claims.view().find(&id.0).map(|place| place.len.into());
        stored.or_else(|| self.deltas.origin(id).map(|(_, len, _)| len))
    }

    /// Opens a file of the worktree; nothing if that cannot be.
    pub(super) fn open(&self, path: &[u8]) -> Option<File> {
        let (parent, name) = split(path);
        let folder = self.root.descend(parent).ok()?;
        folder.open_file(name).ok().map(|(file, _)| file)
    }

    /// Says whether a chunk is stored whole: it may be part of a base.
    pub(super) fn is_whole(&self, id: ChunkId) -> bool {
        match self.claims.find(id) {
            Some(place) => !place.delta,
            // What served as a base is whole.
            None => self.deltas.made_whole(id) || self.deltas.origin(id).is_some(),
        }
    }

    /// As [`Self::is_whole`], of a chunk of a file that this intake has taken in to its end: nobody is
    /// about to store it any more.
    pub(super) fn is_whole_of_finished(&self, id: ChunkId) -> bool {
        match self.claims.find(id) {
            Some(place) => !place.delta,
            None => !self.claims.is_elsewhere(id) && self.deltas.made(id).is_none(),
        }
    }

    /// Lends a set of codecs, which are dear to make.
    pub(super) fn with_codecs<R>(&self, work: impl FnOnce(&mut Codecs) -> R) -> R {
        let spare = self.codecs.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut codecs = spare.unwrap_or_default();
        codecs.reuse(self.spares.take(LENT.saturating_sub(codecs.spares())));
        let result = work(&mut codecs);
        self.codecs.lock().unwrap_or_else(PoisonError::into_inner).push(codecs);
        result
    }

    /// Lends memory to read into.
    pub(super) fn buffer(&self) -> PageBuffer {
        let spare = self.buffers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        spare.unwrap_or_default()
    }

    /// Takes memory back, unless it is that of a file which has grown since it was listed.
    pub(super) fn give_back(&self, buffer: PageBuffer) {
        if buffer.capacity() as u64 > 2 * SMALL {
            return;
        }
        self.buffers.lock().unwrap_or_else(PoisonError::into_inner).push(buffer);
    }

    /// Makes the frame of a single chunk.
    pub(super) fn frame(
        codecs: &mut Codecs,
        id: ChunkId,
        bytes: &[u8],
    ) -> Result<EncodedFrame, IntakeError> {
        encode_data_frame(codecs, &[(id, bytes)]).map_err(|e| IntakeError::Defect(e.to_string()))
    }

    /// Hands frames to the pack writer; waits while its queue is full.
    pub(super) fn send(&self, frames: Vec<EncodedFrame>) -> Result<(), IntakeError> {
        if frames.is_empty() {
            return Ok(());
        }
        // The writer's own error, which `take` reports, says why it is gone.
        self.frames.send(frames).map_err(|_| IntakeError::Defect("the pack writer ended".into()))
    }
}
