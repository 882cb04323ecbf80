//! Finding what a new chunk may be stored as a delta to: bytes of the file's former version
//! that are on this machine, in chunks that are stored whole.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use crate::cache::ObjectReader;
use crate::hash::ChunkId;
use crate::intake::error::IntakeError;
use crate::intake::frames::{OpenFormer, When};
use crate::intake::shared::Shared;
use crate::pack::{Bases, needs_own_frame};
use crate::recipe::ChunkEntry;

/// Most chunks that one base may consist of.
const MOST: usize = 4;

/// A base: its name, and its chunks' bytes joined.
pub(super) struct Base {
    pub(super) bases: Bases,
    pub(super) bytes: Vec<u8>,
    /// Those of its chunks that only the former version's file has, and where.
    pub(super) from_file: Vec<(ChunkEntry, u64)>,
}

/// A chunk of a base, and where its bytes are in the former version's file if it is a chunk of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part {
    id: ChunkId,
    len: u64,
    at: Option<u64>,
}

/// Looks for bases in one former version; one per thread.
pub(super) struct Finder<'f, 's, 'a> {
    shared: &'s Shared<'a>,
    former: &'f OpenFormer,
    reader: &'s mut ObjectReader<'a>,
}

impl<'f, 's, 'a> Finder<'f, 's, 'a> {
    pub(super) fn new(
        shared: &'s Shared<'a>,
        former: &'f OpenFormer,
        reader: &'s mut ObjectReader<'a>,
    ) -> Self {
        Self { shared, former, reader }
    }

    /// Returns the base that begins at these bytes of the former version; nothing if there is none.
    pub(super) fn find(&mut self, range: &Range<u64>) -> Result<Option<Base>, IntakeError> {
        let Some((skip, parts)) = self.parts(range) else { return Ok(None) };
        let (mut bytes, mut from_file) = (Vec::new(), Vec::new());
        for part in &parts {
            match self.append(part, &mut bytes)? {
                Origin::Nowhere => return Ok(None),
                Origin::Known => {}
                Origin::File(at) => {
                    from_file.push((ChunkEntry { id: part.id, size: part.len }, at));
                }
            }
        }
        let Ok(skip) = u32::try_from(skip) else { return Ok(None) };
        let ids = parts.iter().map(|part| part.id).collect();
        Ok(Some(Base { bases: Bases { ids, skip }, bytes, from_file }))
    }

    /// Names the chunks of a base and the bytes of them before it begins.
    fn parts(&self, range: &Range<u64>) -> Option<(u64, Vec<Part>)> {
        let mut parts: Vec<Part> = Vec::new();
        let (mut skip, mut spare) = (0, 0);
        for (i, at) in self.former.chunks.covering(range).enumerate() {
            let (start, chunk) = self.former.chunks.get(at)?;
            let inside = if i == 0 { range.start - start } else { 0 };
            let bases = self.shared.bases_of(chunk.id);
            let (begin, of_chunk) = match bases {
                None => (0, vec![Part { id: chunk.id, len: chunk.size, at: Some(start) }]),
                // A delta is no base. What it is a delta to stands at the same bytes.
                Some(bases) => (u64::from(bases.skip), self.below(&bases)?),
            };
            if i == 0 {
                skip = begin + inside;
                // How a delta of text lies in its base is not kept: anywhere in the first chunk.
                let first = of_chunk.first().filter(|first| first.at.is_none());
                spare = first.map_or(0, |first| first.len);
            }
            append_new(&mut parts, of_chunk);
        }
        while parts.first().is_some_and(|first| first.len <= skip) {
            skip -= parts.remove(0).len;
        }
        let mut total = 0;
        let end = skip + spare + (range.end - range.start);
        let needed = parts.iter().take_while(|part| {
            let more = total < end;
            total += part.len;
            more
        });
        let needed = needed.count().min(MOST);
        parts.truncate(needed);
        (!parts.is_empty()).then_some((skip, parts))
    }

    fn below(&self, bases: &Bases) -> Option<Vec<Part>> {
        let part = |id: &ChunkId| Some(Part { id: *id, len: self.shared.len_of(*id)?, at: None });
        bases.ids.iter().map(part).collect()
    }

    /// Says whether a chunk is stored whole, for good.
    fn is_whole(&self, part: &Part) -> bool {
        if part.at.is_some() && self.former.stored == When::JustNow {
            self.shared.is_whole_of_finished(part.id)
        } else {
            self.shared.is_whole(part.id)
        }
    }

    /// Appends the bytes of a chunk that is stored whole in a frame of its own.
    fn append(&mut self, part: &Part, out: &mut Vec<u8>) -> Result<Origin, IntakeError> {
        let Ok(len) = usize::try_from(part.len) else { return Ok(Origin::Nowhere) };
        if !needs_own_frame(len) || !self.is_whole(part) {
            return Ok(Origin::Nowhere);
        }
        if let Some(bytes) = self.reader.plain_chunk(part.id)? {
            out.extend_from_slice(bytes);
            return Ok(Origin::Known);
        }
        if let Some((path, _, at)) = self.shared.deltas.origin(part.id)
            && self.shared.open(&path).is_some_and(|file| read(&file, at, part, out))
        {
            return Ok(Origin::Known);
        }
        match (&self.former.file, part.at) {
            (Some((_, file)), Some(at)) if read(file, at, part, out) => Ok(Origin::File(at)),
            _ => Ok(Origin::Nowhere),
        }
    }
}

/// Where the bytes of a part of a base come from.
enum Origin {
    /// They are not on this machine, or may not serve.
    Nowhere,
    /// The cache, or a file that was noted before.
    Known,
    /// The former version's file, from this offset.
    File(u64),
}

/// Appends the bytes of a chunk from a file; false, and nothing is appended, if it has others.
fn read(file: &File, at: u64, part: &Part, out: &mut Vec<u8>) -> bool {
    let from = out.len();
    let Ok(len) = usize::try_from(part.len) else { return false };
    out.resize(from + len, 0);
    let read = out.get_mut(from..).map(|room| file.read_exact_at(room, at));
    let same = matches!(read, Some(Ok(()))) && out.get(from..).map(ChunkId::of) == Some(part.id);
    if !same {
        out.truncate(from);
    }
    same
}

/// Appends chunks that follow those collected; neighbours share chunks of their bases.
fn append_new(parts: &mut Vec<Part>, next: Vec<Part>) {
    let shared = (1..=next.len().min(parts.len())).rev().find(|n| {
        let tail = parts.get(parts.len() - n..).unwrap_or_default();
        tail.iter().map(|p| p.id).eq(next.iter().take(*n).map(|p| p.id))
    });
    parts.extend(next.into_iter().skip(shared.unwrap_or(0)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(ids: &[u8]) -> Vec<Part> {
        ids.iter().map(|n| Part { id: ChunkId([*n; 32]), len: 1, at: None }).collect()
    }

    #[test]
    fn chunks_that_neighbours_share_are_taken_once() {
        for (first, next, all) in [
            (&[1, 2, 3][..], &[3, 4][..], &[1, 2, 3, 4][..]),
            (&[1, 2, 3], &[2, 3, 4], &[1, 2, 3, 4]),
            (&[1, 2], &[1, 2], &[1, 2]),
            (&[1, 2], &[4], &[1, 2, 4]),
            (&[], &[4], &[4]),
        ] {
            let mut out = parts(first);
            append_new(&mut out, parts(next));
            assert_eq!(out, parts(all));
        }
    }
}
