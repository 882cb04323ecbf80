//! Writing packs afresh: when the remote has most of what an unpushed pack holds, or when a pack
//! may not be relied on any more. Chunks go into new packs, and the nodes above them into new node
//! packs whose placements name the places that hold now. Logical identities do not change, and every
//! object of an unpushed pack that is replaced lives on: it may serve roots that this push is not
//! about.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::cache::{
    CacheError, Held, IndexReader, NodeSink, ObjectReader, PackSink, PackState, Place, Stale,
    WrittenPack, places_of,
};
use crate::hash::{ChunkId, NodeId, PackId, PackKind};
use crate::node::{BaseLoc, Child, Loc, PackRef};
use crate::pack::{Batcher, Codecs, EncodeError, EncodedFrame, encode_data_frame, needs_own_frame};
use crate::progress::Job;
use crate::transfer::catalogue::Contact;
use crate::transfer::error::TransferError;
use crate::transfer::fetch::{FetchPlan, fetch_chunks};
use crate::transfer::needs::pack_of;
use crate::transfer::push::Home;
use crate::transfer::root::Wanted;
use crate::transfer::walk::{ChunkStep, Hanging, Spot, children_of};
use crate::transfer::walked::{Visited, Walked};

/// Where chunks lie on the remote, as its own footers and trees say.
pub(super) type Elsewhere = HashMap<[u8; 32], Place>;

/// What to write afresh.
pub(super) struct Recut<'w> {
    /// Packs that new placements must not name.
    pub(super) replaced: BTreeSet<PackId>,
    /// Chunks, all of them in the closure of this push, that are relied on at another place.
    pub(super) elsewhere: Elsewhere,
    /// The closure of this push.
    pub(super) walked: &'w Walked,
    /// Whether the remote is the one that makes packs dispensable.
    pub(super) home: Home,
}

/// A node with the packs that its placement names, and where it was read.
struct Above {
    id: NodeId,
    bytes: Vec<u8>,
    children: Vec<Child>,
    packs: BTreeSet<PackId>,
    /// Where its placement says that the children lie.
    locs: Vec<([u8; 32], Loc)>,
}

/// Replaces packs; returns those that nothing names any more. Their files stay for the caller to
/// remove once the new ones are confirmed, as until then the remote may lose what is relied on.
///
/// Every unpushed node pack is rewritten too, as its placements may name a replaced pack.
pub(super) fn recut(
    contact: &Contact,
    plan: &Recut,
    job: &Job,
) -> Result<BTreeSet<PackId>, TransferError> {
    let unpushed: BTreeMap<PackId, PackState> =
        contact.index().packs(Held::Unpushed)?.into_iter().collect();
    let is_nodes = |state: &PackState| state.kind == PackKind::Nodes.byte();
    let node_packs: Vec<PackId> =
        unpushed.iter().filter(|(_, s)| is_nodes(s)).map(|(pack, _)| *pack).collect();
    let mut replaced = plan.replaced.clone();
    replaced.extend(&node_packs);
    let data = copy_chunks(contact, plan, &unpushed, job)?;
    let mut places = plan.elsewhere.clone();
    places.extend(places_of(&data));
    let nodes = rewrite_nodes(contact, plan, (&node_packs, &replaced), (&places, &data), job)?;
    let new: Vec<&WrittenPack> = data.iter().chain(&nodes).collect();
    record(contact, places, &new, &plan.elsewhere)?;
    // A pack that another remote lacks is still good on the one that counts.
    replaced.retain(|pack| plan.home == Home::Yes || unpushed.contains_key(pack));
    contact.index().forget(&replaced.iter().copied().collect::<Vec<_>>())?;
    Ok(replaced)
}

