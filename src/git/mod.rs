//! The only door to Git: what the repository is, what its index and revisions name, what is new.
//!
//! No git2 type leaves this module. libgit2 reads what it reads well (discovery, revisions, trees,
//! local objects, settings); the `git` command does everything that touches the index or a remote,
//! and takes over any read that libgit2 refuses: SHA-256, reftable, objects of a partial clone
//! (`docs/adr/0002-git-door.md`). The module hands out bytes and does not know what a pointer says.

mod apart;
mod attribute_lines;
mod attributes;
mod bare;
mod bringer;
mod change;
#[cfg(test)]
mod change_tests;
mod command;
mod discover;
mod driver;
mod error;
mod filter;
mod history;
#[cfg(test)]
mod history_tests;
mod hooks;
mod id;
mod index;
mod lock;
mod lookalikes;
mod merge_lines;
mod objects;
mod quote;
mod reach;
#[cfg(test)]
mod reach_tests;
mod remotes;
mod revisions;
mod settings;
mod stage;
mod staged;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use attribute_lines::filter_pattern;
pub use attributes::stays_in_git;
pub use discover::{Git, version};
pub use driver::{DriverCalled, clone, set_user_filter, unset_user_filter};
pub use error::GitError;
pub use filter::{Channel, ChannelError, Request, Verdict, Wish};
pub use history::{CommitNote, PointerBlob, PointerChange};
pub use hooks::{Called, HookFile, Keeper, Moment, PROBE, Placed, Standing, probe_answer};
pub use id::{CommitId, ObjectId};
pub use index::IndexEntry;
pub use merge_lines::Lines;
pub use objects::{Content, POINTER_LIMIT, TreePointer};
pub use reach::{Reach, Retention, SmallBlob};
pub use remotes::RemoteRef;
pub use stage::StagedBytes;
