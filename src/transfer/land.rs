//! Taking fetched frames in: decoded, every wanted object checked against its id, then kept in the
//! cache at the frame's own offset.

use std::collections::{HashMap, HashSet};
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use rayon::prelude::*;

use crate::cache::{DeltaFault, Form, Held, Index, Layout, ObjectReader, PackState, Place};
use crate::fs::{FsError, IoResultExt, SparseFile};
use crate::hash::{ChunkId, NodeId, PackId, PackKind};
use crate::pack::{Bases, Codecs, Frame, FrameError, decode_frame};
use crate::transfer::behind::Behind;
use crate::transfer::error::TransferError;
use crate::transfer::ranges::{FrameSpan, Range};

/// Deltas that one worker checks at a time: neighbours share the chunks of their bases.
const SETTLE: usize = 32;
/// Objects that wait to be recorded in the index before it is written.
const RECORD_AT: usize = 65_536;
/// Bytes of frames that do: what is fetched again after a crash, besides what is on its way.
const RECORD_BYTES: usize = 64 << 20;

/// An object that is wanted from a frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Object {
    pub(super) id: [u8; 32],
    pub(super) skip: u32,
    /// Length in bytes; 0 for a node, whose own header says it.
    pub(super) len: u32,
    /// Which of the wanted pointers it serves, for messages.
    pub(super) wanted: usize,
    pub(super) part: Part,
}

/// What a frame is to the object that it is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// It holds the object.
    Whole,
    /// It holds the object as a delta: only with its base is there something to check.
    Delta,
    /// It holds a chunk of the object's base, whose id only the delta names.
    Base,
}

/// Wanted objects by the pack and offset of their frame.
pub(super) type Orders = HashMap<(PackId, u32), Vec<Object>>;

/// What was wrong with an object.
#[derive(Clone, Debug)]
pub(super) struct Flaw {
    pub(super) object: Object,
    pub(super) pack: PackId,
    pub(super) why: String,
    /// Which chunk of the object's base is at fault, by its number; then `pack` is not its pack.
    pub(super) base: Option<usize>,
}

/// What became of one fetched frame.
#[derive(Default)]
pub(super) struct Landed {
    /// Its decoded bytes if it is sound and of nodes; data is let go, as data that compresses well
    /// is many times the range that it came in.
    pub(super) raw: Option<Vec<u8>>,
    /// Wanted objects that are not in it.
    pub(super) flaws: Vec<Flaw>,
    /// Whether anything that was wanted is.
    good: bool,
    /// Whether nothing else is in it than what was wanted and is sound.
    proven: bool,
    /// Whether the frame that lies here already serves.
    here: bool,
    /// The chunk that it consists of, if it serves as a base.
    base: Option<(ChunkId, u32)>,
}

/// A delta, and a chunk that came for it as its base, with the place of that.
type Come = ([u8; 32], ([u8; 32], Place));

/// Keeps fetched frames; lasts for one wave.
pub(super) struct Landing<'a> {
    layout: &'a Layout,
    index: &'a Index,
    kind: PackKind,
    codecs: Mutex<Vec<Codecs>>,
    file: Option<(PackId, Arc<SparseFile>)>,
    /// Writes large pieces.
    behind: Behind,
    packs: HashMap<PackId, PackState>,
    objects: Vec<([u8; 32], Place)>,
    /// Bytes of ranges that landed since the index was written.
    unrecorded: usize,
    /// Deltas that are kept and not checked yet, each with its place.
    deltas: Vec<(Object, Place)>,
    /// What these name as their bases.
    named: HashSet<[u8; 32]>,
    /// Chunks that came as bases; they may be other chunks than those.
    bases: Vec<Come>,
    /// Whether the frames lie in the cache already.
    kept: bool,
}

impl<'a> Landing<'a> {
    pub(super) fn new(layout: &'a Layout, index: &'a Index, kind: PackKind) -> Self {
        Self {
            layout,
            index,
            kind,
            codecs: Mutex::default(),
            file: None,
            behind: Behind::default(),
            packs: HashMap::new(),
            objects: Vec::new(),
            unrecorded: 0,
            deltas: Vec::new(),
            named: HashSet::new(),
            bases: Vec::new(),
            kept: false,
        }
    }

