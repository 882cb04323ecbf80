//! Reading through a web server that lists nothing, by the `index` of the remote.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread::spawn;

use crate::harness::{World, data};
use crate::push::ready;

/// Serves a folder: whole files and ranges of them. What asks for a listing gets `refusal`.
fn serve(folder: &Path, refusal: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("finds a port");
    let url = format!("http://{}", listener.local_addr().expect("has an address"));
    let folder = folder.to_owned();
    spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let folder = folder.clone();
            spawn(move || while answer(&stream, &folder, refusal).is_some() {});
        }
    });
    url
}

/// Answers one request; nothing once there are no more.
fn answer(mut stream: &TcpStream, folder: &Path, refusal: &str) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let lines = reader.by_ref().lines().map_while(Result::ok);
    let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let mut words = head.first()?.split(' ');
    let (method, place) = (words.next()?, words.next()?);
    let header = |name: &str| {
        let found = head.iter().filter_map(|line| line.split_once(": "));
        found
            .into_iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    };
    let rest = header("content-length").map_or(0, |len| len.parse().expect("is a number"));
    reader.take(rest).read_to_end(&mut Vec::new()).ok()?;
    let file: PathBuf = folder.join(place.trim_start_matches('/'));
    let mut more = String::new();
    let (status, body) = match fs::read(file) {
        _ if !matches!(method, "GET" | "HEAD") => (refusal, Vec::new()),
        Err(_) => ("404 Not Found", Vec::new()),
        Ok(whole) => match header("range").and_then(|range| range.strip_prefix("bytes=")) {
            None => ("200 OK", whole),
            Some(range) => {
                let (from, last) = range.split_once('-')?;
                let from: usize = from.parse().ok()?;
                let to = last.parse().map_or(whole.len(), |last: usize| last + 1).min(whole.len());
                more = format!("content-range: bytes {from}-{}/{}\r\n", to - 1, whole.len());
                ("206 Partial Content", whole.get(from..to)?.to_vec())
            }
        },
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {length}\r\netag: \"1\"\r\n\
         last-modified: Sun, 01 Nov 2026 00:00:00 GMT\r\n{more}\r\n"
    );
    stream.write_all(head.as_bytes()).ok()?;
    let body = if method == "HEAD" { Vec::new() } else { body };
    stream.write_all(&body).ok()
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
    for refusal in ["403 Forbidden", "405 Method Not Allowed"] {
        let url = serve(remote.path(), refusal);
        let name = refusal.get(..3).expect("is a number");
        a.haul(&["remote", "add", &format!("web{name}"), &url, "--allow-http"]).ok();
    }
    a.git(&["add", "-A"]).ok();
    a.commit("many");
    let b = a.clone_as("b");
    for web in ["web403", "web405"] {
        b.haul(&["pull", "--remote", web]).ok();
        b.haul(&["verify", "--remote", web]).ok();
    }
    let sound = remote.read(&pack);
    remote.remove(&pack);
    for web in ["web403", "web405"] {
        let id = pack.rsplit('/').next().expect("has a name");
        b.haul(&["verify", "--remote", web]).fails_with(4).prints(id);
    }
    remote.write(&pack, &sound);
}