/// Writes every chunk of unpushed packs that are replaced, and what the closure needs of others.
fn copy_chunks(
    contact: &Contact,
    plan: &Recut,
    unpushed: &BTreeMap<PackId, PackState>,
    job: &Job,
) -> Result<Vec<WrittenPack>, TransferError> {
    let view = contact.index().reader()?;
    let mut wanted = Vec::new();
    for pack in &plan.replaced {
        let data = unpushed.get(pack).is_some_and(|s| s.kind == PackKind::Data.byte());
        if data {
            let footer = contact.index().footer(contact.layout(), *pack)?;
            let footer = footer.ok_or_else(|| bad_footer(*pack))?;
            wanted.extend(footer.objects.iter().map(|(id, _)| *id));
        }
    }
    let needed = plan.walked.chunks.iter().filter(|step| {
        pack_of(step, &view, contact).is_some_and(|pack| plan.replaced.contains(&pack))
    });
    wanted.extend(needed.map(|step| step.id.0));
    wanted.extend(bases_in(&view, plan.walked, &plan.replaced).into_iter().map(|(_, id)| id.0));
    let mut reader = ObjectReader::new(contact.layout(), contact.index())?;
    let mut sink = PackSink::new(contact.layout(), PackKind::Data);
    let (mut codecs, mut batcher) = (Codecs::new(), Batcher::new());
    let mut done = BTreeSet::new();
    for id in wanted {
        job.check()?;
        if plan.elsewhere.contains_key(&id) || !done.insert(id) {
            continue;
        }
        let id = ChunkId(id);
        // As it is: its base may be on the remote only, and nothing may be lost for that.
        if let Some(frame) = reader.delta_frame(id)? {
            let frame = EncodedFrame::of_delta(id, frame);
            sink.push(&frame.ok_or_else(|| bad_delta(id))?)?;
            continue;
        }
        let Some(bytes) = reader.chunk(id)? else { continue };
        if needs_own_frame(bytes.len()) {
            sink.push(&encode_data_frame(&mut codecs, &[(id, bytes)]).map_err(defect)?)?;
        } else if let Some(batch) = batcher.push(id, bytes) {
            sink.push(&batch.encode(&mut codecs).map_err(defect)?)?;
        }
    }
    if let Some(batch) = batcher.finish() {
        sink.push(&batch.encode(&mut codecs).map_err(defect)?)?;
    }
    Ok(sink.finish()?)
}

/// Writes nodes again, recipes before manifests and children first: all of unpushed packs, and those
/// of the closure that lie in or above a pack that is replaced.
fn rewrite_nodes(
    contact: &Contact,
    plan: &Recut,
    (node_packs, replaced): (&[PackId], &BTreeSet<PackId>),
    (places, data): (&Elsewhere, &[WrittenPack]),
    job: &Job,
) -> Result<Vec<WrittenPack>, TransferError> {
    let mut reader = ObjectReader::new(contact.layout(), contact.index())?;
    let mut order = BTreeMap::new();
    for pack in node_packs {
        let footer = contact.index().footer(contact.layout(), *pack)?;
        for (id, place) in footer.ok_or_else(|| bad_footer(*pack))?.objects {
            job.check()?;
            if let Some((key, above)) = read(&mut reader, NodeId(id), place.into())? {
                order.insert(key, above);
            }
        }
    }
    for (key, above) in stale_nodes(&mut reader, &plan.walked.nodes, replaced)? {
        order.insert(key, above);
    }
    let ids: BTreeSet<NodeId> = order.values().map(|above| above.id).collect();
    let view = contact.index().reader()?;
    let stale = Stale { packs: replaced, nodes: &ids };
    let former = order.values().flat_map(|above| above.locs.iter().cloned());
    let mut sink =
        NodeSink::new(contact.layout(), &view, places, stale).with_deltas(data).with_former(former);
    for above in order.into_values() {
        job.check()?;
        sink.put_parts(above.id, &above.bytes, &above.children)?;
    }
    Ok(sink.finish()?)
}

/// Sorts nodes so that all children come before their parents.
type Order = (Option<u8>, Option<u8>, NodeId);

/// Finds the nodes that lie in one of `packs`, or whose placement names one, and all above them.
fn stale_nodes(
    reader: &mut ObjectReader,
    nodes: &[Visited],
    packs: &BTreeSet<PackId>,
) -> Result<Vec<(Order, Above)>, TransferError> {
    let mut all = BTreeMap::new();
    for node in nodes {
        if let Some((key, above)) = read(reader, node.id, node.at)? {
            all.insert(key, (node.at.pack, above));
        }
    }
    let mut moved = BTreeSet::new();
    let mut out = Vec::new();
    for (key, (pack, above)) in all {
        let below = above.children.iter().any(|child| match child {
            Child::Node { id, .. } => moved.contains(id),
            Child::Chunk { .. } => false,
        });
        if below || packs.contains(&pack) || !above.packs.is_disjoint(packs) {
            moved.insert(above.id);
            out.push((key, above));
        }
    }
    Ok(out)
}

