//! A pusher, by the steps of `docs/format/protocol.md`. HEAD of packs relied on (step 5) is left
//! out: beyond 64 packs the catalogue is believed, so the protocol must hold without it.

use crate::setting::{Bug, Setting};
use crate::state::{
    NONE, OLD_DATA, PUSHERS, Packs, PushAt, Pusher, ROUNDS, Record, Run, State, TRIES, bit,
    members, own_data, own_nodes, record_of,
};
use crate::step::{Next, Step};

/// Adds everything that a pusher may do next.
pub(crate) fn steps(setting: &Setting, state: &State, i: usize, next: &mut Next) {
    let pusher = &state.pushers[i];
    match pusher.at {
        PushAt::Start => begin(setting, state, i, "lists", next),
        PushAt::Send => send(setting, state, i, next),
        PushAt::WriteRun => write_run(state, i, next),
        PushAt::WriteRecord => write_record(setting, state, i, next),
        PushAt::ListAgain => list_again(setting, state, i, next),
        PushAt::Done | PushAt::GaveUp => return,
    }
    if state.crashes > 0 && pusher.at != PushAt::Start {
        crash(state, i, next);
    }
}

/// A request that was sent may have been done; the process is gone, what is on disk stays.
fn crash(state: &State, i: usize, next: &mut Next) {
    let mut after = *state;
    after.crashes -= 1;
    let p = &mut after.pushers[i];
    p.at = PushAt::Start;
    (p.wrote, p.loc, p.own, p.unsent) = (false, NONE, 0, 0);
    (p.run, p.generation) = (0, 0);
    next.add(Step::push(i, "crashes"), after);
}

/// Lists `i/` and decides: take the root over, send the packs that are here, or write new ones.
fn begin(setting: &Setting, state: &State, i: usize, what: &'static str, next: &mut Next) {
    let root = setting.wants[i];
    let mut listed = *state;
    let p = &mut listed.pushers[i];
    p.generation = state.generation();
    (p.own, p.unsent, p.loc, p.run) = (0, 0, NONE, 0);
    if setting.runs && state.has_free_run() {
        listed.pushers[i].run = to_put_together(setting, state);
    }
    let found = if state.pushers[i].wrote { 0 } else { state.found(setting, root) };
    for nodes in members(found) {
        let mut after = listed;
        after.pushers[i].loc = nodes;
        after.pushers[i].at = behind_sending(&after.pushers[i]);
        next.add(Step::push(i, what).about("takes over", nodes), after);
    }
    if found != 0 {
        return;
    }
    let reliable = state.reliable(setting);
    if still_fit(setting, state, i, reliable) {
        return with_packs(&listed, i, reliable, what, next);
    }
    // A name that was used is never used again; one that nobody knows any more is as good as new.
    let named = state.named();
    let free = |k: &usize| (bit(own_nodes(i, *k)) | bit(own_data(i, *k))) & named == 0;
    let Some(attempt) = (0..TRIES).find(free) else {
        listed.pushers[i].at = PushAt::GaveUp;
        return next.add(Step::push(i, "has no more names"), listed);
    };
    listed.pushers[i].packed = attempt as u8 + 1;
    let hits = known_data(setting, reliable, i);
    for data in members(hits) {
        let mut after = listed;
        after.below[i][attempt] = data;
        with_packs(&after, i, reliable | bit(data), what, next);
    }
    if hits == 0 {
        listed.below[i][attempt] = own_data(i, attempt);
        with_packs(&listed, i, reliable, what, next);
    }
}

/// Data packs with the content of the tree that a push would rely on.
fn known_data(setting: &Setting, reliable: Packs, i: usize) -> Packs {
    if setting.has(Bug::UnconfirmedHit) {
        return bit(OLD_DATA);
    }
    let mut known = bit(OLD_DATA);
    for k in 0..TRIES {
        for other in (0..PUSHERS).filter(|other| *other != i) {
            known |= bit(own_data(other, k));
        }
    }
    reliable & known
}

/// Whether the packs that lie here can still be sent, or relied on.
fn still_fit(setting: &Setting, state: &State, i: usize, reliable: Packs) -> bool {
    let p = &state.pushers[i];
    let Some(attempt) = p.packed.checked_sub(1).map(usize::from) else { return false };
    let (nodes, data) = (own_nodes(i, attempt), state.below[i][attempt]);
    let own = data == own_data(i, attempt);
    let condemned = if setting.has(Bug::NoCheckOfOwn) { 0 } else { state.condemned() };
    condemned & bit(nodes) == 0
        && (if own { condemned & bit(data) == 0 } else { reliable & bit(data) != 0 })
}

/// Goes on with the packs of the current name: what is not relied on is sent.
fn with_packs(listed: &State, i: usize, reliable: Packs, what: &'static str, next: &mut Next) {
    let mut after = *listed;
    let p = &mut after.pushers[i];
    let attempt = usize::from(p.packed - 1);
    let (nodes, data) = (own_nodes(i, attempt), listed.below[i][attempt]);
    let ours = bit(nodes) | if data == own_data(i, attempt) { bit(data) } else { 0 };
    p.loc = nodes;
    p.own = if p.wrote { ours } else { ours & !reliable };
    p.unsent = p.own;
    p.at = PushAt::Send;
    if p.own == 0 {
        after.pushers[i].at = behind_sending(&after.pushers[i]);
    }
    next.add(Step::push(i, what).about("relies on", data), after);
}

