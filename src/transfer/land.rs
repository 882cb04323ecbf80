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
use crate::transfer::ranges::{FrameSpan, Range};

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

/// What was wrong with an object.
#[derive(Clone, Debug)]
pub(super) struct Flaw {
    pub(super) object: Object,
    pub(super) pack: PackId,
    pub(super) why: String,
}

/// What became of one fetched frame.
pub(super) struct Landed {
    /// Its decoded bytes if it is sound and of nodes; data is let go, as data that compresses well
    /// is many times the range that it came in.
    pub(super) raw: Option<Vec<u8>>,
    /// Wanted objects that are not in it.
    pub(super) flaws: Vec<Flaw>,
    /// Whether anything that was wanted is.
    good: bool,
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

    /// Checks the frames of one range and keeps those that hold something wanted.
    pub(super) fn land(
        &mut self,
        range: &Range,
        bytes: &[u8],
        orders: &Orders,
    ) -> Result<Vec<Landed>, TransferError> {
        let frame_of = |span: &FrameSpan| {
            let at = (span.offset - range.from) as usize;
            bytes.get(at..at + span.len as usize).unwrap_or_default()
        };
        let wants_of = |span: &FrameSpan| {
            orders.get(&(range.pack, span.offset)).map_or(&[][..], Vec::as_slice)
        };
        let landed: Vec<Landed> = range
            .frames
            .par_iter()
            .map(|span| self.check(range.pack, frame_of(span), wants_of(span)))
            .collect();
        for (span, landed) in range.frames.iter().zip(&landed).filter(|(_, landed)| landed.good) {
            self.keep(range.pack, span.offset, frame_of(span))?;
            let flawed = |id: [u8; 32]| landed.flaws.iter().any(|flaw| flaw.object.id == id);
            for object in wants_of(span).iter().filter(|object| !flawed(object.id)) {
                let (pack, offset, frame_len) = (range.pack, span.offset, span.len);
                let (skip, len) = (object.skip, object.len);
                self.objects.push((object.id, Place { pack, offset, frame_len, skip, len }));
            }
        }
        if self.objects.len() >= RECORD_AT {
            self.record()?;
        }
        Ok(landed)
    }

    fn check(&self, pack: PackId, bytes: &[u8], wants: &[Object]) -> Landed {
        let spare = self.codecs.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut codecs = spare.unwrap_or_default();
        let decoded = decode_frame(&mut codecs, self.kind, bytes);
        self.codecs.lock().unwrap_or_else(PoisonError::into_inner).push(codecs);
        let flaw = |object: &Object, why: String| Flaw { object: *object, pack, why };
        let frame = match decoded {
            Ok(frame) => frame,
            Err(e) => {
                let flaws = wants.iter().map(|object| flaw(object, e.to_string())).collect();
                return Landed { raw: None, flaws, good: false };
            }
        };
        let mut flaws = Vec::new();
        for object in wants {
            let checked = match self.kind {
                PackKind::Data => {
                    frame.chunk(object.skip, object.len, ChunkId(object.id)).map(drop)
                }
                PackKind::Nodes => frame.node(NodeId(object.id)).map(drop),
            };
            flaws.extend(checked.err().map(|e| flaw(object, e.to_string())));
        }
        let good = flaws.len() < wants.len();
        let raw = (good && self.kind == PackKind::Nodes).then_some(frame.raw);
        Landed { raw, flaws, good }
    }

    fn keep(&mut self, pack: PackId, offset: u32, frame: &[u8]) -> Result<(), TransferError> {
        if self.file.as_ref().is_none_or(|(open, _)| *open != pack) {
            self.file = Some((pack, SparseFile::open(&self.layout.part(pack))?));
        }
        if let Some((_, file)) = &self.file {
            file.write_at(offset.into(), frame)?;
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
