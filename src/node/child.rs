//! What hangs below a node, and what the parent promises about it.

use super::{Body, Entry, Kind, Node, NodeError};
use crate::hash::{ChunkId, NodeId};

/// Something that must be fetched to see what lies below an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Child {
    /// A chunk of content; it lies in a data pack.
    Chunk {
        /// Its id.
        id: ChunkId,
        /// Its length in bytes.
        size: u64,
    },
    /// A node of the same tree, or the recipe root of a manifest entry; it lies in a node pack.
    Node {
        /// Its id.
        id: NodeId,
        /// What it must turn out to be.
        expectation: Expectation,
    },
}

/// Where in its tree a node stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The root, at any level.
    Root,
    /// A node below another, at this very level.
    Below(u8),
}

/// What a parent or pointer says of a node before it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// The tree it belongs to.
    pub kind: Kind,
    /// Root, or at which level.
    pub role: Role,
    /// Content bytes below, where known.
    pub size: Option<u64>,
    /// Leaf entries below, where known.
    pub count: Option<u64>,
    /// The last key below, where the kind has keys and it is known.
    pub last_key: Option<Vec<u8>>,
}

impl Expectation {
    /// Expects a root of which nothing else is known.
    pub fn root(kind: Kind) -> Self {
        Self { kind, role: Role::Root, size: None, count: None, last_key: None }
    }

    /// Adds the content bytes that lie below.
    #[must_use]
    pub fn with_size(self, size: u64) -> Self {
        Self { size: Some(size), ..self }
    }

    /// Adds the number of leaf entries below.
    #[must_use]
    pub fn with_count(self, count: u64) -> Self {
        Self { count: Some(count), ..self }
    }

    /// Refuses a node that is not what was said of it.
    pub fn check<E: Entry>(&self, node: &Node<E>) -> Result<(), NodeError> {
        if E::KIND != self.kind {
            return Err(NodeError::OtherKind { expected: self.kind, found: E::KIND });
        }
        match self.role {
            Role::Below(level) if level != node.level() => return Err(NodeError::Parent("level")),
            Role::Below(_) if node.count() == 0 => return Err(NodeError::Entries { found: 0 }),
            Role::Below(_) => {}
            Role::Root => check_root(node)?,
        }
        if self.size.is_some_and(|size| size != node.size()) {
            return Err(NodeError::Parent("size"));
        }
        if self.count.is_some_and(|count| count != node.count()) {
            return Err(NodeError::Parent("number of entries"));
        }
        if self.last_key.as_deref().is_some_and(|key| key != node.last_key()) {
            return Err(NodeError::Parent("last key"));
        }
        Ok(())
    }
}

fn check_root<E: Entry>(node: &Node<E>) -> Result<(), NodeError> {
    if let Body::Inner(entries) = node.body()
        && entries.len() == 1
    {
        return Err(NodeError::LoneChild);
    }
    if node.count() < E::KIND.min_count() {
        return Err(NodeError::TooFew { found: node.count() });
    }
    if node.count() > E::KIND.max_count_of(node.size()) {
        return Err(NodeError::TooMany { found: node.count(), size: node.size() });
    }
    Ok(())
}
