//! Writing packs afresh: when the remote has most of what an unpushed pack holds, or when gc has
//! condemned what was sent. Chunks that are missing go into new packs, and the nodes above them into
//! new node packs whose placements name the places that hold now. Logical identities do not change,
//! and every object of a replaced pack lives on: packs may serve roots that this push is not about.

use std::collections::{BTreeSet, HashMap};

use crate::cache::{
    CacheError, Held, LocalFooter, NodeSink, ObjectReader, PackSink, PackState, Place, WrittenPack,
    places_of,
};
use crate::fs::remove;
use crate::hash::{ChunkId, NodeId, PackId, PackKind};
use crate::manifest::FileEntry;
use crate::node::{Child, Kind, Node, NodeError};
use crate::pack::{Batcher, Codecs, EncodeError, encode_data_frame, needs_own_frame};
use crate::progress::Job;
use crate::recipe::ChunkEntry;
use crate::transfer::catalogue::Contact;
use crate::transfer::error::TransferError;

/// Where chunks lie on the remote, as its own footers and trees say.
pub(super) type Elsewhere = HashMap<[u8; 32], Place>;

/// Replaces packs: chunks that lie `elsewhere` are relied on there, the others are written anew.
///
/// Every unpushed node pack is rewritten too, as its placements may name a replaced pack.
pub(super) fn recut(
    contact: &Contact,
    mut replaced: BTreeSet<PackId>,
    elsewhere: &Elsewhere,
    job: &Job,
) -> Result<(), TransferError> {
    let unpushed = contact.index().packs(Held::Unpushed)?;
    let nodes = unpushed.iter().filter(|(_, state)| state.kind == PackKind::Nodes.byte());
    replaced.extend(nodes.map(|(pack, _)| *pack));
    let mut footers = Vec::new();
    for pack in &replaced {
        let footer = contact.index().footer(contact.layout(), *pack)?;
        footers.push(footer.ok_or_else(|| TransferError::LocalPack {
            pack: *pack,
            why: "its footer is not sound".to_owned(),
        })?);
    }
    let (data, nodes): (Vec<_>, Vec<_>) =
        footers.into_iter().partition(|footer| footer.kind == PackKind::Data);
    let data = copy_chunks(contact, &data, elsewhere, job)?;
    let mut places = elsewhere.clone();
    places.extend(places_of(&data));
    let nodes = rewrite_nodes(contact, &nodes, &replaced, &places, job)?;
    let new: Vec<&WrittenPack> = data.iter().chain(&nodes).collect();
    record(contact, places, &new, elsewhere)?;
    // Only now that everything lives elsewhere, and durably, may the old packs go.
    let packs: Vec<PackId> = replaced.into_iter().collect();
    contact.index().forget(&packs)?;
    for pack in packs {
        remove(&contact.layout().unpushed(pack))?;
        remove(&contact.layout().whole(pack))?;
    }
    Ok(())
}

fn copy_chunks(
    contact: &Contact,
    footers: &[LocalFooter],
    elsewhere: &Elsewhere,
    job: &Job,
) -> Result<Vec<WrittenPack>, TransferError> {
    let mut reader = ObjectReader::new(contact.layout(), contact.index())?;
    let mut sink = PackSink::new(contact.layout(), PackKind::Data);
    let (mut codecs, mut batcher) = (Codecs::new(), Batcher::new());
    let mut done = BTreeSet::new();
    for (id, _) in footers.iter().flat_map(|footer| &footer.objects) {
        job.check()?;
        if elsewhere.contains_key(id) || !done.insert(*id) {
            continue;
        }
        let id = ChunkId(*id);
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

/// Writes every node of the old packs again, recipes before manifests and children first.
fn rewrite_nodes(
    contact: &Contact,
    footers: &[LocalFooter],
    replaced: &BTreeSet<PackId>,
    places: &Elsewhere,
    job: &Job,
) -> Result<Vec<WrittenPack>, TransferError> {
    let mut reader = ObjectReader::new(contact.layout(), contact.index())?;
    let view = contact.index().reader()?;
    let mut order = Vec::new();
    for (id, _) in footers.iter().flat_map(|footer| &footer.objects) {
        let id = NodeId(*id);
        let Some((node, _)) = reader.node(id)? else { continue };
        let (kind, level) = (node.get(1).copied(), node.get(2).copied());
        order.push((kind, level, id));
    }
    order.sort_unstable();
    order.dedup();
    let mut sink = NodeSink::new(contact.layout(), &view, places, replaced);
    for (kind, _, id) in order {
        job.check()?;
        let Some((node, _)) = reader.node(id)? else { continue };
        let children = children(kind, &node)
            .map_err(|source| TransferError::Tree { path: Vec::new(), source })?;
        sink.put_parts(id, &node, &children)?;
    }
    Ok(sink.finish()?)
}

fn children(kind: Option<u8>, node: &[u8]) -> Result<Vec<Child>, NodeError> {
    if kind == Some(Kind::Recipe.code()) {
        Ok(Node::<ChunkEntry>::decode(node)?.0.children())
    } else {
        Ok(Node::<FileEntry>::decode(node)?.0.children())
    }
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
    let view = contact.index().reader()?;
    let far: BTreeSet<PackId> = elsewhere.values().map(|place| place.pack).collect();
    for pack in far.into_iter().filter(|pack| view.pack(*pack).is_none()) {
        let kind = PackKind::Data.byte();
        packs.push((pack, PackState { held: Held::Gone, kind, size: 0 }));
    }
    Ok(contact.index().record(&packs, &mut objects)?)
}

#[expect(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
fn defect(error: EncodeError) -> CacheError {
    CacheError::Pack { why: error.to_string() }
}
