use proptest::prelude::*;
use std::io::{self, Read};

use super::cutter::{self, A, B, C};
use super::{End, Profile, Windows, cut, cut_by_reference, cut_segments, simd};

const CUTS: &str = include_str!("../../fixtures/formats/v1/chunk-cuts.tsv");
const HASHES: &str = include_str!("../../fixtures/formats/v1/chunk-hashes.tsv");

fn rows(table: &str) -> Vec<Vec<&str>> {
    let rows = table.lines().filter(|line| !line.starts_with('#'));
    rows.map(|line| line.split('\t').collect()).collect()
}

/// The first `len` bytes of what BLAKE3 extends `haul vector 1` to.
fn xof(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    blake3::Hasher::new().update(b"haul vector 1").finalize_xof().fill(&mut bytes);
    bytes
}

fn input(name: &str, len: usize) -> Vec<u8> {
    match name {
        "xof" => xof(len),
        "zeros" => vec![0; len],
        "u32" => (0u32..).flat_map(u32::to_le_bytes).take(len).collect(),
        other => panic!("the table names an unknown input: {other}"),
    }
}

/// Turns lengths into the positions of the cuts.
fn positions(lengths: &[usize]) -> Vec<usize> {
    let add = |at: &mut usize, length: &usize| {
        *at += length;
        Some(*at)
    };
    lengths.iter().scan(0, add).collect()
}

/// A row of the table: input, bytes, profile, number of cuts, the first three, hash of all.
fn row(name: &str, profile: Profile, bytes: &[u8], lengths: &[usize]) -> String {
    let cuts = positions(lengths);
    let first: Vec<_> = cuts.iter().take(3).map(usize::to_string).collect();
    let mut all = blake3::Hasher::new();
    for cut in &cuts {
        all.update(&(*cut as u64).to_le_bytes());
    }
    let (len, count, first, all) = (bytes.len(), cuts.len(), first.join(" "), all.finalize());
    format!("{name}\t{len}\t{profile}\t{count}\t{first}\t{all}")
}

#[test]
fn the_frozen_cuts_are_found_by_every_door() {
    let mut seen = 0;
    for columns in rows(CUTS) {
        let [name, len, profile, ..] = columns[..] else { panic!("a short row") };
        let profile = Profile::by_name(profile).unwrap();
        let bytes = input(name, len.parse().unwrap());
        let expected = columns.join("\t");
        assert_eq!(row(name, profile, &bytes, &cut_by_reference(profile, &bytes)), expected);
        assert_eq!(row(name, profile, &bytes, &cut(profile, &bytes)), expected);
        assert_eq!(
            row(name, profile, &bytes, &cut_segments(profile, (&bytes, End::File), 1)),
            expected
        );
        assert_eq!(row(name, profile, &bytes, &stream(profile, &bytes[..])), expected);
        seen += 1;
    }
    assert_eq!(seen, 5 + 3 * EDGES);
}

/// Sizes around the bounds of a profile that the table must hold for each.
const EDGES: usize = 11;

#[test]
fn the_table_holds_every_edge_size_of_every_profile() {
    let has = |profile: Profile, len: usize| {
        let len = len.to_string();
        rows(CUTS).iter().any(|row| row[..3] == ["xof", &len, profile.name()])
    };
    for profile in Profile::ALL {
        let (min, max) = (profile.min(), profile.max());
        let edges = [min - 2, min - 1, min, min + 1].into_iter();
        let edges = edges.chain([max - 1, max, max + 1, max + 2]);
        let edges: Vec<_> = edges.chain([2 * max - 1, 2 * max, 2 * max + 1]).collect();
        assert_eq!(edges.len(), EDGES);
        assert!(edges.iter().all(|edge| has(profile, *edge)), "{profile}");
    }
}

#[test]
fn the_frozen_hashes_of_single_windows_hold() {
    let rows = rows(HASHES);
    assert_eq!(rows.len(), 16);
    for row in rows {
        let window = u64::from_str_radix(row[0], 16).unwrap().to_be_bytes();
        assert_eq!(format!("{:08x}", cutter::hash(window)), row[1], "window {}", row[0]);
    }
}

#[test]
fn the_constants_come_from_the_named_text() {
    let origin = blake3::hash(b"haul mincdc 1 0");
    let (words, _) = origin.as_bytes().as_chunks::<4>();
    let words: Vec<_> = words.iter().map(|word| u32::from_le_bytes(*word)).collect();
    assert_eq!([words[0] | 1, words[1] | 1, words[2]], [A, B, C]);
}

