//! What former versions would cost to be had, chunk by chunk, and where their chunks lie.

use std::collections::{HashMap, HashSet};

use crate::cache::Place;
use crate::hash::ChunkId;
use crate::transfer::catalogue::Contact;
use crate::transfer::fetch::FetchPlan;
use crate::transfer::walk::Spot;

/// A chunk that is not on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Absent {
    /// Bytes to be fetched for it: of its frame, and of those of its base if it is a delta.
    pub bytes: u64,
    /// Where it lies, if it is stored whole in a pack that may be relied on.
    pub place: Option<Place>,
}

impl FetchPlan {
    /// Lists the absent chunks whose place is known.
    pub fn absent(&self, contact: &Contact) -> HashMap<ChunkId, Absent> {
        let view = &contact.synced().view;
        let absent = self.chunks.iter().filter_map(|step| {
            let spot = step.spot.or_else(|| contact.locate(step.id.key()))?;
            let frames = step.bases.iter().chain([&spot]);
            let bytes = frames.map(|spot| u64::from(spot.frame_len)).sum();
            // A place that only the catalogue tells of does not say whether it is a delta.
            let whole = step.spot.is_some() && step.bases.is_empty();
            let relied = whole && view.may_rely_on(spot.pack);
            let len = u32::try_from(step.size).ok().filter(|_| relied);
            let place = len.map(|len| {
                let Spot { pack, offset, frame_len, skip } = spot;
                Place { pack, offset, frame_len, skip, len, delta: false }
            });
            Some((step.id, Absent { bytes, place }))
        });
        absent.collect()
    }

    /// Leaves only these of the chunks to be fetched.
    pub fn retain(&mut self, chunks: &HashSet<ChunkId>) {
        self.chunks.retain(|id| chunks.contains(id));
        self.absent_bytes = self.chunks.bytes();
    }
}
