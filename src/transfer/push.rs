//! The push protocol: packs, then the push record, then one more listing. A crash at any point
//! leaves orphans, never a pointer to nothing (`docs/format/protocol.md`).

use std::collections::{BTreeMap, BTreeSet};

use crate::cache::{Held, ObjectReader, TakenIn, WrittenPack};
use crate::catalogue::{LocRecord, SOURCE_PUSH_RECORD};
use crate::fs::{failpoint, planted, remove};
use crate::hash::{PackId, RemoteId, RepoId};
use crate::progress::Job;
use crate::transfer::catalogue::Contact;
use crate::transfer::dedup::dedup;
use crate::transfer::error::TransferError;
use crate::transfer::lone::store_whole;
use crate::transfer::needs::{Avoid, Doubts, Needs, found, missing_pins, needs, pack_of};
use crate::transfer::nodes::walk;
use crate::transfer::record::Record;
use crate::transfer::recut::{Elsewhere, Recut, forget_damaged, recut, rescue};
use crate::transfer::root::{Root, Wanted};
use crate::transfer::sight::Sight;
use crate::transfer::tidy::tidy;
use crate::transfer::upload::{Journal, Sent, missing_own, prepare, register, upload};
use crate::transfer::walked::Walked;

/// How often a push starts over because gc got between, and how often it writes packs afresh.
const ROUNDS: u32 = 5;

/// Whether Git's remote has the commits that name a root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Its refs reach them: gc sees the root through Git.
    Published,
    /// Not yet: only a push record keeps the root alive.
    Unpublished,
}

/// What to push.
pub struct PushRequest {
    /// The roots, each with the stage of its commits.
    pub roots: Vec<(Wanted, Stage)>,
    /// Earlier versions of the same paths: where to look for chunks that the remote has.
    pub earlier: Vec<Wanted>,
    /// This repository as the remote knows it, and where its Git repository is.
    pub repo: (RepoId, Option<String>),
    /// Whether packs confirmed here need not be kept any more.
    pub home: Home,
    /// Packs of the remote that must not be used again.
    pub avoid: Avoid,
    /// Packs that this command has sent already and that are not on this machine any more.
    pub sent: BTreeMap<PackId, WrittenPack>,
}

/// What confirmation on this remote means for local packs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    /// It is the push remote: a confirmed pack can be fetched again.
    Yes,
    /// It is another remote: packs stay where they must be kept.
    No,
}

/// What a push did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pushed {
    /// Roots asked for, empty files left out.
    pub roots: u64,
    /// Roots that the remote had.
    pub reused_roots: u64,
    /// Packs sent.
    pub packs: u64,
    /// Bytes of these packs.
    pub sent_bytes: u64,
    /// Bytes of packs relied on.
    pub reused_bytes: u64,
    /// Bytes of the files that the roots name, the content that several of them share once for each.
    pub logical_bytes: u64,
    /// Bytes of their chunks in the packs sent, before compression.
    pub new_bytes: u64,
    /// Those of them that are stored as a delta to others.
    pub delta_bytes: u64,
}

impl Pushed {
    /// Counts the packs that were sent before the push began.
    fn count_streamed(&mut self, request: &PushRequest, settled: &Settled) {
        for pack in settled.needs.own.keys().filter_map(|pack| request.sent.get(pack)) {
            self.packs += 1;
            self.sent_bytes = self.sent_bytes.saturating_add(pack.size);
        }
    }

    /// Counts the chunks that this push brought to the remote.
    fn count_new(&mut self, contact: &Contact, settled: &Settled) -> Result<(), TransferError> {
        let view = contact.index().reader()?;
        for step in settled.walked.chunks.iter() {
            let pack = pack_of(&step, &view, contact);
            if pack.is_some_and(|pack| settled.needs.own.contains_key(&pack)) {
                self.new_bytes = self.new_bytes.saturating_add(step.size);
                if !step.bases.is_empty() {
                    self.delta_bytes = self.delta_bytes.saturating_add(step.size);
                }
            }
        }
        Ok(())
    }
}

