//! What must be proved before the cache lets go of a pack: that the remote has it now.

use std::collections::BTreeSet;

use crate::cache::{CachedPack, ObjectReader};
use crate::hash::ChunkId;
use crate::progress::Job;
use crate::transfer::catalogue::Contact;
use crate::transfer::error::TransferError;
use crate::transfer::nodes::walk;
use crate::transfer::root::Wanted;
use crate::transfer::sight::Sight;
use crate::transfer::stored::look_up;

/// A pack that stays in the cache, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The pack.
    pub cached: CachedPack,
    /// What is wrong with the remote's copy.
    pub why: &'static str,
}

/// Parts packs of the cache into those that the remote has, in the right size, listed and not given
/// up by gc, and those that it does not: of these the copy here may be the last.
pub fn prove_there(
    contact: &Contact,
    packs: Vec<CachedPack>,
    job: &Job,
) -> Result<(Vec<CachedPack>, Vec<Kept>), TransferError> {
    contact.prove_format()?;
    let view = &contact.synced().view;
    let (mut listed, mut kept) = (Vec::new(), Vec::new());
    for cached in packs {
        match view.pack_record(cached.pack) {
            Some(_) | None if view.condemned(cached.pack) => {
                kept.push(Kept { cached, why: "gc of the remote has given it up" });
            }
            Some(record) if view.may_rely_on(cached.pack) => {
                listed.push((cached, record.kind, u64::from(record.size)));
            }
            Some(_) | None => {
                kept.push(Kept { cached, why: "the catalogue of the remote does not list it" });
            }
        }
    }
    let packs = listed.iter().map(|(cached, kind, _)| (cached.pack, *kind)).collect();
    let found = look_up(contact, packs, job)?;
    let mut there = Vec::new();
    for (cached, _, size) in listed {
        match found.get(&cached.pack) {
            Some(actual) if actual.size == size => there.push(cached),
            Some(_) => kept.push(Kept { cached, why: "the remote has it in another size" }),
            None => kept.push(Kept { cached, why: "it is not on the remote" }),
        }
    }
    Ok((there, kept))
}

/// Returns the chunks of what is wanted, as far as its trees are on this machine, with the chunks
/// that they are stored as a delta to.
pub fn chunks_here(
    wanted: &Wanted,
    reader: &mut ObjectReader,
    job: &Job,
) -> Result<BTreeSet<ChunkId>, TransferError> {
    let walked = match walk(std::slice::from_ref(wanted), reader, Sight::Local, job) {
        Err(TransferError::NobodyPushed { .. }) => return Ok(BTreeSet::new()),
        other => other?,
    };
    let mut out = BTreeSet::new();
    for id in walked.chunks.ids() {
        let bases = reader.view().bases(id);
        out.extend(bases.into_iter().flat_map(|bases| bases.ids));
        out.insert(id);
    }
    Ok(out)
}
