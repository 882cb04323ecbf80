//! One step of a walk over trees: a node and its placement in, what lies below it out.

use std::ops::Range;

use crate::cache::Place;
use crate::catalogue::LocRecord;
use crate::hash::{ChunkId, NodeId, PackId, PackKind};
use crate::manifest::FileEntry;
use crate::node::{
    BaseLoc, Body, Child, Entry, Expectation, Kind, Loc, Node, NodeError, PackRef, Role,
    decode_placement,
};
use crate::pack::MAX_FRAME_LEN;
use crate::recipe::ChunkEntry;
use crate::transfer::filter::Filter;

/// Where an object is said to lie: a hint, never proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Spot {
    pub(super) pack: PackId,
    pub(super) offset: u32,
    pub(super) frame_len: u32,
    pub(super) skip: u32,
}

impl From<Place> for Spot {
    fn from(place: Place) -> Self {
        let Place { pack, offset, frame_len, skip, .. } = place;
        Self { pack, offset, frame_len, skip }
    }
}

impl From<LocRecord> for Spot {
    fn from(loc: LocRecord) -> Self {
        let LocRecord { pack, offset, frame_len, skip, .. } = loc;
        Self { pack, offset, frame_len, skip }
    }
}

impl Spot {
    /// Says whether a frame can lie there at all: what is said of a place is no reason to ask for
    /// more bytes than a frame or a pack may have.
    pub(super) fn can_be(&self) -> bool {
        let end = u64::from(self.offset) + u64::from(self.frame_len);
        (1..=MAX_FRAME_LEN).contains(&self.frame_len) && end <= PackKind::Data.max_size().into()
    }
}

/// A node still to be read.
#[derive(Clone, Debug)]
pub(super) struct NodeStep {
    /// Which of the wanted pointers it serves.
    pub(super) wanted: usize,
    pub(super) id: NodeId,
    pub(super) expectation: Expectation,
    pub(super) spot: Option<Spot>,
    /// Bytes of its file that lie before it; 0 in a manifest.
    pub(super) at: u64,
    /// Whether its file begins below it.
    pub(super) first: bool,
    /// The node that named it, by its number among those visited.
    pub(super) above: Option<u32>,
}

/// A chunk that the walk came to.
#[derive(Clone, Debug)]
pub(super) struct ChunkStep {
    pub(super) wanted: usize,
    pub(super) id: ChunkId,
    pub(super) size: u64,
    pub(super) spot: Option<Spot>,
    /// Where the chunks of its base are said to lie, if it is stored as a delta.
    pub(super) bases: Vec<Spot>,
    /// The node that named it, by its number among those visited.
    pub(super) above: Option<u32>,
}

/// What lies below a node.
#[derive(Default)]
pub(super) struct Below {
    pub(super) nodes: Vec<NodeStep>,
    pub(super) chunks: Vec<ChunkStep>,
    /// The first chunk of a file, if the node holds it.
    pub(super) first_chunk: Option<ChunkId>,
    /// Files among the leaf entries that the filter wants, and their bytes.
    pub(super) files: u64,
    pub(super) bytes: u64,
}

/// Reads the node of `step`, checks it against what was said of it, and lists what lies below.
///
/// `home` is the pack that the node was read from, which its placement calls "this pack".
pub(super) fn expand(
    step: &NodeStep,
    (node, placement): (&[u8], &[u8]),
    home: Option<PackId>,
    filter: &Filter,
) -> Result<Below, NodeError> {
    match step.expectation.kind {
        Kind::Recipe => {
            let node = decode::<ChunkEntry>(step, node)?;
            let meets = |bytes: &Range<u64>| filter.meets(bytes);
            let mut below =
                children(step, &node, (placement, home), |_, _, at| meets(at), |_, at| meets(at));
            let first = below.chunks.first().filter(|_| step.first);
            below.first_chunk = first.map(|chunk| chunk.id);
            Ok(below)
        }
        Kind::Manifest => {
            let node = decode::<FileEntry>(step, node)?;
            let mut below = children(
                step,
                &node,
                (placement, home),
                |after, last, _| filter.may_match_between(after, last),
                |entry: &FileEntry, _| filter.matches(entry.key()),
            );
            if let Body::Leaf(entries) = node.body() {
                for entry in entries.iter().filter(|e| filter.matches(e.key())) {
                    below.files += 1;
                    below.bytes = below.bytes.saturating_add(entry.size());
                }
            }
            Ok(below)
        }
    }
}

fn decode<E: Entry>(step: &NodeStep, bytes: &[u8]) -> Result<Node<E>, NodeError> {
    let (node, _) = Node::<E>::decode(bytes)?;
    step.expectation.check(&node)?;
    Ok(node)
}

