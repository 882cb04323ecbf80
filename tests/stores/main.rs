//! Remotes of every kind, against real servers on this machine.
//!
//! ```text
//! eval "$(tests/servers/install.sh DIR)"
//! tests/servers/start-moto.sh SERVERS/moto 9310        the same for garage, azurite, apache, sshd
//! HAUL_TEST_SERVERS=SERVERS cargo test --test stores
//! tests/servers/stop.sh SERVERS/moto
//! ```
//!
//! A test whose server does not run says so and is skipped; in CI that is a failure.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and makes plain files"
)]

#[path = "../cli/harness/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the tests of the command line use more of it")]
mod harness;

mod cluster;
mod conformance;
mod fault;
mod faults;
mod keys;
mod odd;
#[expect(dead_code, reason = "the campaign of lines uses more of it")]
mod proxy;
mod refusals;
mod scene;
mod secrets;
mod server;
mod ssh;
mod tls;
