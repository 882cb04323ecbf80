//! Other ways to objects that were not where they were said to lie: places that the catalogue lists
//! for them, and what other copies of the nodes above them say.
//!
//! A placement is only a hint, and copies of one node may carry different ones: of another push of
//! the same content, or written when packs were moved. So a way is looked for along every copy that
//! the catalogue lists of any node between the root and what was lost.

use std::collections::{HashMap, HashSet};

use crate::cache::{NodeAndPlacement, ObjectReader};
use crate::catalogue::key;
use crate::hash::{NodeId, PackId, PackKind};
use crate::node::Child;
use crate::pack::{Codecs, decode_frame};
use crate::progress::Job;
use crate::remote::Fetch;
use crate::transfer::catalogue::Contact;
use crate::transfer::error::TransferError;
use crate::transfer::walk::{ChunkStep, NodeStep, Spot, children_of};
use crate::transfer::walked::Visited;

/// Most copies of one node that are looked at, and most places of one object that LOC may name.
const MOST_COPIES: usize = 16;

/// An object that was not where it was said to lie.
#[derive(Clone, Debug)]
pub(super) struct Lost {
    pub(super) id: [u8; 32],
    /// The way that did not lead to it, if any was named.
    pub(super) way: Option<Way>,
    /// The node that named it.
    pub(super) above: Option<u32>,
}

impl Lost {
    pub(super) fn of_node(step: &NodeStep) -> Self {
        let way = step.spot.map(|spot| (spot, Vec::new()));
        Self { id: step.id.0, way, above: step.above }
    }

    pub(super) fn of_chunk(step: &ChunkStep) -> Self {
        let way = step.spot.map(|spot| (spot, step.bases.clone()));
        Self { id: step.id.0, way, above: step.above }
    }
}

/// A place of an object, and the places of its base if it is a delta there.
pub(super) type Way = (Spot, Vec<Spot>);

/// Places where lost objects may lie, each handed out once.
pub(super) struct Detours {
    places: HashMap<[u8; 32], Vec<Way>>,
    /// A delta whose base lies elsewhere is another way, though it lies at the same place.
    tried: HashSet<([u8; 32], Way)>,
}

impl Detours {
    /// Looks for other places; costs nothing where the catalogue lists no other copy.
    pub(super) fn find(
        contact: &Contact,
        nodes: &[Visited],
        lost: &[Lost],
        job: &Job,
    ) -> Result<Self, TransferError> {
        let mut out = Self { places: HashMap::new(), tried: HashSet::new() };
        let mut above: HashSet<NodeId> = HashSet::new();
        for item in lost {
            out.tried.extend(item.way.iter().map(|way| (item.id, way.clone())));
            let listed = contact.places(NodeId(item.id).key()).into_iter().take(MOST_COPIES);
            out.places.insert(item.id, listed.map(|spot| (spot, Vec::new())).collect());
            let mut next = item.above;
            while let Some(node) = next.and_then(|n| nodes.get(n as usize)) {
                if !above.insert(node.id) {
                    break;
                }
                next = node.above;
            }
        }
        let mut level: Vec<(NodeId, Spot)> = Vec::new();
        for id in &above {
            level.extend(contact.places(id.key()).into_iter().map(|spot| (*id, spot)));
        }
        let mut seen = HashSet::new();
        let mut counts: HashMap<NodeId, usize> = HashMap::new();
        while !level.is_empty() {
            job.check()?;
            level.retain(|(id, spot)| {
                let new = seen.insert(mark(id.0, *spot));
                let count = counts.entry(*id).or_default();
                *count += usize::from(new);
                new && *count <= MOST_COPIES
            });
            let mut next = Vec::new();
            for (home, (node, placement)) in read(contact, &level, job)? {
                // A copy of a node that is not sound is no way.
                for (child, spot, bases) in children_of(&node, &placement, home).unwrap_or_default()
                {
                    let (Some(spot), id) = (spot, id_of(&child)) else { continue };
                    if let Some(places) = out.places.get_mut(&id) {
                        places.push((spot, bases));
                    } else if above.contains(&NodeId(id)) {
                        next.push((NodeId(id), spot));
                    }
                }
            }
            level = next;
        }
        Ok(out)
    }

    /// Returns a place of the object that was not tried yet.
    pub(super) fn next(&mut self, id: [u8; 32]) -> Option<Way> {
        let places = self.places.get(&id)?;
        let way = places.iter().find(|way| !self.tried.contains(&(id, (*way).clone())))?.clone();
        self.tried.insert((id, way.clone()));
        Some(way)
    }
}

fn mark(id: [u8; 32], spot: Spot) -> ([u8; 32], PackId, u32, u32) {
    (id, spot.pack, spot.offset, spot.skip)
}

fn id_of(child: &Child) -> [u8; 32] {
    match child {
        Child::Chunk { id, .. } => id.0,
        Child::Node { id, .. } => id.0,
    }
}

/// Reads copies of nodes, from this machine or in one wave; those that are not there are left out.
fn read(
    contact: &Contact,
    copies: &[(NodeId, Spot)],
    job: &Job,
) -> Result<Vec<(PackId, NodeAndPlacement)>, TransferError> {
    let mut reader = ObjectReader::new(contact.layout(), contact.index())?;
    let (mut out, mut absent) = (Vec::new(), Vec::new());
    for (id, spot) in copies {
        match reader.node_at(*id, spot.pack, spot.offset, spot.frame_len)? {
            Some(pair) => out.push((spot.pack, pair)),
            None => absent.push((*id, *spot)),
        }
    }
    let fetches = absent.iter().map(|(_, spot)| {
        let (from, limit) = (u64::from(spot.offset), u64::from(spot.frame_len));
        let key = key::pack(PackKind::Nodes, spot.pack);
        Fetch { key, range: Some(from..from + limit), limit }
    });
    let mut codecs = Codecs::new();
    contact.remote().get_ranges(fetches.collect(), contact.jobs(), job, |i, answer| {
        let bytes = match answer {
            Ok(bytes) => bytes,
            Err(e) if e.is_missing() || e.is_damaged() => return Ok(()),
            Err(e) => return Err(e.into()),
        };
        let frame = decode_frame(&mut codecs, PackKind::Nodes, &bytes).ok();
        if let (Some((id, spot)), Some(frame)) = (absent.get(i), frame)
            && let Ok((node, placement)) = frame.node(*id)
        {
            out.push((spot.pack, (node.to_vec(), placement.to_vec())));
        }
        Ok::<(), TransferError>(())
    })?;
    Ok(out)
}
