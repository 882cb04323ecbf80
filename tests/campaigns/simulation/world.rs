//! What is outside of all clients: the objects of the store, its clock, and the refs of Git.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;

use haul::catalogue::key;

use super::content::Version;

/// An object as the store has it.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) bytes: Bytes,
    pub(super) modified_ms: u64,
}

/// The store, its clock, and the refs.
#[derive(Debug, Default)]
pub(super) struct World {
    pub(super) objects: BTreeMap<String, Stored>,
    pub(super) now_ms: u64,
    /// All versions that were ever pushed to the end, by number.
    pub(super) versions: Vec<Arc<Version>>,
    /// The versions that refs name.
    pub(super) refs: BTreeSet<usize>,
    /// When the push record of each push under way arrived, and whether the store was listed since: a
    /// push that has listed again may end any moment.
    pub(super) pushes: BTreeMap<usize, (u64, bool)>,
    /// Whether something changed that a reader goes by.
    pub(super) changed: bool,
    /// Whether a gc has removed all that it was about to.
    pub(super) removed: bool,
    /// Objects that got other bytes under the same name.
    pub(super) overwritten: Vec<String>,
    pub(super) deleted_packs: u64,
    pub(super) deleted_objects: u64,
}

impl World {
    pub(super) fn put(&mut self, client: usize, key: &str, bytes: Bytes) {
        let (stays, old) = (is_immutable(key), self.objects.get(key));
        if stays && old.is_some_and(|old| old.bytes != bytes) {
            self.overwritten.push(key.to_owned());
        }
        if key.starts_with("i/") {
            self.changed = true;
            self.pushes.insert(client, (self.now_ms, false));
        }
        let modified_ms = self.now_ms;
        self.objects.insert(key.to_owned(), Stored { bytes, modified_ms });
    }

    /// Notes that a client has listed the catalogue.
    pub(super) fn listed(&mut self, client: usize) {
        if let Some((_, listed)) = self.pushes.get_mut(&client) {
            *listed = true;
        }
    }

    /// Says whether there was such an object.
    pub(super) fn delete(&mut self, key: &str) -> bool {
        let there = self.objects.remove(key).is_some();
        // The last step of a removal.
        self.removed |= key.starts_with(key::GC_LEASE);
        self.changed |= key.starts_with(key::GC_LEASE);
        if there && is_immutable(key) {
            self.changed = true;
            if key.starts_with("i/") {
                self.deleted_objects += 1;
            } else {
                self.deleted_packs += 1;
            }
        }
        there
    }

    /// Returns the versions that refs name.
    pub(super) fn published(&self) -> Vec<Arc<Version>> {
        self.refs.iter().filter_map(|number| self.versions.get(*number).cloned()).collect()
    }
}

fn is_immutable(key: &str) -> bool {
    ["p/", "m/", "i/"].iter().any(|prefix| key.starts_with(prefix))
}
