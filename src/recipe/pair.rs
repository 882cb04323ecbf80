//! Which bytes of a file's previous version stand where a chunk of the new one stands.
//!
//! Chunks that both versions have are anchors. What lies between two anchors is paired in order,
//! measured from the nearer anchor, so that an insertion moves what follows it and nothing else.
//! Where there is no anchor at all, as in the next checkpoint of a model, that is pairing by offset.

use std::ops::Range;

use super::ChunkEntry;

/// The chunks of a previous version, to be looked up by id and by offset; 52 bytes for each.
#[derive(Clone, Debug, Default)]
pub struct Former {
    chunks: Vec<ChunkEntry>,
    /// Where each chunk begins, and where the last one ends.
    starts: Vec<u64>,
    /// Numbers of the chunks, in the order of their ids.
    by_id: Vec<u32>,
}

impl Former {
    /// Takes the chunks of a file in order.
    pub fn new(chunks: Vec<ChunkEntry>) -> Self {
        let mut starts = Vec::with_capacity(chunks.len() + 1);
        let mut end = 0_u64;
        starts.push(end);
        for chunk in &chunks {
            end = end.saturating_add(chunk.size);
            starts.push(end);
        }
        let mut by_id: Vec<u32> = (0..).take(chunks.len()).collect();
        by_id.sort_by_key(|at| (chunks.get(*at as usize).map(|chunk| chunk.id), *at));
        Self { chunks, starts, by_id }
    }

    /// Returns a chunk by its number, and where it begins.
    pub fn get(&self, at: usize) -> Option<(u64, ChunkEntry)> {
        Some((*self.starts.get(at)?, *self.chunks.get(at)?))
    }

    /// Returns the numbers of the chunks that hold a byte of a range.
    pub fn covering(&self, range: &Range<u64>) -> Range<usize> {
        if range.is_empty() {
            return 0..0;
        }
        let first = self.starts.partition_point(|start| *start <= range.start).saturating_sub(1);
        let end = self.starts.partition_point(|start| *start < range.end).min(self.chunks.len());
        first.min(end)..end
    }

    fn end(&self) -> u64 {
        self.starts.last().copied().unwrap_or(0)
    }

    /// Returns the number of the chunk with this id that is nearest to `near`.
    pub fn find(&self, chunk: &ChunkEntry, near: usize) -> Option<usize> {
        // Of what did not change, the next is the one.
        if self.chunks.get(near).is_some_and(|there| there.id == chunk.id) {
            return Some(near);
        }
        let id_of = |at: &u32| self.chunks.get(*at as usize).map(|chunk| chunk.id);
        let from = self.by_id.partition_point(|at| id_of(at) < Some(chunk.id));
        let same = self.by_id.get(from..)?;
        let same = same.get(..same.partition_point(|at| id_of(at) == Some(chunk.id)))?;
        let after = same.partition_point(|at| (*at as usize) < near);
        let later = same.get(after).map(|at| *at as usize);
        let earlier = after.checked_sub(1).and_then(|at| same.get(at)).map(|at| *at as usize);
        match (earlier, later) {
            (Some(earlier), Some(later)) if near - earlier < later - near => Some(earlier),
            (earlier, later) => later.or(earlier),
        }
    }
}

/// Pairs the chunks of a new version, given window by window, with a previous one.
#[derive(Debug)]
pub struct Pairing<'f> {
    former: &'f Former,
    /// The chunk of the former version that would follow if nothing changed.
    expected: usize,
    /// Bytes of the new version that were paired already.
    at: u64,
    /// Where the last anchor ended, in the new version and in the former one.
    anchor: (u64, u64),
}

/// A stretch between two anchors: chunks of the window, and where it lies in both versions.
struct Gap {
    chunks: Range<usize>,
    new: Range<u64>,
    former: Range<u64>,
    /// Whether it ends at an anchor; else the window ends before it is known where.
    closed: bool,
    /// Where the former version ends.
    end: u64,
}

impl<'f> Pairing<'f> {
    /// Starts at the beginning of both versions.
    pub fn new(former: &'f Former) -> Self {
        Self { former, expected: 0, at: 0, anchor: (0, 0) }
    }

    /// Takes the next chunks of the new version. Returns for each the bytes of the former version
    /// to compare it with; nothing for a chunk that the former version has, or has no bytes for.
    ///
    /// Pairing from the next anchor backwards sees no farther than the window.
    pub fn pair(&mut self, window: &[ChunkEntry]) -> Vec<Option<Range<u64>>> {
        let mut out = vec![None; window.len()];
        let mut begun = 0;
        let (mut from, end) = (self.at, self.former.end());
        for (i, chunk) in window.iter().enumerate() {
            let start = self.at;
            self.at = self.at.saturating_add(chunk.size);
            let Some(anchor) = self.former.find(chunk, self.expected) else { continue };
            let Some((old_start, _)) = self.former.get(anchor) else { continue };
            let former = self.anchor.1..old_start;
            let gap =
                Gap { chunks: begun..i, new: self.anchor.0..start, former, closed: true, end };
            gap.fill(window, from, &mut out);
            self.anchor = (self.at, old_start.saturating_add(chunk.size));
            self.expected = anchor + 1;
            begun = i + 1;
            from = self.at;
        }
        let former = self.anchor.1..end;
        let new = self.anchor.0..self.at;
        Gap { chunks: begun..window.len(), new, former, closed: false, end }
            .fill(window, from, &mut out);
        out
    }
}

impl Gap {
    /// Pairs the chunks of the window that lie in the gap, the first of which begins at `at`.
    fn fill(&self, window: &[ChunkEntry], mut at: u64, out: &mut [Option<Range<u64>>]) {
        // An anchor behind the last one: content that moved. Nothing is known of what lies between.
        let ordered = self.former.start <= self.former.end;
        let closed = self.closed && ordered;
        let limit = if ordered { self.former.clone() } else { self.former.start..self.end };
        let half = self.new.start + (self.new.end - self.new.start) / 2;
        let chunks = window.get(self.chunks.clone()).unwrap_or_default();
        for (chunk, slot) in chunks.iter().zip(out.iter_mut().skip(self.chunks.start)) {
            let start = if closed && at + chunk.size / 2 > half {
                self.former.end.checked_sub(self.new.end - at)
            } else {
                Some(self.former.start.saturating_add(at - self.new.start))
            };
            // A chunk that begins before the gap of the former version is compared with its begin.
            let start = start.unwrap_or(0).max(limit.start);
            let range = start..start.saturating_add(chunk.size).min(limit.end);
            *slot = (!range.is_empty()).then_some(range);
            at = at.saturating_add(chunk.size);
        }
    }
}
