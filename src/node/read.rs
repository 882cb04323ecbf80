//! From the bytes that some place handed out to a node that can be relied on.

use std::error::Error;

use super::{Entry, Expectation, Node, NodeError, node_len};
use crate::hash::NodeId;

/// Why a node of a tree could not be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError<S: Error + 'static> {
    /// The place where nodes come from failed.
    #[error("could not read node {id}")]
    Source {
        /// The node asked for.
        id: NodeId,
        /// What the place said.
        source: S,
    },
    /// The bytes came, but they are not the node that the tree needs there.
    #[error("node {id} is refused")]
    Node {
        /// The node asked for.
        id: NodeId,
        /// What is wrong.
        source: NodeError,
    },
}

/// Checks that `bytes` start with the node `id`, decodes it, and returns it with the bytes behind
/// it: its placement. The id is checked before anything but the header is decoded.
pub fn open<E: Entry>(id: NodeId, bytes: &[u8]) -> Result<(Node<E>, &[u8]), NodeError> {
    let (own, placement) = bytes.split_at(node_len(bytes)?);
    let actual = NodeId::of(own);
    if actual != id {
        return Err(NodeError::Id { expected: id, actual });
    }
    Ok((Node::decode(own)?.0, placement))
}

/// Fetches the node `id` through `source` and checks it against its id and its parent.
pub(crate) fn fetch<E, B, S>(
    source: &mut impl FnMut(NodeId) -> Result<B, S>,
    id: NodeId,
    expectation: &Expectation,
) -> Result<Node<E>, ReadError<S>>
where
    E: Entry,
    B: AsRef<[u8]>,
    S: Error + 'static,
{
    let bytes = source(id).map_err(|source| ReadError::Source { id, source })?;
    let refused = |source| ReadError::Node { id, source };
    let (node, _) = open(id, bytes.as_ref()).map_err(refused)?;
    expectation.check(&node).map_err(refused)?;
    Ok(node)
}
