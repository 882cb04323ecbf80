//! Writing a pack.

use std::collections::HashSet;
use std::io::{self, Write};

use super::bases::Bases;
use super::encode::EncodedFrame;
use super::footer::{Footer, FrameEntry, ObjectPlace, tail_len};
use super::layout::{HEADER_LEN, Header, MAX_COUNT};
use crate::hash::ChunkId;
use crate::hash::Digest;
use crate::hash::PackId;
use crate::hash::PackKind;

/// Bytes gathered before they are hashed and written, always from a multiple of it on: BLAKE3 is
/// fastest on long aligned runs, and so are writes to a file.
const GATHERED: usize = 256 << 10;

/// Where a frame was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FramePlace {
    /// Where the frame starts in the pack.
    pub offset: u32,
    /// Its length in bytes.
    pub frame_len: u32,
}

/// A complete pack: its name, its figures, and where everything lies in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackSummary {
    /// The name, taken from all bytes.
    pub id: PackId,
    /// What the pack holds.
    pub kind: PackKind,
    /// Its size in bytes.
    pub size: u64,
    /// How many frames it has.
    pub n_frames: u32,
    /// How many objects it has.
    pub n_objects: u32,
    /// The objects in the order in which they lie.
    pub objects: Vec<ObjectPlace>,
    /// The chunks that are stored as a delta, and to what.
    pub deltas: Vec<(ChunkId, Bases)>,
}

/// Writes frames into a pack and keeps its tables: some 150 bytes of memory per object. The last
/// 256 KiB reach the writer at the end.
#[derive(Debug)]
pub struct PackWriter<W> {
    out: W,
    kind: PackKind,
    hasher: blake3::Hasher,
    gathered: Vec<u8>,
    end: u32,
    footer: Footer,
    ids: HashSet<[u8; 32]>,
    deltas: Vec<(ChunkId, Bases)>,
}

impl<W: Write> PackWriter<W> {
    /// Starts a pack by writing its header. `nonce` must be random, or names could repeat.
    pub fn new(out: W, kind: PackKind, nonce: [u8; 16]) -> io::Result<Self> {
        let mut writer = Self {
            out,
            kind,
            hasher: blake3::Hasher::new(),
            gathered: Vec::with_capacity(GATHERED),
            end: HEADER_LEN,
            footer: Footer::default(),
            ids: HashSet::new(),
            deltas: Vec::new(),
        };
        writer.write(&Header { kind, nonce }.encode())?;
        Ok(writer)
    }

    /// Says whether the frame still fits; a frame of any size fits into an empty pack of its kind.
    pub fn room_for(&self, frame: &EncodedFrame) -> bool {
        let frames = self.footer.frames.len() + 1;
        let objects = self.footer.objects.len() + frame.objects.len();
        let (Ok(frames), Ok(objects)) = (u32::try_from(frames), u32::try_from(objects)) else {
            return false;
        };
        if frames > MAX_COUNT || objects > MAX_COUNT {
            return false;
        }
        let size = u64::from(self.end) + frame.bytes.len() as u64;
        size + u64::from(tail_len(frames, objects)) <= self.kind.max_size().into()
    }

    /// Says whether the pack already holds the object.
    pub fn contains(&self, id: &[u8; 32]) -> bool {
        self.ids.contains(id)
    }

    /// Says whether nothing was written but the header.
    pub fn is_empty(&self) -> bool {
        self.footer.frames.is_empty()
    }

    /// Returns where the objects written so far lie.
    pub fn objects(&self) -> &[ObjectPlace] {
        &self.footer.objects
    }

    /// Writes a frame.
    ///
    /// Nothing is written, and the error kind is `InvalidInput`, for a frame of the other kind, one
    /// that does not fit, or one with an object that the pack already holds. After any other error
    /// the pack is lost.
    pub fn push(&mut self, frame: &EncodedFrame) -> io::Result<FramePlace> {
        let misuse = |what| io::Error::new(io::ErrorKind::InvalidInput, what);
        if frame.kind != self.kind {
            return Err(misuse("the frame belongs into another kind of pack"));
        }
        if !self.room_for(frame) {
            return Err(misuse("the frame does not fit into the pack"));
        }
        if !self.admit(frame) {
            return Err(misuse("the pack already holds an object of the frame"));
        }
        self.write(&frame.bytes)?;
        let offset = self.end;
        let n_objects = u16::try_from(frame.objects.len())
            .map_err(|_| misuse("the frame has too many objects"))?;
        let frame_len = u32::try_from(frame.bytes.len())
            .map_err(|_| misuse("the frame does not fit into the pack"))?;
        self.end += frame_len;
        let (raw_len, codec) = (frame.raw_len, frame.codec);
        let n_bases = frame.bases.as_ref().map_or(0, |bases| bases.ids.len());
        let n_bases = u8::try_from(n_bases).map_err(|_| misuse("the frame has too many bases"))?;
        let entry = FrameEntry { offset, frame_len, raw_len, n_objects, codec, n_bases };
        self.footer.frames.push(entry);
        if let (Some(bases), Some((id, _))) = (&frame.bases, frame.objects.first()) {
            self.deltas.push((ChunkId(*id), bases.clone()));
        }
        let has_base = n_bases > 0;
        let mut skip = 0;
        for &(id, len) in &frame.objects {
            self.footer.objects.push(ObjectPlace { id, offset, frame_len, skip, len, has_base });
            skip += len;
        }
        Ok(FramePlace { offset, frame_len })
    }

    /// Writes the footer, flushes, and gives the writer back. An empty pack is refused.
    pub fn finish(mut self) -> io::Result<(PackSummary, W)> {
        if self.is_empty() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "a pack holds a frame at least",
            ));
        }
        let tail = self.footer.encode();
        self.write(&tail)?;
        self.pass_on()?;
        self.out.flush()?;
        let id = PackId::from_digest(Digest(*self.hasher.finalize().as_bytes()));
        let size = u64::from(self.end) + tail.len() as u64;
        let mut summary = summarise(id, self.kind, size, self.footer);
        summary.deltas = self.deltas;
        Ok((summary, self.out))
    }

    /// Notes the frame's ids, all or none.
    fn admit(&mut self, frame: &EncodedFrame) -> bool {
        for (at, (id, _)) in frame.objects.iter().enumerate() {
            if !self.ids.insert(*id) {
                for (id, _) in frame.objects.iter().take(at) {
                    self.ids.remove(id);
                }
                return false;
            }
        }
        true
    }

    fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let room = GATHERED - self.gathered.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.gathered.extend_from_slice(now);
            if self.gathered.len() == GATHERED {
                self.pass_on()?;
            }
            bytes = later;
        }
        Ok(())
    }

    /// Hashes and writes what was gathered.
    fn pass_on(&mut self) -> io::Result<()> {
        self.hasher.update(&self.gathered);
        self.out.write_all(&self.gathered)?;
        self.gathered.clear();
        Ok(())
    }
}

pub(super) fn summarise(id: PackId, kind: PackKind, size: u64, footer: Footer) -> PackSummary {
    // Both counts are at most 65,535, in a footer that was parsed as in one that was written.
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let (n_frames, n_objects) = (count(footer.frames.len()), count(footer.objects.len()));
    let (objects, deltas) = (footer.objects, Vec::new());
    PackSummary { id, kind, size, n_frames, n_objects, objects, deltas }
}
