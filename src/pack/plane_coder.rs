//! The payload of codec 2: each byte plane coded on its own.

use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe;

use super::codec::{compress_into, huffman_only, unpack_zstd};
use super::error::FrameError;
use super::planes::{WIDEST, Width, extract, is_extract, join};
use super::probe::is_skewed;
use crate::wire::Reader;

const MODE_STORED: u8 = 0;
const MODE_ZSTD: u8 = 1;
/// Bytes before the planes: the width, then mode and length of each.
const ENTRY_LEN: usize = 5;
/// A plane is coded if that saves more than one byte in this many.
const LEAST_GAIN: usize = 50;

/// A plane that shrinks more than this many times may be mostly runs; Huffman's code takes at least
/// the eighth part.
const RUNS: usize = 6;

/// How hard an encoder looks for what a plane can lose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effort {
    /// Skewed planes go through Huffman's code, the others are stored: right for weights.
    Quick,
    /// Each plane is also searched for repetitions: right for counters and tables.
    Thorough,
}

/// Coder and buffers for planes.
pub(super) struct PlaneCoder {
    /// Makes ordinary zstd frames without looking for matches, of which weights have none.
    huffman: Compressor<'static>,
    planes: Vec<u8>,
    body: Vec<u8>,
    other: Vec<u8>,
}

impl Default for PlaneCoder {
    fn default() -> Self {
        let huffman = huffman_only();
        Self { huffman, planes: Vec::new(), body: Vec::new(), other: Vec::new() }
    }
}

impl PlaneCoder {
    /// Codes `raw` into `out`, which it replaces; `search` looks for repetitions where that is wanted.
    pub(super) fn encode(
        &mut self,
        search: &mut Compressor<'static>,
        raw: &[u8],
        (width, effort): (Width, Effort),
        out: &mut Vec<u8>,
    ) {
        let Self { huffman, body, other, .. } = self;
        let (len, head_len) = (raw.len() / width.bytes(), 1 + ENTRY_LEN * width.bytes());
        let mut head = Vec::with_capacity(1 + ENTRY_LEN * WIDEST);
        head.push(width.byte());
        // Old bytes may stay: all of them are written over or cut off.
        out.resize(head_len + raw.len(), 0);
        let mut end = head_len;
        for rank in 0..u32::from(width.byte()) {
            // A plane that is stored lies in its place already.
            let plane = out.get_mut(end..end + len).unwrap_or_default();
            extract(raw, width, rank, plane);
            body.clear();
            if effort == Effort::Thorough || is_skewed(plane) {
                compress_into(huffman, plane, body);
            }
            // Huffman's code takes a bit for each byte; of long runs a search takes nearly nothing.
            let runs = !body.is_empty() && body.len() < len / RUNS;
            if effort == Effort::Thorough || runs {
                compress_into(search, plane, other);
                if body.is_empty() || (!other.is_empty() && other.len() < body.len()) {
                    std::mem::swap(body, other);
                }
            }
            let pays = !body.is_empty() && body.len() < len - len / LEAST_GAIN;
            let (mode, coded_len) = if pays { (MODE_ZSTD, body.len()) } else { (MODE_STORED, len) };
            if pays && let Some(plane) = plane.get_mut(..coded_len) {
                plane.copy_from_slice(body);
            }
            head.push(mode);
            // A plane is at most as long as a chunk, so the length always fits.
            head.extend_from_slice(&u32::try_from(coded_len).unwrap_or(u32::MAX).to_le_bytes());
            end += coded_len;
        }
        out.truncate(end);
        out.extend_from_slice(raw.get(len * width.bytes()..).unwrap_or_default());
        for (to, from) in out.iter_mut().zip(head) {
            *to = from;
        }
    }

