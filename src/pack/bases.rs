//! What a frame with a base names: the chunks that it is a delta to.

use super::error::FrameError;
use super::layout::{CODEC_BASE_BIT, FRAME_HEADER_LEN, MAX_BASES, MAX_CHUNK};
use crate::hash::ChunkId;
use crate::wire::Reader;

/// The base of a frame: the bytes of these chunks one after the other, from `skip` on.
///
/// Each of them is stored without a base itself, so that a read needs five chunks at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bases {
    /// One to four chunks, in order.
    pub ids: Vec<ChunkId>,
    /// Bytes of the joined chunks before the base begins; less than the first of them is long.
    pub skip: u32,
}

impl Bases {
    /// Reads what a frame needs from its first bytes; nothing if it needs no base.
    ///
    /// `bytes` may be the whole frame or its beginning of [`Bases::MAX_PREFIX`] bytes.
    pub fn of_frame(bytes: &[u8]) -> Result<Option<Self>, FrameError> {
        let mut reader = Reader::new(bytes);
        let codec = reader.u8()?;
        let n_bases = reader.u8()?;
        if codec & CODEC_BASE_BIT == 0 {
            return Ok(None);
        }
        reader.take(FRAME_HEADER_LEN as usize - 2)?;
        Self::read(n_bases, &mut reader).map(Some)
    }

    /// The longest beginning of a frame that says what it needs, in bytes.
    pub const MAX_PREFIX: usize = FRAME_HEADER_LEN as usize + 4 + MAX_BASES as usize * ChunkId::LEN;

    pub(super) fn read(n_bases: u8, reader: &mut Reader<'_>) -> Result<Self, FrameError> {
        if n_bases == 0 || n_bases > MAX_BASES {
            return Err(FrameError::Malformed("the number of its bases does not fit its codec"));
        }
        let skip = reader.u32()?;
        if skip >= MAX_CHUNK {
            return Err(FrameError::Malformed("its base begins behind the first chunk of it"));
        }
        let ids = std::iter::repeat_with(|| Ok(ChunkId(reader.array()?)));
        let ids = ids.take(n_bases.into()).collect::<Result<_, FrameError>>()?;
        Ok(Self { ids, skip })
    }

    pub(super) fn encode_into(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.skip.to_le_bytes());
        self.ids.iter().for_each(|id| out.extend_from_slice(id.as_bytes()));
    }
}

/// Returns how long a frame is that begins with these 12 bytes; nothing if none begins so.
pub fn declared_len(prefix: &[u8]) -> Option<u64> {
    let mut reader = Reader::new(prefix);
    let (codec, n_bases, n_objects) = (reader.u8().ok()?, reader.u8().ok()?, reader.u16().ok()?);
    let (_, payload_len) = (reader.u32().ok()?, reader.u32().ok()?);
    let has_base = codec & CODEC_BASE_BIT != 0;
    let bases = if has_base { 4 + u64::from(n_bases) * ChunkId::LEN as u64 } else { 0 };
    let len = u64::from(FRAME_HEADER_LEN) + bases + u64::from(payload_len);
    (n_objects > 0).then_some(len)
}
