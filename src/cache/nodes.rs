//! Writing tree nodes into node packs, each with the placement of its children.

use std::collections::{BTreeSet, HashMap};

use crate::cache::error::CacheError;
use crate::cache::index::IndexReader;
use crate::cache::layout::Layout;
use crate::cache::place::Place;
use crate::cache::sink::{PackSink, WrittenPack};
use crate::hash::{ChunkId, NodeId, PackId, PackKind};
use crate::node::{BaseLoc, BuiltNode, Child, Loc, PackRef, encode_placement};
use crate::pack::{Bases, Codecs, encode_node_frame};

/// Takes nodes children first and writes those that are new.
pub struct NodeSink<'a> {
    sink: PackSink,
    view: &'a IndexReader,
    chunks: &'a HashMap<[u8; 32], Place>,
    deltas: HashMap<ChunkId, Bases>,
    elsewhere: Option<&'a HashMap<[u8; 32], Place>>,
    former: HashMap<[u8; 32], Loc>,
    stale: Stale<'a>,
    written: HashMap<NodeId, Written>,
    codecs: Codecs,
}

#[derive(Clone, Copy)]
struct Written {
    pack_number: usize,
    offset: u32,
    frame_len: u32,
}

/// What a sink must write again although the index knows it.
#[derive(Clone, Copy)]
pub struct Stale<'a> {
    /// Packs that are being replaced: what the index places there counts as unknown.
    pub packs: &'a BTreeSet<PackId>,
    /// Nodes whose placement holds no more, wherever they lie.
    pub nodes: &'a BTreeSet<NodeId>,
}

impl Stale<'static> {
    /// Nothing is stale.
    pub const NONE: Self = Self { packs: &BTreeSet::new(), nodes: &BTreeSet::new() };
}

impl<'a> NodeSink<'a> {
    /// Places children by `chunks`, the chunks stored just now, and by the index.
    pub fn new(
        layout: &Layout,
        view: &'a IndexReader,
        chunks: &'a HashMap<[u8; 32], Place>,
        stale: Stale<'a>,
    ) -> Self {
        let sink = PackSink::new(layout, PackKind::Nodes);
        let (written, deltas) = (HashMap::new(), HashMap::new());
        let (elsewhere, former, codecs) = (None, HashMap::new(), Codecs::new());
        Self { sink, view, chunks, deltas, elsewhere, former, stale, written, codecs }
    }

    /// Says to what chunks that were stored just now are a delta.
    #[must_use]
    pub fn with_deltas(mut self, packs: &[WrittenPack]) -> Self {
        self.deltas = packs.iter().flat_map(|pack| pack.deltas.iter().cloned()).collect();
        self
    }

    /// Says where chunks lie that the index does not know.
    #[must_use]
    pub fn with_elsewhere(mut self, chunks: &'a HashMap<[u8; 32], Place>) -> Self {
        self.elsewhere = Some(chunks);
        self
    }

    /// Says where children lie by the placements of nodes that are written again: a machine that has
    /// the nodes only knows no other place.
    #[must_use]
    pub fn with_former(mut self, places: impl IntoIterator<Item = ([u8; 32], Loc)>) -> Self {
        self.former = places.into_iter().collect();
        self
    }

    /// The former place of a child, if nothing in it is stale.
    fn former(&self, id: &[u8; 32]) -> Option<&Loc> {
        let stale = |pack: &PackRef| match pack {
            PackRef::Pack(pack) => self.stale.packs.contains(pack),
            PackRef::This => true,
        };
        let holds =
            |loc: &&Loc| !stale(&loc.pack) && !loc.bases.iter().any(|base| stale(&base.pack));
        self.former.get(id).filter(holds).filter(|_| !self.stale.nodes.contains(&NodeId(*id)))
    }

    fn find(&self, id: &[u8; 32]) -> Option<Place> {
        let place = self.view.find(id).filter(|place| !self.stale.packs.contains(&place.pack));
        place.filter(|_| !self.stale.nodes.contains(&NodeId(*id)))
    }

    /// Writes a node unless it is known already.
    pub fn put(&mut self, node: &BuiltNode) -> Result<(), CacheError> {
        self.put_parts(node.id, &node.bytes, &node.children)
    }

