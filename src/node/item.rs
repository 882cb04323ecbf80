//! An entry of any level, as the builder and the editor move it about.

use super::{Child, Entry, InnerEntry, weight};

/// A leaf entry at level 0, an inner entry above.
#[derive(Clone, Debug)]
pub(super) enum Item<E> {
    Leaf(E),
    Inner(InnerEntry),
}

impl<E: Entry> Item<E> {
    pub(super) fn key(&self) -> &[u8] {
        match self {
            Self::Leaf(entry) => entry.key(),
            Self::Inner(entry) => &entry.key,
        }
    }

    pub(super) fn size(&self) -> u64 {
        match self {
            Self::Leaf(entry) => entry.size(),
            Self::Inner(entry) => entry.size,
        }
    }

    pub(super) fn count(&self) -> u64 {
        match self {
            Self::Leaf(_) => 1,
            Self::Inner(entry) => entry.count,
        }
    }

    pub(super) fn weight(&self, level: u8) -> u64 {
        match self {
            Self::Leaf(entry) => weight(level, entry.split_input()),
            Self::Inner(entry) => weight(level, entry.split_input(E::KIND)),
        }
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Leaf(entry) => entry.encode(out),
            Self::Inner(entry) => entry.encode(E::KIND, out),
        }
    }

    pub(super) fn child(&self, level: u8) -> Option<Child> {
        match self {
            Self::Leaf(entry) => entry.child(),
            Self::Inner(entry) => {
                Some(Child::Node { id: entry.id, expectation: entry.expectation(E::KIND, level) })
            }
        }
    }
}
