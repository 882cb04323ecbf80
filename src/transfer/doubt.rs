//! A catalogue that lists nothing where something was listed before: is it lost, is the listing wrong, or
//! is nothing there any more, as when a disk is not mounted?

use std::path::PathBuf;

use crate::cache::Layout;
use crate::catalogue::{Entry, Listed, RemoteFormat, ViewError, key};
use crate::fs::{read_limited, remove, replace};
use crate::hash::{Digest, RemoteId};
use crate::progress::Job;
use crate::remote::Remote;
use crate::transfer::audit::files_in;
use crate::transfer::catalogue::{
    Contact, Purpose, TEXT_LIMIT, catalogue_error, id_file, remembered,
};
use crate::transfer::error::TransferError;
use crate::transfer::stored::holds_packs;

/// Objects that were listed before and are asked for by name.
const ASKED: usize = 16;

impl Contact<'_> {
    /// Forgets which remote lies at this address if nothing listed was seen there before: it may be
    /// another one now, or an empty one, and then `format` is read again. Returns what it was.
    pub(super) fn doubt_identity(
        &mut self,
        listing: &[Listed],
    ) -> Result<Option<RemoteId>, TransferError> {
        let Some(id) = self.synced.id else { return Ok(None) };
        let folder = self.layout.remote(id);
        if listing.iter().any(|l| folder.join(&l.name).exists()) {
            self.end_doubt()?;
            // Who writes looks again whether `format` is there, and mends it.
            let lost = lost_file(self.layout, self.label());
            if self.purpose() == Purpose::Read || !lost.exists() {
                return Ok(None);
            }
        }
        Ok(self.synced.id.take())
    }

    /// Forgets that there was a doubt: what was agreed to because of it later would be something else.
    pub(super) fn end_doubt(&self) -> Result<(), TransferError> {
        let doubt = doubt_file(self.layout, self.label());
        if doubt.exists() { Ok(remove(&doubt)?) } else { Ok(()) }
    }

    /// Settles whether nothing is there where the remote `was` met before: without even a `format` it may
    /// be another place, of which nobody can say what was pushed. For whoever is about to write, what was
    /// listed then and still is there proves the listing wrong. A lost catalogue is written again.
    pub(super) fn settle_doubt(
        &self,
        was: RemoteId,
        listing: &[Listed],
        job: &Job,
    ) -> Result<(), TransferError> {
        if listing.iter().any(|l| is_object(&l.name)) {
            return Ok(());
        }
        let Some(now) = self.synced().id else {
            return self.prove_not_emptied();
        };
        if now != was || self.purpose() == Purpose::Read {
            return Ok(());
        }
        let known = copies_of(self.layout(), was)?;
        if known.is_empty() {
            return Ok(());
        }
        let keys = known.iter().take(ASKED).map(|name| format!("{}{name}", key::CATALOGUE));
        let found = self.remote().head_many(keys.collect(), self.jobs(), job)?;
        match found.into_iter().flatten().next() {
            Some(found) => {
                let remote = self.label().to_owned();
                Err(TransferError::Unlisted { key: found.key, remote })
            }
            None => Ok(()),
        }
    }

    /// Requires that nothing was met where nothing is now. What still holds packs has lost its catalogue,
    /// which whoever reads is told; nobody writes there before the user has agreed.
    fn prove_not_emptied(&self) -> Result<(), TransferError> {
        let Some(gone) = emptied(self.layout(), self.label())? else { return Ok(()) };
        if !holds_packs(self.remote())? {
            return Err(gone);
        }
        let remote = self.label().to_owned();
        Err(match self.purpose() {
            Purpose::Read => TransferError::NoCatalogue { path: Vec::new(), remote },
            Purpose::Push | Purpose::Gc => {
                TransferError::Emptied { remote, left: ": packs are all that is left" }
            }
        })
    }

    /// Says why the catalogue cannot be used: names below `i/` that are not known may be of a newer haul,
    /// or of somebody who knows nothing of haul.
    pub(super) fn strange(&self, error: ViewError, listing: &[Listed]) -> TransferError {
        let known = listing.iter().any(|l| matches!(Entry::parse(&l.name), Entry::Object(_)));
        let first = listing.first().filter(|_| !known && self.synced().id.is_none());
        let Some(first) = first else { return self.wrong(error) };
        match self.remote().get(key::FORMAT, TEXT_LIMIT) {
            Ok(bytes) if RemoteFormat::resembles(&bytes) => self.wrong(error),
            Ok(_) => foreign(self.remote(), key::FORMAT),
            Err(e) if e.is_missing() => {
                foreign(self.remote(), &format!("{}{}", key::CATALOGUE, first.name))
            }
            Err(e) => e.into(),
        }
    }
}

