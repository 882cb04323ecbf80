//! Rows of the index: where objects lie, and what is known of packs.

use crate::hash::PackId;
use crate::wire::Reader;

/// Where an object lies: in which pack, in which frame, and where in the frame's raw bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The pack.
    pub pack: PackId,
    /// Where the frame begins in the pack.
    pub offset: u32,
    /// Length of the frame in the pack.
    pub frame_len: u32,
    /// Where the object begins in the frame's raw bytes.
    pub skip: u32,
    /// Length of the object.
    pub len: u32,
    /// Whether the frame is a delta to other chunks, which `IndexReader::bases` names.
    pub delta: bool,
}

/// Marks a delta in the length of a row; an object is far shorter.
const DELTA: u32 = 1 << 31;

impl Place {
    pub(super) fn encode(&self) -> [u8; 32] {
        let mut out = [0; 32];
        let (pack, rest) = out.split_at_mut(16);
        pack.copy_from_slice(&self.pack.0);
        for (slot, n) in rest.as_chunks_mut::<4>().0.iter_mut().zip([
            self.offset,
            self.frame_len,
            self.skip,
            self.len | if self.delta { DELTA } else { 0 },
        ]) {
            *slot = n.to_le_bytes();
        }
        out
    }

    pub(super) fn decode(bytes: &[u8; 32]) -> Option<Self> {
        let mut r = Reader::new(bytes);
        let pack = PackId(r.array().ok()?);
        let (offset, frame_len, skip) = (r.u32().ok()?, r.u32().ok()?, r.u32().ok()?);
        let len = r.u32().ok()?;
        Some(Self { pack, offset, frame_len, skip, len: len & !DELTA, delta: len & DELTA != 0 })
    }
}

/// In which form this machine has a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// Whole, and not confirmed on the push remote: must be kept.
    Unpushed,
    /// Whole, and can be fetched again.
    Whole,
    /// Some frames only; the objects in the index are those of these frames.
    Part,
    /// Not here any more; the index still knows what it holds.
    Gone,
}

/// What is known of a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackState {
    /// Whether this machine has it.
    pub held: Held,
    /// The kind byte of the pack format: 1 data, 2 nodes.
    pub kind: u8,
    /// Size of the whole pack in bytes; 0 if unknown.
    pub size: u32,
}

impl PackState {
    pub(super) fn encode(self) -> [u8; 6] {
        let held = match self.held {
            Held::Unpushed => 1,
            Held::Whole => 2,
            Held::Part => 3,
            Held::Gone => 4,
        };
        let [a, b, c, d] = self.size.to_le_bytes();
        [held, self.kind, a, b, c, d]
    }

    pub(super) fn decode(bytes: [u8; 6]) -> Self {
        let [held, kind, size @ ..] = bytes;
        let held = match held {
            1 => Held::Unpushed,
            2 => Held::Whole,
            3 => Held::Part,
            _ => Held::Gone,
        };
        Self { held, kind, size: u32::from_le_bytes(size) }
    }
}
