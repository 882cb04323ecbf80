//! Writing new packs into `unpushed/`: a pack at a time, made durable in the background.

use std::thread::JoinHandle;

use crate::cache::error::CacheError;
use crate::cache::index::Index;
use crate::cache::layout::Layout;
use crate::cache::place::{Held, PackState, Place};
use crate::fs::nonce::nonce;
use crate::fs::{FsError, Temp};
use crate::hash::{PackId, PackKind};
use crate::pack::{EncodedFrame, FramePlace, ObjectPlace, PackSummary, PackWriter};

/// A pack that lies durably in `unpushed/`.
pub type WrittenPack = PackSummary;

/// Takes frames and turns them into packs; what it has written counts only after [`Self::finish`].
pub struct PackSink {
    layout: Layout,
    kind: PackKind,
    current: Option<PackWriter<Buffered>>,
    done: Vec<WrittenPack>,
    /// Packs that were handed out before those.
    handed: usize,
    publishing: Option<JoinHandle<Result<(), FsError>>>,
}

type Buffered = std::io::BufWriter<Temp>;
/// Bytes gathered before a write reaches the file. A chunk that does not compress is longer, and so
/// goes to the file without another copy.
const BUFFER: usize = 32 << 10;

impl PackSink {
    /// Starts with no pack.
    pub fn new(layout: &Layout, kind: PackKind) -> Self {
        let (layout, done) = (layout.clone(), Vec::new());
        Self { layout, kind, current: None, done, handed: 0, publishing: None }
    }

    /// Returns the number of the pack that the next frame goes to if it fits: 0, 1, …
    pub fn pack_number(&self) -> usize {
        self.handed + self.done.len()
    }

    /// Returns the name of a pack by its number, once that pack is closed and until it is handed out.
    pub fn name_of(&self, number: usize) -> Option<PackId> {
        self.done.get(number.checked_sub(self.handed)?).map(|pack| pack.id)
    }

    /// Says whether the frame fits into the open pack.
    pub fn room_for(&self, frame: &EncodedFrame) -> bool {
        self.current.as_ref().is_none_or(|pack| pack.room_for(frame))
    }

    /// Writes a frame, into a new pack if it does not fit; returns where in the pack it lies.
    pub fn push(&mut self, frame: &EncodedFrame) -> Result<FramePlace, CacheError> {
        if !self.room_for(frame) {
            self.close()?;
        }
        if self.current.is_none() {
            self.current = Some(self.start()?);
        }
        match &mut self.current {
            Some(pack) => pack.push(frame).map_err(|e| self.refused(e)),
            None => Err(CacheError::Pack { why: "no pack is open".to_owned() }),
        }
    }

    fn start(&self) -> Result<PackWriter<Buffered>, CacheError> {
        let nonce =
            nonce().map_err(|e| CacheError::Pack { why: format!("no random bytes: {e}") })?;
        let temp = Temp::new_in(&self.layout.temp())?;
        PackWriter::new(Buffered::with_capacity(BUFFER, temp), self.kind, nonce)
            .map_err(|e| self.refused(e))
    }

    fn refused(&self, source: std::io::Error) -> CacheError {
        CacheError::Fs(FsError { doing: "write a pack in", path: self.layout.temp(), source })
    }

    /// Closes the open pack, if any; its name is known afterwards.
    pub fn close(&mut self) -> Result<(), CacheError> {
        let Some(pack) = self.current.take() else { return Ok(()) };
        let (summary, buffered) = pack.finish().map_err(|e| self.refused(e))?;
        let temp = buffered.into_inner().map_err(|e| self.refused(e.into_error()))?;
        self.wait()?;
        let target = self.layout.unpushed(summary.id);
        self.publishing = Some(std::thread::spawn(move || temp.publish(&target)));
        self.done.push(summary);
        Ok(())
    }

    /// Hands out the packs that are durable by now.
    pub fn take_durable(&mut self) -> Vec<WrittenPack> {
        let publishing = usize::from(self.publishing.is_some());
        let durable = self.done.len().saturating_sub(publishing);
        self.handed += durable;
        self.done.drain(..durable).collect()
    }

    fn wait(&mut self) -> Result<(), CacheError> {
        let Some(thread) = self.publishing.take() else { return Ok(()) };
        let result = thread.join();
        result
            .map_err(|_| CacheError::Pack { why: "the thread that syncs packs died".into() })??;
        Ok(())
    }

    /// Closes the last pack and waits until all are durable; returns those that were not handed out.
    pub fn finish(mut self) -> Result<Vec<WrittenPack>, CacheError> {
        self.close()?;
        self.wait()?;
        Ok(std::mem::take(&mut self.done))
    }

    /// Returns the objects of the open pack, to look up what a frame placed.
    pub fn open_objects(&self) -> &[ObjectPlace] {
        self.current.as_ref().map_or(&[], PackWriter::objects)
    }
}

/// Lists the objects of freshly written packs, each with its place.
pub fn places_of(packs: &[WrittenPack]) -> impl Iterator<Item = ([u8; 32], Place)> + '_ {
    packs.iter().flat_map(|pack| {
        pack.objects.iter().map(|o| {
            let (offset, frame_len) = (o.offset, o.frame_len);
            let (skip, len, delta) = (o.skip, o.len, o.has_base);
            (o.id, Place { pack: pack.id, offset, frame_len, skip, len, delta })
        })
    })
}

/// Makes the index know freshly written packs, which must be kept until a remote has them.
pub fn record_written(index: &Index, packs: &[WrittenPack]) -> Result<(), CacheError> {
    let state = |pack: &WrittenPack| {
        let size = u32::try_from(pack.size).unwrap_or(0);
        (pack.id, PackState { held: Held::Unpushed, kind: pack.kind.byte(), size })
    };
    let states: Vec<_> = packs.iter().map(state).collect();
    let mut objects: Vec<_> = places_of(packs).collect();
    let deltas: Vec<_> = packs.iter().flat_map(|pack| pack.deltas.iter().cloned()).collect();
    index.record(&states, &mut objects, &deltas)
}
