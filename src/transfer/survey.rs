//! Which pointers, and which of their files, need what is damaged or gone.

use std::collections::hash_map::Entry::{Occupied, Vacant};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::cache::{Index, IndexReader, Layout, ObjectReader};
use crate::hash::{ChunkId, NodeId, Oid, PackId};
use crate::manifest::FileEntry;
use crate::node::{Body, Child, Entry, Kind, Node};
use crate::progress::Job;
use crate::transfer::catalogue::Contact;
use crate::transfer::error::TransferError;
use crate::transfer::nodes::walk_and_look;
use crate::transfer::root::Wanted;
use crate::transfer::sight::Sight;
use crate::transfer::walk::{ChunkStep, NodeStep, Spot};
use crate::transfer::walked::Visited;

/// Files of one pointer that are named; the others are only counted with it.
const NAMED: usize = 100;

/// What is known to be damaged, by where it lies.
#[derive(Clone, Debug, Default)]
pub struct Damage {
    /// Packs of which nothing can be relied on.
    pub packs: HashSet<PackId>,
    /// Frames, by the pack and their offset in it.
    pub frames: HashSet<(PackId, u32)>,
}

impl Damage {
    /// Says whether there is none.
    pub fn is_empty(&self) -> bool {
        self.packs.is_empty() && self.frames.is_empty()
    }

    fn hit(&self, (pack, offset): (PackId, u32)) -> Option<PackId> {
        (self.packs.contains(&pack) || self.frames.contains(&(pack, offset))).then_some(pack)
    }
}

/// A file of a tracked folder: its path in it, and what it holds.
pub type FileIn = (Vec<u8>, Oid);

/// A pointer that cannot be had whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Affected {
    /// The pack that is at fault; nothing for a root that is listed nowhere.
    pub pack: Option<PackId>,
    /// Which of the wanted pointers.
    pub wanted: usize,
    /// What of it is damaged or gone: ids of chunks and nodes.
    pub objects: BTreeSet<[u8; 32]>,
    /// The files below a tracked folder, as paths in it; some of them if there are many.
    pub files: BTreeSet<FileIn>,
}

/// An object that a walk came to, and the node that named it.
#[derive(Clone, Copy, Debug)]
struct Met {
    id: [u8; 32],
    /// By its number among those visited.
    above: Option<u32>,
    wanted: usize,
    /// The pack that is at fault, of what cannot be had.
    pack: Option<PackId>,
}

/// The pack that is at fault if an object with this id and these places is damaged.
type IsBad<'s> = &'s dyn Fn([u8; 32], &[Spot]) -> Option<PackId>;

/// What a walk that looks for damage goes by, and what it notes.
pub(super) struct Lookout<'s> {
    is_bad: IsBad<'s>,
    hits: Vec<Met>,
    /// Nodes that were met before: they hang below this one as well.
    again: Vec<Met>,
}

impl<'s> Lookout<'s> {
    fn new(is_bad: IsBad<'s>) -> Self {
        Self { is_bad, hits: Vec::new(), again: Vec::new() }
    }

    pub(super) fn look_at(&mut self, step: &ChunkStep) {
        let spots: Vec<Spot> = step.spot.iter().chain(&step.bases).copied().collect();
        if let Some(pack) = (self.is_bad)(step.id.0, &spots) {
            let (id, above, wanted, pack) = (step.id.0, step.above, step.wanted, Some(pack));
            self.hits.push(Met { id, above, wanted, pack });
        }
    }

    pub(super) fn knows(&mut self, step: &NodeStep) -> bool {
        let pack = (self.is_bad)(step.id.0, step.spot.as_slice());
        if pack.is_some() {
            self.hits.push(Met { pack, ..met(step) });
        }
        pack.is_some()
    }

    pub(super) fn note(&mut self, step: &NodeStep) {
        self.hits.push(met(step));
    }

    pub(super) fn meet_again(&mut self, step: &NodeStep) {
        self.again.push(met(step));
    }
}

fn met(step: &NodeStep) -> Met {
    let pack = step.spot.map(|spot| spot.pack);
    Met { id: step.id.0, above: step.above, wanted: step.wanted, pack }
}

/// Finds which pointers need what is damaged on this machine; what is not here counts for nothing.
pub fn survey_here(
    wanted: &[Wanted],
    (layout, index): (&Layout, &Index),
    damage: &Damage,
    job: &Job,
) -> Result<Vec<Affected>, TransferError> {
    let view = index.reader()?;
    let is_bad = |id: [u8; 32], _: &[Spot]| lies_in(&view, id, damage);
    look(wanted, (layout, index), Sight::Local, &is_bad, job)
}

fn lies_in(view: &IndexReader, id: [u8; 32], damage: &Damage) -> Option<PackId> {
    let (place, _) = view.find_frame(&id)?;
    let bases = if place.delta { view.base_places(ChunkId(id)) } else { None };
    let mut all = [place].into_iter().chain(bases.unwrap_or_default());
    all.find_map(|place| damage.hit((place.pack, place.offset)))
}