/// Reads `format`. What is no text of haul and stands `alone`, without a catalogue, was never haul's.
pub(super) fn format_of(
    remote: &Remote,
    bytes: &[u8],
    alone: bool,
) -> Result<RemoteFormat, TransferError> {
    RemoteFormat::parse(bytes).map_err(|e| {
        if alone && !RemoteFormat::resembles(bytes) {
            foreign(remote, key::FORMAT)
        } else {
            catalogue_error(remote, key::FORMAT, e)
        }
    })
}

pub(super) fn foreign(remote: &Remote, object: &str) -> TransferError {
    TransferError::Foreign { remote: remote.label().to_owned(), object: object.to_owned() }
}

/// What helps against an object of somebody else: all goes on without an index.
pub(super) fn foreign_hint(object: &str) -> &'static str {
    if object == key::INDEX {
        "move it away from the remote, then run `haul remote index`"
    } else {
        "give haul a folder, or a path in the bucket, of its own: correct the address of the remote in \
         `haul.toml`"
    }
}

/// Returns what is wrong with an address where neither `format` nor a catalogue is: there was something
/// when this repository last used it. Nothing if it never did, or met a remote without content. Notes the
/// doubt, so that the user can settle it.
pub(super) fn emptied(
    layout: &Layout,
    label: &str,
) -> Result<Option<TransferError>, TransferError> {
    let Some(was) = remembered(layout, label)? else { return Ok(None) };
    if copies_of(layout, was)?.is_empty() {
        return Ok(None);
    }
    replace(&doubt_file(layout, label), was.to_string().as_bytes())?;
    Ok(Some(TransferError::Emptied { remote: label.to_owned(), left: "" }))
}

/// Returns what is wrong with an address where a catalogue is, but no `format`; the next push mends it.
pub(super) fn nameless(layout: &Layout, label: &str) -> Result<TransferError, TransferError> {
    lose_format(layout, label)?;
    Ok(TransferError::NoFormat { remote: label.to_owned() })
}

/// Notes that `format` was not found as it should be, so that the next push reads it, and writes it again if
/// it is gone. What was met at the address stays known.
pub(super) fn lose_format(layout: &Layout, label: &str) -> Result<(), TransferError> {
    Ok(replace(&lost_file(layout, label), b"")?)
}

/// Forgets that note, now that `format` was read or written.
pub(super) fn find_format(layout: &Layout, label: &str) -> Result<(), TransferError> {
    Ok(remove(&lost_file(layout, label))?)
}

/// Names of the catalogue objects of a remote of which this machine keeps copies.
fn copies_of(layout: &Layout, remote: RemoteId) -> Result<Vec<String>, TransferError> {
    let names = files_in(&layout.remote(remote))?.into_iter().map(|(name, _)| name);
    Ok(names.filter(|name| is_object(name)).collect())
}

pub(super) fn is_object(name: &str) -> bool {
    matches!(Entry::parse(name), Entry::Object(_))
}

/// Takes the user's word for it that what lies at an address now is what is meant; says nothing of an
/// address where that is not in doubt, or where another remote was met since.
pub fn settle(layout: &Layout, label: &str) -> Result<(), TransferError> {
    let doubt = doubt_file(layout, label);
    let Some(doubted) = read_limited(&doubt, TEXT_LIMIT)? else { return Ok(()) };
    if remembered(layout, label)?.is_some_and(|id| id.to_string().as_bytes() == doubted) {
        remove(&id_file(layout, label))?;
    }
    Ok(remove(&doubt)?)
}

fn doubt_file(layout: &Layout, label: &str) -> PathBuf {
    layout.state().join("remote/in-doubt").join(Digest::of(label.as_bytes()).to_string())
}

fn lost_file(layout: &Layout, label: &str) -> PathBuf {
    layout.state().join("remote/lost-format").join(Digest::of(label.as_bytes()).to_string())
}
