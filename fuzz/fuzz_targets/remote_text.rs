//! The texts `format`, `repos/…` and `index` of a remote print as they were read.
#![no_main]

use haul::catalogue::{Registration, RemoteFormat, parse_index, print_index};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Ok(format) = RemoteFormat::parse(input) {
        assert_eq!(format.print().unwrap().as_bytes(), input);
    }
    if let Ok(registration) = Registration::parse(input) {
        assert_eq!(registration.print().unwrap().as_bytes(), input);
    }
    if let Ok(listing) = parse_index(input) {
        assert_eq!(print_index(&listing).as_bytes(), input);
    }
});
