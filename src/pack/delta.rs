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
    let Difference { codec, raw_len, payload, from } = Difference::read(bytes, base)?;
    let mut raw = Vec::new();
    match codec {
        CODEC_PLANES_XOR => {
            codecs.unpack(CODEC_PLANES, payload, raw_len, &mut raw)?;
            exclusive_or(&mut raw, from);
        }
        CODEC_PLANES_DIFFERENCE => {
            let (phase, width, payload) = phase_and_width(payload)?;
            codecs.unpack(CODEC_PLANES, payload, raw_len, &mut raw)?;
            add(&mut raw, from, Numbers { width, phase });
        }
        _ => unpack_with_prefix(payload, base, raw_len, &mut raw)?,
    }
    Ok(Frame { raw, n_objects: 1 })
}

/// Says whether [`decode_delta_frame`] would give `raw`. What the planes of a difference must decode to
/// is expected in `changed`, and is of no use afterwards.
pub(super) fn is_delta_of(
    codecs: &mut Codecs,
    (bytes, base): (&[u8], &[u8]),
    raw: &[u8],
    changed: &mut [u8],
) -> Result<bool, FrameError> {
    let Difference { codec, payload, from, .. } = Difference::read(bytes, base)?;
    let same = match codec {
        CODEC_PLANES_XOR => {
            let same = codecs.planes_decode_to(payload, changed)?;
            exclusive_or(changed, from);
            same
        }
        CODEC_PLANES_DIFFERENCE => {
            let (phase, width, payload) = phase_and_width(payload)?;
            let same = codecs.planes_decode_to(payload, changed)?;
            add(changed, from, Numbers { width, phase });
            same
        }
        _ => return Ok(decode_delta_frame(codecs, bytes, base)?.raw == raw),
    };
    Ok(same && changed == raw)
}

/// The parts of a frame, their sizes and its base checked against its codec.
struct Difference<'a> {
    codec: u8,
    raw_len: usize,
    payload: &'a [u8],
    /// The base from where it begins.
    from: &'a [u8],
}

impl<'a> Difference<'a> {
    fn read(bytes: &'a [u8], base: &'a [u8]) -> Result<Self, FrameError> {
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
        match head.codec {
            CODEC_ZSTD_BASE if bases.skip != 0 => {
                Err(FrameError::Malformed("its base does not begin where its first chunk does"))
            }
            CODEC_ZSTD_BASE | CODEC_PLANES_XOR | CODEC_PLANES_DIFFERENCE => {
                Ok(Self { codec: head.codec, raw_len: head.raw_len as usize, payload, from })
            }
            codec => Err(FrameError::Newer { codec }),
        }
    }
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