/// Runs the protocol to its end; on success everything named by the roots is on the remote.
pub fn push(
    request: &PushRequest,
    contact: &mut Contact,
    job: &Job,
) -> Result<Pushed, TransferError> {
    let roots: Vec<&(Wanted, Stage)> =
        request.roots.iter().filter(|(w, _)| w.root != Root::Empty).collect();
    let logical_bytes = roots.iter().map(|(w, _)| w.root.size()).fold(0, u64::saturating_add);
    let mut pushed = Pushed { roots: roots.len() as u64, logical_bytes, ..Pushed::default() };
    let mut doubts = Doubts::leaving(&request.avoid, &request.roots);
    let there = |(wanted, _): &&&(Wanted, Stage)| found(contact, &doubts, &wanted.root).is_some();
    pushed.reused_roots = roots.iter().filter(there).count() as u64;
    let published = roots.iter().all(|(_, stage)| *stage == Stage::Published);
    if pushed.reused_roots == pushed.roots && published {
        // Only a remote that lost its `format` knows roots and has no identity.
        if pushed.roots > 0 {
            prepare(contact, job)?;
        }
        settle_earlier(request.home, contact, job)?;
        return Ok(pushed);
    }
    let remote = prepare(contact, job)?;
    let journal = Journal::open(contact.layout(), remote);
    let mut superseded = BTreeSet::new();
    for round in 0..ROUNDS {
        job.check()?;
        let mut push = Push { request, contact, doubts: &mut doubts, superseded: &mut superseded };
        let settled = push.settle(round == 0, job)?;
        if planted::is("publish-before-upload") {
            record(request, contact, &settled, &doubts)?.put(contact)?;
        }
        let push = Push { request, contact, doubts: &mut doubts, superseded: &mut superseded };
        let sent = push.send(&journal, &settled, job)?;
        pushed.packs += sent.packs;
        pushed.sent_bytes += sent.bytes;
        register(contact, remote, &request.repo)?;
        let record = record(request, contact, &settled, &doubts)?;
        failpoint::hit("push.before-record");
        record.put(contact)?;
        doubts.ours.extend(settled.needs.own.keys());
        doubts.our_roots.extend(settled.absent.iter().filter_map(|w| w.root.id()));
        failpoint::hit("push.after-record");
        let before = contact.synced().view.generation();
        contact.refresh(job)?;
        // The record proves nothing once there is a newer generation: a gc that takes its writer for
        // gone may cover it, and others do not rely on what it says. So another one is written.
        let current = contact.synced().view.generation() == before;
        let sound = (current && !sent.resumed) || still_good(contact, &settled, &mut doubts, job)?;
        if current && sound {
            failpoint::hit("push.before-confirm");
            pushed.count_streamed(request, &settled);
            pushed.reused_bytes = settled.needs.reused_bytes(contact);
            pushed.count_new(contact, &settled)?;
            confirm(contact, remote, (request, &settled), job)?;
            settle_earlier(request.home, contact, job)?;
            journal.clear()?;
            tidy(contact, &pushed, job);
            for pack in superseded {
                remove(&contact.layout().unpushed(pack))?;
                remove(&contact.layout().whole(pack))?;
            }
            return Ok(pushed);
        }
    }
    Err(TransferError::Outrun { remote: contact.label().to_owned(), rounds: ROUNDS })
}

/// A push whose every pack is either on the remote or ready to be sent.
struct Settled {
    absent: Vec<Wanted>,
    there: Vec<Wanted>,
    walked: Walked,
    needs: Needs,
}

struct Push<'p, 'c> {
    request: &'p PushRequest,
    contact: &'p Contact<'c>,
    doubts: &'p mut Doubts,
    /// Packs that were written afresh; their files stay until the new ones are confirmed.
    superseded: &'p mut BTreeSet<PackId>,
}

