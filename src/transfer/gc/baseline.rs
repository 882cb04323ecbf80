//! Writing a baseline: what is alive, what is covered, what is condemned.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalogue::{
    HookRecord, LocRecord, Name, Object, ObjectKind, SOURCE_BASELINE, SOURCE_CONDEMNED,
};
use crate::fs::failpoint;
use crate::hash::{Key, PackId, RepoId};
use crate::progress::Job;
use crate::transfer::catalogue::Contact;
use crate::transfer::error::TransferError;
use crate::transfer::gc::books::{Books, Cover};
use crate::transfer::gc::closure::needing;
use crate::transfer::gc::survey::Survey;
use crate::transfer::record::send;
use crate::transfer::upload::random;
use crate::transfer::walk::Spot;

/// What became of a baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It is the newest, alone.
    Alone(Name),
    /// Another gc wrote one at the same time: nobody removes anything for either, and the next gc
    /// takes both over.
    Raced(Name),
}

/// Writes the baseline of a survey by [`survey_now`](super::survey_now), then lists again.
pub fn write_baseline(
    survey: &Survey,
    contact: &mut Contact,
    (repo, now_ms): (RepoId, u64),
    job: &Job,
) -> Result<Written, TransferError> {
    failpoint::hit("gc.before-baseline");
    let name = send(contact, baseline_of(survey, contact, (repo, now_ms), job)?)?;
    failpoint::hit("gc.after-baseline");
    contact.refresh(job)?;
    let alone = contact.synced().view.newest_baselines() == [name];
    Ok(if alone { Written::Alone(name) } else { Written::Raced(name) })
}

fn baseline_of(
    survey: &Survey,
    contact: &Contact,
    (repo, now_ms): (RepoId, u64),
    job: &Job,
) -> Result<Object, TransferError> {
    let view = &contact.synced().view;
    let books = Books::new(view, Cover::Now { now_ms });
    let generation = view.generation().saturating_add(1);
    let mut object = Object::new(ObjectKind::Baseline, generation, repo, random()?);
    object.covers = books.covered();
    let condemned = books.condemned();
    let there = |pack: &PackId| survey.stock.packs.contains_key(pack);
    // Those that are gone too: a gc that looked before they went may still delete by that name what a
    // push has sent under it again since.
    object.victims = condemned.iter().copied().collect();
    let new = survey.victims.iter().map(|victim| victim.pack);
    object.victims.extend(new.filter(|pack| !condemned.contains(pack)));
    let weak = weak(survey, object.victims.iter().copied().collect(), contact, job)?;
    let chosen = survey.closure.chosen.iter().map(|(key, (_, spot))| (*key, *spot));
    let source = |key| if weak.contains(&key) { SOURCE_CONDEMNED } else { SOURCE_BASELINE };
    object.locs = chosen.map(|(key, spot)| loc(key, spot, source(key))).collect();
    let sound = |pack: &PackId| there(pack) && survey.is_live(*pack) && !condemned.contains(pack);
    let rows = books.rows().into_values();
    object.packs = rows.filter(|row| sound(&row.pack)).collect();
    let numbers: BTreeMap<PackId, u32> =
        (0u32..).zip(&object.packs).map(|(n, row)| (row.pack, n)).collect();
    let hooks = books.hooks().into_iter();
    object.hooks = hooks
        .filter_map(|(chunk, pack)| Some(HookRecord { chunk, pack_row: *numbers.get(&pack)? }))
        .collect();
    Ok(object)
}

/// Live roots that need a condemned pack: it stays for them, and no push may rely on that.
fn weak(
    survey: &Survey,
    mut condemned: BTreeSet<PackId>,
    contact: &Contact,
    job: &Job,
) -> Result<BTreeSet<Key>, TransferError> {
    condemned.retain(|pack| survey.closure.uses.packs.contains_key(pack));
    if condemned.is_empty() {
        return Ok(BTreeSet::new());
    }
    let roots: Vec<_> = survey.closure.chosen.values().cloned().collect();
    let needing = needing(&roots, &condemned, contact, job)?;
    Ok(needing.iter().filter_map(|wanted| wanted.root.key()).collect())
}

pub(in crate::transfer) fn loc(key: Key, spot: Spot, source: u32) -> LocRecord {
    let Spot { pack, offset, frame_len, skip } = spot;
    LocRecord { key, pack, offset, frame_len, skip, source }
}
