//! The coders behind the codec bytes, with the buffers that a worker keeps between frames.

use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::{self, CParameter, ParamSwitch, WriteBuf};

use super::column_coder::ColumnCoder;
use super::column_decoder::ColumnDecoder;
use super::error::FrameError;
use super::layout::{
    CODEC_COLUMNS, CODEC_PLANES, CODEC_STORED, CODEC_ZSTD, MAX_NODE_RAW, may_have_planes,
};
use super::plane_coder::{Effort, PlaneCoder};
use super::planes::Width;
use super::probe::{Guess, guess};
use crate::hash::PackKind;
use crate::wire::Reader;

/// Higher levels cost two to six times the time on frames of 64 KiB, and tables gain nothing by it.
const LEVEL: i32 = 1;

/// Compression state of one thread: make one per worker and reuse it, it holds some megabytes.
pub struct Codecs {
    compressor: Compressor<'static>,
    decompressor: Decompressor<'static>,
    planes: PlaneCoder,
    columns: ColumnCoder,
    column_decoder: ColumnDecoder,
    packed: Vec<u8>,
    other: Vec<u8>,
    check: Vec<u8>,
    /// Memory for the next frames.
    pub(super) spares: Vec<Vec<u8>>,
    /// Where a writer joins the objects of a frame, or takes a base off its numbers.
    pub(super) joined: Vec<u8>,
}

impl Default for Codecs {
    fn default() -> Self {
        Self {
            compressor: tuned(&[CParameter::CompressionLevel(LEVEL)]),
            decompressor: Decompressor::default(),
            planes: PlaneCoder::default(),
            columns: ColumnCoder::default(),
            column_decoder: ColumnDecoder::default(),
            packed: Vec::new(),
            other: Vec::new(),
            check: Vec::new(),
            spares: Vec::new(),
            joined: Vec::new(),
        }
    }
}

impl std::fmt::Debug for Codecs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Codecs").finish_non_exhaustive()
    }
}

impl Codecs {
    /// Makes the state; the buffers grow with first use.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns how many buffers of [`Self::reuse`] are left.
    pub fn spares(&self) -> usize {
        self.spares.len()
    }

    /// Takes buffers to make the next frames in; what they hold is forgotten.
    pub fn reuse(&mut self, buffers: impl IntoIterator<Item = Vec<u8>>) {
        self.spares.extend(buffers);
    }

    /// Codes the content of a frame in the way that pays: returns the codec and the payload.
    ///
    /// Coded bytes are used only if they are 3 % shorter and decode to `raw` again, so a defect of a
    /// coder can never cost content.
    pub(super) fn pack<'a>(
        &'a mut self,
        kind: PackKind,
        n_objects: u16,
        raw: &'a [u8],
    ) -> (u8, &'a [u8]) {
        let codec = match guess(raw) {
            Guess::Stored => CODEC_STORED,
            Guess::Planes(width) if may_have_planes(kind, n_objects) => {
                self.pack_planes(raw, width, Effort::Quick)
            }
            Guess::PlanesOrZstd(width) if may_have_planes(kind, n_objects) => {
                let codec = self.pack_planes(raw, width, Effort::Thorough);
                self.or_zstd(raw, codec)
            }
            Guess::Text if may_have_planes(kind, n_objects) => self.pack_text(raw),
            Guess::Planes(_) | Guess::PlanesOrZstd(_) | Guess::Text | Guess::Zstd => {
                self.pack_zstd(raw)
            }
        };
        let limit = (raw.len() - raw.len() / 32).saturating_sub(1);
        let pays = codec != CODEC_STORED && !self.packed.is_empty() && self.packed.len() <= limit;
        if !pays || !self.decodes_to(codec, raw) {
            return (CODEC_STORED, raw);
        }
        (codec, &self.packed)
    }

    fn pack_zstd(&mut self, raw: &[u8]) -> u8 {
        compress_into(&mut self.compressor, raw, &mut self.packed);
        CODEC_ZSTD
    }

    fn pack_planes(&mut self, raw: &[u8], width: Width, effort: Effort) -> u8 {
        self.planes.encode(&mut self.compressor, raw, (width, effort), &mut self.packed);
        CODEC_PLANES
    }

    fn pack_text(&mut self, raw: &[u8]) -> u8 {
        match self.columns.encode(&mut self.compressor, raw, &mut self.packed) {
            None => self.pack_zstd(raw),
            Some(false) => CODEC_COLUMNS,
            Some(true) => self.or_zstd(raw, CODEC_COLUMNS),
        }
    }

    /// Keeps what `packed` holds, or takes zstd, whichever is shorter.
    fn or_zstd(&mut self, raw: &[u8], codec: u8) -> u8 {
        compress_into(&mut self.compressor, raw, &mut self.other);
        if self.other.is_empty() || self.packed.len() <= self.other.len() {
            return codec;
        }
        std::mem::swap(&mut self.packed, &mut self.other);
        CODEC_ZSTD
    }

    fn decodes_to(&mut self, codec: u8, raw: &[u8]) -> bool {
        if codec == CODEC_PLANES {
            let packed = std::mem::take(&mut self.packed);
            let same = self.planes_decode_to(&packed, raw).unwrap_or(false);
            self.packed = packed;
            return same;
        }
        let mut check = std::mem::take(&mut self.check);
        let packed = std::mem::take(&mut self.packed);
        let same = self.unpack(codec, &packed, raw.len(), &mut check).is_ok() && check == raw;
        self.packed = packed;
        self.check = check;
        same
    }

    /// Codes content as byte planes, whether that pays or not.
    pub(super) fn planes_of(&mut self, raw: &[u8], width: Width, effort: Effort) -> &[u8] {
        self.pack_planes(raw, width, effort);
        &self.packed
    }

    /// Says whether byte planes decode to `raw`.
    pub(super) fn planes_decode_to(
        &mut self,
        payload: &[u8],
        raw: &[u8],
    ) -> Result<bool, FrameError> {
        self.planes.decodes_to(&mut self.decompressor, payload, raw)
    }

    /// Decodes a payload that must give exactly `raw_len` bytes; the limits were checked before.
    pub(super) fn unpack(
        &mut self,
        codec: u8,
        payload: &[u8],
        raw_len: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), FrameError> {
        match codec {
            CODEC_STORED => {
                out.clear();
                out.extend_from_slice(payload);
                Ok(())
            }
            CODEC_ZSTD => {
                check_zstd(payload, raw_len)?;
                out.clear();
                out.reserve_exact(raw_len);
                decompress(&mut self.decompressor, payload, raw_len, out)
            }
            CODEC_PLANES => self.planes.decode(&mut self.decompressor, payload, raw_len, out),
            CODEC_COLUMNS => {
                self.column_decoder.decode(&mut self.decompressor, payload, raw_len, out)
            }
            _ => Err(FrameError::Newer { codec }),
        }
    }
}

