//! Breadth-first search over all states, each known by 64 bits of its hash.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::setting::Setting;
use crate::state::{
    Baseline, GCS, NONE, OLD_DATA, OLD_NODES, OLD_REF, Record, State, THIRD_RECORD, bit, members,
};
use crate::step::{Next, Step};
use crate::{gc, push};

/// What a search found.
pub(crate) struct Found {
    pub(crate) states: usize,
    pub(crate) depth: usize,
    pub(crate) time: Duration,
    /// Whether every state that can be reached was looked at.
    pub(crate) complete: bool,
    /// The steps to the first state in which a pointer cannot be restored.
    pub(crate) trace: Option<Vec<Step>>,
}

/// States seen so far, in parts that threads lock one at a time.
struct Seen(Vec<Mutex<Marks>>);

type Marks = HashSet<u64, BuildHasherDefault<Ready>>;

/// Parts of the table: so many that two threads hardly meet, and that only a small part of it is ever
/// moved to grow.
const PARTS: usize = 1024;

impl Seen {
    fn new() -> Self {
        Self((0..PARTS).map(|_| Mutex::default()).collect())
    }

    fn insert(&self, mark: u64) -> bool {
        // The upper bits: the lower ones say where in its part a mark lies.
        let part = &self.0[(mark >> 48) as usize % PARTS];
        part.lock().expect("no thread failed").insert(mark)
    }

    fn len(&self) -> usize {
        self.0.iter().map(|part| part.lock().expect("no thread failed").len()).sum()
    }
}

/// Looks at every state, at most `limit` of them, and stops at the first loss.
pub(crate) fn search(setting: &Setting, (limit, threads): (usize, usize), levels: bool) -> Found {
    let began = Instant::now();
    let seen = Seen::new();
    let (first, mark) = representative(setting, &start(setting));
    seen.insert(mark);
    let (mut level, mut depth) = (vec![first], 0);
    let found = |depth: usize, complete: bool, trace: Option<Vec<Step>>| Found {
        states: seen.len(),
        depth,
        time: began.elapsed(),
        complete,
        trace,
    };
    while !level.is_empty() {
        let (below, lost) = explore(setting, &level, &seen, threads);
        if lost {
            return found(depth + 1, false, Some(trace(setting)));
        }
        if levels {
            let (new, all, time) = (below.len(), seen.len(), began.elapsed().as_secs_f64());
            println!("  depth {}: {new} new, {all} states, {time:.0} s", depth + 1);
        }
        if seen.len() > limit {
            return found(depth, false, None);
        }
        depth += usize::from(!below.is_empty());
        level = below;
    }
    found(depth, true, None)
}

/// Everything that one step leads to and that was not seen yet, and whether any of it is a loss.
fn explore(setting: &Setting, level: &[State], seen: &Seen, threads: usize) -> (Vec<State>, bool) {
    let lost = AtomicBool::new(false);
    let part = |states: &[State]| {
        let (mut below, mut next) = (Vec::new(), Next::default());
        for state in states {
            successors(setting, state, &mut next);
            for (_, after) in next.drain() {
                let (after, mark) = representative(setting, &after);
                if seen.insert(mark) {
                    if after.lost(setting).is_some() {
                        lost.store(true, Ordering::Relaxed);
                    }
                    below.push(after);
                }
            }
        }
        below
    };
    let size = level.len().div_ceil(threads).max(1000);
    let below = thread::scope(|scope| {
        let parts: Vec<_> =
            level.chunks(size).map(|states| scope.spawn(move || part(states))).collect();
        parts.into_iter().flat_map(|one| one.join().expect("no thread failed")).collect()
    });
    (below, lost.into_inner())
}