    /// Takes in frames of data that lie in the cache already, put there by another clone.
    pub(super) fn of_cached(layout: &'a Layout, index: &'a Index) -> Self {
        Self { kept: true, ..Self::new(layout, index, PackKind::Data) }
    }

    /// Checks the frames of one range and keeps those that hold something wanted.
    pub(super) fn land(
        &mut self,
        range: &Range,
        bytes: &Bytes,
        orders: &Orders,
    ) -> Result<Vec<Landed>, TransferError> {
        let frame_of = |span: &FrameSpan| {
            let at = (span.offset - range.from) as usize;
            bytes.get(at..at + span.len as usize).unwrap_or_default()
        };
        let wants_of = |span: &FrameSpan| {
            orders.get(&(range.pack, span.offset)).map_or(&[][..], Vec::as_slice)
        };
        let mut landed: Vec<Landed> = range
            .frames
            .par_iter()
            .map(|span| self.check(range.pack, frame_of(span), wants_of(span)))
            .collect();
        for (span, landed) in range.frames.iter().zip(&mut landed) {
            let wants = wants_of(span);
            if landed.good && !landed.proven {
                self.prefer_here((range.pack, span), (frame_of(span), wants), landed)?;
            }
        }
        let good = || range.frames.iter().zip(&landed).filter(|(_, landed)| landed.good);
        self.keep_sound(range, bytes, good().filter(|(_, l)| !l.here).map(|(span, _)| span))?;
        if good().next().is_some() {
            let state = PackState { held: Held::Part, kind: self.kind.byte(), size: 0 };
            self.packs.insert(range.pack, state);
        }
        for (span, landed) in good() {
            let (pack, offset, frame_len) = (range.pack, span.offset, span.len);
            let place = Place { pack, offset, frame_len, skip: 0, len: 0, delta: false };
            let same = |a: &Object, b: &Object| (a.id, a.part) == (b.id, b.part);
            let flawed = |object: &Object| landed.flaws.iter().any(|f| same(&f.object, object));
            for object in wants_of(span).iter().filter(|object| !flawed(object)) {
                let (skip, len) = (object.skip, object.len);
                match object.part {
                    Part::Whole => self.objects.push((object.id, Place { skip, len, ..place })),
                    Part::Delta => {
                        let bases = Bases::of_frame(frame_of(span)).ok().flatten();
                        self.named.extend(bases.iter().flat_map(|bases| &bases.ids).map(|id| id.0));
                        self.deltas.push((*object, Place { len, delta: true, ..place }));
                    }
                    Part::Base => self.bases.extend(
                        landed.base.map(|(id, len)| (object.id, (id.0, Place { len, ..place }))),
                    ),
                }
            }
        }
        self.unrecorded += bytes.len();
        if self.objects.len() >= RECORD_AT || self.unrecorded >= RECORD_BYTES {
            self.record()?;
        }
        Ok(landed)
    }

