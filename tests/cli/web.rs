//! A folder remote that is reached through a web server which offers little.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::thread::spawn;

use crate::harness::{Output, Remote, Repo, World, data};
use crate::push::{pushed, ready};

/// What the server offers besides whole objects.
#[derive(Clone)]
struct Offers {
    folder: PathBuf,
    /// The answer to who wants a listing.
    listing: &'static str,
    ranges: bool,
}

/// Serves until the test ends; returns the address.
fn serve(offers: Offers) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("finds a port");
    let address = listener.local_addr().expect("has an address");
    spawn(move || {
        for stream in listener.incoming().flatten() {
            let offers = offers.clone();
            // Who went away needs no answer.
            spawn(move || drop(answer(&offers, stream)));
        }
    });
    format!("http://{address}/")
}

fn answer(offers: &Offers, mut stream: TcpStream) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    let mut range = None;
    for line in lines {
        let line = line?.to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        let ends = line.strip_prefix("range: bytes=").and_then(|ends| ends.split_once('-'));
        range = range.or(ends.and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()))));
    }
    let mut words = request.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let found = std::fs::read(offers.folder.join(path.trim_start_matches('/')));
    let (status, mut head, body) = match (method, found) {
        ("GET" | "HEAD", Ok(bytes)) => part(bytes, range.filter(|_| offers.ranges)),
        ("GET" | "HEAD", Err(_)) => ("404 Not Found", String::new(), Vec::new()),
        ("PROPFIND", _) => (offers.listing, String::new(), Vec::new()),
        _ => ("405 Method Not Allowed", String::new(), Vec::new()),
    };
    write!(head, "Content-Length: {}\r\nConnection: close\r\n", body.len()).expect("is a string");
    write!(stream, "HTTP/1.1 {status}\r\n{head}\r\n")?;
    if method == "HEAD" { Ok(()) } else { stream.write_all(&body) }
}

/// Answers with the bytes of a range, of which the last is named or is that of the object.
fn part(bytes: Vec<u8>, range: Option<(usize, Option<usize>)>) -> (&'static str, String, Vec<u8>) {
    let dated = "Last-Modified: Sun, 01 Jan 2023 00:00:00 GMT\r\n";
    let Some((first, last)) = range else { return ("200 OK", dated.to_owned(), bytes) };
    let end = bytes.len().saturating_sub(1);
    let last = last.map_or(end, |last| last.min(end));
    let head = format!("{dated}Content-Range: bytes {first}-{last}/{}\r\n", bytes.len());
    let bytes = bytes.get(first..=last).unwrap_or_default().to_vec();
    ("206 Partial Content", head, bytes)
}

const DENIED: &str = "403 Forbidden";
const NOT_OFFERED: &str = "405 Method Not Allowed";

/// Runs `haul` with the server in the place of the remote.
fn through(url: &str, repo: &Repo<'_>, arguments: &[&str]) -> Output {
    let variables = [
        ("HAUL_REMOTES_ORIGIN_URL", url),
        ("HAUL_REMOTES_ORIGIN_ALLOW_HTTP", "true"),
        ("NO_PROXY", "*"),
    ];
    repo.haul_with(arguments, &variables)
}

/// The outcome of a check of `remote test --json`, if it was tried.
fn outcome(report: &Output, what: &str) -> Option<String> {
    let report = report.json();
    let checks = report.get("checks").and_then(|all| all.as_array()).expect("is a list");
    let check = checks.iter().find(|check| check.get("what").is_some_and(|is| is == what))?;
    check.get("outcome")?.as_str().map(str::to_owned)
}

fn scene<'w>(world: &'w World, listing: &'static str, ranges: bool) -> (Remote, Repo<'w>, String) {
    let remote = world.remote("r");
    let a = pushed(world, &remote);
    let url = serve(Offers { folder: remote.path().to_owned(), listing, ranges });
    (remote, a, url)
}

#[test]
fn where_nothing_may_be_listed_a_test_and_doctor_say_that_the_index_is_read() {
    for listing in [DENIED, NOT_OFFERED] {
        let world = World::new();
        let (_, a, url) = scene(&world, listing, true);
        let b = a.clone_as("b");
        for verb in [&["pull"][..], &["remote", "test"]] {
            through(&url, &b, verb).fails_with(3).says("haul remote index");
        }
        through(&url, &b, &["doctor"]).fails_with(1).prints("haul remote index");
        a.haul(&["remote", "index"]).ok();
        through(&url, &b, &["pull"]).ok();
        assert_eq!(b.read("x.bin"), a.read("x.bin"));
        let tried = through(&url, &b, &["remote", "test", "--json"]).ok();
        let seen = ["reach", "identity", "ranges", "write"].map(|what| outcome(&tried, what));
        let works = Some("works".to_owned());
        assert_eq!(seen, [Some("lacks".to_owned()), works.clone(), works, None], "{tried}");
        let report = tried.json();
        let can = (&report["readable"], &report["writable"]);
        assert_eq!(can, (&true.into(), &false.into()), "{tried}");
        through(&url, &b, &["remote", "test"]).ok().prints("`index`").says("pulled from only");
        through(&url, &b, &["doctor"]).ok().prints("warn  reach").prints("`index`");
    }
}

#[test]
fn a_server_that_gives_no_parts_is_not_called_one_to_pull_from() {
    let world = World::new();
    let (_, a, url) = scene(&world, NOT_OFFERED, false);
    a.haul(&["remote", "index"]).ok();
    let b = a.clone_as("b");
    through(&url, &b, &["pull"]).fails_with(3).says("haul remote test");
    let tried = through(&url, &b, &["remote", "test", "--json"]).fails_with(1);
    assert_eq!(outcome(&tried, "ranges").as_deref(), Some("fails"), "{tried}");
    assert_eq!(tried.json()["readable"], false, "{tried}");
    let tried = through(&url, &b, &["remote", "test"]).fails_with(1);
    tried.prints("use a server that answers ranges").says("cannot be used as it is");
    through(&url, &b, &["doctor"]).fails_with(1).prints("FAIL  ranges");
}

#[test]
fn what_needs_many_packs_is_proved_where_nothing_can_be_listed() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    // Each push sends a pack of content and one of a tree.
    for seed in 0..33 {
        let name = format!("{seed}.bin");
        a.write(&name, &data::bytes(seed, 150_000));
        a.haul(&["add", &name]).ok();
        a.haul(&["push"]).ok();
    }
    let pack = remote.keys("p/").pop().expect("is one");
    assert!(remote.keys("p/").len() + remote.keys("m/").len() > 64);
    a.haul(&["remote", "index"]).ok();
    for refusal in [DENIED, NOT_OFFERED] {
        let folder = remote.path().to_owned();
        let url = serve(Offers { folder, listing: refusal, ranges: true });
        let name = refusal.get(..3).expect("is a number");
        a.haul(&["remote", "add", &format!("web{name}"), &url, "--allow-http"]).ok();
    }
    a.git(&["add", "-A"]).ok();
    a.commit("many");
    let clones = ["web403", "web405"].map(|web| (web, a.clone_as(web)));
    for (web, b) in &clones {
        b.haul(&["pull", "--remote", web]).ok();
        b.haul(&["verify", "--remote", web]).ok();
    }
    remote.remove(&pack);
    for (web, b) in &clones {
        let id = pack.rsplit('/').next().expect("has a name");
        b.haul(&["verify", "--remote", web]).fails_with(4).prints(id);
    }
}
