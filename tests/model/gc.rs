//! gc, by the steps of `docs/format/protocol.md`. Waiting is not a step: any time may pass
//! between two steps, or none.

use crate::catalogue::{of_root, roots};
use crate::setting::{Bug, Setting};
use crate::state::{
    Baseline, Gc, GcAt, NONE, OLD_NODES, OLD_RECORD, Packs, RUNS, Set, State, bit, members,
};
use crate::step::{Next, Step};

/// How much time has passed since what is listed was written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Age {
    /// Only the oldest push record is older than 14 days.
    Young,
    /// One more is.
    Half,
    /// Everything is.
    Old,
}

impl Age {
    fn what(self) -> &'static str {
        match self {
            Self::Young => "lists",
            Self::Half => "lists, one more record is old",
            Self::Old => "lists, all is old",
        }
    }
}

/// Adds everything that a gc may do next.
pub(crate) fn steps(setting: &Setting, state: &State, i: usize, next: &mut Next) {
    let gc = &state.gcs[i];
    match gc.at {
        GcAt::Idle => begin(setting, state, i, next),
        GcAt::ReadRefs => read_refs(setting, state, i, next),
        GcAt::WriteBaseline => write_baseline(state, i, next),
        GcAt::ListAfter => list_after(setting, state, i, next),
        GcAt::Reread => reread(setting, state, i, next),
        GcAt::DeletePacks => delete_packs(state, i, next),
        GcAt::DeleteRecords | GcAt::DeleteRuns | GcAt::DeleteBaselines => {
            delete_objects(state, i, next);
        }
    }
    if setting.gc_restarts && gc.at != GcAt::Idle {
        stop(state, i, "crashes", next);
    }
}

fn stop(state: &State, i: usize, what: &'static str, next: &mut Next) {
    let mut after = *state;
    after.gcs[i] = Gc::default();
    next.add(Step::gc(i, what), after);
}

/// Lists `i/` and settles what will be covered; or takes up what a gc left.
fn begin(setting: &Setting, state: &State, i: usize, next: &mut Next) {
    if let Some(base) = state.free_baseline(setting) {
        if setting.has(Bug::RefsFirst) {
            let mut after = *state;
            after.begun += 1;
            after.gcs[i] = Gc { at: GcAt::ReadRefs, base, runs: state.refs, ..Gc::default() };
            return next.add(Step::gc(i, "reads refs"), after);
        }
        for age in [Age::Young, Age::Half, Age::Old] {
            if age == Age::Half && !setting.runs {
                continue;
            }
            let mut after = *state;
            after.begun += 1;
            list(setting, state, &mut after, (i, base), age);
            next.add(Step::gc(i, age.what()), after);
        }
        if setting.has(Bug::EmptyListing) {
            let mut empty = *state;
            (empty.records, empty.runs, empty.baselines) = Default::default();
            let mut after = *state;
            after.begun += 1;
            list(setting, &empty, &mut after, (i, base), Age::Old);
            next.add(Step::gc(i, "takes a failed listing for empty"), after);
        }
    }
    let newest: Vec<usize> = state
        .listed_baselines()
        .filter(|(_, b)| b.generation == state.generation())
        .map(|(at, _)| at)
        .collect();
    if let [base] = newest[..] {
        let mut after = *state;
        after.gcs[i] = Gc {
            at: GcAt::ListAfter,
            base: base as u8,
            victims: state.baselines[base].victims,
            seen: state.baseline_set() & !(1 << base),
            ..Gc::default()
        };
        next.add(Step::gc(i, "takes up the newest baseline"), after);
    }
}

/// What `listed` says of the catalogue; the baseline holds it until refs are read.
fn list(setting: &Setting, listed: &State, after: &mut State, (i, base): (usize, u8), age: Age) {
    let written = listed.written();
    let young = written & !(1 << OLD_RECORD);
    let old = match age {
        Age::Young => 0,
        Age::Half => young & young.wrapping_neg(),
        Age::Old => young,
    };
    let may = if setting.has(Bug::CoverCurrent) { Set::MAX } else { listed.older() };
    let covers = written & (listed.covered() | (old | 1 << OLD_RECORD) & may);
    let mut locs = listed.locs_of(listed.uncovered());
    let mut known = listed.packs_of(covers);
    for (_, baseline) in listed.listed_baselines() {
        known |= baseline.packs;
    }
    for baseline in listed.newest() {
        locs |= baseline.locs;
    }
    after.baselines[usize::from(base)] = Baseline {
        there: false,
        generation: listed.generation() + 1,
        locs: locs & !bit(NONE),
        packs: known,
        covers,
        victims: listed.condemned(),
    };
    after.gcs[i] = Gc {
        at: GcAt::ReadRefs,
        base,
        victims: if age == Age::Old { Packs::MAX } else { known },
        seen: listed.baseline_set(),
        records: written & !covers,
        runs: 0,
    };
}

