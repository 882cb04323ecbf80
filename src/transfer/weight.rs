//! How much room content takes: its bytes, those of its chunks, and those of the frames that hold
//! them. Reads trees and the placements beside them, never content.

use std::collections::{HashMap, HashSet};

use crate::cache::{Index, Layout, ObjectReader};
use crate::hash::PackId;
use crate::node::{Child, decode_placement};
use crate::progress::Job;
use crate::transfer::catalogue::Contact;
use crate::transfer::error::TransferError;
use crate::transfer::nodes::walk;
use crate::transfer::root::Wanted;
use crate::transfer::sight::Sight;
use crate::transfer::walk::{ChunkStep, Spot, children_in, spot};
use crate::transfer::walked::{Visited, Walked};

/// The room that the content of one pointer takes. A chunk counts for the first pointer that has
/// it, and once in it. Content so small that it lies in the tree itself has no chunk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weight {
    /// Files wanted.
    pub files: u64,
    /// Their bytes.
    pub logical_bytes: u64,
    /// Bytes of chunks that no earlier pointer has, before compression.
    pub unique_bytes: u64,
    /// Bytes that these chunks take in packs. Chunks of one frame share its length by their sizes.
    pub stored_bytes: u64,
    /// Those of the unique bytes whose frames need a base. What a pointer names as one chunk has no
    /// placement that could say so, and is not among them.
    pub delta_bytes: u64,
}

/// Weighs what is wanted, in order. Without contact nobody is asked, and the answer is nothing if
/// a node, or the place of a chunk, is not known on this machine.
pub fn weigh(
    wanted: &[Wanted],
    (layout, index): (&Layout, &Index),
    contact: Option<&Contact>,
    job: &Job,
) -> Result<Option<Vec<Weight>>, TransferError> {
    let sight = contact.map_or(Sight::Local, Sight::Content);
    if contact.is_some() {
        // All together, for few requests; one by one below, to know what is whose.
        walk(wanted, &mut ObjectReader::new(layout, index)?, sight, job)?;
    }
    let mut reader = ObjectReader::new(layout, index)?;
    let mut frames = Frames::default();
    let mut seen = HashSet::new();
    let mut rows = Vec::with_capacity(wanted.len());
    for item in wanted {
        let one = std::slice::from_ref(item);
        let Walked { chunks, nodes, files, bytes, .. } = match walk(one, &mut reader, sight, job) {
            Err(TransferError::NobodyPushed { .. }) if contact.is_none() => return Ok(None),
            result => result?,
        };
        for node in &nodes {
            frames.learn(&mut reader, (node, item), Frames::add)?;
        }
        let mut unique = Vec::new();
        for step in chunks.iter().filter(|step| seen.insert(step.id)) {
            match place(&step, &reader, contact) {
                Some(spot) => {
                    frames.add(spot, step.size, false);
                    unique.push((spot, step.size));
                }
                None => match contact {
                    Some(contact) => return Err(contact.nobody_pushed(one, 0, &step.id.0)),
                    None => return Ok(None),
                },
            }
        }
        rows.push((Weight { files, logical_bytes: bytes, ..Weight::default() }, unique));
    }
    Ok(Some(rows.into_iter().map(|(weight, unique)| frames.weigh(weight, &unique)).collect()))
}

/// Returns where a chunk lies, as far as that is known.
pub(super) fn place(
    step: &ChunkStep,
    reader: &ObjectReader,
    contact: Option<&Contact>,
) -> Option<Spot> {
    let listed = || contact.and_then(|contact| contact.locate(step.id.key()));
    let here = || reader.view().find(&step.id.0).map(Spot::from);
    step.spot.or_else(listed).or_else(here)
}

/// What is known of the frames that chunks lie in.
#[derive(Default)]
pub(super) struct Frames {
    known: HashMap<(PackId, u32), Frame>,
    /// Chunks counted in `known`, by frame and place in it.
    counted: HashSet<(PackId, u32, u32)>,
}

#[derive(Default)]
struct Frame {
    /// Bytes of all chunks known to lie in it.
    sizes: u64,
    /// Where the last of them ends: there is at least this much content.
    end: u64,
    needs_base: bool,
}

