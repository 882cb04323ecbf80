//! Local content and what is known about it: packs, the chunk index, the stat cache.
//!
//! Everything but `unpushed/` can be made again. Knows no worktree, no pointer and no remote beyond
//! its identity.

mod arrivals;
mod database;
mod delta;
mod error;
mod examine;
mod file_name;
mod files;
mod folder;
mod index;
mod layout;
mod links;
mod local;
mod nodes;
mod place;
mod reader;
mod rebuild;
mod salvage;
mod sink;
mod stat;
#[cfg(test)]
mod testing;
mod trees;
mod usage;

pub use arrivals::Arrivals;
pub use database::PATIENCE;
pub use delta::DeltaFault;
pub use error::CacheError;
pub use examine::{LocalPack, Row};
pub use file_name::WholeName;
pub use files::{IdleFile, Link, WholeFile, WholeFiles, list_files, oid_of};
pub use folder::{CacheFolder, CachedPack, Form, Removal, TakenIn};
pub use index::{Index, IndexReader};
pub use layout::Layout;
pub use links::{note_links, noted_links};
pub use nodes::{NodeSink, Stale};
pub use place::{Held, PackState, Place};
pub use reader::{NodeAndPlacement, ObjectReader};
pub use rebuild::LocalFooter;
pub use salvage::quarantine;
pub use sink::{PackSink, WrittenPack, places_of, record_written};
pub use stat::{Known, PathAndPointer, StatCache, StatEntry};
pub use trees::LocalNodeError;
pub use usage::CacheSize;
