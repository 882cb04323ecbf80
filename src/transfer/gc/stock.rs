//! Which packs there are.

use std::collections::BTreeMap;

use crate::catalogue::key;
use crate::hash::{PackId, PackKind};
use crate::transfer::catalogue::Contact;
use crate::transfer::error::TransferError;
use crate::transfer::walk::Spot;

/// A pack as the storage lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::transfer) struct Stored {
    pub(in crate::transfer) kind: PackKind,
    pub(in crate::transfer) size: u64,
    pub(super) modified_ms: u64,
}

/// All packs of a remote, by one listing of each prefix. A listing that fails is an error.
#[derive(Debug, Default)]
pub(in crate::transfer) struct Stock {
    pub(in crate::transfer) packs: BTreeMap<PackId, Stored>,
}

impl Stock {
    pub(in crate::transfer) fn take(contact: &Contact) -> Result<Self, TransferError> {
        let mut packs = BTreeMap::new();
        for prefix in [key::DATA_PACKS, key::NODE_PACKS] {
            for listed in contact.remote().list(prefix)? {
                if let Some((kind, pack)) = key::parse_pack(&listed.key) {
                    let (size, modified_ms) = (listed.size, listed.modified_ms);
                    packs.insert(pack, Stored { kind, size, modified_ms });
                }
            }
        }
        Ok(Self { packs })
    }

    /// Says whether a pack is there, and long enough for a frame.
    pub(in crate::transfer) fn has(&self, spot: &Spot) -> bool {
        let end = u64::from(spot.offset) + u64::from(spot.frame_len);
        self.packs.get(&spot.pack).is_some_and(|stored| stored.size >= end)
    }

    /// Returns the keys of packs, and the bytes of all of them.
    pub(super) fn keys<'p>(
        &self,
        packs: impl IntoIterator<Item = &'p PackId>,
    ) -> (Vec<String>, u64) {
        let stored = |pack| Some((pack, self.packs.get(pack)?));
        let (mut keys, mut bytes) = (Vec::new(), 0u64);
        for (pack, found) in packs.into_iter().filter_map(stored) {
            keys.push(key::pack(found.kind, *pack));
            bytes = bytes.saturating_add(found.size);
        }
        (keys, bytes)
    }
}
