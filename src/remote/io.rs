//! Single requests: list, read, write, look up.

use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::ops::Range;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use futures::TryStreamExt;
use object_store::path::Path as StorePath;
use object_store::{GetOptions, GetRange, GetResult, GetResultPayload, ObjectMeta, ObjectStoreExt};

use crate::fs::{failpoint, planted};

use super::buffers::{Buffers, Loan, read_full};
use super::connect::{Inner, Remote};
use super::error::{Action, RemoteError};
use super::folder::too_many;
use super::runtime::{block_on, blocking};
use super::site::Site;

/// Most keys that one listing may have.
pub const MAX_LISTED: usize = 100_000;

/// Longest key, in bytes.
const MAX_KEY: usize = 256;

/// Objects up to this size are compared byte by byte to settle an unclear answer.
const COMPARE_BYTES: u64 = 1 << 20;

/// One object of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its key, from the root of the remote.
    pub key: String,
    /// Its length in bytes.
    pub size: u64,
    /// When it was written, by the clock of the storage, in ms since 1970; 0 if unknown.
    pub modified_ms: u64,
}

/// Returns true for what may be used as a key: `[a-z0-9.-]` parts joined by `/`, no `..`.
pub(super) fn is_key(text: &str) -> bool {
    let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || b"/.-".contains(&c);
    text.len() <= MAX_KEY
        && text.bytes().all(plain)
        && !text.contains("..")
        && text.split('/').all(|part| !part.is_empty() && part != ".")
}

impl Remote {
    /// Lists all objects below the folder `prefix` (`""`: all), every page, sorted by key.
    ///
    /// Whatever is in doubt is an error, never an empty listing: a service that lists nothing is asked
    /// once more. Entries that haul cannot have
    /// written are left out and logged. Fails beyond [`MAX_LISTED`] entries.
    pub fn list(&self, prefix: &str) -> Result<Vec<Listed>, RemoteError> {
        let inner = &self.inner;
        let folder = prefix.strip_suffix('/').unwrap_or(prefix);
        if !folder.is_empty() && !is_key(folder) {
            return Err(inner.invalid_key(prefix));
        }
        inner.counts.waves.add(1);
        inner.counts.list.add(1);
        tracing::debug!(remote = %inner.label, prefix, "listing");
        let listed = match &inner.folder {
            Some(guard) => guard.list(folder)?,
            None => match block_on(inner.stop, inner.list_surely(folder)) {
                Err(_) if planted::is("empty-list-believed") => Vec::new(),
                listed => listed?,
            },
        };
        failpoint::hit("remote.list.after");
        Ok(listed)
    }

    /// Reads a whole object; one longer than `limit_bytes` is damaged, and its body is not read.
    pub fn get(&self, key: &str, limit_bytes: u64) -> Result<Bytes, RemoteError> {
        self.inner.counts.waves.add(1);
        block_on(self.inner.stop, self.inner.get(key, limit_bytes, |_| (), &Buffers::default()))
    }

    /// Reads `range` of an object, which is damaged if it ends earlier. An empty range asks nothing.
    pub fn get_range(&self, key: &str, range: Range<u64>) -> Result<Bytes, RemoteError> {
        self.inner.counts.waves.add(1);
        block_on(self.inner.stop, self.inner.get_range(key, range, u64::MAX, &Buffers::default()))
    }

    /// Writes an object, replacing one of the same key; durable when this returns.
    pub fn put(&self, key: &str, bytes: Bytes) -> Result<(), RemoteError> {
        self.inner.counts.waves.add(1);
        block_on(self.inner.stop, self.inner.put(key, bytes))
    }

    /// Looks up one object; `None` if the remote answers that there is none.
    pub fn head(&self, key: &str) -> Result<Option<Listed>, RemoteError> {
        self.inner.counts.waves.add(1);
        block_on(self.inner.stop, self.inner.head(key))
    }
}

impl Inner {
    pub(super) fn site<'a>(&'a self, action: Action, key: &'a str) -> Site<'a> {
        Site { remote: &self.shown, action, key }
    }

    fn invalid_key(&self, key: &str) -> RemoteError {
        let key = key.chars().take(MAX_KEY).collect();
        RemoteError::InvalidKey { remote: Arc::clone(&self.label), key }
    }