/// Finds which pointers need what is damaged on a remote, and which name nodes that it has not.
pub fn survey_there(
    wanted: &[Wanted],
    contact: &Contact,
    damage: &Damage,
    job: &Job,
) -> Result<Vec<Affected>, TransferError> {
    let is_bad =
        |_: [u8; 32], spots: &[Spot]| spots.iter().find_map(|s| damage.hit((s.pack, s.offset)));
    look(wanted, (contact.layout(), contact.index()), Sight::Theirs(contact), &is_bad, job)
}

fn look(
    wanted: &[Wanted],
    (layout, index): (&Layout, &Index),
    sight: Sight,
    is_bad: IsBad,
    job: &Job,
) -> Result<Vec<Affected>, TransferError> {
    let mut reader = ObjectReader::observing(layout, index)?;
    let lookout = Some(Lookout::new(is_bad));
    let (walked, lookout) = walk_and_look(wanted, &mut reader, sight, lookout, job)?;
    let Some(lookout) = lookout.filter(|lookout| !lookout.hits.is_empty()) else {
        return Ok(Vec::new());
    };
    let mut tree = Tree::new(&walked.nodes, &lookout);
    // Nodes that the walk fetched are known to a new reader only.
    let mut reader = ObjectReader::observing(layout, index)?;
    let mut out = BTreeMap::new();
    for hit in &lookout.hits {
        job.check()?;
        for (wanted, file) in tree.climb(hit, &mut reader)? {
            let row: &mut Affected = out.entry((hit.pack, wanted)).or_default();
            (row.pack, row.wanted) = (hit.pack, wanted);
            row.objects.insert(hit.id);
            if row.files.len() < NAMED {
                row.files.extend(file);
            }
        }
    }
    Ok(out.into_values().collect())
}

/// The nodes of a walk, with everything that names each of them.
struct Tree<'n> {
    nodes: &'n [Visited],
    above: HashMap<[u8; 32], Vec<Met>>,
    /// Leaves of manifests that were looked at: each child and the path that it is.
    leaves: HashMap<NodeId, HashMap<[u8; 32], Vec<FileIn>>>,
}

/// A pointer, and the file in it if it is a folder.
type Place = (usize, Option<FileIn>);

impl<'n> Tree<'n> {
    fn new(nodes: &'n [Visited], lookout: &Lookout) -> Self {
        let mut above: HashMap<[u8; 32], Vec<Met>> = HashMap::new();
        for node in nodes {
            let Visited { above: up, wanted, .. } = *node;
            let met = Met { id: node.id.0, above: up, wanted, pack: None };
            above.entry(met.id).or_default().push(met);
        }
        for met in &lookout.again {
            above.entry(met.id).or_default().push(*met);
        }
        Self { nodes, above, leaves: HashMap::new() }
    }

    /// Finds every pointer above an object, and the files of folders on the way.
    fn climb(&mut self, hit: &Met, reader: &mut ObjectReader) -> Result<Vec<Place>, TransferError> {
        let mut out = Vec::new();
        let mut seen = HashSet::new();
        let mut pending: Vec<(Met, Option<FileIn>)> = vec![(*hit, None)];
        while let Some((met, file)) = pending.pop() {
            let node = met.above.and_then(|number| self.nodes.get(number as usize)).copied();
            let Some(node) = node else {
                out.push((met.wanted, file));
                continue;
            };
            let names = match &file {
                Some(_) => Vec::new(),
                None => self.names(&node, &met.id, reader)?,
            };
            let files: Vec<Option<FileIn>> = match names.as_slice() {
                [] => vec![file],
                names => names.iter().take(NAMED).cloned().map(Some).collect(),
            };
            for file in files {
                if seen.insert((node.id, file.clone())) {
                    let mets = self.above.get(&node.id.0).map_or(&[][..], Vec::as_slice);
                    pending.extend(mets.iter().map(|met| (*met, file.clone())));
                }
            }
        }
        Ok(out)
    }

    /// The paths that a leaf of a manifest has for a child; none of any other node.
    fn names(
        &mut self,
        node: &Visited,
        child: &[u8; 32],
        reader: &mut ObjectReader,
    ) -> Result<Vec<FileIn>, TransferError> {
        let leaf = match self.leaves.entry(node.id) {
            Occupied(known) => known.into_mut(),
            Vacant(place) => {
                let Visited { id, at, .. } = *node;
                let read = reader.node_at(id, at.pack, at.offset, at.frame_len)?;
                place.insert(read.map(|(bytes, _)| entries(&bytes)).unwrap_or_default())
            }
        };
        Ok(leaf.get(child).cloned().unwrap_or_default())
    }
}

fn entries(bytes: &[u8]) -> HashMap<[u8; 32], Vec<FileIn>> {
    let mut out: HashMap<[u8; 32], Vec<FileIn>> = HashMap::new();
    if bytes.get(1) != Some(&Kind::Manifest.code()) {
        return out;
    }
    let Ok((node, _)) = Node::<FileEntry>::decode(bytes) else { return out };
    if let Body::Leaf(entries) = node.body() {
        for entry in entries {
            let id = match entry.child() {
                Some(Child::Chunk { id, .. }) => id.0,
                Some(Child::Node { id, .. }) => id.0,
                None => continue,
            };
            out.entry(id).or_default().push((entry.path.clone(), entry.content.oid()));
        }
    }
    out
}
