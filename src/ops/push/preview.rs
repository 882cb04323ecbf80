//! What a push would send, found out without sending.

use serde::Serialize;

use crate::ops::bounds::Bounds;
use crate::ops::error::OpError;
use crate::ops::push::verb::{PushPlan, request};
use crate::progress::Job;
use crate::repo::Repo;
use crate::transfer::{Contact, Purpose, Root, ToSend, to_send};

/// What a push would do, as the remote is now.
#[derive(Clone, Debug, Serialize)]
pub struct PushPreview {
    /// The remote's name.
    pub remote: String,
    /// Its address, without secrets.
    pub url: String,
    /// Pointers whose content has to be there.
    pub roots: u64,
    /// Those of them that the remote has.
    pub reused_roots: u64,
    /// Files that the pointers name.
    pub files: u64,
    /// Bytes of these; what several have in common counts for each.
    pub logical_bytes: u64,
    /// Bytes of chunks that would be sent, before compression.
    pub new_bytes: u64,
    /// Packs that would be sent, at most.
    pub packs: u64,
    /// Bytes of these, at most.
    pub bytes: u64,
    /// Requests that the whole command would make, at most, if nobody else changes the remote meanwhile.
    pub requests: u64,
}

/// Asks the remote what it has. Content and catalogue stay as they are. More than the budget is an error, as
/// it would be of the push.
pub fn preview(repo: &Repo, plan: PushPlan, job: &Job) -> Result<PushPreview, OpError> {
    let _working = repo.lock_for_work()?;
    let roots = || plan.wanted.iter().map(|(wanted, _)| &wanted.root);
    let files = roots().map(Root::files).fold(0, u64::saturating_add);
    let logical_bytes = roots().map(Root::size).fold(0, u64::saturating_add);
    let found = if roots().all(|root| *root == Root::Empty) {
        ToSend::default()
    } else {
        let request = request(repo, &plan.target, plan.wanted)?;
        let parts = (repo.layout(), repo.index()?);
        let remote = plan.target.open()?;
        let contact = Contact::make(remote, parts, plan.target.jobs, Purpose::Push, job)?;
        to_send(&request, &contact, job)?
    };
    Bounds::new(None, plan.max_bytes).admit(found.bytes)?;
    Ok(PushPreview {
        remote: plan.remote,
        url: plan.url,
        roots: plan.roots,
        reused_roots: found.reused_roots,
        files,
        logical_bytes,
        new_bytes: found.new_bytes,
        packs: found.packs,
        bytes: found.bytes,
        requests: found.requests,
    })
}
