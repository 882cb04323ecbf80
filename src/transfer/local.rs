//! Taking in what lies on this machine although the index does not place it there, before the remote
//! is asked for it: copies in other packs, and what other clones put into a shared cache.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::FileExt;

use crate::cache::{Form, ObjectReader};
use crate::hash::PackId;
use crate::progress::Job;
use crate::transfer::catalogue::Contact;
use crate::transfer::error::TransferError;
use crate::transfer::fetch::{Bases, FetchPlan, TOGETHER, orders};
use crate::transfer::land::Landing;
use crate::transfer::ranges::{Slack, ranges};
use crate::transfer::walk::{ChunkStep, Spot};

/// Takes in those chunks of a plan that lie on this machine after all; returns their bytes.
///
/// A whole pack of another clone is taken in if it hashes to its name. Of one that is there in parts nobody here knows
/// which, so its frames are read and checked like those that a remote sends.
pub(super) fn take_local(
    plan: &FetchPlan,
    contact: &Contact,
    job: &Job,
) -> Result<u64, TransferError> {
    let mut taken = 0_u64;
    for steps in plan.chunks.windows(TOGETHER) {
        taken = taken.saturating_add(take_window(steps, contact, job)?);
    }
    Ok(taken)
}

fn take_window(steps: Vec<ChunkStep>, contact: &Contact, job: &Job) -> Result<u64, TransferError> {
    let absent = |steps: &[ChunkStep]| -> Result<Vec<ChunkStep>, TransferError> {
        let view = contact.index().reader()?;
        let absent = steps.iter().filter(|step| view.find_held(&step.id.0).is_none());
        Ok(absent.cloned().collect())
    };
    let placed = steps.into_iter().map(|step| {
        let spot = step.spot.or_else(|| contact.locate(step.id.key()));
        ChunkStep { spot, ..step }
    });
    let all: Vec<ChunkStep> = placed.collect();
    let spots = all.iter().flat_map(|step| step.spot.iter().chain(&step.bases));
    let packs: BTreeSet<PackId> = spots.map(|spot| spot.pack).collect();
    let mut reader = ObjectReader::new(contact.layout(), contact.index())?;
    let (shared, mut found) = (contact.layout().is_shared(), false);
    for pack in packs {
        job.check()?;
        found |= reader.restate(pack)?;
        if shared {
            contact.index().adopt_cached(contact.layout(), pack)?;
        }
    }
    if shared {
        take_parts(&absent(&all)?, contact, job)?;
    } else if !found {
        return Ok(0);
    }
    let left: u64 = absent(&all)?.iter().map(|step| step.size).sum();
    Ok(all.iter().map(|step| step.size).sum::<u64>().saturating_sub(left))
}

fn take_parts(steps: &[ChunkStep], contact: &Contact, job: &Job) -> Result<(), TransferError> {
    let (layout, index) = (contact.layout(), contact.index());
    let mut reader = ObjectReader::new(layout, index)?;
    let (orders, spots) = orders(steps, Bases::Absent, &mut reader);
    drop(reader);
    let mut by_pack: BTreeMap<PackId, Vec<Spot>> = BTreeMap::new();
    for spot in spots {
        by_pack.entry(spot.pack).or_default().push(spot);
    }
    let mut landing = Landing::of_cached(layout, index);
    for (pack, spots) in by_pack {
        let Ok(file) = layout.cache_folder().open(pack, Form::Part) else { continue };
        for range in ranges(spots, Slack::Little) {
            job.check()?;
            let mut bytes = vec![0; (range.to - range.from) as usize];
            let mut filled = 0;
            // Where it ends early, or was never written, zeros are left, which are no frame.
            while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
                match file.read_at(rest, u64::from(range.from) + filled as u64) {
                    Ok(0) | Err(_) => break,
                    Ok(n) => filled += n,
                }
            }
            landing.land(&range, &bytes.into(), &orders)?;
        }
    }
    landing.record()?;
    landing.settle()?;
    Ok(())
}
