//! Comparing pairs of trees: only nodes by which they differ are read, those of one level that are
//! not on this machine come in one wave, and content never does.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::cache::{LocalNodeError, ObjectReader};
use crate::hash::{Digest, NodeId};
use crate::manifest::{Change, Content, FileEntry, diff};
use crate::node::{Cursor, Expectation, Kind, ReadError, Role, Scope};
use crate::progress::Job;
use crate::transfer::catalogue::Contact;
use crate::transfer::copies::Copies;
use crate::transfer::error::TransferError;
use crate::transfer::filter::{Choice, Filter};
use crate::transfer::nodes::{Sharing, Walker};
use crate::transfer::root::{Root, Wanted};
use crate::transfer::sight::Sight;
use crate::transfer::walk::NodeStep;
use crate::transfer::weight::{Frames, Weight, place};

/// Pairs of roots to compare, an old and a new one each.
#[derive(Debug, Default)]
pub struct Pairs {
    /// Old and new in turn.
    wanted: Vec<Wanted>,
    /// The group of each pair.
    groups: Vec<usize>,
}

impl Pairs {
    /// Adds the versions of a path; [`Root::Empty`] stands for one that does not exist. What is new is
    /// told for all pairs of a group together.
    ///
    /// Recipes, which tell what of a file is new, are compared where `filter` chooses the file; with
    /// [`Filter::names`] none is read.
    pub fn push(&mut self, group: usize, path: &[u8], (old, new): (Root, Root), filter: &Filter) {
        // A pair has to be compared as a whole: what differs is not known before.
        let filter = match filter {
            Filter::All => Filter::All,
            Filter::Some(choices) => Filter::Some(vec![Choice::Of(choices.clone())]),
            Filter::Span { .. } => filter.clone(),
        };
        for root in [old, new] {
            self.wanted.push(Wanted { path: path.to_vec(), root, filter: filter.clone() });
        }
        self.groups.push(group);
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.groups.len()
    }

    /// Says whether there is none.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Returns the old and the new side of a pair, each with its group.
    pub(super) fn both(&self, pair: usize) -> [Option<(&Wanted, usize)>; 2] {
        [2 * pair, 2 * pair + 1].map(|at| Some((self.wanted.get(at)?, self.group(at))))
    }

    fn group(&self, wanted: usize) -> usize {
        self.groups.get(wanted / 2).copied().unwrap_or_default()
    }

    fn manifests(&self, pair: usize) -> [Option<(NodeId, Expectation)>; 2] {
        [2 * pair, 2 * pair + 1].map(|at| match &self.wanted.get(at)?.root {
            Root::Tree { id, expectation } if expectation.kind == Kind::Manifest => {
                Some((*id, expectation.clone()))
            }
            Root::Tree { .. } | Root::Empty | Root::Chunk { .. } => None,
        })
    }
}

fn is_new(wanted: usize) -> bool {
    wanted % 2 == 1
}

/// What the new sides of a group have that its old sides lack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Novelty {
    /// Bytes of chunks that no old side has, before compression. A chunk that lies also in a file which
    /// both sides share may count, unless it is a whole file that was found there.
    pub new_bytes: u64,
    /// What these chunks take in packs; nothing if it is not known where all of them lie.
    pub stored_bytes: Option<u64>,
}

/// Pairs whose differing nodes are on this machine now.
pub struct Comparison<'w, 'c> {
    pairs: &'w Pairs,
    walker: Walker<'w, 'c>,
    contact: Option<&'w Contact<'c>>,
    /// Sees what arrived.
    reader: ObjectReader<'c>,
    /// Nodes that both sides of a pair have, which were passed by.
    shared: HashMap<NodeId, NodeStep>,
    novelties: BTreeMap<usize, Novelty>,
    /// The files by which the manifests of each pair differ.
    changes: Vec<Vec<Change>>,
    copies: Copies,
}

/// Nodes that are to be compared, by their ranks.
type Pending = BTreeMap<(u8, u8), Vec<NodeStep>>;

impl<'w, 'c> Comparison<'w, 'c> {
    /// Brings the nodes by which the pairs differ to this machine, from the highest level down: at
    /// most one wave for each level, for all pairs together. Fails with
    /// [`TransferError::NobodyPushed`] at a node that cannot be had, without contact at every one
    /// that is not here.
    pub fn make(
        pairs: &'w Pairs,
        reader: &'w mut ObjectReader<'c>,
        contact: Option<&'w Contact<'c>>,
        job: &Job,
    ) -> Result<Self, TransferError> {
        let sight = contact.map_or(Sight::Local, Sight::Content);
        let fresh = reader.another()?;
        let walker = Walker::new(&pairs.wanted, reader, sight, Sharing::Each);
        let (shared, novelties) = (HashMap::new(), BTreeMap::new());
        let (changes, copies) = (Vec::new(), Copies::default());
        let mut own =
            Self { pairs, walker, contact, reader: fresh, shared, novelties, changes, copies };
        let mut pending = Pending::new();
        own.walker.roots(sight).into_iter().for_each(|step| put(&mut pending, step));
        own.descend(&mut pending, Kind::Manifest, job)?;
        own.tell_changes(job)?;
        own.descend(&mut pending, Kind::Recipe, job)?;
        own.reader = own.reader.another()?;
        own.tell_novelties()?;
        Ok(own)
    }

