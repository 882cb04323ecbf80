//! What the core tells the edge: events out, the wish to stop in. Nothing else rides along.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a task is about; the edge chooses the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Finding files and comparing their stamps.
    Scan,
    /// Reading, cutting, hashing and packing files; in bytes.
    Add,
    /// Sending packs to the remote; in bytes.
    Upload,
    /// Fetching nodes and frames from the remote; in bytes.
    Download,
    /// Writing files into the worktree; in bytes.
    Place,
    /// Comparing packs with what the remote lists; in packs.
    Verify,
    /// Reading packs and files to see whether they are sound; in bytes.
    Check,
}

/// One thing that happened.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A task began; `total` is in the unit of its kind, where it is known.
    Begin {
        /// What the task is about.
        kind: Kind,
        /// The amount at which the task is complete.
        total: Option<u64>,
    },
    /// A running task got further by `amount`.
    Advance {
        /// The task that advanced.
        kind: Kind,
        /// How much, in the unit of its kind.
        amount: u64,
    },
    /// Of what a running task got further by, or soon will, so much was not known before.
    New {
        /// The task that met it.
        kind: Kind,
        /// How much, in the unit of its kind.
        amount: u64,
    },
    /// A task ended, complete or not.
    End {
        /// The task that ended.
        kind: Kind,
    },
    /// Something the user should read once.
    Note(&'a str),
    /// Something the user should read and probably act on.
    Warning(&'a str),
}

/// Receives events; called from many threads, so it must be quick.
pub trait Sink: Send + Sync {
    /// Takes one event.
    fn on(&self, event: Event<'_>);
}

/// A sink that drops everything.
#[derive(Debug, Default)]
pub struct Silent;

impl Sink for Silent {
    fn on(&self, _: Event<'_>) {}
}

/// The user asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("interrupted")]
pub struct Stopped;

/// The user's wish to stop, for what waits and has no [`Job`]; by default nobody can wish that.
#[derive(Clone, Copy, Debug, Default)]
pub struct StopFlag(Option<&'static AtomicBool>);

impl StopFlag {
    /// Fails once the user asked to stop.
    pub fn check(self) -> Result<(), Stopped> {
        if self.0.is_some_and(|flag| flag.load(Ordering::Relaxed)) { Err(Stopped) } else { Ok(()) }
    }
}

/// What every long operation carries: where to report, and whether to stop.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    sink: &'a dyn Sink,
    stop: &'a AtomicBool,
}

impl<'a> Job<'a> {
    /// Reports to `sink`; ends early once `stop` is true.
    pub fn new(sink: &'a dyn Sink, stop: &'a AtomicBool) -> Self {
        Self { sink, stop }
    }

    /// Begins a task that ends when the returned value is dropped.
    pub fn begin(&self, kind: Kind, total: Option<u64>) -> Task<'a> {
        self.sink.on(Event::Begin { kind, total });
        Task { sink: self.sink, kind }
    }

    /// Fails once the user asked to stop; called between chunks.
    pub fn check(&self) -> Result<(), Stopped> {
        if self.stop.load(Ordering::Relaxed) { Err(Stopped) } else { Ok(()) }
    }

    /// The same to stop by, and nobody to hear of it: for work that is done again aloud.
    #[must_use]
    pub fn silently(&self) -> Job<'a> {
        Job { sink: &Silent, stop: self.stop }
    }

    /// Tells the user something worth knowing.
    pub fn note(&self, text: &str) {
        self.sink.on(Event::Note(text));
    }

    /// Tells the user something to act on.
    pub fn warn(&self, text: &str) {
        self.sink.on(Event::Warning(text));
    }
}

/// A job that is kept rather than lent, for what may have to wait where nobody hands one down.
#[derive(Clone)]
pub struct KeptJob {
    sink: Arc<dyn Sink>,
    stop: StopFlag,
}

impl KeptJob {
    /// Reports to `sink`; ends early once `stop` is true.
    pub fn new(sink: Arc<dyn Sink>, stop: &'static AtomicBool) -> Self {
        Self { sink, stop: StopFlag(Some(stop)) }
    }

    /// Lends it.
    pub fn lend(&self) -> Job<'_> {
        static NEVER: AtomicBool = AtomicBool::new(false);
        Job::new(&*self.sink, self.stop.0.unwrap_or(&NEVER))
    }

    /// Returns how it is stopped.
    pub fn stop(&self) -> StopFlag {
        self.stop
    }
}

impl Default for KeptJob {
    /// Nobody hears of it, and nobody stops it.
    fn default() -> Self {
        Self { sink: Arc::new(Silent), stop: StopFlag::default() }
    }
}

impl fmt::Debug for KeptJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptJob").finish_non_exhaustive()
    }
}

/// A running task; dropping it ends it.
pub struct Task<'a> {
    sink: &'a dyn Sink,
    kind: Kind,
}

impl Task<'_> {
    /// Reports progress of `amount`, in the unit of the task's kind.
    pub fn advance(&self, amount: u64) {
        self.sink.on(Event::Advance { kind: self.kind, amount });
    }

    /// Reports that `amount` is new, in the unit of the task's kind.
    pub fn meet_new(&self, amount: u64) {
        self.sink.on(Event::New { kind: self.kind, amount });
    }
}

impl Drop for Task<'_> {
    fn drop(&mut self) {
        self.sink.on(Event::End { kind: self.kind });
    }
}
