//! Finding on the remote what this machine did not know it has: a fresh clone whose cache is empty
//! stored a whole new version, of which the remote has most.
//!
//! Sources of knowledge, cheapest first: the trees of earlier versions of the same paths, then the
//! hooks of the catalogue and the footers of the packs they point to. A pack that is found whole on
//! the remote is dropped; one of which half or more is found is cut anew without that half.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::cache::{Held, LocalFooter, ObjectReader, Place};
use crate::catalogue::{is_hook, key};
use crate::hash::{ChunkId, PackId, PackKind};
use crate::pack::{Footer, TRAILER_LEN};
use crate::progress::Job;
use crate::remote::Fetch;
use crate::transfer::catalogue::Contact;
use crate::transfer::error::TransferError;
use crate::transfer::needs::Needs;
use crate::transfer::nodes::walk;
use crate::transfer::recut::Elsewhere;
use crate::transfer::root::Wanted;
use crate::transfer::sight::Sight;
use crate::transfer::walked::Walked;

/// Most packs whose footers are read for hooks in one push.
const MOST_FOOTERS: usize = 256;
/// Longest footer with its trailer, in bytes; the tail is read in one guess of this size at most.
const TAIL_GUESS: u64 = 64 << 10;

/// Looks on the remote for chunks of packs that are to be sent; returns the packs that are worth
/// cutting anew, and where on the remote their chunks lie.
///
/// Only chunks that this push needs are looked for: its record keeps them alive. Others in the same
/// pack serve roots that nobody pushed yet, and stay on this machine.
pub(super) fn dedup(
    contact: &Contact,
    (needs, walked): (&Needs, &Walked),
    earlier: &[Wanted],
    job: &Job,
) -> Result<Option<(BTreeSet<PackId>, Elsewhere)>, TransferError> {
    let packs = unpushed(contact, needs)?;
    // A remote without packs has nothing to share.
    if packs.is_empty() || contact.synced().view.counting().next().is_none() {
        return Ok(None);
    }
    let objects = packs.values().flat_map(|f| f.objects.iter().map(|o| o.0));
    let objects: HashSet<[u8; 32]> = objects.collect();
    let needed = walked.chunks.ids().map(|id| id.0);
    let new: HashSet<[u8; 32]> = needed.filter(|id| objects.contains(id)).collect();
    drop(objects);
    let mut elsewhere = from_earlier(contact, earlier, &new, job)?;
    from_hooks(contact, &packs, &new, &mut elsewhere, job)?;
    let replaced: BTreeSet<PackId> =
        packs.iter().filter(|(_, f)| pays(f, &elsewhere)).map(|(pack, _)| *pack).collect();
    if replaced.is_empty() {
        return Ok(None);
    }
    let chosen: HashSet<[u8; 32]> = replaced
        .iter()
        .filter_map(|pack| packs.get(pack))
        .flat_map(|f| f.objects.iter().map(|o| o.0))
        .collect();
    elsewhere.retain(|id, _| chosen.contains(id));
    Ok(Some((replaced, elsewhere)))
}

fn unpushed(
    contact: &Contact,
    needs: &Needs,
) -> Result<BTreeMap<PackId, LocalFooter>, TransferError> {
    let mut out = BTreeMap::new();
    for (pack, state) in contact.index().packs(Held::Unpushed)? {
        if state.kind == PackKind::Data.byte()
            && needs.own.contains_key(&pack)
            && let Some(footer) = contact.index().footer(contact.layout(), pack)?
        {
            out.insert(pack, footer);
        }
    }
    Ok(out)
}

/// Says whether at least half of a pack's bytes lie elsewhere.
fn pays(footer: &LocalFooter, elsewhere: &Elsewhere) -> bool {
    let len = |(_, place): &([u8; 32], Place)| u64::from(place.len);
    let all: u64 = footer.objects.iter().map(len).sum();
    let found = footer.objects.iter().filter(|o| elsewhere.contains_key(&o.0));
    found.map(len).sum::<u64>() * 2 >= all
}

