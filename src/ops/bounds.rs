//! What a fetch keeps to, also where another remote stands in: what is needed, and what may be received.

use std::collections::HashSet;

use crate::hash::ChunkId;
use crate::ops::error::OpError;
use crate::progress::Job;
use crate::transfer::{Contact, FetchPlan, Fetched, TransferError, fetch_data};

/// The bounds of one fetch.
#[derive(Default)]
pub(crate) struct Bounds {
    /// The chunks that are needed; nothing if all that are wanted are.
    needed: Option<HashSet<ChunkId>>,
    /// Most bytes of content to receive.
    max_bytes: Option<u64>,
    /// Bytes of content that were received, of what turned out to be damaged too.
    received: u64,
}

impl Bounds {
    pub(crate) fn new(needed: Option<HashSet<ChunkId>>, max_bytes: Option<u64>) -> Self {
        Self { needed, max_bytes, received: 0 }
    }

    /// Leaves out of a plan what is not needed.
    pub(crate) fn keep_needed(&self, plan: &mut FetchPlan) {
        if let Some(needed) = &self.needed {
            plan.keep_only(needed);
        }
    }

    /// Requires that as many bytes may be received on top of what was.
    pub(crate) fn admit(&self, bytes: u64) -> Result<(), OpError> {
        let wanted = self.received.saturating_add(bytes);
        match self.max_bytes.filter(|max| wanted > *max) {
            Some(allowed) => Err(TransferError::OverBudget { wanted, allowed }.into()),
            None => Ok(()),
        }
    }

    /// Fetches, and counts what that receives, whether it ends well or not.
    pub(crate) fn fetch(
        &mut self,
        plan: &FetchPlan,
        contact: &mut Contact,
        job: &Job,
    ) -> Result<Fetched, OpError> {
        let received = |contact: &Contact| contact.remote().counts().bytes_received;
        let before = received(contact);
        let fetched = fetch_data(plan, contact, job);
        let news = received(contact).saturating_sub(before);
        self.received = self.received.saturating_add(news);
        Ok(fetched?)
    }
}
