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

    /// Fills `ends` with the place of each separator and each end of a row within the rows; false if a
    /// row has another number of fields than the others.
    pub(super) fn cut(&self, ends: &mut Vec<u32>) -> bool {
        ends.clear();
        let (blocks, rest) = self.rows.as_chunks::<BLOCK>();
        let mut at = 0u32;
        for block in blocks {
            // One mask for many bytes: the end of the inner loop is what processors guess wrongly.
            let mut marks = 0u64;
            for (word, shift) in block.as_chunks::<8>().0.iter().zip((0..).step_by(8)) {
                let word = u64::from_le_bytes(*word);
                marks |= gather_bits(equal(word, self.separator) | equal(word, ROW_END)) << shift;
            }
            while marks != 0 {
                ends.push(at + marks.trailing_zeros());
                marks &= marks - 1;
            }
            at += 64;
        }
        for byte in rest {
            if *byte == self.separator || *byte == ROW_END {
                ends.push(at);
            }
            at += 1;
        }
        let rows = ends.chunks_exact(self.columns);
        let row_ends = count(self.rows, ROW_END);
        // As many ends as rows, and one at the end of each: so none lies within a row.
        rows.remainder().is_empty()
            && rows.len() == row_ends
            && rows
                .filter_map(|row| row.last())
                .all(|end| self.rows.get(*end as usize) == Some(&ROW_END))
    }
}

/// Returns a word with the highest bit of each byte set that is `byte`, and no other bit.
fn equal(word: u64, byte: u8) -> u64 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let differing = word ^ (u64::from(byte) * 0x0101_0101_0101_0101);
    !(((differing & LOW) + LOW) | differing | LOW)
}

/// Brings the highest bits of all bytes together, that of the lowest byte first.
fn gather_bits(bits: u64) -> u64 {
    (bits >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

/// Counts a byte. Sums that fit a byte are what compilers turn into vector code.
fn count(bytes: &[u8], wanted: u8) -> usize {
    let part = |part: &[u8]| part.iter().map(|byte| u8::from(*byte == wanted)).sum::<u8>();
    bytes.chunks(192).map(|bytes| usize::from(part(bytes))).sum()
}