fn read(
    reader: &mut ObjectReader,
    id: NodeId,
    at: Spot,
) -> Result<Option<(Order, Above)>, TransferError> {
    let found = match reader.node_at(id, at.pack, at.offset, at.frame_len)? {
        Some(pair) => Some(pair),
        None => reader.node(id)?,
    };
    let Some((bytes, placement)) = found else { return Ok(None) };
    let (kind, level) = (bytes.get(1).copied(), bytes.get(2).copied());
    let below = children_of(&bytes, &placement, at.pack)
        .map_err(|source| TransferError::Tree { path: Vec::new(), source })?;
    let spots = below.iter().flat_map(|(_, spot, bases)| spot.iter().chain(bases));
    let packs = spots.map(|spot| spot.pack).collect();
    let named = |(child, spot, bases): &Hanging| {
        let id = match child {
            Child::Chunk { id, .. } => id.0,
            Child::Node { id, .. } => id.0,
        };
        Some((id, loc((*spot)?, bases)))
    };
    let locs = below.iter().filter_map(named).collect();
    let children = below.into_iter().map(|(child, ..)| child).collect();
    Ok(Some(((kind, level, id), Above { id, bytes, children, packs, locs })))
}

fn loc(Spot { pack, offset, frame_len, skip }: Spot, bases: &[Spot]) -> Loc {
    let base = |Spot { pack, offset, frame_len, skip }: &Spot| {
        let (pack, offset) = (PackRef::Pack(*pack), *offset);
        BaseLoc { pack, offset, frame_len: *frame_len, skip: *skip }
    };
    let (pack, bases) = (PackRef::Pack(pack), bases.iter().map(base).collect());
    Loc { pack, offset, frame_len, skip, bases }
}

fn record(
    contact: &Contact,
    places: Elsewhere,
    new: &[&WrittenPack],
    elsewhere: &Elsewhere,
) -> Result<(), TransferError> {
    let mut objects: Vec<_> = places.into_iter().collect();
    for pack in new.iter().filter(|pack| pack.kind == PackKind::Nodes) {
        objects.extend(places_of(std::slice::from_ref(*pack)));
    }
    let mut packs: Vec<(PackId, PackState)> = new
        .iter()
        .map(|pack| {
            let size = u32::try_from(pack.size).unwrap_or(0);
            (pack.id, PackState { held: Held::Unpushed, kind: pack.kind.byte(), size })
        })
        .collect();
    let deltas: Vec<_> = new.iter().flat_map(|pack| pack.deltas.iter().cloned()).collect();
    let view = contact.index().reader()?;
    let far: BTreeSet<PackId> = elsewhere.values().map(|place| place.pack).collect();
    for pack in far {
        match view.pack(pack).map(|state| state.held) {
            // Of a pack that is here, its own tables say what lies where; the remote only hints.
            Some(Held::Unpushed | Held::Whole) => {
                let footer = contact.index().footer(contact.layout(), pack)?;
                let own: Elsewhere = footer.map_or(Vec::new(), |f| f.objects).into_iter().collect();
                objects.retain(|(id, place)| place.pack != pack || own.get(id) == Some(place));
            }
            // Nothing says which frames are here, and those of these chunks are not.
            Some(Held::Part) | None => {
                let (held, kind) = (Held::Gone, PackKind::Data.byte());
                packs.push((pack, PackState { held, kind, size: 0 }));
            }
            Some(Held::Gone) => {}
        }
    }
    Ok(contact.index().record(&packs, &mut objects, &deltas)?)
}

