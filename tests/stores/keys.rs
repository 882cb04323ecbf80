//! Keys that are given for a while: where they come from, and that they are asked for again within a run.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::harness::{Repo, World, data};
use crate::proxy::{Fault, Proxy, Rule};
use crate::server::Server;
use crate::tls::Identity;

/// A request to a server of this test.
struct Asked {
    method: String,
    /// Path and query.
    place: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

/// An answer: its status, further headers, and its body.
type Answer = (u16, String, Vec<u8>);

/// A server that answers as the test says; requests come one after the other.
struct Giver {
    address: SocketAddr,
    /// Method and place of each request.
    asked: Arc<Mutex<Vec<String>>>,
}

impl Giver {
    fn start(mut answer: impl FnMut(&Asked) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("finds a port");
        let address = listener.local_addr().expect("has an address");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let Some(request) = read(&mut stream) else { continue };
                let line = format!("{} {}", request.method, request.place);
                seen.lock().expect("is sound").push(line);
                let (status, headers, body) = answer(&request);
                let length = body.len();
                let head = format!(
                    "HTTP/1.1 {status} Said\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n"
                );
                let body = if request.method == "HEAD" { &[] } else { &body[..] };
                drop(stream.write_all(&[head.as_bytes(), body].concat()));
            }
        });
        Self { address, asked }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("is sound").clone()
    }
}

fn read(stream: &mut std::net::TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        bytes.extend(byte);
    }
    let head = String::from_utf8(bytes).ok()?;
    let mut lines = head.lines();
    let mut words = lines.next()?.split(' ').map(str::to_owned);
    let (method, place) = (words.next()?, words.next()?);
    let pairs = lines.filter_map(|line| line.split_once(": "));
    let headers: BTreeMap<String, String> =
        pairs.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
    let length = headers.get("content-length").and_then(|n| n.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(Asked { method, place, headers, body })
}

/// A time so soon that whoever is careful asks for other keys at once.
fn soon() -> String {
    let time = std::time::SystemTime::now() + Duration::from_secs(60);
    let seconds = time.duration_since(std::time::UNIX_EPOCH).expect("is later").as_secs();
    let mut date = std::process::Command::new("date");
    date.args(["-u", "-d", &format!("@{seconds}"), "+%Y-%m-%dT%H:%M:%SZ"]);
    let output = date.output().expect("runs");
    String::from_utf8(output.stdout).expect("is text").trim().to_owned()
}

/// The form in which machines and containers of Amazon's cloud get keys.
fn amazon(number: usize) -> Answer {
    let text = format!(
        r#"{{"Code":"Success","AccessKeyId":"KEY{number}","SecretAccessKey":"s","Token":"t{number}",
        "Expiration":"{}"}}"#,
        soon()
    );
    (200, String::new(), text.into_bytes())
}

/// A repository at moto, behind a proxy by which each request takes its time.
fn slow_moto(world: &World) -> Option<(Repo<'_>, Proxy)> {
    let mut server = Server::find("moto")?;
    let proxy = Proxy::start(server.the("ENDPOINT"));
    server.reach_by(&format!("http://{}", proxy.address));
    let a = server.repo(world, "a");
    a.write("x.bin", &data::bytes(1, 300_000));
    a.haul(&["add", "x.bin"]).ok();
    a.commit("data");
    let fault = Fault::Late(Duration::from_millis(150));
    proxy.set(&[Rule { method: "", part: String::new(), times: usize::MAX, fault }]);
    Some((a, proxy))
}

/// Requires that requests went out with the first keys, and later ones with later keys.
#[track_caller]
fn went_on_with_later_keys(proxy: &Proxy) {
    let mut used = Vec::new();
    for request in proxy.seen() {
        let signed = request.headers.get("authorization").expect("is signed");
        let signed = signed.to_str().expect("is text");
        let number = signed.split("KEY").nth(1).and_then(|rest| rest.split('/').next());
        let number: usize = number.expect("has a key").parse().expect("is a number");
        let token = request.headers.get("x-amz-security-token").expect("goes with it");
        assert_eq!(token, &format!("t{number}"));
        used.push(number);
    }
    assert!(used.is_sorted() && used.first() < used.last(), "{used:?}");
}

