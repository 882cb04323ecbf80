//! Reading the payload of codec 3: columns of a table, each coded on its own.

use zstd::bulk::Decompressor;
use zstd::zstd_safe;

use super::codec::unpack_zstd;
use super::decimal::Decimal;
use super::error::FrameError;
use super::fields::{Column, Parts, SLACK, grow, transpose};
use super::table::{COLUMNS, SEPARATORS};
use crate::wire::Reader;

/// How a stream lies in a payload.
pub(super) const STREAM_STORED: u8 = 0;
pub(super) const STREAM_ZSTD: u8 = 1;
pub(super) const STREAM_SAME: u8 = 2;

/// How the fields of a column lie in its streams.
pub(super) const KIND_EQUAL: u8 = 0;
pub(super) const KIND_LISTED: u8 = 1;
pub(super) const KIND_PLANES: u8 = 2;
pub(super) const KIND_ENTRIES: u8 = 3;
pub(super) const KIND_STEPS: u8 = 4;

/// Buffers for reading columns.
#[derive(Default)]
pub(super) struct ColumnDecoder {
    fields: Vec<u8>,
    small: Vec<u8>,
    planes: Vec<u8>,
    entries: Vec<(usize, usize)>,
    columns: Vec<Column>,
}

impl ColumnDecoder {
    /// Decodes a payload that must give exactly `raw_len` bytes, which the caller has checked.
    pub(super) fn decode(
        &mut self,
        decompressor: &mut Decompressor<'static>,
        payload: &[u8],
        raw_len: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), FrameError> {
        let mut reader = Reader::new(payload);
        let separator = reader.u8()?;
        let columns = usize::from(reader.u8()?);
        if !SEPARATORS.contains(&separator) || !COLUMNS.contains(&columns) {
            return Err(FrameError::Malformed("its table has an unknown shape"));
        }
        let rows = reader.u32()? as usize;
        let (head_len, tail_len) = (reader.u32()? as usize, reader.u32()? as usize);
        let (head, tail) = (reader.take(head_len)?, reader.take(tail_len)?);
        // No product or sum here comes near the limits of a number: all were 32 or 8 bits wide.
        let left = (rows as u64 * columns as u64 + head_len as u64 + tail_len as u64)
            .try_into()
            .ok()
            .and_then(|fixed| raw_len.checked_sub(fixed))
            .filter(|_| rows > 0)
            .ok_or(FrameError::Malformed("its table does not fit its content"))?;
        // Each field, and each byte of an entry, takes its room once, so this is enough.
        grow(&mut self.fields, raw_len + payload.len() + SLACK);
        grow(&mut self.small, rows * columns);
        grow(&mut self.planes, raw_len);
        self.entries.clear();
        self.columns.clear();
        let mut room = Room { rows, left, fields: 0, small: 0 };
        for _ in 0..columns {
            let column = self.column(&mut reader, decompressor, &mut room)?;
            self.columns.push(column);
        }
        if !reader.is_empty() {
            return Err(FrameError::Malformed("its columns do not add up to its payload"));
        }
        if room.left != 0 {
            return Err(FrameError::Malformed("its columns do not add up to its content"));
        }
        grow(out, raw_len + SLACK);
        out.truncate(raw_len + SLACK);
        let parts = Parts { fields: &self.fields, small: &self.small, entries: &self.entries };
        place(head, out, 0)?;
        let body = out.get_mut(head_len..).unwrap_or_default();
        parts.join(&mut self.columns, rows, separator, body).ok_or(OUTSIDE)?;
        place(tail, out, raw_len - tail_len)?;
        out.truncate(raw_len);
        Ok(())
    }

    fn column(
        &mut self,
        reader: &mut Reader<'_>,
        decompressor: &mut Decompressor<'static>,
        room: &mut Room,
    ) -> Result<Column, FrameError> {
        let at = room.fields;
        match reader.u8()? {
            KIND_EQUAL => {
                let len = usize::from(reader.u8()?);
                stream(reader, decompressor, self.take_fields(room, len * room.rows)?)?;
                Ok(Column::Equal { at, len })
            }
            KIND_LISTED => {
                let lens = room.small;
                let listed = slice(&mut self.small, lens, room.rows)?;
                stream(reader, decompressor, listed)?;
                room.small += room.rows;
                let total = listed.iter().map(|len| usize::from(*len)).sum();
                stream(reader, decompressor, self.take_fields(room, total)?)?;
                Ok(Column::Listed { at, lens })
            }
            KIND_PLANES => {
                let len = usize::from(reader.u8()?);
                let mut planes = std::mem::take(&mut self.planes);
                let fields = self.take_fields(room, len * room.rows)?;
                let read = slice(&mut planes, 0, fields.len()).and_then(|planes| {
                    read_planes(reader, decompressor, len, planes)?;
                    transpose(fields, len, planes, |byte, from| *byte = *from);
                    Ok(Column::Equal { at, len })
                });
                self.planes = planes;
                read
            }
            KIND_ENTRIES => self.entries(reader, decompressor, room),
            KIND_STEPS => self.steps(reader, decompressor, room),
            _ => Err(FrameError::Malformed("it has a column of an unknown kind")),
        }
    }

