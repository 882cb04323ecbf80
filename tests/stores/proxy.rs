//! A server between haul and a real one that does wrong what it is told to do wrong.

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::iter;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::HeaderValue;
use hyper::http::response::Parts;
use hyper::service::service_fn;
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

pub(crate) use crate::fault::{Chance, Fault, Rule, Seen};

/// What the proxy is told, and what it saw.
#[derive(Default)]
struct State {
    rules: Vec<Rule>,
    chance: Option<Chance>,
    seen: Vec<Seen>,
    /// Faults that happened.
    faults: usize,
    /// Requests under way, and the most that there were at once.
    running: usize,
    most: usize,
}

/// A proxy; ends with the test.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
    _runtime: tokio::runtime::Runtime,
}

type Body = BoxBody<Bytes, io::Error>;

impl Proxy {
    /// Starts in front of `upstream`, an `http://host:port`.
    pub(crate) fn start(upstream: &str) -> Self {
        Self::listen(upstream, None)
    }

    /// Starts in front of `upstream`, and is reached by `https`.
    pub(crate) fn start_safe(upstream: &str, safe: TlsAcceptor) -> Self {
        Self::listen(upstream, Some(safe))
    }

    fn listen(upstream: &str, safe: Option<TlsAcceptor>) -> Self {
        let upstream = upstream.trim_start_matches("http://").to_owned();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("makes threads");
        let listener = TcpListener::bind("127.0.0.1:0").expect("finds a port");
        listener.set_nonblocking(true).expect("can be asked");
        let address = listener.local_addr().expect("has an address");
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).expect("is a listener");
            while let Ok((stream, _)) = listener.accept().await {
                let (state, upstream) = (Arc::clone(&shared), upstream.clone());
                let safe = safe.clone();
                tokio::spawn(async move {
                    let Some(safe) = safe else { return serve(stream, state, upstream).await };
                    if let Ok(stream) = safe.accept(stream).await {
                        serve(stream, state, upstream).await;
                    }
                });
            }
        });
        Self { address, state, _runtime: runtime }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces the rules, and begins to count anew.
    pub(crate) fn set(&self, rules: &[Rule]) {
        let mut state = self.state();
        let running = state.running;
        *state = State { rules: rules.to_vec(), running, ..State::default() };
    }

    /// Lets requests go wrong by chance, and begins to count anew.
    pub(crate) fn set_chance(&self, chance: Chance) {
        self.set(&[]);
        self.state().chance = Some(chance);
    }

    /// Returns how many faults happened.
    pub(crate) fn faults(&self) -> usize {
        self.state().faults
    }

    /// Returns the rules that something met, as `GET /p/`.
    pub(crate) fn met(&self) -> Vec<String> {
        let state = self.state();
        let used = state.rules.iter().filter(|rule| rule.times == 0);
        used.map(|rule| format!("{} {}", rule.method, rule.part)).collect()
    }

    /// Returns the most requests that were under way at once.
    pub(crate) fn most_at_once(&self) -> usize {
        self.state().most
    }

    /// Returns how many requests came.
    pub(crate) fn requests(&self) -> usize {
        self.state().seen.len()
    }

    /// Returns all requests that came.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.state().seen.clone()
    }
}

/// Answers all requests of a connection.
async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    state: Arc<Mutex<State>>,
    upstream: String,
) {
    let answer = |request| handle(Arc::clone(&state), upstream.clone(), request);
    let line = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service_fn(answer));
    // An error is what a fault looks like from here.
    drop(line.await);
}

async fn handle(
    state: Arc<Mutex<State>>,
    upstream: String,
    request: Request<Incoming>,
) -> io::Result<Response<Body>> {
    let fault = next_fault(&state, &request);
    let under_way = UnderWay::begin(&state);
    if let Some(Fault::Busy(limit, time)) = fault {
        tokio::time::sleep(time).await;
        if under_way.number > limit {
            state.lock().unwrap_or_else(PoisonError::into_inner).faults += 1;
            drop(request.into_body().collect().await);
            return Ok(error(503, "SlowDown", None));
        }
    }
    if let Some(answer) = in_place(fault) {
        if answer.is_ok() {
            drop(request.into_body().collect().await);
        }
        return answer;
    }
    let request = asked_otherwise(fault, request);
    let (parts, body) = forward(&upstream, request).await.map_err(io::Error::other)?;
    match fault {
        Some(Fault::LoseAnswer) => Err(io::ErrorKind::ConnectionReset.into()),
        Some(Fault::Late(time)) => {
            tokio::time::sleep(time).await;
            Ok(Response::from_parts(parts, whole(body)))
        }
        _ => Ok(spoilt(fault, parts, body)),
    }
}

