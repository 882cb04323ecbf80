//! The store as one client sees it: each request waits for its turn.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetRange, GetResult, GetResultPayload, ListResult,
    MultipartUpload, ObjectMeta, ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, Result,
};

use super::gate::{Ask, Gate, Request, Verdict};
use super::world::{Stored, World};

/// The store, for a client that has to wait for its turns or for one that need not.
#[derive(Clone)]
pub(super) struct Store {
    gate: Arc<Gate>,
    /// Nothing for a reader who looks while everybody else stands still.
    client: Option<usize>,
}

impl Store {
    pub(super) fn of(gate: &Arc<Gate>, client: usize) -> Self {
        Self { gate: Arc::clone(gate), client: Some(client) }
    }

    pub(super) fn aside(gate: &Arc<Gate>) -> Self {
        Self { gate: Arc::clone(gate), client: None }
    }

    /// Does a request when its turn has come.
    async fn ask<T>(
        &self,
        request: Request,
        key: &str,
        work: impl FnOnce(&mut World) -> Result<T>,
    ) -> Result<T> {
        let verdict = match self.client {
            Some(client) => self.gate.turn(client, Ask::Store(request, key.to_owned())).await,
            None => Verdict::Done,
        };
        if !verdict.does() {
            return Err(broken());
        }
        let result = work(&mut self.gate.lock().world);
        if verdict == Verdict::Done { result } else { Err(broken()) }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({:?})", self.client)
    }
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("simulated storage")
    }
}

fn broken() -> Error {
    Error::Generic { store: "simulated", source: "connection reset".into() }
}

fn missing(key: &str) -> Error {
    Error::NotFound { path: key.to_owned(), source: "not there".into() }
}

fn meta(key: &str, stored: &Stored) -> ObjectMeta {
    ObjectMeta {
        location: Path::from(key),
        last_modified: (UNIX_EPOCH + Duration::from_millis(stored.modified_ms)).into(),
        size: stored.bytes.len() as u64,
        e_tag: None,
        version: None,
    }
}

fn joined(body: &PutPayload) -> Bytes {
    let mut out = bytes::BytesMut::new();
    body.iter().for_each(|piece| out.extend_from_slice(piece));
    out.freeze()
}

fn read(key: &str, stored: &Stored, how: &GetOptions) -> Result<GetResult> {
    let length = stored.bytes.len() as u64;
    let range = match &how.range {
        None => 0..length,
        Some(GetRange::Bounded(range)) if range.start < length => {
            range.start..range.end.min(length)
        }
        Some(_) => return Err(broken()),
    };
    let at = |n: u64| usize::try_from(n).expect("fits");
    let bytes = stored.bytes.slice(at(range.start)..at(range.end));
    let payload = GetResultPayload::Stream(futures::stream::iter([Ok(bytes)]).boxed());
    Ok(GetResult {
        payload,
        meta: meta(key, stored),
        range,
        attributes: object_store::Attributes::default(),
        extensions: object_store::Extensions::default(),
    })
}

#[async_trait::async_trait]
impl ObjectStore for Store {
    async fn put_opts(&self, at: &Path, body: PutPayload, how: PutOptions) -> Result<PutResult> {
        let (key, bytes) = (at.as_ref(), joined(&body));
        let client = self.client.expect("only clients write");
        self.ask(Request::Put, key, |world| {
            if how.mode == PutMode::Create && world.objects.contains_key(key) {
                let path = key.to_owned();
                return Err(Error::AlreadyExists { path, source: "there".into() });
            }
            world.put(client, key, bytes);
            Ok(PutResult {
                e_tag: None,
                version: None,
                extensions: object_store::Extensions::default(),
            })
        })
        .await
    }

    async fn put_multipart_opts(
        &self,
        _: &Path,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Err(Error::NotImplemented {
            operation: "put_multipart".into(),
            implementer: "Store".into(),
        })
    }

    async fn get_opts(&self, at: &Path, how: GetOptions) -> Result<GetResult> {
        let key = at.as_ref();
        let request = if how.head { Request::Head } else { Request::Get };
        self.ask(request, key, |world| {
            let stored = world.objects.get(key).ok_or_else(|| missing(key))?;
            read(key, stored, &how)
        })
        .await
    }

    fn delete_stream(
        &self,
        at: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let store = self.clone();
        at.then(move |path| {
            let store = store.clone();
            async move {
                let path = path?;
                let key = path.as_ref();
                let delete = |world: &mut World| {
                    if world.delete(key) { Ok(()) } else { Err(missing(key)) }
                };
                store.ask(Request::Delete, key, delete).await?;
                Ok(path)
            }
        })
        .boxed()
    }

    fn list(&self, below: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let prefix = below.map_or(String::new(), |path| format!("{path}/"));
        let store = self.clone();
        let all = async move {
            let listed = |world: &mut World| {
                if let Some(client) = store.client {
                    world.listed(client);
                }
                let below = world.objects.range(prefix.clone()..);
                let below = below.take_while(|(key, _)| key.starts_with(&prefix));
                Ok(below.map(|(key, stored)| Ok(meta(key, stored))).collect::<Vec<_>>())
            };
            let answer = store.ask(Request::List, &prefix, listed).await;
            futures::stream::iter(answer.unwrap_or_else(|e| vec![Err(e)]))
        };
        futures::stream::once(all).flatten().boxed()
    }

    async fn list_with_delimiter(&self, _: Option<&Path>) -> Result<ListResult> {
        Err(Error::NotImplemented {
            operation: "list_with_delimiter".into(),
            implementer: "Store".into(),
        })
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        Err(Error::NotImplemented { operation: "copy".into(), implementer: "Store".into() })
    }
}