#[test]
fn an_empty_file_has_no_chunk() {
    for profile in Profile::ALL {
        assert!(cut(profile, &[]).is_empty());
        assert!(cut_segments(profile, (&[], End::File), 1).is_empty());
        assert!(stream(profile, &[][..]).is_empty());
        assert_eq!(profile.next_cut(&[], End::File), None);
    }
}

#[test]
fn a_cut_is_known_once_the_window_passes_the_largest_chunk() {
    for profile in Profile::ALL {
        let bytes = xof(2 * profile.max());
        let max = profile.max();
        assert_eq!(profile.next_cut(&bytes[..max], End::More), None);
        assert_eq!(profile.next_cut(&bytes[..max], End::File), Some(max));
        let cut = profile.next_cut(&bytes[..=max], End::More);
        assert!(cut.is_some());
        assert_eq!(cut, profile.next_cut(&bytes[..=max], End::File));
        assert_eq!(cut, profile.next_cut(&bytes, End::More));
    }
}

#[test]
fn a_smallest_window_at_either_bound_is_cut_there() {
    // The one window of 8 bytes whose hash is 0 and whose older half is 0.
    let mut inverse = 1u32;
    for _ in 0..5 {
        inverse = inverse.wrapping_mul(2u32.wrapping_sub(B.wrapping_mul(inverse)));
    }
    let mut zero = [0; 8];
    zero[4..].copy_from_slice(&C.wrapping_neg().wrapping_mul(inverse).to_le_bytes());
    assert_eq!(cutter::hash(zero), 0);
    for profile in Profile::ALL {
        for at in [profile.min(), profile.min() + 1, profile.max() - 1, profile.max()] {
            let mut bytes = vec![0xff; profile.max() + 1];
            bytes[at - 8..at].copy_from_slice(&zero);
            assert_eq!(cut(profile, &bytes)[0], at, "{profile}");
            assert_eq!(cut_by_reference(profile, &bytes)[0], at, "{profile}");
        }
        // Outside the bounds it has no say.
        for at in [profile.min() - 1, profile.max() + 1] {
            let mut bytes = vec![0xff; profile.max() + 1];
            bytes[at - 8..at].copy_from_slice(&zero);
            assert_ne!(cut(profile, &bytes)[0], at, "{profile}");
        }
    }
}

/// Gives its bytes in pieces of changing size, with interruptions and failures between.
struct Odd<'a> {
    rest: &'a [u8],
    sizes: Vec<usize>,
    turn: usize,
}

impl Read for Odd<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.turn += 1;
        match self.sizes[self.turn % self.sizes.len()] {
            0 => Err(io::ErrorKind::Interrupted.into()),
            1 => Err(io::ErrorKind::TimedOut.into()),
            size => {
                let count = size.min(self.rest.len()).min(buffer.len());
                let (head, tail) = self.rest.split_at(count);
                buffer[..count].copy_from_slice(head);
                self.rest = tail;
                Ok(count)
            }
        }
    }
}

/// Reads all blocks, trying again after failures; checks that each is whole, gives buffers back.
fn drain<R: Read>(mut windows: Windows<R>) -> (Vec<usize>, Vec<u8>) {
    let (mut lengths, mut all) = (Vec::new(), Vec::new());
    loop {
        let block = match windows.next() {
            Ok(Some(block)) => block,
            Ok(None) => break,
            Err(error) if error.kind() == io::ErrorKind::TimedOut => continue,
            Err(error) => panic!("{error}"),
        };
        let mut at = 0;
        for chunk in &block.chunks {
            assert_eq!(chunk.start, at);
            at = chunk.end;
            lengths.push(chunk.len());
        }
        assert_eq!(at, block.bytes.len());
        assert!(at > 0 && at <= 4 << 20);
        all.extend_from_slice(&block.bytes);
        windows.recycle(block.bytes);
    }
    assert_eq!(windows.next().unwrap(), None);
    (lengths, all)
}

fn stream<R: Read>(profile: Profile, reader: R) -> Vec<usize> {
    drain(Windows::new(profile, reader)).0
}