fn children<E: Entry>(
    step: &NodeStep,
    node: &Node<E>,
    (placement, home): (&[u8], Option<PackId>),
    subtree: impl Fn(Option<&[u8]>, &[u8], &Range<u64>) -> bool,
    leaf: impl Fn(&E, &Range<u64>) -> bool,
) -> Below {
    let all = node.children();
    // A placement that cannot be read is a stale one: the children are looked up elsewhere.
    let locs = decode_placement(placement, all.len()).unwrap_or_default();
    let locs = locs.iter().map(Some).chain(std::iter::repeat(None));
    let mut below = Below::default();
    let mut put = |child: &Child, loc: Option<&Loc>, at: u64| match child {
        Child::Chunk { id, size } => {
            let (wanted, id, size, above) = (step.wanted, *id, *size, None);
            let spot = loc.and_then(|loc| spot(loc, home));
            let bases = loc.map(|loc| base_spots(loc, home)).unwrap_or_default();
            below.chunks.push(ChunkStep { wanted, id, size, spot, bases, above });
        }
        Child::Node { id, expectation } => {
            let spot = loc.and_then(|loc| spot(loc, home));
            let expectation = expectation.clone();
            let first = expectation.role == Role::Root || (step.first && below.nodes.is_empty());
            let (wanted, id, above) = (step.wanted, *id, None);
            // The recipe of a file begins at the file's first byte.
            let at =
                if expectation.kind == Kind::Recipe && E::KIND == Kind::Recipe { at } else { 0 };
            below.nodes.push(NodeStep { wanted, id, expectation, spot, at, first, above });
        }
    };
    let mut pairs = all.iter().zip(locs);
    let mut end = step.at;
    match node.body() {
        Body::Inner(entries) => {
            let mut after: Option<&[u8]> = None;
            for (entry, (child, loc)) in entries.iter().zip(pairs) {
                let bytes = end..end.saturating_add(entry.size);
                if subtree(after, &entry.key, &bytes) {
                    put(child, loc, bytes.start);
                }
                end = bytes.end;
                after = Some(&entry.key);
            }
        }
        Body::Leaf(entries) => {
            for entry in entries.iter().filter(|e| e.child().is_some()) {
                let Some((child, loc)) = pairs.next() else { break };
                let bytes = end..end.saturating_add(entry.size());
                if leaf(entry, &bytes) {
                    put(child, loc, bytes.start);
                }
                end = bytes.end;
            }
        }
    }
    below
}

/// A child of a node, where it is said to lie, and where the chunks of its base are.
pub(super) type Hanging = (Child, Option<Spot>, Vec<Spot>);

/// Lists what hangs below a node, where this copy of it says that each lies, and its bases.
pub(super) fn children_of(
    node: &[u8],
    placement: &[u8],
    home: PackId,
) -> Result<Vec<Hanging>, NodeError> {
    let children = children_in(node)?;
    let locs = decode_placement(placement, children.len()).unwrap_or_default();
    let locs = locs.iter().map(Some).chain(std::iter::repeat(None));
    let with_places = children.into_iter().zip(locs).map(|(child, loc)| {
        let spot = loc.and_then(|loc| spot(loc, Some(home)));
        (child, spot, loc.map(|loc| base_spots(loc, Some(home))).unwrap_or_default())
    });
    Ok(with_places.collect())
}

/// Lists what hangs below a node.
pub(super) fn children_in(node: &[u8]) -> Result<Vec<Child>, NodeError> {
    Ok(if node.get(1) == Some(&Kind::Recipe.code()) {
        Node::<ChunkEntry>::decode(node)?.0.children()
    } else {
        Node::<FileEntry>::decode(node)?.0.children()
    })
}

/// Returns the place that a location of a placement names; `home` is the pack of its node.
pub(super) fn spot(loc: &Loc, home: Option<PackId>) -> Option<Spot> {
    let pack = pack_of(loc.pack, home)?;
    Some(Spot { pack, offset: loc.offset, frame_len: loc.frame_len, skip: loc.skip })
}

fn base_spots(loc: &Loc, home: Option<PackId>) -> Vec<Spot> {
    let spot = |base: &BaseLoc| {
        let pack = pack_of(base.pack, home)?;
        Some(Spot { pack, offset: base.offset, frame_len: base.frame_len, skip: base.skip })
    };
    loc.bases.iter().filter_map(spot).collect()
}

fn pack_of(pack: PackRef, home: Option<PackId>) -> Option<PackId> {
    match pack {
        PackRef::This => home,
        PackRef::Pack(pack) => Some(pack),
    }
}
