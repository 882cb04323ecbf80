//! A folder behind `ssh` as storage.

use std::fmt;
use std::fmt::Write;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt, empty, iter, once};
use object_store::path::Path;
use object_store::{
    Attributes, CopyOptions, Error, Extensions, GetOptions, GetResult, GetResultPayload,
    ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode, PutMultipartOptions, PutOptions,
    PutPayload, PutResult, Result,
};
use tokio::sync::Semaphore;

use super::files::{Below, Done, Fault, Found};
use super::line::{Host, Line};
use super::packet::Facts;
use crate::fs::nonce::nonce;
use crate::remote::io::MAX_LISTED;
use crate::remote::leftover::OwnKeys;
use crate::remote::refusal::Refusal;
use crate::remote::runtime::blocking;
use crate::remote::service::Service;
use crate::remote::site::shown;

/// Connections at once: each carries many requests, and servers let only some in at a time.
const LINES: usize = 4;

/// How often something is tried whose connection ended meanwhile.
const TRIES: u32 = 3;

const NAME: &str = "SFTP";

/// Opens a place behind `ssh`; nobody is called yet.
pub(in crate::remote) fn open(service: &Service, jobs: usize) -> Sftp {
    let (name, port) = match service.bucket.split_once(':') {
        Some((name, port)) => (name, port.parse().ok()),
        None => (service.bucket.as_str(), None),
    };
    let (user, search) = (service.access.user.clone(), service.access.search.clone());
    let host = Host { name: name.to_owned(), port, user, search };
    let top = match service.prefix.strip_prefix('~') {
        Some(below) => below.trim_matches('/').to_owned(),
        None => format!("/{}", service.prefix),
    };
    let top = if top.is_empty() { ".".to_owned() } else { top };
    let places = Semaphore::new(jobs.clamp(1, LINES));
    Sftp { inner: Arc::new(Inner { host, top, idle: Mutex::default(), places }) }
}

/// A folder behind `ssh`; clones share connections.
#[derive(Clone)]
pub(in crate::remote) struct Sftp {
    inner: Arc<Inner>,
}

struct Inner {
    host: Host,
    /// The folder, without a slash at its end.
    top: String,
    /// Connections that nobody uses just now.
    idle: Mutex<Vec<Line>>,
    places: Semaphore,
}

impl fmt::Debug for Sftp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sftp({})", self.inner.host.name)
    }
}

impl fmt::Display for Sftp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)
    }
}

impl Inner {
    fn path(&self, at: &Path) -> String {
        format!("{}/{at}", self.top.trim_end_matches('/'))
    }

    /// Tells that nothing is there at all from the absence of one thing: a disk may not be mounted.
    fn told(&self, line: &mut Line, fault: Fault) -> Fault {
        if !fault.is_absent() {
            return fault;
        }
        match line.facts(&self.top) {
            Ok(facts) if facts.is_folder() => fault,
            Ok(_) => Fault::Gone("it is not a folder"),
            Err(top) if top.is_absent() => Fault::Gone("no such folder"),
            Err(other) => other,
        }
    }

    /// Does something over a connection; over another one if that ended meanwhile.
    fn over<T>(&self, work: impl Fn(&mut Line) -> Done<T>) -> Done<T> {
        let mut tries = 0;
        loop {
            tries += 1;
            let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let fresh = idle.is_none();
            let mut line = match idle {
                Some(line) => line,
                None => Line::call(&self.host)?,
            };
            match work(&mut line).map_err(|fault| self.told(&mut line, fault)) {
                Err(Fault::Line(e)) if fresh && tries >= TRIES => {
                    return Err(Fault::Line(line.why(e)));
                }
                Err(Fault::Line(_)) => {}
                done => {
                    self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(line);
                    return done;
                }
            }
        }
    }
}

impl Sftp {
    /// Makes the folder, and those above it; tried once.
    pub(in crate::remote) fn make(&self) -> Result<()> {
        let made = Line::call(&self.inner.host).map_err(Fault::Line);
        let made = made.and_then(|mut line| line.make_folders("", &self.inner.top));
        made.map_err(|fault| error(fault, &Path::default()))
    }

