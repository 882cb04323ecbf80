//! What a push would send: what it looks at, without what it writes.

use std::collections::{BTreeMap, BTreeSet};

use crate::cache::{Held, ObjectReader};
use crate::catalogue::consolidate;
use crate::hash::PackId;
use crate::progress::Job;
use crate::transfer::catalogue::Contact;
use crate::transfer::dedup::dedup;
use crate::transfer::error::TransferError;
use crate::transfer::lone::deltas;
use crate::transfer::needs::{Doubts, Needs, found, missing_pins, needs, pack_of};
use crate::transfer::nodes::walk;
use crate::transfer::push::{Home, PushRequest, Stage};
use crate::transfer::recut::Elsewhere;
use crate::transfer::root::{Root, Wanted};
use crate::transfer::sight::Sight;
use crate::transfer::upload::Journal;
use crate::transfer::walked::Walked;

/// Bytes that a pack may have besides its chunks, and a chunk besides its content.
const PACK_OVERHEAD: u64 = 64 << 10;
const CHUNK_OVERHEAD: u64 = 64;

/// What a push would send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ToSend {
    /// Roots that the remote has.
    pub reused_roots: u64,
    /// Bytes of chunks that the remote has not, before compression.
    pub new_bytes: u64,
    /// Packs to be sent, at most.
    pub packs: u64,
    /// Bytes of these, at most.
    pub bytes: u64,
    /// Requests of the push, its first look at the remote included, at most.
    pub requests: u64,
}

/// Looks at all that a push looks at before it sends. `contact` was made for this and asked nothing else:
/// what it asks is what the push will ask again, or less, as nodes are here by then.
pub fn to_send(
    request: &PushRequest,
    contact: &Contact,
    job: &Job,
) -> Result<ToSend, TransferError> {
    let doubts = Doubts::leaving(&request.avoid, &request.roots);
    let wanted = || request.roots.iter().filter(|(wanted, _)| wanted.root != Root::Empty);
    let (there, absent): (Vec<Wanted>, Vec<Wanted>) = wanted()
        .map(|(wanted, _)| wanted.clone())
        .partition(|wanted| found(contact, &doubts, &wanted.root).is_some());
    let mut out = ToSend { reused_roots: there.len() as u64, ..ToSend::default() };
    let earlier = settled_earlier(request, contact)?;
    if absent.is_empty() && wanted().all(|(_, stage)| *stage == Stage::Published) {
        out.requests = contact.asked() + earlier;
        return Ok(out);
    }
    let lone = deltas(contact, &absent)?;
    let mut reader = ObjectReader::new(contact.layout(), contact.index())?;
    let walked = walk(&absent, &mut reader, Sight::Own(contact), job)?;
    let needs = needs(contact, &absent, &walked, (&doubts, &request.sent))?;
    let elsewhere = match request.home {
        Home::Yes => dedup(contact, (&needs, &walked), &request.earlier, job)?,
        Home::No => None,
    };
    let (cut, elsewhere) = elsewhere.unwrap_or_default();
    let reused = there.iter().filter_map(|w| found(contact, &doubts, &w.root));
    let pins: BTreeSet<PackId> = needs.pins.keys().copied().chain(reused.map(|l| l.pack)).collect();
    if !absent.is_empty() {
        missing_pins(contact, pins.into_iter(), job)?;
    }
    // Of packs that are written afresh there is one kind or both, and seldom more than there were.
    let afresh = cut.len() + needs.replace.len() + lone.len();
    let new_packs = if afresh == 0 { 0 } else { needs.replace.len() + lone.len() + 2 };
    out.packs = (needs.own.len() + new_packs) as u64;
    let lone_bytes: u64 = lone.iter().map(|step| step.size + PACK_OVERHEAD).sum();
    let sizes = Sizes::of(contact, (&needs, &walked), (&cut, &elsewhere))?;
    (out.new_bytes, out.bytes) = (sizes.new, sizes.most.saturating_add(lone_bytes));
    out.requests = contact.asked() + earlier + sizes.fetched + lone.len() as u64;
    out.requests += out.packs + around(request, contact, &needs) + far(&elsewhere);
    Ok(out)
}

