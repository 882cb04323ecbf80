//! Waves: many requests at once, bounded in number and in bytes, answered as they come.

use std::ops::Range;
use std::pin::pin;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use futures::future::{BoxFuture, select};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use crate::fs::memory_limit;
use crate::progress::Job;

use super::buffers::Buffers;
use super::connect::{Inner, Remote};
use super::error::RemoteError;
use super::io::Listed;
use super::runtime::{Running, Stop, TICK, spawn};
use super::upload::Upload;

/// Bytes of one wave in memory at once, from the request until the caller is done with the answer.
const IN_FLIGHT: u32 = 64 << 20;

/// Which part of the memory that this process may take a wave uses at most.
const SHARE: u64 = 8;

/// The least that a wave has, so that two pieces are on their way even then.
const LEAST_IN_FLIGHT: u32 = 16 << 20;

/// Returns the bytes of one wave in memory, fewer where the system limits the memory of this process.
fn in_flight() -> u32 {
    static BYTES: OnceLock<u32> = OnceLock::new();
    let share = || memory_limit().map_or(u64::MAX, |limit| limit / SHARE);
    let bytes = || u32::try_from(share()).unwrap_or(u32::MAX).clamp(LEAST_IN_FLIGHT, IN_FLIGHT);
    *BYTES.get_or_init(bytes)
}

/// The least that a request is reckoned with, so that small answers cannot pile up without end.
const LEAST_COST: u32 = 4 << 10;

/// Most requests of one wave at once, whatever the caller asks for.
pub(super) const MAX_JOBS: usize = 256;

/// Something to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// The object.
    pub key: String,
    /// The bytes wanted; `None`: all.
    pub range: Option<Range<u64>>,
    /// Most bytes that the answer may have. Reserved from the budget of the wave until the size is
    /// known, so a close limit keeps more requests in flight.
    pub limit: u64,
}

impl Fetch {
    fn cost(&self) -> u64 {
        match &self.range {
            Some(range) => range.end.saturating_sub(range.start).min(self.limit),
            None => self.limit,
        }
    }
}

impl Remote {
    /// Reads many objects or ranges as one wave.
    ///
    /// At most `jobs` requests run at once, and at most 64 MiB (or one answer, if that is larger)
    /// are in memory. `each` is called on this thread with the index of a fetch and its answer, in
    /// any order; its error, and a wish to stop, end the wave at once.
    pub fn get_ranges<E: From<RemoteError>>(
        &self,
        fetches: Vec<Fetch>,
        jobs: usize,
        job: &Job<'_>,
        each: impl FnMut(usize, Result<Bytes, RemoteError>) -> Result<(), E>,
    ) -> Result<(), E> {
        let costs = fetches.iter().map(Fetch::cost).collect();
        let (inner, buffers) = (Arc::clone(&self.inner), Buffers::default());
        let start = move |fetch: Fetch, permit: OwnedSemaphorePermit| {
            Box::pin(fetch_one((Arc::clone(&inner), buffers.clone()), fetch, permit))
                as Answering<_>
        };
        self.wave(Work { items: fetches, costs, jobs, start: Box::new(start) }, job, each)
    }

    /// Sends many files as one wave; reads each in pieces.
    ///
    /// `each` is called on this thread with the index of a file once its object is durable. The
    /// first failure, an error of `each` and a wish to stop end the wave at once; files that were
    /// sent stay, others leave nothing under their keys.
    pub fn put_files<E: From<RemoteError>>(
        &self,
        uploads: Vec<Upload>,
        jobs: usize,
        job: &Job<'_>,
        mut each: impl FnMut(usize) -> Result<(), E>,
    ) -> Result<(), E> {
        let costs = uploads.iter().map(|upload| upload.cost(self.inner.parts)).collect();
        let (inner, buffers) = (Arc::clone(&self.inner), Buffers::default());
        let start = move |upload: Upload, permit: OwnedSemaphorePermit| {
            let (inner, buffers) = (Arc::clone(&inner), buffers.clone());
            Box::pin(async move { (inner.upload(&upload, &buffers).await, permit) }) as Answering<_>
        };
        let work = Work { items: uploads, costs, jobs, start: Box::new(start) };
        self.wave(work, job, |index, sent: Result<(), RemoteError>| {
            sent?;
            each(index)
        })
    }

    /// Looks up many objects as one wave; answers in the order of `keys`.
    pub fn head_many(
        &self,
        keys: Vec<String>,
        jobs: usize,
        job: &Job<'_>,
    ) -> Result<Vec<Option<Listed>>, RemoteError> {
        let mut found = vec![None; keys.len()];
        let costs = vec![0; keys.len()];
        let inner = Arc::clone(&self.inner);
        let start = move |key: String, permit: OwnedSemaphorePermit| {
            let inner = Arc::clone(&inner);
            Box::pin(async move { (inner.head(&key).await, permit) }) as Answering<_>
        };
        let work = Work { items: keys, costs, jobs, start: Box::new(start) };
        self.wave(work, job, |index, answer: Result<Option<Listed>, RemoteError>| {
            let answer = answer?;
            if let Some(place) = found.get_mut(index) {
                *place = answer;
            }
            Ok::<(), RemoteError>(())
        })?;
        Ok(found)
    }