#[test]
fn blocks_follow_each_other_without_a_gap_in_a_file_of_several_buffers() {
    let bytes = xof((9 << 20) + 12_345);
    for profile in Profile::ALL {
        let (lengths, all) = drain(Windows::new(profile, &bytes[..]));
        assert_eq!(lengths, cut(profile, &bytes));
        assert!(all == bytes, "{profile}");
    }
}

#[test]
fn a_wrong_expectation_changes_nothing() {
    let bytes = xof(5 << 20);
    for expected in [0, 1, 40_000, bytes.len() as u64 - 1, bytes.len() as u64, u64::MAX] {
        let windows = Windows::new(Profile::DEFAULT, &bytes[..]).expecting(expected);
        let (lengths, all) = drain(windows);
        assert_eq!(lengths, cut(Profile::DEFAULT, &bytes), "{expected}");
        assert!(all == bytes, "{expected}");
    }
}

fn any_profile() -> impl Strategy<Value = Profile> {
    prop::sample::select(&Profile::ALL[..])
}

/// Files of all shapes up to some 600 KiB: noise, long repeats (ties), counted rows.
fn any_file() -> impl Strategy<Value = Vec<u8>> {
    let part = (prop::collection::vec(any::<u8>(), 1..40), 1usize..6_000, any::<bool>());
    prop::collection::vec(part, 0..6).prop_map(|parts| {
        let mut bytes = Vec::new();
        for (seed, times, noise) in parts {
            let len = seed.len() * times;
            let start = bytes.len();
            bytes.resize(start + len, 0);
            if noise {
                blake3::Hasher::new().update(&seed).finalize_xof().fill(&mut bytes[start..]);
            } else {
                bytes[start..].copy_from_slice(&seed.repeat(times));
            }
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_fast_search_equals_the_reference(
        bytes in prop::collection::vec(prop_oneof![Just(0u8), Just(1), any::<u8>()], 0..3_000),
    ) {
        prop_assert_eq!(simd::first_smallest(&bytes), cutter::first_smallest(&bytes));
        // What other processors run.
        prop_assert_eq!(simd::first_smallest_generic(&bytes), cutter::first_smallest(&bytes));
        // Repeats put equal minima into several of its blocks.
        let twice = bytes.repeat(2);
        prop_assert_eq!(simd::first_smallest(&twice), cutter::first_smallest(&twice));
    }

    #[test]
    fn every_door_gives_the_same_cuts(
        profile in any_profile(),
        bytes in any_file(),
        segment_len in 0usize..700_000,
        sizes in prop::collection::vec(prop_oneof![Just(0), Just(1), 2usize..200_000], 1..5),
    ) {
        let lengths = cut_by_reference(profile, &bytes);
        prop_assert_eq!(&cut(profile, &bytes), &lengths);
        prop_assert_eq!(&cut_segments(profile, (&bytes, End::File), segment_len), &lengths);
        // Where more follows, a cut is known while more than the largest chunk is left.
        let mut left = bytes.len();
        let known = lengths.iter().take_while(|length| {
            let known = left > profile.max();
            left -= **length;
            known
        });
        let known: Vec<usize> = known.copied().collect();
        prop_assert_eq!(cut_segments(profile, (&bytes, End::More), segment_len), known);
        let sizes = [sizes, vec![70_000]].concat();
        let (streamed, all) = drain(Windows::new(profile, Odd { rest: &bytes, sizes, turn: 0 }));
        prop_assert_eq!(&streamed, &lengths);
        prop_assert!(all == bytes);
    }

    #[test]
    fn chunks_cover_the_file_within_the_bounds(profile in any_profile(), bytes in any_file()) {
        let lengths = cut(profile, &bytes);
        prop_assert_eq!(lengths.iter().sum::<usize>(), bytes.len());
        if let Some((last, others)) = lengths.split_last() {
            prop_assert!((1..=profile.max()).contains(last));
            let bounds = profile.min()..=profile.max();
            prop_assert!(others.iter().all(|length| bounds.contains(length)));
        }
    }

    #[test]
    fn a_cut_depends_only_on_the_bytes_behind_its_start(
        profile in any_profile(),
        before in any_file(),
        bytes in any_file(),
    ) {
        let whole = [before, bytes].concat();
        let lengths = cut(profile, &whole);
        let mut at = 0;
        for (index, length) in lengths.iter().enumerate() {
            prop_assert_eq!(&cut(profile, &whole[at..])[..], &lengths[index..]);
            at += length;
        }
    }
}
