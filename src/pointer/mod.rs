//! The small text that Git holds in place of content (`docs/format/pointer.md`). Knows nothing of
//! Git, of the content, or of the trees whose roots it names.

mod error;
mod merge;
mod parse;
mod text;

#[cfg(test)]
mod golden;
#[cfg(test)]
mod tests;

pub use error::PointerError;
pub use merge::{merge_dirs, merge_pointers, merge_roots};
pub use parse::looks_like_pointer;
pub use text::{MAX_POINTER, Pointer, PointerKind, Root};
