//! Fetching what pointers name into the cache: nodes level by level, then chunks in waves of very many.

use std::collections::{HashMap, HashSet};

use crate::cache::{CacheError, ObjectReader};
use crate::hash::{ChunkId, PackKind};
use crate::progress::{Job, Kind, Task};
use crate::transfer::catalogue::Contact;
use crate::transfer::chunk_list::ChunkList;
use crate::transfer::detour::{Detours, Lost};
use crate::transfer::error::TransferError;
use crate::transfer::filter::Filter;
use crate::transfer::land::{Flaw, Object, Orders, Part};
use crate::transfer::local::take_local;
use crate::transfer::nodes::walk;
use crate::transfer::ranges::{Slack, ranges};
use crate::transfer::root::Wanted;
use crate::transfer::sight::Sight;
use crate::transfer::stored::prove_catalogue;
use crate::transfer::walk::{ChunkStep, Spot};
use crate::transfer::walked::{Visited, Walked};
use crate::transfer::wave::Wave;

/// Chunks that are fetched in one wave, so that memory has a bound: of files of 64 KiB and more, 4 GiB at least.
pub(super) const TOGETHER: usize = 128 << 10;

/// What a fetch would bring; its nodes are here already.
pub struct FetchPlan {
    pub(super) wanted: Vec<Wanted>,
    pub(super) chunks: ChunkList,
    /// The nodes above them, along which other places are found.
    pub(super) nodes: Vec<Visited>,
    /// Files wanted.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes of chunks that are not on this machine, before compression.
    pub absent_bytes: u64,
}

impl FetchPlan {
    /// Leaves out chunks that nobody needs.
    pub(crate) fn keep_only(&mut self, needed: &HashSet<ChunkId>) {
        self.chunks.retain(|id| needed.contains(id));
        self.absent_bytes = self.chunks.bytes();
    }
}

/// What the content of a plan takes to fetch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ToReceive {
    /// Requests, each for a range of a pack.
    pub requests: u64,
    /// Bytes of these ranges.
    pub bytes: u64,
}

/// What a fetch brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fetched {
    /// Files wanted.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes of chunks that came from the remote, before compression.
    pub fetched_bytes: u64,
}

/// Returns files and bytes wanted if all of it is on this machine already, asking nobody.
pub fn is_local(
    wanted: &[Wanted],
    reader: &mut ObjectReader,
    job: &Job,
) -> Result<Option<(u64, u64)>, TransferError> {
    local(wanted, |_| true, reader, job)
}

/// As [`is_local`], of these chunks alone: nobody needs the others.
pub(crate) fn are_local(
    wanted: &[Wanted],
    needed: &HashSet<ChunkId>,
    reader: &mut ObjectReader,
    job: &Job,
) -> Result<Option<(u64, u64)>, TransferError> {
    local(wanted, |id| needed.contains(id), reader, job)
}

fn local(
    wanted: &[Wanted],
    is_needed: impl Fn(&ChunkId) -> bool,
    reader: &mut ObjectReader,
    job: &Job,
) -> Result<Option<(u64, u64)>, TransferError> {
    match walk(wanted, reader, Sight::Local, job) {
        Ok(walked) => {
            let all = reader.are_here(walked.chunks.ids().filter(is_needed))?;
            Ok(all.then_some((walked.files, walked.bytes)))
        }
        Err(TransferError::NobodyPushed { .. }) => Ok(None),
        Err(e) => Err(e),
    }
}

/// Fetches the nodes of everything wanted and finds which chunks are absent.
///
/// What cannot be found is looked for once more with a new listing: it may have been moved.
pub fn plan_fetch(
    wanted: Vec<Wanted>,
    contact: &mut Contact,
    job: &Job,
) -> Result<FetchPlan, TransferError> {
    let walked = match walk_content(&wanted, contact, job) {
        Err(e) if e.may_be_stale() => {
            contact.refresh(job)?;
            prove_catalogue(contact, e.place().map_or(b"", |(path, _)| path))?;
            walk_content(&wanted, contact, job)?
        }
        result => result?,
    };
    let mut reader = ObjectReader::new(contact.layout(), contact.index())?;
    reader.are_here(walked.chunks.ids())?;
    let view = reader.view();
    let Walked { mut chunks, nodes, files, bytes, .. } = walked;
    chunks.retain(|id| view.find_held(&id.0).is_none());
    let absent_bytes = chunks.bytes();
    Ok(FetchPlan { wanted, chunks, nodes, files, bytes, absent_bytes })
}

/// Brings the nodes of everything wanted to this machine. Without contact, fails with
/// [`TransferError::NobodyPushed`] at the first that is not here.
pub fn bring_trees(
    wanted: &[Wanted],
    reader: &mut ObjectReader,
    contact: Option<&Contact>,
    job: &Job,
) -> Result<(), TransferError> {
    let sight = contact.map_or(Sight::Local, Sight::Content);
    walk(wanted, reader, sight, job).map(drop)
}