    /// Removes files of unfinished writes that the server last saw changed before `before_ms`;
    /// returns how many, and their bytes.
    pub(in crate::remote) fn remove_leftovers(
        &self,
        keys: OwnKeys,
        before_ms: u64,
    ) -> Result<(u64, u64)> {
        let top = self.inner.top.trim_end_matches('/');
        let removed = self.inner.over(|line| {
            let (mut files, mut bytes) = (0, 0u64);
            for folder in keys.folders {
                for (path, facts) in line.leftovers(top, folder, keys)? {
                    if !facts.is_before(before_ms) {
                        continue;
                    }
                    match line.remove(&format!("{top}/{path}")) {
                        Ok(()) => (files, bytes) = (files + 1, bytes.saturating_add(facts.size)),
                        Err(fault) if fault.is_absent() => {}
                        Err(fault) => return Err(fault),
                    }
                }
            }
            Ok((files, bytes))
        });
        removed.map_err(|fault| error(fault, &Path::default()))
    }

    /// Does something about an object where waiting harms no other request.
    async fn run<T: Send + 'static>(
        &self,
        at: &Path,
        work: impl Fn(&Inner, &mut Line) -> Done<T> + Send + 'static,
    ) -> Result<T> {
        // The semaphore is never closed, so this waits and does not fail.
        let place = self.inner.places.acquire().await;
        let inner = Arc::clone(&self.inner);
        let done = blocking(move || inner.over(|line| work(&inner, line))).await;
        drop(place);
        let early = || Err(Fault::Line(std::io::Error::other("it ended early")));
        done.unwrap_or_else(early).map_err(|fault| error(fault, at))
    }
}

/// Says what a fault means.
fn error(fault: Fault, at: &Path) -> Error {
    let path = at.to_string();
    let refusal = match fault {
        Fault::Status(2, text) => return Error::NotFound { path, source: text.into() },
        Fault::Status(3, text) => return Error::PermissionDenied { path, source: text.into() },
        Fault::Status(8, text) => return Error::NotSupported { source: text.into() },
        Fault::Status(code, text) => {
            let text = format!("the server answers {code}: {}", shown(&text));
            return Error::Generic { store: NAME, source: text.into() };
        }
        Fault::Gone(why) => Refusal::Gone(why),
        Fault::TooMany => Refusal::TooMany,
        Fault::Line(error) => {
            let why = shown(&error.to_string());
            let lower = why.to_ascii_lowercase();
            if lower.contains("permission denied") {
                Refusal::Denied(why)
            } else if lower.contains("host key") || lower.contains("identification") {
                Refusal::Stranger(why)
            } else {
                Refusal::Unreached(why)
            }
        }
    };
    Error::Generic { store: NAME, source: Box::new(refusal) }
}

fn meta(location: Path, facts: &Facts) -> ObjectMeta {
    let last_modified = facts.modified().into();
    ObjectMeta { location, last_modified, size: facts.size, e_tag: None, version: None }
}

/// Writes beside the target, then gives it its name.
fn put(inner: &Inner, line: &mut Line, (at, mode): (&Path, &PutMode), bytes: &[u8]) -> Done<()> {
    let target = inner.path(at);
    // No key has such a name, so that no listing shows it.
    let mut beside = format!("{target}#");
    for byte in nonce()? {
        // Writing to a string does not fail.
        let _: fmt::Result = write!(beside, "{byte:02x}");
    }
    let written = match line.write(&beside, bytes) {
        Err(fault) if fault.is_absent() => {
            let folder = target.rsplit_once('/').map_or(".", |(folder, _)| folder);
            line.make_folders(&inner.top, folder).and_then(|()| line.write(&beside, bytes))
        }
        written => written,
    };
    let named = written.and_then(|()| match mode {
        PutMode::Create => line.link(&beside, &target),
        PutMode::Overwrite | PutMode::Update(_) => line.rename(&beside, &target),
    });
    if named.is_ok() && *mode != PutMode::Create {
        return named;
    }
    // Over a connection that ended it stays, and gc removes it in time.
    let removed = line.remove(&beside);
    named.and(removed)
}

