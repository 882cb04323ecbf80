//! The search for the smallest window hash, arranged so that the compiler makes vector code of it.
//!
//! Four interleaved runs of whole words cover all byte positions: run r holds the words that start
//! at r, r+4, r+8 …; a window is a word and its successor in the same run. Blocks give only their
//! minimum; the position is looked up once, in the winning block.

use super::cutter::{self, A, B, C, WINDOW};

/// Cut positions whose hashes are reduced to one minimum before anything is compared.
const BLOCK: usize = 512;

/// Bytes from the start of the first to the end of the last window of a block.
const SPAN: usize = BLOCK + WINDOW - 1;

/// Returns the index of the first window of `bytes` whose hash is smallest; 0 if there is none.
///
/// Always equal to [`cutter::first_smallest`].
pub(crate) fn first_smallest(bytes: &[u8]) -> usize {
    #[cfg(target_arch = "x86_64")]
    if std::is_x86_feature_detected!("avx2") {
        #[expect(
            unsafe_code,
            reason = "the processor has just been asked for AVX2, which is all \
                  that this function needs beyond the baseline; its body is safe code"
        )]
        return unsafe { first_smallest_avx2(bytes) };
    }
    first_smallest_generic(bytes)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn first_smallest_avx2(bytes: &[u8]) -> usize {
    first_smallest_generic(bytes)
}

#[expect(clippy::inline_always, reason = "takes over the vector features of its caller")]
#[inline(always)]
pub(super) fn first_smallest_generic(bytes: &[u8]) -> usize {
    let mut smallest = u32::MAX;
    let mut winner = 0;
    let mut start = 0;
    while let Some(block) = bytes.get(start..).and_then(<[u8]>::first_chunk::<SPAN>) {
        let minimum = block_minimum(block);
        // Strictly smaller, so that the first block wins a tie.
        if minimum < smallest {
            smallest = minimum;
            winner = start;
        }
        start += BLOCK;
    }
    let block = bytes.get(winner..).and_then(<[u8]>::first_chunk::<SPAN>);
    let in_block = block.map(|block| cutter::first_smallest(block));
    let rest = bytes.get(start..).unwrap_or_default();
    let Some(in_rest) = cutter::hashes(rest).min() else {
        return winner + in_block.unwrap_or(0);
    };
    match in_block {
        Some(index) if smallest <= in_rest => winner + index,
        _ => start + cutter::first_smallest(rest),
    }
}

#[expect(clippy::inline_always, reason = "takes over the vector features of its caller")]
#[inline(always)]
fn block_minimum(block: &[u8; SPAN]) -> u32 {
    let mut minimum = u32::MAX;
    for run in 0..4 {
        let (words, _) = block.get(run..).unwrap_or_default().as_chunks::<4>();
        for (older, younger) in words.iter().zip(words.iter().skip(1)) {
            let a = u32::from_le_bytes(*older).wrapping_mul(A);
            let b = u32::from_le_bytes(*younger).wrapping_mul(B);
            minimum = minimum.min(a.wrapping_add(b).wrapping_add(C));
        }
    }
    minimum
}
