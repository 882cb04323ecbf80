//! Hashes and the identities made of them. Knows nothing of what is hashed.

mod id;
mod kind;

pub use id::{
    CatalogueId, ChunkId, Digest, Key, NodeId, Oid, PackId, ParseIdError, RemoteId, RepoId,
};
pub use kind::PackKind;
