use proptest::prelude::*;

use super::{ChunkEntry, Former, Pairing};
use crate::hash::ChunkId;

/// A chunk of its own for each number, of different sizes.
fn chunk(n: u32) -> ChunkEntry {
    ChunkEntry { id: ChunkId::of(&n.to_le_bytes()), size: 40 + u64::from(n % 7) * 10 }
}

fn chunks(numbers: &[u32]) -> Vec<ChunkEntry> {
    numbers.iter().copied().map(chunk).collect()
}

fn former(numbers: &[u32]) -> Former {
    Former::new(chunks(numbers))
}

fn pair(old: &Former, new: &[ChunkEntry]) -> Vec<Option<std::ops::Range<u64>>> {
    Pairing::new(old).pair(new)
}

fn len(chunks: &[ChunkEntry]) -> u64 {
    chunks.iter().map(|chunk| chunk.size).sum()
}

#[test]
fn equal_files_pair_nothing_and_nothing_pairs_with_nothing() {
    let all: Vec<u32> = (0..50).collect();
    assert_eq!(pair(&former(&all), &chunks(&all)), vec![None; 50]);
    assert_eq!(pair(&former(&[]), &chunks(&all)), vec![None; 50]);
    assert_eq!(pair(&former(&all), &[]), []);
}

#[test]
fn where_no_chunk_is_equal_bytes_at_the_same_offset_pair() {
    let (old, new) =
        (former(&(0..50).collect::<Vec<_>>()), chunks(&(100..150).collect::<Vec<_>>()));
    let mut at = 0;
    for (chunk, range) in new.iter().zip(pair(&old, &new)) {
        let end = len(&chunks(&(0..50).collect::<Vec<_>>()));
        let expected = at..(at + chunk.size).min(end);
        assert_eq!(range, (at < end).then_some(expected));
        at += chunk.size;
    }
}

#[test]
fn an_insertion_moves_what_follows_it_and_nothing_else() {
    // 3 became 90, an insertion of 91 and 92 stands behind 6, and 9 became 93.
    let old = former(&(0..12).collect::<Vec<_>>());
    let numbers = [0, 1, 2, 90, 4, 5, 6, 91, 92, 7, 8, 93, 10, 11];
    let paired = pair(&old, &chunks(&numbers));
    let starts: Vec<_> = paired.iter().map(|range| range.as_ref().map(|r| r.start)).collect();
    assert_eq!(starts[3], old.get(3).map(|(start, _)| start));
    assert_eq!(starts[11], old.get(9).map(|(start, _)| start), "it is measured from the anchors");
    assert_eq!((&paired[7], &paired[8]), (&None, &None), "nothing stood there");
    assert!([0, 1, 2, 4, 5, 6, 9, 10, 12, 13].iter().all(|at| paired[*at].is_none()));
}

#[test]
fn covering_names_the_chunks_that_hold_a_byte_of_a_range() {
    let old = former(&[0, 0, 0]);
    let cases = [(0..1, 0..1), (39..41, 0..2), (40..80, 1..2), (0..500, 0..3), (120..130, 3..3)];
    for (range, expected) in cases {
        assert_eq!(old.covering(&range).collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    }
    assert!(old.covering(&(5..5)).is_empty() && former(&[]).covering(&(0..9)).is_empty());
}

proptest! {
    #[test]
    fn ranges_lie_inside_the_former_version_and_are_no_longer_than_their_chunks(
        old in prop::collection::vec(0_u32..40, 0..60),
        new in prop::collection::vec(0_u32..60, 0..60),
        cut in any::<prop::sample::Index>(),
    ) {
        let (all, end) = (chunks(&new), len(&chunks(&old)));
        let old = former(&old);
        let mut pairing = Pairing::new(&old);
        let (first, second) = all.split_at(cut.index(all.len() + 1));
        let paired = [pairing.pair(first), pairing.pair(second)].concat();
        prop_assert_eq!(paired.len(), all.len());
        for (chunk, range) in all.iter().zip(paired) {
            let Some(range) = range else { continue };
            prop_assert!(!range.is_empty() && range.end - range.start <= chunk.size);
            prop_assert!(range.end <= end, "{range:?} of {end}");
            prop_assert!(!old.covering(&range).is_empty());
        }
    }

    /// A cut may fall anywhere but between two anchors that have something in between.
    #[test]
    fn windows_that_are_cut_at_anchors_pair_as_one(
        old in prop::collection::vec(0_u32..40, 0..60),
        new in prop::collection::vec(0_u32..60, 1..60),
    ) {
        let (all, known) = (chunks(&new), old.clone());
        let old = former(&old);
        let mut pairing = Pairing::new(&old);
        let mut apart = Vec::new();
        let mut from = 0;
        for at in (0..new.len()).filter(|at| known.contains(&new[*at])) {
            apart.extend(pairing.pair(&all[from..=at]));
            from = at + 1;
        }
        apart.extend(pairing.pair(&all[from..]));
        prop_assert_eq!(apart, pair(&old, &all));
    }
}
