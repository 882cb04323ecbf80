//! What tests are made of: a world, repositories in it, remotes, data, and what a command printed.

pub(crate) mod data;
mod git;
mod output;
mod remote;
mod tree;
mod world;

pub(crate) use git::Repo;
pub(crate) use output::Output;
pub(crate) use remote::Remote;
pub(crate) use tree::Tree;
pub(crate) use world::World;