    /// Removes many objects as one wave; those that are not there are fine.
    ///
    /// `each` is called on this thread with the index of an object that is gone. The first failure and
    /// a wish to stop end the wave at once; what was removed stays so.
    pub fn remove_many(
        &self,
        keys: Vec<String>,
        jobs: usize,
        job: &Job<'_>,
        mut each: impl FnMut(usize),
    ) -> Result<(), RemoteError> {
        let costs = vec![0; keys.len()];
        let inner = Arc::clone(&self.inner);
        let start = move |key: String, permit: OwnedSemaphorePermit| {
            let inner = Arc::clone(&inner);
            Box::pin(async move { (inner.remove(&key).await, permit) }) as Answering<_>
        };
        let work = Work { items: keys, costs, jobs, start: Box::new(start) };
        self.wave(work, job, |index, removed: Result<(), RemoteError>| {
            removed?;
            each(index);
            Ok(())
        })
    }

    fn wave<I: Send + 'static, T: Send + 'static, E: From<RemoteError>>(
        &self,
        work: Work<I, T>,
        job: &Job<'_>,
        mut each: impl FnMut(usize, T) -> Result<(), E>,
    ) -> Result<(), E> {
        job.check().map_err(RemoteError::from)?;
        let total = work.items.len();
        if total == 0 {
            return Ok(());
        }
        self.inner.counts.waves.add(1);
        let (sender, answers) = mpsc::channel();
        // Dropped on every way out, which stops all requests that are under way.
        let running: Running = spawn(|stop| drive(work, sender, stop))?;
        let mut done = 0;
        while done < total {
            let answer = answers.recv_timeout(TICK);
            job.check().map_err(RemoteError::from)?;
            match answer {
                Ok((index, (answer, permit), place)) => {
                    if let Err(e) = each(index, answer) {
                        // Before there is room for another request: nothing more is asked for.
                        drop(running);
                        return Err(e);
                    }
                    drop((permit, place));
                    done += 1;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    let why = "a request ended without an answer".to_owned();
                    return Err(RemoteError::NoThreads { why }.into());
                }
            }
        }
        Ok(())
    }
}

/// A request under way; its permit covers the answer for as long as that is in memory.
type Answering<T> = BoxFuture<'static, (T, OwnedSemaphorePermit)>;

/// The requests of a wave.
struct Work<I, T> {
    items: Vec<I>,
    costs: Vec<u64>,
    jobs: usize,
    start: Box<dyn Fn(I, OwnedSemaphorePermit) -> Answering<T> + Send + Sync>,
}

/// Answers with their numbers; a wave of one request at a time keeps its place until the answer was taken.
type Answers<T> = mpsc::Sender<(usize, (T, OwnedSemaphorePermit), Option<OwnedSemaphorePermit>)>;

/// Sees to it that all requests are under way in turn, until `stop`; none is left when it ends.
async fn drive<I: Send + 'static, T: Send + 'static>(
    work: Work<I, T>,
    answers: Answers<T>,
    stop: Stop,
) {
    let mut running = JoinSet::new();
    select(pin!(feed(work, answers, &mut running)), stop).await;
    running.shutdown().await;
}

/// Starts the requests in order, each once there is a place and memory for it.
async fn feed<I: Send + 'static, T: Send + 'static>(
    work: Work<I, T>,
    answers: Answers<T>,
    running: &mut JoinSet<()>,
) {
    let places = Arc::new(Semaphore::new(work.jobs.clamp(1, MAX_JOBS)));
    let budget = in_flight();
    let memory = Arc::new(Semaphore::new(budget as usize));
    let alone = work.jobs <= 1;
    for (index, (item, cost)) in work.items.into_iter().zip(work.costs).enumerate() {
        let cost = u32::try_from(cost).unwrap_or(budget).clamp(LEAST_COST, budget);
        // Neither semaphore is ever closed, so these wait and do not fail.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok(permit) = Arc::clone(&memory).acquire_many_owned(cost).await else { return };
        while running.try_join_next().is_some() {}
        let (answering, answers) = ((work.start)(item, permit), answers.clone());
        running.spawn(async move {
            let answer = answering.await;
            let place = Some(place).filter(|_| alone);
            // Nobody listens any more once the wave was given up.
            drop(answers.send((index, answer, place)));
        });
    }
    drop(answers);
    while running.join_next().await.is_some() {}
}

async fn fetch_one(
    (inner, buffers): (Arc<Inner>, Buffers),
    fetch: Fetch,
    mut permit: OwnedSemaphorePermit,
) -> (Result<Bytes, RemoteError>, OwnedSemaphorePermit) {
    let answer = if let Some(range) = fetch.range.clone() {
        inner.get_range(&fetch.key, range, fetch.limit, &buffers).await
    } else {
        let give_back = |size: u64| {
            let needed = usize::try_from(size).unwrap_or(usize::MAX).max(LEAST_COST as usize);
            drop(permit.split(permit.num_permits().saturating_sub(needed)));
        };
        inner.get(&fetch.key, fetch.limit, give_back, &buffers).await
    };
    (answer, permit)
}
