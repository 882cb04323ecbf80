//! Replaces runs of leaf entries, rewriting only the nodes that this reaches.

use std::error::Error;
use std::ops::Range;

use super::build::BuildError;
use super::item::Item;
use super::old::OldTree;
use super::region::Rewrite;
use super::stream::Change;
use super::{Body, Builder, BuiltNode, Child, Entry, InnerEntry, NodeError, ReadError, Summary};
use crate::hash::NodeId;

/// Leaf entries to put in the place of others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Splice<E> {
    range: Range<u64>,
    entries: Vec<E>,
    moves: bool,
}

impl<E: Entry> Splice<E> {
    /// Puts `entries` in the place of those numbered `range`, which is empty to insert only.
    pub fn new(range: Range<u64>, entries: Vec<E>) -> Self {
        Self { range, entries, moves: true }
    }

    /// Puts `entry` in the place of entry number `at`, which has the same split input (a manifest
    /// entry of the same path): cuts stay where they are, and fewer nodes are read.
    pub(crate) fn same_cut(at: u64, entry: E) -> Self {
        Self { range: at..at.saturating_add(1), entries: vec![entry], moves: false }
    }
}

/// Why a tree could not be edited.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EditError<S: Error + 'static> {
    /// A node of the old tree could not be had.
    #[error("the tree could not be read: {0}")]
    Read(#[from] ReadError<S>),
    /// The result would not be a valid tree.
    #[error("the edited entries do not make a tree: {0}")]
    Entries(#[from] NodeError),
    /// The changes overlap, are out of order, or lie behind the end.
    #[error("the changes to a tree are not in order within its {count} entries")]
    Range {
        /// Entries of the old tree.
        count: u64,
    },
    /// The receiver of finished nodes refused one.
    #[error("a finished node could not be handed on")]
    Sink(#[source] S),
}

impl<S: Error + 'static> From<BuildError<S>> for EditError<S> {
    fn from(error: BuildError<S>) -> Self {
        match error {
            BuildError::Entries(error) => Self::Entries(error),
            BuildError::Sink(error) => Self::Sink(error),
        }
    }
}

/// Applies `changes`, sorted and not overlapping, and hands each new node to `sink`, children
/// first. The result is the tree that a build from scratch gives.
///
/// Reads and writes a number of nodes that grows with changes times levels, whatever the size of
/// the tree. Entries are checked one by one; that keys stay in order and unnested is for the
/// caller to see to, who knows the keys around them.
pub fn splice<E, F, B, S>(
    old: &mut OldTree<E, F>,
    changes: Vec<Splice<E>>,
    mut sink: impl FnMut(BuiltNode) -> Result<(), S>,
) -> Result<Summary, EditError<S>>
where
    E: Entry,
    F: FnMut(NodeId) -> Result<B, S>,
    B: AsRef<[u8]>,
    S: Error + 'static,
{
    if let Some(entries) = few_left(old, &changes)? {
        return Err(NodeError::TooFew { found: entries.len() as u64 }.into());
    }
    let mut changes = prepare(changes)?;
    for level in 0..=old.level() {
        if changes.is_empty() {
            break;
        }
        let mut made = Vec::new();
        let rewrite = Rewrite::new(old, level, &changes, |node| {
            if level == 0 {
                return sink(node).map_err(EditError::Sink);
            }
            made.push(node);
            Ok(())
        });
        changes = rewrite.run()?;
        if let Some(root) = only_node(old, &changes) {
            return finish_one(old, &root, made.pop(), sink);
        }
        made.into_iter().try_for_each(&mut sink).map_err(EditError::Sink)?;
    }
    let Some(change) = changes.pop() else { return Ok(old.summary()) };
    let above = old.level().saturating_add(1);
    let base = if change.items.is_empty() { 0 } else { above };
    let mut builder = Builder::above(base, sink);
    for item in change.items {
        builder.push_item(item)?;
    }
    Ok(builder.finish()?)
}

/// Returns the entries that are left after `changes` if they are too few for a tree.
pub(crate) fn few_left<E, F, B, S>(
    old: &mut OldTree<E, F>,
    changes: &[Splice<E>],
) -> Result<Option<Vec<E>>, EditError<S>>
where
    E: Entry,
    F: FnMut(NodeId) -> Result<B, S>,
    B: AsRef<[u8]>,
    S: Error + 'static,
{
    let count = old.count();
    let (mut end, mut left) = (0, count);
    for Splice { range, entries, .. } in changes {
        if range.start < end || range.end < range.start || range.end > count {
            return Err(EditError::Range { count });
        }
        end = range.end;
        left = left.saturating_sub(range.end - range.start).saturating_add(entries.len() as u64);
    }
    if left >= E::KIND.min_count() {
        return Ok(None);
    }
    let mut out = Vec::new();
    let mut from = 0;
    for Splice { range, entries, .. } in changes {
        for at in from..range.start {
            out.extend(old.at(at)?);
        }
        out.extend_from_slice(entries);
        from = range.end;
    }
    for at in from..count {
        out.extend(old.at(at)?);
    }
    Ok(Some(out))
}

/// Checks the new entries one by one.
fn prepare<E: Entry>(changes: Vec<Splice<E>>) -> Result<Vec<Change<E>>, NodeError> {
    let mut out = Vec::with_capacity(changes.len());
    for Splice { range, entries, moves } in changes {
        for (index, entry) in entries.iter().enumerate() {
            entry.check().map_err(|source| NodeError::Entry { index, source })?;
        }
        if !range.is_empty() || !entries.is_empty() {
            let items = entries.into_iter().map(Item::Leaf).collect();
            out.push(Change { start: range.start, end: range.end, items, moves });
        }
    }
    Ok(out)
}

/// Returns what a parent would say of the one node that is left of a level, if it is only one.
fn only_node<E, F, B, S>(old: &OldTree<E, F>, changes: &[Change<E>]) -> Option<InnerEntry>
where
    E: Entry,
    F: FnMut(NodeId) -> Result<B, S>,
    B: AsRef<[u8]>,
    S: Error + 'static,
{
    match changes {
        [Change { start: 0, end, items, .. }] if *end == old.count() => match items.as_slice() {
            [Item::Inner(entry)] => Some(entry.clone()),
            _ => None,
        },
        _ => None,
    }
}

/// Ends an edit that left one node in a level: the root, unless it only wraps another.
fn finish_one<E, F, B, S>(
    old: &mut OldTree<E, F>,
    entry: &InnerEntry,
    made: Option<BuiltNode>,
    mut sink: impl FnMut(BuiltNode) -> Result<(), S>,
) -> Result<Summary, EditError<S>>
where
    E: Entry,
    F: FnMut(NodeId) -> Result<B, S>,
    B: AsRef<[u8]>,
    S: Error + 'static,
{
    let mut summary = Summary { root: entry.id, level: 0, size: entry.size, count: entry.count };
    // A leaf was handed out as it was made.
    let Some(node) = made else { return Ok(summary) };
    summary.level = node.level;
    let wrapped = match node.children.as_slice() {
        [Child::Node { id, expectation }] => Some((*id, expectation.clone())),
        _ => None,
    };
    let Some(mut next) = wrapped else {
        sink(node).map_err(EditError::Sink)?;
        return Ok(summary);
    };
    loop {
        let node = old.read(next.0, &next.1)?;
        (summary.root, summary.level) = (next.0, node.level());
        next = match node.body() {
            Body::Inner(entries) => match entries.as_slice() {
                [only] => (only.id, only.expectation(E::KIND, node.level())),
                _ => return Ok(summary),
            },
            Body::Leaf(_) => return Ok(summary),
        };
    }
}
