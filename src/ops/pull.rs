//! `haul pull`: fetch, then checkout.

use std::collections::HashSet;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;

use crate::hash::ChunkId;
use crate::ops::checkout::{
    self, Ahead, AtHand, CheckoutOptions, CheckoutPlan, CheckoutReport, Mixed, Order,
};
use crate::ops::chosen::chosen;
use crate::ops::error::{Exit, OpError};
use crate::ops::fetch::{self, FetchOptions, FetchReport};
use crate::ops::open::choose;
use crate::ops::requests::ToFetch;
use crate::ops::retain::{After, retain};
use crate::progress::Job;
use crate::repo::Repo;
use crate::transfer::{Contact, Purpose};
use crate::worktree::Arriving;

/// Most tries to fetch again what turned out not to be in the cache: who spoils it each time gets no
/// further.
const ROUNDS: u32 = 64;
/// Bytes to receive, and mean bytes of a file, from which on files are built while the rest arrives.
const AHEAD_FROM: u64 = 64 << 20;
const AHEAD_MEAN: u64 = 128 << 10;

/// What to pull.
#[derive(Clone, Debug, Default)]
pub struct PullOptions {
    /// What to fetch, and from where; the same selection is checked out.
    pub fetch: FetchOptions,
    /// Put changed files aside instead of refusing.
    pub force: bool,
}

/// What a pull would do.
#[derive(Serialize)]
pub struct PullPlan<'r> {
    /// The fetch.
    #[serde(flatten)]
    pub fetch: fetch::FetchPlan<'r>,
    #[serde(skip)]
    options: PullOptions,
}

/// What a pull would do, down to each file.
#[derive(Serialize)]
pub struct PullPreview<'r> {
    /// The fetch.
    #[serde(flatten)]
    pub fetch: fetch::FetchPlan<'r>,
    /// The checkout, once all is fetched.
    pub checkout: CheckoutPlan,
}

/// What a pull did.
#[derive(Clone, Debug, Serialize)]
pub struct PullReport {
    /// What was fetched.
    pub fetch: FetchReport,
    /// What was placed.
    pub checkout: CheckoutReport,
}

/// Finds what is absent.
pub fn plan<'r>(repo: &'r Repo, options: &PullOptions, job: &Job) -> Result<PullPlan<'r>, OpError> {
    // Before the fetch opens the index, though it is for the checkout, which reads pointers again.
    repo.begin_changes(job)?;
    let needed = || needed(repo, options, AtHand::WholeFiles, job);
    let fetch = fetch::plan_needed(repo, &options.fetch, &needed, job)?;
    Ok(PullPlan { fetch, options: options.clone() })
}

/// Lists what the checkout cannot do without; nothing where that cannot be told yet, or is everything.
fn needed(
    repo: &Repo,
    options: &PullOptions,
    at_hand: AtHand,
    job: &Job,
) -> Result<Option<HashSet<ChunkId>>, OpError> {
    let chosen = chosen(repo, &options.fetch.select)?;
    let mut there = repo.layout().files_folder().exists() || Mixed::of(repo)?.is_some();
    for item in &chosen {
        there = there || repo.door().stamp(&item.path)?.is_some();
    }
    if !there {
        return Ok(None);
    }
    let (select, force) = (options.fetch.select.clone(), options.force);
    let checkout = CheckoutOptions { select, force, ..CheckoutOptions::default() };
    match checkout::plan_of(repo, (&checkout, &chosen), &job.silently()) {
        Ok(plan) => checkout::needed_chunks(repo, &plan, at_hand),
        Err(e) if e.exit() == Exit::Interrupted => Err(e),
        // The checkout itself says what is wrong.
        Err(_) => Ok(None),
    }
}

/// Looks at the worktree too, which a pull itself does once all is fetched.
pub fn preview<'r>(
    repo: &'r Repo,
    plan: PullPlan<'r>,
    job: &Job,
) -> Result<PullPreview<'r>, OpError> {
    let checkout = placing(repo, &plan.options, job)?;
    Ok(PullPreview { fetch: plan.fetch, checkout })
}

