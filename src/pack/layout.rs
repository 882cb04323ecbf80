//! Sizes, limits and fixed fields of a pack.

use super::error::{FrameError, PackError};
use crate::fs::planted;
use crate::hash::PackKind;
use crate::wire::Reader;

/// Bytes of a pack before its first frame.
pub const HEADER_LEN: u32 = 24;
/// Bytes of a pack behind its footer tables.
pub const TRAILER_LEN: u32 = 44;
/// Largest chunk in bytes.
pub const MAX_CHUNK: u32 = 2 << 20;
/// A chunk of at least this many bytes has a frame of its own.
pub const BATCH_BELOW: u32 = 32_768;
/// Largest raw size in bytes of a frame that several chunks share.
pub const MAX_BATCH_RAW: u32 = 256 << 10;
/// Largest node in bytes, without its placement.
pub const MAX_NODE: u32 = 4 << 20;
/// Largest raw size in bytes of a frame with a node and its placement.
pub const MAX_NODE_RAW: u32 = 8 << 20;
/// Largest frame in bytes, of any kind, as it lies in a pack; bounds what a reader fetches at once.
pub const MAX_FRAME_LEN: u32 = FRAME_HEADER_LEN + MAX_BASES_LEN + MAX_NODE_RAW + MAX_GROWTH;
/// Codec byte of a frame whose payload is its raw bytes.
pub const CODEC_STORED: u8 = 0;
/// Codec byte of a frame whose payload is one zstd frame.
pub const CODEC_ZSTD: u8 = 1;
/// Codec byte of a frame whose payload is byte planes, each coded on its own.
pub const CODEC_PLANES: u8 = 2;
/// Codec byte of a frame whose payload is the columns of a text table, each coded on its own.
pub const CODEC_COLUMNS: u8 = 3;
/// Codec byte of a frame that is one zstd frame, with the base as prefix.
pub const CODEC_ZSTD_BASE: u8 = 17;
/// Codec byte of byte planes of the exclusive or with the base.
pub const CODEC_PLANES_XOR: u8 = 18;
/// Codec byte of byte planes of the difference to the base, number by number.
pub const CODEC_PLANES_DIFFERENCE: u8 = 19;

pub(super) const MAGIC: [u8; 4] = *b"HAUL";
pub(super) const END_MAGIC: [u8; 4] = *b"LUAH";
pub(super) const VERSION: u8 = 1;
/// Bytes of a frame that say how long it is.
pub const FRAME_HEADER_LEN: u32 = 12;
pub(super) const FRAME_ENTRY_LEN: u32 = 12;
pub(super) const OBJECT_ENTRY_LEN: u32 = 36;
pub(super) const NODE_HEADER_LEN: u32 = 12;
/// How much longer than its raw bytes a payload may be.
pub(super) const MAX_GROWTH: u32 = 64;
pub(super) const MAX_BASES: u8 = 4;
const MAX_BASES_LEN: u32 = 4 + 4 * 32;
/// Most frames, and most objects, of one pack.
pub(super) const MAX_COUNT: u32 = 65_535;
/// The bit of the codec byte that says that base chunks are needed.
pub(super) const CODEC_BASE_BIT: u8 = 16;

/// The first 24 bytes of a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What the pack holds.
    pub kind: PackKind,
    /// Random bytes that keep two packs of equal content apart.
    pub nonce: [u8; 16],
}

impl Header {
    /// Writes the header.
    pub fn encode(&self) -> [u8; HEADER_LEN as usize] {
        let mut out = [0; HEADER_LEN as usize];
        let fields = MAGIC.into_iter().chain([VERSION, self.kind.byte(), 0, 0]).chain(self.nonce);
        for (to, from) in out.iter_mut().zip(fields) {
            *to = from;
        }
        out
    }

