//! Text tables: where the fields of a chunk begin and end.
//!
//! Knows nothing of payloads and coders.

use std::ops::RangeInclusive;

/// What may stand between the fields of a row.
pub(super) const SEPARATORS: [u8; 5] = *b",\t;| ";
/// What ends a row.
pub(super) const ROW_END: u8 = b'\n';
/// How many fields a row may have.
pub(super) const COLUMNS: RangeInclusive<usize> = 2..=64;
/// Rows that must agree before a whole chunk is looked at.
const PROBED_ROWS: usize = 6;
/// How far into a chunk these rows may reach, in bytes.
const PROBED: usize = 4096;
/// Bytes that are looked at together: as many as a mask has bits.
const BLOCK: usize = 64;
/// By how many fields the list of them grows at a time.
const GROWTH: usize = 32 * BLOCK;

/// A chunk seen as a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Table<'a> {
    pub(super) separator: u8,
    /// Fields of each row.
    pub(super) columns: usize,
    /// The bytes up to the end of the first row, which a chunk rarely has from its beginning.
    pub(super) head: &'a [u8],
    /// The whole rows behind it, each with its end.
    pub(super) rows: &'a [u8],
    /// The bytes behind the last end of a row.
    pub(super) tail: &'a [u8],
}

impl<'a> Table<'a> {
    /// Guesses from the first rows whether `raw` is a table; costs about a microsecond.
    pub(super) fn guess(raw: &'a [u8]) -> Option<Self> {
        let probed = raw.get(..PROBED).unwrap_or(raw);
        let mut lines = probed.split(|byte| *byte == ROW_END);
        let head_len = lines.next()?.len() + 1;
        let mut counts = None;
        let mut seen = 0;
        for line in lines.take(PROBED_ROWS + 1) {
            // The last piece of the probe may be half a row.
            if line.as_ptr_range().end == probed.as_ptr_range().end {
                break;
            }
            let here = SEPARATORS.map(|separator| count(line, separator));
            let both = counts.unwrap_or(here).into_iter().zip(here);
            // A separator that two rows disagree about is none from then on.
            let mut kept = [0; SEPARATORS.len()];
            for (kept, (before, now)) in kept.iter_mut().zip(both) {
                *kept = if before == now { now } else { 0 };
            }
            counts = Some(kept);
            seen += 1;
        }
        if seen < PROBED_ROWS {
            return None;
        }
        let (count, separator) = counts?.into_iter().zip(SEPARATORS).max_by_key(|(n, _)| *n)?;
        let columns = count + 1;
        let (head, rest) = raw.split_at_checked(head_len)?;
        let rows_len = rest.iter().rposition(|byte| *byte == ROW_END)? + 1;
        let (rows, tail) = rest.split_at_checked(rows_len)?;
        COLUMNS.contains(&columns).then_some(Self { separator, columns, head, rows, tail })
    }

    /// Fills `ends` with the place of each separator and each end of a row within the rows, behind one
    /// that stands for the end of a row before them: the place before the first byte, wrapped. False
    /// if a row has another number of fields than the others.
    pub(super) fn cut(&self, ends: &mut Vec<u32>) -> bool {
        let (blocks, rest) = self.rows.as_chunks::<BLOCK>();
        let mut count = 1;
        let mut at = 0u32;
        ends.resize(ends.len().max(count), 0);
        for block in blocks {
            if ends.len() < count + BLOCK {
                ends.resize(count + GROWTH, 0);
            }
            let room = ends.get_mut(count..).and_then(<[u32]>::first_chunk_mut);
            count += room.map_or(0, |room| places(self.marks(block), at, room));
            at += 64;
        }
        ends.truncate(count);
        for byte in rest {
            if *byte == self.separator || *byte == ROW_END {
                ends.push(at);
            }
            at += 1;
        }
        let Some((before, ends)) = ends.split_first_mut() else { return false };
        *before = u32::MAX;
        let rows = ends.chunks_exact(self.columns);
        let row_ends = self::count(self.rows, ROW_END);
        // As many ends as rows, and one at the end of each: so none lies within a row.
        rows.remainder().is_empty()
            && rows.len() == row_ends
            && rows
                .filter_map(|row| row.last())
                .all(|end| self.rows.get(*end as usize) == Some(&ROW_END))
    }

    /// Returns a bit for each byte, the first in the lowest: whether a field ends there.
    fn marks(&self, block: &[u8; BLOCK]) -> u64 {
        // Bytes first, which compilers do many of at once, then their bits.
        let mut ends = [0; BLOCK];
        for (to, byte) in ends.iter_mut().zip(block) {
            *to = u8::from(*byte == self.separator) | u8::from(*byte == ROW_END);
        }
        let words = ends.as_chunks::<8>().0.iter().zip((0..).step_by(8));
        words.fold(0, |marks, (word, shift)| {
            let bits = u64::from_le_bytes(*word).wrapping_mul(0x0102_0408_1020_4080) >> 56;
            marks | bits << shift
        })
    }
}

/// Writes where the bits are, counted from `at`, to the front of `out`; returns how many they are.
fn places(mut marks: u64, at: u32, out: &mut [u32; BLOCK]) -> usize {
    const STEP: usize = 8;
    let count = marks.count_ones() as usize;
    // Always several at once: where the bits end is what processors guess wrongly.
    for out in out.as_chunks_mut::<STEP>().0.iter_mut().take(count.div_ceil(STEP)) {
        for place in out {
            *place = at + marks.trailing_zeros();
            marks &= marks.wrapping_sub(1);
        }
    }
    count
}

/// Counts a byte. Sums that fit a byte are what compilers turn into vector code.
fn count(bytes: &[u8], wanted: u8) -> usize {
    let part = |part: &[u8]| part.iter().map(|byte| u8::from(*byte == wanted)).sum::<u8>();
    bytes.chunks(192).map(|bytes| usize::from(part(bytes))).sum()
}
