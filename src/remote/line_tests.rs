//! Servers that are slow, silent, busy or no storage at all, by a clock that only the test moves.

use std::iter::repeat_with;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{iter, pending};
use http_body_util::{BodyExt, Collected, StreamBody};
use hyper::body::Frame;
use object_store::client::{
    HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody, HttpService,
};
use tokio::time::{Instant, sleep, timeout};

use super::line::Lines;
use super::refusal::Refusal;

/// How a body ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ends {
    Well,
    /// Not, and without a byte.
    Stalled,
    /// Not.
    Never,
    BrokenOff,
}

/// A server of one answer.
#[derive(Clone, Debug)]
struct Server {
    status: u16,
    header: (&'static str, &'static str),
    body: &'static str,
    /// How long it thinks before it answers.
    after: Duration,
    ends: Ends,
    /// Whether it can be reached at all.
    there: bool,
}

const WELL: Server = Server {
    status: 200,
    header: ("etag", "\"1\""),
    body: "",
    after: Duration::ZERO,
    ends: Ends::Well,
    there: true,
};

#[async_trait::async_trait]
impl HttpService for Server {
    async fn call(&self, _: HttpRequest) -> Result<HttpResponse, HttpError> {
        if !self.there {
            let why = std::io::Error::other("connection refused");
            return Err(HttpError::new(HttpErrorKind::Connect, why));
        }
        sleep(self.after).await;
        let body = match self.ends {
            Ends::Well => HttpResponseBody::from(self.body.to_owned()),
            Ends::Stalled => HttpResponseBody::new(StreamBody::new(pending())),
            Ends::Never => {
                let piece = Bytes::from(vec![b' '; 1 << 20]);
                let frames = repeat_with(move || Ok::<_, HttpError>(Frame::data(piece.clone())));
                HttpResponseBody::new(StreamBody::new(iter(frames)))
            }
            Ends::BrokenOff => {
                let reset = std::io::Error::other("reset");
                let broken = Err(HttpError::new(HttpErrorKind::Interrupted, reset));
                let frames = [Ok(Frame::data(Bytes::from_static(b"half"))), broken];
                HttpResponseBody::new(StreamBody::new(iter(frames)))
            }
        };
        let mut answer = HttpResponse::new(body);
        *answer.status_mut() = self.status.try_into().unwrap();
        answer.headers_mut().insert(self.header.0, self.header.1.parse().unwrap());
        Ok(answer)
    }
}

/// Asks for something over a line of its own; returns the answer and how long it took.
fn ask(
    server: &Server,
    (method, uri): (&str, &str),
    length: usize,
) -> (Result<(u16, String), HttpError>, Duration) {
    let line = Lines::new(8).over(HttpClient::new(server.clone()));
    let mut request = HttpRequest::new(vec![0; length].into());
    *request.method_mut() = method.parse().unwrap();
    *request.uri_mut() = uri.parse().unwrap();
    request.headers_mut().insert("x-amz-content-sha256", "x".parse().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let start = Instant::now();
        let answer = match line.execute(request).await {
            Ok(answer) => {
                let (parts, body) = answer.into_parts();
                let body = body.collect().await.map(Collected::to_bytes);
                body.map(|b| (parts.status.as_u16(), String::from_utf8(b.to_vec()).unwrap()))
            }
            Err(error) => Err(error),
        };
        (answer, start.elapsed())
    })
}

const OBJECT: (&str, &str) = ("GET", "http://h/b/p/x");
const LISTING: (&str, &str) = ("GET", "http://h/b?list-type=2&prefix=i");

#[test]
fn silence_ends_a_request_and_a_body() {
    let silent = Server { after: Duration::from_secs(3600), ..WELL };
    let stalled = Server { ends: Ends::Stalled, ..WELL };
    for server in [silent, stalled] {
        let (answer, time) = ask(&server, OBJECT, 0);
        let error = answer.unwrap_err();
        assert_eq!(error.kind(), HttpErrorKind::Timeout, "is tried again: {error}");
        assert_eq!(Refusal::of(&error), Some(&Refusal::Silent(60)));
        assert_eq!(time.as_secs(), 60);
    }
}

#[test]
fn bodies_that_broke_off_keep_no_place_from_the_request_that_asks_again() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    for jobs in [1, 4, 8] {
        let line = Lines::new(jobs).over(HttpClient::new(Server { ends: Ends::BrokenOff, ..WELL }));
        let ask = async || line.execute(HttpRequest::new(Vec::new().into())).await.unwrap();
        let all = async {
            // The library holds each broken body while it asks for the rest of it.
            let mut broken = Vec::new();
            for _ in 0..2 * jobs {
                let mut body = ask().await.into_body();
                assert!(body.frame().await.unwrap().is_ok());
                assert!(body.frame().await.unwrap().is_err());
                assert!(body.frame().await.is_none(), "it ended");
                broken.push(body);
            }
        };
        let done = runtime.block_on(async { timeout(Duration::from_secs(3600), all).await });
        assert!(done.is_ok(), "{jobs} at once wait for each other for ever");
    }
}