    /// Reads what is pending, and lies below it, of one kind; recipes stay pending below manifests.
    fn descend(
        &mut self,
        pending: &mut Pending,
        kind: Kind,
        job: &Job,
    ) -> Result<(), TransferError> {
        while let Some(level) = pending.last_entry().filter(|level| level.key().0 >= of(kind)) {
            let steps = self.differing(level.remove());
            self.level(steps, job)?.into_iter().for_each(|step| put(pending, step));
        }
        Ok(())
    }

    /// Finds the files that differ, and those of them that the old side has elsewhere.
    fn tell_changes(&mut self, job: &Job) -> Result<(), TransferError> {
        self.reader = self.reader.another()?;
        for pair in 0..self.pairs.len() {
            let changes = self.compare(pair, job)?;
            self.changes.push(changes);
        }
        let shared = |id| self.shared.contains_key(&id);
        self.copies = Copies::find(self.pairs, &self.changes, shared, &mut self.reader, job)?;
        Ok(())
    }

    /// Leaves out what both sides have. A manifest is listed pair by pair; what is new is told for
    /// a group as a whole.
    fn differing(&mut self, steps: Vec<NodeStep>) -> Vec<NodeStep> {
        let place = |step: &NodeStep| match step.expectation.kind {
            Kind::Manifest => step.wanted / 2,
            Kind::Recipe => self.pairs.group(step.wanted),
        };
        let side = |new: bool| -> HashSet<(usize, NodeId)> {
            let own = steps.iter().filter(|step| is_new(step.wanted) == new);
            own.map(|step| (place(step), step.id)).collect()
        };
        let (old, new) = (side(false), side(true));
        let (both, differing): (Vec<_>, Vec<_>) = steps.into_iter().partition(|step| {
            let key = (place(step), step.id);
            let copied = || self.copies.has(self.pairs.group(step.wanted), step.id.0);
            new.contains(&key) && (old.contains(&key) || copied())
        });
        self.shared.extend(both.into_iter().map(|step| (step.id, step)));
        differing
    }

    /// Reads nodes of one level, those that are not here in one wave; returns what lies below.
    fn level(&mut self, steps: Vec<NodeStep>, job: &Job) -> Result<Vec<NodeStep>, TransferError> {
        let sight = self.contact.map_or(Sight::Local, Sight::Content);
        let (mut absent, mut next) = (Vec::new(), Vec::new());
        for step in steps {
            job.check()?;
            if self.walker.seen(&step) {
                continue;
            }
            let here = self.walker.here(&step, sight);
            match here.map_err(|e| e.needed_by(self.walker.path(step.wanted)))? {
                Some(((node, placement), at)) => {
                    next.extend(self.walker.visit(&step, (&node, &placement), at)?);
                }
                None => absent.push(step),
            }
        }
        if !absent.is_empty() {
            let Some(contact) = self.contact else {
                return Err(self.walker.absent(absent.first(), "this machine"));
            };
            next.extend(self.walker.fetch(absent, contact, job)?);
        }
        Ok(next)
    }

    fn tell_novelties(&mut self) -> Result<(), TransferError> {
        let chunks = &self.walker.out.chunks;
        let mut groups: BTreeMap<usize, (HashSet<[u8; 32]>, Vec<usize>)> = BTreeMap::new();
        for (number, step) in chunks.iter().enumerate() {
            let (old, new) = groups.entry(self.pairs.group(step.wanted)).or_default();
            if is_new(step.wanted) {
                new.push(number);
            } else {
                old.insert(step.id.0);
            }
        }
        let (mut frames, mut found) = (Frames::default(), Vec::new());
        for (group, (mut known, new)) in groups {
            let (mut unique, mut novelty, mut placed) = (Vec::new(), Novelty::default(), true);
            let new = new.into_iter().filter_map(|number| chunks.get(number));
            let new = new.filter(|step| !self.copies.has(group, step.id.0));
            for step in new.filter(|step| known.insert(step.id.0)) {
                novelty.new_bytes = novelty.new_bytes.saturating_add(step.size);
                match place(&step, &self.reader, self.contact) {
                    Some(spot) => {
                        frames.add(spot, step.size, false);
                        unique.push((spot, step.size));
                    }
                    None => placed = false,
                }
            }
            found.push((group, novelty, placed.then_some(unique)));
        }
        self.learn(&mut frames)?;
        for (group, novelty, unique) in found {
            let weight = |unique: Vec<_>| frames.weigh(Weight::default(), &unique).stored_bytes;
            let stored_bytes = unique.map(weight);
            self.novelties.insert(group, Novelty { stored_bytes, ..novelty });
        }
        Ok(())
    }