/// Searches again, now with the way back from each state, and without folding.
fn trace(setting: &Setting) -> Vec<Step> {
    let first = start(setting);
    let mut from: HashMap<State, Option<(State, Step)>> = HashMap::new();
    from.insert(first, None);
    let mut level = vec![first];
    let mut next = Next::default();
    while !level.is_empty() {
        let mut below = Vec::new();
        for state in level {
            successors(setting, &state, &mut next);
            for (step, after) in next.drain() {
                if from.contains_key(&after) {
                    continue;
                }
                from.insert(after, Some((state, step)));
                if after.lost(setting).is_some() {
                    return way(&from, after);
                }
                below.push(after);
            }
        }
        level = below;
    }
    Vec::new()
}

fn way(from: &HashMap<State, Option<(State, Step)>>, last: State) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut at = last;
    while let Some(Some((before, step))) = from.get(&at) {
        steps.push(*step);
        at = *before;
    }
    steps.reverse();
    steps
}

/// The remote before anybody comes: one old push record with its two packs.
fn start(setting: &Setting) -> State {
    let mut state = State { packs: bit(OLD_NODES) | bit(OLD_DATA), ..State::default() };
    state.records[0] = Record { there: true, generation: 0, loc: OLD_NODES, packs: state.packs };
    (state.left, state.crashes) = (setting.baselines, setting.crashes);
    if setting.third {
        state.records[THIRD_RECORD] =
            Record { there: true, generation: 1, loc: OLD_NODES, packs: 0 };
    }
    state.refs = u8::from(setting.old_root_lives) << OLD_REF;
    state.baselines[0] = Baseline {
        there: true,
        generation: 1,
        locs: bit(OLD_NODES),
        packs: state.packs,
        ..Baseline::default()
    };
    for pusher in &mut state.pushers {
        pusher.loc = NONE;
    }
    state.tidy();
    state
}

fn successors(setting: &Setting, state: &State, next: &mut Next) {
    if let Some(i) = (0..setting.wants.len()).find(|i| state.sends_unseen(*i)) {
        return push::steps(setting, state, i, next);
    }
    for i in 0..setting.wants.len() {
        push::steps(setting, state, i, next);
    }
    for i in 0..setting.gcs.min(GCS) {
        gc::steps(setting, state, i, next);
    }
    if state.refs >> OLD_REF == 1 {
        let mut after = *state;
        after.refs &= !(1 << OLD_REF);
        next.add(Step::other("drop the old root from Git's refs"), after);
    }
    for run in state.runs.iter().filter(|run| run.there) {
        for at in members(run.records.into()).map(usize::from) {
            if state.records[at].there {
                let mut after = *state;
                after.records[at].there = false;
                next.add(Step::other("delete a push record that a run holds"), after);
            }
        }
    }
}

/// One of all states that differ by the names of pushers and gcs only, and its hash.
fn representative(setting: &Setting, state: &State) -> (State, u64) {
    let mut one = *state;
    if one.gcs[0].word() < one.gcs[1].word() {
        one.gcs.swap(0, 1);
    }
    if !setting.symmetric() || one.pushers[0].stage() > one.pushers[1].stage() {
        return (one, hash(&one));
    }
    let other = setting.swap_roots(one.swap_pushers());
    let (of_one, of_other) = (hash(&one), hash(&other));
    if one.pushers[0].stage() < one.pushers[1].stage() || of_other < of_one {
        return (other, of_other);
    }
    (one, of_one)
}

fn hash(state: &State) -> u64 {
    let mut mix = Mix(0x9e37_79b9_7f4a_7c15);
    state.words().iter().for_each(|word| mix.add(*word));
    mix.0
}

/// Multiplies and folds: fast, and even enough for states.
struct Mix(u64);

impl Mix {
    fn add(&mut self, word: u64) {
        let wide = u128::from(self.0 ^ word) * 0xa076_1d64_78bd_642f_u128;
        self.0 = (wide as u64) ^ (wide >> 64) as u64 ^ word.rotate_left(29);
    }
}

/// Takes a number that is a hash already as it is.
#[derive(Default)]
struct Ready(u64);

impl Hasher for Ready {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, _: &[u8]) {}
    fn write_u64(&mut self, word: u64) {
        self.0 = word;
    }
}
