//! From entries to nodes, one level after the other, without holding the tree.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::error::Error;

use super::codec::{Totals, encode_node};
use super::item::Item;
use super::{
    Child, Entry, InnerEntry, KeyOrder, Kind, MAX_ENTRIES, MAX_LEVEL, NodeError, cut_after,
};
use crate::hash::NodeId;

/// A finished node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuiltNode {
    /// Its id.
    pub id: NodeId,
    /// Its bytes, to be followed by a placement in the frame.
    pub bytes: Vec<u8>,
    /// The tree it belongs to.
    pub kind: Kind,
    /// Its level: 0 for a leaf.
    pub level: u8,
    /// Content bytes below.
    pub size: u64,
    /// Leaf entries below.
    pub count: u64,
    /// What hangs below, in the order of the placement.
    pub children: Vec<Child>,
}

impl BuiltNode {
    /// Makes a node of items that were checked one by one; also returns what its parent says.
    pub(super) fn of<'a, E: Entry + 'a>(
        level: u8,
        items: impl ExactSizeIterator<Item = &'a Item<E>> + Clone,
    ) -> Result<(Self, InnerEntry), NodeError> {
        let mut totals = Totals::default();
        let mut key: &[u8] = &[];
        for item in items.clone() {
            totals.add(E::KIND, item.size(), item.count())?;
            key = item.key();
        }
        let bytes = encode_node(E::KIND, level, items.len(), |out| {
            items.clone().for_each(|item| item.encode(out));
        });
        let Totals { size, count } = totals;
        let id = NodeId::of(&bytes);
        let children = items.filter_map(|item| item.child(level)).collect();
        let entry = InnerEntry { key: key.to_vec(), id, size, count };
        Ok((Self { id, bytes, kind: E::KIND, level, size, count, children }, entry))
    }
}

/// What is known of a finished tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The root.
    pub root: NodeId,
    /// The level of the root.
    pub level: u8,
    /// Content bytes below.
    pub size: u64,
    /// Leaf entries below.
    pub count: u64,
}

/// A tree with all its new nodes, children before parents, so that the root is last.
#[derive(Clone, Debug)]
pub struct Built {
    /// The root and its figures.
    pub summary: Summary,
    /// The nodes; each only once per place it has in the tree.
    pub nodes: Vec<BuiltNode>,
}