/// Walks earlier versions that the catalogue lists; their placements say where chunks lie.
fn from_earlier(
    contact: &Contact,
    earlier: &[Wanted],
    new: &HashSet<[u8; 32]>,
    job: &Job,
) -> Result<Elsewhere, TransferError> {
    let listed: Vec<Wanted> = earlier
        .iter()
        .filter(|w| w.root.key().is_some_and(|key| contact.locate(key).is_some()))
        .cloned()
        .collect();
    let mut out = Elsewhere::new();
    if listed.is_empty() {
        return Ok(out);
    }
    let mut reader = ObjectReader::new(contact.layout(), contact.index())?;
    // The remote's own copies: of files that were stored anew here, nodes on this machine are the same and
    // lead to packs that nobody has yet.
    let walked = match walk(&listed, &mut reader, Sight::Theirs(contact), job) {
        Ok(walked) => walked,
        // Earlier versions only save bytes; that they are damaged is for `verify` to say.
        Err(e) if e.is_damage() => return Ok(out),
        Err(e) => return Err(e),
    };
    for step in walked.chunks.iter() {
        // A delta drags its base along, of which less is known.
        let whole = step.spot.filter(|_| step.bases.is_empty());
        let Some(spot) = whole.filter(|s| contact.synced().view.may_rely_on(s.pack)) else {
            continue;
        };
        if new.contains(&step.id.0) {
            out.insert(
                step.id.0,
                Place {
                    pack: spot.pack,
                    offset: spot.offset,
                    frame_len: spot.frame_len,
                    skip: spot.skip,
                    len: u32::try_from(step.size).unwrap_or(u32::MAX),
                    delta: false,
                },
            );
        }
    }
    Ok(out)
}

/// Looks hooks up in the catalogue and reads the footers of the packs that they hit.
fn from_hooks(
    contact: &Contact,
    packs: &BTreeMap<PackId, LocalFooter>,
    new: &HashSet<[u8; 32]>,
    elsewhere: &mut Elsewhere,
    job: &Job,
) -> Result<(), TransferError> {
    let view = &contact.synced().view;
    let objects = packs.values().flat_map(|f| &f.objects);
    let ours: HashSet<[u8; 8]> = objects
        .filter(|(id, _)| !elsewhere.contains_key(id))
        .filter(|(id, _)| is_hook(ChunkId(*id)))
        .filter_map(|(id, _)| id.first_chunk::<8>().copied())
        .collect();
    let hits: BTreeSet<PackId> = view
        .hooks()
        .filter(|(chunk, pack)| ours.contains(chunk) && view.may_rely_on(*pack))
        .map(|(_, pack)| pack)
        .take(MOST_FOOTERS)
        .collect();
    let sizes: Vec<(PackId, u64)> = hits
        .into_iter()
        .filter_map(|pack| Some((pack, u64::from(view.pack_record(pack)?.size))))
        .collect();
    for (pack, footer) in footers(contact, &sizes, job)? {
        let whole = footer.objects.iter().filter(|o| !o.has_base);
        for object in whole.filter(|o| new.contains(&o.id)) {
            elsewhere.entry(object.id).or_insert(Place {
                pack,
                offset: object.offset,
                frame_len: object.frame_len,
                skip: object.skip,
                len: object.len,
                delta: false,
            });
        }
    }
    Ok(())
}

/// Reads the footers of packs: the tails in one wave, what a tail did not hold in a second.
fn footers(
    contact: &Contact,
    packs: &[(PackId, u64)],
    job: &Job,
) -> Result<Vec<(PackId, Footer)>, TransferError> {
    let guess: Vec<_> =
        packs.iter().map(|(pack, size)| (*pack, *size, TAIL_GUESS.min(*size))).collect();
    let mut out = Vec::new();
    let mut longer = Vec::new();
    for (pack, size, tail) in tails(contact, &guess, job)? {
        let Some(trailer) = tail.last_chunk::<{ TRAILER_LEN as usize }>() else { continue };
        let Ok(len) = Footer::tail_len(trailer, size) else { continue };
        match tail.len().checked_sub(len as usize).and_then(|at| tail.get(at..)) {
            Some(exact) => {
                out.extend(Footer::parse(PackKind::Data, exact, size).map(|f| (pack, f)));
            }
            None => longer.push((pack, size, u64::from(len))),
        }
    }
    for (pack, size, tail) in tails(contact, &longer, job)? {
        out.extend(Footer::parse(PackKind::Data, &tail, size).map(|f| (pack, f)));
    }
    Ok(out)
}

type Tail = (PackId, u64, bytes::Bytes);

fn tails(
    contact: &Contact,
    wanted: &[(PackId, u64, u64)],
    job: &Job,
) -> Result<Vec<Tail>, TransferError> {
    let mut out = Vec::new();
    if wanted.is_empty() {
        return Ok(out);
    }
    let fetches = wanted
        .iter()
        .map(|(pack, size, len)| Fetch {
            key: key::pack(PackKind::Data, *pack),
            range: Some(size.saturating_sub(*len)..*size),
            limit: *len,
        })
        .collect();
    contact.remote().get_ranges(fetches, contact.jobs(), job, |i, answer| {
        // A footer only saves bytes: one that cannot be had is passed over.
        if let (Some((pack, size, _)), Ok(bytes)) = (wanted.get(i), answer) {
            out.push((*pack, *size, bytes));
        }
        Ok::<(), TransferError>(())
    })?;
    Ok(out)
}
