//! The only door to the file system for writing. Knows nothing of what it writes.
//!
//! Two kinds of durability: what must survive a power cut goes through [`write_durably`] or
//! [`Temp::publish`] (temp, write, fsync, rename, fsync of the folder); worktree files go through
//! [`Dir`] (temp, rename, no fsync each) and, at the end, [`Dir::sync_file`] for a few files or one
//! [`Dir::sync`] for many.

mod ahead;
mod atomic;
mod beside;
mod copy;
mod dir;
#[cfg(test)]
mod dir_tests;
mod durable;
mod error;
pub mod failpoint;
mod links;
mod lock;
mod memory;
mod nameless;
pub mod nonce;
mod own_links;
mod pages;
mod plain;
pub mod planted;
mod shared;
mod sparse;
mod stamp;
mod temporary;

pub use atomic::{
    Scratch, Temp, append_line, make_folder, move_durably, open_log, read_limited, remove,
    remove_tree, replace, sweep_abandoned, temp_folder, write_durably, write_program,
};
pub use beside::{LifeSign, Linked, Seen, link_target, make_link, put_over};
pub use copy::{NotCopied, copy_durably};
pub use dir::{Dir, DirEntry, TEMP_PREFIX, TempFile, is_temp_name};
pub use error::{FsError, IoResultExt, what_helps};
pub use links::LinkKinds;
pub use lock::{Hold, Lock};
pub use memory::memory_limit;
pub use own_links::{OwnLink, is_own};
pub use pages::{PageBuffer, read_up_to};
pub use plain::{Links, is_not_plain, open_plain};
pub use shared::{is_no_file, mark_used};
pub use sparse::SparseFile;
pub use stamp::{FileKind, Stamp, Time};
pub use temporary::TempFolder;
