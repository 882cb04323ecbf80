//! The catalogue of a remote and the keys under which everything lies (`docs/format/remote.md`).
//!
//! Turns bytes into tables and back, and a listing with its objects into answers. Knows no network
//! and no files: whoever has listed and fetched can use it.

mod consolidate;
mod error;
mod index;
pub mod key;
mod name;
mod object;
mod parse;
mod record;
#[cfg(test)]
mod tests;
mod text;
mod view;

pub use consolidate::{consolidate, run_of};
pub use error::{CatalogueError, ObjectError, TextError, ViewError};
pub use index::{INDEX_KIND, MAX_INDEX_LEN, parse_index, print_index};
pub use name::{Entry, Feature, FeatureClass, Name, ObjectKind};
pub use object::{MAX_OBJECT_LEN, Object, UnknownSection};
pub use record::{
    CoverRecord, HookRecord, LocRecord, PackRecord, SOURCE_BASELINE, SOURCE_CONDEMNED,
    SOURCE_PUSH_RECORD, is_hook,
};
pub use text::{Registration, RemoteFormat};
pub use view::{LONE_LIMIT, Listed, Listing, Loc, Need, View};
