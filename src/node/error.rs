//! Why bytes are not a node, or a node not the one that was asked for.

use super::Kind;
use crate::hash::NodeId;
use crate::hint::Hint;
use crate::wire::WireError;

/// Why one entry of a node is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryError {
    /// The entry ends early or holds a number in a longer form than needed.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The entry breaks the rule that is named.
    #[error("{0}")]
    Rule(&'static str),
    /// A field holds a value that this release does not know.
    #[error("{what} {found} is not known; a newer haul is needed")]
    Newer {
        /// The field.
        what: &'static str,
        /// Its value.
        found: u64,
    },
}

/// Why bytes are not a node, or a node not the one that its parent names.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// The bytes end before the length that the header states, or a number is malformed.
    #[error("the node cannot be decoded: {0}")]
    Wire(#[from] WireError),
    /// A later format.
    #[error("node version {found} is not known; a newer haul is needed")]
    Version {
        /// The version byte.
        found: u8,
    },
    /// A kind that is reserved.
    #[error("node kind {found} is not known; a newer haul is needed")]
    Kind {
        /// The kind byte.
        found: u8,
    },
    /// A recipe where a manifest was asked for, or the reverse.
    #[error("the node belongs to a {found}, not to a {expected}")]
    OtherKind {
        /// What was asked for.
        expected: Kind,
        /// What the node is.
        found: Kind,
    },
    /// The byte that must be zero is not.
    #[error("a reserved byte of the node is not zero; a newer haul is needed")]
    Reserved,
    /// Deeper than eight levels.
    #[error("the node is at level {found}, above the highest allowed")]
    Level {
        /// The level byte, or the level a build would have needed.
        found: u64,
    },
    /// No entries, or more than a node may hold.
    #[error("the node holds {found} entries, outside the allowed range")]
    Entries {
        /// The number stated.
        found: u32,
    },
    /// Longer than a node may be.
    #[error("the node is {found} bytes long, above the limit")]
    Length {
        /// The whole length stated.
        found: u64,
    },
    /// The entries end before the stated length.
    #[error("bytes are left over behind the last entry of the node")]
    LeftOver,
    /// One entry is malformed.
    #[error("entry {index} of the node is refused: {source}")]
    Entry {
        /// Position in the node, from 0.
        index: usize,
        /// What is wrong with it.
        source: EntryError,
    },
    /// Keys do not rise strictly.
    #[error("`{key}` does not come after the key before it")]
    Order {
        /// The later key, escaped.
        key: String,
    },
    /// One key is a directory of another.
    #[error("`{file}` is an entry of its own and a directory of `{below}`")]
    Nested {
        /// The shorter key, escaped.
        file: String,
        /// The longer key, escaped.
        below: String,
    },
    /// Sizes or counts add up to more than a tree may hold.
    #[error("the sum of {0} in the tree exceeds the limit")]
    Total(&'static str),
    /// The bytes are not the ones that were named.
    #[error("the bytes hash to {actual}, not to {expected}")]
    Id {
        /// The id asked for.
        expected: NodeId,
        /// The id of the bytes.
        actual: NodeId,
    },
    /// The node contradicts its parent or pointer.
    #[error("the node differs from what its parent says about its {0}")]
    Parent(&'static str),
    /// A root that only wraps one other node.
    #[error("the root has a single child; that child should be the root")]
    LoneChild,
    /// A recipe root with fewer than two chunks; such a file has no recipe.
    #[error("a recipe needs at least two chunks, but has {found}")]
    TooFew {
        /// How many there are.
        found: u64,
    },
    /// A recipe of more chunks than so many bytes can have.
    #[error("a file of {size} bytes cannot have {found} chunks")]
    TooMany {
        /// How many there are.
        found: u64,
        /// The bytes of the file.
        size: u64,
    },
}

impl Hint for EntryError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Newer { .. } => Some("install a newer haul and run the command again".to_owned()),
            Self::Wire(_) | Self::Rule(_) => None,
        }
    }
}

impl Hint for NodeError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Version { .. } | Self::Kind { .. } | Self::Reserved => {
                Some("install a newer haul and run the command again".to_owned())
            }
            Self::Entry { source, .. } => source.hint(),
            Self::Nested { file, .. } => {
                Some(format!("remove or rename `{file}`, or what lies below it"))
            }
            Self::Id { .. } => Some("run `haul add` and `haul push` where the data is".to_owned()),
            Self::Wire(_)
            | Self::OtherKind { .. }
            | Self::Level { .. }
            | Self::Entries { .. }
            | Self::Length { .. }
            | Self::LeftOver
            | Self::Order { .. }
            | Self::Total(_)
            | Self::Parent(_)
            | Self::LoneChild
            | Self::TooFew { .. }
            | Self::TooMany { .. } => None,
        }
    }
}

impl NodeError {
    /// Says whether a newer haul is needed, as opposed to better bytes.
    pub fn is_newer(&self) -> bool {
        matches!(
            self,
            Self::Version { .. }
                | Self::Kind { .. }
                | Self::Reserved
                | Self::Entry { source: EntryError::Newer { .. }, .. }
        )
    }

    /// Says that `file` cannot stand beside `below`, which lies below it.
    pub fn nested(file: &[u8], below: &[u8]) -> Self {
        Self::Nested { file: shown(file), below: shown(below) }
    }
}

/// Makes a key fit for a message: invalid UTF-8 replaced, control characters escaped.
pub(super) fn shown(key: &[u8]) -> String {
    String::from_utf8_lossy(key).escape_debug().to_string()
}
