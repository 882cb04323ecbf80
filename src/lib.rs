//! haul: data version control that stores small pointers in Git and content-defined,
//! deduplicated, compressed packs in storage the user already has.
//!
//! The public interface is [`ops`] (one module per verb) and [`repo::Repo`]. The modules form rows;
//! each uses lower rows only (`docs/ARCHITECTURE.md`, checked by `tests/architecture.rs`).

pub mod cache;
pub mod catalogue;
pub mod chunk;
#[cfg(feature = "cli")]
pub mod cli;
pub mod config;
pub mod fs;
pub mod git;
pub mod hash;
pub mod hint;
pub mod intake;
pub mod manifest;
pub mod node;
pub mod ops;
pub mod pack;
pub mod path;
pub mod pointer;
pub mod progress;
pub mod recipe;
pub mod remote;
pub mod repo;
pub mod transfer;
pub mod units;
pub mod wire;
pub mod worktree;
