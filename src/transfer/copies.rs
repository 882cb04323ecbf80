//! Finding where the old sides have, in another place, what the new sides have anew: whole files, told
//! by nodes that are on this machine.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::cache::ObjectReader;
use crate::hash::NodeId;
use crate::manifest::{Change, Content, FileEntry};
use crate::node::{Body, Kind, fetch};
use crate::progress::Job;
use crate::transfer::compare::Pairs;
use crate::transfer::error::TransferError;
use crate::transfer::root::Root;

/// Nodes that are looked at for it at most, which tell of some 400,000 files.
const LOOKED_AT: usize = 1_024;

/// A group of pairs, and the one chunk or the recipe that a file is.
type Place = (usize, [u8; 32]);

/// Where the old sides have files of the new ones.
#[derive(Debug, Default)]
pub(super) struct Copies(HashMap<Place, Vec<u8>>);

impl Copies {
    /// Says whether a whole file of this chunk, or this recipe, was found.
    pub(super) fn has(&self, group: usize, id: [u8; 32]) -> bool {
        self.0.contains_key(&(group, id))
    }

    /// Returns the whole path of a file of the old side with this content.
    pub(super) fn origin(&self, group: usize, content: &Content) -> Option<&[u8]> {
        self.0.get(&(group, id_of(content)?)).map(Vec::as_slice)
    }

    /// Looks for the files that were added or replaced, given the changes of each pair: among those
    /// of nodes that differ first, then in what both sides share, as far as that is on this machine.
    pub(super) fn find(
        pairs: &Pairs,
        changes: &[Vec<Change>],
        is_shared: impl Fn(NodeId) -> bool,
        reader: &mut ObjectReader,
        job: &Job,
    ) -> Result<Self, TransferError> {
        let mut search = Search { sought: sought(pairs, changes), found: Self::default() };
        let (mut near, mut far) = (VecDeque::new(), VecDeque::new());
        for pair in 0..pairs.len() {
            let [Some((old, group)), _] = pairs.both(pair) else { continue };
            if let Root::Tree { id, expectation } = &old.root
                && expectation.kind == Kind::Manifest
            {
                let step = (pair, *id, expectation.clone());
                if is_shared(*id) { far.push_back(step) } else { near.push_back(step) }
            } else if let Some(id) = old.root.id() {
                search.meet((group, id), || old.path.clone());
            }
        }
        for _ in 0..LOOKED_AT {
            job.check()?;
            if search.sought.is_empty() {
                break;
            }
            let first = near.pop_front().map(|step| (step, true));
            let Some(((pair, id, expectation), differs)) =
                first.or_else(|| far.pop_front().map(|step| (step, false)))
            else {
                break;
            };
            // Nobody asked for this node: that it is absent, or cannot be read, is no failure.
            let source = &mut |id| reader.node_bytes(id);
            let Ok(node) = fetch::<FileEntry, _, _>(source, id, &expectation) else { continue };
            let level = node.level();
            match node.into_body() {
                Body::Inner(children) => {
                    for child in children {
                        let step = (pair, child.id, child.expectation(Kind::Manifest, level));
                        let near_too = differs && !is_shared(child.id);
                        if near_too { near.push_back(step) } else { far.push_back(step) }
                    }
                }
                Body::Leaf(entries) => search.meet_all(pairs, pair, &entries),
            }
        }
        Ok(search.found)
    }
}

struct Search {
    sought: HashSet<Place>,
    found: Copies,
}

impl Search {
    fn meet(&mut self, place: Place, path: impl FnOnce() -> Vec<u8>) {
        if self.sought.remove(&place) {
            self.found.0.insert(place, path());
        }
    }

    fn meet_all(&mut self, pairs: &Pairs, pair: usize, entries: &[FileEntry]) {
        let [Some((old, group)), _] = pairs.both(pair) else { return };
        for entry in entries {
            if let Some(id) = id_of(&entry.content) {
                self.meet((group, id), || [&old.path, &b"/"[..], &entry.path].concat());
            }
        }
    }
}

/// Content of the new sides that does not stand in its place on the old side.
fn sought(pairs: &Pairs, changes: &[Vec<Change>]) -> HashSet<Place> {
    let mut sought = HashSet::new();
    for pair in 0..pairs.len() {
        let [Some((old, _)), Some((new, group))] = pairs.both(pair) else { continue };
        let is_file = match &new.root {
            Root::Empty => false,
            Root::Chunk { .. } => true,
            Root::Tree { expectation, .. } => expectation.kind == Kind::Recipe,
        };
        sought.extend(
            new.root.id().filter(|_| is_file && old.root != new.root).map(|id| (group, id)),
        );
        for change in changes.get(pair).into_iter().flatten() {
            match change {
                Change::Added(new) | Change::Modified { new, .. } => {
                    sought.extend(id_of(&new.content).map(|id| (group, id)));
                }
                Change::Removed(_) => {}
            }
        }
    }
    sought
}

/// Content that lies in the tree itself is in no chunk, and found nowhere.
fn id_of(content: &Content) -> Option<[u8; 32]> {
    match content {
        Content::Inline(_) => None,
        Content::Chunk { oid, .. } => Some(oid.0),
        Content::Tree { root, .. } => Some(root.0),
    }
}
