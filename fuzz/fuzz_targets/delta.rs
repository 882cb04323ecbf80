//! A frame with a base decodes within its limits or is refused, whatever the base is; a delta
//! that we write gives its chunk back.
#![no_main]

use haul::hash::{ChunkId, PackKind};
use haul::pack::{
    Bases, CODEC_PLANES_DIFFERENCE, CODEC_PLANES_XOR, CODEC_ZSTD_BASE, Candidate, Codecs,
    MAX_CHUNK, declared_len, decode_delta_frame, decode_frame, encode_delta_frames,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let mut codecs = Codecs::new();
    named(input);
    let Some((cut, rest)) = input.split_first() else { return };
    let (base, frame) = rest.split_at(usize::from(*cut).min(rest.len()));
    if let Ok(frame) = decode_delta_frame(&mut codecs, frame, base) {
        assert!(frame.raw.len() <= MAX_CHUNK as usize && frame.n_objects == 1);
    }
    for codec in [CODEC_ZSTD_BASE, CODEC_PLANES_XOR, CODEC_PLANES_DIFFERENCE] {
        payload(&mut codecs, codec, base, frame);
    }
    round_trip(&mut codecs, base, frame);
    if !frame.is_empty() && !base.is_empty() {
        // Long enough for numbers to be looked for, and near the base.
        let long = frame.repeat(5000 / frame.len() + 1);
        let near: Vec<u8> = long.iter().zip(base.iter().cycle()).map(|(a, b)| a ^ b & 3).collect();
        round_trip(&mut codecs, &near, &long);
    }
});

/// What a frame names as its base is named by a beginning of it too, and within the limits.
fn named(frame: &[u8]) {
    let Ok(Some(bases)) = Bases::of_frame(frame) else { return };
    assert!((1..=4).contains(&bases.ids.len()) && bases.skip < MAX_CHUNK);
    let prefix = &frame[..frame.len().min(Bases::MAX_PREFIX)];
    assert_eq!(Bases::of_frame(prefix), Ok(Some(bases)));
    drop(declared_len(prefix));
}

/// Decodes `payload` under a head that fits it, which a fuzzer would take long to find.
fn payload(codecs: &mut Codecs, codec: u8, base: &[u8], payload: &[u8]) {
    let Some((raw_len, payload)) = payload.split_first() else { return };
    let Ok(len) = u32::try_from(payload.len()) else { return };
    let raw_len = u32::from(*raw_len) + 1;
    let head = [&[codec, 1, 1, 0][..], &raw_len.to_le_bytes(), &len.to_le_bytes()].concat();
    let frame = [&head[..], &[0; 4], ChunkId::of(base).as_bytes(), payload].concat();
    assert!(decode_frame(codecs, PackKind::Data, &frame).is_err());
    if let Ok(frame) = decode_delta_frame(codecs, &frame, base) {
        assert_eq!(frame.raw.len(), raw_len as usize);
    }
}

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
