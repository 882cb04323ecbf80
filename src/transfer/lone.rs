//! Roots that are a single chunk. A pointer names such a chunk itself, and no placement stands
//! beside it that could say where a base lies: on a remote it has to lie whole.

use std::collections::HashSet;

use crate::cache::{CacheError, ObjectReader, PackSink, record_written};
use crate::hash::{ChunkId, PackKind};
use crate::pack::{Codecs, encode_data_frame};
use crate::progress::Job;
use crate::transfer::catalogue::Contact;
use crate::transfer::error::TransferError;
use crate::transfer::fetch::{FetchPlan, fetch_chunks};
use crate::transfer::root::{Root, Wanted};
use crate::transfer::walk::{ChunkStep, Spot};

/// Stores those roots whole that the index places in a delta, since some file has the chunk as
/// a part; brings them first if they are not here.
pub(super) fn store_whole(
    contact: &Contact,
    roots: &[Wanted],
    job: &Job,
) -> Result<(), TransferError> {
    let steps = deltas(contact, roots)?;
    if steps.is_empty() {
        return Ok(());
    }
    let ids: Vec<ChunkId> = steps.iter().map(|step| step.id).collect();
    let (wanted, nodes, chunks) = (roots.to_vec(), Vec::new(), steps.into_iter().collect());
    let plan = FetchPlan { wanted, chunks, nodes, files: 0, bytes: 0, absent_bytes: 0 };
    fetch_chunks(&plan, contact, job)?;
    let mut reader = ObjectReader::new(contact.layout(), contact.index())?;
    let mut sink = PackSink::new(contact.layout(), PackKind::Data);
    let mut codecs = Codecs::new();
    for id in ids {
        job.check()?;
        let Some(bytes) = reader.chunk(id)? else { continue };
        let frame = encode_data_frame(&mut codecs, &[(id, bytes)]);
        sink.push(&frame.map_err(|e| CacheError::Pack { why: e.to_string() })?)?;
    }
    Ok(record_written(contact.index(), &sink.finish()?)?)
}

/// Lists the chunks among the roots that are deltas, each once.
pub(super) fn deltas(contact: &Contact, roots: &[Wanted]) -> Result<Vec<ChunkStep>, TransferError> {
    let view = contact.index().reader()?;
    let mut seen = HashSet::new();
    let mut out = Vec::new();
    for (wanted, item) in roots.iter().enumerate() {
        let Root::Chunk { id, size } = item.root else { continue };
        let place = view.find(&id.0).filter(|place| place.delta);
        let (Some(place), true) = (place, seen.insert(id)) else { continue };
        let bases = view.base_places(id).unwrap_or_default();
        let bases = bases.into_iter().map(Spot::from).collect();
        let spot = Some(Spot::from(place));
        out.push(ChunkStep { wanted, id, size, spot, bases, above: None });
    }
    Ok(out)
}
