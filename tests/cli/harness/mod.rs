//! What tests are made of: a world, repositories in it, remotes, data, and what a command printed.

pub(crate) mod data;
mod disk;
mod git;
mod output;
mod paused;
mod remote;
mod screen;
mod tree;
mod world;

pub(crate) use disk::{Disk, Small, shares_blocks};
pub(crate) use git::Repo;
pub(crate) use output::Output;
pub(crate) use paused::Paused;
pub(crate) use remote::Remote;
pub(crate) use screen::screen;
pub(crate) use tree::Tree;
pub(crate) use world::World;

/// Says that a test cannot run here; in CI that is a failure.
#[expect(clippy::print_stdout, reason = "a test that does not run must be seen")]
pub(crate) fn skipped(why: &str) {
    println!("skipped: {why}");
    assert!(std::env::var("CI").as_deref() != Ok("true"), "CI cannot test this: {why}");
}
