//! Frames that hold a chunk as a difference to a base.

use zstd::zstd_safe::{CCtx, CParameter, DCtx, compress_bound};

use super::bases::Bases;
use super::codec::{Codecs, check_zstd};
use super::encode::{EncodedFrame, encode_data_frame};
use super::error::{EncodeError, FrameError};
use super::frame::Frame;
use super::layout::{CODEC_ZSTD_BASE, FRAME_HEADER_LEN, FrameHead, MAX_CHUNK};
use crate::hash::{ChunkId, PackKind};
use crate::wire::Reader;

/// Level of zstd with a base. Below 3 it loses matches in bases of more than 128 KiB.
const LEVEL: i32 = 3;

/// A chunk that may be stored as a difference.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The chunk's id; it is believed.
    pub id: ChunkId,
    /// Its bytes.
    pub raw: &'a [u8],
    /// What it may be a difference to.
    pub bases: &'a Bases,
    /// The chunks of the base, joined. Must not overlap `raw` in memory: zstd would ignore it.
    pub base: &'a [u8],
}

/// Encodes chunks, each in a frame of its own: as a difference where that saves a quarter, else as
/// [`encode_data_frame`] does.
///
/// Fails as that does.
pub fn encode_delta_frames(
    codecs: &mut Codecs,
    candidates: &[Candidate],
) -> Result<Vec<EncodedFrame>, EncodeError> {
    // Its bases must outlive it, so that a context serves one group.
    let mut prefixed = CCtx::create();
    let ready = prefixed.set_parameter(CParameter::CompressionLevel(LEVEL)).is_ok();
    let mut out = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        let delta = if ready { delta_frame(codecs, &mut prefixed, candidate) } else { None };
        let objects = [(candidate.id, candidate.raw)];
        out.push(match delta {
            // So small that nothing else comes near.
            Some(frame) if frame.bytes.len() <= candidate.raw.len() / 64 => frame,
            Some(frame) => {
                let plain = encode_data_frame(codecs, &objects)?;
                if frame.bytes.len() <= plain.bytes.len() / 4 * 3 { frame } else { plain }
            }
            None => encode_data_frame(codecs, &objects)?,
        });
    }
    Ok(out)
}

fn delta_frame<'b>(
    codecs: &mut Codecs,
    prefixed: &mut CCtx<'b>,
    candidate: &Candidate<'b>,
) -> Option<EncodedFrame> {
    let Candidate { id, raw, bases, base } = *candidate;
    if raw.is_empty() || raw.len() > MAX_CHUNK as usize || base.is_empty() {
        return None;
    }
    let mut payload = Vec::with_capacity(compress_bound(raw.len()));
    prefixed.ref_prefix(base).ok()?;
    prefixed.compress2(&mut payload, raw).ok()?;
    let bases = Bases { ids: bases.ids.clone(), skip: 0 };
    let frame = frame_of(id, CODEC_ZSTD_BASE, &payload, bases, raw.len())?;
    // A defect of the compressor must never cost content.
    let decoded = decode_delta_frame(codecs, &frame.bytes, base).ok()?;
    (decoded.raw == raw).then_some(frame)
}

fn frame_of(
    id: ChunkId,
    codec: u8,
    payload: &[u8],
    bases: Bases,
    raw_len: usize,
) -> Option<EncodedFrame> {
    let raw_len = u32::try_from(raw_len).ok()?;
    let payload_len = u32::try_from(payload.len()).ok()?;
    let n_bases = u8::try_from(bases.ids.len()).ok()?;
    let mut bytes = Vec::with_capacity(Bases::MAX_PREFIX + payload.len());
    FrameHead { codec, n_bases, n_objects: 1, raw_len, payload_len }.encode_into(&mut bytes);
    bases.encode_into(&mut bytes);
    bytes.extend_from_slice(payload);
    let objects = vec![(id.0, raw_len)];
    Some(EncodedFrame { kind: PackKind::Data, codec, raw_len, bytes, objects, bases: Some(bases) })
}

/// Decodes the frame of a chunk that is stored as a difference; `bytes` must be that frame and
/// nothing else, `base` the joined bytes of the chunks that [`Bases::of_frame`] names.
///
/// All sizes are checked before memory is taken. A wrong base gives an error or wrong bytes: the
/// chunk's id decides.
pub fn decode_delta_frame(
    codecs: &mut Codecs,
    bytes: &[u8],
    base: &[u8],
) -> Result<Frame, FrameError> {
    let mut reader = Reader::new(bytes);
    let head = FrameHead::read(PackKind::Data, &mut reader)?;
    if head.n_bases == 0 {
        return Err(FrameError::Malformed("it names no base, which it was said to need"));
    }
    let bases = Bases::read(head.n_bases, &mut reader)?;
    let payload = reader.rest();
    if payload.len() != head.payload_len as usize {
        return Err(FrameError::Malformed("it is not as long as it declares"));
    }
    let raw_len = head.raw_len as usize;
    let mut raw = Vec::new();
    match head.codec {
        CODEC_ZSTD_BASE => unpack_with_prefix(payload, &bases, base, raw_len, &mut raw)?,
        codec => return Err(FrameError::Newer { codec }),
    }
    let _ = codecs;
    Ok(Frame { raw, n_objects: 1 })
}

fn unpack_with_prefix(
    payload: &[u8],
    bases: &Bases,
    base: &[u8],
    raw_len: usize,
    out: &mut Vec<u8>,
) -> Result<(), FrameError> {
    if bases.skip != 0 {
        return Err(FrameError::Malformed("its base does not begin where its first chunk does"));
    }
    check_zstd(payload, raw_len)?;
    let mut context = DCtx::create();
    let prefixed = context.ref_prefix(base);
    out.reserve_exact(raw_len);
    let decoded = prefixed.and_then(|_| context.decompress(out, payload));
    match decoded {
        Ok(len) if len == raw_len && out.len() == raw_len => Ok(()),
        Ok(_) => Err(FrameError::Malformed("it decodes to another length than it declares")),
        Err(_) => Err(FrameError::Malformed("its payload does not decode with its base")),
    }
}
