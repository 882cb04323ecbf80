//! A mark on the remote that somebody is removing. Each remover has one of its own: nobody takes that of
//! another for its own or removes it, so that no storage has to know how not to overwrite.

use std::fmt::Write;

use bytes::Bytes;

use crate::catalogue::key;
use crate::fs::failpoint;
use crate::progress::Job;
use crate::transfer::catalogue::Contact;
use crate::transfer::error::TransferError;
use crate::transfer::gc::clock::{OLD_MS, is_older};
use crate::transfer::listing::keep_index;
use crate::transfer::upload::random;

/// The mark of one removal.
#[derive(Debug)]
pub struct Lease {
    key: String,
}

/// Says to whoever wants to undo that it may be too late; then what is alive has to be read again.
pub fn begin(contact: &mut Contact, job: &Job) -> Result<Lease, TransferError> {
    let mut key = format!("{}-", key::GC_LEASE);
    for byte in random()? {
        // Writing to a string does not fail.
        let _: std::fmt::Result = write!(key, "{byte:02x}");
    }
    contact.remote().put(&key, Bytes::from_static(b"removing\n"))?;
    failpoint::hit("gc.removing");
    contact.refresh(job)?;
    Ok(Lease { key })
}

impl Lease {
    /// Ends the removal, and takes away what removers left who ended early, 14 days ago.
    pub fn end(self, contact: &Contact, now_ms: u64, job: &Job) -> Result<(), TransferError> {
        let mut keys = vec![self.key];
        for listed in contact.remote().list(key::GC)? {
            let left = is_older(listed.modified_ms, OLD_MS, now_ms);
            if listed.key.starts_with(key::GC_LEASE) && left {
                keys.push(listed.key);
            }
        }
        contact.remote().remove_many(keys, contact.jobs(), job, |_| {})?;
        keep_index(contact.remote(), job);
        Ok(())
    }
}

/// Says whether somebody may be removing now.
pub(super) fn is_there(contact: &Contact) -> Result<bool, TransferError> {
    let listed = contact.remote().list(key::GC)?;
    Ok(listed.iter().any(|listed| listed.key.starts_with(key::GC_LEASE)))
}
