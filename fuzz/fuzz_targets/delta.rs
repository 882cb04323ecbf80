//! A frame with a base decodes within its limits or is refused, whatever the base is.
#![no_main]

use haul::hash::{ChunkId, PackKind};
use haul::pack::{
    Bases, CODEC_PLANES_DIFFERENCE, CODEC_PLANES_XOR, CODEC_ZSTD_BASE, Codecs, MAX_CHUNK,
    declared_len, decode_delta_frame, decode_frame,
};
use libfuzzer_sys::fuzz_target;
use std::cell::RefCell;

thread_local! {
    // As a reader does; to make them anew for every input takes longer than to decode it.
    static CODECS: RefCell<Codecs> = RefCell::new(Codecs::new());
}

fuzz_target!(|input: &[u8]| CODECS.with_borrow_mut(|codecs| decode(codecs, input)));

fn decode(codecs: &mut Codecs, input: &[u8]) {
    named(input);
    let Some((cut, rest)) = input.split_first() else { return };
    let (base, frame) = rest.split_at(usize::from(*cut).min(rest.len()));
    if let Ok(frame) = decode_delta_frame(codecs, frame, base) {
        assert!(frame.raw.len() <= MAX_CHUNK as usize && frame.n_objects == 1);
    }
    for codec in [CODEC_ZSTD_BASE, CODEC_PLANES_XOR, CODEC_PLANES_DIFFERENCE] {
        payload(codecs, codec, base, frame);
    }
}

/// What a frame names as its base is named by a beginning of it too, and within the limits.
fn named(frame: &[u8]) {
    let Ok(Some(bases)) = Bases::of_frame(frame) else { return };
    assert!((1..=4).contains(&bases.ids.len()) && bases.skip < MAX_CHUNK);
    let prefix = &frame[..frame.len().min(Bases::MAX_PREFIX)];
    assert_eq!(Bases::of_frame(prefix), Ok(Some(bases)));
    let _ = declared_len(prefix);
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
