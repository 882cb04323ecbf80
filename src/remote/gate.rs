//! How many requests are under way at once: few at first, more while that makes it faster, and half as
//! many when the server says that it is too much.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;
use tokio::time::Instant;

/// Requests at once before anything is known of the line.
const FIRST: usize = 4;

/// What a request counts for besides its bytes, so that many small ones are progress as well.
const REQUEST: u64 = 64 << 10;

/// By how much faster a round must be for the next one to be larger, in percent.
const GAIN: u64 = 10;

/// Rounds after which what was found out of the line is tried again, as lines change.
const FORGET: u32 = 32;

/// Lets requests through; clones are the same gate.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    places: Semaphore,
    /// Never more than this at once.
    most: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Requests that may be under way now.
    allowed: usize,
    /// Requests under way beyond that: their places go when they end.
    surplus: usize,
    /// Not to be passed until it is forgotten: the server refused there.
    ceiling: usize,
    /// How often the server refused; requests that began before the last time prove nothing new.
    refusals: u64,
    round: Round,
    /// The best speed of a round so far, in bytes per second.
    best: u64,
    /// Rounds since there was a reason to change anything.
    idle: u32,
}

/// As many requests as may be under way at once: what is compared.
#[derive(Debug)]
struct Round {
    began: Instant,
    ended: usize,
    bytes: u64,
}

impl Round {
    fn new() -> Self {
        Self { began: Instant::now(), ended: 0, bytes: 0 }
    }
}

/// A request under way; its place is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Pass {
    gate: Gate,
    refusals: u64,
    bytes: u64,
}

impl Gate {
    /// Makes a gate for at most `most` requests at once.
    pub(super) fn new(most: usize) -> Self {
        let most = most.max(1);
        let allowed = FIRST.min(most);
        let state = State {
            allowed,
            surplus: 0,
            ceiling: most,
            refusals: 0,
            round: Round::new(),
            best: 0,
            idle: 0,
        };
        let inner = Inner { places: Semaphore::new(allowed), most, state: Mutex::new(state) };
        Self { inner: Arc::new(inner) }
    }

    /// Waits until another request may go out.
    pub(super) async fn enter(&self) -> Pass {
        // The semaphore is never closed, so this waits and does not fail.
        if let Ok(place) = self.inner.places.acquire().await {
            place.forget();
        }
        Pass { gate: self.clone(), refusals: self.state().refusals, bytes: 0 }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Allows as many requests at once, from now on.
    fn allow(&self, state: &mut State, count: usize) {
        if count >= state.allowed {
            let more = count - state.allowed;
            let kept = more.min(state.surplus);
            state.surplus -= kept;
            self.inner.places.add_permits(more - kept);
        } else {
            let fewer = state.allowed - count;
            state.surplus += fewer - self.inner.places.forget_permits(fewer);
        }
        state.allowed = count;
    }

    fn leave(&self, bytes: u64) {
        let mut state = self.state();
        if state.surplus > 0 {
            state.surplus -= 1;
        } else {
            self.inner.places.add_permits(1);
        }
        state.round.ended += 1;
        state.round.bytes = state.round.bytes.saturating_add(bytes).saturating_add(REQUEST);
        if state.round.ended >= state.allowed {
            self.judge(&mut state);
        }
    }

    /// Compares the round that ended with those before.
    fn judge(&self, state: &mut State) {
        let round = std::mem::replace(&mut state.round, Round::new());
        let micros = u64::try_from(round.began.elapsed().as_micros()).unwrap_or(u64::MAX).max(1);
        let speed = round.bytes.saturating_mul(1_000_000) / micros;
        if speed > state.best.saturating_add(state.best / 100 * GAIN) {
            (state.best, state.idle) = (speed, 0);
            let next = if state.refusals == 0 { state.allowed * 2 } else { state.allowed + 1 };
            self.allow(state, next.min(state.ceiling).max(1));
            return;
        }
        state.idle += 1;
        if state.idle >= FORGET {
            (state.best, state.idle, state.ceiling) = (0, 0, self.inner.most);
        }
    }
}

impl Pass {
    /// Counts bytes that went over the line.
    pub(super) fn count(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Says that the server wants to be asked for less, or does not keep up.
    pub(super) fn too_much(&self) {
        let mut state = self.gate.state();
        if self.refusals < state.refusals {
            return;
        }
        state.refusals += 1;
        let half = (state.allowed / 2).max(1);
        state.ceiling = half.midpoint(state.allowed).max(1);
        (state.best, state.idle, state.round) = (0, 0, Round::new());
        self.gate.allow(&mut state, half);
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.gate.leave(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use tokio::task::JoinSet;
    use tokio::time::sleep;

    use super::*;

    /// What a server saw: requests at once at most, and how many it refused.
    #[derive(Default)]
    struct Seen {
        now: AtomicUsize,
        most: AtomicUsize,
        refused: AtomicUsize,
    }

    /// Sends requests through a gate to a server of which `takes` says, by the number of requests
    /// under way, how long one takes, or that it refuses.
    fn play(requests: usize, takes: fn(usize) -> Option<Duration>) -> (usize, usize) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let seen = Arc::new(Seen::default());
        runtime.block_on(async {
            let gate = Gate::new(32);
            let mut all = JoinSet::new();
            for _ in 0..requests {
                let (gate, seen) = (gate.clone(), Arc::clone(&seen));
                all.spawn(async move {
                    loop {
                        let mut pass = gate.enter().await;
                        let now = seen.now.fetch_add(1, Ordering::Relaxed) + 1;
                        seen.most.fetch_max(now, Ordering::Relaxed);
                        let answer = takes(now);
                        sleep(answer.unwrap_or(Duration::from_millis(5))).await;
                        seen.now.fetch_sub(1, Ordering::Relaxed);
                        if answer.is_some() {
                            pass.count(1 << 20);
                            return;
                        }
                        pass.too_much();
                        drop(pass);
                        seen.refused.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            while all.join_next().await.is_some() {}
        });
        (seen.most.load(Ordering::Relaxed), seen.refused.load(Ordering::Relaxed))
    }

    #[test]
    fn a_line_that_gets_faster_with_more_requests_gets_more_and_never_too_many() {
        assert_eq!(play(500, |_| Some(Duration::from_millis(50))), (32, 0));
    }

    #[test]
    fn a_line_that_is_full_is_not_asked_for_more() {
        let (most, _) = play(500, |now| Some(Duration::from_millis(10 * now as u64)));
        assert!(most <= 16, "{most} at once");
    }

    #[test]
    fn a_server_that_refuses_is_asked_for_less_and_refuses_little() {
        let (most, refused) = play(2000, |now| (now <= 10).then_some(Duration::from_millis(50)));
        assert!(most <= 16, "{most} at once");
        assert!((1..60).contains(&refused), "{refused} refused");
    }
}
