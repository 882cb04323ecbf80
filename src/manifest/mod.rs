//! Manifests: the sorted paths of a tracked directory, as a tree of nodes
//! (`docs/format/tree.md`).

mod content;
mod diff;
mod edit;
mod entry;
#[cfg(test)]
mod form_tests;
mod merge;
#[cfg(test)]
mod merge_tests;
mod path;
#[cfg(test)]
mod tests;

pub use content::{Content, EntryKind, MAX_INLINE, MAX_TARGET};
pub use diff::{Change, Diff, diff};
pub use edit::{Edit, ManifestEditError, edit};
pub use entry::FileEntry;
pub use merge::{Clash, Merge, merge};
pub use path::{PathError, check_path};
