//! A pointer that is accepted is written back byte for byte, and merges with itself into itself.
#![no_main]

use haul::pointer::{Pointer, looks_like_pointer, merge_pointers};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Ok(pointer) = Pointer::parse(input) else { return };
    assert!(looks_like_pointer(input));
    assert_eq!(pointer.to_bytes(), input);
    assert_eq!(merge_pointers(Some(&pointer), &pointer, &pointer), Some(pointer));
});
