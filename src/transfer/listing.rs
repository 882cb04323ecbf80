//! What lies below `i/` of a remote: listed, or as its `index` says where nothing can be listed.

use bytes::Bytes;

use crate::catalogue::{INDEX_KIND, Listed, MAX_INDEX_LEN, key, parse_index, print_index};
use crate::hint::Hint;
use crate::progress::Job;
use crate::remote::{Remote, RemoteError};
use crate::transfer::catalogue::{Purpose, catalogue_error};
use crate::transfer::doubt::foreign;
use crate::transfer::error::TransferError;

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
