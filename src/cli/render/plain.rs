//! Progress for logs: a line every few seconds for what takes longer than that.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::cli::render::meter::{Meter, Running};
use crate::cli::render::{Talking, say};
use crate::progress::{Event, Sink};

const EVERY: Duration = Duration::from_secs(3);
const TICK: Duration = Duration::from_millis(500);

/// Prints from a thread of its own, so that a task that stalls is seen to stall.
pub(super) struct Plain {
    talking: Talking,
    shared: Arc<Shared>,
    ticker: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Default)]
struct State {
    meter: Meter,
    over: bool,
}

impl Plain {
    /// Starts the thread; it ends when the value is dropped.
    pub(super) fn new(talking: Talking) -> Self {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let ticker = thread::Builder::new().name("progress".to_owned());
        let ticker = ticker.spawn(move || theirs.tick()).ok();
        Self { talking, shared, ticker }
    }
}

impl Shared {
    fn tick(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while !state.over {
            let waited = self.ended.wait_timeout(state, TICK);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            let now = Instant::now();
            for running in state.meter.due(now, EVERY) {
                say(&running.line(now));
            }
        }
    }
}

impl Sink for Plain {
    fn on(&self, event: Event<'_>) {
        if let Some(line) = self.talking.line(event) {
            return say(&line);
        }
        let now = Instant::now();
        let ended = {
            let mut state = self.shared.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.meter.on(event, now)
        };
        if let Some(running) = ended.filter(Running::was_shown) {
            say(&running.line(now));
        }
    }
}

impl Drop for Plain {
    fn drop(&mut self) {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner).over = true;
        self.shared.ended.notify_all();
        if let Some(ticker) = self.ticker.take() {
            drop(ticker.join());
        }
    }
}
