//! Choosing what a chunk is stored as: a delta to a base, or itself.

use zstd::zstd_safe::{CCtx, CParameter, compress_bound};

use super::bases::Bases;
use super::codec::Codecs;
use super::delta::is_delta_of;
use super::difference::{exclusive_or, subtract};
use super::encode::{EncodedFrame, encode_data_frame};
use super::error::EncodeError;
use super::layout::{
    CODEC_PLANES_DIFFERENCE, CODEC_PLANES_XOR, CODEC_ZSTD_BASE, FrameHead, MAX_CHUNK,
};
use super::numbers::{Step, numeric};
use super::plane_coder::Effort;
use super::probe::share_as_planes;
use crate::hash::{ChunkId, PackKind};

/// Level of zstd with a base. Below 3 it loses matches in bases of more than 128 KiB.
const LEVEL: i32 = 3;
/// A delta this many times shorter than the chunk is taken without a look at anything else.
const OBVIOUS: usize = 64;

/// A delta is taken if it saves more than one byte in this many (docs/adr/0011).
const LEAST_GAIN: usize = 6;
/// The same as a share of what the chunk takes by a sample of it, which is right within a hundredth:
/// below this nothing else is tried.
const CLEAR: f64 = 5.0 / 6.0 * 0.99;

/// A chunk that may be stored as a delta.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The chunk's id; it is believed.
    pub id: ChunkId,
    /// Its bytes.
    pub raw: &'a [u8],
    /// What it may be a delta to.
    pub bases: &'a Bases,
    /// The chunks of the base, joined. Must not overlap `raw` in memory: zstd would ignore it.
    pub base: &'a [u8],
}

/// Encodes chunks, each in a frame of its own: as a delta where that saves a sixth, else as
/// [`encode_data_frame`] does, and failing as that does.
pub fn encode_delta_frames(
    codecs: &mut Codecs,
    candidates: &[Candidate],
) -> Result<Vec<EncodedFrame>, EncodeError> {
    // The bases must outlive a context that refers to them, so that one serves one group.
    let mut prefixed = None;
    let mut out = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        let objects = [(candidate.id, candidate.raw)];
        let delta = delta_frame(codecs, &mut prefixed, candidate);
        out.push(match delta {
            Some(frame) if is_clear(&frame, candidate.raw) => frame,
            Some(frame) => {
                let plain = encode_data_frame(codecs, &objects)?;
                let limit = plain.bytes.len() - plain.bytes.len() / LEAST_GAIN;
                if frame.bytes.len() <= limit { frame } else { plain }
            }
            None => encode_data_frame(codecs, &objects)?,
        });
    }
    Ok(out)
}

/// Says whether a delta pays without a look at the chunk's own frame.
fn is_clear(frame: &EncodedFrame, raw: &[u8]) -> bool {
    if frame.bytes.len() <= raw.len() / OBVIOUS {
        return true;
    }
    let is_numeric = matches!(frame.codec, CODEC_PLANES_XOR | CODEC_PLANES_DIFFERENCE);
    let lens = (u32::try_from(frame.bytes.len()), u32::try_from(raw.len()));
    match (lens, share_as_planes(raw).filter(|_| is_numeric)) {
        ((Ok(len), Ok(raw_len)), Some(share)) => {
            f64::from(len) <= f64::from(raw_len) * share * CLEAR
        }
        _ => false,
    }
}

fn delta_frame<'b>(
    codecs: &mut Codecs,
    prefixed: &mut Option<CCtx<'b>>,
    candidate: &Candidate<'b>,
) -> Option<EncodedFrame> {
    let Candidate { raw, bases, base, .. } = *candidate;
    if raw.is_empty() || raw.len() > MAX_CHUNK as usize {
        return None;
    }
    let from = base.get(bases.skip as usize..).filter(|from| !from.is_empty())?;
    let mut changed = std::mem::take(&mut codecs.joined);
    changed.clear();
    let frame = match numeric(raw, from) {
        Some(step) => numeric_frame(codecs, candidate, (from, step), &mut changed),
        None => prefix_frame(codecs, prefixed, candidate),
    };
    // A defect of a coder must never cost content.
    let proved = frame.filter(|frame| {
        is_delta_of(codecs, (&frame.bytes, base), raw, &mut changed).unwrap_or(false)
    });
    codecs.joined = changed;
    proved
}

fn numeric_frame(
    codecs: &mut Codecs,
    candidate: &Candidate,
    (from, step): (&[u8], Step),
    changed: &mut Vec<u8>,
) -> Option<EncodedFrame> {
    changed.extend_from_slice(candidate.raw);
    let (codec, width, phase) = match step {
        Step::ExclusiveOr(width) => {
            exclusive_or(changed, from);
            (CODEC_PLANES_XOR, width, None)
        }
        Step::Subtract(width, numbers) => {
            subtract(changed, from, numbers);
            (CODEC_PLANES_DIFFERENCE, width, u8::try_from(numbers.phase).ok())
        }
    };
    let bytes = codecs.spares.pop().unwrap_or_default();
    let planes = codecs.planes_of(changed, width, Effort::Quick);
    frame_of(candidate, (codec, candidate.bases.clone()), (phase, planes), bytes)
}

fn prefix_frame<'b>(
    codecs: &mut Codecs,
    prefixed: &mut Option<CCtx<'b>>,
    candidate: &Candidate<'b>,
) -> Option<EncodedFrame> {
    if prefixed.is_none() {
        let mut context = CCtx::create();
        context.set_parameter(CParameter::CompressionLevel(LEVEL)).ok()?;
        *prefixed = Some(context);
    }
    let context = prefixed.as_mut()?;
    let mut payload = Vec::with_capacity(compress_bound(candidate.raw.len()));
    context.ref_prefix(candidate.base).ok()?;
    context.compress2(&mut payload, candidate.raw).ok()?;
    let bases = Bases { ids: candidate.bases.ids.clone(), skip: 0 };
    let bytes = codecs.spares.pop().unwrap_or_default();
    frame_of(candidate, (CODEC_ZSTD_BASE, bases), (None, &payload), bytes)
}

fn frame_of(
    candidate: &Candidate,
    (codec, bases): (u8, Bases),
    (phase, payload): (Option<u8>, &[u8]),
    mut bytes: Vec<u8>,
) -> Option<EncodedFrame> {
    let raw_len = u32::try_from(candidate.raw.len()).ok()?;
    let payload_len = u32::try_from(payload.len() + usize::from(phase.is_some())).ok()?;
    let n_bases = u8::try_from(bases.ids.len()).ok()?;
    bytes.clear();
    bytes.reserve_exact(Bases::MAX_PREFIX + payload.len());
    FrameHead { codec, n_bases, n_objects: 1, raw_len, payload_len }.encode_into(&mut bytes);
    bases.encode_into(&mut bytes);
    bytes.extend(phase);
    bytes.extend_from_slice(payload);
    let objects = vec![(candidate.id.0, raw_len)];
    Some(EncodedFrame { kind: PackKind::Data, codec, raw_len, bytes, objects, bases: Some(bases) })
}
