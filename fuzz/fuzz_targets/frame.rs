//! A frame decodes within its limits or is refused.
#![no_main]

use haul::hash::PackKind;
use haul::pack::{
    CODEC_COLUMNS, CODEC_PLANES, CODEC_ZSTD, Codecs, MAX_CHUNK, MAX_NODE_RAW, decode_frame,
};
use libfuzzer_sys::fuzz_target;
use std::cell::RefCell;

thread_local! {
    // As a reader does; to make them anew for every input takes longer than to decode it.
    static CODECS: RefCell<Codecs> = RefCell::new(Codecs::new());
}

fuzz_target!(|input: &[u8]| CODECS.with_borrow_mut(|codecs| decode(codecs, input)));

fn decode(codecs: &mut Codecs, input: &[u8]) {
    if let Ok(frame) = decode_frame(codecs, PackKind::Data, input) {
        assert!(frame.raw.len() <= MAX_CHUNK as usize && frame.n_objects > 0);
    }
    if let Ok(frame) = decode_frame(codecs, PackKind::Nodes, input) {
        assert!(frame.raw.len() <= MAX_NODE_RAW as usize && frame.n_objects == 1);
    }
    let Some((first, rest)) = input.split_first() else { return };
    for codec in [CODEC_ZSTD, CODEC_PLANES, CODEC_COLUMNS] {
        payload(codecs, codec, u32::from(*first) + 1, rest);
    }
}

/// Decodes `payload` under a head that fits it, which a fuzzer would take long to find.
fn payload(codecs: &mut Codecs, codec: u8, raw_len: u32, payload: &[u8]) {
    let Ok(len) = u32::try_from(payload.len()) else { return };
    let head = [&[codec, 0, 1, 0][..], &raw_len.to_le_bytes(), &len.to_le_bytes()].concat();
    if let Ok(frame) = decode_frame(codecs, PackKind::Data, &[&head, payload].concat()) {
        assert_eq!(frame.raw.len(), raw_len as usize);
    }
}