fn behind_sending(pusher: &Pusher) -> PushAt {
    if pusher.run == 0 { PushAt::WriteRecord } else { PushAt::WriteRun }
}

/// The push records of a run: all that lie alone, of one generation.
fn to_put_together(setting: &Setting, state: &State) -> u8 {
    let covered = state.covered();
    let whole = state.runs.iter().filter(|run| run.there && run.records & covered == 0);
    let in_runs = whole.fold(0, |set, run| set | run.records);
    let fit = |i: &usize| {
        let record = &state.records[*i];
        record.there
            && (covered | in_runs) >> i & 1 == 0
            && (setting.has(Bug::OldGeneration) || record.generation == state.generation())
    };
    let lone = (0..state.records.len()).filter(fit).fold(0, |set: u8, i| set | 1 << i);
    if lone.count_ones() >= 2 { lone } else { 0 }
}

/// Sends one pack, in any order. What an earlier try sent is asked for, and sent if it is gone.
fn send(setting: &Setting, state: &State, i: usize, next: &mut Next) {
    for pack in members(state.pushers[i].unsent) {
        let mut after = *state;
        let p = &mut after.pushers[i];
        p.unsent &= !bit(pack);
        let believed = setting.has(Bug::NoCheckOfOwn) && p.sent & bit(pack) != 0;
        if setting.has(Bug::NoCheckOfOwn) {
            p.sent |= bit(pack);
        }
        if p.unsent == 0 {
            p.at = behind_sending(p);
        }
        if !believed {
            after.packs |= bit(pack);
        }
        next.add(Step::push(i, if believed { "believes sent" } else { "sends" }).pack(pack), after);
    }
}

fn write_run(state: &State, i: usize, next: &mut Next) {
    let mut after = *state;
    let records = state.pushers[i].run;
    let same = |run: &Run| run.there && run.records == records;
    let free = (0..state.runs.len()).find(|r| !state.runs[*r].there);
    if let Some(free) = free.filter(|_| !state.runs.iter().any(same)) {
        after.runs[free] = Run { there: true, records };
    }
    after.pushers[i].run = 0;
    after.pushers[i].at = PushAt::WriteRecord;
    next.add(Step::push(i, "writes a run of").set(records.into()), after);
}

fn write_record(setting: &Setting, state: &State, i: usize, next: &mut Next) {
    let mut after = *state;
    let p = &mut after.pushers[i];
    let unused = |at: &usize| !state.records[*at].there && state.records[*at].loc == NONE;
    let slot = (0..ROUNDS).map(|round| record_of(i, round)).find(unused);
    let Some(slot) = slot.filter(|_| p.rounds < setting.rounds) else {
        p.at = PushAt::GaveUp;
        return next.add(Step::push(i, "may write no more"), after);
    };
    p.rounds += 1;
    p.wrote = true;
    p.at = PushAt::ListAgain;
    after.records[slot] =
        Record { there: true, generation: p.generation, loc: p.loc, packs: p.own };
    if setting.has(Bug::NoSecondListing) {
        publish(setting, &mut after, i);
    }
    next.add(Step::push(i, "writes the push record").pack(state.pushers[i].loc), after);
}

/// Git's refs move; the packs need not be kept any more.
fn publish(setting: &Setting, state: &mut State, i: usize) {
    state.refs |= 1 << setting.wants[i];
    state.pushers[i].at = PushAt::Done;
}

/// The listing after the record. As long as the newest generation is the one that the record was
/// checked against, no gc can have passed it by; else another record is written.
fn list_again(setting: &Setting, state: &State, i: usize, next: &mut Next) {
    let current = state.generation() == state.pushers[i].generation;
    if current || setting.has(Bug::OldGeneration) && still_good(setting, state, i) {
        let mut after = *state;
        publish(setting, &mut after, i);
        return next.add(Step::push(i, "lists again, is done"), after);
    }
    begin(setting, state, i, "lists again, starts over", next);
}

/// What took the place of another record once: all that was relied on is still listed, nothing is
/// condemned, and own packs are there.
fn still_good(setting: &Setting, state: &State, i: usize) -> bool {
    let p = &state.pushers[i];
    let mut others = *state;
    for round in 0..ROUNDS {
        let record = &mut others.records[record_of(i, round)];
        if record.loc == p.loc {
            (record.loc, record.packs) = (NONE, 0);
        }
    }
    let pins = state.closure(p.loc) & !p.own;
    let listed = if p.own & bit(p.loc) == 0 {
        others.found(setting, setting.wants[i]) & bit(p.loc) != 0
    } else {
        pins & !others.reliable(setting) == 0
    };
    listed && p.own & (state.condemned() | !state.packs) == 0
}
