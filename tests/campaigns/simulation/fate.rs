//! What is drawn from a seed: who goes on, what goes wrong, and how time passes.

use haul::transfer::gc::OLD_MS;

use super::client::{Part, Role};
use super::gate::{AfterDoing, Ask, Request, State, Verdict};
use crate::faulty::Chance;

const SECOND_MS: u64 = 1000;
const HOUR_MS: u64 = 60 * 60 * SECOND_MS;
const DAY_MS: u64 = 24 * HOUR_MS;

/// How rough a run is, in parts of a thousand requests.
pub(super) struct Fate {
    chance: Chance,
    lost: u64,
    fails: u64,
    crashes: u64,
    /// How often the clock jumps by hours or days.
    jumps: u64,
    /// How often another client goes on than the last one.
    changes: u64,
    last: usize,
    /// Clients that pause, and for how many steps.
    pauses: Vec<u64>,
}

impl Fate {
    pub(super) fn new(seed: u64) -> Self {
        let mut chance = Chance::new(seed.wrapping_mul(7919).wrapping_add(13));
        let mut of = |values: &[u64]| {
            let n = usize::try_from(chance.below(values.len() as u64)).unwrap_or(0);
            values.get(n).copied().unwrap_or(0)
        };
        let (lost, fails, crashes) = (of(&[0, 10, 50]), of(&[0, 2, 10]), of(&[0, 2, 10]));
        let (jumps, changes) = (of(&[5, 20, 50]), of(&[30, 200, 800]));
        Self { chance, lost, fails, crashes, jumps, changes, last: 0, pauses: Vec::new() }
    }

    /// Draws the clients of a run: 2 to 6, one or two of them for gc.
    pub(super) fn cast(&mut self, seed: u64) -> Vec<Part> {
        let clients = usize::try_from(2 + self.chance.below(5)).unwrap_or(2);
        let removers = if clients > 2 { 1 + self.chance.below(2) } else { 1 };
        let chatters = self.chance.below(5) == 0;
        self.pauses = vec![0; clients];
        let part = |number: usize| {
            let role = match number {
                n if n as u64 >= clients as u64 - removers => Role::Remover,
                0 if chatters => Role::Chatterer,
                _ => Role::Pusher,
            };
            let works = if role == Role::Remover { 6 } else { 5 } + self.chance.below(5);
            Part { number, seed, works, role, trace: false }
        };
        (0..clients).map(part).collect()
    }

    /// Chooses who goes on.
    pub(super) fn choose<'a>(&mut self, waiting: &'a [(usize, Ask)]) -> Option<&'a (usize, Ask)> {
        for pause in &mut self.pauses {
            *pause = pause.saturating_sub(1);
        }
        let awake: Vec<&(usize, Ask)> =
            waiting.iter().filter(|(client, _)| self.pauses.get(*client) == Some(&0)).collect();
        let chosen = match awake.iter().find(|(client, _)| *client == self.last) {
            Some(same) if self.chance.below(1000) >= self.changes => Some(*same),
            _ if awake.is_empty() => waiting.first(),
            _ => {
                let n = usize::try_from(self.chance.below(awake.len() as u64)).ok()?;
                awake.get(n).copied()
            }
        };
        let chosen = chosen?;
        self.last = chosen.0;
        if self.chance.below(1000) < 15 {
            // It goes on once more and is not seen for a while.
            let pause = 1 + self.chance.below(250);
            *self.pauses.get_mut(chosen.0)? = pause;
        }
        Some(chosen)
    }

    /// Draws what becomes of a request.
    pub(super) fn verdict(&mut self, ask: &Ask) -> Verdict {
        let draw = self.chance.below(1000);
        // A listing has many pages.
        let fails = if matches!(ask, Ask::Store(Request::List, _)) { 5 } else { 1 } * self.fails;
        let done = if self.chance.below(2) == 0 { AfterDoing::Yes } else { AfterDoing::No };
        match ask {
            // A machine that dies between its push and the move of its ref.
            Ask::Publish(_) if draw < self.crashes => Verdict::Crashed(AfterDoing::No),
            Ask::Store(..) if draw < self.crashes => Verdict::Crashed(done),
            Ask::Store(..) if draw < self.crashes + fails => Verdict::Failed,
            Ask::Store(Request::Put | Request::Delete, _)
                if draw < self.crashes + fails + self.lost =>
            {
                Verdict::AnswerLost
            }
            Ask::Begin | Ask::ReadRefs | Ask::Drop(_) | Ask::Publish(_) | Ask::Store(..) => {
                Verdict::Done
            }
        }
    }

    /// Draws what the storage's clock shows next.
    pub(super) fn clock(&mut self, now_ms: u64) -> u64 {
        if self.chance.below(1000) < self.jumps {
            return match self.chance.below(8) {
                0 => now_ms.saturating_sub(self.chance.below(2 * HOUR_MS)),
                1 | 2 => now_ms + self.chance.below(2 * HOUR_MS),
                3 | 4 => now_ms + DAY_MS + self.chance.below(2 * DAY_MS),
                _ => now_ms + OLD_MS / 2 + self.chance.below(OLD_MS),
            };
        }
        now_ms + self.chance.below(2 * SECOND_MS)
    }
}

/// Finds a client whose ref has to move before the clock does: its push record would be too old. It is
/// one that has listed after its record.
pub(super) fn overdue(state: &State, waiting: &[(usize, Ask)], next_ms: u64) -> Option<usize> {
    let late = |client: &usize| match state.world.pushes.get(client) {
        Some((recorded_ms, true)) => next_ms.saturating_sub(*recorded_ms) >= OLD_MS,
        Some((_, false)) | None => false,
    };
    waiting.iter().map(|(client, _)| *client).find(late)
}