#[test]
fn a_large_piece_has_the_time_that_a_slow_line_needs() {
    let slow = Server { after: Duration::from_secs(300), ..WELL };
    assert!(ask(&slow, ("PUT", "http://h/b/p/x"), 8 << 20).0.is_ok());
    assert!(ask(&slow, ("PUT", "http://h/b/p/x"), 8 << 10).0.is_err());
}

#[test]
fn a_server_that_asks_for_a_pause_gets_it_within_reason() {
    for (asked, given) in [("7", 7), ("100000", 60), ("soon", 0)] {
        let busy = Server { status: 503, header: ("retry-after", asked), ..WELL };
        let (answer, time) = ask(&busy, OBJECT, 0);
        assert_eq!((answer.unwrap().0, time.as_secs()), (503, given));
    }
}

#[test]
fn a_listing_that_is_none_is_tried_again_or_named() {
    let listing = |body| Server { body, ..WELL };
    let good = "<?xml version=\"1.0\"?><ListBucketResult><KeyCount>0</KeyCount></ListBucketResult>";
    assert_eq!(ask(&listing(good), LISTING, 0).0.unwrap(), (200, good.to_owned()));
    let error = "<Error><Code>InternalError</Code></Error>";
    assert_eq!(ask(&listing(error), LISTING, 0).0.unwrap().0, 503);
    for other in ["", "<html>welcome</html>"] {
        let refused = ask(&listing(other), LISTING, 0).0.unwrap_err();
        assert!(matches!(Refusal::of(&refused), Some(Refusal::NoStorage(_))), "{refused}");
        assert_eq!(refused.kind(), HttpErrorKind::Unknown, "is not tried again");
    }
}

#[test]
fn an_object_without_a_tag_is_none() {
    let server = Server { header: ("x", "y"), body: "<Error/>", ..WELL };
    assert_eq!(ask(&server, OBJECT, 0).0.unwrap().0, 503);
    assert_eq!(ask(&server, ("PUT", "http://h/b/p/x"), 1).0.unwrap().0, 503);
}

#[test]
fn a_folder_that_somebody_else_made_first_is_made() {
    let server = Server { status: 405, ..WELL };
    assert_eq!(ask(&server, ("MKCOL", "http://h/p"), 0).0.unwrap().0, 201);
    let refused = ask(&server, ("PROPFIND", "http://h/p"), 0).0.unwrap_err();
    assert!(matches!(Refusal::of(&refused), Some(Refusal::NotOffered(_))), "{refused}");
}

#[test]
fn a_folder_that_is_refused_is_asked_for_once_more_and_no_other_request() {
    let server = Server { status: 403, after: Duration::from_secs(1), ..WELL };
    for (method, seconds) in [("MKCOL", 2), ("PUT", 1)] {
        let (answer, time) = ask(&server, (method, "http://h/p"), 0);
        let refused = answer.unwrap_err();
        assert!(matches!(Refusal::of(&refused), Some(Refusal::Denied(_))), "{refused}");
        assert_eq!(time.as_secs(), seconds, "{method}");
    }
}

#[test]
fn a_server_that_was_never_reached_is_soon_given_up() {
    let line = Lines::new(8).over(HttpClient::new(Server { there: false, ..WELL }));
    let mut kinds = Vec::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        for _ in 0..3 {
            let error = line.execute(HttpRequest::new(Vec::new().into())).await.unwrap_err();
            assert!(matches!(Refusal::of(&error), Some(Refusal::Unreached(_))), "{error}");
            kinds.push(error.kind());
        }
    });
    let again = HttpErrorKind::Connect;
    assert_eq!(kinds, [again, again, HttpErrorKind::Unknown]);
}

#[test]
fn a_machine_without_a_role_has_no_keys() {
    let server = Server { status: 404, ..WELL };
    let metadata = "http://169.254.169.254/latest/meta-data/iam/security-credentials/";
    let refused = ask(&server, ("GET", metadata), 0).0.unwrap_err();
    assert_eq!(Refusal::of(&refused), Some(&Refusal::NoKeys));
}

#[test]
fn a_listing_without_end_is_given_up() {
    let server = Server { ends: Ends::Never, ..WELL };
    for asked in [("GET", "https://h/b?list-type=2"), ("PROPFIND", "https://h/b/i")] {
        let error = ask(&server, asked, 0).0.unwrap_err();
        let refusal = Refusal::of(&error);
        assert!(matches!(refusal, Some(Refusal::NoStorage(_))), "{refusal:?}");
    }
}

#[test]
fn a_web_server_that_answers_a_write_with_a_page_is_not_believed() {
    let (page, kept) = (Server { body: "<html>", ..WELL }, Server { status: 201, ..WELL });
    for (server, sure) in [(page, false), (kept, true)] {
        let line = Lines::new(8).of_web().over(HttpClient::new(server));
        let mut request = HttpRequest::new(vec![0; 10].into());
        *request.method_mut() = "PUT".parse().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let answer = runtime.block_on(line.execute(request));
        let error = answer.err();
        let refused = error.as_ref().and_then(|error| Refusal::of(error).cloned());
        assert_eq!(refused, (!sure).then_some(Refusal::Unsure(200)));
    }
}
