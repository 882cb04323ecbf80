//! What is known of packs that go from one remote to another.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::FileExt;

use crate::catalogue::{PackRecord, key};
use crate::fs::Temp;
use crate::hash::PackId;
use crate::pack::{Footer, TRAILER_LEN};
use crate::transfer::catalogue::Contact;
use crate::transfer::gc::{Books, Cover};

/// What is known of packs, by the catalogue that they come from and by their own footers.
pub(super) struct Rows {
    pub(super) packs: BTreeMap<PackId, PackRecord>,
    pub(super) hooks: BTreeSet<([u8; 8], PackId)>,
}

impl Rows {
    pub(super) fn of(from: &Contact) -> Self {
        let books = Books::new(&from.synced().view, Cover::AsListed);
        Self { packs: books.rows(), hooks: books.hooks() }
    }

    /// Takes what a pack says of itself, if the catalogue says nothing any more.
    pub(super) fn complete(
        &mut self,
        pack: PackId,
        (key, size): &(String, u64),
        file: &Temp,
    ) -> Option<()> {
        if self.packs.contains_key(&pack) {
            return Some(());
        }
        let (kind, _) = key::parse_pack(key)?;
        let mut trailer = [0; TRAILER_LEN as usize];
        let at = size.checked_sub(u64::from(TRAILER_LEN))?;
        file.as_file().read_exact_at(&mut trailer, at).ok()?;
        let len = Footer::tail_len(&trailer, *size).ok()?;
        let mut tail = vec![0; len as usize];
        file.as_file().read_exact_at(&mut tail, size.checked_sub(u64::from(len))?).ok()?;
        let footer = Footer::parse(kind, &tail, *size).ok()?;
        let row = PackRecord {
            pack,
            size: u32::try_from(*size).ok()?,
            n_frames: u32::try_from(footer.frames.len()).ok()?,
            n_objects: u32::try_from(footer.objects.len()).ok()?,
            kind,
        };
        self.packs.insert(pack, row);
        Some(())
    }
}