    /// Decodes a payload that must give exactly `raw_len` bytes, which the caller has checked.
    pub(super) fn decode(
        &mut self,
        decompressor: &mut Decompressor<'static>,
        payload: &[u8],
        raw_len: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), FrameError> {
        let Payload { width, len, heads, mut bodies, tail } = Payload::read(payload, raw_len)?;
        self.planes.resize(len * width.bytes(), 0);
        for (plane, head) in self.planes.chunks_exact_mut(len).zip(&heads) {
            let body = bodies.split_off(..head.len).unwrap_or_default();
            if head.mode == MODE_STORED {
                plane.copy_from_slice(body);
            } else {
                unpack_zstd(decompressor, body, plane)?;
            }
        }
        out.clear();
        out.reserve_exact(raw_len);
        join(&self.planes, width, out);
        out.extend_from_slice(tail);
        Ok(())
    }

    /// Says whether [`Self::decode`] would give `raw`: each plane is decoded and compared with the
    /// bytes it stands for, which costs a third of bringing all of them together.
    pub(super) fn decodes_to(
        &mut self,
        decompressor: &mut Decompressor<'static>,
        payload: &[u8],
        raw: &[u8],
    ) -> Result<bool, FrameError> {
        let Payload { width, len, heads, mut bodies, tail } = Payload::read(payload, raw.len())?;
        self.planes.resize(len, 0);
        for (head, rank) in heads.iter().zip(0..) {
            let body = bodies.split_off(..head.len).unwrap_or_default();
            let plane = if head.mode == MODE_STORED {
                body
            } else {
                unpack_zstd(decompressor, body, &mut self.planes)?;
                &self.planes
            };
            if !is_extract(raw, width, rank, plane) {
                return Ok(false);
            }
        }
        Ok(raw.get(len * width.bytes()..) == Some(tail))
    }
}

/// The parts of a payload, their lengths checked against that of the content.
struct Payload<'a> {
    width: Width,
    /// Bytes of one plane, decoded.
    len: usize,
    heads: Vec<PlaneHead>,
    /// The coded planes, one behind the other.
    bodies: &'a [u8],
    /// What stands behind the last whole element.
    tail: &'a [u8],
}

impl<'a> Payload<'a> {
    fn read(payload: &'a [u8], raw_len: usize) -> Result<Self, FrameError> {
        let mut reader = Reader::new(payload);
        let width = Width::from_byte(reader.u8()?)
            .ok_or(FrameError::Malformed("its elements are not 2, 4 or 8 bytes wide"))?;
        let len = raw_len / width.bytes();
        if len == 0 {
            return Err(FrameError::Malformed("its content is shorter than one element"));
        }
        let heads = PlaneHead::read_all(&mut reader, width, len)?;
        let total: usize = heads.iter().map(|head| head.len).sum();
        let (bodies, tail) = reader
            .rest()
            .split_at_checked(total)
            .filter(|(_, tail)| tail.len() == raw_len % width.bytes())
            .ok_or(FrameError::Malformed("its planes do not add up to its payload"))?;
        Ok(Self { width, len, heads, bodies, tail })
    }
}

/// What a payload says of one plane.
struct PlaneHead {
    mode: u8,
    len: usize,
}

impl PlaneHead {
    /// Reads all heads and checks each against the length of a plane.
    fn read_all(
        reader: &mut Reader<'_>,
        width: Width,
        plane_len: usize,
    ) -> Result<Vec<Self>, FrameError> {
        let mut heads = Vec::with_capacity(width.bytes());
        for _ in 0..width.bytes() {
            let (mode, len) = (reader.u8()?, reader.u32()? as usize);
            let fits = match mode {
                MODE_STORED => len == plane_len,
                MODE_ZSTD => len <= zstd_safe::compress_bound(plane_len),
                _ => return Err(FrameError::Malformed("it has a plane of an unknown mode")),
            };
            if !fits {
                return Err(FrameError::Malformed("it has a plane of an impossible length"));
            }
            heads.push(Self { mode, len });
        }
        Ok(heads)
    }
}
