//! Packs of which little is needed: that little is written afresh, after which nobody needs them.
//!
//! An ordinary push of the roots that need them, which leaves these packs: it fetches chunks, those of
//! bases too, writes them and the nodes above them into new packs, and records the roots there. So it
//! is as safe as any push, and the packs are condemned as others are once nothing names them.

use std::collections::{BTreeMap, BTreeSet};

use crate::hash::{PackId, RepoId};
use crate::progress::Job;
use crate::transfer::catalogue::Contact;
use crate::transfer::error::TransferError;
use crate::transfer::gc::clock::{OLD_MS, is_older};
use crate::transfer::gc::closure::needing;
use crate::transfer::gc::survey::Survey;
use crate::transfer::needs::Avoid;
use crate::transfer::push::{Home, PushRequest, Pushed, Stage, push};
use crate::transfer::root::Wanted;

/// Packs are written afresh if less than this share of their bytes is needed, in hundredths.
const SPARSE: u64 = 60;

impl Survey {
    /// Returns packs older than 14 days of which less than 60 hundredths are needed, and those that are
    /// needed although they are condemned; and the bytes in all of them that nobody needs.
    pub fn sparse(&self, now_ms: u64) -> (BTreeSet<PackId>, u64) {
        let (mut packs, mut idle) = (BTreeSet::new(), 0u64);
        for (pack, frames) in &self.closure.uses.packs {
            let Some(stored) = self.stock.packs.get(pack) else { continue };
            if self.kept.contains(pack) || !is_older(stored.modified_ms, OLD_MS, now_ms) {
                continue;
            }
            let used: u64 = frames.values().map(|len| u64::from(*len)).sum();
            let sparse = used.saturating_mul(100) < stored.size.saturating_mul(SPARSE);
            if sparse || self.condemned.contains(pack) {
                packs.insert(*pack);
                idle = idle.saturating_add(stored.size.saturating_sub(used));
            }
        }
        (packs, idle)
    }
}

/// Writes afresh what `roots` need of some packs. The survey is out of date afterwards, and so are the
/// roots: this lists the catalogue, and refs that are to be held against a listing are read after it.
pub fn repack(
    (survey, packs): (&Survey, BTreeSet<PackId>),
    roots: &[Wanted],
    (repo, home): ((RepoId, Option<String>), Home),
    contact: &mut Contact,
    job: &Job,
) -> Result<Pushed, TransferError> {
    let place = |wanted: &Wanted| survey.closure.chosen.get(&wanted.root.key()?).cloned();
    let placed: Vec<_> = roots.iter().filter_map(place).collect();
    let needing = needing(&placed, &packs, contact, job)?;
    let roots = needing.into_iter().map(|wanted| (wanted, Stage::Unpublished)).collect();
    let request = PushRequest {
        roots,
        earlier: Vec::new(),
        repo,
        home,
        avoid: Avoid::Left(packs),
        sent: BTreeMap::new(),
    };
    push(&request, contact, job)
}
