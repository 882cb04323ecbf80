//! One run: clients on threads of their own, one of which runs at a time.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::client::{Client, Outcome, Part};
use super::fate::{Fate, overdue};
use super::gate::{Ask, Gate, Verdict};
use super::restore::{Reader, restore};
use super::world::World;

/// When runs begin, in ms since 1970.
const BEGIN_MS: u64 = 1_600_000_000_000;
/// More steps than this are no run that ends.
const MOST_STEPS: u64 = 50_000;

/// What came of one run, or of several.
#[derive(Debug, Default)]
pub(super) struct Played {
    pub(super) counts: BTreeMap<&'static str, u64>,
    pub(super) ends: BTreeMap<String, u64>,
    pub(super) misses: Vec<String>,
    /// A hash of all steps.
    pub(super) trace: Option<blake3::Hash>,
}

impl Played {
    pub(super) fn add(&mut self, other: Self) {
        for (what, count) in other.counts {
            *self.counts.entry(what).or_default() += count;
        }
        for (end, count) in other.ends {
            *self.ends.entry(end).or_default() += count;
        }
    }

    fn count(&mut self, what: &'static str, by: u64) {
        *self.counts.entry(what).or_default() += by;
    }
}

/// Runs a seed to its end; prints each step if it is traced.
pub(super) fn play(seed: u64, folder: &Path, trace: bool) -> Played {
    let folder = tempfile::tempdir_in(folder).expect("a folder");
    let mut fate = Fate::new(seed);
    let cast = fate.cast(seed);
    let world = World { now_ms: BEGIN_MS, ..World::default() };
    let gate = Gate::new(cast.len(), world);
    std::thread::scope(|scope| {
        let _closing = Closing(&gate);
        let clients: Vec<_> = cast
            .into_iter()
            .map(|part| {
                let part = Part { trace, ..part };
                let client = Client::new(part, &gate, folder.path());
                let gate = Arc::clone(&gate);
                scope.spawn(move || {
                    let _ending = Ending(&gate, part.number);
                    client.run()
                })
            })
            .collect();
        let mut run = Run {
            gate: &gate,
            fate,
            folder: folder.path(),
            reader: Reader::default(),
            played: Played::default(),
            trace: blake3::Hasher::new(),
            aloud: trace,
        };
        run.steps();
        let mut played = run.finish();
        for client in clients {
            match client.join() {
                Ok(Outcome { ends, misses }) => {
                    played.add(Played { ends, ..Played::default() });
                    played.misses.extend(misses);
                }
                Err(_) => played.misses.push("a client panicked".to_owned()),
            }
        }
        played
    })
}

/// Lets clients end that wait for a turn, in case nobody gives turns any more.
struct Closing<'g>(&'g Gate);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Says that a client ended, in whatever way.
struct Ending<'g>(&'g Gate, usize);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.end(self.1);
    }
}

struct Run<'r> {
    gate: &'r Arc<Gate>,
    fate: Fate,
    folder: &'r Path,
    reader: Reader,
    played: Played,
    trace: blake3::Hasher,
    aloud: bool,
}

impl Run<'_> {
    fn steps(&mut self) {
        for step in 0.. {
            self.look(step);
            let mut state = self.gate.quiet();
            let waiting = state.waiting();
            if waiting.is_empty() {
                self.played.count("steps", step);
                return;
            }
            let next_ms = self.fate.clock(state.world.now_ms);
            let overdue = overdue(&state, &waiting, next_ms);
            let chosen = match overdue {
                Some(late) => waiting.iter().find(|(client, _)| *client == late),
                None => self.fate.choose(&waiting),
            };
            let Some((client, ask)) = chosen else { continue };
            let mut verdict = self.fate.verdict(ask);
            if overdue.is_none() {
                self.count_clock(state.world.now_ms, next_ms);
                state.world.now_ms = next_ms;
            }
            if step > MOST_STEPS {
                verdict = Verdict::Failed;
            }
            if step == MOST_STEPS {
                self.played.misses.push(format!("it goes on after {step} steps"));
            }
            self.count_verdict(ask, verdict);
            let line = format!("{client} {ask:?} {verdict:?} {}\n", state.world.now_ms);
            self.trace.update(line.as_bytes());
            if self.aloud {
                print!("{step} {line}");
            }
            state.go_on(*client, verdict);
        }
    }

    /// After a change: every ref leads to all of its content. After a removal: every byte is read.
    fn look(&mut self, step: u64) {
        let mut state = self.gate.quiet();
        for key in std::mem::take(&mut state.world.overwritten) {
            self.played.misses.push(format!("step {step}: `{key}` got other bytes"));
        }
        if !std::mem::take(&mut state.world.changed) {
            return;
        }
        self.played.count("changes looked at", 1);
        let doubtful = self.reader.incomplete(&state.world);
        let published = state.world.published();
        let removed = std::mem::take(&mut state.world.removed);
        let now_ms = state.world.now_ms;
        drop(state);
        for (number, version) in doubtful {
            self.played.count("refs that take a detour", 1);
            if let Err(why) = restore(self.gate, self.folder, &[version]) {
                let miss = format!("step {step}, time {now_ms}: version {number} is lost: {why}");
                self.played.misses.push(miss);
                self.gate.quiet().world.refs.remove(&number);
            }
        }
        if removed {
            self.played.count("removals after which all was restored", 1);
            self.restore_all(step, &published);
        }
    }

    fn restore_all(&mut self, step: u64, published: &[Arc<super::content::Version>]) {
        self.played.count("refs restored byte for byte", published.len() as u64);
        if !published.is_empty()
            && let Err(why) = restore(self.gate, self.folder, published)
        {
            self.played.misses.push(format!("step {step}: not all can be restored: {why}"));
        }
    }

    fn count_clock(&mut self, now_ms: u64, next_ms: u64) {
        const GRACE_MS: u64 = 24 * 60 * 60 * 1000;
        if next_ms < now_ms {
            self.played.count("clock set back", 1);
        } else if next_ms - now_ms > GRACE_MS {
            self.played.count("pauses longer than the grace time", 1);
        }
    }

    fn count_verdict(&mut self, ask: &Ask, verdict: Verdict) {
        if matches!(ask, Ask::Publish(_)) && verdict.does() {
            self.played.count("refs moved", 1);
        }
        match verdict {
            Verdict::Done => {}
            Verdict::AnswerLost => self.played.count("answers lost", 1),
            Verdict::Failed => self.played.count("requests failed", 1),
            Verdict::Crashed(_) => self.played.count("crashes", 1),
        }
    }

    /// Restores all refs once more, and counts what happened.
    fn finish(mut self) -> Played {
        let published = self.gate.quiet().world.published();
        let steps = self.played.counts.get("steps").copied().unwrap_or(0);
        self.restore_all(steps, &published);
        let state = self.gate.quiet();
        let (packs, objects) = (state.world.deleted_packs, state.world.deleted_objects);
        let runs = state.world.objects.keys().filter(|key| key.starts_with("i/r")).count();
        drop(state);
        self.played.count("packs deleted", packs);
        self.played.count("catalogue objects deleted", objects);
        self.played.count("refs looked at", self.reader.looks);
        self.played.count("runs at the end", runs as u64);
        self.played.trace = Some(self.trace.finalize());
        self.played
    }
}
