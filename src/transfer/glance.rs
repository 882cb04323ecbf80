//! A first look at an address: what a push would find there. Writes nothing there, and forgets nothing here.

use crate::cache::Layout;
use crate::catalogue::{Listed, RemoteFormat, key};
use crate::remote::{Remote, RemoteError};
use crate::transfer::catalogue::TEXT_LIMIT;
use crate::transfer::doubt::{emptied, foreign, format_of, is_object, nameless};
use crate::transfer::error::TransferError;
use crate::transfer::listing::{listed, read_index};
use crate::transfer::stored::count_packs;

/// What lies at an address, but for `format`.
#[derive(Debug)]
pub struct Glance {
    /// The objects of the catalogue; those of the `index` where nothing can be listed.
    pub objects: Vec<Listed>,
    /// How many packs there are, counted only where there is no catalogue object.
    pub packs: usize,
    /// Why nothing can be listed.
    pub refused: Option<RemoteError>,
    /// Another name below `i/`.
    strange: Option<String>,
}

impl Glance {
    /// Lists the catalogue, as every command does first, or reads the `index` where nothing can be listed.
    /// Fails where neither is to be had.
    pub fn take(remote: &Remote) -> Result<Self, TransferError> {
        let (names, refused) = match listed(remote) {
            Err(e) if e.is_without_listing() => match read_index(remote)? {
                Some(names) => (names, Some(e)),
                None => return Err(e.into()),
            },
            names => (names?, None),
        };
        let (objects, others): (Vec<Listed>, Vec<Listed>) =
            names.into_iter().partition(|listed| is_object(&listed.name));
        let count = objects.is_empty() && refused.is_none();
        let packs = if count { count_packs(remote)? } else { 0 };
        let strange = others.into_iter().next().map(|listed| listed.name);
        Ok(Self { objects, packs, refused, strange })
    }

    /// Reads `format`; nothing where nobody pushed yet. Fails as a push would, or would have to but for its
    /// right to write `format` again.
    pub fn format(
        &self,
        remote: &Remote,
        layout: &Layout,
    ) -> Result<Option<RemoteFormat>, TransferError> {
        let label = remote.label();
        match remote.get(key::FORMAT, TEXT_LIMIT) {
            Ok(bytes) => return format_of(remote, &bytes, self.objects.is_empty()).map(Some),
            Err(e) if e.is_missing() => {}
            Err(e) => return Err(e.into()),
        }
        if !self.objects.is_empty() {
            return Err(nameless(layout, label)?);
        }
        if let Some(name) = &self.strange {
            return Err(foreign(remote, &format!("{}{name}", key::CATALOGUE)));
        }
        if let Some(gone) = emptied(layout, label)? {
            return Err(gone);
        }
        if self.packs > 0 {
            return Err(TransferError::NoFormat { remote: label.to_owned() });
        }
        Ok(None)
    }
}
