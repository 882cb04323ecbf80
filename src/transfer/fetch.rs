//! Fetching what pointers name into the cache: nodes level by level, then all chunks in one wave.

use crate::cache::{IndexReader, ObjectReader};
use crate::catalogue::key;
use crate::hash::PackKind;
use crate::progress::{Job, Kind};
use crate::remote::Fetch;
use crate::transfer::catalogue::Contact;
use crate::transfer::error::TransferError;
use crate::transfer::filter::Filter;
use crate::transfer::land::{Landing, Object, Orders};
use crate::transfer::nodes::{Sight, walk};
use crate::transfer::ranges::{Range, Slack, ranges};
use crate::transfer::root::Wanted;
use crate::transfer::walk::{ChunkStep, Spot};

/// What a fetch would bring; its nodes are here already.
pub struct FetchPlan {
    pub(super) wanted: Vec<Wanted>,
    pub(super) chunks: Vec<ChunkStep>,
    /// Files wanted.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes of chunks that are not on this machine, before compression.
    pub absent_bytes: u64,
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
    match walk(wanted, reader, Sight::Local, job) {
        Ok(walked) => {
            let view = reader.view();
            let all = walked.chunks.iter().all(|c| view.find_held(&c.id.0).is_some());
            Ok(all.then_some((walked.files, walked.bytes)))
        }
        Err(TransferError::NobodyPushed { .. }) => Ok(None),
        Err(e) => Err(e),
    }
}

/// Fetches the nodes of everything wanted and finds which chunks are absent.
pub fn plan_fetch(
    wanted: Vec<Wanted>,
    reader: &mut ObjectReader,
    contact: &Contact,
    job: &Job,
) -> Result<FetchPlan, TransferError> {
    let walked = walk(&wanted, reader, Sight::Content(contact), job)?;
    let view: &IndexReader = reader.view();
    let chunks: Vec<ChunkStep> =
        walked.chunks.into_iter().filter(|c| view.find_held(&c.id.0).is_none()).collect();
    let absent_bytes = chunks.iter().map(|c| c.size).fold(0, u64::saturating_add);
    Ok(FetchPlan { wanted, chunks, files: walked.files, bytes: walked.bytes, absent_bytes })
}

/// Fetches the absent chunks of a plan in one wave.
pub fn fetch_data(
    plan: &FetchPlan,
    contact: &Contact,
    job: &Job,
) -> Result<Fetched, TransferError> {
    let mut orders = Orders::new();
    let mut spots = Vec::with_capacity(plan.chunks.len());
    for step in &plan.chunks {
        let spot = step.spot.or_else(|| contact.locate(step.id.key()));
        let Some(spot) = spot else {
            return Err(contact.nobody_pushed(&plan.wanted, step.wanted, &step.id.0));
        };
        let len = u32::try_from(step.size).unwrap_or(u32::MAX);
        let object = Object { id: step.id.0, skip: spot.skip, len, wanted: step.wanted };
        orders.entry((spot.pack, spot.offset)).or_default().push(object);
        spots.push(Spot { skip: 0, ..spot });
    }
    let whole = plan.wanted.iter().all(|w| matches!(w.filter, Filter::All));
    let asked = ranges(spots, if whole { Slack::Usual } else { Slack::Little });
    let task =
        job.begin(Kind::Download, Some(asked.iter().map(|r| u64::from(r.to - r.from)).sum()));
    let mut landing = Landing::new(contact.layout(), contact.index(), PackKind::Data);
    let fetches = asked.iter().map(fetch_of).collect();
    let result = contact.remote().get_ranges(fetches, contact.jobs(), job, |i, answer| {
        let Some(range) = asked.get(i) else { return Ok(()) };
        let bytes = answer.map_err(|e| contact.unreadable(range, &orders, &plan.wanted, e))?;
        for frame in landing.land(range, &bytes, &orders)? {
            frame.map_err(|flaw| contact.flawed(&plan.wanted, flaw))?;
        }
        task.advance(bytes.len() as u64);
        Ok::<(), TransferError>(())
    });
    // What arrived before an interruption is kept, so that the next run asks for the rest only.
    landing.record()?;
    result?;
    Ok(Fetched { files: plan.files, bytes: plan.bytes, fetched_bytes: plan.absent_bytes })
}

fn fetch_of(range: &Range) -> Fetch {
    let (from, to) = (u64::from(range.from), u64::from(range.to));
    Fetch { key: key::pack(PackKind::Data, range.pack), range: Some(from..to), limit: to - from }
}
