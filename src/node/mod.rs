//! The content-defined Merkle tree that recipes and manifests share (`docs/format/tree.md`).
//!
//! One node structure, one split rule, one builder, one editor and one walker, generic over the
//! kind of leaf [`Entry`]. Knows nothing of files, packs or where nodes come from: callers hand in
//! a function that returns the bytes of a node, and one that takes finished nodes.

mod build;
mod child;
mod codec;
mod cursor;
mod entry;
mod error;
mod item;
mod keys;
mod old;
mod placement;
mod read;
mod region;
mod splice;
mod split;
mod stream;
#[cfg(test)]
pub(crate) mod testing;

pub use build::{BuildError, Builder, Built, BuiltNode, Summary, build};
pub use child::{Child, Expectation, Role};
pub use codec::{Body, HEADER_LEN, MAX_LEVEL, MAX_NODE, Node, node_len};
pub use cursor::{Cursor, Piece, Scope, get};
pub use entry::{Entry, InnerEntry, Kind, MAX_CHUNK, MAX_KEY, MAX_TOTAL, MIN_CHUNK};
pub(crate) use entry::{put_key, take_key};
pub use error::{EntryError, NodeError};
pub use keys::{KeyOrder, in_one_folder};
pub use old::OldTree;
pub use placement::{BaseLoc, Loc, PackRef, PlacementError, decode_placement, encode_placement};
pub(crate) use read::fetch;
pub use read::{ReadError, open};
pub(crate) use splice::few_left;
pub use splice::{EditError, Splice, splice};
pub use split::{MAX_ENTRIES, MIN_ENTRIES, cut_after, weight};
