//! Frames that hold a chunk as a delta to a base.

use zstd::zstd_safe::DCtx;

use super::bases::Bases;
use super::codec::{Codecs, check_zstd};
use super::difference::{Numbers, add, exclusive_or};
use super::error::FrameError;
use super::frame::Frame;
use super::layout::{
    CODEC_PLANES, CODEC_PLANES_DIFFERENCE, CODEC_PLANES_XOR, CODEC_ZSTD_BASE, FrameHead,
};
use super::planes::Width;
use crate::hash::PackKind;
use crate::wire::Reader;

/// Decodes the frame of a chunk that is stored as a delta; `bytes` must be that frame and
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
    let from = base
        .get(bases.skip as usize..)
        .filter(|from| !from.is_empty())
        .ok_or(FrameError::Malformed("its base ends before it begins"))?;
    let raw_len = head.raw_len as usize;
    let mut raw = Vec::new();
    match head.codec {
        CODEC_ZSTD_BASE if bases.skip == 0 => unpack_with_prefix(payload, base, raw_len, &mut raw)?,
        CODEC_ZSTD_BASE => {
            return Err(FrameError::Malformed(
                "its base does not begin where its first chunk does",
            ));
        }
        CODEC_PLANES_XOR => {
            codecs.unpack(CODEC_PLANES, payload, raw_len, &mut raw)?;
            exclusive_or(&mut raw, from);
        }
        CODEC_PLANES_DIFFERENCE => {
            let (phase, width, payload) = phase_and_width(payload)?;
            codecs.unpack(CODEC_PLANES, payload, raw_len, &mut raw)?;
            add(&mut raw, from, Numbers { width, phase });
        }
        codec => return Err(FrameError::Newer { codec }),
    }
    Ok(Frame { raw, n_objects: 1 })
}

fn unpack_with_prefix(
    payload: &[u8],
    base: &[u8],
    raw_len: usize,
    out: &mut Vec<u8>,
) -> Result<(), FrameError> {
    check_zstd(payload, raw_len)?;
    let mut context = DCtx::create();
    let prefixed = context.ref_prefix(base).is_ok();
    out.reserve_exact(raw_len);
    match context.decompress(out, payload) {
        Ok(len) if prefixed && len == raw_len && out.len() == raw_len => Ok(()),
        Ok(_) => Err(FrameError::Malformed("it decodes to another length than it declares")),
        Err(_) => Err(FrameError::Malformed("its payload does not decode with its base")),
    }
}

/// Takes the phase from the front of a payload; the width stands in the planes behind it.
fn phase_and_width(payload: &[u8]) -> Result<(usize, usize, &[u8]), FrameError> {
    let (phase, planes) =
        payload.split_first().ok_or(FrameError::Malformed("it ends too early"))?;
    let width = planes.first().copied().and_then(Width::from_byte).map(Width::bytes);
    let phase = usize::from(*phase);
    match width {
        Some(width) if phase < width => Ok((phase, width, planes)),
        _ => Err(FrameError::Malformed("its numbers begin behind the first of them")),
    }
}
