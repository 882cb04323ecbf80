//! What differs between two manifests, found without reading what they share.

use std::cmp::Ordering;
use std::error::Error;
use std::vec;

use super::FileEntry;
use crate::hash::NodeId;
use crate::node::{Body, Entry, Expectation, InnerEntry, KeyOrder, Kind, ReadError, fetch};

/// One path that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Only the new manifest has it.
    Added(FileEntry),
    /// Only the old manifest has it.
    Removed(FileEntry),
    /// Both have it, with another kind or content.
    Modified {
        /// The entry of the old manifest.
        old: FileEntry,
        /// The entry of the new manifest.
        new: FileEntry,
    },
}

impl Change {
    /// Returns the path.
    pub fn path(&self) -> &[u8] {
        match self {
            Self::Added(entry) | Self::Removed(entry) | Self::Modified { new: entry, .. } => {
                &entry.path
            }
        }
    }
}

/// Compares two manifests by their roots; changes come in the order of paths.
///
/// A node that both sides reach at the same place is not read. So the cost is that of the nodes
/// that differ, and nothing at all for equal roots.
pub fn diff<F, B, S>(old: NodeId, new: NodeId, source: F) -> Diff<F>
where
    F: FnMut(NodeId) -> Result<B, S>,
    B: AsRef<[u8]>,
    S: Error + 'static,
{
    let roots = (old != new).then_some([old, new]);
    Diff { source, roots, old: Side::default(), new: Side::default() }
}

/// Yields what differs; after an error it is over.
pub struct Diff<F> {
    source: F,
    roots: Option<[NodeId; 2]>,
    old: Side,
    new: Side,
}

#[derive(Default)]
struct Side {
    stack: Vec<Open>,
    leaf: vec::IntoIter<FileEntry>,
    order: KeyOrder,
}

struct Open {
    level: u8,
    rest: vec::IntoIter<InnerEntry>,
}

/// What comes next on a side.
enum Head<'a> {
    Entry(&'a FileEntry),
    /// A child node, and the level of its parent.
    Node(&'a InnerEntry, u8),
    End,
}

enum Step {
    Report(Report),
    ReadOld,
    ReadNew,
    ReadBoth,
    SkipBoth,
    End,
}

enum Report {
    Added,
    Removed,
    Both,
}

impl Side {
    fn head(&self) -> Head<'_> {
        match self.leaf.as_slice().first() {
            Some(entry) => Head::Entry(entry),
            None => self.node().map_or(Head::End, |(entry, level)| Head::Node(entry, level)),
        }
    }

    /// Returns the next node behind the leaf that is being read.
    fn node(&self) -> Option<(&InnerEntry, u8)> {
        let open = self.stack.iter().rev().find(|open| !open.rest.as_slice().is_empty())?;
        open.rest.as_slice().first().map(|entry| (entry, open.level))
    }

    fn take_node(&mut self) -> Option<(InnerEntry, u8)> {
        while let Some(open) = self.stack.last_mut() {
            if let Some(entry) = open.rest.next() {
                return Some((entry, open.level));
            }
            self.stack.pop();
        }
        None
    }

    fn read<B, S>(
        &mut self,
        source: &mut impl FnMut(NodeId) -> Result<B, S>,
    ) -> Result<(), ReadError<S>>
    where
        B: AsRef<[u8]>,
        S: Error + 'static,
    {
        match self.take_node() {
            Some((entry, level)) => {
                self.enter(entry.id, &entry.expectation(Kind::Manifest, level), source)
            }
            None => Ok(()),
        }
    }

    fn enter<B, S>(
        &mut self,
        id: NodeId,
        expectation: &Expectation,
        source: &mut impl FnMut(NodeId) -> Result<B, S>,
    ) -> Result<(), ReadError<S>>
    where
        B: AsRef<[u8]>,
        S: Error + 'static,
    {
        let node = fetch::<FileEntry, B, S>(source, id, expectation)?;
        let level = node.level();
        match node.into_body() {
            Body::Inner(entries) => self.stack.push(Open { level, rest: entries.into_iter() }),
            Body::Leaf(entries) => {
                for entry in &entries {
                    let pushed = self.order.push(entry.key());
                    pushed.map_err(|source| ReadError::Node { id, source })?;
                }
                self.leaf = entries.into_iter();
            }
        }
        Ok(())
    }
}