#[test]
fn a_machine_of_the_cloud_has_keys_which_are_asked_for_again_when_they_end() {
    let world = World::new();
    let Some((a, proxy)) = slow_moto(&world) else { return };
    let mut given = 0;
    let giver = Giver::start(move |asked| match (asked.method.as_str(), asked.place.as_str()) {
        ("PUT", "/latest/api/token") => (200, String::new(), b"session".to_vec()),
        _ if asked.headers.get("x-aws-ec2-metadata-token").is_none_or(|t| t != "session") => {
            (401, String::new(), Vec::new())
        }
        (_, "/latest/meta-data/iam/security-credentials/") => {
            (200, String::new(), b"role".to_vec())
        }
        _ => {
            given += 1;
            amazon(given)
        }
    });
    let url = giver.url();
    a.haul_with(&["push", "--jobs", "1"], &[("AWS_METADATA_ENDPOINT", &url)]).ok();
    went_on_with_later_keys(&proxy);
    assert!(giver.asked().iter().any(|line| line.ends_with("/role")), "{:?}", giver.asked());
}

#[test]
fn the_keys_of_a_machine_come_from_a_real_service_too() {
    let Some(server) = Server::find("moto") else { return };
    let world = World::new();
    let a = server.repo(&world, "a");
    a.write("x.bin", &data::bytes(1, 300_000));
    a.haul(&["add", "x.bin"]).ok();
    a.commit("data");
    let variables = [("AWS_METADATA_ENDPOINT", server.the("ENDPOINT"))];
    a.haul_with(&["push"], &variables).ok();
    let b = a.clone_as("b");
    b.haul_with(&["pull"], &variables).ok();
    assert!(b.read("x.bin") == data::bytes(1, 300_000));
}

#[test]
fn a_container_has_keys_by_a_file_that_is_read_again_when_they_end() {
    let world = World::new();
    let Some((a, proxy)) = slow_moto(&world) else { return };
    let file = world.path("token");
    std::fs::write(&file, "first").expect("writes a token");
    let (mut given, rewritten) = (0, file.clone());
    let giver = Giver::start(move |asked| {
        given += 1;
        let wanted = if given == 1 { "first" } else { "second" };
        let right = asked.headers.get("authorization").is_some_and(|token| token == wanted);
        std::fs::write(&rewritten, "second").expect("writes a token");
        if right { amazon(given) } else { (403, String::new(), Vec::new()) }
    });
    let url = format!("{}/keys", giver.url());
    let variables = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", url.as_str()),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file.to_str().expect("is UTF-8")),
    ];
    a.haul_with(&["push", "--jobs", "1"], &variables).ok();
    went_on_with_later_keys(&proxy);
    std::fs::write(&file, "second\n").expect("writes a token");
    let refused = a.haul_with(&["verify"], &variables).fails_with(3);
    refused.says("holds a line end").says("  hint: sign in");
}

