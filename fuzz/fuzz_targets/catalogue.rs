//! A catalogue object that is accepted is written back byte for byte, and can be asked anything.
#![no_main]

use haul::catalogue::{Listed, Need, Object, View};
use haul::hash::Digest;
use libfuzzer_sys::fuzz_target;
use std::sync::Arc;

fuzz_target!(|input: &[u8]| {
    let mut bytes = input.to_vec();
    // No fuzzer finds the right hash.
    let Some(hashed) = bytes.len().checked_sub(36) else { return };
    let hash = Digest::of(&bytes[..hashed]);
    bytes[hashed..hashed + 32].copy_from_slice(&hash.0);
    let Ok(object) = Object::parse(&bytes) else { return };
    let (name, again) = object.clone().encode().unwrap();
    assert!(again == bytes, "another encoding of the same object was accepted");
    assert_eq!(Object::parse_named(&name, &bytes).unwrap(), object);

    let listed = Listed { name: name.to_string(), size: bytes.len() as u64, modified_ms: 0 };
    let Ok(view) = View::build([listed], [(name, Arc::new(object.clone()))]) else { return };
    assert!(view.missing(Need::Rely).is_empty());
    for loc in object.locs.iter().take(64) {
        view.locs(loc.key);
        view.may_rely_on(loc.pack);
    }
    view.hooks().take(64).for_each(drop);
});
