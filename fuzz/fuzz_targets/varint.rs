//! A number has one encoding, and reading takes no byte more than that.
#![no_main]

use haul::wire::{Reader, put_varint};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let mut reader = Reader::new(input);
    let mut read = 0;
    while let Ok(value) = reader.varint() {
        let mut again = Vec::new();
        put_varint(&mut again, value);
        assert!((1..=10).contains(&again.len()));
        assert_eq!(input.get(read..read + again.len()), Some(again.as_slice()));
        read += again.len();
        assert_eq!(reader.rest().len(), input.len() - read);
    }
    let mut reader = Reader::new(input);
    let Some(n) = input.first() else { return };
    assert_eq!(reader.take(usize::from(*n)).is_ok(), usize::from(*n) <= input.len());
    (reader.u16().ok(), reader.u32().ok(), reader.u64().ok(), reader.array::<32>().ok());
});
