//! A difference that we write gives its chunk back, whatever it is taken to.
#![no_main]

use haul::hash::{ChunkId, PackKind};
use haul::pack::{Bases, Candidate, Codecs, decode_delta_frame, decode_frame, encode_delta_frames};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let mut codecs = Codecs::new();
    let Some((cut, rest)) = input.split_first() else { return };
    let (base, frame) = rest.split_at(usize::from(*cut).min(rest.len()));
    round_trip(&mut codecs, base, frame);
    if !frame.is_empty() && !base.is_empty() {
        // Long enough for numbers to be looked for, and near the base.
        let long = frame.repeat(5000 / frame.len() + 1);
        let near: Vec<u8> = long.iter().zip(base.iter().cycle()).map(|(a, b)| a ^ b & 3).collect();
        round_trip(&mut codecs, &near, &long);
    }
});

/// Encodes `raw` beside `base`, from several of its bytes on, and reads it back.
fn round_trip(codecs: &mut Codecs, base: &[u8], raw: &[u8]) {
    for skip in [0, 1, 7] {
        let bases = Bases { ids: vec![ChunkId::of(base)], skip };
        let candidate = Candidate { id: ChunkId::of(raw), raw, bases: &bases, base };
        let Ok(frames) = encode_delta_frames(codecs, &[candidate]) else { return };
        let frame = &frames[0];
        let back = match Bases::of_frame(frame.bytes()).unwrap() {
            Some(_) => decode_delta_frame(codecs, frame.bytes(), base).unwrap(),
            None => decode_frame(codecs, PackKind::Data, frame.bytes()).unwrap(),
        };
        assert_eq!(back.raw, raw);
    }
}