/// Lists `p/` and `m/`, reads refs, and finds what is dead.
fn read_refs(setting: &Setting, state: &State, i: usize, next: &mut Next) {
    let mut after = *state;
    let mut refs = state.refs;
    if setting.has(Bug::RefsFirst) {
        refs = state.gcs[i].runs;
        list(setting, state, &mut after, (i, state.gcs[i].base), Age::Old);
    }
    let (gc, view) = (after.gcs[i], after.baselines[usize::from(after.gcs[i].base)]);
    let alive = state.locs_of(gc.records) & !bit(NONE);
    let locs = roots(refs).fold(alive, |locs, root| locs | of_root(setting, view.locs, root));
    let complete = members(locs).filter(|nodes| state.complete(*nodes));
    let shared = if setting.shared_nodes { bit(OLD_NODES) } else { 0 };
    let live = state.closures(locs) | shared;
    let victims = state.packs & !live & !state.packs_of(gc.records) & gc.victims;
    let carried = match setting.bug {
        Some(Bug::NoCarryOver) => 0,
        Some(Bug::ForgetDeleted) => state.packs & view.victims,
        _ => view.victims,
    };
    after.baselines[usize::from(gc.base)] = Baseline {
        locs: complete.fold(0, |set, nodes| set | bit(nodes)),
        packs: state.packs & live & !view.victims,
        victims: victims | carried,
        ..view
    };
    after.gcs[i] = Gc { at: GcAt::WriteBaseline, victims, records: 0, runs: 0, ..gc };
    next.add(Step::gc(i, "reads refs, will delete").packs(victims), after);
}

fn write_baseline(state: &State, i: usize, next: &mut Next) {
    let mut after = *state;
    after.baselines[usize::from(state.gcs[i].base)].there = true;
    after.gcs[i].at = GcAt::ListAfter;
    next.add(Step::gc(i, "writes its baseline"), after);
}

/// Another baseline of this generation or later.
fn outdone(state: &State, gc: Gc) -> bool {
    let own = state.baselines[usize::from(gc.base)];
    state
        .listed_baselines()
        .any(|(at, b)| at != usize::from(gc.base) && b.generation >= own.generation)
}

fn list_after(setting: &Setting, state: &State, i: usize, next: &mut Next) {
    if outdone(state, state.gcs[i]) {
        return stop(state, i, "meets another gc, stops", next);
    }
    if setting.has(Bug::NoReread) {
        return doom(state, i, state.gcs[i].victims, "lists, deletes at once", next);
    }
    let mut after = *state;
    after.gcs[i].at = GcAt::Reread;
    next.add(Step::gc(i, "lists, waits"), after);
}

/// Step 6: whatever is alive by now is taken out of the victims.
fn reread(setting: &Setting, state: &State, i: usize, next: &mut Next) {
    let gc = state.gcs[i];
    if setting.has(Bug::EmptyListing) {
        doom(state, i, gc.victims, "takes a failed listing for empty", next);
    }
    if outdone(state, gc) {
        return stop(state, i, "meets another gc, stops", next);
    }
    let alive = state.written() & !state.baselines[usize::from(gc.base)].covers;
    let mut locs = state.locs_of(alive);
    for root in roots(state.refs) {
        locs |= state.locs(setting, root);
    }
    let keep = state.closures(locs & !bit(NONE)) | state.packs_of(alive);
    doom(state, i, gc.victims & !keep, "reads again", next);
}

/// Settles what will be deleted.
fn doom(state: &State, i: usize, victims: Packs, what: &'static str, next: &mut Next) {
    let mut after = *state;
    let covers = state.baselines[usize::from(state.gcs[i].base)].covers;
    let lone = (0..state.records.len()).filter(|r| state.records[*r].there);
    let gc = &mut after.gcs[i];
    gc.victims = victims & state.packs;
    gc.records = lone.fold(0, |set: Set, r| set | 1 << r) & covers;
    let covered = |r: &usize| state.runs[*r].there && state.runs[*r].records & !covers == 0;
    gc.runs = (0..RUNS).filter(covered).fold(0, |set, r| set | 1 << r);
    gc.at = GcAt::DeletePacks;
    next.add(Step::gc(i, what).packs(victims), after);
}

/// Deletes one pack, in any order. Without an answer it will be deleted once more.
fn delete_packs(state: &State, i: usize, next: &mut Next) {
    for pack in members(state.gcs[i].victims) {
        let mut after = *state;
        after.packs &= !bit(pack);
        if state.packs & bit(pack) != 0 {
            next.add(Step::gc(i, "deletes, without an answer,").pack(pack), after);
        }
        after.gcs[i].victims &= !bit(pack);
        next.add(Step::gc(i, "deletes").pack(pack), after);
    }
}

fn delete_objects(state: &State, i: usize, next: &mut Next) {
    let mut after = *state;
    let gc = &mut after.gcs[i];
    let what = if gc.at == GcAt::DeleteRecords {
        let at = gc.records.trailing_zeros() as usize;
        after.records[at].there = false;
        gc.records &= gc.records - 1;
        "deletes a push record"
    } else if gc.at == GcAt::DeleteRuns {
        let at = gc.runs.trailing_zeros() as usize;
        after.runs[at].there = false;
        gc.runs &= gc.runs - 1;
        "deletes a run"
    } else {
        let at = gc.seen.trailing_zeros() as usize;
        after.baselines[at].there = false;
        gc.seen &= gc.seen - 1;
        "deletes an old baseline"
    };
    next.add(Step::gc(i, what), after);
}