fn walk_content(wanted: &[Wanted], contact: &Contact, job: &Job) -> Result<Walked, TransferError> {
    let mut reader = ObjectReader::new(contact.layout(), contact.index())?;
    walk(wanted, &mut reader, Sight::Content(contact), job)
}

/// Fetches the absent chunks of a plan, and once more what has moved.
pub fn fetch_data(
    plan: &FetchPlan,
    contact: &mut Contact,
    job: &Job,
) -> Result<Fetched, TransferError> {
    let local = take_local(plan, contact, job)?;
    match fetch_chunks(plan, contact, job) {
        Err(e) if e.may_be_stale() => {
            contact.refresh(job)?;
            fetch_chunks(plan, contact, job)?;
        }
        result => result?,
    }
    let fetched_bytes = plan.absent_bytes.saturating_sub(local);
    if fetched_bytes > 0 {
        // Maybe nothing was listed, but what it keeps is there.
        contact.end_doubt()?;
    }
    Ok(Fetched { files: plan.files, bytes: plan.bytes, fetched_bytes })
}

/// Fetches those chunks of a plan that are not here, wherever the catalogue as last listed leads.
pub(super) fn fetch_chunks(
    plan: &FetchPlan,
    contact: &Contact,
    job: &Job,
) -> Result<(), TransferError> {
    let task = job.begin(Kind::Download, Some(plan.to_receive(contact)?.bytes));
    for steps in plan.chunks.windows(TOGETHER) {
        fetch_steps(plan, contact, &absent_of(steps, contact)?, &task, job)?;
    }
    Ok(())
}

fn fetch_steps(
    plan: &FetchPlan,
    contact: &Contact,
    steps: &[ChunkStep],
    task: &Task,
    job: &Job,
) -> Result<(), TransferError> {
    let mut flaws = HashMap::new();
    let mut lost = wave(plan, contact, (steps, Bases::Absent, &mut flaws), task, job)?;
    if lost.iter().any(|step| !step.bases.is_empty()) {
        lost = wave(plan, contact, (&lost, Bases::All, &mut flaws), task, job)?;
    }
    if lost.is_empty() {
        return Ok(());
    }
    let all: Vec<Lost> = lost.iter().map(Lost::of_chunk).collect();
    let mut detours = Detours::find(contact, &plan.nodes, &all, job)?;
    while !lost.is_empty() {
        for step in &mut lost {
            let Some((spot, bases)) = detours.next(step.id.0, contact, job)? else {
                return Err(match flaws.remove(&step.id.0) {
                    Some(flaw) => contact.flawed(&plan.wanted, flaw),
                    None => contact.nobody_pushed(&plan.wanted, step.wanted, &step.id.0),
                });
            };
            (step.spot, step.bases) = (Some(spot), bases);
        }
        lost = wave(plan, contact, (&lost, Bases::All, &mut flaws), task, job)?;
    }
    Ok(())
}

/// Lists the chunks that are not here now, each with its place if any is known.
fn absent_of(steps: Vec<ChunkStep>, contact: &Contact) -> Result<Vec<ChunkStep>, TransferError> {
    let view = contact.index().reader()?;
    let absent = steps.into_iter().filter(|step| view.find_held(&step.id.0).is_none());
    let located = absent.map(|step| {
        let spot = step.spot.or_else(|| contact.locate(step.id.key()));
        ChunkStep { spot, ..step }
    });
    Ok(located.collect())
}

impl FetchPlan {
    /// Returns what it is for.
    pub fn wanted(&self) -> &[Wanted] {
        &self.wanted
    }

    /// Returns how many ranges of packs are asked for and their bytes: frames of absent chunks, those of
    /// absent bases, and what lies between them in one range. Detours to other copies come on top.
    pub fn to_receive(&self, contact: &Contact) -> Result<ToReceive, TransferError> {
        let mut reader = ObjectReader::new(contact.layout(), contact.index())?;
        let (mut sum, mut bases) = (ToReceive::default(), HashSet::new());
        for steps in self.chunks.windows(TOGETHER) {
            let steps = absent_of(steps, contact)?;
            let (_, mut spots) = orders(&steps, Bases::Absent, &mut reader);
            // Those of a window before will be here.
            spots.retain(|spot| !bases.contains(&(spot.pack, spot.offset)));
            let all = steps.iter().flat_map(|step| &step.bases);
            bases.extend(all.map(|base| (base.pack, base.offset)));
            for range in ranges(spots, self.slack()) {
                sum.requests += 1;
                sum.bytes = sum.bytes.saturating_add(u64::from(range.to - range.from));
            }
        }
        Ok(sum)
    }