/// Brings the chunks of packs that may not be relied on, if they are not here, as long as the remote
/// still has them. What cannot be had is forgotten, so that `haul add` stores it again.
pub(super) fn rescue(
    contact: &Contact,
    (absent, walked): (&[Wanted], &Walked),
    replace: &BTreeMap<PackId, Vec<u8>>,
    home: Home,
    job: &Job,
) -> Result<(), TransferError> {
    let view = contact.index().reader()?;
    for (pack, path) in replace {
        let mut lost: Vec<_> = walked
            .chunks
            .iter()
            .filter(|step| {
                let own = pack_of(step, &view, contact) == Some(*pack);
                // Without its base it cannot be said which chunks that is.
                let base = step.bases.iter().any(|base| base.pack == *pack);
                own && view.find_frame(&step.id.0).is_none()
                    || base && view.find_held(&step.id.0).is_none()
            })
            .collect();
        let bases = bases_in(&view, walked, &BTreeSet::from([*pack]));
        let bases = bases.into_iter().filter(|(_, id)| view.find_held(&id.0).is_none());
        lost.extend(bases.filter_map(|(wanted, id)| {
            let place = view.find(&id.0)?;
            let (size, spot) = (place.len.into(), Some(Spot::from(place)));
            Some(ChunkStep { wanted, id, size, spot, bases: Vec::new(), above: None })
        }));
        if lost.is_empty() {
            continue;
        }
        let plan = FetchPlan {
            wanted: absent.to_vec(),
            chunks: lost.into_iter().collect(),
            nodes: walked.nodes.clone(),
            files: 0,
            bytes: 0,
            absent_bytes: 0,
        };
        match fetch_chunks(&plan, contact, job) {
            Ok(()) => {}
            Err(e) if e.is_damage() => {
                if home == Home::Yes {
                    forget_above(contact, walked, *pack)?;
                    contact.index().forget(&[*pack])?;
                }
                let (path, remote) = (path.clone(), contact.label().to_owned());
                return Err(TransferError::PinLost { pack: *pack, path, remote });
            }
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// Puts a damaged local pack aside and keeps what is sound of it. Forgets what hangs on the rest, so
/// that an add reads the files again.
pub(super) fn forget_damaged(
    contact: &Contact,
    walked: &Walked,
    pack: PackId,
) -> Result<(), TransferError> {
    let (layout, index) = (contact.layout(), contact.index());
    let mut lost = BTreeSet::new();
    for (path, held) in [(layout.unpushed(pack), Held::Unpushed), (layout.whole(pack), Held::Whole)]
    {
        if path.exists() {
            lost.extend(index.salvage_named(layout, (pack, held), None)?);
        }
    }
    if lost.is_empty() { Ok(()) } else { forget_above(contact, walked, pack) }
}

/// Forgets every node that names a pack, so that an add reads the files again.
fn forget_above(contact: &Contact, walked: &Walked, pack: PackId) -> Result<(), TransferError> {
    let mut reader = ObjectReader::new(contact.layout(), contact.index())?;
    let packs = BTreeSet::from([pack]);
    let stale = stale_nodes(&mut reader, &walked.nodes, &packs).unwrap_or_default();
    let ids: Vec<[u8; 32]> = stale.into_iter().map(|(_, above)| above.id.0).collect();
    Ok(contact.index().forget_objects(&ids)?)
}

/// Chunks in these packs that other chunks of the walk are a delta to, as far as the index
/// knows them; each with the pointer that it serves.
fn bases_in(
    view: &IndexReader,
    walked: &Walked,
    packs: &BTreeSet<PackId>,
) -> Vec<(usize, ChunkId)> {
    let mut out = Vec::new();
    let of_packs = |step: &ChunkStep| step.bases.iter().any(|base| packs.contains(&base.pack));
    for step in walked.chunks.iter().filter(of_packs) {
        let ids = view.bases(step.id).map(|bases| bases.ids).unwrap_or_default();
        let inside =
            |id: &ChunkId| view.find(&id.0).is_some_and(|place| packs.contains(&place.pack));
        out.extend(ids.into_iter().filter(inside).map(|id| (step.wanted, id)));
    }
    out
}

fn bad_delta(id: ChunkId) -> CacheError {
    CacheError::Pack { why: format!("the frame of chunk {id} is not what the index says") }
}

fn bad_footer(pack: PackId) -> TransferError {
    let why = "its footer is not sound".to_owned();
    TransferError::LocalPack { pack, path: Vec::new(), why }
}

#[expect(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
fn defect(error: EncodeError) -> CacheError {
    CacheError::Pack { why: error.to_string() }
}
