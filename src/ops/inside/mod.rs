//! Changing a tracked folder path by path: by its manifest, of which only the nodes that matter are
//! read, and fetched where they are not on this machine. Knows no content.

mod change;
mod nodes;
mod publish;

pub(crate) use change::{Change, Folder, Present, change, look};
pub(crate) use nodes::write_nodes;
pub(crate) use publish::{is_followed, replace_pointer, write_pointer};
