//! Whether haul can give a file's bytes back: asked before the worktree's copy is let go.

use crate::cache::ObjectReader;
use crate::hash::{NodeId, Oid};
use crate::manifest::{Content, MAX_INLINE};
use crate::ops::checkout::wanted::{Target, chunks};
use crate::ops::error::OpError;
use crate::recipe::{ChunkEntry, Chunks};
use crate::repo::Repo;

/// Says whether all bytes of what is to be placed are on this machine.
pub(super) fn is_here(target: &Target, reader: &mut ObjectReader) -> Result<bool, OpError> {
    match &target.content {
        Content::Inline(_) => Ok(true),
        Content::Chunk { oid, .. } => Ok(reader.view().find_held(&oid.0).is_some()),
        Content::Tree { .. } => {
            let chunks = chunks(target, reader)?;
            let held = |chunk: &ChunkEntry| reader.view().find_held(&chunk.id.0).is_some();
            Ok(chunks.is_some_and(|chunks| chunks.iter().all(held)))
        }
    }
}

/// Says whether every chunk of a file is known to lie in a pack, here or on the remote.
///
/// Content of a few bytes lies in a manifest. A recipe that is not on this machine tells nothing, so
/// the answer is no.
pub(super) fn is_held(
    repo: &Repo,
    (oid, size): (Oid, u64),
    tree: Option<NodeId>,
) -> Result<bool, OpError> {
    if size <= MAX_INLINE as u64 {
        return Ok(true);
    }
    let mut reader = ObjectReader::new(repo.layout(), repo.index()?)?;
    let view = repo.index()?.reader()?;
    let Some(root) = tree else { return Ok(view.find(&oid.0).is_some()) };
    for chunk in Chunks::all(root, size, |id| reader.node_bytes(id)) {
        match chunk {
            Ok(at) if view.find(&at.entry.id.0).is_some() => {}
            Ok(_) | Err(_) => return Ok(false),
        }
    }
    Ok(true)
}
