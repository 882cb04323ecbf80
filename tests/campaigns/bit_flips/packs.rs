//! Bytes of packs: the examination finds each change, and what is read from a changed pack is refused
//! or right.

use std::collections::HashMap;
use std::io::Cursor;

use haul::hash::{ChunkId, Digest, NodeId, PackId, PackKind};
use haul::pack::{
    Bases, Codecs, Footer, ObjectPlace, Witness, decode_delta_frame, decode_frame, examine_pack,
    read_footer,
};

use super::{MASKS, fixtures, flipped};
use crate::figures::Figures;

/// A pack with what a sound read of it gives.
pub(super) struct Subject {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
    id: PackId,
    kind: PackKind,
    footer: Footer,
    sound: Vec<Option<Vec<u8>>>,
}

/// Chunks that may serve as bases.
pub(super) type Chunks = HashMap<ChunkId, Vec<u8>>;

/// What changing bytes came to.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) flips: u64,
    reads: u64,
    refused: u64,
}

impl Tally {
    pub(super) fn tell(&self, what: &str, figures: &mut Figures) {
        figures.row(format!("{what}: flips, each found"), self.flips);
        figures.row(format!("{what}: objects read"), self.reads);
        figures.row(format!("{what}: refused, the others right"), self.refused);
    }
}

impl Subject {
    pub(super) fn new(name: String, bytes: Vec<u8>, chunks: &Chunks) -> Self {
        let id = PackId::from_digest(Digest::of(&bytes));
        let size = u64::try_from(bytes.len()).expect("fits");
        let tables = read_footer(&mut Cursor::new(&bytes), size).expect("is in memory");
        let (kind, footer) = tables.expect("is sound");
        let read = |object: &ObjectPlace| read(kind, object, &bytes, chunks);
        let sound = footer.objects.iter().map(read).collect();
        Self { name, bytes, id, kind, footer, sound }
    }

    /// The chunks in it that are no deltas.
    pub(super) fn chunks(&self) -> impl Iterator<Item = (ChunkId, Vec<u8>)> {
        let pairs = self.footer.objects.iter().zip(&self.sound);
        pairs.filter_map(|(object, bytes)| Some((ChunkId(object.id), bytes.clone()?)))
    }

    /// Changes one byte and looks what comes of it.
    pub(super) fn flip(
        &mut self,
        (at, mask): (usize, u8),
        chunks: &Chunks,
        (tally, figures): (&mut Tally, &mut Figures),
    ) {
        let case = format!("{}, byte {at} ^ {mask:#04x}", self.name);
        let (id, kind) = (self.id, self.kind);
        let (objects, sound) = (&self.footer.objects, &self.sound);
        tally.flips += 1;
        let seen = flipped(&mut self.bytes, (at, mask), |bytes| {
            let read = |object: &ObjectPlace| read(kind, object, bytes, chunks);
            (found(id, bytes, chunks), objects.iter().map(read).collect::<Vec<_>>())
        });
        let Some((found, now)) = seen else { return figures.miss(format!("{case}: panic")) };
        if !found {
            figures.miss(format!("{case}: not found by the examination"));
        }
        for ((object, now), was) in objects.iter().zip(now).zip(sound) {
            tally.reads += 1;
            match now {
                None => tally.refused += 1,
                Some(_) if now == *was => {}
                Some(_) => {
                    figures.miss(format!("{case}: wrong bytes of {}", Digest(object.id)));
                }
            }
        }
    }
}

/// Says whether an examination finds that something is wrong.
fn found(id: PackId, bytes: &[u8], chunks: &Chunks) -> bool {
    let mut base_of = |bases: &Bases| join(bases, chunks);
    let mut witness = Witness { base_of: &mut base_of, node: &mut |_| Ok(()) };
    let size = u64::try_from(bytes.len()).expect("fits");
    let examined = examine_pack(&mut Codecs::new(), (Cursor::new(bytes), size), &mut witness);
    let examined = examined.expect("is in memory");
    examined.actual != id || examined.tables.is_err() || !examined.frames.is_empty()
}

fn join(bases: &Bases, chunks: &Chunks) -> Option<Vec<u8>> {
    let parts: Option<Vec<&[u8]>> =
        bases.ids.iter().map(|id| chunks.get(id).map(Vec::as_slice)).collect();
    parts.map(|parts| parts.concat())
}

/// Reads an object as a pull does: by its place, from its frame alone. Of a node, without the placement
/// behind it, which nobody believes.
fn read(kind: PackKind, object: &ObjectPlace, pack: &[u8], chunks: &Chunks) -> Option<Vec<u8>> {
    let from = object.offset as usize;
    let frame = pack.get(from..from + object.frame_len as usize)?;
    let mut codecs = Codecs::new();
    let decoded = match Bases::of_frame(frame).ok()? {
        Some(bases) if kind == PackKind::Data => {
            decode_delta_frame(&mut codecs, frame, &join(&bases, chunks)?)
        }
        _ => decode_frame(&mut codecs, kind, frame),
    };
    let decoded = decoded.ok()?;
    match kind {
        PackKind::Data => {
            decoded.chunk(object.skip, object.len, ChunkId(object.id)).ok().map(<[u8]>::to_vec)
        }
        PackKind::Nodes => decoded.node(NodeId(object.id)).ok().map(|(node, _)| node.to_vec()),
    }
}

/// Every bit of every byte of the packs that must read for ever.
pub(super) fn golden(figures: &mut Figures) {
    let mut tally = Tally::default();
    for (name, bytes) in fixtures("pack", ".pack") {
        let mut subject = Subject::new(name, bytes, &Chunks::new());
        for at in 0..subject.bytes.len() {
            for mask in MASKS {
                subject.flip((at, mask), &Chunks::new(), (&mut tally, figures));
            }
        }
    }
    tally.tell("golden packs", figures);
}

/// Frames whose content is larger than a frame may hold, though all else about them is in order.
pub(super) fn oversized(figures: &mut Figures) {
    let (mut made, sizes) = (0_u64, [(PackKind::Data, 3_u32 << 20), (PackKind::Nodes, 9 << 20)]);
    for (kind, raw_len) in sizes {
        let raw = vec![0; raw_len as usize];
        let payload = payload(&raw);
        let payload_len = u32::try_from(payload.len()).expect("is short");
        let head = [&[1, 0, 1, 0][..], &raw_len.to_le_bytes(), &payload_len.to_le_bytes()];
        let frame = [&head.concat()[..], &payload].concat();
        made += 1;
        if decode_frame(&mut Codecs::new(), kind, &frame).is_ok() {
            figures
                .miss(format!("a frame of {kind:?} with {raw_len} bytes of content was decoded"));
        }
    }
    figures.row("oversized frames: refused", made);
}

/// Compresses as a reader demands: no checksum, a window of at most 8 MiB.
fn payload(raw: &[u8]) -> Vec<u8> {
    let mut compressor = zstd::bulk::Compressor::new(1).expect("is made");
    compressor.set_parameter(zstd::zstd_safe::CParameter::WindowLog(20)).expect("is known");
    compressor.set_parameter(zstd::zstd_safe::CParameter::ChecksumFlag(false)).expect("is known");
    compressor.compress(raw).expect("compresses")
}
