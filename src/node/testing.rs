//! A place for nodes in memory that counts what is read from it.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use super::{BuiltNode, NodeError, node_len};
use crate::hash::NodeId;

/// Nodes by id, and how many were asked for.
#[derive(Default)]
pub(crate) struct Store {
    nodes: RefCell<HashMap<NodeId, Vec<u8>>>,
    reads: Cell<usize>,
}

/// The store does not hold the node.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("missing")]
pub(crate) struct Missing;

impl Store {
    pub(crate) fn put(&self, node: BuiltNode) {
        assert_eq!(NodeId::of(&node.bytes), node.id);
        assert_eq!(node_len(&node.bytes), Ok(node.bytes.len()));
        self.nodes.borrow_mut().insert(node.id, node.bytes);
    }

    pub(crate) fn put_all(&self, nodes: impl IntoIterator<Item = BuiltNode>) {
        nodes.into_iter().for_each(|node| self.put(node));
    }

    pub(crate) fn put_bytes(&self, bytes: &[u8]) -> NodeId {
        let id = NodeId::of(bytes);
        self.nodes.borrow_mut().insert(id, bytes.to_vec());
        id
    }

    pub(crate) fn put_as(&self, id: NodeId, bytes: &[u8]) {
        self.nodes.borrow_mut().insert(id, bytes.to_vec());
    }

    pub(crate) fn holds(&self, id: NodeId) -> bool {
        self.nodes.borrow().contains_key(&id)
    }

    pub(crate) fn source(&self) -> impl FnMut(NodeId) -> Result<Vec<u8>, Missing> + '_ {
        |id| {
            self.reads.set(self.reads.get() + 1);
            self.nodes.borrow().get(&id).cloned().ok_or(Missing)
        }
    }

    /// Returns the reads since the last call.
    pub(crate) fn take_reads(&self) -> usize {
        self.reads.replace(0)
    }
}

/// Drops all cuts of `bytes` into `decode`, which must refuse each.
pub(crate) fn each_cut_is_refused<T>(bytes: &[u8], decode: impl Fn(&[u8]) -> Result<T, NodeError>) {
    for len in 0..bytes.len() {
        assert!(decode(&bytes[..len]).is_err(), "cut at {len}");
    }
    assert!(decode(bytes).is_ok());
}
