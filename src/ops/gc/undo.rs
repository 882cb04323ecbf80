//! `haul gc undo`: keeps what a gc condemned, until it is removed.

use serde::Serialize;

use crate::ops::error::OpError;
use crate::ops::open::choose;
use crate::ops::requests::Requests;
use crate::progress::Job;
use crate::repo::Repo;
use crate::transfer::gc;
use crate::transfer::{Contact, Purpose};

/// What is kept again.
#[derive(Clone, Debug, Serialize)]
pub struct UndoReport {
    /// The remote's name.
    pub remote: String,
    /// Roots that are kept.
    pub roots: u64,
    /// Packs that were condemned and stay.
    pub packs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Packs that a gc removed at the same moment.
    pub gone: u64,
    /// Whether a gc was removing meanwhile, or died while it did: it may not have noticed.
    pub too_late: bool,
    /// What was asked of the remote.
    pub requests: Requests,
}

/// Records all roots again that the remote's baselines let go. They stay for 14 days, and longer if a
/// repository names them by then.
pub fn undo(
    repo: &Repo,
    remote: Option<&str>,
    jobs: Option<usize>,
    job: &Job,
) -> Result<UndoReport, OpError> {
    let target = choose(repo, remote, jobs)?;
    let _working = repo.lock_for_work()?;
    let parts = (repo.layout(), repo.index()?);
    let contact = Contact::make(target.open()?, parts, target.jobs, Purpose::Gc, job)?;
    let by = repo.identity()?.0;
    let Some(revived) = gc::undo(&contact, by, job)? else {
        return Err(OpError::refused(
            format!("no gc has condemned anything on remote `{}`", target.name),
            "run `haul gc` to see what it would do",
        ));
    };
    let gc::Revived { roots, packs, bytes, gone, too_late } = revived;
    let requests = contact.remote().counts().into();
    Ok(UndoReport { remote: target.name, roots, packs, bytes, gone, too_late, requests })
}
