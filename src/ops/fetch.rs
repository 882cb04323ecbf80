//! `haul fetch`: content of pointers into the cache.

use std::collections::HashSet;

use serde::Serialize;

use crate::cache::ObjectReader;
use crate::hash::ChunkId;
use crate::ops::bounds::Bounds;
use crate::ops::chosen::{Chosen, chosen_or_warned, nothing_matches};
use crate::ops::error::OpError;
use crate::ops::open::spec_of;
use crate::ops::requests::{Requests, ToFetch};
use crate::ops::retain::{After, retain};
use crate::ops::select::Select;
use crate::ops::supply::{Supply, roots, split, turn_to};
use crate::ops::trees::{Recall, Source};
use crate::progress::Job;
use crate::repo::Repo;
use crate::transfer::{
    self, Contact, Fetched, Filter, ToReceive, Wanted, are_local, is_local, plan_fetch,
};

/// What to fetch.
#[derive(Clone, Debug, Default)]
pub struct FetchOptions {
    /// Which pointers, and which part of each.
    pub select: Select,
    /// The remote; the default one if absent.
    pub remote: Option<String>,
    /// Transfers at once.
    pub jobs: Option<usize>,
    /// Refuse to receive more than this many bytes of content, bases included.
    pub max_bytes: Option<u64>,
    /// Whether the catalogue as it was seen last is believed.
    pub recall: Recall,
}

/// What a fetch would bring.
#[derive(Serialize)]
pub struct FetchPlan<'r> {
    /// The remote's name, or those of several with commas between; empty if none is needed.
    pub remote: String,
    /// Files wanted.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes of chunks that are not here, before compression.
    pub fetch_bytes: u64,
    /// Bytes of packs to receive for them, with those of absent bases.
    pub receive_bytes: u64,
    /// Requests that this takes once the nodes above the content are here, as they are by now.
    pub requests: u64,
    #[serde(skip)]
    work: Option<Work<'r>>,
    /// What was asked for, to say of which commit it is when something is wrong.
    #[serde(skip)]
    select: Select,
}

impl FetchPlan<'_> {
    /// Returns the figures alone.
    pub fn figures(&self) -> ToFetch {
        let Self { files, bytes, receive_bytes, requests, .. } = *self;
        ToFetch { files, bytes, receive_bytes, requests }
    }

    /// Says whether everything is here.
    pub(crate) fn nothing_to_bring(&self) -> bool {
        self.work.is_none()
    }
}

/// What comes from which remote, and who else may be asked.
struct Work<'r> {
    parts: Vec<Part<'r>>,
    supply: Supply<'r>,
    bounds: Bounds,
}

/// What comes from one remote.
struct Part<'r> {
    plan: transfer::FetchPlan,
    remote: String,
    contact: Contact<'r>,
}

/// What a fetch brought.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FetchReport {
    /// The remote's name, or those of several with commas between; empty if none was needed.
    pub remote: String,
    /// Files wanted.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes of chunks that came from the remote, before compression.
    pub fetched_bytes: u64,
    /// Bytes that were here.
    pub reused_bytes: u64,
    /// What was asked of the remote.
    pub requests: Requests,
}

impl FetchReport {
    /// Adds what a fetch of the same brought before this one.
    pub(crate) fn after(mut self, earlier: Self) -> Self {
        if self.remote.is_empty() {
            self.remote = earlier.remote;
        }
        self.fetched_bytes = self.fetched_bytes.saturating_add(earlier.fetched_bytes);
        self.reused_bytes = self.bytes.saturating_sub(self.fetched_bytes);
        self.requests = self.requests.plus(earlier.requests);
        self
    }
}

/// Finds what is absent; asks the remote, for nodes only, unless everything is here.
pub fn plan<'r>(
    repo: &'r Repo,
    options: &FetchOptions,
    job: &Job,
) -> Result<FetchPlan<'r>, OpError> {
    plan_needed(repo, options, &|| Ok(None), job)
}

/// Says which chunks are needed of those that are wanted, once the trees are on this machine; nothing if
/// all are.
pub(crate) type Needed<'n> = &'n dyn Fn() -> Result<Option<HashSet<ChunkId>>, OpError>;

/// As [`plan`], of what is needed.
pub(crate) fn plan_needed<'r>(
    repo: &'r Repo,
    options: &FetchOptions,
    needed: Needed<'_>,
    job: &Job,
) -> Result<FetchPlan<'r>, OpError> {
    look(repo, options, needed, job).map_err(|e| e.with_commit(repo, &options.select))
}