impl Frames {
    /// Takes in all places that a node's placement names, also of chunks that are not wanted: they
    /// tell how much of a frame belongs to others.
    pub(super) fn learn(
        &mut self,
        reader: &mut ObjectReader,
        (node, item): (&Visited, &Wanted),
        add: fn(&mut Self, Spot, u64, bool),
    ) -> Result<(), TransferError> {
        let Spot { pack, offset, frame_len, .. } = node.at;
        let Some((bytes, placement)) = reader.node_at(node.id, pack, offset, frame_len)? else {
            return Ok(());
        };
        let children = children_in(&bytes)
            .map_err(|source| TransferError::Tree { path: item.path.clone(), source })?;
        // One that cannot be read is a stale one, and says nothing.
        let locs = decode_placement(&placement, children.len()).unwrap_or_default();
        for (child, loc) in children.iter().zip(&locs) {
            if let (Child::Chunk { size, .. }, Some(spot)) = (child, spot(loc, Some(pack))) {
                add(self, spot, *size, !loc.bases.is_empty());
            }
        }
        Ok(())
    }

    pub(super) fn add(&mut self, spot: Spot, size: u64, needs_base: bool) {
        let frame = self.known.entry((spot.pack, spot.offset)).or_default();
        frame.needs_base |= needs_base;
        frame.end = frame.end.max(u64::from(spot.skip).saturating_add(size));
        if self.counted.insert((spot.pack, spot.offset, spot.skip)) {
            frame.sizes = frame.sizes.saturating_add(size);
        }
    }

    /// As [`Self::add`], of a frame of which something is known already; others are passed by.
    pub(super) fn add_to_known(&mut self, spot: Spot, size: u64, needs_base: bool) {
        if self.known.contains_key(&(spot.pack, spot.offset)) {
            self.add(spot, size, needs_base);
        }
    }

    pub(super) fn weigh(&self, mut weight: Weight, unique: &[(Spot, u64)]) -> Weight {
        for (spot, size) in unique {
            let Some(frame) = self.known.get(&(spot.pack, spot.offset)) else { continue };
            weight.unique_bytes = weight.unique_bytes.saturating_add(*size);
            let stored = frame.share(spot.frame_len, *size);
            weight.stored_bytes = weight.stored_bytes.saturating_add(stored);
            if frame.needs_base {
                weight.delta_bytes = weight.delta_bytes.saturating_add(*size);
            }
        }
        weight
    }
}

impl Frame {
    /// Returns the part of the frame's length that falls to `size` of its bytes, rounded.
    fn share(&self, frame_len: u32, size: u64) -> u64 {
        let whole = u128::from(self.sizes.max(self.end).max(1));
        let part = u128::from(frame_len) * u128::from(size) + whole / 2;
        u64::try_from(part / whole).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(offset: u32, frame_len: u32, skip: u32) -> Spot {
        Spot { pack: PackId([7; 16]), offset, frame_len, skip }
    }

    #[test]
    fn chunks_of_one_frame_share_its_length_by_their_sizes() {
        let mut frames = Frames::default();
        frames.add(at(24, 100, 0), 300, false);
        frames.add(at(24, 100, 300), 100, false);
        // Again, as when two files have the chunk: it is there once.
        frames.add(at(24, 100, 300), 100, false);
        let one = frames.weigh(Weight::default(), &[(at(24, 100, 0), 300)]);
        let other = frames.weigh(Weight::default(), &[(at(24, 100, 300), 100)]);
        assert_eq!((one.unique_bytes, one.stored_bytes), (300, 75));
        assert_eq!((other.unique_bytes, other.stored_bytes), (100, 25));
    }

    #[test]
    fn content_before_a_chunk_has_its_share_also_if_nothing_is_known_of_it() {
        let mut frames = Frames::default();
        frames.add(at(24, 100, 600), 200, false);
        let weight = frames.weigh(Weight::default(), &[(at(24, 100, 600), 200)]);
        assert_eq!(weight.stored_bytes, 25);
    }

    #[test]
    fn bytes_count_as_delta_where_a_placement_names_bases() {
        let mut frames = Frames::default();
        frames.add(at(24, 100, 0), 300, true);
        frames.add(at(24, 100, 0), 300, false);
        frames.add(at(124, 50, 0), 80, false);
        let unique = [(at(24, 100, 0), 300), (at(124, 50, 0), 80)];
        let weight = frames.weigh(Weight::default(), &unique);
        assert_eq!((weight.unique_bytes, weight.delta_bytes, weight.stored_bytes), (380, 300, 150));
    }
}