    fn check(&self, pack: PackId, bytes: &[u8], wants: &[Object]) -> Landed {
        let flaw = |object: &Object, why: String| Flaw { object: *object, pack, why, base: None };
        if wants.iter().any(|object| object.part == Part::Delta) {
            // It cannot be told yet whether it is sound, and it can be nothing else as well.
            let others = wants.iter().filter(|object| object.part != Part::Delta);
            let why = FrameError::NeedsBase;
            let flaws = others.map(|object| flaw(object, why.to_string())).collect();
            return Landed { flaws, good: true, ..Landed::default() };
        }
        let spare = self.codecs.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut codecs = spare.unwrap_or_default();
        let decoded = decode_frame(&mut codecs, self.kind, bytes);
        self.codecs.lock().unwrap_or_else(PoisonError::into_inner).push(codecs);
        let frame = match decoded {
            Ok(frame) => frame,
            Err(e) => {
                let flaws = wants.iter().map(|object| flaw(object, e.to_string())).collect();
                return Landed { flaws, ..Landed::default() };
            }
        };
        let mut flaws = Vec::new();
        let is_base = wants.iter().any(|object| object.part == Part::Base);
        let base = base_of(&frame).filter(|_| is_base);
        for object in wants {
            let checked = match self.kind {
                PackKind::Data if object.part == Part::Base => {
                    base.map(drop).ok_or(FrameError::Malformed("it holds more than one chunk"))
                }
                PackKind::Data => {
                    frame.chunk(object.skip, object.len, ChunkId(object.id)).map(drop)
                }
                PackKind::Nodes => frame.node(NodeId(object.id)).map(drop),
            };
            flaws.extend(checked.err().map(|e| flaw(object, e.to_string())));
        }
        let good = flaws.len() < wants.len();
        let whole: HashSet<_> = wants.iter().map(|object| object.id).collect();
        let proven = flaws.is_empty() && !is_base && self.kind == PackKind::Data;
        let proven = proven && whole.len() == frame.n_objects as usize;
        let raw = (good && self.kind == PackKind::Nodes).then_some(frame.raw);
        Landed { raw, flaws, good, proven, here: false, base }
    }

    /// Lets the frame stay that lies here already, if it serves as well: of the one that arrived only what is
    /// wanted was checked, and something else of the one here may have been checked before.
    fn prefer_here(
        &mut self,
        (pack, span): (PackId, &FrameSpan),
        (arrived, wants): (&[u8], &[Object]),
        landed: &mut Landed,
    ) -> Result<(), TransferError> {
        // A delta is wanted only where none is known to be sound.
        if self.kept || wants.iter().any(|object| object.part == Part::Delta) {
            return Ok(());
        }
        let mut here = vec![0; span.len as usize];
        if !self.part(pack)?.read_at(span.offset.into(), &mut here)? {
            return Ok(());
        }
        landed.here = here == arrived;
        if landed.here {
            return Ok(());
        }
        let found = self.check(pack, &here, wants);
        let known = |(id, _): (ChunkId, u32)| -> Result<bool, TransferError> {
            let place = self.index.reader()?.find_held(&id.0).map(|(place, _)| place);
            Ok(place.is_some_and(|place| (place.pack, place.offset) == (pack, span.offset)))
        };
        if found.good
            && found.flaws.len() <= landed.flaws.len()
            && found.base.map_or(Ok(true), known)?
        {
            *landed = Landed { here: true, ..found };
        }
        Ok(())
    }

    /// Opens the part of a pack that is here.
    fn part(&mut self, pack: PackId) -> Result<&Arc<SparseFile>, TransferError> {
        let open = match self.file.take() {
            Some((open, file)) if open == pack => file,
            _ => Arc::new(self.layout.cache_folder().open_part(pack)?),
        };
        Ok(&self.file.insert((pack, open)).1)
    }

