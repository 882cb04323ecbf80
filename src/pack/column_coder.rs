//! Writing the payload of codec 3: columns of a table, each coded on its own.

use zstd::bulk::Compressor;

use super::codec::{compress_into, huffman_only};
use super::column_decoder::{
    KIND_ENTRIES, KIND_EQUAL, KIND_LISTED, KIND_PLANES, KIND_STEPS, STREAM_SAME, STREAM_STORED,
    STREAM_ZSTD,
};
use super::entries::Entries;
use super::fields::{SLACK, copy, grow, transpose};
use super::probe::stream_repeats;
use super::table::Table;

/// A stream is coded if that saves more than one byte in this many.
const LEAST_GAIN: usize = 50;
/// The bytes outside whole rows may be one in this many.
const EDGES: usize = 8;
/// Content below this many bytes would give streams too short to be worth their heads.
const LEAST: usize = 4096;
/// Rows from which a guess is made whether fields agree about their places.
const SAMPLED_ROWS: usize = 64;
/// Of this many bytes, one that equals the byte at its place in the row before makes planes pay.
const AGREEING: usize = 3;

/// Coder and buffers for columns.
pub(super) struct ColumnCoder {
    huffman: Compressor<'static>,
    ends: Vec<u32>,
    fields: Vec<u8>,
    lens: Vec<u8>,
    planes: Vec<u8>,
    entries: Entries,
    coded: Vec<u8>,
    /// Bytes in which repetitions were looked for.
    searched: usize,
}

impl Default for ColumnCoder {
    fn default() -> Self {
        Self {
            huffman: huffman_only(),
            ends: Vec::new(),
            fields: Vec::new(),
            lens: Vec::new(),
            planes: Vec::new(),
            entries: Entries::default(),
            coded: Vec::new(),
            searched: 0,
        }
    }
}

impl ColumnCoder {
    /// Codes `raw` into `out`, which it replaces; nothing, and `out` is of no use, if it is no table.
    ///
    /// Says whether most of it is text that repeats, which may be shorter without columns.
    pub(super) fn encode(
        &mut self,
        search: &mut Compressor<'static>,
        raw: &[u8],
        out: &mut Vec<u8>,
    ) -> Option<bool> {
        out.clear();
        let table = Table::guess(raw).filter(|_| raw.len() >= LEAST)?;
        let Table { separator, columns, head, tail, .. } = table;
        if head.len() + tail.len() > raw.len() / EDGES || !table.cut(&mut self.ends) {
            return None;
        }
        // One end stands before the rows.
        let rows = self.ends.len() / columns;
        out.extend([separator, u8::try_from(columns).ok()?]);
        for count in [rows, head.len(), tail.len()] {
            out.extend(u32::try_from(count).ok()?.to_le_bytes());
        }
        out.extend_from_slice(head);
        out.extend_from_slice(tail);
        grow(&mut self.fields, raw.len() + SLACK);
        grow(&mut self.planes, raw.len());
        self.searched = 0;
        for column in 0..columns {
            let total = self.gather(&table, column)?;
            self.column(search, total, out)?;
        }
        Some(self.searched > raw.len() / 2)
    }

    /// Brings the fields of a column together; nothing if one is too long.
    fn gather(&mut self, table: &Table, column: usize) -> Option<usize> {
        let Self { ends, fields, lens, .. } = self;
        lens.resize(ends.len() / table.columns, 0);
        let mut at = 0;
        // A field begins behind the end of the one before it, in the same row or not.
        for (around, len) in ends.get(column..)?.chunks(table.columns).zip(&mut *lens) {
            let [before, end, ..] = around else { return None };
            let start = before.wrapping_add(1);
            *len = u8::try_from(end - start).ok()?;
            let size = usize::from(*len);
            let from = table.rows.get(start as usize..)?;
            let to = fields.get_mut(at..)?;
            if copy(from, to, size).is_none() {
                to.get_mut(..size)?.copy_from_slice(from.get(..size)?);
            }
            at += size;
        }
        Some(at)
    }

