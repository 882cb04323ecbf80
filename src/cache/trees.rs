//! Reading trees whose nodes are on this machine.

use crate::cache::error::CacheError;
use crate::cache::reader::ObjectReader;
use crate::fs::failpoint;
use crate::hash::NodeId;

/// Why a node could not be had locally.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocalNodeError {
    /// It is not on this machine; fetching brings it.
    #[error("node {0} is not on this machine")]
    Absent(NodeId),
    /// The cache refused.
    #[error(transparent)]
    Cache(#[from] CacheError),
}

impl ObjectReader<'_> {
    /// Returns a node's bytes, checked, as the source that cursors and edits ask for.
    pub fn node_bytes(&mut self, id: NodeId) -> Result<Vec<u8>, LocalNodeError> {
        failpoint::hit("cache.node.read");
        match self.node(id)? {
            Some((node, _)) => Ok(node),
            None => Err(LocalNodeError::Absent(id)),
        }
    }
}
