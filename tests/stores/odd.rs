//! What servers do otherwise than the one that was thought of: each is used all the same, or refused by
//! name.

use crate::harness::{World, data};
use crate::proxy::{Fault, Proxy, Rule};
use crate::scene::{FOR_EVER, Scene};
use crate::server::Server;
use crate::tls::Identity;

#[test]
fn a_server_that_sends_all_for_a_part_is_refused_and_no_byte_of_it_lands() {
    let world = World::new();
    let Some(scene) = Scene::new(&world) else { return };
    // So that content is asked for in parts.
    scene.a.write("z.bin", &data::bytes(9, 20 << 20));
    scene.a.haul(&["add", "z.bin"]).ok();
    scene.a.commit("more");
    scene.server.haul(&scene.a, &["push"]).ok();
    scene.set("GET", "/p/", FOR_EVER, Fault::Whole);
    let b = scene.a.clone_as("b");
    let refused = scene.server.haul(&b, &["pull"]).fails_with(3);
    refused.says("sends a whole object where a part").says("`haul remote test`");
    assert!(scene.proxy.faults() > 0 && !b.has("x.bin") && !b.has("z.bin"));
    scene.set("GET", "", FOR_EVER, Fault::Whole);
    let tried = scene.server.haul(&b, &["remote", "test", "--json"]).fails_with(1).json();
    assert_eq!(tried["readable"], false, "{tried}");
    let tried = scene.server.haul(&b, &["remote", "test"]).fails_with(1);
    tried.prints("use a server that answers ranges");
    scene.proxy.set(&[]);
    scene.pulls_all("c");
}

#[test]
fn a_listing_of_many_pages_is_read_to_its_end() {
    let world = World::new();
    let Some(scene) = Scene::new(&world) else { return };
    scene.set("GET", "list-type=2", FOR_EVER, Fault::Pages(2));
    for number in 0..5 {
        let name = format!("n{number}.bin");
        scene.a.write(&name, &data::bytes(500 + number, 20_000));
        scene.a.haul(&["add", &name]).ok();
        scene.a.commit(&name);
        scene.server.haul(&scene.a, &["push"]).ok();
    }
    let pages = |part: &str| {
        let seen = scene.proxy.seen();
        seen.iter().filter(|seen| seen.place.contains(part)).count()
    };
    assert!(pages("continuation-token") > 5, "{} further pages", pages("continuation-token"));
    scene.server.haul(&scene.a, &["verify"]).ok();
    scene.server.haul(&scene.a, &["fsck", "--remote"]).ok();
    scene.pulls_all("b");
}

#[test]
fn no_request_is_of_a_kind_that_servers_disagree_about() {
    let world = World::new();
    let Some(scene) = Scene::new(&world) else { return };
    // More than one part of 8 MiB.
    scene.a.write("z.bin", &data::bytes(9, 20 << 20));
    scene.a.haul(&["add", "z.bin"]).ok();
    scene.a.commit("more");
    scene.proxy.set(&[]);
    for verb in [&["push"][..], &["verify"], &["gc", "--yes"], &["remote", "test"]] {
        scene.server.haul(&scene.a, verb).ok();
    }
    scene.pulls_all("b");
    let seen = scene.proxy.seen();
    assert!(seen.len() > 20, "{}", seen.len());
    for request in seen {
        let (method, place) = (request.method.as_str(), request.place.as_str());
        let header = |name: &str| {
            request.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
        };
        // Conditions on a tag, copies, tags, notes and a class of storage.
        for name in ["if-match", "x-amz-copy-source", "x-amz-tagging", "x-amz-storage-class"] {
            assert_eq!(header(name), "", "{name}: {method} {place}");
        }
        let notes = request.headers.keys().any(|name| name.as_str().starts_with("x-amz-meta-"));
        assert!(!notes, "{method} {place}");
        // The last bytes, or all from some byte on.
        let range = header("range");
        assert!(!range.starts_with("bytes=-") && !range.ends_with('-'), "{range}: {place}");
        // Removing many at once, or listing from a name on.
        assert!(!place.contains("?delete"), "{method} {place}");
        assert!(!place.contains("start-after"), "{method} {place}");
        // In parts go packs only, whose names no other bytes can have.
        let in_parts = ["uploads", "uploadId"].iter().any(|part| place.contains(part));
        let pack = ["/p/", "/m/"].iter().any(|folder| place.contains(folder));
        assert!(!in_parts || pack, "{method} {place}");
        assert!(!pack || header("if-none-match").is_empty(), "{method} {place}");
    }
}

