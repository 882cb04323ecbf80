//! How a path's previous version was cut, so that the same content gets the same recipe and the
//! same pointer, whatever the settings or the defaults are now.

use std::collections::HashMap;

use crate::cache::ObjectReader;
use crate::chunk::Profile;
use crate::hash::{NodeId, Oid};
use crate::manifest::Content;
use crate::ops::add::run::Target;
use crate::ops::checkout::targets;
use crate::ops::chosen::Chosen;
use crate::ops::error::OpError;
use crate::transfer::Filter;
use crate::worktree::Tracking;

/// How the previous version of one file was cut.
#[derive(Clone, Copy, Debug)]
pub(super) enum Previous {
    /// Into several chunks by this rule.
    By {
        /// The rule.
        profile: Profile,
        /// The recipe.
        root: NodeId,
        /// Bytes of the file.
        size: u64,
    },
    /// Not at all: it was one chunk.
    Whole(Oid),
}

/// Finds how each file of a target was cut before, as far as its trees are on this machine.
pub(super) fn previous(
    target: &Target,
    reader: &mut ObjectReader,
) -> Result<HashMap<Vec<u8>, Previous>, OpError> {
    let Some((pointer, bytes)) = target.old.clone() else { return Ok(HashMap::new()) };
    let (path, by, filter) = (target.path.clone(), Tracking::Beside, Filter::All);
    let chosen = Chosen { path, by, pointer, bytes, filter };
    let known = targets(&chosen, reader)?.unwrap_or_default();
    let known = known.into_iter().filter_map(|old| {
        let previous = match old.content {
            Content::Tree { profile_code, root, size, .. } => {
                Previous::By { profile: Profile::by_code(profile_code.get())?, root, size }
            }
            Content::Chunk { oid, .. } => Previous::Whole(oid),
            Content::Inline(_) => return None,
        };
        Some((old.path.as_bytes().to_vec(), previous))
    });
    Ok(known.collect())
}