    fn slack(&self) -> Slack {
        let whole = self.wanted.iter().all(|w| matches!(w.filter, Filter::All));
        if whole { Slack::Usual } else { Slack::Little }
    }
}

/// Which bases of deltas are fetched with them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Bases {
    /// Those that do not seem to be here.
    Absent,
    /// Every one: what seemed to be here was not.
    All,
}

/// Returns what is wanted from which frame, and where these frames lie, some of them twice.
pub(super) fn orders(
    steps: &[ChunkStep],
    which: Bases,
    reader: &mut ObjectReader,
) -> (Orders, Vec<Spot>) {
    let mut orders = Orders::new();
    let mut spots = Vec::with_capacity(steps.len());
    for step in steps {
        let Some(spot) = step.spot else { continue };
        let len = u32::try_from(step.size).unwrap_or(u32::MAX);
        let part = if step.bases.is_empty() { Part::Whole } else { Part::Delta };
        let object = Object { id: step.id.0, skip: spot.skip, len, wanted: step.wanted, part };
        // Of a delta that is here, maybe not pushed yet, only the base is absent.
        let own = reader.view().find_frame(&step.id.0).map(|(place, _)| Spot::from(place));
        if part == Part::Whole || own != Some(spot) {
            orders.entry((spot.pack, spot.offset)).or_default().push(object);
            spots.push(Spot { skip: 0, ..spot });
        }
        for base in &step.bases {
            let key = (base.pack, base.offset);
            let mut here = || reader.has_frame(base.pack, base.offset, base.frame_len);
            if base.can_be() && (orders.contains_key(&key) || which == Bases::All || !here()) {
                let object = Object { part: Part::Base, ..object };
                orders.entry(key).or_default().push(object);
                spots.push(Spot { skip: 0, ..*base });
            }
        }
    }
    (orders, spots)
}

/// Fetches chunks from their places in one wave, with what they are a delta to; returns those
/// that are not there.
fn wave(
    plan: &FetchPlan,
    contact: &Contact,
    (steps, which, flaws): (&[ChunkStep], Bases, &mut HashMap<[u8; 32], Flaw>),
    task: &Task,
    job: &Job,
) -> Result<Vec<ChunkStep>, TransferError> {
    let mut reader = ObjectReader::new(contact.layout(), contact.index())?;
    let (orders, spots) = orders(steps, which, &mut reader);
    // One that lasts would keep the index from using its space again.
    drop(reader);
    let slack = plan.slack();
    let wave = Wave { contact, kind: PackKind::Data, slack, behind: 0, orders: &orders };
    let found = wave.fetch(spots, job, |(_, _, bytes, _)| task.advance(bytes.len() as u64));
    let found = found.map_err(|e| with_path(e, plan, steps))?;
    // What was said first of an object is nearest to the cause.
    let mut own: HashMap<[u8; 32], Flaw> = HashMap::new();
    for flaw in found {
        own.entry(flaw.object.id).or_insert(flaw);
    }
    // Frames of a base that are sound may hold another chunk: only the index knows.
    let lost = steps.iter().filter(|step| {
        step.spot.is_none() || !step.bases.is_empty() || own.contains_key(&step.id.0)
    });
    // One that another place held is here now.
    let view = contact.index().reader()?;
    let lost: Vec<ChunkStep> =
        lost.filter(|step| view.find_held(&step.id.0).is_none()).cloned().collect();
    flaws.extend(lost.iter().filter_map(|step| Some((step.id.0, flaw_of(step, &mut own)?))));
    Ok(lost)
}

/// Says which path needs a base that is damaged on this machine.
fn with_path(error: TransferError, plan: &FetchPlan, steps: &[ChunkStep]) -> TransferError {
    let TransferError::Cache(CacheError::Damaged { pack, .. }) = &error else { return error };
    let step = steps.iter().find(|step| step.bases.iter().any(|base| base.pack == *pack));
    let Some(item) = step.and_then(|step| plan.wanted.get(step.wanted)) else { return error };
    error.needed_by(&item.path)
}

/// Returns what was wrong with a chunk, in the pack that is at fault.
fn flaw_of(step: &ChunkStep, found: &mut HashMap<[u8; 32], Flaw>) -> Option<Flaw> {
    let Some(flaw) = found.remove(&step.id.0) else {
        let (spot, pack) = (step.spot?, step.bases.first()?.pack);
        let len = u32::try_from(step.size).unwrap_or(u32::MAX);
        let (id, wanted, part) = (step.id.0, step.wanted, Part::Base);
        let object = Object { id, skip: spot.skip, len, wanted, part };
        let why = "it does not hold what that is a delta to".to_owned();
        return Some(Flaw { object, pack, why, base: Some(0) });
    };
    let at_fault = flaw.base.and_then(|number| step.bases.get(number));
    Some(Flaw { pack: at_fault.map_or(flaw.pack, |base| base.pack), ..flaw })
}
