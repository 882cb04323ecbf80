//! Storage whose answers get lost, and storage that cannot create.

use std::fmt;
use std::sync::Arc;

use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

use super::{PutOutcome, Remote, RemoteError};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    /// Writes succeed, their answer says otherwise.
    AnswerLost,
    /// Writes fail.
    NeverArrives,
    /// Writes store other bytes of the same length, and fail.
    Garbles,
    /// There is no atomic creation.
    NoCreate,
    /// Listings break off after the first key.
    ListBreaks,
}

#[derive(Debug)]
struct Flaky(InMemory, Fault);

impl fmt::Display for Flaky {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("flaky")
    }
}

fn lost() -> Error {
    Error::Generic { store: "flaky", source: "connection reset".into() }
}

#[async_trait::async_trait]
impl ObjectStore for Flaky {
    async fn put_opts(&self, at: &Path, body: PutPayload, how: PutOptions) -> Result<PutResult> {
        match self.1 {
            Fault::AnswerLost => {
                self.0.put_opts(at, body, how).await?;
                Err(lost())
            }
            Fault::NeverArrives => Err(lost()),
            Fault::Garbles => {
                let other = vec![b'?'; body.content_length()];
                self.0.put_opts(at, other.into(), how).await?;
                Err(lost())
            }
            Fault::NoCreate if how.mode == PutMode::Create => {
                let (operation, implementer) = ("create".into(), "flaky".into());
                Err(Error::NotImplemented { operation, implementer })
            }
            Fault::NoCreate | Fault::ListBreaks => self.0.put_opts(at, body, how).await,
        }
    }

    async fn put_multipart_opts(
        &self,
        at: &Path,
        how: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.0.put_multipart_opts(at, how).await
    }

    async fn get_opts(&self, at: &Path, how: GetOptions) -> Result<GetResult> {
        self.0.get_opts(at, how).await
    }

    fn delete_stream(
        &self,
        at: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.0.delete_stream(at)
    }

    fn list(&self, below: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        use futures::StreamExt;
        let all = self.0.list(below);
        if self.1 == Fault::ListBreaks {
            return all.take(1).chain(futures::stream::iter([Err(lost())])).boxed();
        }
        all
    }

    async fn list_with_delimiter(&self, below: Option<&Path>) -> Result<ListResult> {
        self.0.list_with_delimiter(below).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, how: CopyOptions) -> Result<()> {
        self.0.copy_opts(from, to, how).await
    }
}

fn remote(fault: Fault) -> Remote {
    Remote::over(Arc::new(Flaky(InMemory::new(), fault)), "flaky")
}

#[test]
fn a_write_whose_answer_was_lost_is_settled_by_looking() {
    let arrived = remote(Fault::AnswerLost);
    arrived.put("p/a", "bytes".into()).unwrap();
    arrived.put("p/b", vec![1; 2 << 20].into()).unwrap();
    assert_eq!(arrived.put_if_absent("format", "f".into()).unwrap(), PutOutcome::Created);
    assert_eq!(arrived.put_if_absent("format", "g".into()).unwrap(), PutOutcome::Existed);
    assert_eq!((arrived.counts().head, arrived.counts().get), (1, 3));
    for fault in [Fault::NeverArrives, Fault::Garbles] {
        let remote = remote(fault);
        let error = remote.put("p/a", "bytes".into()).unwrap_err();
        assert!(matches!(error, RemoteError::Unreachable { .. }), "{fault:?}: {error}");
        assert_eq!(remote.counts().bytes_sent, 0);
    }
}

#[test]
fn where_nothing_creates_atomically_the_object_is_read_back() {
    let remote = remote(Fault::NoCreate);
    assert_eq!(remote.put_if_absent("format", "mine".into()).unwrap(), PutOutcome::Created);
    assert_eq!(remote.put_if_absent("format", "late".into()).unwrap(), PutOutcome::Existed);
    assert_eq!(remote.get("format", 4).unwrap(), "mine");
}

#[test]
fn a_listing_that_breaks_off_is_an_error() {
    let remote = remote(Fault::ListBreaks);
    remote.put("p/a", "x".into()).unwrap();
    remote.put("p/b", "x".into()).unwrap();
    let error = remote.list("p").unwrap_err();
    assert!(matches!(error, RemoteError::Unreachable { .. }), "{error}");
}
