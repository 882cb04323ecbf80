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
        GcAt::WriteBaseline => write_baseline(setting, state, i, next),
        GcAt::ReadRefsAgain => read_refs_again(setting, state, i, next),
        GcAt::DeletePacks => delete_packs(state, i, next),
        GcAt::DeleteRecords | GcAt::DeleteRuns | GcAt::DeleteBaselines => {
            delete_objects(state, i, next);
        }
    }
    if setting.gc_restarts && gc.at != GcAt::Idle {
        let mut after = *state;
        after.gcs[i] = Gc::default();
        next.add(Step::gc(i, "crashes"), after);
    }
}

/// Lists `i/` and settles what will be covered; or removes what a baseline condemned.
fn begin(setting: &Setting, state: &State, i: usize, next: &mut Next) {
    if let Some(base) = state.free_baseline() {
        if setting.has(Bug::RefsFirst) {
            let mut after = *state;
            after.left -= 1;
            after.gcs[i] = Gc { at: GcAt::ReadRefs, base, runs: state.refs, ..Gc::default() };
            return next.add(Step::gc(i, "reads refs"), after);
        }
        for age in [Age::Young, Age::Half, Age::Old] {
            if age == Age::Half && !setting.runs {
                continue;
            }
            let mut after = *state;
            after.left -= 1;
            list(setting, state, &mut after, (i, base), age);
            next.add(Step::gc(i, age.what()), after);
        }
        if setting.has(Bug::EmptyListing) {
            let mut empty = *state;
            (empty.records, empty.runs, empty.baselines) = Default::default();
            let mut after = *state;
            after.left -= 1;
            list(setting, &empty, &mut after, (i, base), Age::Old);
            next.add(Step::gc(i, "takes a failed listing for empty"), after);
        }
    }
    remove(setting, state, i, next);
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
        alive: written & !covers,
        ..Gc::default()
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
    let alive = state.locs_of(gc.alive) & !bit(NONE);
    let locs = roots(refs).fold(alive, |locs, root| locs | of_root(setting, view.locs, root));
    let complete = members(locs).filter(|nodes| state.complete(*nodes));
    let shared = if setting.shared_nodes { bit(OLD_NODES) } else { 0 };
    let live = state.closures(locs) | shared;
    let victims = state.packs & !live & !state.packs_of(gc.alive) & gc.victims;
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
    // What it found dead is in the baseline; only a gc that does not read again remembers it.
    let mine = if setting.has(Bug::NoReread) { victims } else { 0 };
    after.gcs[i] = Gc { at: GcAt::WriteBaseline, base: gc.base, victims: mine, ..Gc::default() };
    next.add(Step::gc(i, "reads refs, will condemn").packs(victims), after);
}

/// Writes the baseline. Nothing of it is remembered: whoever removes goes by what is listed then.
fn write_baseline(setting: &Setting, state: &State, i: usize, next: &mut Next) {
    let Gc { base, victims, .. } = state.gcs[i];
    let mut after = *state;
    after.baselines[usize::from(base)].there = true;
    after.gcs[i] = Gc::default();
    if setting.has(Bug::NoReread) {
        return doom(
            setting,
            &after,
            i,
            (base.into(), victims, "writes its baseline, deletes at once"),
            next,
        );
    }
    next.add(Step::gc(i, "writes its baseline"), after);
}

/// Lists, and settles what the single newest baseline lets go.
fn remove(setting: &Setting, state: &State, i: usize, next: &mut Next) {
    let top = state.generation();
    let mut newest = state.listed_baselines().filter(|(_, b)| b.generation == top);
    let (Some((base, baseline)), None) = (newest.next(), newest.next()) else { return };
    if setting.has(Bug::EmptyListing) {
        doom(setting, state, i, (base, baseline.victims, "takes a failed listing for empty"), next);
    }
    let mut listed = *state;
    listed.gcs[i] = replaced(setting, state, base);
    if setting.apart {
        return next.add(Step::gc(i, "lists again"), listed);
    }
    read_refs_again(setting, &listed, i, next);
}

/// What a baseline stands for, as it is listed now.
fn replaced(setting: &Setting, state: &State, base: usize) -> Gc {
    let baseline = &state.baselines[base];
    let lone = (0..state.records.len()).filter(|r| state.records[*r].there);
    let covered =
        |r: &usize| state.runs[*r].there && state.runs[*r].records & !baseline.covers == 0;
    let matters = if setting.has(Bug::ForgetDeleted) { state.packs } else { Packs::MAX };
    let carried = state
        .listed_baselines()
        .filter(|(at, other)| *at != base && other.victims & matters & !baseline.victims == 0);
    Gc {
        at: GcAt::ReadRefsAgain,
        base: base as u8,
        victims: 0,
        alive: state.written() & !baseline.covers,
        records: lone.fold(0, |set: Set, r| set | 1 << r) & baseline.covers,
        runs: (0..RUNS).filter(covered).fold(0, |set, r| set | 1 << r),
        baselines: carried.fold(0, |set, (at, _)| set | 1 << at),
    }
}

/// Lists `p/` and `m/` and reads refs once more: whatever is alive by now is taken out of the victims.
fn read_refs_again(setting: &Setting, state: &State, i: usize, next: &mut Next) {
    let gc = state.gcs[i];
    let baseline = &state.baselines[usize::from(gc.base)];
    let alive = state.locs_of(gc.alive) & !bit(NONE);
    let locs = roots(state.refs)
        .fold(alive, |locs, root| locs | of_root(setting, baseline.locs | alive, root));
    let victims =
        baseline.victims & state.packs & !state.closures(locs) & !state.packs_of(gc.alive);
    let mut after = *state;
    after.gcs[i] = Gc { at: GcAt::DeletePacks, base: 0, alive: 0, victims, ..gc };
    next.add(Step::gc(i, "reads again, will delete").packs(victims), after);
}

/// Deletes what it found dead, and whatever the baseline stands for, without a look at anything else.
fn doom(
    setting: &Setting,
    state: &State,
    i: usize,
    (base, victims, what): (usize, Packs, &'static str),
    next: &mut Next,
) {
    let mut after = *state;
    let victims = victims & state.packs;
    let all = replaced(setting, state, base);
    after.gcs[i] = Gc { at: GcAt::DeletePacks, base: 0, alive: 0, victims, ..all };
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
        let at = gc.baselines.trailing_zeros() as usize;
        after.baselines[at].there = false;
        gc.baselines &= gc.baselines - 1;
        "deletes an old baseline"
    };
    next.add(Step::gc(i, what), after);
}
