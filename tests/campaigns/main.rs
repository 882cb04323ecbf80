//! Campaigns: the real program against faults and chance, many times, compared with a model.
//!
//! `cargo test --test campaigns -- NAME [--long] [--points N] [--seed S]`; without a name a short
//! form of all. Each prints its figures as a table, and a line per miss with the command that
//! repeats it; a miss ends the run with exit code 1.
#![cfg_attr(
    all(target_os = "linux", target_arch = "x86_64"),
    expect(
        clippy::expect_used,
        clippy::panic,
        clippy::disallowed_methods,
        clippy::print_stdout,
        reason = "a case fails by panicking, makes plain files, and its figures are printed"
    )
)]

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod crash;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod figures;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod random;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod story;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod trace;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod verbs;

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[path = "../cli/harness/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the tests of the command line use more of it")]
mod harness;

/// Every campaign with its name and what it is about.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
const CAMPAIGNS: &[figures::Campaign] = &[
    figures::Campaign { name: "verbs", about: "random verbs against a map", run: verbs::run },
    figures::Campaign { name: "crash", about: "death at a system call", run: crash::run },
];

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn main() -> std::process::ExitCode {
    figures::main(CAMPAIGNS)
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
fn main() {}
