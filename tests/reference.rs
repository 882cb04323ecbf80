//! Keeps the pages of `docs/reference` equal to what the program goes by.
//!
//! `HAUL_WRITE_REFERENCE=1 cargo test --test reference` writes them anew.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and makes plain files"
)]

use std::path::Path;

/// Compares a page with what it should say, or writes it.
fn check(name: &str, wanted: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference").join(name);
    if std::env::var_os("HAUL_WRITE_REFERENCE").is_some() {
        std::fs::write(&path, wanted).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = found.lines().zip(wanted.lines()).position(|(a, b)| a != b);
    assert!(
        found == wanted,
        "`docs/reference/{name}` is out of date from line {}; run \
         `HAUL_WRITE_REFERENCE=1 cargo test --test reference` and commit it",
        differs.unwrap_or_else(|| found.lines().count()) + 1
    );
}

#[test]
fn the_page_of_commands_says_what_the_help_says() {
    check("cli.md", &haul::cli::cli_reference());
}

#[test]
fn the_page_of_settings_lists_every_setting() {
    check("config.md", &haul::cli::config_reference());
}

#[test]
fn the_page_of_exit_codes_lists_every_code() {
    check("exit-codes.md", &haul::cli::exit_code_reference());
}
