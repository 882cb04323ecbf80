//! Moving the fields of a table: out of rows, into rows, and into planes.

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

/// Makes a buffer at least that long; what it holds is written over.
pub(super) fn grow(buffer: &mut Vec<u8>, len: usize) {
    if buffer.len() < len {
        buffer.resize(len, 0);
    }
}

/// Moves byte j of each field into plane j, or back. All fields are `len` bytes long.
pub(super) fn transpose(
    fields: &mut [u8],
    len: usize,
    planes: &mut [u8],
    mut act: impl FnMut(&mut u8, &mut u8),
) {
    let Some(count) = fields.len().checked_div(len).filter(|count| *count > 0) else { return };
    for (place, plane) in planes.chunks_exact_mut(count).enumerate() {
        for (field, to) in fields.chunks_exact_mut(len).zip(plane) {
            if let Some(byte) = field.get_mut(place) {
                act(byte, to);
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
