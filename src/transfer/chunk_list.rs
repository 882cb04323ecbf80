//! The chunks that a walk came to, of which there can be millions: 68 bytes for each, and what many of them
//! have in common is kept once.

use std::collections::HashMap;

use crate::hash::{ChunkId, PackId};
use crate::transfer::walk::{ChunkStep, Spot};

/// Stands for nothing.
const NONE: u32 = u32::MAX;

/// Chunks in their order.
#[derive(Default)]
pub(super) struct ChunkList {
    rows: Vec<Row>,
    packs: Vec<PackId>,
    by_pack: HashMap<PackId, u32>,
    /// What deltas are to.
    bases: Vec<Box<[Spot]>>,
}

#[derive(Clone, Copy)]
struct Row {
    id: ChunkId,
    size: [u8; 8],
    pack: u32,
    offset: u32,
    frame_len: u32,
    skip: u32,
    wanted: u32,
    above: u32,
    bases: u32,
}

impl ChunkList {
    pub(super) fn push(&mut self, step: ChunkStep) {
        let ChunkStep { wanted, id, size, spot, bases, above } = step;
        let place = spot.map(|spot| (self.number_of(spot.pack), spot));
        let (pack, offset, frame_len, skip) = match place {
            Some((pack, spot)) => (pack, spot.offset, spot.frame_len, spot.skip),
            None => (NONE, 0, 0, 0),
        };
        let bases = if bases.is_empty() {
            NONE
        } else {
            self.bases.push(bases.into());
            number(self.bases.len() - 1)
        };
        if self.rows.len() == self.rows.capacity() {
            // By less than a vector does: it may be the largest thing in memory.
            self.rows.reserve_exact((self.rows.len() / 8).max(64));
        }
        let (size, wanted, above) = (size.to_le_bytes(), number(wanted), above.unwrap_or(NONE));
        self.rows.push(Row { id, size, pack, offset, frame_len, skip, wanted, above, bases });
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = ChunkStep> + '_ {
        self.rows.iter().map(|row| self.step(row))
    }

    pub(super) fn get(&self, number: usize) -> Option<ChunkStep> {
        self.rows.get(number).map(|row| self.step(row))
    }

    /// Returns the chunks in lists of at most so many.
    pub(super) fn windows(&self, most: usize) -> impl Iterator<Item = Vec<ChunkStep>> + '_ {
        self.rows.chunks(most).map(|rows| rows.iter().map(|row| self.step(row)).collect())
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = ChunkId> + '_ {
        self.rows.iter().map(|row| row.id)
    }

    /// Sums up the bytes of all.
    pub(super) fn bytes(&self) -> u64 {
        self.rows.iter().map(Row::size).fold(0, u64::saturating_add)
    }

    /// Leaves those of which this is true.
    pub(super) fn retain(&mut self, keep: impl Fn(&ChunkId) -> bool) {
        self.rows.retain(|row| keep(&row.id));
    }

    pub(super) fn truncate(&mut self, len: usize) {
        self.rows.truncate(len);
    }

    fn number_of(&mut self, pack: PackId) -> u32 {
        let next = number(self.packs.len());
        let number = *self.by_pack.entry(pack).or_insert(next);
        if number == next {
            self.packs.push(pack);
        }
        number
    }

    fn step(&self, row: &Row) -> ChunkStep {
        let Row { id, offset, frame_len, skip, .. } = *row;
        let pack = self.packs.get(row.pack as usize);
        let spot = pack.map(|pack| Spot { pack: *pack, offset, frame_len, skip });
        let bases =
            self.bases.get(row.bases as usize).map_or_else(Vec::new, |bases| bases.to_vec());
        let above = Some(row.above).filter(|above| *above != NONE);
        ChunkStep { wanted: row.wanted as usize, id, size: row.size(), spot, bases, above }
    }
}

impl FromIterator<ChunkStep> for ChunkList {
    fn from_iter<I: IntoIterator<Item = ChunkStep>>(steps: I) -> Self {
        let mut list = Self::default();
        steps.into_iter().for_each(|step| list.push(step));
        list
    }
}

impl Row {
    fn size(&self) -> u64 {
        u64::from_le_bytes(self.size)
    }
}

/// More pointers, packs or deltas than this have no place in memory.
fn number(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(NONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_in_comes_out() {
        let spot =
            |pack: u8, offset| Spot { pack: PackId([pack; 16]), offset, frame_len: 7, skip: 3 };
        let step = |n: u8, size, spot: Option<Spot>, bases: Vec<Spot>, above| ChunkStep {
            wanted: n.into(),
            id: ChunkId([n; 32]),
            size,
            spot,
            bases,
            above,
        };
        let steps = [
            step(1, 5, Some(spot(1, 24)), vec![], None),
            step(2, u64::MAX, None, vec![], Some(0)),
            step(3, 1 << 32, Some(spot(2, 9)), vec![spot(1, 24), spot(3, 5)], Some(7)),
            step(4, 0, Some(spot(1, 99)), vec![spot(2, 1)], None),
        ];
        let mut list: ChunkList = steps.iter().cloned().collect();
        let shown = |steps: &[ChunkStep]| format!("{steps:?}");
        assert_eq!(shown(&list.iter().collect::<Vec<_>>()), shown(&steps));
        assert_eq!(list.windows(3).map(|window| window.len()).collect::<Vec<_>>(), [3, 1]);
        assert_eq!((list.packs.len(), list.bytes()), (2, u64::MAX));
        assert_eq!(list.get(3).map(|step| step.id), Some(ChunkId([4; 32])));
        assert!(list.get(4).is_none());
        list.retain(|id| *id != ChunkId([2; 32]));
        list.truncate(2);
        let left: Vec<ChunkStep> = list.iter().collect();
        assert_eq!(shown(&left), shown(&[steps[0].clone(), steps[2].clone()]));
    }
}
