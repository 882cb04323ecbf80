//! What lies below `i/` of a remote: listed, or as its `index` says where nothing can be listed; and what
//! an empty listing is worth.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::catalogue::{INDEX_KIND, Listed, MAX_INDEX_LEN, key, parse_index, print_index};
use crate::hash::{PackId, PackKind};
use crate::hint::Hint;
use crate::progress::Job;
use crate::remote::{Listed as Found, Remote, RemoteError};
use crate::transfer::catalogue::{Contact, Purpose, catalogue_error};
use crate::transfer::doubt::foreign;
use crate::transfer::error::TransferError;

/// Up to this many packs are asked for one by one; beyond, the remote is listed.
const ASK_EACH: usize = 64;

/// Lists the catalogue. Only reading goes by an index, which may be behind what is there.
pub(super) fn listing(remote: &Remote, purpose: Purpose) -> Result<Vec<Listed>, TransferError> {
    match listed(remote) {
        Err(refused) if refused.is_without_listing() && purpose == Purpose::Read => {
            read_index(remote)?.ok_or_else(|| refused.into())
        }
        listing => Ok(listing?),
    }
}

/// Reads the index; nothing if there is none. Who may read nothing is to be told that of the listing.
pub(super) fn read_index(remote: &Remote) -> Result<Option<Vec<Listed>>, TransferError> {
    match remote.get(key::INDEX, MAX_INDEX_LEN) {
        Ok(bytes) => match parse_index(&bytes) {
            Ok(listing) => Ok(Some(listing)),
            Err(e) => Err(catalogue_error(remote, key::INDEX, e)),
        },
        Err(e) if e.is_missing() || matches!(e, RemoteError::Denied { .. }) => Ok(None),
        Err(e) => Err(e.into()),
    }
}

pub(super) fn listed(remote: &Remote) -> Result<Vec<Listed>, RemoteError> {
    let found = remote.list(key::CATALOGUE)?.into_iter().filter_map(|found| {
        let name = found.key.strip_prefix(key::CATALOGUE)?.to_owned();
        Some(Listed { name, size: found.size, modified_ms: found.modified_ms })
    });
    Ok(found.collect())
}

/// Counts the packs; what somebody else keeps beside them is none.
pub(super) fn count_packs(remote: &Remote) -> Result<usize, RemoteError> {
    let mut count = 0;
    for prefix in [key::NODE_PACKS, key::DATA_PACKS] {
        let found = remote.list(prefix)?;
        count += found.iter().filter(|found| key::parse_pack(&found.key).is_some()).count();
    }
    Ok(count)
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
) -> Result<BTreeMap<PackId, Found>, TransferError> {
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

fn list_packs(remote: &Remote) -> Result<BTreeMap<PackId, Found>, RemoteError> {
    let mut out = BTreeMap::new();
    for prefix in [key::DATA_PACKS, key::NODE_PACKS] {
        for found in remote.list(prefix)? {
            out.extend(key::parse_pack(&found.key).map(|(_, pack)| (pack, found)));
        }
    }
    Ok(out)
}

/// Writes the index of a remote anew if there is one. What cannot be asked or written is a warning: an
/// index that is behind leads nobody astray.
pub(super) fn keep_index(remote: &Remote, job: &Job) {
    let kept = match has_index(remote) {
        Ok(false) => return,
        Ok(true) => put_index(remote),
        Err(e) => Err(e),
    };
    if let Err(e) = kept {
        let next = e.hint().map_or(String::new(), |hint| format!("; {hint}"));
        job.warn(&format!("the index of `{}` was not written anew: {e}{next}", remote.label()));
    }
}

/// Writes the index of a remote, but not over what somebody else wrote there; returns how many objects
/// it names.
pub fn write_index(remote: &Remote) -> Result<usize, TransferError> {
    has_index(remote)?;
    put_index(remote)
}

/// Says whether there is an index; what is no index of haul fails.
fn has_index(remote: &Remote) -> Result<bool, TransferError> {
    match remote.get_range(key::INDEX, 0..INDEX_KIND.len() as u64) {
        Ok(bytes) if bytes == INDEX_KIND => Ok(true),
        Err(e) if e.is_missing() => Ok(false),
        // What is damaged ends before that.
        Err(e) if !e.is_damaged() => Err(e.into()),
        Ok(_) | Err(_) => Err(foreign(remote, key::INDEX)),
    }
}

fn put_index(remote: &Remote) -> Result<usize, TransferError> {
    let listing = listed(remote)?;
    remote.put(key::INDEX, Bytes::from(print_index(&listing)))?;
    Ok(listing.len())
}
