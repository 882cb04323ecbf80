//! Walks the leaf entries of a tree, all of them or those of one part.

use std::error::Error;
use std::ops::Range;
use std::vec;

use super::read::fetch;
use super::{Body, Entry, Expectation, InnerEntry, KeyOrder, ReadError, in_one_folder};
use crate::hash::NodeId;

/// Which entries a walk yields; nodes that cannot hold one are not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Every entry.
    All,
    /// Entries whose key is this, or lies below it as a directory; everything if it is empty.
    Under(Vec<u8>),
    /// As [`Scope::Under`], but nodes whose keys all lie in one and the same folder directly below this path
    /// are not read: they are a [`Piece::Below`].
    Folders(Vec<u8>),
    /// Entries that hold at least one of these content bytes.
    Bytes(Range<u64>),
}

impl Scope {
    /// May keys above `floor` up to `last`, at these content bytes, be of interest?
    fn may_hold(&self, floor: Option<&[u8]>, last: &[u8], bytes: &Range<u64>) -> bool {
        match self {
            Self::All => true,
            Self::Bytes(wanted) => overlap(bytes, wanted),
            Self::Under(dir) | Self::Folders(dir) if dir.is_empty() => true,
            Self::Under(dir) | Self::Folders(dir) => {
                let after_floor = |key: &[u8]| floor.is_none_or(|floor| floor < key);
                let itself = after_floor(dir) && dir.as_slice() <= last;
                let below = after_floor(&[dir, &b"0"[..]].concat())
                    && last >= [dir, &b"/"[..]].concat().as_slice();
                itself || below
            }
        }
    }

    fn holds(&self, key: &[u8], bytes: &Range<u64>) -> bool {
        match self {
            Self::All => true,
            Self::Bytes(wanted) => overlap(bytes, wanted),
            Self::Under(dir) | Self::Folders(dir) => {
                dir.is_empty()
                    || key
                        .strip_prefix(dir.as_slice())
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
            }
        }
    }
}

/// What a walk comes upon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece<E> {
    /// An entry, with the number of content bytes before it.
    Entry(u64, E),
    /// A node that was not read, as its parent names it: one folder has all of it.
    Below(InnerEntry),
}

fn overlap(a: &Range<u64>, b: &Range<u64>) -> bool {
    a.start.max(b.start) < a.end.min(b.end)
}

struct Open {
    level: u8,
    rest: vec::IntoIter<InnerEntry>,
}

/// Yields leaf entries in order, reading one node at a time and holding one per level.
///
/// Every node is checked against its id and against what its parent says: kind, level, size,
/// number of entries, last key. Keys must rise from node to node and none may be a directory of
/// another. After an error the walk is over.
pub struct Cursor<E, F> {
    source: F,
    scope: Scope,
    start: Option<(NodeId, Expectation)>,
    stack: Vec<Open>,
    leaf: vec::IntoIter<E>,
    order: KeyOrder,
    floor: Option<Vec<u8>>,
    offset: u64,
}

impl<E, F, B, S> Cursor<E, F>
where
    E: Entry,
    F: FnMut(NodeId) -> Result<B, S>,
    B: AsRef<[u8]>,
    S: Error + 'static,
{
    /// Starts at the first entry of `scope` below `root`; reads nothing yet.
    pub fn new(root: NodeId, expectation: Expectation, scope: Scope, source: F) -> Self {
        Self {
            source,
            scope,
            start: Some((root, expectation)),
            stack: Vec::new(),
            leaf: Vec::new().into_iter(),
            order: KeyOrder::new(),
            floor: None,
            offset: 0,
        }
    }

    /// Yields the next entry with the number of content bytes before it.
    pub fn next_at(&mut self) -> Option<Result<(u64, E), ReadError<S>>> {
        loop {
            return Some(match self.next_piece()? {
                Ok(Piece::Entry(at, entry)) => Ok((at, entry)),
                Ok(Piece::Below(_)) => continue,
                Err(error) => Err(error),
            });
        }
    }

    /// Yields the next entry, or a node that need not be read.
    pub fn next_piece(&mut self) -> Option<Result<Piece<E>, ReadError<S>>> {
        let step = self.step();
        if step.is_err() {
            self.start = None;
            self.stack.clear();
            self.leaf = Vec::new().into_iter();
        }
        step.transpose()
    }

    fn step(&mut self) -> Result<Option<Piece<E>>, ReadError<S>> {
        if let Some((id, expectation)) = self.start.take() {
            self.enter(id, &expectation)?;
        }
        loop {
            for entry in self.leaf.by_ref() {
                let at = self.offset;
                self.offset = at.saturating_add(entry.size());
                if self.scope.holds(entry.key(), &(at..self.offset)) {
                    return Ok(Some(Piece::Entry(at, entry)));
                }
            }
            let Some(open) = self.stack.last_mut() else { return Ok(None) };
            let level = open.level;
            let Some(child) = open.rest.next() else {
                self.stack.pop();
                continue;
            };
            let (floor, end) = (self.floor.as_deref(), self.offset.saturating_add(child.size));
            let whole =
                matches!(&self.scope, Scope::Folders(dir) if in_one_folder(dir, floor, &child.key));
            if !whole && self.scope.may_hold(floor, &child.key, &(self.offset..end)) {
                self.enter(child.id, &child.expectation(E::KIND, level))?;
            } else {
                self.offset = end;
                self.floor = Some(child.key.clone());
                if whole {
                    return Ok(Some(Piece::Below(child)));
                }
            }
        }
    }

    fn enter(&mut self, id: NodeId, expectation: &Expectation) -> Result<(), ReadError<S>> {
        let node = fetch::<E, B, S>(&mut self.source, id, expectation)?;
        let level = node.level();
        match node.into_body() {
            Body::Inner(entries) => self.stack.push(Open { level, rest: entries.into_iter() }),
            Body::Leaf(entries) => {
                if E::KIND.has_keys() {
                    for entry in &entries {
                        self.order
                            .push(entry.key())
                            .map_err(|source| ReadError::Node { id, source })?;
                    }
                    self.floor = entries.last().map(|entry| entry.key().to_vec());
                }
                self.leaf = entries.into_iter();
            }
        }
        Ok(())
    }
}

impl<E, F, B, S> Iterator for Cursor<E, F>
where
    E: Entry,
    F: FnMut(NodeId) -> Result<B, S>,
    B: AsRef<[u8]>,
    S: Error + 'static,
{
    type Item = Result<E, ReadError<S>>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.next_at()?.map(|(_, entry)| entry))
    }
}

/// Finds the entry with exactly this key; reads one node per level at most.
pub fn get<E, B, S>(
    root: NodeId,
    expectation: &Expectation,
    key: &[u8],
    mut source: impl FnMut(NodeId) -> Result<B, S>,
) -> Result<Option<E>, ReadError<S>>
where
    E: Entry,
    B: AsRef<[u8]>,
    S: Error + 'static,
{
    let mut next = (root, expectation.clone());
    loop {
        let node = fetch::<E, B, S>(&mut source, next.0, &next.1)?;
        let level = node.level();
        match node.into_body() {
            Body::Leaf(entries) => {
                return Ok(entries.into_iter().find(|entry| entry.key() == key));
            }
            Body::Inner(entries) => {
                let Some(child) = entries.into_iter().find(|e| key <= e.key.as_slice()) else {
                    return Ok(None);
                };
                next = (child.id, child.expectation(E::KIND, level));
            }
        }
    }
}