#[test]
fn a_server_that_refuses_the_wish_not_to_overwrite_is_written_and_read_back() {
    let world = World::new();
    let Some(scene) = Scene::new(&world) else { return };
    let refused = Fault::Status(501, "NotImplemented", None);
    scene.set("PUT", " if-none-match", FOR_EVER, refused);
    scene.server.haul(&scene.a, &["push"]).ok();
    assert!(scene.proxy.faults() > 0, "nothing was wished for");
    let tried = scene.server.haul(&scene.a, &["remote", "test"]).ok();
    tried.prints("it cannot be asked not to overwrite");
    scene.server.haul(&scene.a, &["verify"]).ok();
    scene.pulls_all("b");
}

#[test]
fn clocks_that_are_apart_are_told() {
    let world = World::new();
    let Some(scene) = Scene::new(&world) else { return };
    scene.server.haul(&scene.a, &["push"]).ok();
    for (time, says) in [
        ("Sat, 01 Jan 2000 00:00:00 GMT", "minutes apart"),
        ("Fri, 01 Jan 2100 00:00:00 GMT", "minutes apart"),
    ] {
        scene.proxy.set(&[Rule {
            method: "",
            part: "/gc/".to_owned(),
            times: FOR_EVER,
            fault: Fault::Written(time),
        }]);
        let tried = scene.server.haul(&scene.a, &["remote", "test"]).ok();
        tried.prints(says).prints("set the one that is wrong");
        assert!(scene.proxy.faults() > 0);
    }
    scene.server.haul(&scene.a, &["verify"]).ok();
}

#[test]
fn a_place_of_an_odd_name_is_a_place_like_any() {
    for server in Server::all() {
        let world = World::new();
        let a = world.repo("a");
        a.haul(&["init"]).ok();
        let mut add = server.add("origin");
        let odd = if server.the("URL").starts_with("http") {
            "b%20%C3%A9%2B"
        } else {
            "b é+ä=~!'(),;&$"
        };
        add[3] = format!("{}/{odd}/x", server.url());
        server.haul(&a, &add.iter().map(String::as_str).collect::<Vec<_>>()).ok();
        a.write("x.bin", &data::bytes(1, 300_000));
        a.haul(&["add", "x.bin"]).ok();
        a.commit("data");
        server.haul(&a, &["push"]).ok();
        server.haul(&a, &["verify"]).ok();
        let b = a.clone_as("b");
        server.haul(&b, &["pull"]).ok();
        assert!(b.read("x.bin") == data::bytes(1, 300_000), "{}", server.name);
        let tried = server.haul(&a, &["remote", "test", "--json"]).ok().json();
        assert_eq!(tried["writable"], true, "{}: {tried}", server.name);
    }
}

