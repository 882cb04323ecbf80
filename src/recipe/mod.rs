//! Recipes: the ordered chunks of one file, as a tree of nodes (`docs/format/tree.md`).
//!
//! A file of no chunk or of one has no recipe; [`Shape`] says which of the three a file is.

mod build;
mod edit;
mod entry;
mod pair;
#[cfg(test)]
mod pair_tests;
mod range;
#[cfg(test)]
mod tests;

pub use build::{Builder, Shape, build};
pub use edit::splice;
pub use entry::ChunkEntry;
pub use pair::{Former, Pairing};
pub use range::{ChunkAt, Chunks};
