//! A cache in a temporary folder that holds one small node.

use crate::cache::{Held, Index, Layout, PackSink, PackState, Place, places_of};
use crate::hash::{NodeId, PackId, PackKind};
use crate::pack::{Codecs, encode_node_frame};

/// An empty manifest.
pub(super) const NODE: [u8; 12] = [1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// The cache, its index, and a pack in `unpushed/` that the index does not know yet.
pub(super) struct OneNode {
    pub(super) _folder: tempfile::TempDir,
    pub(super) layout: Layout,
    pub(super) index: Index,
    pub(super) id: NodeId,
    pub(super) pack: PackId,
    pub(super) place: Place,
}

impl OneNode {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path(), folder.path(), None);
        let index = Index::open(&layout).unwrap();
        let id = NodeId::of(&NODE);
        let mut sink = PackSink::new(&layout, PackKind::Nodes);
        sink.push(&encode_node_frame(&mut Codecs::new(), id, &NODE, &[0]).unwrap()).unwrap();
        let packs = sink.finish().unwrap();
        let (pack, place) = (packs[0].id, places_of(&packs).find(|(at, _)| *at == id.0).unwrap().1);
        Self { _folder: folder, layout, index, id, pack, place }
    }
}

/// A pack of nodes that is held in this way.
pub(super) fn state(held: Held) -> PackState {
    PackState { held, kind: PackKind::Nodes.byte(), size: 0 }
}
