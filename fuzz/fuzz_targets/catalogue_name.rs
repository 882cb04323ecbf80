//! Every name below `i/`, and every key of a pack, prints as it was read.
#![no_main]

use haul::catalogue::{Entry, key};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| {
    let entry = Entry::parse(input);
    assert_eq!(entry.to_string(), input);
    if let Entry::Object(name) = &entry {
        assert_eq!(key::catalogue(name), format!("i/{input}"));
    }
    if let Some((kind, id)) = key::parse_pack(input) {
        assert_eq!(key::pack(kind, id), input);
    }
});
