//! `haul fetch`: content of pointers into the cache.

use serde::Serialize;

use crate::cache::ObjectReader;
use crate::hash::Key;
use crate::ops::chosen::{Chosen, chosen_or_warned, nothing_matches};
use crate::ops::error::OpError;
use crate::ops::open::{choose, spec_of};
use crate::ops::requests::Requests;
use crate::ops::retain::{After, retain};
use crate::ops::select::Select;
use crate::progress::Job;
use crate::repo::Repo;
use crate::transfer::{self, Contact, Filter, TransferError, Wanted, is_local, plan_fetch};

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
}

/// What a fetch would bring.
#[derive(Serialize)]
pub struct FetchPlan<'r> {
    /// The remote's name; empty if none is needed.
    pub remote: String,
    /// Files wanted.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes of chunks that are not here, before compression.
    pub fetch_bytes: u64,
    /// Bytes of packs to receive for them, with those of absent bases.
    pub receive_bytes: u64,
    #[serde(skip)]
    work: Option<(transfer::FetchPlan, Contact<'r>)>,
    /// What was asked for, to say of which commit it is when something is wrong.
    #[serde(skip)]
    select: Select,
}

impl FetchPlan<'_> {
    /// Says whether everything is here.
    pub(crate) fn nothing_to_bring(&self) -> bool {
        self.work.is_none()
    }
}

/// What a fetch brought.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FetchReport {
    /// The remote's name; empty if none was needed.
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
    look(repo, options, job).map_err(|e| e.with_commit(repo, &options.select))
}

fn look<'r>(repo: &'r Repo, options: &FetchOptions, job: &Job) -> Result<FetchPlan<'r>, OpError> {
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
    if let Some((files, bytes)) = is_local(&wanted, &mut reader, job)? {
        if files == 0 && only_inside {
            return Err(nothing_matches(&options.select));
        }
        return Ok(FetchPlan {
            remote: String::new(),
            files,
            bytes,
            fetch_bytes: 0,
            receive_bytes: 0,
            work: None,
            select,
        });
    }
    let target = choose(repo, options.remote.as_deref(), options.jobs)?;
    let parts = (repo.layout(), index);
    let roots: Vec<Key> = wanted.iter().filter_map(|w| w.root.key()).collect();
    let mut contact = Contact::make_for(&roots, target.open()?, parts, target.jobs, job)?;
    let work = plan_fetch(wanted, &mut contact, job)?;
    let receive_bytes = work.bytes_to_receive(&contact)?;
    if let Some(allowed) = options.max_bytes.filter(|max| receive_bytes > *max) {
        return Err(TransferError::OverBudget { wanted: receive_bytes, allowed }.into());
    }
    if work.files == 0 && only_inside {
        return Err(nothing_matches(&options.select));
    }
    let (files, bytes, fetch_bytes) = (work.files, work.bytes, work.absent_bytes);
    let work = Some((work, contact));
    let remote = target.name;
    Ok(FetchPlan { remote, files, bytes, fetch_bytes, receive_bytes, work, select })
}

/// Fetches what is not here of what is wanted from the default remote.
pub(crate) fn bring_content(repo: &Repo, wanted: Vec<Wanted>, job: &Job) -> Result<(), OpError> {
    let _working = repo.lock_for_work()?;
    let mut reader = ObjectReader::new(repo.layout(), repo.index()?)?;
    if is_local(&wanted, &mut reader, job)?.is_some() {
        return Ok(());
    }
    let mut contact = contact_for(repo, &wanted, job)?;
    let plan = plan_fetch(wanted, &mut contact, job)?;
    transfer::fetch_data(&plan, &mut contact, job)?;
    Ok(())
}

/// Fetches the trees of what is wanted from the default remote, and none of the content.
pub(crate) fn bring_trees(repo: &Repo, wanted: &[Wanted], job: &Job) -> Result<(), OpError> {
    plan_fetch(wanted.to_vec(), &mut contact_for(repo, wanted, job)?, job)?;
    Ok(())
}

fn contact_for<'r>(repo: &'r Repo, wanted: &[Wanted], job: &Job) -> Result<Contact<'r>, OpError> {
    let target = choose(repo, None, None)?;
    let roots: Vec<Key> = wanted.iter().filter_map(|w| w.root.key()).collect();
    let parts = (repo.layout(), repo.index()?);
    Ok(Contact::make_for(&roots, target.open()?, parts, target.jobs, job)?)
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
    if let Some((work, mut contact)) = plan.work {
        let fetched = transfer::fetch_data(&work, &mut contact, job)
            .map_err(|e| OpError::from(e).with_commit(repo, &plan.select))?;
        report.fetched_bytes = fetched.fetched_bytes;
        report.requests = contact.remote().counts().into();
    }
    Ok(report)
}
