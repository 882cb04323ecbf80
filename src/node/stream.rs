//! The entries of one level after an edit: old ones and new ones in their new order.

use std::error::Error;
use std::rc::Rc;

use super::item::Item;
use super::old::{OldTree, Place};
use super::{Body, Entry, Node, ReadError};
use crate::hash::NodeId;

/// New items for a range of leaf entries, at one level of the tree.
#[derive(Clone, Debug)]
pub(super) struct Change<E> {
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) items: Vec<Item<E>>,
    /// Whether cuts may fall elsewhere: not so if each item was replaced by one of equal weight.
    pub(super) moves: bool,
}

/// The old node that starts with an item, and how many entries it has.
pub(super) struct Opened {
    pub(super) place: Place,
    pub(super) entries: usize,
}

struct OldItem<E> {
    item: Item<E>,
    opens: Option<Opened>,
}

/// An item of the new row.
pub(super) struct Pulled<E> {
    pub(super) item: Item<E>,
    pub(super) weight: u64,
    pub(super) opens: Option<Opened>,
    /// The first change that was not fully taken in when this item came.
    pub(super) change: usize,
}

/// Yields the items of a level from a leaf number on.
pub(super) struct Stream<'c, E> {
    level: u8,
    changes: &'c [Change<E>],
    change: usize,
    given: usize,
    at: u64,
    current: Option<Current<E>>,
}

struct Current<E> {
    place: Place,
    node: Rc<Node<E>>,
    index: usize,
    /// Leaf number of the item at `index`.
    next: u64,
}

impl<'c, E: Entry> Stream<'c, E> {
    /// Starts at leaf number `at`, where an old node starts, before the change number `change`.
    pub(super) fn new(level: u8, changes: &'c [Change<E>], change: usize, at: u64) -> Self {
        Self { level, changes, change, given: 0, at, current: None }
    }

    /// Returns the next item.
    pub(super) fn pull<F, B, S>(
        &mut self,
        old: &mut OldTree<E, F>,
    ) -> Result<Option<Pulled<E>>, ReadError<S>>
    where
        F: FnMut(NodeId) -> Result<B, S>,
        B: AsRef<[u8]>,
        S: Error + 'static,
    {
        while let Some(change) = self.changes.get(self.change)
            && (self.given > 0 || change.start == self.at)
        {
            if let Some(item) = change.items.get(self.given) {
                self.given += 1;
                let opens = if change.moves {
                    None
                } else {
                    let opens = self.old_item(old)?.and_then(|found| found.opens);
                    self.at = self.at.saturating_add(item.count());
                    opens
                };
                return Ok(Some(self.pulled(item.clone(), opens)));
            }
            self.finish_change(change.end);
        }
        let Some(OldItem { item, opens }) = self.old_item(old)? else { return Ok(None) };
        self.at = self.at.saturating_add(item.count());
        Ok(Some(self.pulled(item, opens)))
    }

    /// Says at which old node the stream stands, and before which change, if the next item opens
    /// one; reads no node of the level itself.
    pub(super) fn standing<F, B, S>(
        &mut self,
        old: &mut OldTree<E, F>,
    ) -> Result<Option<(u64, usize)>, ReadError<S>>
    where
        F: FnMut(NodeId) -> Result<B, S>,
        B: AsRef<[u8]>,
        S: Error + 'static,
    {
        while let Some(change) = self.changes.get(self.change)
            && (self.given > 0 || change.start == self.at)
        {
            if self.given < change.items.len() {
                return Ok(None);
            }
            self.finish_change(change.end);
        }
        if self.at >= old.count() {
            return Ok(None);
        }
        let start = old.place(self.level, self.at)?.start;
        Ok((start == self.at).then_some((start, self.change)))
    }

    fn finish_change(&mut self, end: u64) {
        self.at = end;
        self.change += 1;
        self.given = 0;
    }

    fn pulled(&self, item: Item<E>, opens: Option<Opened>) -> Pulled<E> {
        Pulled { weight: item.weight(self.level), item, opens, change: self.change }
    }

    fn old_item<F, B, S>(
        &mut self,
        old: &mut OldTree<E, F>,
    ) -> Result<Option<OldItem<E>>, ReadError<S>>
    where
        F: FnMut(NodeId) -> Result<B, S>,
        B: AsRef<[u8]>,
        S: Error + 'static,
    {
        if self.at >= old.count() {
            return Ok(None);
        }
        let current = match self.current.take() {
            Some(current) if current.next == self.at && self.at < current.place.end => current,
            _ => {
                let place = old.place(self.level, self.at)?;
                let node = old.node(&place)?;
                let index = index_of(&node, place.start, self.at);
                Current { place, node, index, next: self.at }
            }
        };
        let current = self.current.insert(current);
        let item = match current.node.body() {
            Body::Leaf(entries) => entries.get(current.index).cloned().map(Item::Leaf),
            Body::Inner(entries) => entries.get(current.index).cloned().map(Item::Inner),
        };
        let opens = (current.index == 0)
            .then(|| Opened { place: current.place.clone(), entries: current.node.len() });
        current.index += 1;
        current.next = self.at.saturating_add(item.as_ref().map_or(0, Item::count));
        Ok(item.map(|item| OldItem { item, opens }))
    }
}

fn index_of<E: Entry>(node: &Node<E>, start: u64, at: u64) -> usize {
    match node.body() {
        Body::Leaf(_) => usize::try_from(at.saturating_sub(start)).unwrap_or(usize::MAX),
        Body::Inner(entries) => {
            let mut start = start;
            let before = entries.iter().take_while(|entry| {
                let counts = start < at;
                start = start.saturating_add(entry.count);
                counts
            });
            before.count()
        }
    }
}
