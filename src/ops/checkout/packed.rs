//! Lists with one row for each path that take a fraction of what their rows take one by one: there can be
//! millions.

use std::collections::VecDeque;
use std::marker::PhantomData;

use crate::fs::{FileKind, Stamp, Time};
use crate::ops::error::OpError;
use crate::path::RepoPath;
use crate::wire::{Reader, put_varint};

/// Rows that are packed, and looked at, together.
pub(crate) const TOGETHER: usize = 16 << 10;

/// A row of a packed list.
pub(crate) trait Row: Sized {
    /// Returns the path that it is about.
    fn path(&self) -> &RepoPath;

    /// Writes all of it but the path.
    fn pack(&self, out: &mut Vec<u8>);

    /// Reads what [`Self::pack`] wrote.
    fn unpack(path: RepoPath, from: &mut Reader<'_>) -> Option<Self>;
}

/// Rows in the order in which they came. Of a path only that is kept by which it differs from the one before.
pub(crate) struct Packed<R> {
    blocks: VecDeque<Block>,
    last: Vec<u8>,
    len: usize,
    rows: PhantomData<R>,
}

struct Block {
    first: RepoPath,
    rows: usize,
    bytes: Vec<u8>,
}

impl<R> Default for Packed<R> {
    fn default() -> Self {
        Self { blocks: VecDeque::new(), last: Vec::new(), len: 0, rows: PhantomData }
    }
}

impl<R: Row> Packed<R> {
    pub(crate) fn push(&mut self, row: &R) {
        let path = row.path().as_bytes();
        if self.blocks.back().is_none_or(|block| block.rows >= TOGETHER) {
            if let Some(full) = self.blocks.back_mut() {
                full.bytes.shrink_to_fit();
            }
            self.last.clear();
            self.blocks.push_back(Block { first: row.path().clone(), rows: 0, bytes: Vec::new() });
        }
        let Some(block) = self.blocks.back_mut() else { return };
        let same = self.last.iter().zip(path).take_while(|(a, b)| a == b).count();
        let rest = path.get(same..).unwrap_or_default();
        put_varint(&mut block.bytes, same as u64);
        put_varint(&mut block.bytes, rest.len() as u64);
        block.bytes.extend_from_slice(rest);
        row.pack(&mut block.bytes);
        block.rows += 1;
        self.len += 1;
        self.last.truncate(same);
        self.last.extend_from_slice(rest);
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns the rows in lists of at most [`TOGETHER`].
    pub(crate) fn windows(&self) -> impl Iterator<Item = Result<Vec<R>, OpError>> + '_ {
        self.blocks.iter().map(Block::unpack)
    }

    /// Returns the first path of each of these lists.
    pub(crate) fn firsts(&self) -> impl Iterator<Item = &RepoPath> {
        self.blocks.iter().map(|block| &block.first)
    }

    /// Returns one of these lists; an empty one if there are fewer.
    pub(crate) fn window(&self, number: usize) -> Result<Vec<R>, OpError> {
        self.blocks.get(number).map_or_else(|| Ok(Vec::new()), Block::unpack)
    }

    /// As [`Self::windows`], and lets go of each once it was handed out.
    pub(crate) fn into_windows(self) -> impl Iterator<Item = Result<Vec<R>, OpError>> {
        self.blocks.into_iter().map(|block| block.unpack())
    }

    /// As [`Self::into_windows`], row by row.
    pub(crate) fn into_rows(self) -> impl Iterator<Item = Result<R, OpError>> {
        self.into_windows().flat_map(|window| {
            let (rows, failed) = match window {
                Ok(rows) => (rows, None),
                Err(e) => (Vec::new(), Some(Err(e))),
            };
            rows.into_iter().map(Ok).chain(failed)
        })
    }

    /// Returns all rows, which takes the memory that this list was made to save.
    pub(crate) fn unpacked(self) -> Result<Vec<R>, OpError> {
        let mut out = Vec::with_capacity(self.len);
        for window in self.into_windows() {
            out.extend(window?);
        }
        Ok(out)
    }

    /// Returns the rows from one path to another, both included, of a list in the order of paths.
    pub(crate) fn between(&self, first: &RepoPath, last: &RepoPath) -> Result<Vec<R>, OpError> {
        let from = self.blocks.partition_point(|block| block.first <= *first).saturating_sub(1);
        let mut out = Vec::new();
        for block in self.blocks.iter().skip(from).take_while(|block| block.first <= *last) {
            let rows = block.unpack::<R>()?.into_iter();
            out.extend(rows.filter(|row| (first..=last).contains(&row.path())));
        }
        Ok(out)
    }
}

impl<R: Row> FromIterator<R> for Packed<R> {
    fn from_iter<I: IntoIterator<Item = R>>(rows: I) -> Self {
        let mut list = Self::default();
        rows.into_iter().for_each(|row| list.push(&row));
        list
    }
}

impl Block {
    fn unpack<R: Row>(&self) -> Result<Vec<R>, OpError> {
        let rows = self.rows();
        rows.ok_or_else(|| OpError::Defect("a list in memory cannot be read".to_owned()))
    }