    /// Tells frames of which something is known what else lies in them.
    fn learn(&mut self, frames: &mut Frames) -> Result<(), TransferError> {
        let out = &self.walker.out;
        if self.pairs.wanted.iter().all(|item| matches!(item.filter, Filter::All)) {
            // Every chunk was met, with its place.
            for step in out.chunks.iter() {
                if let Some(spot) = step.spot {
                    frames.add_to_known(spot, step.size, !step.bases.is_empty());
                }
            }
            return Ok(());
        }
        for node in &out.nodes {
            if let Some(item) = self.walker.wanted.get(node.wanted) {
                frames.learn(&mut self.reader, (node, item), Frames::add_to_known)?;
            }
        }
        Ok(())
    }

    /// Returns what is new in a group. Content that lies in the manifest itself is not counted.
    pub fn novelty(&self, group: usize) -> Novelty {
        let nothing = Novelty { stored_bytes: Some(0), ..Novelty::default() };
        self.novelties.get(&group).copied().unwrap_or(nothing)
    }

    /// Hands out the files by which the two manifests of a pair differ, in the order of paths, once;
    /// all files of the one where the other is none. Choices are not heeded here.
    pub fn changes(&mut self, pair: usize) -> Vec<Change> {
        self.changes.get_mut(pair).map(std::mem::take).unwrap_or_default()
    }

    /// Returns the whole path of a file that some old side of the group has with this content, as far as
    /// nodes on this machine tell.
    pub fn origin(&self, group: usize, content: &Content) -> Option<&[u8]> {
        self.copies.origin(group, content)
    }

    fn compare(&mut self, pair: usize, job: &Job) -> Result<Vec<Change>, TransferError> {
        let path = self.walker.path(2 * pair).to_vec();
        let manifests = self.pairs.manifests(pair);
        let source = |id| self.node(&path, id, job);
        let entries = |id, expectation, source| {
            Cursor::<FileEntry, _>::new(id, expectation, Scope::All, source)
        };
        let changes: Result<Vec<Change>, _> = match manifests {
            [Some((old, _)), Some((new, _))] => diff(old, new, source).collect(),
            [Some((id, expectation)), None] => {
                entries(id, expectation, source).map(|entry| entry.map(Change::Removed)).collect()
            }
            [None, Some((id, expectation))] => {
                entries(id, expectation, source).map(|entry| entry.map(Change::Added)).collect()
            }
            [None, None] => Ok(Vec::new()),
        };
        changes.map_err(|error| tree_error(&path, error))
    }

    /// Returns the bytes of a node. One that both sides have is looked at where nodes of the two sides
    /// do not begin at the same path, and only then brought.
    fn node(&mut self, path: &[u8], id: NodeId, job: &Job) -> Result<Vec<u8>, TransferError> {
        job.check()?;
        if let Some(step) = self.shared.remove(&id) {
            let chunks = self.walker.out.chunks.len();
            let below = self.level(vec![step], job)?;
            // What both sides have is new on neither.
            self.walker.out.chunks.truncate(chunks);
            self.shared.extend(below.into_iter().map(|step| (step.id, step)));
            self.reader = self.reader.another()?;
        }
        self.reader.node_bytes(id).map_err(|error| match error {
            LocalNodeError::Cache(source) => TransferError::Local { path: path.to_vec(), source },
            LocalNodeError::Absent(_) => {
                let (path, root) = (path.to_vec(), Digest(id.0));
                TransferError::NobodyPushed { path, root, remote: "this machine".to_owned() }
            }
        })
    }
}

fn put(pending: &mut Pending, step: NodeStep) {
    pending.entry(rank(&step.expectation)).or_default().push(step);
}

fn of(kind: Kind) -> u8 {
    match kind {
        Kind::Manifest => 1,
        Kind::Recipe => 0,
    }
}

/// Higher ranks are read first: manifests before recipes, each from the root down.
fn rank(expectation: &Expectation) -> (u8, u8) {
    let kind = of(expectation.kind);
    match expectation.role {
        Role::Root => (kind, u8::MAX),
        Role::Below(level) => (kind, level),
    }
}

fn tree_error(path: &[u8], error: ReadError<TransferError>) -> TransferError {
    match error {
        ReadError::Source { source, .. } => source,
        ReadError::Node { source, .. } => TransferError::Tree { path: path.to_vec(), source },
    }
}