    /// Checks the key, and what lies on the way to it, before anything is asked.
    pub(super) async fn admit(&self, action: Action, key: &str) -> Result<StorePath, RemoteError> {
        if !is_key(key) {
            return Err(self.invalid_key(key));
        }
        tracing::debug!(remote = %self.label, ?action, key, "request");
        if let Some(folder) = self.folder.clone() {
            let (remote, owned) = (Arc::clone(&self.label), key.to_owned());
            blocking(move || folder.guard(Site { remote: &remote, action, key: &owned }))
                .await
                .ok_or_else(|| self.site(action, key).unreachable("its check ended early"))??;
        }
        Ok(StorePath::from(key))
    }

    /// One answer without any key may be that of a server in trouble.
    async fn list_surely(&self, prefix: &str) -> Result<Vec<Listed>, RemoteError> {
        let listed = self.list(prefix).await?;
        if listed.is_empty() { self.list(prefix).await } else { Ok(listed) }
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Listed>, RemoteError> {
        let site = self.site(Action::List, prefix);
        let path = StorePath::from(prefix);
        let mut pages = self.store.list((!prefix.is_empty()).then_some(&path));
        let (mut found, mut seen) = (Vec::new(), 0);
        while let Some(meta) = pages.try_next().await.map_err(|e| site.store(&e))? {
            seen += 1;
            if seen > MAX_LISTED {
                return Err(too_many(site));
            }
            if is_key(meta.location.as_ref()) {
                found.push(listed(&meta));
            }
        }
        if seen > found.len() {
            tracing::warn!(remote = %self.label, prefix, skipped = seen - found.len(),
                "the remote holds entries that haul did not write; they are left alone");
        }
        found.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        Ok(found)
    }

    /// Reads a whole object and tells `on_size` its length before the body is read.
    pub(super) async fn get(
        &self,
        key: &str,
        limit: u64,
        on_size: impl FnOnce(u64),
        buffers: &Buffers,
    ) -> Result<Bytes, RemoteError> {
        let site = self.site(Action::Read, key);
        let path = self.admit(Action::Read, key).await?;
        self.counts.get.add(1);
        let answer = self.store.get(&path).await.map_err(|e| site.store(&e))?;
        let size = answer.meta.size;
        if size > limit {
            return Err(site.damaged(format!("it has {size} bytes, expected were {limit} at most")));
        }
        on_size(size);
        self.body(site, answer, size, buffers).await
    }

    /// Reads exactly `range`; more than `limit` bytes are not asked for.
    pub(super) async fn get_range(
        &self,
        key: &str,
        range: Range<u64>,
        limit: u64,
        buffers: &Buffers,
    ) -> Result<Bytes, RemoteError> {
        let Range { start, end } = range;
        let wanted = end.checked_sub(start).filter(|&wanted| wanted <= limit);
        let Some(wanted) = wanted else {
            return Err(RemoteError::InvalidRange { key: key.to_owned(), start, end, limit });
        };
        let site = self.site(Action::Read, key);
        let path = self.admit(Action::Read, key).await?;
        if wanted == 0 {
            return Ok(Bytes::new());
        }
        self.counts.get.add(1);
        let options = GetOptions::default().with_range(Some(GetRange::Bounded(start..end)));
        let answer = match self.store.get_opts(&path, options).await {
            Ok(answer) if answer.range == (start..end) => answer,
            Ok(answer) => return Err(ends_early(site, start..end, answer.range.end)),
            Err(e) => return Err(self.why_no_range(site, start..end, site.store(&e)).await),
        };
        self.body(site, answer, wanted, buffers).await
    }

    /// Tells an object that ends before a range from storage that did not answer.
    async fn why_no_range(&self, site: Site<'_>, r: Range<u64>, error: RemoteError) -> RemoteError {
        if !matches!(error, RemoteError::Unreachable { .. }) {
            return error;
        }
        match self.head(site.key).await {
            Ok(Some(found)) if found.size < r.end => ends_early(site, r, found.size),
            Ok(Some(_) | None) | Err(_) => error,
        }
    }

    /// Reads a body of `wanted` bytes; a longer one is given up where it becomes too long.
    async fn body(
        &self,
        site: Site<'_>,
        answer: GetResult,
        wanted: u64,
        buffers: &Buffers,
    ) -> Result<Bytes, RemoteError> {
        let start = answer.range.start;
        let bytes = if let GetResultPayload::File(file, _) = answer.payload {
            // Read in one go; as a stream, a file cut short meanwhile would never end.
            let length = usize::try_from(wanted).unwrap_or(usize::MAX);
            self.pace.wait(wanted).await;
            let buffers = buffers.clone();
            let read = blocking(move || read_from(&file, start, buffers.take(length))).await;
            let read = read.ok_or_else(|| site.unreachable("reading it ended early"))?;
            read.map_err(|e| site.io(&e))?
        } else {
            let mut body = answer.into_stream();
            let mut bytes = BytesMut::new();
            while let Some(piece) = body.next().await {
                let piece = piece.map_err(|e| site.store(&e))?;
                self.pace.wait(piece.len() as u64).await;
                bytes.extend_from_slice(&piece);
                if bytes.len() as u64 > wanted {
                    break;
                }
            }
            bytes.freeze()
        };
        if bytes.len() as u64 != wanted {
            let got = bytes.len();
            return Err(site.damaged(format!("{got} bytes came, expected were {wanted}")));
        }
        failpoint::hit("remote.get.after");
        self.counts.received.add(wanted);
        Ok(bytes)
    }

    pub(super) async fn put(&self, key: &str, bytes: Bytes) -> Result<(), RemoteError> {
        let path = self.admit(Action::Write, key).await?;
        let size = bytes.len() as u64;
        self.pace.wait(size).await;
        self.counts.put.add(1);
        failpoint::hit("remote.put.before");
        if let Err(e) = self.store.put(&path, bytes.clone().into()).await {
            let error = self.site(Action::Write, key).store(&e);
            self.settle(key, size, Some(&bytes), error).await?;
        }
        failpoint::hit("remote.put.after");
        self.counts.sent.add(size);
        Ok(())
    }

    /// Fails with `error` unless the object is there after all, as it was sent.
    ///
    /// A folder's answer is never lost on the way, and an error of its may mean that the bytes are
    /// not on disk yet: there the error stands.
    pub(super) async fn settle(
        &self,
        key: &str,
        size: u64,
        bytes: Option<&Bytes>,
        error: RemoteError,
    ) -> Result<(), RemoteError> {
        if planted::is("write-error-swallowed") {
            return Ok(());
        }
        if self.folder.is_some() || !error.is_uncertain() {
            return Err(error);
        }
        let arrived = match bytes {
            Some(bytes) if size <= COMPARE_BYTES => self
                .get(key, size, |_| (), &Buffers::default())
                .await
                .is_ok_and(|found| found == *bytes),
            _ => matches!(self.head(key).await, Ok(Some(found)) if found.size == size),
        };
        if arrived { Ok(()) } else { Err(error) }
    }

    pub(super) async fn remove(&self, key: &str) -> Result<(), RemoteError> {
        let path = self.admit(Action::Remove, key).await?;
        match self.store.delete(&path).await.map_err(|e| self.site(Action::Remove, key).store(&e)) {
            Err(error) if !error.is_missing() => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    pub(super) async fn head(&self, key: &str) -> Result<Option<Listed>, RemoteError> {
        let path = self.admit(Action::Read, key).await?;
        self.counts.head.add(1);
        match self.store.head(&path).await.map_err(|e| self.site(Action::Read, key).store(&e)) {
            Ok(meta) => Ok(Some(listed(&meta))),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Fills a buffer from `start`, or as far as the file goes.
fn read_from(file: &File, start: u64, mut loan: Loan) -> std::io::Result<Bytes> {
    let mut file = file;
    file.seek(SeekFrom::Start(start))?;
    let filled = read_full(&mut file, loan.bytes_mut())?;
    Ok(loan.filled(filled))
}

fn ends_early(site: Site<'_>, range: Range<u64>, end: u64) -> RemoteError {
    site.damaged(format!("it has no bytes {} to {}, it ends at {end}", range.start, range.end))
}

fn listed(meta: &ObjectMeta) -> Listed {
    Listed {
        key: meta.location.to_string(),
        size: meta.size,
        modified_ms: u64::try_from(meta.last_modified.timestamp_millis()).unwrap_or(0),
    }
}