fn look<'r>(
    repo: &'r Repo,
    options: &FetchOptions,
    needed: Needed<'_>,
    job: &Job,
) -> Result<FetchPlan<'r>, OpError> {
    let select = options.select.clone();
    if let Some(name) = &options.remote {
        // A wrong name is an error also where nothing has to be asked.
        spec_of(repo, name)?;
    }
    let wanted: Vec<Wanted> =
        chosen_or_warned(repo, &options.select, job)?.iter().map(Chosen::wanted).collect();
    let index = repo.index()?;
    let mut reader = ObjectReader::new(repo.layout(), index)?;
    let inside = |w: &Wanted| matches!(w.filter, Filter::Some(_));
    let only_inside = !wanted.is_empty() && wanted.iter().all(inside);
    let mut here = is_local(&wanted, &mut reader, job)?;
    let chunks = if here.is_none() { needed()? } else { None };
    if let Some(chunks) = &chunks {
        here = are_local(&wanted, chunks, &mut reader, job)?;
    }
    if let Some((files, bytes)) = here {
        if files == 0 && only_inside {
            return Err(nothing_matches(&options.select));
        }
        return Ok(FetchPlan {
            remote: String::new(),
            files,
            bytes,
            fetch_bytes: 0,
            receive_bytes: 0,
            requests: 0,
            work: None,
            select,
        });
    }
    let (remote, jobs) = (options.remote.clone(), options.jobs);
    let source = Source { remote, jobs, recall: options.recall };
    let mut work = Work::plan(repo, wanted, &source, job)?;
    let chunks = chunks.map_or_else(needed, |chunks| Ok(Some(chunks)))?;
    work.bounds = Bounds::new(chunks, options.max_bytes);
    work.parts.iter_mut().for_each(|part| work.bounds.keep_needed(&mut part.plan));
    let ToReceive { requests, bytes: receive_bytes } = to_receive(&work.parts)?;
    work.bounds.admit(receive_bytes)?;
    let sum = |figure: fn(&transfer::FetchPlan) -> u64| {
        work.parts.iter().map(|part| figure(&part.plan)).fold(0, u64::saturating_add)
    };
    let (files, bytes, fetch_bytes) =
        (sum(|plan| plan.files), sum(|plan| plan.bytes), sum(|plan| plan.absent_bytes));
    if files == 0 && only_inside {
        return Err(nothing_matches(&options.select));
    }
    let remote = work.remotes();
    let work = Some(work);
    Ok(FetchPlan { remote, files, bytes, fetch_bytes, receive_bytes, requests, work, select })
}

impl<'r> Work<'r> {
    /// Finds what is absent, each root on the first remote that lists it.
    fn plan(
        repo: &'r Repo,
        wanted: Vec<Wanted>,
        source: &Source,
        job: &Job,
    ) -> Result<Self, OpError> {
        let supply = Supply::of(repo, source)?;
        let mut work = Self { parts: Vec::new(), supply, bounds: Bounds::default() };
        let mut left = wanted;
        let known = |left: &[Wanted]| match source.recall {
            Recall::Yes => roots(left),
            Recall::No => Vec::new(),
        };
        while !left.is_empty() {
            if work.parts.is_empty() || work.supply.has_others() {
                let planned = work.supply.serve(&known(&left), job, |contact| {
                    let (own, rest) = split(repo, &left, contact, job)?;
                    // With nothing of it listed, the remote at hand is to say so.
                    let (own, rest) = if own.is_empty() { (rest, own) } else { (own, rest) };
                    Ok((plan_fetch(own, contact, job)?, rest))
                });
                match (planned, work.supply.take()) {
                    (Ok((plan, rest)), Some((remote, contact))) => {
                        work.parts.push(Part { plan, remote, contact });
                        left = rest;
                        continue;
                    }
                    (Err(e), _) if work.parts.is_empty() || !e.is_of_one_remote() => return Err(e),
                    (Ok(_) | Err(_), _) => {}
                }
            }
            // The remote that is meant says best what nobody has.
            let Some(part) = work.parts.first_mut() else { break };
            left.extend_from_slice(part.plan.wanted());
            part.plan = plan_fetch(std::mem::take(&mut left), &mut part.contact, job)?;
        }
        Ok(work)
    }

    fn remotes(&self) -> String {
        let names: Vec<&str> = self.parts.iter().map(|part| part.remote.as_str()).collect();
        names.join(", ")
    }

