//! Moving the fields of a table: out of rows, into rows, and into planes of equal places.

use super::table::ROW_END;

/// How many bytes a copy of a field may write, or read, behind its end; buffers are that much longer.
pub(super) const SLACK: usize = 16;

/// Copies `len` bytes and up to [`SLACK`] more, in steps of a fixed size, which is several times as
/// fast for fields of a few bytes. Nothing if one of the buffers ends before that.
#[inline]
pub(super) fn copy(from: &[u8], to: &mut [u8], len: usize) -> Option<()> {
    *to.first_chunk_mut::<SLACK>()? = *from.first_chunk()?;
    let mut done = SLACK;
    while done < len {
        *to.get_mut(done..)?.first_chunk_mut::<SLACK>()? = *from.get(done..)?.first_chunk()?;
        done += SLACK;
    }
    Some(())
}

/// How long the fields of a column are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lengths<'a> {
    /// All alike, that many fields.
    Equal(usize, usize),
    /// One byte each.
    Listed(&'a [u8]),
}

impl Lengths<'_> {
    pub(super) fn total(&self) -> usize {
        match self {
            Self::Equal(len, count) => len * count,
            Self::Listed(lens) => lens.iter().map(|len| usize::from(*len)).sum(),
        }
    }

    pub(super) fn longest(&self) -> usize {
        match self {
            Self::Equal(len, _) => *len,
            Self::Listed(lens) => lens.iter().max().copied().map_or(0, usize::from),
        }
    }

    /// Returns how many fields are longer than `place`, for each place up to the longest.
    pub(super) fn reaching(&self) -> Vec<usize> {
        match self {
            Self::Equal(len, count) => vec![*count; *len],
            Self::Listed(lens) => {
                let mut counts = [0usize; 256];
                for len in *lens {
                    if let Some(count) = counts.get_mut(usize::from(*len)) {
                        *count += 1;
                    }
                }
                let mut left = lens.len();
                let here = counts.iter().take(self.longest()).map(|count| {
                    left -= count;
                    left
                });
                here.collect()
            }
        }
    }
}

/// Moves the bytes of fields that lie one after the other into planes, or back.
///
/// Plane 0 has the last byte of each field, plane 1 the one before it, and so on: numbers agree about
/// their places from the end on. A plane has the bytes of the fields that reach it, in order.
pub(super) fn transpose(
    fields: &mut [u8],
    lengths: Lengths,
    planes: &mut [u8],
    mut act: impl FnMut(&mut u8, &mut u8),
) {
    match lengths {
        Lengths::Equal(0, _) | Lengths::Equal(_, 0) => {}
        Lengths::Equal(len, count) => {
            for (plane, place) in planes.chunks_exact_mut(count).zip((0..len).rev()) {
                let bytes = fields.iter_mut().skip(place).step_by(len);
                bytes.zip(plane).for_each(|(byte, to)| act(byte, to));
            }
        }
        Lengths::Listed(lens) => {
            let mut cursors = [0usize; 256];
            let mut start = 0;
            for (cursor, count) in cursors.iter_mut().zip(lengths.reaching()) {
                *cursor = start;
                start += count;
            }
            let mut rest = fields;
            for len in lens {
                let Some(field) = rest.split_off_mut(..usize::from(*len)) else { return };
                for (byte, cursor) in field.iter_mut().rev().zip(&mut cursors) {
                    if let Some(to) = planes.get_mut(*cursor) {
                        act(byte, to);
                    }
                    *cursor += 1;
                }
            }
        }
    }
}

/// A column whose fields are at hand.
#[derive(Clone, Copy, Debug)]
pub(super) enum Column {
    /// Fields of one length, one after the other from a place on.
    Equal { at: usize, len: usize },
    /// Fields one after the other from a place on; their lengths from another place on.
    Listed { at: usize, lens: usize },
    /// For each row, from a place on, which of the entries from another place on it has.
    Entries { which: usize, entries: usize },
}

/// The decoded parts of a table.
pub(super) struct Parts<'a> {
    pub(super) fields: &'a [u8],
    /// Lengths, and numbers of entries.
    pub(super) small: &'a [u8],
    /// Place and length of each entry.
    pub(super) entries: &'a [(usize, usize)],
}

impl Parts<'_> {
    /// Writes all rows to the front of `out`; nothing if that or a part is too short.
    pub(super) fn join(
        &self,
        columns: &mut [Column],
        rows: usize,
        separator: u8,
        out: &mut [u8],
    ) -> Option<usize> {
        let mut end = 0;
        for _ in 0..rows {
            for column in columns.iter_mut() {
                let (at, len) = match column {
                    Column::Equal { at, len } => {
                        let here = *at;
                        *at += *len;
                        (here, *len)
                    }
                    Column::Listed { at, lens } => {
                        let (here, len) = (*at, usize::from(*self.small.get(*lens)?));
                        *at += len;
                        *lens += 1;
                        (here, len)
                    }
                    Column::Entries { which, entries } => {
                        let number = usize::from(*self.small.get(*which)?);
                        *which += 1;
                        *self.entries.get(*entries + number)?
                    }
                };
                let to = out.get_mut(end..)?;
                copy(self.fields.get(at..)?, to, len)?;
                *to.get_mut(len)? = separator;
                end += len + 1;
            }
            *out.get_mut(end.checked_sub(1)?)? = ROW_END;
        }
        Some(end)
    }
}