    /// Reads a header; refuses versions, kinds and flags that only a newer release knows.
    pub fn parse(bytes: &[u8; HEADER_LEN as usize]) -> Result<Self, PackError> {
        let mut reader = Reader::new(bytes);
        if reader.array::<4>()? != MAGIC {
            return Err(PackError::Malformed("it does not begin as a pack"));
        }
        let version = reader.u8()?;
        if version != VERSION {
            return Err(PackError::Newer { what: "pack version", value: version.into() });
        }
        let kind = reader.u8()?;
        let kind = PackKind::from_byte(kind)
            .ok_or(PackError::Newer { what: "pack kind", value: kind.into() })?;
        let flags = reader.u16()?;
        if flags != 0 {
            return Err(PackError::Newer { what: "pack flags", value: flags.into() });
        }
        Ok(Self { kind, nonce: reader.array()? })
    }
}

/// The first 12 bytes of a frame, as far as this build can read them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FrameHead {
    pub(super) codec: u8,
    pub(super) n_bases: u8,
    pub(super) n_objects: u16,
    pub(super) raw_len: u32,
    pub(super) payload_len: u32,
}

impl FrameHead {
    pub(super) fn encode_into(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[self.codec, self.n_bases]);
        out.extend_from_slice(&self.n_objects.to_le_bytes());
        out.extend_from_slice(&self.raw_len.to_le_bytes());
        out.extend_from_slice(&self.payload_len.to_le_bytes());
    }

    /// Reads the head of a frame and checks every size that it declares.
    pub(super) fn read(kind: PackKind, reader: &mut Reader<'_>) -> Result<Self, FrameError> {
        let codec = reader.u8()?;
        let n_bases = reader.u8()?;
        let n_objects = reader.u16()?;
        let raw_len = reader.u32()?;
        let payload_len = reader.u32()?;
        if !is_known(codec) {
            return Err(FrameError::Newer { codec });
        }
        if (n_bases != 0) != (codec & CODEC_BASE_BIT != 0) || n_bases > MAX_BASES {
            return Err(FrameError::Malformed("the number of its bases does not fit its codec"));
        }
        check_raw(kind, n_objects, raw_len).map_err(FrameError::Malformed)?;
        if codec == CODEC_PLANES && !may_have_planes(kind, n_objects) {
            return Err(FrameError::Malformed("it has byte planes of more than one chunk"));
        }
        if codec == CODEC_COLUMNS && !may_have_planes(kind, n_objects) {
            return Err(FrameError::Malformed("it has columns of more than one chunk"));
        }
        if n_bases != 0 && !may_have_planes(kind, n_objects) {
            return Err(FrameError::Malformed("it is a delta and holds more than one chunk"));
        }
        let fits = match codec {
            CODEC_STORED => payload_len == raw_len,
            _ => payload_len <= raw_len + MAX_GROWTH,
        };
        if !fits {
            return Err(FrameError::Malformed("its payload is longer than its content allows"));
        }
        Ok(Self { codec, n_bases, n_objects, raw_len, payload_len })
    }
}

fn is_known(codec: u8) -> bool {
    matches!(
        codec,
        CODEC_STORED
            | CODEC_ZSTD
            | CODEC_PLANES
            | CODEC_COLUMNS
            | CODEC_ZSTD_BASE
            | CODEC_PLANES_XOR
            | CODEC_PLANES_DIFFERENCE
    )
}

/// Says whether byte planes and columns are allowed: only for a chunk that has a frame of its own.
pub(super) fn may_have_planes(kind: PackKind, n_objects: u16) -> bool {
    kind == PackKind::Data && n_objects == 1
}

/// Says what is wrong with the declared content of a frame, if anything.
pub(super) fn check_raw(kind: PackKind, n_objects: u16, raw_len: u32) -> Result<(), &'static str> {
    let limit = match (kind, n_objects) {
        (_, 0) => return Err("it holds no object"),
        (PackKind::Data, 1) => MAX_CHUNK,
        (PackKind::Data, _) => MAX_BATCH_RAW,
        (PackKind::Nodes, 1) => MAX_NODE_RAW,
        (PackKind::Nodes, _) => return Err("it holds more than one node"),
    };
    let least = match kind {
        PackKind::Data => u32::from(n_objects),
        PackKind::Nodes => NODE_HEADER_LEN,
    };
    if raw_len < least {
        return Err("its content is shorter than its objects");
    }
    if raw_len > limit && !planted::is("size-cap-off") {
        return Err("its content is larger than a frame may hold");
    }
    Ok(())
}
