//! Reading more than is asked for: nodes were written children first, so what lies in front of a root
//! is likely to be its tree.

use bytes::Bytes;

use crate::hash::PackId;
use crate::transfer::walk::Spot;

/// Bytes read in front of roots on the chance that their subtrees lie there (nodes are written
/// children first), over all roots together.
const BEHIND_TOTAL: u64 = 8 << 20;
const BEHIND_EACH: u64 = 1 << 20;
/// Smallest useful amount; below it nothing is read ahead.
const BEHIND_LEAST: u64 = 16 << 10;

/// Bytes fetched ahead, by pack and offset of the first.
#[derive(Default)]
pub(super) struct Ahead(Vec<(PackId, u32, Bytes)>);

impl Ahead {
    pub(super) fn keep(&mut self, pack: PackId, from: u32, bytes: Bytes) {
        self.0.push((pack, from, bytes));
    }

    /// Returns the frame at a place, and what was fetched behind it.
    pub(super) fn at(&self, spot: Spot) -> Option<Bytes> {
        let end = u64::from(spot.offset) + u64::from(spot.frame_len);
        self.0.iter().find_map(|(pack, from, bytes)| {
            let inside = *pack == spot.pack
                && *from <= spot.offset
                && end <= u64::from(*from) + bytes.len() as u64;
            inside.then(|| bytes.slice((spot.offset - from) as usize..))
        })
    }
}

/// How much to read in front of each of so many roots: nothing where only a part is wanted.
pub(super) fn behind(roots: usize, whole: bool) -> u64 {
    let each = BEHIND_EACH.min(BEHIND_TOTAL / (roots as u64).max(1));
    if whole && each >= BEHIND_LEAST { each } else { 0 }
}