#[test]
fn a_job_with_an_identity_gets_keys_for_it_and_reads_its_file_again_when_they_end() {
    let world = World::new();
    let Some((a, proxy)) = slow_moto(&world) else { return };
    let Some(identity) = Identity::make(&world.path("tls")) else { return };
    let file = world.path("token");
    std::fs::write(&file, "first").expect("writes a token");
    let (mut given, rewritten) = (0, file.clone());
    let giver = Giver::start(move |_| {
        given += 1;
        std::fs::write(&rewritten, "second").expect("writes a token");
        let text = format!(
            "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>\
             <SessionToken>t{given}</SessionToken><SecretAccessKey>s</SecretAccessKey>\
             <AccessKeyId>KEY{given}</AccessKeyId><Expiration>{}</Expiration></Credentials>\
             </AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>",
            soon()
        );
        (200, "content-type: text/xml\r\n".to_owned(), text.into_bytes())
    });
    // Such a token goes over a safe line only.
    let safe = Proxy::start_safe(&giver.url(), identity.acceptor());
    let service = format!("https://{}", safe.address);
    let variables = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", file.to_str().expect("is UTF-8")),
        ("AWS_ROLE_ARN", "arn:aws:iam::1:role/ci"),
        ("AWS_ENDPOINT_URL_STS", &service),
        ("SSL_CERT_FILE", identity.path()),
    ];
    a.haul_with(&["push", "--jobs", "1"], &variables).ok();
    went_on_with_later_keys(&proxy);
    let asked = giver.asked();
    for token in ["first", "second"] {
        let shown = format!("WebIdentityToken={token}");
        assert!(asked.iter().any(|line| line.contains(&shown)), "{token}: {asked:?}");
    }
    std::fs::remove_file(&file).expect("is there");
    a.haul_with(&["verify"], &variables).fails_with(3).says("token").says("  hint: sign in");
}

/// A blob storage that believes bearers of tokens `T1`, `T2` and so on, keeps what it is sent, and takes its
/// time.
fn blobs() -> (Giver, Arc<Mutex<Vec<usize>>>) {
    let used = Arc::new(Mutex::new(Vec::new()));
    let (bearers, mut kept) = (Arc::clone(&used), BTreeMap::<String, Vec<u8>>::new());
    let giver = Giver::start(move |asked| {
        std::thread::sleep(Duration::from_millis(150));
        let token = asked.headers.get("authorization").and_then(|t| t.strip_prefix("Bearer T"));
        let Some(number) = token.and_then(|t| t.parse().ok()) else {
            return (403, String::new(), Vec::new());
        };
        bearers.lock().expect("is sound").push(number);
        blob(asked, &mut kept)
    });
    (giver, used)
}

fn blob(asked: &Asked, kept: &mut BTreeMap<String, Vec<u8>>) -> Answer {
    let written = "last-modified: Fri, 01 Jan 2021 00:00:00 GMT\r\netag: \"1\"\r\n".to_owned();
    let (path, query) = asked.place.split_once('?').unwrap_or((&asked.place, ""));
    if query.contains("comp=list") {
        let prefix = query.split('&').find_map(|part| part.strip_prefix("prefix="));
        let prefix = format!("/box/{}", prefix.unwrap_or_default().replace("%2F", "/"));
        let mut blobs = String::new();
        for (name, bytes) in kept.iter().filter(|(name, _)| name.starts_with(&prefix)) {
            let (name, length) = (name.trim_start_matches("/box/"), bytes.len());
            let blob = format!(
                "<Blob><Name>{name}</Name><Properties><Last-Modified>Fri, 01 Jan 2021 00:00:00 GMT\
                 </Last-Modified><Content-Length>{length}</Content-Length><Content-Type>x</Content-Type>\
                 <Etag>1</Etag></Properties></Blob>"
            );
            blobs.push_str(&blob);
        }
        let text =
            format!("<EnumerationResults><Blobs>{blobs}</Blobs><NextMarker/></EnumerationResults>");
        return (200, String::new(), text.into_bytes());
    }
    match (asked.method.as_str(), kept.get(path)) {
        ("PUT", Some(_)) if asked.headers.contains_key("if-none-match") => {
            (409, String::new(), Vec::new())
        }
        ("PUT", _) => {
            kept.insert(path.to_owned(), asked.body.clone());
            (201, written, Vec::new())
        }
        (_, None) => (404, String::new(), Vec::new()),
        (_, Some(bytes)) => {
            let range = asked.headers.get("range").and_then(|range| range.strip_prefix("bytes="));
            let Some((first, last)) = range.and_then(|range| range.split_once('-')) else {
                return (200, written, bytes.clone());
            };
            let (first, last): (usize, usize) =
                (first.parse().expect("is a number"), last.parse().expect("is a number"));
            let header = format!("content-range: bytes {first}-{last}/{}\r\n", bytes.len());
            let part = bytes.get(first..=last).expect("is there").to_vec();
            (206, written + &header, part)
        }
    }
}

