//! What a checkout needs of packs: nothing for files that stand as they should, or that the cache has whole.

use std::collections::HashSet;

use crate::cache::{ObjectReader, WholeFiles};
use crate::hash::ChunkId;
use crate::manifest::Content;
use crate::ops::checkout::plan::CheckoutPlan;
use crate::ops::checkout::wanted::chunks;
use crate::ops::checkout::writes::Write;
use crate::ops::error::OpError;
use crate::repo::Repo;

/// What a checkout has besides packs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum AtHand {
    /// Whole files of the cache, which nobody has looked into.
    WholeFiles,
    /// Nothing: of what was placed from whole files, some turned out to be changed.
    Nothing,
}

/// Lists the chunks without which a plan cannot be carried out; nothing where that cannot be told, as trees
/// are not on this machine, or where it is everything.
pub(crate) fn needed_chunks(
    repo: &Repo,
    plan: &CheckoutPlan,
    at_hand: AtHand,
) -> Result<Option<HashSet<ChunkId>>, OpError> {
    if !plan.missing.is_empty() {
        return Ok(None);
    }
    let files = WholeFiles::open(repo.layout(), repo.index()?)?;
    let mut lacking = Vec::new();
    plan.work.writes.each(|write| {
        lacking.push(at_hand == AtHand::Nothing || !is_at_hand(write, &files)?);
        Ok(())
    })?;
    if plan.keep == 0 && plan.colliding.is_empty() && lacking.iter().all(|lacks| *lacks) {
        return Ok(None);
    }
    let mut reader = ObjectReader::new(repo.layout(), repo.index()?)?;
    let (mut out, mut known) = (HashSet::new(), true);
    let mut need = |write: &Write| {
        match &write.target.content {
            Content::Inline(_) => {}
            Content::Chunk { oid, .. } => drop(out.insert((*oid).into())),
            Content::Tree { .. } => match chunks(&write.target, &mut reader)? {
                Some(chunks) => out.extend(chunks.into_iter().map(|chunk| chunk.id)),
                None => known = false,
            },
        }
        Ok::<(), OpError>(())
    };
    let mut lacking = lacking.into_iter();
    plan.work
        .writes
        .each(|write| if lacking.next() == Some(true) { need(write) } else { Ok(()) })?;
    // Git's filter hands over content of packs alone.
    plan.work.filled.iter().try_for_each(need)?;
    Ok(known.then_some(out))
}

/// Says whether the cache has a file whole. What the user did not add is not put aside for one that turns
/// out to be changed.
fn is_at_hand(write: &Write, files: &WholeFiles) -> Result<bool, OpError> {
    let Some(name) = write.target.whole_name().filter(|_| write.unsaved.is_none()) else {
        return Ok(false);
    };
    let found = files.open_unproven(&name)?;
    Ok(found.is_some_and(|found| found.stamp.size == write.target.content.size()))
}