#[test]
fn a_certificate_of_ones_own_counts_only_where_the_variable_names_its_authority() {
    let Some(server) = Server::find("moto") else { return };
    let world = World::new();
    let Some(identity) = Identity::make(&world.path("tls")) else { return };
    let proxy = Proxy::start_safe(server.the("ENDPOINT"), identity.acceptor());
    let port = proxy.address.port();
    let mut safe = Server::find("moto").expect("runs");
    for (name, host, trusted, says) in [
        ("a", "127.0.0.1", false, "SSL_CERT_FILE"),
        // Another name than the certificate is for.
        ("b", "localhost", true, "SSL_CERT_FILE"),
        ("c", "127.0.0.1", true, ""),
    ] {
        safe.reach_by(&format!("https://{host}:{port}"));
        let repo = safe.repo(&world, name);
        repo.write("x.bin", &data::bytes(1, 50_000));
        repo.haul(&["add", "x.bin"]).ok();
        repo.commit("data");
        let mut variables = server.variables();
        variables.extend(trusted.then_some(("SSL_CERT_FILE", identity.path())));
        let push = repo.haul_with(&["push"], &variables);
        if says.is_empty() {
            push.ok();
            repo.haul_with(&["verify"], &variables).ok();
        } else {
            push.fails_with(3).says("the connection is not safe").says(says);
            assert_eq!(proxy.requests(), 0, "nothing goes to whom nobody trusts");
        }
    }
    assert!(proxy.requests() > 0);
}

#[test]
fn keys_that_may_not_list_read_by_the_index_and_push_nothing() {
    let world = World::new();
    let Some(scene) = Scene::new(&world) else { return };
    scene.server.haul(&scene.a, &["push"]).ok();
    let b = scene.a.clone_as("b");
    let denied = Fault::Status(403, "AccessDenied", None);
    scene.set("GET", "list-type=2", FOR_EVER, denied);
    let refused = scene.server.haul(&b, &["pull"]).fails_with(3);
    refused.says("access is denied").says("`haul remote index`");
    scene.proxy.set(&[]);
    scene.server.haul(&scene.a, &["remote", "index"]).ok();
    scene.set("GET", "list-type=2", FOR_EVER, denied);
    scene.server.haul(&b, &["verify"]).ok();
    scene.pulls_all("c");
    b.write("new.bin", &data::bytes(9, 5000));
    b.haul(&["add", "new.bin"]).ok();
    b.commit("new");
    let refused = scene.server.haul(&b, &["push"]).fails_with(3);
    refused.says("access is denied").says("the right to list").says("which pushing needs");
    assert!(scene.proxy.faults() > 0);
}

#[test]
fn the_bucket_stands_in_the_name_of_the_host_if_so_asked() {
    let Some(server) = Server::find("moto") else { return };
    let world = World::new();
    let proxy = Proxy::start(server.the("ENDPOINT"));
    let a = world.repo("a");
    a.haul(&["init"]).ok();
    let add = ["remote", "add", "origin", "s3://bucket/x", "--allow-http", "--endpoint"];
    a.haul(&[&add[..], &["http://store.example"]].concat()).ok();
    // Whatever the name, what asks for it comes by here.
    let by = format!("http://{}", proxy.address);
    let mut variables = [&server.variables()[..], &[("http_proxy", by.as_str())]].concat();
    for (style, place) in
        [("true", "http://store.example/bucket"), ("false", "http://bucket.store.example/")]
    {
        proxy.set(&[]);
        variables.push(("HAUL_REMOTES_ORIGIN_PATH_STYLE", style));
        a.haul_with(&["remote", "test"], &variables);
        let seen = proxy.seen();
        assert!(
            seen.first().is_some_and(|seen| seen.place.starts_with(place)),
            "{style}: {seen:?}"
        );
    }
}

#[test]
fn who_reads_without_keys_signs_nothing() {
    let world = World::new();
    let Some(scene) = Scene::new(&world) else { return };
    scene.server.haul(&scene.a, &["push"]).ok();
    let b = scene.a.clone_as("b");
    b.write("haul.toml", format!("{}anonymous = true\n", b.text("haul.toml")).as_bytes());
    scene.proxy.set(&[]);
    // This server shows nothing to strangers.
    b.haul(&["pull"]).fails_with(3).says("access is denied");
    let seen = scene.proxy.seen();
    let signed = |headers: &hyper::HeaderMap| headers.contains_key("authorization");
    assert!(!seen.is_empty() && !seen.iter().any(|seen| signed(&seen.headers)), "{seen:?}");
}