/// A repository at such a storage.
fn at_blobs<'w>(world: &'w World, giver: &Giver) -> Repo<'w> {
    let a = world.repo("a");
    a.haul(&["init"]).ok();
    let (url, endpoint) = ("az://box/place", giver.url());
    let add = ["remote", "add", "origin", url, "--account", "box", "--allow-http"];
    a.haul(&[&add[..], &["--endpoint", &endpoint]].concat()).ok();
    a.write("x.bin", &data::bytes(1, 300_000));
    a.haul(&["add", "x.bin"]).ok();
    a.commit("data");
    a
}

/// Requires that the first token was used, later ones later, and that all is there.
#[track_caller]
fn went_on_with_later_tokens(a: &Repo<'_>, used: &Mutex<Vec<usize>>, variables: &[(&str, &str)]) {
    let push = a.haul_with(&["push", "--jobs", "1"], variables).ok();
    let numbers = used.lock().expect("is sound").clone();
    assert!(numbers.is_sorted() && numbers.first() < numbers.last(), "{numbers:?} {push}");
    let b = a.clone_as("b");
    b.haul_with(&["pull"], variables).ok();
    assert!(b.read("x.bin") == data::bytes(1, 300_000));
}

#[test]
fn a_managed_identity_gets_tokens_and_gets_others_when_they_end() {
    let (store, used) = blobs();
    let world = World::new();
    let a = at_blobs(&world, &store);
    let mut given = 0;
    let giver = Giver::start(move |asked| {
        given += 1;
        let right = asked.place.contains("resource=https%3A%2F%2Fstorage.azure.com")
            && asked.headers.get("x-identity-header").is_some_and(|text| text == "known");
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let soon = now.expect("is later").as_secs() + 60;
        let text = format!(r#"{{"access_token":"T{given}","expires_on":"{soon}"}}"#);
        if right {
            (200, String::new(), text.into_bytes())
        } else {
            (400, String::new(), text.into())
        }
    });
    let url = giver.url();
    let variables = [("IDENTITY_ENDPOINT", url.as_str()), ("IDENTITY_HEADER", "known")];
    went_on_with_later_tokens(&a, &used, &variables);
}

#[test]
fn the_program_of_azure_gives_tokens_and_gives_others_when_they_end() {
    let (store, used) = blobs();
    let world = World::new();
    let a = at_blobs(&world, &store);
    let tools = world.folder("tools");
    let count = world.path("count");
    let script = format!(
        "#!/bin/sh\n[ \"$1 $2\" = 'account get-access-token' ] || exit 2\n\
         n=$(cat '{0}' 2>/dev/null || echo 0); n=$((n + 1)); echo $n >'{0}'\n\
         echo '{{\"accessToken\":\"T'$n'\",\"tokenType\":\"Bearer\",\"subscription\":\"s\",\"tenant\":\"t\",'\n\
         date -d '+1 minute' '+\"expiresOn\":\"%Y-%m-%d %H:%M:%S.000000\"}}'\n",
        count.display()
    );
    tools.script("az", &script);
    let path = std::env::var("PATH").expect("is set");
    let path = format!("{}:{path}", tools.path("").display());
    let variables = [("AZURE_USE_AZURE_CLI", "true"), ("PATH", path.as_str())];
    went_on_with_later_tokens(&a, &used, &variables);
    tools.script("az", "#!/bin/sh\necho 'Please run az login' >&2\nexit 1\n");
    let refused = a.haul_with(&["verify"], &variables).fails_with(3);
    refused.says("Please run az login").says("  hint: sign in");
}
