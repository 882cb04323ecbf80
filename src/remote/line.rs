//! One line to a server, between the storage library and the network: patience, and a close look at
//! what came back.
//!
//! The library gives a whole request 30 seconds, takes any answer with status 200 for what was asked
//! for, and ignores how long a server asks to be left alone. Here a request has as long as its bytes
//! need on a slow line, silence ends it, and an answer that cannot be one is a failure.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::unfold;
use http_body_util::{BodyExt, StreamBody};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpResponseBody, HttpService, ReqwestConnector,
};
use tokio::time::timeout;

use super::gate::{Gate, Pass};
use super::refusal::Refusal;
use super::site::shown;
use crate::units::ByteSize;

/// How long nothing may come before a request is given up, in seconds.
const SILENCE: u64 = 60;

/// The slowest line on which a request of full length is still waited for, in bytes per second: one
/// of 8 MiB that shares the line with seven others at a total of 128 kB/s.
const SLOWEST: u64 = 16 << 10;

/// Longest pause that a server is granted when it asks for one, in seconds.
const LONGEST_PAUSE: u64 = 60;

/// Attempts to reach a server that never answered before.
const FIRST_TRIES: u32 = 3;

/// Longest answer of an error that is read, in bytes.
const ERROR_BYTES: usize = 64 << 10;

/// Longest page of a listing that is read, in bytes: a cloud's holds 5,000 names at most, that of a web
/// server a whole folder.
const PAGE_BYTES: usize = 64 << 20;

/// What every listing by `WebDAV` holds; one of a folder that is not there is a 404.
const DAV_LISTING: &str = "multistatus";

/// Makes lines; clones share what is known of the server.
#[derive(Clone, Debug)]
pub(super) struct Lines {
    shared: Arc<Shared>,
    /// Whether they lead to a web server, which may be anything.
    web: bool,
}

#[derive(Debug)]
struct Shared {
    gate: Gate,
    /// Whether the server has ever answered.
    reached: AtomicBool,
    misses: AtomicU32,
}

struct Line {
    client: HttpClient,
    shared: Arc<Shared>,
    web: bool,
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Line")
    }
}

impl HttpConnector for Lines {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(self.over(ReqwestConnector::default().connect(options)?))
    }
}

impl Lines {
    /// Makes lines for at most `jobs` requests at once.
    pub(super) fn new(jobs: usize) -> Self {
        let (gate, reached, misses) = (Gate::new(jobs), false.into(), 0.into());
        Self { shared: Arc::new(Shared { gate, reached, misses }), web: false }
    }

    /// Makes them lines to a web server.
    #[cfg(feature = "http")]
    pub(super) fn of_web(self) -> Self {
        Self { web: true, ..self }
    }

    /// Makes a line of a client of the library.
    pub(super) fn over(&self, client: HttpClient) -> HttpClient {
        HttpClient::new(Line { client, shared: Arc::clone(&self.shared), web: self.web })
    }
}

/// What a request asks for, as far as it tells whether an answer can be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// A page of a listing, whose answer holds this word.
    Listing(&'static str),
    /// An object of a cloud, or a part of one, read or written: the answer always has its tag.
    Object,
    /// A folder of a web server.
    NewFolder,
    /// That a web server keeps an object.
    Kept,
    /// Keys, of the service that gives them to machines of a cloud.
    Keys,
    Other,
}

impl Asked {
    fn of(request: &HttpRequest, web: bool) -> Self {
        let uri = request.uri();
        let host = uri.host().unwrap_or_default();
        let query = uri.query().unwrap_or_default();
        let is_s3 = request.headers().contains_key("x-amz-content-sha256");
        let is_cloud = is_s3 || request.headers().contains_key("x-ms-version");
        match request.method().as_str() {
            _ if host.starts_with("169.254.") || host == "metadata.google.internal" => Self::Keys,
            "PROPFIND" => Self::Listing(DAV_LISTING),
            "MKCOL" => Self::NewFolder,
            "GET" if query.contains("list-type=2") => Self::Listing("ListBucketResult"),
            "GET" if query.contains("comp=list") => Self::Listing("EnumerationResults"),
            "GET" | "HEAD" if is_cloud => Self::Object,
            "PUT" if is_s3 => Self::Object,
            "PUT" if web => Self::Kept,
            _ => Self::Other,
        }
    }
}

