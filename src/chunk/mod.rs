//! Cuts file contents into chunks at positions chosen by the content (`docs/format/chunking.md`).
//!
//! Every door here gives the same cuts: [`Profile::next_cut`] one at a time, [`cut`] over a whole
//! file in memory, [`cut_segments`] on several threads, [`Windows`] over a reader. Knows nothing of
//! hashes of chunks, files or storage; readers of stored data never need it.

mod cutter;
mod profile;
mod segments;
mod simd;
mod stream;
#[cfg(test)]
mod tests;

pub use cutter::{End, cut, cut_by_reference};
pub use profile::Profile;
pub use segments::cut_segments;
pub use stream::{Block, Windows};