/// Packs of the remote that chunks were found in; each is asked for.
fn far(elsewhere: &Elsewhere) -> u64 {
    elsewhere.values().map(|place| place.pack).collect::<BTreeSet<_>>().len() as u64
}

/// Packs of an earlier push that ended before it confirmed them: each is asked for.
fn settled_earlier(request: &PushRequest, contact: &Contact) -> Result<u64, TransferError> {
    if request.home == Home::No {
        return Ok(0);
    }
    let unpushed = contact.index().packs(Held::Unpushed)?;
    let view = &contact.synced().view;
    Ok(unpushed.iter().filter(|(pack, _)| view.may_rely_on(*pack)).count() as u64)
}

/// Requests besides those for packs and for looking: identity, registration, a run, the record, the
/// listing after it, and the index; of a push that did not end, what it sent is asked for twice.
fn around(request: &PushRequest, contact: &Contact, needs: &Needs) -> u64 {
    let (repo, _) = &request.repo;
    let known = contact.synced().view.counting().any(|(_, _, object)| object.repo == *repo);
    let resumes =
        contact.synced().id.is_some_and(|id| Journal::open(contact.layout(), id).exists());
    let run = consolidate(&contact.synced().view, *repo, [0; 16]).is_some();
    let mut sum = u64::from(contact.synced().id.is_none()) + u64::from(!known) + u64::from(run);
    if resumes {
        sum += 2 * needs.own.len() as u64;
    }
    // Record, listing, and of the index: whether there is one, what it lists, writing it.
    sum + 2 + 3
}

/// Bytes that would be sent.
#[derive(Default)]
struct Sizes {
    new: u64,
    most: u64,
    /// Chunks that have to be fetched to be written afresh.
    fetched: u64,
}

impl Sizes {
    fn of(
        contact: &Contact,
        (needs, walked): (&Needs, &Walked),
        (cut, elsewhere): (&BTreeSet<PackId>, &Elsewhere),
    ) -> Result<Self, TransferError> {
        let view = contact.index().reader()?;
        // Chunks that are written anew, by the pack that they lie in.
        let mut anew: BTreeMap<PackId, u64> = BTreeMap::new();
        let mut sizes = Self::default();
        for step in walked.chunks.iter() {
            let Some(pack) = pack_of(&step, &view, contact) else { continue };
            let (own, lost) = (needs.own.contains_key(&pack), needs.replace.contains_key(&pack));
            if !(own || lost) || cut.contains(&pack) && elsewhere.contains_key(&step.id.0) {
                continue;
            }
            sizes.new = sizes.new.saturating_add(step.size);
            sizes.fetched += u64::from(lost);
            if lost || cut.contains(&pack) {
                let sum = anew.entry(pack).or_insert(PACK_OVERHEAD);
                *sum = sum.saturating_add(step.size + CHUNK_OVERHEAD);
            }
        }
        let whole = |pack: &PackId| view.pack(*pack).map_or(0, |state| u64::from(state.size));
        for pack in needs.own.keys() {
            let own = match anew.get(pack) {
                Some(rest) if cut.contains(pack) => whole(pack).min(*rest),
                None if cut.contains(pack) => 0,
                Some(_) | None => whole(pack),
            };
            sizes.most = sizes.most.saturating_add(own);
        }
        let lost = anew.iter().filter(|(pack, _)| !needs.own.contains_key(*pack));
        sizes.most = lost.fold(sizes.most, |sum, (_, bytes)| sum.saturating_add(*bytes));
        // Nodes above what moved are written again, with other placements.
        if !cut.is_empty() || !needs.replace.is_empty() {
            sizes.most = sizes.most.saturating_add(2 * PACK_OVERHEAD);
        }
        Ok(sizes)
    }
}