#[async_trait::async_trait]
impl HttpService for Line {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let asked = Asked::of(&request, self.web);
        let again = (asked == Asked::NewFolder).then(|| request.clone());
        let answer = self.ask(asked, request).await;
        match (again, &answer) {
            // Apache forbids a folder that another request makes at the same moment; asked once more, it
            // says that it is there, or that it is forbidden indeed.
            (Some(again), Err(error)) if matches!(Refusal::of(error), Some(Refusal::Denied(_))) => {
                self.ask(asked, again).await
            }
            _ => answer,
        }
    }
}

impl Line {
    async fn ask(&self, asked: Asked, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let length = u64::try_from(request.body().content_length()).unwrap_or(u64::MAX);
        let of_a_part = request.headers().contains_key("range");
        let patience = SILENCE.saturating_add(length / SLOWEST);
        let mut pass = self.shared.gate.enter().await;
        let answer = timeout(Duration::from_secs(patience), self.client.execute(request)).await;
        let answer = match answer {
            Err(_) => {
                pass.too_much();
                return Err(silent(patience));
            }
            Ok(Err(error)) => return Err(self.missed(asked, error)),
            Ok(Ok(answer)) => answer,
        };
        self.shared.reached.store(true, Ordering::Relaxed);
        if answer.status().is_success() {
            pass.count(length);
            return checked((asked, of_a_part), watched(answer, pass)).await;
        }
        if matches!(answer.status().as_u16(), 429 | 503) {
            pass.too_much();
            pause(&answer).await;
        }
        refused(asked, watched(answer, pass)).await
    }

    /// Turns a failed connection into what it means; soon gives up on a server that never answered.
    fn missed(&self, asked: Asked, error: HttpError) -> HttpError {
        if error.kind() != HttpErrorKind::Connect {
            return error;
        }
        if asked == Asked::Keys {
            return HttpError::new(HttpErrorKind::Unknown, Refusal::NoKeys);
        }
        let why = innermost(&error);
        let all = format!("{error:?} {why}").to_ascii_lowercase();
        let untrusted = ["certificate", "tls", "handshake", "corrupt message"]
            .iter()
            .any(|word| all.contains(word));
        let refusal = if untrusted { Refusal::Untrusted(why) } else { Refusal::Unreached(why) };
        let misses = self.shared.misses.fetch_add(1, Ordering::Relaxed) + 1;
        let hopeless = !self.shared.reached.load(Ordering::Relaxed) && misses >= FIRST_TRIES;
        let kind = if hopeless { HttpErrorKind::Unknown } else { HttpErrorKind::Connect };
        HttpError::new(kind, refusal)
    }
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    for _ in 0..32 {
        match cause.source() {
            Some(next) => cause = next,
            None => break,
        }
    }
    shown(&cause.to_string())
}

fn silent(seconds: u64) -> HttpError {
    HttpError::new(HttpErrorKind::Timeout, Refusal::Silent(seconds))
}

/// Gives up on the body of an answer once nothing comes for too long. The request has its place until
/// its body ended or broke off: the library keeps what is left of a broken one while it asks again, and
/// that must not wait for this place.
fn watched(answer: HttpResponse, pass: Pass) -> HttpResponse {
    let (parts, body) = answer.into_parts();
    let frames = unfold(Some((body, pass)), |under_way| async move {
        let (mut body, mut pass) = under_way?;
        let Ok(frame) = timeout(Duration::from_secs(SILENCE), body.frame()).await else {
            pass.too_much();
            return Some((Err(silent(SILENCE)), None));
        };
        let frame = match frame? {
            Ok(frame) => frame,
            Err(error) => return Some((Err(error), None)),
        };
        pass.count(frame.data_ref().map_or(0, |data| data.len() as u64));
        Some((Ok(frame), Some((body, pass))))
    });
    HttpResponse::from_parts(parts, HttpResponseBody::new(StreamBody::new(frames.fuse())))
}

/// Makes the status of an answer another one.
fn status<S: TryFrom<u16>>(code: u16) -> Result<S, HttpError> {
    let wrong = |_| HttpError::new(HttpErrorKind::Unknown, Refusal::NotOffered(code.to_string()));
    S::try_from(code).map_err(wrong)
}

/// Waits as long as the server asks for, within reason; the library tries again after that.
async fn pause(answer: &HttpResponse) {
    let asked = answer.headers().get("retry-after").and_then(|value| value.to_str().ok());
    let seconds: Option<u64> = asked.and_then(|text| text.trim().parse().ok());
    if let Some(seconds) = seconds {
        tokio::time::sleep(Duration::from_secs(seconds.min(LONGEST_PAUSE))).await;
    }
}

