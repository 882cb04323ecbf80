//! Taking fetched frames in: decoded, every wanted object checked against its id, then kept in the
//! cache at the frame's own offset.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use crate::cache::{Held, Index, Layout, PackState, Place};
use crate::fs::SparseFile;
use crate::hash::{ChunkId, NodeId, PackId, PackKind};
use crate::pack::{Codecs, decode_frame};
use crate::transfer::error::TransferError;
use crate::transfer::ranges::Range;

/// Objects that wait to be recorded in the index before it is written.
const RECORD_AT: usize = 64 << 10;

/// An object that is wanted from a frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Object {
    pub(super) id: [u8; 32],
    pub(super) skip: u32,
    /// Length in bytes; 0 for a node, whose own header says it.
    pub(super) len: u32,
    /// Which of the wanted pointers it serves, for messages.
    pub(super) wanted: usize,
}

/// Wanted objects by the pack and offset of their frame.
pub(super) type Orders = HashMap<(PackId, u32), Vec<Object>>;

/// What was wrong with a frame, and with which object.
#[derive(Debug)]
pub(super) struct Flaw {
    pub(super) object: Object,
    pub(super) pack: PackId,
    pub(super) why: String,
}

/// Keeps fetched frames; lasts for one wave.
pub(super) struct Landing<'a> {
    layout: &'a Layout,
    index: &'a Index,
    kind: PackKind,
    codecs: Mutex<Vec<Codecs>>,
    file: Option<(PackId, SparseFile)>,
    packs: HashMap<PackId, PackState>,
    objects: Vec<([u8; 32], Place)>,
}

impl<'a> Landing<'a> {
    pub(super) fn new(layout: &'a Layout, index: &'a Index, kind: PackKind) -> Self {
        let (packs, objects) = (HashMap::new(), Vec::new());
        Self { layout, index, kind, codecs: Mutex::default(), file: None, packs, objects }
    }

    /// Checks and keeps the frames of one range; nodes come back decoded, data as nothing.
    ///
    /// A frame that is not what it should be is not kept; its flaw is returned instead.
    pub(super) fn land(
        &mut self,
        range: &Range,
        bytes: &[u8],
        orders: &Orders,
    ) -> Result<Vec<Result<Vec<u8>, Flaw>>, TransferError> {
        let checked: Vec<(usize, Result<Vec<u8>, Flaw>)> = range
            .frames
            .par_iter()
            .enumerate()
            .map(|(i, span)| {
                let at = (span.offset - range.from) as usize;
                let frame = bytes.get(at..at + span.len as usize).unwrap_or_default();
                let none = Vec::new();
                let wants = orders.get(&(range.pack, span.offset)).unwrap_or(&none);
                (i, self.check(range.pack, frame, wants))
            })
            .collect();
        self.keep_sound(range, bytes, checked.iter().filter(|(_, r)| r.is_ok()).map(|(i, _)| *i))?;
        let mut out = Vec::with_capacity(checked.len());
        for (i, result) in checked {
            let Some(span) = range.frames.get(i) else { continue };
            if result.is_ok() {
                for object in orders.get(&(range.pack, span.offset)).into_iter().flatten() {
                    let (pack, offset, frame_len) = (range.pack, span.offset, span.len);
                    let (skip, len) = (object.skip, object.len);
                    self.objects.push((object.id, Place { pack, offset, frame_len, skip, len }));
                }
            }
            out.push(result);
        }
        if self.objects.len() >= RECORD_AT {
            self.record()?;
        }
        Ok(out)
    }

    fn check(&self, pack: PackId, bytes: &[u8], wants: &[Object]) -> Result<Vec<u8>, Flaw> {
        let spare = self.codecs.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut codecs = spare.unwrap_or_default();
        let decoded = decode_frame(&mut codecs, self.kind, bytes);
        self.codecs.lock().unwrap_or_else(PoisonError::into_inner).push(codecs);
        let flaw = |object: &Object, why: String| Flaw { object: *object, pack, why };
        let first =
            wants.first().copied().unwrap_or(Object { id: [0; 32], skip: 0, len: 0, wanted: 0 });
        let frame = decoded.map_err(|e| flaw(&first, e.to_string()))?;
        for object in wants {
            let checked = match self.kind {
                PackKind::Data => {
                    frame.chunk(object.skip, object.len, ChunkId(object.id)).map(drop)
                }
                PackKind::Nodes => frame.node(NodeId(object.id)).map(drop),
            };
            checked.map_err(|e| flaw(object, e.to_string()))?;
        }
        Ok(match self.kind {
            PackKind::Nodes => frame.raw,
            // Let go at once: data that compresses well is many times the range that it came in.
            PackKind::Data => Vec::new(),
        })
    }

    /// Writes the frames of these numbers; those that lie side by side as one.
    fn keep_sound(
        &mut self,
        range: &Range,
        bytes: &[u8],
        sound: impl Iterator<Item = usize>,
    ) -> Result<(), TransferError> {
        let mut stretch = range.from..range.from;
        for span in sound.filter_map(|i| range.frames.get(i)) {
            if stretch.end != span.offset {
                self.keep(range, bytes, &stretch)?;
                stretch.start = span.offset;
            }
            stretch.end = span.offset.saturating_add(span.len);
        }
        self.keep(range, bytes, &stretch)
    }

    /// Writes a stretch of a pack, given where it lies in the pack, out of the bytes of a range.
    fn keep(
        &mut self,
        Range { pack, from, .. }: &Range,
        bytes: &[u8],
        stretch: &std::ops::Range<u32>,
    ) -> Result<(), TransferError> {
        if stretch.is_empty() {
            return Ok(());
        }
        let (pack, offset) = (*pack, stretch.start);
        let at = (stretch.start - from) as usize..(stretch.end - from) as usize;
        let frames = bytes.get(at).unwrap_or_default();
        if self.file.as_ref().is_none_or(|(open, _)| *open != pack) {
            self.file = Some((pack, SparseFile::open(&self.layout.part(pack))?));
        }
        if let Some((_, file)) = &self.file {
            file.write_at(offset.into(), frames)?;
        }
        let state = PackState { held: Held::Part, kind: self.kind.byte(), size: 0 };
        self.packs.insert(pack, state);
        Ok(())
    }

    /// Makes everything kept so far known to the index.
    pub(super) fn record(&mut self) -> Result<(), TransferError> {
        if self.objects.is_empty() {
            return Ok(());
        }
        let packs: Vec<_> = self.packs.drain().collect();
        self.index.record(&packs, &mut self.objects)?;
        self.objects.clear();
        Ok(())
    }
}
