//! The coders behind the codec bytes, with the buffers that a worker keeps between frames.

use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe;

use super::error::FrameError;
use super::layout::{CODEC_STORED, CODEC_ZSTD, MAX_NODE_RAW};
use super::probe::looks_compressible;
use crate::wire::Reader;

/// Compression state of one thread: make one per worker and reuse it, it holds some megabytes.
#[derive(Default)]
pub struct Codecs {
    /// Made with the library's own default level, which is 3.
    compressor: Compressor<'static>,
    decompressor: Decompressor<'static>,
    packed: Vec<u8>,
    check: Vec<u8>,
    /// Where a writer joins the objects of a frame.
    pub(super) joined: Vec<u8>,
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

    /// Codes `raw` in the way that pays: returns the codec and the payload.
    ///
    /// Compressed bytes are used only if they are 3 % shorter and decode to `raw` again, so a defect
    /// of the compressor can never cost content.
    pub(super) fn pack<'a>(&'a mut self, raw: &'a [u8]) -> (u8, &'a [u8]) {
        if !looks_compressible(raw) || !self.compress(raw) || !self.decodes_to(raw) {
            return (CODEC_STORED, raw);
        }
        (CODEC_ZSTD, &self.packed)
    }

    /// Fills `packed`; says whether that was worth it.
    fn compress(&mut self, raw: &[u8]) -> bool {
        let limit = (raw.len() - raw.len() / 32).saturating_sub(1);
        self.packed.clear();
        self.packed.reserve(zstd_safe::compress_bound(raw.len()));
        self.compressor.compress_to_buffer(raw, &mut self.packed).is_ok_and(|len| len <= limit)
    }

    fn decodes_to(&mut self, raw: &[u8]) -> bool {
        let mut check = std::mem::take(&mut self.check);
        let packed = std::mem::take(&mut self.packed);
        let same = self.unpack_zstd(&packed, raw.len(), &mut check).is_ok() && check == raw;
        self.packed = packed;
        self.check = check;
        same
    }

    /// Decodes one zstd frame that must fill the payload and give exactly `raw_len` bytes.
    pub(super) fn unpack_zstd(
        &mut self,
        payload: &[u8],
        raw_len: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), FrameError> {
        check_zstd_header(payload, raw_len)?;
        if !matches!(zstd_safe::find_frame_compressed_size(payload), Ok(n) if n == payload.len()) {
            return Err(FrameError::Malformed("its payload is not exactly one zstd frame"));
        }
        out.clear();
        out.reserve_exact(raw_len);
        match self.decompressor.decompress_to_buffer(payload, out) {
            Ok(len) if len == raw_len && out.len() == raw_len => Ok(()),
            Ok(_) => Err(FrameError::Malformed("it decodes to another length than it declares")),
            Err(_) => Err(FrameError::Malformed("its payload does not decode")),
        }
    }
}

/// Refuses, before anything is decoded, what zstd would allow and the format does not: skippable
/// frames, dictionaries, checksums, large windows, another content size.
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
