//! A tree that is about to be edited: finds places in it by leaf number and by key.

use std::collections::{HashMap, VecDeque};
use std::error::Error;
use std::rc::Rc;

use super::read::fetch;
use super::{Body, Entry, Expectation, MAX_ENTRIES, Node, ReadError, Summary};
use crate::hash::NodeId;

/// Leaves kept decoded; a sorted batch of edits needs each of them only for a short while.
const KEPT_LEAVES: usize = 8;

/// A node of the old tree, by the leaf entries it covers.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) id: NodeId,
    pub(super) start: u64,
    pub(super) end: u64,
    expectation: Expectation,
}

/// Reads an existing tree at random places; keeps the inner nodes it has seen, and a few leaves.
pub struct OldTree<E, F> {
    source: F,
    root: Place,
    top: Rc<Node<E>>,
    inner: HashMap<NodeId, Rc<Node<E>>>,
    leaves: VecDeque<(NodeId, Rc<Node<E>>)>,
}

impl<E, F, B, S> OldTree<E, F>
where
    E: Entry,
    F: FnMut(NodeId) -> Result<B, S>,
    B: AsRef<[u8]>,
    S: Error + 'static,
{
    /// Reads the root.
    pub fn open(root: NodeId, mut source: F) -> Result<Self, ReadError<S>> {
        let expectation = Expectation::root(E::KIND);
        let top = Rc::new(fetch(&mut source, root, &expectation)?);
        let root = Place { id: root, start: 0, end: top.count(), expectation };
        Ok(Self { source, root, top, inner: HashMap::new(), leaves: VecDeque::new() })
    }

    /// Returns the number of leaf entries.
    pub fn count(&self) -> u64 {
        self.root.end
    }

    /// Returns the content bytes below the root.
    pub fn size(&self) -> u64 {
        self.top.size()
    }

    /// Returns the root and its figures.
    pub fn summary(&self) -> Summary {
        Summary { root: self.root.id, level: self.level(), size: self.size(), count: self.count() }
    }

    pub(super) fn level(&self) -> u8 {
        self.top.level()
    }

    /// Returns leaf entry number `at`, if there is one.
    pub fn at(&mut self, at: u64) -> Result<Option<E>, ReadError<S>> {
        if at >= self.count() {
            return Ok(None);
        }
        let place = self.place(0, at)?;
        let index = usize::try_from(at.saturating_sub(place.start)).unwrap_or(usize::MAX);
        Ok(match self.node(&place)?.body() {
            Body::Leaf(entries) => entries.get(index).cloned(),
            Body::Inner(_) => None,
        })
    }

    /// Finds the first entry whose key is not below `key`, and its number.
    pub fn at_or_after(&mut self, key: &[u8]) -> Result<(u64, Option<E>), ReadError<S>> {
        let mut place = self.root.clone();
        loop {
            let node = self.node(&place)?;
            match node.body() {
                Body::Leaf(entries) => {
                    let at = entries.partition_point(|entry| entry.key() < key);
                    return Ok((place.start.saturating_add(at as u64), entries.get(at).cloned()));
                }
                Body::Inner(entries) => {
                    let at = entries.partition_point(|entry| entry.key.as_slice() < key);
                    match child_of(&node, place.start, |i, _| i == at) {
                        Some(child) => place = child,
                        None => return Ok((place.end, None)),
                    }
                }
            }
        }
    }

    /// Finds the node at `level` that covers leaf entry number `at`; the last one if there is
    /// none. Does not read it.
    pub(super) fn place(&mut self, level: u8, at: u64) -> Result<Place, ReadError<S>> {
        let at = at.min(self.root.end.saturating_sub(1));
        let mut place = self.root.clone();
        for _ in level..self.level() {
            let node = self.node(&place)?;
            match child_of(&node, place.start, |_, end| at < end) {
                Some(child) => place = child,
                None => break,
            }
        }
        Ok(place)
    }

    /// Returns the decoded node of a place.
    pub(super) fn node(&mut self, place: &Place) -> Result<Rc<Node<E>>, ReadError<S>> {
        if place.id == self.root.id {
            return Ok(Rc::clone(&self.top));
        }
        self.read(place.id, &place.expectation)
    }

    /// Returns the decoded node `id`, from memory if it was read a short while ago.
    pub(super) fn read(
        &mut self,
        id: NodeId,
        expectation: &Expectation,
    ) -> Result<Rc<Node<E>>, ReadError<S>> {
        let kept = self.leaves.iter().find(|(leaf, _)| *leaf == id).map(|(_, node)| node);
        if let Some(node) = kept.or_else(|| self.inner.get(&id)) {
            let node = Rc::clone(node);
            // An equal node may hang in two places, so what each parent says is checked each time.
            expectation.check(&node).map_err(|source| ReadError::Node { id, source })?;
            return Ok(node);
        }
        let node: Rc<Node<E>> = Rc::new(fetch(&mut self.source, id, expectation)?);
        if node.level() > 0 {
            self.inner.insert(id, Rc::clone(&node));
        } else {
            self.leaves.truncate(KEPT_LEAVES - 1);
            self.leaves.push_front((id, Rc::clone(&node)));
        }
        Ok(node)
    }

    /// Finds the first node at `level` whose cut may change if entries change at leaf number `at`:
    /// a cut sees the 384 entries behind the start of its node, and whether one more follows.
    /// Never goes before `floor`, where a node must start.
    pub(super) fn first_affected(
        &mut self,
        level: u8,
        at: u64,
        floor: u64,
    ) -> Result<u64, ReadError<S>> {
        let mut place = self.place(level, at)?;
        let mut distance = self.entries_before(level, &place, at)?;
        while place.start > floor {
            let before = self.place(level, place.start.saturating_sub(1))?;
            distance = distance.saturating_add(self.entries_before(level, &before, place.start)?);
            if distance > MAX_ENTRIES as u64 {
                break;
            }
            place = before;
        }
        Ok(place.start)
    }

    /// Counts the entries of a node that lie before leaf number `at`; reads no leaf.
    fn entries_before(&mut self, level: u8, place: &Place, at: u64) -> Result<u64, ReadError<S>> {
        if level == 0 {
            return Ok(at.min(place.end).saturating_sub(place.start));
        }
        let node = self.node(place)?;
        let Body::Inner(entries) = node.body() else { return Ok(0) };
        let mut start = place.start;
        let before = entries.iter().take_while(|entry| {
            let counts = start < at;
            start = start.saturating_add(entry.count);
            counts
        });
        Ok(before.count() as u64)
    }
}

/// Picks the first child for which `wanted(index, end)` holds.
fn child_of<E: Entry>(
    node: &Node<E>,
    start: u64,
    wanted: impl Fn(usize, u64) -> bool,
) -> Option<Place> {
    let Body::Inner(entries) = node.body() else { return None };
    let mut start = start;
    for (index, entry) in entries.iter().enumerate() {
        let end = start.saturating_add(entry.count);
        if wanted(index, end) {
            let expectation = entry.expectation(E::KIND, node.level());
            return Some(Place { id: entry.id, start, end, expectation });
        }
        start = end;
    }
    None
}
