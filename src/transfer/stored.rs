//! Which packs a remote stores, and what an empty listing of its catalogue is worth beside them.

use std::collections::BTreeMap;

use crate::catalogue::key;
use crate::hash::{PackId, PackKind};
use crate::progress::Job;
use crate::remote::{Listed, Remote, RemoteError};
use crate::transfer::catalogue::Contact;
use crate::transfer::error::TransferError;

/// Up to this many packs are asked for one by one; beyond, the remote is listed.
const ASK_EACH: usize = 64;

/// Counts the packs.
pub(super) fn count_packs(remote: &Remote) -> Result<usize, RemoteError> {
    Ok(list_packs(remote)?.len())
}

/// Requires that a catalogue which lists nothing is that of a remote without packs. One listing that came
/// back empty is no proof that nobody pushed `path`.
pub(super) fn prove_catalogue(contact: &Contact, path: &[u8]) -> Result<(), TransferError> {
    if contact.synced().view.all().next().is_some() {
        return Ok(());
    }
    if holds_packs(contact.remote())? {
        let (path, remote) = (path.to_vec(), contact.label().to_owned());
        return Err(TransferError::NoCatalogue { path, remote });
    }
    Ok(())
}

/// Says whether a remote lists packs; none where nothing can be listed, and an index was read.
pub(super) fn holds_packs(remote: &Remote) -> Result<bool, TransferError> {
    match count_packs(remote) {
        Ok(count) => Ok(count > 0),
        Err(e) if e.is_without_listing() => Ok(false),
        Err(e) => Err(e.into()),
    }
}

/// Looks up packs: each by its name if they are few, or if nothing can be listed there.
pub(super) fn look_up(
    contact: &Contact,
    packs: BTreeMap<PackId, PackKind>,
    job: &Job,
) -> Result<BTreeMap<PackId, Listed>, TransferError> {
    if packs.len() > ASK_EACH {
        match list_packs(contact.remote()) {
            Err(e) if e.is_without_listing() => {}
            listed => return Ok(listed?),
        }
    }
    let keys = packs.iter().map(|(pack, kind)| key::pack(*kind, *pack)).collect();
    let found = contact.remote().head_many(keys, contact.jobs(), job)?;
    Ok(packs.into_keys().zip(found).filter_map(|(pack, found)| Some((pack, found?))).collect())
}

/// Lists the packs; what somebody else keeps beside them is none.
fn list_packs(remote: &Remote) -> Result<BTreeMap<PackId, Listed>, RemoteError> {
    let mut out = BTreeMap::new();
    for prefix in [key::DATA_PACKS, key::NODE_PACKS] {
        for found in remote.list(prefix)? {
            out.extend(key::parse_pack(&found.key).map(|(_, pack)| (pack, found)));
        }
    }
    Ok(out)
}