    /// Writes these frames of a range; those that lie side by side as one.
    fn keep_sound<'s>(
        &mut self,
        range: &Range,
        bytes: &Bytes,
        sound: impl Iterator<Item = &'s FrameSpan>,
    ) -> Result<(), TransferError> {
        let mut stretch = range.from..range.from;
        for span in sound {
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
        bytes: &Bytes,
        stretch: &std::ops::Range<u32>,
    ) -> Result<(), TransferError> {
        if stretch.is_empty() {
            return Ok(());
        }
        let (pack, offset) = (*pack, stretch.start);
        let at = (stretch.start - from) as usize..(stretch.end - from) as usize;
        if !self.kept {
            let frames = if at.end <= bytes.len() { bytes.slice(at) } else { Bytes::new() };
            self.index.note_added(pack, frames.len() as u64);
            let file = Arc::clone(self.part(pack)?);
            let written = self.behind.write(&file, offset.into(), frames);
            self.unless_failed(written)?;
        }
        Ok(())
    }

    /// Forgets what was not recorded where a write failed: nobody knows which of it lies there.
    fn unless_failed(&mut self, written: Result<(), FsError>) -> Result<(), TransferError> {
        written.map_err(|error| {
            (self.objects, self.bases, self.deltas, self.packs, self.named) = Default::default();
            error.into()
        })
    }

    /// Makes everything kept so far known to the index; of a wave of deltas alone that is nothing yet.
    pub(super) fn record(&mut self) -> Result<(), TransferError> {
        let written = self.behind.flush();
        self.unless_failed(written)?;
        if self.objects.is_empty() && self.packs.is_empty() {
            return Ok(());
        }
        let packs: Vec<_> = self.packs.drain().collect();
        self.index.record(&packs, &mut self.objects, &[])?;
        self.objects.clear();
        self.unrecorded = 0;
        Ok(())
    }

    /// Checks the deltas that were kept, now that what they are a delta to is here, and
    /// makes the sound ones known to the index. Returns what is wrong with the others.
    pub(super) fn settle(&mut self) -> Result<Vec<Flaw>, TransferError> {
        let deltas = std::mem::take(&mut self.deltas);
        self.record_bases(&deltas)?;
        let results: Result<Vec<_>, TransferError> =
            deltas.par_chunks(SETTLE).map(|few| self.prove(few)).collect();
        let (mut flaws, mut bases_of) = (Vec::new(), Vec::new());
        for ((object, place), proof) in deltas.iter().zip(results?.into_iter().flatten()) {
            match proof {
                Ok(bases) => {
                    self.objects.push((object.id, *place));
                    bases_of.push((ChunkId(object.id), bases));
                }
                Err(DeltaFault { why, base }) => {
                    flaws.push(Flaw { object: *object, pack: place.pack, why, base });
                }
            }
        }
        if !bases_of.is_empty() {
            let state = PackState { held: Held::Part, kind: self.kind.byte(), size: 0 };
            let packs: HashMap<PackId, PackState> =
                self.objects.iter().map(|(_, place)| (place.pack, state)).collect();
            let packs: Vec<_> = packs.into_iter().collect();
            self.index.record(&packs, &mut self.objects, &bases_of)?;
            self.objects.clear();
        }
        Ok(flaws)
    }

    /// Makes those bases known that a delta names. What was changed on its way never is, so that the next to
    /// come takes its place.
    fn record_bases(&mut self, deltas: &[(Object, Place)]) -> Result<(), TransferError> {
        let landed: HashSet<[u8; 32]> = deltas.iter().map(|(object, _)| object.id).collect();
        let named = std::mem::take(&mut self.named);
        // Of a delta that was here before, only its base came.
        let counts =
            |delta: &[u8; 32], id: &[u8; 32]| named.contains(id) || !landed.contains(delta);
        let bases = self.bases.drain(..).filter(|(delta, (id, _))| counts(delta, id));
        self.objects.extend(bases.map(|(_, base)| base));
        self.record()
    }

    fn prove(
        &self,
        deltas: &[(Object, Place)],
    ) -> Result<Vec<Result<Bases, DeltaFault>>, TransferError> {
        let mut reader = ObjectReader::new(self.layout, self.index)?;
        let mut out = Vec::with_capacity(deltas.len());
        for (object, place) in deltas {
            let (path, cache) = (self.layout.part(place.pack), self.layout.cache_folder());
            let mut bytes = vec![0; place.frame_len as usize];
            let file = cache.open(place.pack, Form::Part).at("read", &path)?;
            file.read_exact_at(&mut bytes, place.offset.into()).at("read", &path)?;
            out.push(reader.prove_delta(ChunkId(object.id), &bytes)?);
        }
        Ok(out)
    }
}

/// The chunk that a frame consists of; only one with a frame of its own can be part of a base.
fn base_of(frame: &Frame) -> Option<(ChunkId, u32)> {
    let len = u32::try_from(frame.raw.len()).ok()?;
    (frame.n_objects == 1).then(|| (ChunkId::of(&frame.raw), len))
}
