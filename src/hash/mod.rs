//! Hashes and the identities made of them. Knows nothing of what is hashed.

mod id;
mod kind;
mod whole;

pub use id::{
    CatalogueId, ChunkId, Digest, Key, NodeId, Oid, PackId, ParseIdError, RemoteId, RepoId,
};
pub use kind::PackKind;
pub use whole::{By, hash_file};
