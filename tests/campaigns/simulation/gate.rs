//! Who goes on: every request of every client waits here until it is its turn, so that exactly one
//! client runs at a time and a run follows from its seed.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::world::World;

/// A client that computes for longer than this between two requests hangs.
const HANG: Duration = Duration::from_secs(300);

/// What a client wants to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// To begin something new, after a crash too.
    Begin,
    /// To put, get, look up, list or delete; the key is that of the object.
    Store(Request, String),
    /// To read the refs of all Git repositories.
    ReadRefs,
    /// To move a ref to what was pushed.
    Publish(usize),
    /// To drop a ref.
    Drop(usize),
}

/// A request to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    Put,
    Get,
    Head,
    List,
    Delete,
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Done,
    /// It is done, and the client is told that the connection broke.
    AnswerLost,
    /// It is not done.
    Failed,
    /// The client dies here, after it was done or before; nothing it asks for is done any more.
    Crashed(AfterDoing),
}

/// Whether the last request of a client that died was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AfterDoing {
    Yes,
    No,
}

impl Verdict {
    /// Says whether the request is done.
    pub(super) fn does(self) -> bool {
        match self {
            Self::Done | Self::AnswerLost | Self::Crashed(AfterDoing::Yes) => true,
            Self::Failed | Self::Crashed(AfterDoing::No) => false,
        }
    }
}

/// Where a client stands.
enum Stand {
    Running,
    Waiting(Ask, oneshot::Sender<Verdict>),
    Ended,
}

/// Everything that clients share.
pub(super) struct Gate {
    state: Mutex<State>,
    moved: Condvar,
}

pub(super) struct State {
    stands: Vec<Stand>,
    dead: Vec<bool>,
    /// Nobody gets a turn any more.
    closed: bool,
    pub(super) world: World,
}

impl Gate {
    pub(super) fn new(clients: usize, world: World) -> Arc<Self> {
        let stands = (0..clients).map(|_| Stand::Running).collect();
        let state = State { stands, dead: vec![false; clients], closed: false, world };
        Arc::new(Self { state: Mutex::new(state), moved: Condvar::new() })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the turn of a client, in asynchronous code.
    pub(super) async fn turn(&self, client: usize, ask: Ask) -> Verdict {
        match self.queue(client, ask) {
            Some(turn) => turn.await.unwrap_or(Verdict::Failed),
            None => Verdict::Failed,
        }
    }

    /// Waits for the turn of a client.
    pub(super) fn turn_now(&self, client: usize, ask: Ask) -> Verdict {
        match self.queue(client, ask) {
            Some(turn) => turn.blocking_recv().unwrap_or(Verdict::Failed),
            None => Verdict::Failed,
        }
    }

    /// A client that died gets no turn before it begins anew.
    fn queue(&self, client: usize, ask: Ask) -> Option<oneshot::Receiver<Verdict>> {
        let mut state = self.lock();
        if state.closed {
            return None;
        }
        if ask == Ask::Begin {
            state.world.pushes.remove(&client);
            *state.dead.get_mut(client).expect("is a client") = false;
        } else if state.dead.get(client).copied().unwrap_or(true) {
            return None;
        }
        let (sender, turn) = oneshot::channel();
        let stand = state.stands.get_mut(client).expect("is a client");
        assert!(matches!(stand, Stand::Running), "client {client} asks twice at a time: {ask:?}");
        *stand = Stand::Waiting(ask, sender);
        self.moved.notify_all();
        Some(turn)
    }

    /// Ends a client for good.
    pub(super) fn end(&self, client: usize) {
        *self.lock().stands.get_mut(client).expect("is a client") = Stand::Ended;
        self.moved.notify_all();
    }

    /// Refuses everything from now on, so that clients end.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        for stand in &mut state.stands {
            *stand = Stand::Ended;
        }
    }

    /// Waits until no client runs.
    pub(super) fn quiet(&self) -> MutexGuard<'_, State> {
        let running = |state: &mut State| state.stands.iter().any(|s| matches!(s, Stand::Running));
        let waited = self.moved.wait_timeout_while(self.lock(), HANG, running);
        let (state, late) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(!late.timed_out(), "a client hangs");
        state
    }
}

impl State {
    /// Returns who waits for what.
    pub(super) fn waiting(&self) -> Vec<(usize, Ask)> {
        let asks = self.stands.iter().enumerate().filter_map(|(client, stand)| match stand {
            Stand::Waiting(ask, _) => Some((client, ask.clone())),
            Stand::Running | Stand::Ended => None,
        });
        asks.collect()
    }

    /// Lets a client go on.
    pub(super) fn go_on(&mut self, client: usize, verdict: Verdict) {
        let stand = self.stands.get_mut(client).expect("is a client");
        if let Stand::Waiting(_, sender) = std::mem::replace(stand, Stand::Running) {
            if matches!(verdict, Verdict::Crashed(_)) {
                *self.dead.get_mut(client).expect("is a client") = true;
            }
            sender.send(verdict).expect("a client waits for its turn");
        }
    }
}