    /// As [`Self::put`], of a node's bytes and what hangs below it, in order.
    pub fn put_parts(
        &mut self,
        id: NodeId,
        bytes: &[u8],
        children: &[Child],
    ) -> Result<(), CacheError> {
        if self.written.contains_key(&id) || self.find(&id.0).is_some() {
            return Ok(());
        }
        loop {
            let locs = children.iter().map(|child| self.locate(child));
            let locs = locs.collect::<Result<Vec<Loc>, _>>()?;
            let placement = encode_placement(&locs)
                .map_err(|e| defect(format!("a node could not be placed: {e}")))?;
            let frame = encode_node_frame(&mut self.codecs, id, bytes, &placement)
                .map_err(|e| defect(e.to_string()))?;
            if !self.sink.room_for(&frame) {
                // Children in the pack just closed have a name now: place them again.
                self.sink.close()?;
                continue;
            }
            let pack_number = self.sink.pack_number();
            let place = self.sink.push(&frame)?;
            let (offset, frame_len) = (place.offset, place.frame_len);
            self.written.insert(id, Written { pack_number, offset, frame_len });
            return Ok(());
        }
    }

    fn locate(&self, child: &Child) -> Result<Loc, CacheError> {
        let id = match child {
            Child::Chunk { id, .. } => id.0,
            Child::Node { id, .. } => {
                if let Some(written) = self.written.get(id) {
                    let name = self.sink.name_of(written.pack_number);
                    let pack = name.map_or(PackRef::This, PackRef::Pack);
                    let (offset, frame_len) = (written.offset, written.frame_len);
                    return Ok(Loc { pack, offset, frame_len, skip: 0, bases: Vec::new() });
                }
                id.0
            }
        };
        let place = self.chunks.get(&id).copied().or_else(|| self.find(&id));
        if let (None, Some(former)) = (place, self.former(&id)) {
            return Ok(former.clone());
        }
        // Of a root that is pushed another time: a stale place is found out and replaced then.
        let place = place.or_else(|| self.view.find(&id));
        let place = place.or_else(|| self.elsewhere.and_then(|all| all.get(&id)).copied());
        if let (None, Some(former)) = (place, self.former.get(&id)) {
            return Ok(former.clone());
        }
        let place = place.ok_or_else(|| defect("a child is stored nowhere".to_owned()))?;
        let bases = if place.delta { self.locate_bases(ChunkId(id))? } else { Vec::new() };
        let pack = PackRef::Pack(place.pack);
        Ok(Loc { pack, offset: place.offset, frame_len: place.frame_len, skip: place.skip, bases })
    }

    /// Returns where the bases of a chunk lie that is stored as a delta.
    fn locate_bases(&self, id: ChunkId) -> Result<Vec<BaseLoc>, CacheError> {
        let lost = || defect("the base of a chunk is stored nowhere".to_owned());
        let bases = self.deltas.get(&id).cloned().or_else(|| self.view.bases(id));
        let locate = |base: &ChunkId| {
            let new = self.chunks.get(&base.0).copied().filter(|place| !place.delta);
            let known = || self.view.find(&base.0).filter(|place| !place.delta);
            let Place { pack, offset, frame_len, skip, .. } =
                new.or_else(known).ok_or_else(lost)?;
            Ok(BaseLoc { pack: PackRef::Pack(pack), offset, frame_len, skip })
        };
        bases.ok_or_else(lost)?.ids.iter().map(locate).collect()
    }

    /// Closes the last pack; all are durable afterwards.
    pub fn finish(self) -> Result<Vec<WrittenPack>, CacheError> {
        self.sink.finish()
    }
}

fn defect(why: String) -> CacheError {
    CacheError::Pack { why }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Index;
    use crate::recipe::{ChunkEntry, build};

    #[test]
    fn a_child_that_the_index_does_not_know_stays_where_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path(), folder.path(), None);
        let index = Index::open(&layout).unwrap();
        let (view, none) = (index.reader().unwrap(), HashMap::new());
        let ids = [ChunkId([1; 32]), ChunkId([2; 32])];
        let (_, nodes) = build(ids.map(|id| ChunkEntry { id, size: 9000 })).unwrap();
        let pack = PackId([7; 16]);
        let loc = |id: ChunkId, offset| {
            let pack = PackRef::Pack(pack);
            (id.0, Loc { pack, offset, frame_len: 50, skip: 0, bases: Vec::new() })
        };
        // A stale place is better than none: of a root that is pushed another time it is found out then.
        for packs in [BTreeSet::new(), BTreeSet::from([pack])] {
            let stale = Stale { packs: &packs, ..Stale::NONE };
            let mut lost = NodeSink::new(&layout, &view, &none, stale);
            assert!(lost.put(&nodes[0]).is_err());
            let former = [loc(ids[0], 24), loc(ids[1], 90)];
            let mut sink = NodeSink::new(&layout, &view, &none, stale).with_former(former);
            sink.put(&nodes[0]).unwrap();
            assert_eq!(sink.finish().unwrap().len(), 1);
        }
    }
}
