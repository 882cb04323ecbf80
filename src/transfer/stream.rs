//! Sending packs while others are still being written, so that this machine never holds all of them.

use crate::catalogue::key;
use crate::fs::{failpoint, remove};
use crate::hash::{PackId, PackKind};
use crate::progress::Job;
use crate::remote::Upload;
use crate::transfer::catalogue::Contact;
use crate::transfer::error::TransferError;
use crate::transfer::upload::{Journal, prepare};

/// A push that begins before it is known what it will say.
pub struct Stream<'s, 'c> {
    contact: &'s Contact<'c>,
    journal: Journal,
}

impl<'s, 'c> Stream<'s, 'c> {
    /// Sees to it that the remote has an identity.
    pub fn begin(contact: &'s mut Contact<'c>, job: &Job) -> Result<Self, TransferError> {
        let remote = prepare(contact, job)?;
        let journal = Journal::open(contact.layout(), remote);
        journal.begin()?;
        Ok(Self { contact, journal })
    }

    /// Sends packs of data that lie in `unpushed/` and that no index knows, as one wave; each is proved
    /// against its name and size, and goes from this machine once the remote has acknowledged it.
    ///
    /// Nobody relies on them before a push record lists them; what such a run leaves is an orphan.
    pub fn send(&self, packs: &[(PackId, u64)], job: &Job) -> Result<(), TransferError> {
        let layout = self.contact.layout();
        let upload = |(pack, size): &(PackId, u64)| Upload {
            key: key::pack(PackKind::Data, *pack),
            path: layout.unpushed(*pack),
            size: *size,
            name: *pack,
        };
        let uploads = packs.iter().map(upload).collect();
        self.contact.remote().put_files(uploads, self.contact.jobs(), job, |i| {
            let Some((pack, _)) = packs.get(i) else { return Ok(()) };
            self.journal.add(*pack)?;
            failpoint::hit("stream.sent");
            Ok::<(), TransferError>(remove(&layout.unpushed(*pack))?)
        })
    }
}