    fn rows<R: Row>(&self) -> Option<Vec<R>> {
        let (mut from, mut path) = (Reader::new(&self.bytes), Vec::new());
        let mut out = Vec::with_capacity(self.rows);
        while !from.is_empty() {
            let (same, len) = (from.varint().ok()?, from.varint().ok()?);
            path.truncate(usize::try_from(same).ok()?);
            path.extend_from_slice(from.take(usize::try_from(len).ok()?).ok()?);
            out.push(R::unpack(RepoPath::recalled(&path), &mut from)?);
        }
        Some(out)
    }
}

/// Looks paths up in a packed list in the order of paths; quick for paths that are asked for in that order.
pub(crate) struct Among<'a, R> {
    list: &'a Packed<R>,
    block: Option<(usize, Vec<R>)>,
}

impl<'a, R: Row> Among<'a, R> {
    pub(crate) fn new(list: &'a Packed<R>) -> Self {
        Self { list, block: None }
    }

    /// Says whether there is a row of a path.
    pub(crate) fn has(&mut self, path: &[u8]) -> Result<bool, OpError> {
        let blocks = &self.list.blocks;
        let number = blocks.partition_point(|block| block.first.as_bytes() <= path);
        let Some(number) = number.checked_sub(1) else { return Ok(false) };
        if self.block.as_ref().is_none_or(|(now, _)| *now != number)
            && let Some(block) = blocks.get(number)
        {
            self.block = Some((number, block.unpack()?));
        }
        let rows = self.block.as_ref().map_or(&[][..], |(_, rows)| rows);
        Ok(rows.binary_search_by(|row| row.path().as_bytes().cmp(path)).is_ok())
    }
}

/// Writes a stamp in some 36 bytes.
pub(crate) fn pack_stamp(stamp: &Stamp, out: &mut Vec<u8>) {
    out.push(match stamp.kind {
        FileKind::File => 0,
        FileKind::Directory => 1,
        FileKind::Symlink => 2,
        FileKind::Special => 3,
    });
    for number in [stamp.dev, stamp.ino, stamp.size, stamp.mode.into()] {
        put_varint(out, number);
    }
    out.extend(stamp.mtime.0.to_le_bytes());
    out.extend(stamp.ctime.0.to_le_bytes());
}

/// Reads what [`pack_stamp`] wrote.
pub(crate) fn unpack_stamp(from: &mut Reader<'_>) -> Option<Stamp> {
    let kind = match from.u8().ok()? {
        0 => FileKind::File,
        1 => FileKind::Directory,
        2 => FileKind::Symlink,
        3 => FileKind::Special,
        _ => return None,
    };
    let mut number = || from.varint().ok();
    let (dev, ino, size) = (number()?, number()?, number()?);
    let mode = u32::try_from(number()?).ok()?;
    let mut time = || Some(Time(from.u64().ok()?.cast_signed()));
    let (mtime, ctime) = (time()?, time()?);
    Some(Stamp { kind, dev, ino, size, mtime, ctime, mode })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{Content, EntryKind};
    use crate::ops::checkout::wanted::Target;

    fn path(number: usize) -> RepoPath {
        RepoPath::new(format!("data/{:03}/{:03}.bin", number / 100, number % 100)).unwrap()
    }

    fn list(numbers: impl Iterator<Item = usize>) -> Packed<Target> {
        let content = |number: usize| Content::Inline(number.to_string().into_bytes());
        let kind = EntryKind::File;
        numbers.map(|n| Target { path: path(n), kind, content: content(n) }).collect()
    }

    #[test]
    fn what_is_packed_comes_out_window_by_window_and_part_by_part() {
        let most = 2 * TOGETHER + 7;
        let all = list((0..most).map(|n| 2 * n));
        assert_eq!((all.len(), all.windows().count()), (most, 3));
        let rows = || all.windows().flat_map(|window| window.unwrap());
        assert!(rows().enumerate().all(|(n, row)| row.path == path(2 * n)));
        let found = all.between(&path(2 * TOGETHER - 3), &path(2 * TOGETHER + 4)).unwrap();
        let found: Vec<&RepoPath> = found.iter().map(Row::path).collect();
        let next = |n| path(2 * TOGETHER + n);
        assert_eq!(found, [&path(2 * TOGETHER - 2), &next(0), &next(2), &next(4)]);
        assert!(all.between(&path(1), &path(1)).unwrap().is_empty());
        let mut among = Among::new(&all);
        for n in (0..2 * most).chain([3, 4]) {
            assert_eq!(among.has(path(n).as_bytes()).unwrap(), n % 2 == 0, "{n}");
        }
        assert!(!among.has(b"a").unwrap());
        assert_eq!(all.unpacked().unwrap().len(), most);
    }

    #[test]
    fn a_stamp_reads_back_as_written() {
        let (dev, ino, size, mode) = (u64::MAX, 1 << 40, 0, 0o100_755);
        let (mtime, ctime, kind) = (Time(-5), Time(i64::MAX), FileKind::Symlink);
        let stamp = Stamp { kind, dev, ino, size, mtime, ctime, mode };
        let mut bytes = Vec::new();
        pack_stamp(&stamp, &mut bytes);
        assert_eq!(unpack_stamp(&mut Reader::new(&bytes)), Some(stamp));
    }
}