impl Push<'_, '_> {
    /// Finds what each root needs, and writes afresh what can neither be relied on nor be sent.
    fn settle(&mut self, first: bool, job: &Job) -> Result<Settled, TransferError> {
        let contact = self.contact;
        // What is to be left would be found again.
        let leaving = matches!(self.request.avoid, Avoid::Left(_));
        // What was sent already would be sent in vain.
        let free = !leaving && self.request.sent.is_empty();
        let mut look_for_more = first && free && self.request.home == Home::Yes;
        if let (true, Avoid::Damaged(packs)) = (first, &self.request.avoid) {
            self.avoid_damaged(packs, job)?;
        }
        for _ in 0..ROUNDS {
            job.check()?;
            let all = self.request.roots.iter().map(|(w, _)| w).filter(|w| w.root != Root::Empty);
            let (there, absent): (Vec<Wanted>, Vec<Wanted>) =
                all.cloned().partition(|w| found(contact, self.doubts, &w.root).is_some());
            store_whole(contact, &absent, job)?;
            let mut reader = ObjectReader::new(contact.layout(), contact.index())?;
            let walked = walk(&absent, &mut reader, Sight::Own(contact), job)?;
            let needs = needs(contact, &absent, &walked, (self.doubts, &self.request.sent))?;
            if !needs.replace.is_empty() {
                let home = self.request.home;
                rescue(contact, (&absent, &walked), &needs.replace, home, job)?;
                let replaced = needs.replace.keys().copied().collect();
                let elsewhere = Elsewhere::new();
                self.recut(&Recut { replaced, elsewhere, walked: &walked, home }, job)?;
                continue;
            }
            if look_for_more {
                look_for_more = false;
                let found = dedup(contact, (&needs, &walked), &self.request.earlier, job)?;
                if let Some((replaced, elsewhere)) = found {
                    let home = self.request.home;
                    self.recut(&Recut { replaced, elsewhere, walked: &walked, home }, job)?;
                    continue;
                }
            }
            let reused = there.iter().filter_map(|w| found(contact, self.doubts, &w.root));
            let pins = needs.pins.keys().copied().chain(reused.map(|loc| loc.pack));
            let missing =
                if absent.is_empty() { BTreeSet::new() } else { missing_pins(contact, pins, job)? };
            if missing.is_empty() {
                return Ok(Settled { absent, there, walked, needs });
            }
            self.doubts.lost.extend(missing);
        }
        Err(TransferError::Outrun { remote: contact.label().to_owned(), rounds: ROUNDS })
    }

    /// Writes afresh what lies in damaged packs, and the nodes above it, from any copy of it.
    fn avoid_damaged(&mut self, packs: &BTreeSet<PackId>, job: &Job) -> Result<(), TransferError> {
        let (contact, home) = (self.contact, self.request.home);
        let all: Vec<Wanted> = self.request.roots.iter().map(|(w, _)| w.clone()).collect();
        store_whole(contact, &all, job)?;
        let mut reader = ObjectReader::new(contact.layout(), contact.index())?;
        let walked = walk(&all, &mut reader, Sight::Content(contact), job)?;
        let path = all.first().map_or(Vec::new(), |wanted| wanted.path.clone());
        let replace = packs.iter().map(|pack| (*pack, path.clone())).collect();
        rescue(contact, (&all, &walked), &replace, home, job)?;
        let (replaced, elsewhere) = (packs.clone(), Elsewhere::new());
        self.recut(&Recut { replaced, elsewhere, walked: &walked, home }, job)
    }

    fn recut(&mut self, plan: &Recut, job: &Job) -> Result<(), TransferError> {
        self.superseded.extend(recut(self.contact, plan, job)?);
        Ok(())
    }

    /// Sends what has to be sent; a local pack that is damaged is put aside and nothing is sent.
    fn send(&self, journal: &Journal, settled: &Settled, job: &Job) -> Result<Sent, TransferError> {
        let own = settled.needs.own.keys().copied();
        let sent = upload(self.contact, journal, (own, &self.request.sent), job);
        if let Err(TransferError::LocalPack { pack, why, .. }) = sent {
            forget_damaged(self.contact, &settled.walked, pack)?;
            let path = settled.needs.own.get(&pack).cloned().unwrap_or_default();
            return Err(TransferError::LocalPack { pack, path, why });
        }
        sent
    }
}

/// What the push tells the catalogue.
fn record<'s>(
    request: &'s PushRequest,
    contact: &Contact,
    settled: &'s Settled,
    doubts: &Doubts,
) -> Result<Record<'s>, TransferError> {
    Ok(Record {
        repo: request.repo.0,
        locs: locs(contact, settled, doubts)?,
        own: settled.needs.own.keys().copied().collect(),
        sent: &request.sent,
        first_chunks: &settled.walked.first_chunks,
    })
}