/// Does to an answer what it is told to.
fn spoilt(fault: Option<Fault>, mut parts: Parts, body: Bytes) -> Response<Body> {
    let half = Ok(Frame::data(body.slice(..body.len() / 2)));
    let body = match fault {
        Some(Fault::Cut) => {
            let broken = Err(io::ErrorKind::ConnectionReset.into());
            BoxBody::new(StreamBody::new(iter([half, broken])))
        }
        Some(Fault::Stall) => {
            BoxBody::new(StreamBody::new(iter([half]).chain(futures::stream::pending())))
        }
        Some(Fault::Slow(time)) => {
            let pieces = body.chunks(body.len() / 8 + 1).map(|piece| body.slice_ref(piece));
            let pieces: Vec<Bytes> = pieces.collect();
            let frames = iter(pieces).then(move |piece| async move {
                tokio::time::sleep(time).await;
                Ok(Frame::data(piece))
            });
            BoxBody::new(StreamBody::new(Box::pin(frames)))
        }
        Some(Fault::Shorten) => {
            parts.headers.remove("content-length");
            whole(body.slice(..body.len().saturating_sub(1)))
        }
        Some(Fault::Lengthen) => {
            parts.headers.remove("content-length");
            whole([body.as_ref(), b"!"].concat().into())
        }
        Some(Fault::Written(time)) => {
            parts.headers.insert("last-modified", HeaderValue::from_static(time));
            whole(body)
        }
        Some(Fault::Flip) => {
            let mut bytes = body.to_vec();
            let middle = bytes.len() / 2;
            if let Some(byte) = bytes.get_mut(middle) {
                *byte ^= 1;
            }
            whole(bytes.into())
        }
        _ => whole(body),
    };
    Response::from_parts(parts, body)
}

/// Asks the server for something else than was asked for.
fn asked_otherwise(fault: Option<Fault>, mut request: Request<Incoming>) -> Request<Incoming> {
    if let Some(Fault::Whole) = fault {
        request.headers_mut().remove("range");
    }
    if let Some(Fault::Pages(names)) = fault {
        let place = format!("{}&max-keys={names}", request.uri());
        *request.uri_mut() = place.parse::<Uri>().expect("is an address");
    }
    request
}

/// Returns what is answered in place of carrying a request out.
fn in_place(fault: Option<Fault>) -> Option<io::Result<Response<Body>>> {
    match fault {
        Some(Fault::Status(status, code, pause)) => Some(Ok(error(status, code, pause))),
        Some(Fault::Error200) => Some(Ok(error(200, "InternalError", None))),
        Some(Fault::EmptyList) => {
            let text = "<?xml version=\"1.0\"?><ListBucketResult><IsTruncated>false</IsTruncated>\
                        </ListBucketResult>";
            Some(Ok(Response::new(whole(text.into()))))
        }
        Some(Fault::Close) => Some(Err(io::ErrorKind::ConnectionReset.into())),
        _ => None,
    }
}

fn whole(body: Bytes) -> Body {
    BoxBody::new(Full::new(body).map_err(|never: Infallible| match never {}))
}

fn error(status: u16, code: &str, pause: Option<u64>) -> Response<Body> {
    let text = format!(
        "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>on purpose</Message></Error>"
    );
    let mut answer = Response::builder().status(status).header("content-type", "application/xml");
    if let Some(seconds) = pause {
        answer = answer.header("retry-after", seconds);
    }
    answer.body(whole(text.into())).expect("is an answer")
}

/// Counts the request and takes the first rule that is about it.
fn next_fault(state: &Mutex<State>, request: &Request<Incoming>) -> Option<Fault> {
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    let (method, headers) = (request.method().to_string(), request.headers().clone());
    let mut place = request.uri().to_string();
    state.seen.push(Seen { method, place: place.clone(), headers });
    if request.headers().contains_key("if-none-match") {
        place.push_str(" if-none-match");
    }
    if let Some(chance) = &mut state.chance {
        let fault = chance.draw()?;
        state.faults += 1;
        return Some(fault);
    }
    let rule = state.rules.iter_mut().find(|rule| {
        rule.times > 0
            && (rule.method.is_empty() || rule.method == request.method().as_str())
            && place.contains(&rule.part)
    })?;
    rule.times -= 1;
    let fault = rule.fault;
    state.faults += usize::from(!matches!(fault, Fault::Busy(..)));
    Some(fault)
}

/// A request that has no answer yet.
struct UnderWay<'s> {
    state: &'s Mutex<State>,
    /// How many there are with it.
    number: usize,
}

impl<'s> UnderWay<'s> {
    fn begin(state: &'s Mutex<State>) -> Self {
        let mut seen = state.lock().unwrap_or_else(PoisonError::into_inner);
        seen.running += 1;
        seen.most = seen.most.max(seen.running);
        Self { state, number: seen.running }
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).running -= 1;
    }
}

/// Asks the real server, with the host's name as it was, since that is signed.
async fn forward(
    upstream: &str,
    request: Request<Incoming>,
) -> Result<(Parts, Bytes), Box<dyn std::error::Error + Send + Sync>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let stream = TcpStream::connect(upstream).await?;
    let (mut line, driver) =
        hyper::client::conn::http1::handshake::<_, Full<Bytes>>(TokioIo::new(stream)).await?;
    tokio::spawn(driver);
    let answer = line.send_request(Request::from_parts(parts, Full::new(body))).await?;
    let (parts, body) = answer.into_parts();
    Ok((parts, body.collect().await?.to_bytes()))
}
