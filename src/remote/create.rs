//! Writing what must not be there yet, on storage that may not know how.

use std::time::Duration;

use bytes::Bytes;
use object_store::{ObjectStore, PutMode};

use crate::fs::failpoint;

use super::buffers::Buffers;
use super::connect::{Inner, Remote};
use super::error::{Action, RemoteError};
use super::runtime::{block_on, block_on_beyond};

/// How long clearing away may take once the user asked to stop.
const CLEARING: Duration = Duration::from_millis(500);

/// What became of a write that must not overwrite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutOutcome {
    /// The object holds our bytes.
    Created,
    /// The object was there before, and is as it was.
    Existed,
}

/// What storage does when it is asked not to overwrite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Creation {
    /// It does not.
    Honoured,
    /// It does all the same, and reports success.
    Ignored,
    /// It cannot be asked.
    NotOffered,
}

impl Remote {
    /// Writes an object unless there is one.
    ///
    /// Atomic where the storage offers that; elsewhere written and read back, so that of two
    /// writers at once both may believe to have been first only if they wrote the same bytes or
    /// one read back before the other wrote. A service may ignore the wish without a word, and may
    /// take our own write for somebody else's after its answer was lost: so what it has counts.
    pub fn put_if_absent(&self, key: &str, bytes: Bytes) -> Result<PutOutcome, RemoteError> {
        self.inner.counts.waves.add(1);
        block_on(self.inner.stop, self.inner.put_if_absent(key, bytes))
    }

    /// Tries what the storage does when it is asked not to overwrite `key`, which must be nothing that
    /// anybody needs; it is removed again.
    pub fn creation(&self, key: &str) -> Result<Creation, RemoteError> {
        self.inner.counts.waves.add(1);
        block_on_beyond(self.inner.stop, CLEARING, self.inner.creation(key))
    }

    /// Removes an object; one that is not there is fine. A wish to stop leaves it some time.
    pub fn remove(&self, key: &str) -> Result<(), RemoteError> {
        self.inner.counts.waves.add(1);
        block_on_beyond(self.inner.stop, CLEARING, self.inner.remove(key))
    }
}

impl Inner {
    async fn put_if_absent(&self, key: &str, bytes: Bytes) -> Result<PutOutcome, RemoteError> {
        failpoint::hit("remote.put.before");
        let outcome = match self.create(key, bytes.clone()).await {
            // File systems without hard links say `not permitted` or `not supported`; where
            // writing is not permitted at all, the second try says so again.
            Err(RemoteError::Unsupported { .. } | RemoteError::Denied { .. }) => {
                return self.put_and_read_back(key, bytes).await;
            }
            // An error of a folder is final; of a service, what it has says what happened.
            Err(RemoteError::Conflict { .. }) if self.folder.is_some() => PutOutcome::Existed,
            Err(error) if self.folder.is_some() || !error.is_uncertain() => return Err(error),
            Err(error) => self.read_back(key, &bytes, Some(error)).await?,
            Ok(()) if self.folder.is_some() => PutOutcome::Created,
            Ok(()) => self.read_back(key, &bytes, None).await?,
        };
        failpoint::hit("remote.put.after");
        if outcome == PutOutcome::Created {
            self.counts.sent.add(bytes.len() as u64);
        }
        Ok(outcome)
    }

    async fn create(&self, key: &str, bytes: Bytes) -> Result<(), RemoteError> {
        let path = self.admit(Action::Write, key).await?;
        self.pace.wait(bytes.len() as u64).await;
        self.counts.put.add(1);
        let answer = self.store.put_opts(&path, bytes.into(), PutMode::Create.into()).await;
        answer.map(drop).map_err(|e| self.site(Action::Write, key).store(&e))
    }

    async fn put_and_read_back(&self, key: &str, bytes: Bytes) -> Result<PutOutcome, RemoteError> {
        if self.head(key).await?.is_some() {
            return Ok(PutOutcome::Existed);
        }
        self.put(key, bytes.clone()).await?;
        self.read_back(key, &bytes, None).await
    }

    /// Says whose bytes the object has; if it is not there, fails with `error`, or as reading did.
    async fn read_back(
        &self,
        key: &str,
        bytes: &Bytes,
        error: Option<RemoteError>,
    ) -> Result<PutOutcome, RemoteError> {
        match self.get(key, bytes.len() as u64, |_| (), &Buffers::default()).await {
            Ok(found) if found == *bytes => Ok(PutOutcome::Created),
            // Other bytes, of the same length or not: somebody else was there as well.
            Ok(_) | Err(RemoteError::Damaged { .. }) => Ok(PutOutcome::Existed),
            Err(reading) => Err(error.unwrap_or(reading)),
        }
    }

    async fn creation(&self, key: &str) -> Result<Creation, RemoteError> {
        let seen = match self.create(key, Bytes::from_static(b"first")).await {
            Err(RemoteError::Unsupported { .. }) => return Ok(Creation::NotOffered),
            Err(error) => Err(error),
            Ok(()) => match self.create(key, Bytes::from_static(b"second")).await {
                Ok(()) => Ok(Creation::Ignored),
                Err(RemoteError::Conflict { .. }) => Ok(Creation::Honoured),
                Err(error) => Err(error),
            },
        };
        let removed = self.remove(key).await;
        let seen = seen?;
        removed.map(|()| seen)
    }
}
