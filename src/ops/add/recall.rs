//! Which files need not be read: the stat cache knows what they hold, and that is stored.

use std::collections::BTreeSet;

use crate::cache::{Known, ObjectReader, StatEntry};
use crate::fs::Time;
use crate::hash::PackId;
use crate::intake::SMALL;
use crate::ops::add::contents::{Content, Row};
use crate::ops::add::find::Target;
use crate::ops::add::touched::touched;
use crate::ops::error::OpError;
use crate::progress::Job;
use crate::recipe::Chunks;
use crate::repo::Repo;
use crate::worktree::{Knowledge, What};

/// Longest content that a manifest entry holds itself, in bytes.
const INLINE: u64 = 48;
/// Things that are looked up in the stat cache together.
const WINDOW: usize = 16_384;

/// Finds the files whose stored content the stat cache still vouches for: their stamps are as they were, or
/// their bytes.
pub(super) fn recall(
    repo: &Repo,
    target: &mut Target,
    (began, lost): (Time, &BTreeSet<PackId>),
    job: &Job,
) -> Result<(), OpError> {
    let mut reader = ObjectReader::new(repo.layout(), repo.index()?)?;
    let windows = target.found.chunks_mut(WINDOW).zip(target.contents.chunks_mut(WINDOW));
    for (found, contents) in windows {
        let (Some(first), Some(last)) = (found.first(), found.last()) else { continue };
        let entries = repo.stat()?.between(first.path.as_bytes(), last.path.as_bytes())?;
        if entries.is_empty() {
            continue;
        }
        let knowledge = Knowledge::new(entries, began);
        let mut others = Vec::new();
        for (number, (found, content)) in found.iter().zip(contents.iter_mut()).enumerate() {
            let What::File(stamp) = &found.what else { continue };
            let Some(entry) = knowledge.recall(&found.path, stamp) else {
                // Smaller ones are read once in any case.
                if stamp.size > SMALL {
                    others.push((number, found.path.clone(), *stamp));
                }
                continue;
            };
            // Content of a few bytes lies in no chunk; reading it again is as quick.
            let inline = stamp.size <= INLINE;
            if entry.known == Known::Stored && !inline && is_stored(&entry, &mut reader, lost) {
                *content = Content::remembered(&entry, Row::Kept);
            }
        }
        for (number, entry, row) in touched(repo, (&knowledge, others), (&mut reader, lost), job)? {
            if let (Some(found), Some(content)) = (found.get_mut(number), contents.get_mut(number))
            {
                *content = Content::remembered(&entry, row);
                found.what = What::File(entry.stamp);
            }
        }
    }
    Ok(())
}

/// Says whether content that was stored once is so still, in packs that count.
pub(super) fn is_stored(
    entry: &StatEntry,
    reader: &mut ObjectReader,
    lost: &BTreeSet<PackId>,
) -> bool {
    let counts = |reader: &ObjectReader, id: &[u8; 32]| {
        reader.view().find(id).is_some_and(|place| !lost.contains(&place.pack))
    };
    let Some((_, root)) = entry.tree else { return counts(reader, &entry.oid.0) };
    if lost.is_empty() {
        return counts(reader, &root.0);
    }
    let chunks = Chunks::all(root, entry.stamp.size, |id| reader.node_bytes(id));
    let ids: Result<Vec<_>, _> = chunks.map(|at| at.map(|at| at.entry.id)).collect();
    ids.is_ok_and(|ids| ids.iter().all(|id| counts(reader, &id.0)))
}
