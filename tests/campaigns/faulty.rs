//! Storage in memory that goes wrong, by chance drawn from a seed.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, Result,
};

/// What can go wrong with a request, each as likely as the others of its kind.
const WRITES: [&str; 2] = ["write: fails", "write: answer lost"];
const READS: [&str; 7] = [
    "read: fails",
    "read: breaks off",
    "read: body too short",
    "read: body too long",
    "read: a bit flipped",
    "read: body of another object",
    "read: said to be missing",
];
const LOOKS: [&str; 1] = ["look-up: fails"];
const LISTS: [&str; 4] =
    ["list: fails", "list: fails on a later page", "list: an entry left out", "list: empty"];

/// Draws numbers, the same from the same seed.
#[derive(Clone, Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Returns a number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end.max(1)
    }
}

/// What was asked, and what went wrong.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) requests: u64,
    pub(crate) faults: BTreeMap<&'static str, u64>,
}

/// Storage in memory, and the share of its requests that go wrong, in percent.
#[derive(Debug)]
pub(crate) struct Faulty {
    inner: Arc<InMemory>,
    percent: u64,
    state: Mutex<(Chance, Tally)>,
}

impl Faulty {
    pub(crate) fn new(inner: Arc<InMemory>, percent: u64, seed: u64) -> Self {
        Self { inner, percent, state: Mutex::new((Chance::new(seed), Tally::default())) }
    }

    /// Returns what happened so far.
    pub(crate) fn tally(&self) -> Tally {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).1.clone()
    }

    /// Counts a request and says what goes wrong with it, if anything, with a number to use.
    fn draw(&self, kinds: &[&'static str]) -> (Option<&'static str>, u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (chance, tally) = &mut *state;
        tally.requests += 1;
        let number = chance.below(u64::MAX);
        if chance.below(100) >= self.percent {
            return (None, number);
        }
        let kind = usize::try_from(chance.below(kinds.len() as u64)).ok();
        let fault = kind.and_then(|at| kinds.get(at)).copied();
        if let Some(fault) = fault {
            *tally.faults.entry(fault).or_default() += 1;
        }
        (fault, number)
    }

    async fn of_another(&self, at: &Path, length: usize, number: u64) -> Bytes {
        let all: Vec<_> = self.inner.list(None).filter_map(|m| async { m.ok() }).collect().await;
        let others: Vec<&ObjectMeta> = all.iter().filter(|meta| meta.location != *at).collect();
        let chosen = usize::try_from(number).ok().and_then(|n| others.get(n % others.len().max(1)));
        let mut bytes = BytesMut::new();
        if let Some(other) = chosen
            && let Ok(found) = self.inner.get(&other.location).await
        {
            bytes.extend_from_slice(&found.bytes().await.unwrap_or_default());
        }
        bytes.resize(length, 0);
        bytes.freeze()
    }
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("faulty storage")
    }
}

fn reset() -> Error {
    Error::Generic { store: "faulty", source: "connection reset".into() }
}

#[async_trait::async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(&self, at: &Path, body: PutPayload, how: PutOptions) -> Result<PutResult> {
        match self.draw(&WRITES).0 {
            Some("write: fails") => Err(reset()),
            Some(_) => self.inner.put_opts(at, body, how).await.and(Err(reset())),
            None => self.inner.put_opts(at, body, how).await,
        }
    }

    async fn put_multipart_opts(
        &self,
        at: &Path,
        how: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(at, how).await
    }

    async fn get_opts(&self, at: &Path, how: GetOptions) -> Result<GetResult> {
        if how.head {
            return match self.draw(&LOOKS).0 {
                Some(_) => Err(reset()),
                None => self.inner.get_opts(at, how).await,
            };
        }
        let (fault, number) = self.draw(&READS);
        let Some(fault) = fault else { return self.inner.get_opts(at, how).await };
        if fault == "read: fails" {
            return Err(reset());
        }
        if fault == "read: said to be missing" {
            return Err(Error::NotFound { path: at.to_string(), source: "not there".into() });
        }
        let bytes = self.inner.get_opts(at, how.clone()).await?.bytes().await?;
        let mut result = self.inner.get_opts(at, how).await?;
        let cut = usize::try_from(number).unwrap_or(0) % bytes.len().max(1);
        let mut pieces = vec![];
        match fault {
            "read: breaks off" => pieces.extend([Ok(bytes.slice(..cut)), Err(reset())]),
            "read: body too short" => pieces.push(Ok(bytes.slice(..cut))),
            "read: body too long" => pieces.extend([Ok(bytes.clone()), Ok(bytes)]),
            "read: a bit flipped" => {
                let mut other = BytesMut::from(&bytes[..]);
                if let Some(byte) = other.get_mut(cut) {
                    *byte ^= 1 << (number >> 32 & 7);
                }
                pieces.push(Ok(other.freeze()));
            }
            _ => pieces.push(Ok(self.of_another(at, bytes.len(), number).await)),
        }
        result.payload = GetResultPayload::Stream(futures::stream::iter(pieces).boxed());
        Ok(result)
    }

    fn delete_stream(
        &self,
        at: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(at)
    }

    fn list(&self, below: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let all = self.inner.list(below);
        let (fault, number) = self.draw(&LISTS);
        let few = usize::try_from(number % 4).unwrap_or(0);
        match fault {
            None => all,
            Some("list: fails") => futures::stream::iter([Err(reset())]).boxed(),
            Some("list: fails on a later page") => {
                all.take(few).chain(futures::stream::iter([Err(reset())])).boxed()
            }
            Some("list: an entry left out") => all
                .enumerate()
                .filter_map(move |(i, found)| async move { (i != few).then_some(found) })
                .boxed(),
            Some(_) => futures::stream::empty().boxed(),
        }
    }

    async fn list_with_delimiter(&self, below: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(below).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, how: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, how).await
    }
}
