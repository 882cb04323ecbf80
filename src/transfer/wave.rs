//! One wave of frames: fetched together, checked and kept; what a place did not hold is said object
//! by object, as the catalogue may know another place.

use bytes::Bytes;

use crate::catalogue::key;
use crate::hash::PackKind;
use crate::progress::Job;
use crate::remote::{Fetch, RemoteError};
use crate::transfer::catalogue::Contact;
use crate::transfer::error::TransferError;
use crate::transfer::land::{Flaw, Landed, Landing, Orders};
use crate::transfer::ranges::{FrameSpan, Range, Slack, ranges};
use crate::transfer::walk::Spot;

const HEADER_LEN: u32 = 24;

/// What a wave asks for and how.
pub(super) struct Wave<'w> {
    pub(super) contact: &'w Contact<'w>,
    pub(super) kind: PackKind,
    pub(super) slack: Slack,
    /// Bytes read in front of each range, on the chance that they are wanted next.
    pub(super) behind: u64,
    /// The objects wanted from each frame.
    pub(super) orders: &'w Orders,
}

/// An answer: its range, the offset of its first byte, its bytes, and its frames.
pub(super) type Arrived<'a> = (&'a Range, u32, Bytes, Vec<Landed>);

impl Wave<'_> {
    /// Fetches the frames at these places; returns what was wrong with those that could not be had.
    ///
    /// A range that cannot be had as a whole is asked for frame by frame: one wrong place must not
    /// take its neighbours with it. What arrived before an interruption is kept.
    pub(super) fn fetch(
        &self,
        spots: Vec<Spot>,
        job: &Job,
        mut each: impl FnMut(Arrived),
    ) -> Result<Vec<Flaw>, TransferError> {
        let mut landing = Landing::new(self.contact.layout(), self.contact.index(), self.kind);
        let mut flaws = Vec::new();
        let mut asked = ranges(spots, self.slack);
        while !asked.is_empty() {
            let mut apart = Vec::new();
            let fetches = asked.iter().map(|range| self.fetch_of(range)).collect();
            let (remote, jobs) = (self.contact.remote(), self.contact.jobs());
            let result = remote.get_ranges(fetches, jobs, job, |i, answer| {
                let Some(range) = asked.get(i) else { return Ok(()) };
                let bytes = match answer {
                    Ok(bytes) => bytes,
                    Err(e) if e.is_damaged() && range.frames.len() > 1 => {
                        apart.extend(range.frames.iter().map(|span| alone(range, *span)));
                        return Ok(());
                    }
                    Err(e) if e.is_missing() || e.is_damaged() => {
                        flaws.extend(self.refused(range, &e));
                        return Ok(());
                    }
                    Err(e) => return Err(e.into()),
                };
                let from = self.start_of(range);
                let own = bytes.slice(((range.from - from) as usize).min(bytes.len())..);
                let landed = landing.land(range, &own, self.orders)?;
                flaws.extend(landed.iter().flat_map(|landed| landed.flaws.iter().cloned()));
                each((range, from, bytes, landed));
                Ok::<(), TransferError>(())
            });
            landing.record()?;
            if let Err(e) = result {
                landing.settle()?;
                return Err(e);
            }
            asked = apart;
        }
        flaws.extend(landing.settle()?);
        Ok(flaws)
    }

    fn refused(&self, range: &Range, error: &RemoteError) -> Vec<Flaw> {
        let frames = range.frames.iter();
        let objects = frames.filter_map(|span| self.orders.get(&(range.pack, span.offset)));
        let (pack, why) = (range.pack, error.to_string());
        let flaw = |object| Flaw { object, pack, why: why.clone(), base: None };
        objects.flatten().map(|object| flaw(*object)).collect()
    }

    fn start_of(&self, range: &Range) -> u32 {
        let behind = u32::try_from(self.behind).unwrap_or(0);
        range.from.saturating_sub(behind).max(HEADER_LEN).min(range.from)
    }

    fn fetch_of(&self, range: &Range) -> Fetch {
        let (from, to) = (u64::from(self.start_of(range)), u64::from(range.to));
        Fetch { key: key::pack(self.kind, range.pack), range: Some(from..to), limit: to - from }
    }
}

/// The range of one frame.
pub(super) fn single(spot: Spot) -> Range {
    let span = FrameSpan { offset: spot.offset, len: spot.frame_len };
    let to = spot.offset.saturating_add(spot.frame_len);
    Range { pack: spot.pack, from: spot.offset, to, frames: vec![span] }
}

fn alone(range: &Range, span: FrameSpan) -> Range {
    let to = span.offset.saturating_add(span.len);
    Range { pack: range.pack, from: span.offset, to, frames: vec![span] }
}