    /// Fetches; what one remote turns out not to have as it should comes from another.
    fn fetch(mut self, report: &mut FetchReport, job: &Job) -> Result<(), OpError> {
        let mut served: Vec<String> = Vec::new();
        for number in 0..self.parts.len() {
            let (before, rest) = self.parts.split_at_mut(number);
            let Some((Part { plan, remote, contact }, after)) = rest.split_first_mut() else {
                break;
            };
            let (by, fetched) = match self.bounds.fetch(plan, contact, job) {
                Ok(fetched) => (remote.clone(), fetched),
                Err(e) => {
                    let later = to_receive(after)?.bytes;
                    let others = before.iter_mut().chain(after);
                    let again = (plan.wanted(), &mut self.bounds, later);
                    elsewhere(e, again, (others, &mut self.supply), job)?
                }
            };
            report.fetched_bytes = report.fetched_bytes.saturating_add(fetched.fetched_bytes);
            if !served.contains(&by) {
                served.push(by);
            }
        }
        report.remote = served.join(", ");
        let last = self.supply.at_hand().map(|(_, contact)| contact);
        for contact in self.parts.iter().map(|part| &part.contact).chain(last) {
            report.requests = report.requests.plus(contact.remote().counts().into());
        }
        Ok(())
    }
}

fn to_receive(parts: &[Part<'_>]) -> Result<ToReceive, OpError> {
    let mut sum = ToReceive::default();
    for part in parts {
        let own = part.plan.to_receive(&part.contact)?;
        sum.requests += own.requests;
        sum.bytes = sum.bytes.saturating_add(own.bytes);
    }
    Ok(sum)
}

/// Fetches what one remote could not serve: from the others of the plan, which are in contact, then from
/// those that were not asked yet; no more of it than was planned, with `later` bytes still to come from
/// others. Returns who served.
fn elsewhere<'p, 'r: 'p>(
    error: OpError,
    (wanted, bounds, later): (&[Wanted], &mut Bounds, u64),
    (others, supply): (impl Iterator<Item = &'p mut Part<'r>>, &mut Supply<'r>),
    job: &Job,
) -> Result<(String, Fetched), OpError> {
    let mut again = |contact: &mut Contact<'r>| -> Result<Fetched, OpError> {
        let mut plan = plan_fetch(wanted.to_vec(), contact, job)?;
        bounds.keep_needed(&mut plan);
        bounds.admit(plan.to_receive(contact)?.bytes.saturating_add(later))?;
        bounds.fetch(&plan, contact, job)
    };
    let mut why = error.to_string();
    if error.is_of_one_remote() {
        for Part { remote, contact, .. } in others {
            turn_to(remote, &why, job);
            match again(contact) {
                Err(e) if e.is_of_one_remote() => why = e.to_string(),
                done => return Ok((remote.clone(), done?)),
            }
        }
    }
    let fetched = supply.instead(error, &roots(wanted), job, again)?;
    let by = supply.at_hand().map_or("", |(name, _)| name).to_owned();
    Ok((by, fetched))
}

/// Fetches what is not here of what is wanted, from whichever remote has it.
pub(crate) fn bring_content(repo: &Repo, wanted: Vec<Wanted>, job: &Job) -> Result<(), OpError> {
    let _working = repo.lock_for_work()?;
    let mut reader = ObjectReader::new(repo.layout(), repo.index()?)?;
    if is_local(&wanted, &mut reader, job)?.is_some() {
        return Ok(());
    }
    Work::plan(repo, wanted, &Source::default(), job)?.fetch(&mut FetchReport::default(), job)
}

/// Fetches the trees of what is wanted, and none of the content.
pub(crate) fn bring_trees(repo: &Repo, wanted: &[Wanted], job: &Job) -> Result<(), OpError> {
    Work::plan(repo, wanted.to_vec(), &Source::default(), job).map(drop)
}

/// Fetches what is absent, then keeps the cache to its size.
pub fn run(repo: &Repo, plan: FetchPlan<'_>, job: &Job) -> Result<FetchReport, OpError> {
    let report = bring(repo, plan, job)?;
    retain(repo, After::Fetch, job);
    Ok(report)
}

/// Fetches what is absent.
pub(crate) fn bring(repo: &Repo, plan: FetchPlan<'_>, job: &Job) -> Result<FetchReport, OpError> {
    let _working = repo.lock_for_work()?;
    let mut report = FetchReport {
        remote: plan.remote,
        files: plan.files,
        bytes: plan.bytes,
        reused_bytes: plan.bytes.saturating_sub(plan.fetch_bytes),
        ..FetchReport::default()
    };
    if let Some(work) = plan.work {
        work.fetch(&mut report, job).map_err(|e| e.with_commit(repo, &plan.select))?;
    }
    Ok(report)
}