/// Why a tree could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError<S: Error + 'static> {
    /// The entries do not make a valid tree.
    #[error("the entries do not make a tree: {0}")]
    Entries(#[from] NodeError),
    /// The receiver of finished nodes refused one.
    #[error("a finished node could not be handed on")]
    Sink(#[source] S),
}

struct Level<E> {
    pending: VecDeque<(u64, Item<E>)>,
    nodes: u64,
}

/// Builds a tree from a stream of entries and hands out each node as soon as it is complete.
///
/// Holds at most 385 entries per level. Nodes come children first; the root comes last. A node
/// that occurs twice in a tree (equal runs of chunks) is handed out twice.
pub struct Builder<E, F> {
    sink: F,
    base: u8,
    levels: Vec<Level<E>>,
    order: KeyOrder,
    taken: usize,
    last: Option<Summary>,
}

impl<E, F, S> Builder<E, F>
where
    E: Entry,
    F: FnMut(BuiltNode) -> Result<(), S>,
    S: Error + 'static,
{
    /// Starts an empty tree; `sink` takes the nodes.
    pub fn new(sink: F) -> Self {
        Self::above(0, sink)
    }

    /// Starts above nodes that exist: items pushed are those of level `base`.
    pub(super) fn above(base: u8, sink: F) -> Self {
        Self { sink, base, levels: Vec::new(), order: KeyOrder::new(), taken: 0, last: None }
    }

    /// Adds the next entry: the next chunk of the file, or the next path in byte order.
    pub fn push(&mut self, entry: E) -> Result<(), BuildError<S>> {
        entry.check().map_err(|source| NodeError::Entry { index: self.taken, source })?;
        if E::KIND.has_keys() {
            self.order.push(entry.key())?;
        }
        self.taken = self.taken.saturating_add(1);
        self.push_item(Item::Leaf(entry))
    }

    /// Adds an item at the lowest level and completes what nodes it can, upwards.
    pub(super) fn push_item(&mut self, item: Item<E>) -> Result<(), BuildError<S>> {
        self.push_at(0, item)
    }

    /// Completes the tree. A recipe of fewer than two chunks is refused: it has no nodes.
    pub fn finish(mut self) -> Result<Summary, BuildError<S>> {
        let mut at = 0;
        loop {
            let level = self.level_of(at)?;
            let Some(row) = self.levels.get(at) else {
                return self.finish_empty();
            };
            if row.nodes == 0 && row.pending.len() <= MAX_ENTRIES {
                self.check_count()?;
                self.cut(at, level)?;
                return self.last.ok_or(NodeError::Entries { found: 0 }.into());
            }
            while self.levels.get(at).is_some_and(|row| !row.pending.is_empty()) {
                let entry = self.cut(at, level)?;
                self.push_at(at + 1, entry)?;
            }
            at += 1;
        }
    }

    fn level_of(&self, at: usize) -> Result<u8, NodeError> {
        let level = usize::from(self.base).saturating_add(at);
        u8::try_from(level)
            .ok()
            .filter(|level| *level <= MAX_LEVEL)
            .ok_or(NodeError::Level { found: level as u64 })
    }

    fn check_count(&self) -> Result<(), NodeError> {
        let found = self.levels.first().map_or(0, |row| row.pending.len()) as u64;
        let only_leaf = self.base == 0 && self.levels.len() == 1;
        if only_leaf && found < E::KIND.min_count() {
            return Err(NodeError::TooFew { found });
        }
        Ok(())
    }

    fn finish_empty(mut self) -> Result<Summary, BuildError<S>> {
        if E::KIND.min_count() > 0 {
            return Err(NodeError::TooFew { found: 0 }.into());
        }
        self.levels.push(Level { pending: VecDeque::new(), nodes: 0 });
        self.cut(0, 0)?;
        self.last.ok_or(NodeError::Entries { found: 0 }.into())
    }

    fn push_at(&mut self, mut at: usize, item: Item<E>) -> Result<(), BuildError<S>> {
        let mut next = Some(item);
        while let Some(item) = next.take() {
            let level = self.level_of(at)?;
            if at == self.levels.len() {
                self.levels.push(Level { pending: VecDeque::new(), nodes: 0 });
            }
            let Some(row) = self.levels.get_mut(at) else { break };
            row.pending.push_back((item.weight(level), item));
            if row.pending.len() > MAX_ENTRIES {
                next = Some(self.cut(at, level)?);
            }
            at += 1;
        }
        Ok(())
    }

    /// Takes the next node off a level, hands it out and returns its entry for the level above.
    fn cut(&mut self, at: usize, level: u8) -> Result<Item<E>, BuildError<S>> {
        let Some(row) = self.levels.get_mut(at) else {
            return Err(NodeError::Entries { found: 0 }.into());
        };
        let n = cut_after(row.pending.iter().map(|(weight, _)| *weight));
        let (node, entry) = BuiltNode::of(level, row.pending.iter().take(n).map(|(_, item)| item))?;
        row.pending.drain(..n);
        row.nodes += 1;
        self.last = Some(Summary { root: node.id, level, size: node.size, count: node.count });
        (self.sink)(node).map_err(BuildError::Sink)?;
        Ok(Item::Inner(entry))
    }
}

/// Builds a tree and keeps all its nodes; for trees that are known to be small.
pub fn build<E: Entry>(
    entries: impl IntoIterator<Item = E>,
) -> Result<Built, BuildError<Infallible>> {
    let mut nodes = Vec::new();
    let mut builder = Builder::new(|node| {
        nodes.push(node);
        Ok(())
    });
    for entry in entries {
        builder.push(entry)?;
    }
    let summary = builder.finish()?;
    Ok(Built { summary, nodes })
}
