//! Campaigns: the real program against faults and chance, many times, compared with a model.
//!
//! `cargo test --test campaigns -- NAME [--long] [--points N] [--seed S]`; without a name a short
//! form of all. Each prints its figures as a table, and a line per miss with the command that
//! repeats it; a miss ends the run with exit code 1.
#![cfg_attr(
    target_os = "linux",
    expect(
        clippy::expect_used,
        clippy::panic,
        clippy::disallowed_methods,
        clippy::print_stdout,
        reason = "a case fails by panicking, makes plain files, and its figures are printed"
    )
)]

#[cfg(target_os = "linux")]
mod figures;
#[cfg(target_os = "linux")]
mod random;
#[cfg(target_os = "linux")]
mod verbs;

#[cfg(target_os = "linux")]
#[path = "../cli/harness/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the tests of the command line use more of it")]
mod harness;

/// Every campaign with its name and what it is about.
#[cfg(target_os = "linux")]
const CAMPAIGNS: &[figures::Campaign] =
    &[figures::Campaign { name: "verbs", about: "random verbs against a map", run: verbs::run }];

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    figures::main(CAMPAIGNS)
}

#[cfg(not(target_os = "linux"))]
fn main() {}
