//! A frame that we write gives its objects back, whatever they are.
#![no_main]

use haul::hash::{ChunkId, PackKind};
use haul::pack::{Codecs, decode_frame, encode_data_frame};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let mut codecs = Codecs::new();
    let Some((first, rest)) = input.split_first() else { return };
    if !rest.is_empty() {
        // Long enough for byte planes, and with elements if the input is 2, 4 or 8 bytes long.
        let long = rest.repeat(2048 / rest.len() + 1);
        round_trip(&mut codecs, &long, long.len());
        table(&mut codecs, rest);
    }
    round_trip(&mut codecs, rest, usize::from(*first) + 1);
});

/// Writes rows of numbers that begin at or jump to what the input says, of words and of its bytes.
fn table(codecs: &mut Codecs, input: &[u8]) {
    let mut number = 0u64;
    let rows =
        input.iter().cycle().zip(input.windows(5).cycle()).take(400).map(|(byte, window)| {
            number =
                number.wrapping_mul(1 + u64::from(*byte == 255)).wrapping_add(u64::from(*byte));
            let word = window.iter().map(|byte| char::from(b'a' + byte % 26));
            let word: String = word.take(usize::from(byte % 6)).collect();
            format!("{number},{word},{byte:03},{:?},{}\n", byte % 4, "=".repeat(usize::from(*byte)))
        });
    let table: String = rows.collect();
    if !table.is_empty() {
        round_trip(codecs, table.as_bytes(), table.len());
    }
}

/// Encodes `raw` as chunks of `size` bytes in one frame and reads each back.
fn round_trip(codecs: &mut Codecs, raw: &[u8], size: usize) {
    let chunks: Vec<(ChunkId, &[u8])> =
        raw.chunks(size).map(|chunk| (ChunkId::of(chunk), chunk)).collect();
    let Ok(frame) = encode_data_frame(codecs, &chunks) else { return };
    let back = decode_frame(codecs, PackKind::Data, frame.bytes()).unwrap();
    assert_eq!(back.raw, raw);
    let mut skip = 0;
    for (id, chunk) in chunks {
        let len = u32::try_from(chunk.len()).unwrap();
        assert_eq!(back.chunk(skip, len, id).unwrap(), chunk);
        skip += len;
    }
}
