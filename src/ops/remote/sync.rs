//! `haul remote sync`: one remote gets what it lacks of another one.

use serde::Serialize;

use crate::ops::error::OpError;
use crate::ops::open::choose;
use crate::ops::requests::Requests;
use crate::progress::Job;
use crate::repo::Repo;
use crate::transfer::{self, Contact, Purpose};

/// What was copied.
#[derive(Clone, Debug, Serialize)]
pub struct SyncReport {
    /// The remote that was read.
    pub from: String,
    /// The remote that was written to.
    pub to: String,
    /// Roots that it lists now and did not list before.
    pub roots: u64,
    /// Roots that both had.
    pub reused_roots: u64,
    /// Packs copied.
    pub packs: u64,
    /// Bytes of these packs.
    pub bytes: u64,
    /// What was asked of both.
    pub requests: Requests,
}

/// What would be copied.
#[derive(Clone, Debug, Serialize)]
pub struct SyncPlan {
    /// The remote that is read.
    pub from: String,
    /// The remote that would be written to.
    pub to: String,
    /// Roots that it does not list yet.
    pub roots: u64,
    /// Roots that both have.
    pub reused_roots: u64,
    /// Packs to be copied.
    pub packs: u64,
    /// Bytes of these packs.
    pub bytes: u64,
    /// Requests that the whole command would make of both, at most.
    pub requests: u64,
}

/// Both remotes.
type Two<'r> = ((String, Contact<'r>), (String, Contact<'r>));

fn contacts<'r>(
    repo: &'r Repo,
    (from, to): (&str, &str),
    jobs: Option<usize>,
    job: &Job,
) -> Result<Two<'r>, OpError> {
    let (source, target) = (choose(repo, Some(from), jobs)?, choose(repo, Some(to), jobs)?);
    if source.spec == target.spec {
        return Err(OpError::refused(
            format!("`{from}` and `{to}` are the same remote (`{}`)", source.url()),
            "name two that differ; `haul remote list` shows them",
        ));
    }
    let parts = (repo.layout(), repo.index()?);
    let from = Contact::make(source.open()?, parts, source.jobs, Purpose::Push, job)?;
    let to = Contact::make(target.open()?, parts, target.jobs, Purpose::Push, job)?;
    Ok(((source.name, from), (target.name, to)))
}

/// Finds what [`sync`] would copy, and copies nothing.
pub fn plan_sync(
    repo: &Repo,
    names: (&str, &str),
    jobs: Option<usize>,
    job: &Job,
) -> Result<SyncPlan, OpError> {
    let _working = repo.lock_for_work()?;
    let ((from, source), (to, target)) = contacts(repo, names, jobs, job)?;
    let (carried, requests) = transfer::to_carry(&source, &target, job)?;
    let transfer::Carried { roots, reused_roots, packs, bytes } = carried;
    Ok(SyncPlan { from, to, roots, reused_roots, packs, bytes, requests })
}

/// Copies what the remote `to` lacks of what `from` lists; content on this machine is not looked at.
pub fn sync(
    repo: &Repo,
    names: (&str, &str),
    jobs: Option<usize>,
    job: &Job,
) -> Result<SyncReport, OpError> {
    let _working = repo.lock_for_work()?;
    let ((from, source), (to, mut target)) = contacts(repo, names, jobs, job)?;
    let carried = transfer::sync(&source, &mut target, repo.identity()?.0, job)?;
    let asked = [&source, &target].map(|contact| Requests::from(contact.remote().counts()));
    Ok(SyncReport {
        from,
        to,
        roots: carried.roots,
        reused_roots: carried.reused_roots,
        packs: carried.packs,
        bytes: carried.bytes,
        requests: asked.into_iter().fold(Requests::default(), Requests::plus),
    })
}
