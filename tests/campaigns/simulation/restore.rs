//! A reader that has nothing but the store: can it restore what refs name, now?

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use haul::cache::{Index, Layout};
use haul::catalogue::{Entry, Listed, Name, Object, View, key};
use haul::hash::{NodeId, PackId, PackKind};
use haul::manifest::FileEntry;
use haul::node::{BaseLoc, Child, Kind, Loc, Node, PackRef, decode_placement};
use haul::pack::{Codecs, decode_frame, node_in};
use haul::progress::{Job, Silent};
use haul::recipe::ChunkEntry;
use haul::remote::Remote;
use haul::transfer::{Contact, Purpose, Root, TransferError, fetch_data, plan_fetch};

use super::client::LABEL;
use super::content::Version;
use super::gate::Gate;
use super::store::Store;
use super::world::World;

/// A frame of a pack: where it begins and how long it is.
type Frame = (PackId, u32, u32);

/// Looks at the store without a client between.
#[derive(Default)]
pub(super) struct Reader {
    objects: HashMap<Name, Arc<Object>>,
    /// What hangs below the nodes that were read, with the frames of each: packs never change.
    below: HashMap<Frame, Below>,
    pub(super) looks: u64,
}

type Below = Arc<Vec<(Child, Frame, Vec<Frame>)>>;

impl Reader {
    /// Returns the versions of which something seems to be missing, reading nodes and looking for all
    /// frames of chunks.
    pub(super) fn incomplete(&mut self, world: &World) -> Vec<(usize, Arc<Version>)> {
        let Some(view) = self.view(world) else {
            let all = world.refs.iter().copied().zip(world.published());
            return all.collect();
        };
        let mut out = Vec::new();
        for (number, version) in world.refs.iter().copied().zip(world.published()) {
            self.looks += 1;
            let Some(root) = version.wanted.root.key() else { continue };
            let places = view.locs(root).into_iter().map(|loc| loc.record);
            let whole = |at: Frame| self.leads_to_all(world, &version.wanted.root, at);
            if !places.map(|at| (at.pack, at.offset, at.frame_len)).any(whole) {
                out.push((number, version));
            }
        }
        out
    }

    fn view(&mut self, world: &World) -> Option<View> {
        let (mut listing, mut objects) = (Vec::new(), Vec::new());
        let all = world.objects.range(key::CATALOGUE.to_owned()..);
        for (key, stored) in all.take_while(|(key, _)| key.starts_with(key::CATALOGUE)) {
            let name = key.strip_prefix(key::CATALOGUE)?.to_owned();
            let Entry::Object(parsed) = Entry::parse(&name) else { return None };
            let object = match self.objects.get(&parsed) {
                Some(object) => Arc::clone(object),
                None => Arc::new(Object::parse_named(&parsed, &stored.bytes).ok()?),
            };
            self.objects.insert(parsed, Arc::clone(&object));
            objects.push((parsed, object));
            let (size, modified_ms) = (stored.bytes.len() as u64, stored.modified_ms);
            listing.push(Listed { name, size, modified_ms });
        }
        View::build(listing, objects).ok()
    }

    fn leads_to_all(&mut self, world: &World, root: &Root, at: Frame) -> bool {
        let first = match root {
            Root::Empty => return true,
            Root::Chunk { .. } => return slice(world, PackKind::Data, at).is_some(),
            Root::Tree { id, .. } => *id,
        };
        let mut open = vec![(first, at)];
        while let Some((id, at)) = open.pop() {
            let Some(below) = self.node(world, id, at) else { return false };
            for (child, frame, bases) in below.iter() {
                match child {
                    Child::Node { id, .. } => open.push((*id, *frame)),
                    Child::Chunk { .. } => {
                        let there = |frame: &Frame| slice(world, PackKind::Data, *frame).is_some();
                        if !there(frame) || !bases.iter().all(there) {
                            return false;
                        }
                    }
                }
            }
        }
        true
    }

    /// Reads a node from the store; the frame must be there even if it was read before.
    fn node(&mut self, world: &World, id: NodeId, at: Frame) -> Option<Below> {
        let bytes = slice(world, PackKind::Nodes, at)?;
        if let Some(below) = self.below.get(&at) {
            return Some(Arc::clone(below));
        }
        let frame = decode_frame(&mut Codecs::new(), PackKind::Nodes, bytes).ok()?;
        let (node, placement) = node_in(&frame.raw, id).ok()?;
        let children = if node.get(1) == Some(&Kind::Recipe.code()) {
            Node::<ChunkEntry>::decode(node).ok()?.0.children()
        } else {
            Node::<FileEntry>::decode(node).ok()?.0.children()
        };
        let locs = decode_placement(placement, children.len()).ok()?;
        let below = children.into_iter().zip(locs).map(|(child, loc)| {
            let bases = loc.bases.iter().map(|base| base_frame(base, at.0)).collect();
            (child, frame_of(&loc, at.0), bases)
        });
        let below: Below = Arc::new(below.collect());
        self.below.insert(at, Arc::clone(&below));
        Some(below)
    }
}

fn frame_of(loc: &Loc, home: PackId) -> Frame {
    (pack_of(loc.pack, home), loc.offset, loc.frame_len)
}

fn base_frame(base: &BaseLoc, home: PackId) -> Frame {
    (pack_of(base.pack, home), base.offset, base.frame_len)
}

fn pack_of(pack: PackRef, home: PackId) -> PackId {
    match pack {
        PackRef::This => home,
        PackRef::Pack(pack) => pack,
    }
}

fn slice(world: &World, kind: PackKind, (pack, offset, len): Frame) -> Option<&[u8]> {
    let stored = world.objects.get(&key::pack(kind, pack))?;
    stored.bytes.get(offset as usize..)?.get(..len as usize)
}

/// Fetches versions through the library into an empty cache, and compares every byte.
pub(super) fn restore(
    gate: &Arc<Gate>,
    folder: &Path,
    versions: &[Arc<Version>],
) -> Result<(), String> {
    let folder = tempfile::tempdir_in(folder).map_err(|e| e.to_string())?;
    let layout = Layout::new(folder.path(), folder.path(), None);
    let fetch = || -> Result<Index, TransferError> {
        let stop = AtomicBool::new(false);
        let job = Job::new(&Silent, &stop);
        let index = Index::open(&layout)?;
        let remote = Remote::over(Arc::new(Store::aside(gate)), LABEL);
        let mut contact = Contact::make(remote, (&layout, &index), 1, Purpose::Read, &job)?;
        let wanted = versions.iter().map(|version| version.wanted.clone()).collect();
        let plan = plan_fetch(wanted, &mut contact, &job)?;
        fetch_data(&plan, &mut contact, &job)?;
        drop(contact);
        Ok(index)
    };
    let index = fetch().map_err(|e| e.to_string())?;
    versions.iter().try_for_each(|version| version.draft.compare(&layout, &index))
}