#[async_trait::async_trait]
impl ObjectStore for Sftp {
    async fn put_opts(&self, at: &Path, body: PutPayload, how: PutOptions) -> Result<PutResult> {
        let bytes: Bytes = body.into();
        let (own, mode) = (at.clone(), how.mode.clone());
        let done = self.run(at, move |inner, line| {
            match put(inner, line, (&own, &mode), &bytes) {
                // Servers say no more than that it failed.
                Err(Fault::Status(code, text)) if mode == PutMode::Create && code != 8 => {
                    let there = line.facts(&inner.path(&own));
                    if there.is_ok() { Ok(false) } else { Err(Fault::Status(code, text)) }
                }
                done => done.map(|()| true),
            }
        });
        if !done.await? {
            let (path, source) = (at.to_string(), "it is there".into());
            return Err(Error::AlreadyExists { path, source });
        }
        Ok(PutResult { e_tag: None, version: None, extensions: Extensions::default() })
    }

    async fn put_multipart_opts(
        &self,
        _: &Path,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Err(not_offered("parts of an object"))
    }

    async fn get_opts(&self, at: &Path, how: GetOptions) -> Result<GetResult> {
        let own = at.clone();
        let facts = self.run(at, move |inner, line| line.facts(&inner.path(&own))).await?;
        let range: Range<u64> = match how.range.as_ref().map(|range| range.as_range(facts.size)) {
            None => 0..facts.size,
            Some(Ok(range)) => range,
            Some(Err(e)) => return Err(error(Fault::Status(4, e.to_string()), at)),
        };
        // Read only where somebody takes it: a size that cannot be is found out before that.
        let (own, at_own, wanted) = (self.clone(), at.clone(), range.clone());
        let reading = async move {
            let place = at_own.clone();
            let read =
                own.run(&at_own, move |inner, line| line.read(&inner.path(&place), wanted.clone()));
            read.await.map(Bytes::from)
        };
        let payload = if how.head { empty().boxed() } else { once(reading).boxed() };
        Ok(GetResult {
            payload: GetResultPayload::Stream(payload),
            meta: meta(at.clone(), &facts),
            range,
            attributes: Attributes::default(),
            extensions: Extensions::default(),
        })
    }

    fn delete_stream(
        &self,
        all: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let own = self.clone();
        let each = move |at: Result<Path>| {
            let own = own.clone();
            async move {
                let at = at?;
                let path = own.inner.path(&at);
                own.run(&at, move |_, line| line.remove(&path)).await?;
                Ok(at)
            }
        };
        all.then(each).boxed()
    }

    fn list(&self, below: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let (own, below) = (self.clone(), below.cloned().unwrap_or_default());
        let listing = async move {
            let top = own.inner.path(&below);
            let listed = own.run(&below, move |inner, line| {
                let found = line.list(top.trim_end_matches('/'), MAX_LISTED, Below::WHOLE)?;
                if found.is_empty() {
                    line.facts(&inner.top)?;
                }
                Ok(found)
            });
            let found: Vec<Result<ObjectMeta>> = match listed.await {
                Ok(found) => {
                    let all = found.into_iter().filter_map(|(path, facts): Found| {
                        let whole = format!("{below}/{path}");
                        let at = Path::parse(whole.trim_start_matches('/')).ok()?;
                        Some(Ok(meta(at, &facts)))
                    });
                    all.collect()
                }
                Err(e) => vec![Err(e)],
            };
            iter(found)
        };
        once(listing).flatten().boxed()
    }

    async fn list_with_delimiter(&self, _: Option<&Path>) -> Result<ListResult> {
        Err(not_offered("listing one folder"))
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        Err(not_offered("copying"))
    }
}

/// Nobody asks for this.
fn not_offered(operation: &str) -> Error {
    Error::NotImplemented { operation: operation.to_owned(), implementer: NAME.to_owned() }
}
