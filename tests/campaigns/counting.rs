//! Storage in memory that counts what is asked of it, and how often somebody had to wait for an answer
//! before asking on.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::stream::{BoxStream, once};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

/// How long nobody must have asked anything before all that wait are answered. Too short a time makes
/// two rounds of one, and never one of two: who waits for an answer cannot ask on.
const QUIET: Duration = Duration::from_secs(1);

/// How often somebody who waits looks whether it is quiet.
const TICK: Duration = Duration::from_millis(10);

/// When reading requests are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answers {
    AtOnce,
    /// All that were asked together, once nobody asks more.
    InRounds,
}

/// Requests by what was done and the folder it was done to, such as `get p`.
pub(crate) type Asked = BTreeMap<String, u64>;

/// What was asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) asked: Asked,
    /// What was asked together, round after round; empty where answers come at once.
    pub(crate) rounds: Vec<Asked>,
}

impl Tally {
    /// Returns how often that was asked.
    pub(crate) fn of(&self, what: &str) -> u64 {
        self.asked.get(what).copied().unwrap_or_default()
    }

    /// Returns how many requests there were.
    pub(crate) fn all(&self) -> u64 {
        self.asked.values().sum()
    }
}

#[derive(Debug)]
struct State {
    tally: Tally,
    /// The round that is open, and when the last request of it came.
    open: Asked,
    last: Instant,
}

/// Storage in memory that counts.
#[derive(Clone, Debug)]
pub(crate) struct Counting {
    inner: Arc<InMemory>,
    answers: Answers,
    state: Arc<Mutex<State>>,
}

impl Counting {
    pub(crate) fn new(inner: Arc<InMemory>, answers: Answers) -> Self {
        let state = State { tally: Tally::default(), open: Asked::new(), last: Instant::now() };
        Self { inner, answers, state: Arc::new(Mutex::new(state)) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what was asked so far.
    pub(crate) fn tally(&self) -> Tally {
        self.state().tally.clone()
    }

    /// Counts a request; returns the number of its round.
    fn count(&self, verb: &str, at: &str) -> usize {
        let what = format!("{verb} {}", at.split('/').next().unwrap_or_default());
        let mut state = self.state();
        *state.tally.asked.entry(what.clone()).or_default() += 1;
        if self.answers == Answers::InRounds {
            *state.open.entry(what).or_default() += 1;
            state.last = Instant::now();
        }
        state.tally.rounds.len()
    }

    /// Waits until the round is over.
    async fn wait(&self, round: usize) {
        if self.answers == Answers::AtOnce {
            return;
        }
        loop {
            tokio::time::sleep(TICK).await;
            let mut state = self.state();
            if state.tally.rounds.len() == round && state.last.elapsed() >= QUIET {
                let asked = std::mem::take(&mut state.open);
                state.tally.rounds.push(asked);
            }
            if state.tally.rounds.len() > round {
                return;
            }
        }
    }
}

impl fmt::Display for Counting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("storage that counts")
    }
}

#[async_trait::async_trait]
impl ObjectStore for Counting {
    async fn put_opts(&self, at: &Path, body: PutPayload, how: PutOptions) -> Result<PutResult> {
        let round = self.count("put", at.as_ref());
        self.wait(round).await;
        self.inner.put_opts(at, body, how).await
    }

    async fn put_multipart_opts(
        &self,
        at: &Path,
        how: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let round = self.count("put", at.as_ref());
        self.wait(round).await;
        self.inner.put_multipart_opts(at, how).await
    }

    async fn get_opts(&self, at: &Path, how: GetOptions) -> Result<GetResult> {
        let round = self.count(if how.head { "head" } else { "get" }, at.as_ref());
        self.wait(round).await;
        self.inner.get_opts(at, how).await
    }

    fn delete_stream(
        &self,
        at: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(at)
    }

    fn list(&self, below: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let round = self.count("list", below.map_or("", AsRef::as_ref));
        let (own, all) = (self.clone(), self.inner.list(below));
        let waited = once(async move { own.wait(round).await });
        waited.filter_map(|()| async { None }).chain(all).boxed()
    }

    async fn list_with_delimiter(&self, below: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(below).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, how: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, how).await
    }
}