/// The LOC records of all roots: those just sent from the index, the others from the catalogue.
fn locs(
    contact: &Contact,
    settled: &Settled,
    doubts: &Doubts,
) -> Result<Vec<LocRecord>, TransferError> {
    let view = contact.index().reader()?;
    let mut out: BTreeMap<_, LocRecord> = BTreeMap::new();
    for wanted in &settled.there {
        if let (Some(key), Some(loc)) = (wanted.root.key(), found(contact, doubts, &wanted.root)) {
            out.insert(key, LocRecord { source: SOURCE_PUSH_RECORD, ..loc });
        }
    }
    for (i, wanted) in settled.absent.iter().enumerate() {
        let (Some(key), Some(id)) = (wanted.root.key(), wanted.root.id()) else { continue };
        let place = view.find(&id).ok_or_else(|| contact.nobody_pushed(&settled.absent, i, &id))?;
        out.insert(
            key,
            LocRecord {
                key,
                pack: place.pack,
                offset: place.offset,
                frame_len: place.frame_len,
                skip: place.skip,
                source: SOURCE_PUSH_RECORD,
            },
        );
    }
    Ok(out.into_values().collect())
}

/// After a gc got between: whether everything relied on and everything sent is still to be trusted.
fn still_good(
    contact: &Contact,
    settled: &Settled,
    doubts: &mut Doubts,
    job: &Job,
) -> Result<bool, TransferError> {
    let view = &contact.synced().view;
    let own = || settled.needs.own.keys().copied();
    doubts.spent.extend(missing_own(contact, own(), job)?);
    Ok(settled.needs.pins.keys().all(|pack| view.may_rely_on(*pack))
        && settled.there.iter().all(|wanted| found(contact, doubts, &wanted.root).is_some())
        && !own().any(|pack| view.condemned(pack) || doubts.spent.contains(&pack)))
}

/// Notes what is certain now, and moves packs that need not be kept any more into the cache.
fn confirm(
    contact: &Contact,
    remote: RemoteId,
    (request, settled): (&PushRequest, &Settled),
    job: &Job,
) -> Result<(), TransferError> {
    let generation = contact.synced().view.generation();
    let needs = &settled.needs;
    let packs: BTreeSet<PackId> = needs.own.keys().chain(needs.pins.keys()).copied().collect();
    let packs: Vec<PackId> = packs.into_iter().collect();
    contact.index().confirm(remote, generation, &packs)?;
    if request.home == Home::No {
        return Ok(());
    }
    release(contact, &packs, job)
}

/// Confirms packs of an earlier push that ended between its record and its confirmation: they are
/// listed, and the remote is asked for each, as whoever listed them is not here to vouch for it.
fn settle_earlier(home: Home, contact: &Contact, job: &Job) -> Result<(), TransferError> {
    let synced = contact.synced();
    let (Some(remote), Home::Yes) = (synced.id, home) else { return Ok(()) };
    let unpushed = contact.index().packs(Held::Unpushed)?.into_iter().map(|(pack, _)| pack);
    let listed: Vec<PackId> = unpushed.filter(|pack| synced.view.may_rely_on(*pack)).collect();
    if listed.is_empty() {
        return Ok(());
    }
    let missing: BTreeSet<PackId> =
        missing_own(contact, listed.iter().copied(), job)?.into_iter().collect();
    let there: Vec<PackId> = listed.into_iter().filter(|pack| !missing.contains(pack)).collect();
    contact.index().confirm(remote, synced.view.generation(), &there)?;
    release(contact, &there, job)
}

/// Moves confirmed packs from where they must be kept into the cache.
fn release(contact: &Contact, packs: &[PackId], job: &Job) -> Result<(), TransferError> {
    let view = contact.index().reader()?;
    let mut moved = Vec::new();
    for pack in packs.iter().copied() {
        if view.pack(pack).is_some_and(|s| s.held == Held::Unpushed) {
            let from = contact.layout().unpushed(pack);
            if from.exists() {
                match contact.layout().cache_folder().take_in(&from, pack)? {
                    TakenIn::There => {
                        let size = view.pack(pack).map_or(0, |state| state.size);
                        contact.index().note_added(pack, size.into());
                    }
                    TakenIn::Not(e) => {
                        job.warn(&format!("a pushed pack stays in `unpushed/`: {e}"));
                        continue;
                    }
                }
            }
            moved.push(pack);
        }
    }
    Ok(contact.index().set_held(&moved, Held::Whole)?)
}