/// Takes a success for one only if it can be what was asked for; else the library tries again.
async fn checked(
    (asked, of_a_part): (Asked, bool),
    answer: HttpResponse,
) -> Result<HttpResponse, HttpError> {
    match asked {
        Asked::Listing(word) => {
            let (mut parts, body) = answer.into_parts();
            let bytes = whole(body).await?;
            let text = String::from_utf8_lossy(&bytes);
            let begin: String = text.chars().take(1000).collect();
            if !begin.contains(word) {
                if !begin.contains("<Error") {
                    let why = "its listing is none".to_owned();
                    return Err(HttpError::new(HttpErrorKind::Unknown, Refusal::NoStorage(why)));
                }
                parts.status = status(503)?;
            }
            Ok(HttpResponse::from_parts(parts, bytes.into()))
        }
        Asked::Object if !answer.headers().contains_key("etag") => {
            let (mut parts, body) = answer.into_parts();
            parts.status = status(503)?;
            Ok(HttpResponse::from_parts(parts, body))
        }
        // All of a pack for a few bytes of it, again and again.
        Asked::Object | Asked::Other if of_a_part && answer.status().as_u16() == 200 => {
            let why = "it sends a whole object where a part was asked for".to_owned();
            Err(HttpError::new(HttpErrorKind::Unknown, Refusal::NotOffered(why)))
        }
        // Created, or replaced. What shows everybody the same page says 200, and keeps nothing.
        Asked::Kept if !matches!(answer.status().as_u16(), 201 | 204) => {
            let refusal = Refusal::Unsure(answer.status().as_u16());
            Err(HttpError::new(HttpErrorKind::Unknown, refusal))
        }
        Asked::Object | Asked::NewFolder | Asked::Kept | Asked::Keys | Asked::Other => Ok(answer),
    }
}

/// Sorts an answer that is no success; what the library understands goes on to it.
async fn refused(asked: Asked, answer: HttpResponse) -> Result<HttpResponse, HttpError> {
    let (mut parts, body) = answer.into_parts();
    let code = parts.status.as_u16();
    match (asked, code) {
        // This machine has no role, or is none of a cloud.
        (Asked::Keys, 400..=499) => {
            return Err(HttpError::new(HttpErrorKind::Unknown, Refusal::NoKeys));
        }
        (Asked::Keys, _) => return Ok(HttpResponse::from_parts(parts, body)),
        // Somebody else made the folder at the same time.
        (Asked::NewFolder, 405) => {
            parts.status = status(201)?;
            return Ok(HttpResponse::from_parts(parts, body));
        }
        _ => {}
    }
    let bytes = beginning(body).await;
    let text = String::from_utf8_lossy(&bytes);
    if code == 400 && text.contains("<Code>RequestTimeout</Code>") {
        parts.status = status(408)?;
    } else if let Some(refusal) = Refusal::read(code, &text) {
        return Err(HttpError::new(HttpErrorKind::Unknown, refusal));
    } else if code == 404 && matches!(asked, Asked::Listing(word) if word != DAV_LISTING) {
        let why = "it has no such page".to_owned();
        return Err(HttpError::new(HttpErrorKind::Unknown, Refusal::NoStorage(why)));
    }
    Ok(HttpResponse::from_parts(parts, bytes.into()))
}

/// Reads a page of a listing, up to a limit.
async fn whole(mut body: HttpResponseBody) -> Result<Bytes, HttpError> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            bytes.extend_from_slice(&data);
        }
        if bytes.len() > PAGE_BYTES {
            let why = format!("its listing is longer than {}", ByteSize(PAGE_BYTES as u64));
            return Err(HttpError::new(HttpErrorKind::Unknown, Refusal::NoStorage(why)));
        }
    }
    Ok(bytes.into())
}

/// Reads the beginning of an answer; where it breaks off, what there is will do.
async fn beginning(mut body: HttpResponseBody) -> Bytes {
    let mut bytes = Vec::new();
    while let Some(Ok(frame)) = body.frame().await {
        if let Ok(data) = frame.into_data() {
            bytes.extend_from_slice(&data);
        }
        if bytes.len() > ERROR_BYTES {
            break;
        }
    }
    bytes.into()
}