/// Makes a compressor of ordinary zstd frames that does not look for matches.
pub(super) fn huffman_only() -> Compressor<'static> {
    tuned(&[
        CParameter::CompressionLevel(-1),
        // The largest there is: the search steps over a whole block at once.
        CParameter::TargetLength(1 << 17),
        // Negative levels leave literals as they are otherwise.
        CParameter::LiteralCompressionMode(ParamSwitch::Enable),
    ])
}

/// Makes a compressor with these parameters. One that zstd does not take costs size, not content.
pub(super) fn tuned(parameters: &[CParameter]) -> Compressor<'static> {
    let mut compressor = Compressor::default();
    for parameter in parameters {
        if compressor.set_parameter(*parameter).is_err() {
            return Compressor::default();
        }
    }
    compressor
}

/// Replaces `out` by one zstd frame; leaves it empty if the compressor fails.
pub(super) fn compress_into(compressor: &mut Compressor<'static>, raw: &[u8], out: &mut Vec<u8>) {
    out.clear();
    out.reserve(zstd_safe::compress_bound(raw.len()));
    if compressor.compress_to_buffer(raw, out).is_err() {
        out.clear();
    }
}

/// Decodes one zstd frame that must fill `out` exactly.
pub(super) fn unpack_zstd(
    decompressor: &mut Decompressor<'static>,
    payload: &[u8],
    out: &mut [u8],
) -> Result<(), FrameError> {
    check_zstd(payload, out.len())?;
    let raw_len = out.len();
    decompress(decompressor, payload, raw_len, out)
}

fn decompress<Buffer: WriteBuf + ?Sized>(
    decompressor: &mut Decompressor<'static>,
    payload: &[u8],
    raw_len: usize,
    out: &mut Buffer,
) -> Result<(), FrameError> {
    match decompressor.decompress_to_buffer(payload, out) {
        Ok(len) if len == raw_len => Ok(()),
        Ok(_) => Err(FrameError::Malformed("it decodes to another length than it declares")),
        Err(_) => Err(FrameError::Malformed("its payload does not decode")),
    }
}

/// Refuses, before anything is decoded, what zstd would allow and the format does not.
pub(super) fn check_zstd(payload: &[u8], raw_len: usize) -> Result<(), FrameError> {
    check_zstd_header(payload, raw_len)?;
    if matches!(zstd_safe::find_frame_compressed_size(payload), Ok(n) if n == payload.len()) {
        Ok(())
    } else {
        Err(FrameError::Malformed("its payload is not exactly one zstd frame"))
    }
}

/// Refuses skippable frames, dictionaries, checksums, large windows, another content size.
fn check_zstd_header(payload: &[u8], raw_len: usize) -> Result<(), FrameError> {
    let mut reader = Reader::new(payload);
    if reader.array::<4>()? != [0x28, 0xb5, 0x2f, 0xfd] {
        return Err(FrameError::Malformed("its payload does not begin as a zstd frame"));
    }
    let descriptor = reader.u8()?;
    if descriptor & 0b1_1111 != 0 {
        return Err(FrameError::Malformed("its zstd frame has a checksum or a dictionary"));
    }
    let single_segment = descriptor & 0x20 != 0;
    if !single_segment {
        let window = reader.u8()?;
        let base = 1u64 << (10 + (window >> 3));
        if base + base / 8 * u64::from(window & 7) > u64::from(MAX_NODE_RAW) {
            return Err(FrameError::Malformed("its zstd frame asks for too large a window"));
        }
    }
    let declared = match (descriptor >> 6, single_segment) {
        (0, false) => return Ok(()),
        (0, true) => u64::from(reader.u8()?),
        (1, _) => u64::from(reader.u16()?) + 256,
        (2, _) => u64::from(reader.u32()?),
        _ => reader.u64()?,
    };
    if u64::try_from(raw_len).is_ok_and(|raw_len| raw_len == declared) {
        Ok(())
    } else {
        Err(FrameError::Malformed("its zstd frame declares another content length"))
    }
}