impl<F, B, S> Diff<F>
where
    F: FnMut(NodeId) -> Result<B, S>,
    B: AsRef<[u8]>,
    S: Error + 'static,
{
    fn plan(&self) -> Step {
        match (self.old.head(), self.new.head()) {
            (Head::End, Head::End) => Step::End,
            (Head::Entry(_), Head::End) => Step::Report(Report::Removed),
            (Head::End, Head::Entry(_)) => Step::Report(Report::Added),
            (Head::Node(..), Head::End) => Step::ReadOld,
            (Head::End, Head::Node(..)) => Step::ReadNew,
            (Head::Entry(old), Head::Entry(new)) => Step::Report(match old.path.cmp(&new.path) {
                Ordering::Less => Report::Removed,
                Ordering::Greater => Report::Added,
                Ordering::Equal => Report::Both,
            }),
            (Head::Node(old, old_level), Head::Node(new, new_level)) => {
                match old_level.cmp(&new_level) {
                    Ordering::Greater => Step::ReadOld,
                    Ordering::Less => Step::ReadNew,
                    Ordering::Equal if old.id == new.id => Step::SkipBoth,
                    Ordering::Equal => Step::ReadBoth,
                }
            }
            // If the node comes next on the other side too, all before it there is on that side
            // only, and the node need not be read.
            (Head::Entry(_), Head::Node(new, level)) => match self.old.node() {
                Some((next, at)) if next.id == new.id && at == level => {
                    Step::Report(Report::Removed)
                }
                _ => Step::ReadNew,
            },
            (Head::Node(old, level), Head::Entry(_)) => match self.new.node() {
                Some((next, at)) if next.id == old.id && at == level => Step::Report(Report::Added),
                _ => Step::ReadOld,
            },
        }
    }

    fn step(&mut self) -> Result<Option<Change>, ReadError<S>> {
        if let Some([old, new]) = self.roots.take() {
            let root = Expectation::root(Kind::Manifest);
            self.old.enter(old, &root, &mut self.source)?;
            self.new.enter(new, &root, &mut self.source)?;
        }
        loop {
            match self.plan() {
                Step::End => return Ok(None),
                Step::SkipBoth => {
                    self.old.take_node();
                    self.new.take_node();
                }
                Step::ReadOld => self.old.read(&mut self.source)?,
                Step::ReadNew => self.new.read(&mut self.source)?,
                Step::ReadBoth => {
                    self.old.read(&mut self.source)?;
                    self.new.read(&mut self.source)?;
                }
                Step::Report(report) => {
                    if let Some(change) = self.report(&report) {
                        return Ok(Some(change));
                    }
                }
            }
        }
    }

    /// Takes the entries that are reported; nothing if they are equal.
    fn report(&mut self, report: &Report) -> Option<Change> {
        match report {
            Report::Added => self.new.leaf.next().map(Change::Added),
            Report::Removed => self.old.leaf.next().map(Change::Removed),
            Report::Both => {
                let (old, new) = (self.old.leaf.next()?, self.new.leaf.next()?);
                (old != new).then_some(Change::Modified { old, new })
            }
        }
    }
}

impl<F, B, S> Iterator for Diff<F>
where
    F: FnMut(NodeId) -> Result<B, S>,
    B: AsRef<[u8]>,
    S: Error + 'static,
{
    type Item = Result<Change, ReadError<S>>;

    fn next(&mut self) -> Option<Self::Item> {
        let step = self.step();
        if step.is_err() {
            self.roots = None;
            self.old = Side::default();
            self.new = Side::default();
        }
        step.transpose()
    }
}