    /// Reads a column of numbers that grow from row to row.
    fn steps(
        &mut self,
        reader: &mut Reader<'_>,
        decompressor: &mut Decompressor<'static>,
        room: &mut Room,
    ) -> Result<Column, FrameError> {
        let too_large = FrameError::Malformed("it has a number that is too large");
        let mut number = Decimal::new(reader.u64()?).ok_or_else(|| too_large.clone())?;
        let (at, lens) = (room.fields, room.small);
        let steps = slice(&mut self.small, lens, room.rows)?;
        stream(reader, decompressor, steps)?;
        room.small += room.rows;
        let mut end = at;
        for step in steps {
            number.add(*step).ok_or_else(|| too_large.clone())?;
            let (digits, len) = number.digits();
            // From here on the step is not needed, but the length of the field is.
            *step = len;
            *self.fields.get_mut(end..).and_then(<[u8]>::first_chunk_mut).ok_or(OUTSIDE)? = digits;
            end += usize::from(len);
        }
        room.fields = end;
        room.spend(end - at)?;
        Ok(Column::Listed { at, lens })
    }

    /// Sets room aside for the fields of a column.
    fn take_fields(&mut self, room: &mut Room, total: usize) -> Result<&mut [u8], FrameError> {
        room.spend(total)?;
        let at = room.fields;
        room.fields += total;
        slice(&mut self.fields, at, total)
    }

    /// Reads a column whose fields are few different ones.
    fn entries(
        &mut self,
        reader: &mut Reader<'_>,
        decompressor: &mut Decompressor<'static>,
        room: &mut Room,
    ) -> Result<Column, FrameError> {
        let entries = self.entries.len();
        let count = usize::from(reader.u8()?) + 1;
        let mut lens = [0usize; 256];
        for (_, len) in (0..count).zip(&mut lens) {
            *len = usize::from(reader.u8()?);
            let entry = reader.take(*len)?;
            slice(&mut self.fields, room.fields, *len)?.copy_from_slice(entry);
            self.entries.push((room.fields, *len));
            room.fields += *len;
        }
        let which = room.small;
        let numbers = slice(&mut self.small, which, room.rows)?;
        stream(reader, decompressor, numbers)?;
        room.small += room.rows;
        if numbers.iter().any(|number| usize::from(*number) >= count) {
            return Err(FrameError::Malformed("it has a field of an unknown entry"));
        }
        let total =
            numbers.iter().filter_map(|number| lens.get(usize::from(*number))).sum::<usize>();
        room.spend(total)?;
        Ok(Column::Entries { which, entries })
    }
}

/// What columns have taken so far.
struct Room {
    rows: usize,
    /// Bytes of the content that no field has yet.
    left: usize,
    fields: usize,
    small: usize,
}

impl Room {
    fn spend(&mut self, len: usize) -> Result<(), FrameError> {
        self.left = self
            .left
            .checked_sub(len)
            .ok_or(FrameError::Malformed("its columns are longer than its content"))?;
        Ok(())
    }
}

const OUTSIDE: FrameError = FrameError::Malformed("it has a field outside its content");

fn slice(buffer: &mut [u8], at: usize, len: usize) -> Result<&mut [u8], FrameError> {
    buffer.get_mut(at..).and_then(|rest| rest.get_mut(..len)).ok_or(OUTSIDE)
}

fn place(bytes: &[u8], out: &mut [u8], at: usize) -> Result<(), FrameError> {
    slice(out, at, bytes.len()).map(|to| to.copy_from_slice(bytes))
}

/// Reads the planes that are not of one byte only, as one stream, and fills the others.
fn read_planes(
    reader: &mut Reader<'_>,
    decompressor: &mut Decompressor<'static>,
    count: usize,
    planes: &mut [u8],
) -> Result<(), FrameError> {
    let flags = reader.take(count.div_ceil(8))?;
    let is_constant =
        |place: usize| flags.get(place / 8).is_some_and(|flags| flags >> (place % 8) & 1 == 1);
    if (count..flags.len() * 8).any(is_constant) {
        return Err(FrameError::Malformed("it has constant planes that are not there"));
    }
    let n_constant = (0..count).filter(|place| is_constant(*place)).count();
    let constants = reader.take(n_constant)?;
    let Some(len) = planes.len().checked_div(count) else { return Ok(()) };
    // The stream is decoded to the end of the planes and moved to the front, plane by plane.
    let mut from = n_constant * len;
    stream(reader, decompressor, planes.get_mut(from..).unwrap_or_default())?;
    let mut constants = constants.iter();
    for place in 0..count {
        let at = place * len;
        if is_constant(place) {
            slice(planes, at, len)?.fill(constants.next().copied().unwrap_or_default());
        } else {
            if from != at {
                planes.copy_within(from..from + len, at);
            }
            from += len;
        }
    }
    Ok(())
}

/// Reads one stream, which must fill `out` exactly; an empty one takes no byte.
fn stream(
    reader: &mut Reader<'_>,
    decompressor: &mut Decompressor<'static>,
    out: &mut [u8],
) -> Result<(), FrameError> {
    if out.is_empty() {
        return Ok(());
    }
    match reader.u8()? {
        STREAM_STORED => out.copy_from_slice(reader.take(out.len())?),
        STREAM_ZSTD => {
            let len = reader.u32()? as usize;
            if len > zstd_safe::compress_bound(out.len()) {
                return Err(FrameError::Malformed("it has a stream of an impossible length"));
            }
            unpack_zstd(decompressor, reader.take(len)?, out)?;
        }
        STREAM_SAME => out.fill(reader.u8()?),
        _ => return Err(FrameError::Malformed("it has a stream of an unknown mode")),
    }
    Ok(())
}
