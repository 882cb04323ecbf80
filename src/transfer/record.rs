//! Writing the push record.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use crate::cache::WrittenPack;
use crate::catalogue::{
    CatalogueError, HookRecord, LocRecord, Name, Object, ObjectKind, PackRecord, consolidate,
    is_hook, key,
};
use crate::hash::{ChunkId, PackId, PackKind, RepoId};
use crate::transfer::catalogue::Contact;
use crate::transfer::error::TransferError;
use crate::transfer::upload::random;

/// What one push adds to the catalogue.
pub(super) struct Record<'a> {
    pub(super) repo: RepoId,
    pub(super) locs: Vec<LocRecord>,
    /// The packs that this push uploaded.
    pub(super) own: Vec<PackId>,
    /// Those of them that are not on this machine any more.
    pub(super) sent: &'a BTreeMap<PackId, WrittenPack>,
    /// The first chunk of each file of more than one.
    pub(super) first_chunks: &'a BTreeSet<ChunkId>,
}

impl Record<'_> {
    /// Writes the record to the remote, and a run before it if lone records have piled up.
    pub(super) fn put(self, contact: &Contact) -> Result<(), TransferError> {
        let view = &contact.synced().view;
        let mut object =
            Object::new(ObjectKind::PushRecord, view.generation(), self.repo, random()?);
        object.locs = self.locs;
        let mut hooks: BTreeMap<[u8; 8], u32> = BTreeMap::new();
        for (row, pack) in (0u32..).zip(&self.own) {
            let mut hook = |id: &[u8; 32]| {
                let chunk = ChunkId(*id);
                if is_hook(chunk) || self.first_chunks.contains(&chunk) {
                    hooks.entry(first_bytes(id)).or_insert(row);
                }
            };
            if let Some(sent) = self.sent.get(pack) {
                sent.objects.iter().for_each(|object| hook(&object.id));
                object.packs.push(PackRecord {
                    pack: *pack,
                    size: u32::try_from(sent.size).unwrap_or(u32::MAX),
                    n_frames: sent.n_frames,
                    n_objects: sent.n_objects,
                    kind: sent.kind,
                });
                continue;
            }
            let Some(footer) = contact.index().footer(contact.layout(), *pack)? else {
                let why = "its footer is not sound".to_owned();
                return Err(TransferError::LocalPack { pack: *pack, path: Vec::new(), why });
            };
            if footer.kind == PackKind::Data {
                footer.objects.iter().for_each(|(id, _)| hook(id));
            }
            object.packs.push(PackRecord {
                pack: *pack,
                size: footer.size,
                n_frames: footer.n_frames,
                n_objects: u32::try_from(footer.objects.len()).unwrap_or(u32::MAX),
                kind: footer.kind,
            });
        }
        object.hooks =
            hooks.into_iter().map(|(chunk, pack_row)| HookRecord { chunk, pack_row }).collect();
        publish(contact, object)
    }
}

/// Writes a push record, and a run before it if lone records have piled up.
pub(super) fn publish(contact: &Contact, record: Object) -> Result<(), TransferError> {
    if let Some(run) = consolidate(&contact.synced().view, record.repo, random()?) {
        send(contact, run)?;
    }
    send(contact, record).map(drop)
}

/// Writes an object of the catalogue, and keeps a copy here.
pub(super) fn send(contact: &Contact, object: Object) -> Result<Name, TransferError> {
    let (name, bytes) = object.encode().map_err(|e| contact.wrong(CatalogueError::from(e)))?;
    contact.keep(&name, &bytes)?;
    contact.remote().put(&key::catalogue(&name), Bytes::from(bytes))?;
    Ok(name)
}

fn first_bytes(id: &[u8; 32]) -> [u8; 8] {
    *id.first_chunk::<8>().unwrap_or(&[0; 8])
}
