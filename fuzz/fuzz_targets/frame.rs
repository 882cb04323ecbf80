//! A frame decodes within its limits or is refused; one that we write gives its objects back.
#![no_main]

use haul::hash::{ChunkId, PackKind};
use haul::pack::{Codecs, MAX_CHUNK, MAX_NODE_RAW, decode_frame, encode_data_frame};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let mut codecs = Codecs::new();
    if let Ok(frame) = decode_frame(&mut codecs, PackKind::Data, input) {
        assert!(frame.raw.len() <= MAX_CHUNK as usize && frame.n_objects > 0);
    }
    if let Ok(frame) = decode_frame(&mut codecs, PackKind::Nodes, input) {
        assert!(frame.raw.len() <= MAX_NODE_RAW as usize && frame.n_objects == 1);
    }
    let Some((first, rest)) = input.split_first() else { return };
    let size = usize::from(*first) + 1;
    let chunks: Vec<(ChunkId, &[u8])> =
        rest.chunks(size).map(|chunk| (ChunkId::of(chunk), chunk)).collect();
    let Ok(frame) = encode_data_frame(&mut codecs, &chunks) else { return };
    let back = decode_frame(&mut codecs, PackKind::Data, frame.bytes()).unwrap();
    assert_eq!(back.raw, rest);
    let mut skip = 0;
    for (id, chunk) in chunks {
        let len = u32::try_from(chunk.len()).unwrap();
        assert_eq!(back.chunk(skip, len, id).unwrap(), chunk);
        skip += len;
    }
});
