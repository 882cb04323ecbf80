//! The list of accepted remotes reads back as written, and an address is compared in one form.
#![no_main]

use haul::config::{Accepted, has_secret, is_accepted, normalise};
use libfuzzer_sys::fuzz_target;
use std::path::Path;

fuzz_target!(|input: &str| {
    let (file, root) = (Path::new("/home/accepted.toml"), Path::new("/repo"));
    if let Ok(list) = Accepted::parse(input, file) {
        assert_eq!(Accepted::parse(&list.print(), file).unwrap(), list);
    }
    let once = normalise(input, root);
    assert!(!has_secret(&once));
    let mut list = Accepted::default();
    assert!(list.insert(input, root));
    assert!(!list.insert(input, root));
    assert!(is_accepted(&list, None, input, root));
    assert_eq!(Accepted::parse(&list.print(), file).unwrap(), list);
    assert!(list.remove(input, root));
});
