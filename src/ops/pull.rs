//! `haul pull`: fetch, then checkout.

use serde::Serialize;

use crate::ops::checkout::{self, CheckoutOptions, CheckoutReport};
use crate::ops::error::OpError;
use crate::ops::fetch::{self, FetchOptions, FetchReport};
use crate::ops::retain::{After, retain};
use crate::progress::Job;
use crate::repo::Repo;

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
    checkout: CheckoutOptions,
    #[serde(skip)]
    options: FetchOptions,
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
    let fetch = fetch::plan(repo, &options.fetch, job)?;
    let checkout = CheckoutOptions { select: options.fetch.select.clone(), force: options.force };
    Ok(PullPlan { fetch, checkout, options: options.fetch.clone() })
}

/// Fetches what is absent and places it; changed files are refused before anything is placed.
pub fn run(repo: &Repo, plan: PullPlan<'_>, job: &Job) -> Result<PullReport, OpError> {
    let fetch = fetch::bring(repo, plan.fetch, job)?;
    let rev = plan.checkout.select.rev.as_deref();
    let place = || checkout::place(repo, checkout::plan(repo, &plan.checkout, job)?, job);
    let checkout = loop {
        match place() {
            // What others put into a shared cache may be damaged: each time one pack less is.
            Err(e) if repo.layout().is_shared() && e.is_cached_damage() => {
                job.warn(&format!("{e}; fetching it again"));
                fetch::bring(repo, fetch::plan(repo, &plan.options, job)?, job)?;
            }
            placed => break placed.map_err(|e| e.at(rev))?,
        }
    };
    retain(repo, After::Checkout, job);
    Ok(PullReport { fetch, checkout })
}
