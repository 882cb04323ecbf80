//! Cuts cover the input within the bounds, and every way to cut gives the same ones.
#![no_main]

use haul::chunk::{End, Profile, Windows, cut, cut_by_reference, cut_segments};
use libfuzzer_sys::fuzz_target;
use std::io::Read;

/// Fuzzer inputs are short beside a chunk, so they are stretched to at most this many bytes.
const LONGEST: usize = 256 << 10;

fuzz_target!(|input: &[u8]| {
    let Some(([shape, repeats, segment, piece], pattern)) = input.split_first_chunk() else {
        return;
    };
    let profile = if shape & 1 == 0 { Profile::M16 } else { Profile::M64 };
    let bytes = stretch(pattern, usize::from(*repeats) * 16 + 1, shape & 2 != 0);
    let lengths = cut(profile, &bytes);

    assert_eq!(lengths.iter().sum::<usize>(), bytes.len());
    if let Some((last, others)) = lengths.split_last() {
        assert!((1..=profile.max()).contains(last));
        assert!(others.iter().all(|length| (profile.min()..=profile.max()).contains(length)));
    }
    assert_eq!(cut_by_reference(profile, &bytes), lengths);
    let segment = usize::from(*segment) << 10;
    assert_eq!(cut_segments(profile, (&bytes, End::File), segment), lengths);
    let (mut known, mut at) = (Vec::new(), 0);
    while let Some(length) = profile.next_cut(&bytes[at..], End::More) {
        known.push(length);
        at += length;
    }
    assert_eq!(cut_segments(profile, (&bytes, End::More), segment), known);

    let reader = Pieces { rest: &bytes, size: (usize::from(*piece) << 6) + 1 };
    let mut windows = Windows::new(profile, reader).expecting(u64::from(*piece) << 8);
    let (mut streamed, mut all) = (Vec::new(), Vec::new());
    while let Some(block) = windows.next().unwrap() {
        streamed.extend(block.chunks.iter().map(ExactSizeIterator::len));
        all.extend_from_slice(&block.bytes);
        windows.recycle(block.bytes);
    }
    assert_eq!(streamed, lengths);
    assert!(all == bytes);
});

/// Repeats `pattern`, either alike or each time with another value mixed in.
fn stretch(pattern: &[u8], repeats: usize, changing: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    for turn in 0..repeats {
        let mask = if changing { turn as u8 } else { 0 };
        bytes.extend(pattern.iter().map(|byte| byte ^ mask));
        if bytes.len() >= LONGEST {
            break;
        }
    }
    bytes.truncate(LONGEST);
    bytes
}

/// Gives at most `size` bytes a call.
struct Pieces<'a> {
    rest: &'a [u8],
    size: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let size = self.size.min(buffer.len());
        self.rest.read(&mut buffer[..size])
    }
}