/// Fetches what is absent and places it; changed files are refused before anything is placed.
pub fn run(repo: &Repo, plan: PullPlan<'_>, job: &Job) -> Result<PullReport, OpError> {
    let orders = orders(repo, &plan)?;
    let (mut fetch, ahead) = bring(repo, plan.fetch, &orders, job)?;
    let place = || checkout::place(repo, placing(repo, &plan.options, job)?, &ahead, job);
    let mut checkout = CheckoutReport::default();
    for round in 1..=ROUNDS {
        match place() {
            // What others put into a shared cache may be damaged: each time one pack less is.
            Err(e) if round < ROUNDS && repo.layout().is_shared() && e.is_cached_damage() => {
                job.warn(&format!("{e}; fetching it again"));
            }
            placed => {
                checkout = placed?.after(checkout);
                if checkout.missing.is_empty() || round == ROUNDS {
                    break;
                }
            }
        }
        // What could not be read, as packs of the cache were removed or have holes since a power cut,
        // the index knows of now.
        let mut rest = plan.options.fetch.clone();
        rest.max_bytes = rest.max_bytes.map(|max| max.saturating_sub(fetch.requests.received));
        let needed = || needed(repo, &plan.options, AtHand::Nothing, job);
        let again = fetch::plan_needed(repo, &rest, &needed, job)?;
        if again.nothing_to_bring() {
            break;
        }
        fetch = fetch::bring(repo, again, job)?.after(fetch);
    }
    retain(repo, After::Checkout, job);
    Ok(PullReport { fetch, checkout })
}

/// Lists what can be built while the fetch runs. Where files are small, looking for that would take longer than
/// it saves.
fn orders(repo: &Repo, plan: &PullPlan<'_>) -> Result<Vec<Order>, OpError> {
    let ToFetch { files, bytes, receive_bytes, .. } = plan.fetch.figures();
    if receive_bytes < AHEAD_FROM || bytes / files.max(1) < AHEAD_MEAN {
        return Ok(Vec::new());
    }
    let chosen = chosen(repo, &plan.options.fetch.select)?;
    match checkout::orders(repo, &chosen, receive_bytes) {
        Err(e) if e.exit() == Exit::Interrupted => Err(e),
        // The checkout itself says what is wrong.
        orders => Ok(orders.unwrap_or_default()),
    }
}

/// Fetches, and builds large files meanwhile.
fn bring<'o>(
    repo: &Repo,
    plan: fetch::FetchPlan<'_>,
    orders: &'o [Order],
    job: &Job,
) -> Result<(FetchReport, Ahead<'o>), OpError> {
    if orders.is_empty() {
        return Ok((fetch::bring(repo, plan, job)?, Ahead::default()));
    }
    let cache = (repo.layout(), repo.index()?);
    let (over, failed) = (AtomicBool::new(false), AtomicBool::new(false));
    let arriving = Arriving { arrivals: cache.1.arrivals(), over: &over, failed: &failed };
    std::thread::scope(|scope| {
        let building = scope.spawn(|| Ahead::build(orders, cache, arriving, job));
        let end = AtEnd(&over);
        let fetched = fetch::bring(repo, plan, job);
        failed.store(fetched.is_err(), Ordering::Release);
        drop(end);
        let ahead = building.join().unwrap_or_else(|panic| resume_unwind(panic));
        Ok((fetched?, ahead))
    })
}

/// Says that something is over once this is dropped, also by a panic: nobody waits for it any more.
struct AtEnd<'a>(&'a AtomicBool);

impl Drop for AtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Plans the checkout; where it would be refused, the remote is asked whether it has what is there.
fn placing(repo: &Repo, options: &PullOptions, job: &Job) -> Result<CheckoutPlan, OpError> {
    let FetchOptions { select, remote, jobs, .. } = &options.fetch;
    // The fetch has warned already.
    let chosen = chosen(repo, select)?;
    let (select, force) = (select.clone(), options.force);
    let checkout = CheckoutOptions { select, force, ..CheckoutOptions::default() };
    let mut plan = checkout::plan_of(repo, (&checkout, &chosen), job)?;
    if plan.refused.is_empty() || options.force {
        return Ok(plan);
    }
    let mut spare = || {
        let target = choose(repo, remote.as_deref(), *jobs)?;
        let parts = (repo.layout(), repo.index()?);
        let contact = Contact::make(target.open()?, parts, target.jobs, Purpose::Read, job)?;
        checkout::spare_proven(repo, (&mut plan, &chosen), &contact, job)
    };
    match spare() {
        Err(e) if e.exit() == Exit::Interrupted => Err(e),
        // What cannot be proved stays refused.
        Ok(()) | Err(_) => Ok(plan),
    }
}
