//! Breadth-first search over all states, each known by 64 bits of its hash.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::time::{Duration, Instant};

use crate::setting::Setting;
use crate::state::{
    Baseline, GCS, NONE, OLD_DATA, OLD_NODES, OLD_REF, Record, State, bit, members,
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

/// Looks at every state, at most `limit` of them, and stops at the first loss.
pub(crate) fn search(setting: &Setting, limit: usize) -> Found {
    let began = Instant::now();
    let first = start(setting);
    let mut seen: HashSet<u64, BuildHasherDefault<Ready>> = HashSet::default();
    seen.insert(mark(setting, &first));
    let (mut level, mut depth) = (vec![first], 0);
    let mut next = Next::default();
    while !level.is_empty() {
        let mut below = Vec::new();
        for state in &level {
            successors(setting, state, &mut next);
            for (_, after) in next.drain() {
                if !seen.insert(mark(setting, &after)) {
                    continue;
                }
                if after.lost(setting).is_some() {
                    let time = began.elapsed();
                    let trace = Some(trace(setting));
                    return Found {
                        states: seen.len(),
                        depth: depth + 1,
                        time,
                        complete: false,
                        trace,
                    };
                }
                below.push(after);
            }
        }
        if seen.len() > limit {
            let time = began.elapsed();
            return Found { states: seen.len(), depth, time, complete: false, trace: None };
        }
        depth += usize::from(!below.is_empty());
        level = below;
    }
    Found { states: seen.len(), depth, time: began.elapsed(), complete: true, trace: None }
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

/// The hash of a state, the same for all states that differ by names only.
fn mark(setting: &Setting, state: &State) -> u64 {
    let mut least = hash(state);
    let gcs = (setting.gcs == 2).then(|| state.swap_gcs());
    if let Some(gcs) = &gcs {
        least = least.min(hash(gcs));
    }
    if setting.symmetric() {
        least = least.min(hash(&state.swap_pushers()));
        if let Some(gcs) = &gcs {
            least = least.min(hash(&gcs.swap_pushers()));
        }
    }
    least
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