    fn column(
        &mut self,
        search: &mut Compressor<'static>,
        total: usize,
        out: &mut Vec<u8>,
    ) -> Option<()> {
        let Self { huffman, fields, lens, planes, entries, coded, searched, .. } = self;
        let mut streams = Streams { huffman, search, coded, searched };
        if let Some(first) = entries.find_steps(fields, lens) {
            out.push(KIND_STEPS);
            out.extend(first.to_le_bytes());
            streams.code(entries.numbers(), out);
            return Some(());
        }
        if entries.find(fields, lens, total) {
            out.push(KIND_ENTRIES);
            entries.write(out)?;
            streams.code(entries.numbers(), out);
            return Some(());
        }
        let first = *lens.first()?;
        let fields = fields.get_mut(..total)?;
        if !is_same(lens) {
            out.push(KIND_LISTED);
            streams.code(lens, out);
            streams.code(fields, out);
        } else if agree(fields, first.into()) {
            out.extend([KIND_PLANES, first]);
            let planes = planes.get_mut(..total)?;
            transpose(fields, first.into(), planes, |byte, to| *to = *byte);
            let varied = take_constants(planes, lens.len(), out)?;
            streams.code(planes.get(..varied)?, out);
        } else {
            out.extend([KIND_EQUAL, first]);
            streams.code(fields, out);
        }
        Some(())
    }
}

/// Says whether fields of one length resemble the field before them, place by place.
fn agree(fields: &[u8], len: usize) -> bool {
    let sample = fields.get(..SAMPLED_ROWS * len).unwrap_or(fields);
    let pairs = sample.iter().zip(sample.get(len..).unwrap_or_default());
    pairs.filter(|(a, b)| a == b).count() * AGREEING > sample.len()
}

/// Appends which planes are of one byte only, and these bytes; moves the others to the front and
/// returns how long they are.
fn take_constants(planes: &mut [u8], len: usize, out: &mut Vec<u8>) -> Option<usize> {
    let count = planes.len().checked_div(len)?;
    let flags_at = out.len();
    out.resize(flags_at + count.div_ceil(8), 0);
    let mut kept = 0;
    for place in 0..count {
        let at = place * len;
        let plane = planes.get(at..at + len)?;
        let first = *plane.first()?;
        if is_same(plane) {
            *out.get_mut(flags_at + place / 8)? |= 1 << (place % 8);
            out.push(first);
        } else {
            if at != kept {
                planes.copy_within(at..at + len, kept);
            }
            kept += len;
        }
    }
    Some(kept)
}

fn is_same(bytes: &[u8]) -> bool {
    // Compared with itself one byte on, many at once.
    bytes.split_first().is_some_and(|(_, rest)| bytes.get(..rest.len()) == Some(rest))
}

/// The coders of streams.
struct Streams<'a> {
    huffman: &'a mut Compressor<'static>,
    search: &'a mut Compressor<'static>,
    coded: &'a mut Vec<u8>,
    searched: &'a mut usize,
}

impl Streams<'_> {
    /// Appends a stream in the way that pays; nothing for an empty one.
    fn code(&mut self, raw: &[u8], out: &mut Vec<u8>) {
        let Some(first) = raw.first() else { return };
        if is_same(raw) {
            out.extend([STREAM_SAME, *first]);
            return;
        }
        let coder = if stream_repeats(raw) {
            *self.searched += raw.len();
            &mut *self.search
        } else {
            &mut *self.huffman
        };
        compress_into(coder, raw, self.coded);
        let pays =
            !self.coded.is_empty() && self.coded.len() + 4 < raw.len() - raw.len() / LEAST_GAIN;
        match u32::try_from(self.coded.len()) {
            Ok(len) if pays => {
                out.push(STREAM_ZSTD);
                out.extend(len.to_le_bytes());
                out.extend_from_slice(self.coded);
            }
            _ => {
                out.push(STREAM_STORED);
                out.extend_from_slice(raw);
            }
        }
    }
}
