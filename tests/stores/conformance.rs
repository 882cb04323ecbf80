//! What haul promises for each kind of remote.

use crate::fault::{Fault, Rule};
use crate::harness::{World, data};
use crate::proxy::Proxy;
use crate::scene::FOR_EVER;
use crate::server::{BY_HAND, NOBODY, Server};

/// A large file and a folder of small ones: several packs, pieces, nodes.
fn content() -> Vec<(String, Vec<u8>)> {
    let mut files = vec![("big.bin".to_owned(), data::bytes(7, 20 << 20))];
    files.extend((0..50).map(|i| (format!("many/{i}.bin"), data::bytes(100 + i, 3000))));
    files
}

#[test]
fn what_is_pushed_can_be_pulled_verified_and_checked_elsewhere() {
    for server in Server::all() {
        let world = World::new();
        let a = server.repo(&world, "a");
        let files = content();
        for (name, bytes) in &files {
            a.write(name, bytes);
        }
        a.haul(&["add", "big.bin", "many"]).ok();
        a.commit("data");
        let pushed = server.haul(&a, &["push", "--json"]).ok().json();
        assert!(pushed["requests"]["sent"].as_u64() > Some(20 << 20), "{}: {pushed}", server.name);
        server.haul(&a, &["verify"]).ok();

        let b = a.clone_as("b");
        server.haul(&b, &["pull"]).ok();
        for (name, bytes) in &files {
            assert!(b.read(name) == *bytes, "{}: {name} differs", server.name);
        }
        server.haul(&b, &["verify"]).ok();
        server.haul(&b, &["fsck", "--remote"]).ok();

        // A change goes back the other way, and little of it.
        let mut changed = files[0].1.clone();
        changed[10 << 20..(10 << 20) + 100].fill(1);
        b.write("big.bin", &changed);
        b.haul(&["add", "big.bin"]).ok();
        b.commit("change");
        let pushed = server.haul(&b, &["push", "--json"]).ok().json();
        assert!(pushed["requests"]["sent"].as_u64() < Some(1 << 20), "{}: {pushed}", server.name);
        a.git(&["pull", "--quiet", "../b", "main"]).ok();
        server.haul(&a, &["pull"]).ok();
        assert!(a.read("big.bin") == changed, "{}", server.name);
        server.haul(&a, &["gc"]).ok();
    }
}

#[test]
fn a_push_of_nothing_new_asks_little() {
    for server in Server::all() {
        let world = World::new();
        let a = server.repo(&world, "a");
        a.write("x.bin", &data::bytes(1, 100_000));
        a.haul(&["add", "x.bin"]).ok();
        a.commit("data");
        server.haul(&a, &["push"]).ok();
        let again = server.haul(&a, &["push", "--json"]).ok().json();
        let requests = &again["requests"];
        let all: u64 =
            ["list", "get", "put", "head"].iter().filter_map(|kind| requests[kind].as_u64()).sum();
        assert!(all <= 3, "{}: {again}", server.name);
    }
}

#[test]
fn a_web_server_that_cannot_list_is_read_by_the_index() {
    let Some(server) = Server::find("apache") else { return };
    let world = World::new();
    let a = server.repo(&world, "a");
    a.write("x.bin", &data::bytes(1, 2 << 20));
    a.haul(&["add", "x.bin"]).ok();
    a.commit("data");
    a.haul(&["push"]).ok();
    let b = a.clone_as("b");
    let url = server.static_url();
    let elsewhere = [("HAUL_REMOTES_ORIGIN_URL", url.as_str())];
    b.haul_with(&["pull"], &elsewhere).fails_with(3).says("haul remote index");
    a.haul(&["remote", "index"]).ok();
    b.haul_with(&["pull"], &elsewhere).ok();
    assert!(b.read("x.bin") == data::bytes(1, 2 << 20));
    b.haul_with(&["verify"], &elsewhere).ok();
    b.write("x.bin", b"other");
    b.haul(&["add", "x.bin"]).ok();
    b.commit("other");
    b.haul_with(&["push"], &elsewhere).fails_with(3).says("pushing needs a listing");
    let tried = b.haul_with(&["remote", "test", "--json"], &elsewhere).ok().json();
    assert_eq!((&tried["readable"], &tried["writable"]), (&true.into(), &false.into()), "{tried}");
}

#[test]
fn a_password_opens_a_web_server_and_is_shown_nowhere() {
    let Some(server) = Server::find("apache") else { return };
    let world = World::new();
    let a = world.repo("a");
    a.haul(&["init"]).ok();
    let url = server.url().replace("/t-", "/private/t-");
    a.haul(&["remote", "add", "origin", &url, "--user", "ann", "--allow-http"]).ok();
    for (password, code) in [("pear", 3), ("apple", 0)] {
        let variables = [("HAUL_REMOTES_ORIGIN_PASSWORD", password), ("HAUL_LOG", "trace")];
        let output = a.haul_with(&["remote", "test", "--json"], &variables).fails_with(code);
        assert!(!output.to_string().contains(password), "{output}");
    }
}

#[test]
fn a_folder_that_another_makes_at_the_same_moment_is_no_refusal() {
    let Some(mut server) = Server::find("apache") else { return };
    let proxy = Proxy::start(server.the("URL"));
    server.move_to(&format!("http://{}", proxy.address));
    let world = World::new();
    let a = server.repo(&world, "a");
    a.write("x.bin", &data::bytes(1, 50_000));
    a.haul(&["add", "x.bin"]).ok();
    a.commit("data");
    // What Apache says then, before each folder there is.
    let rule = |times| {
        let fault = Fault::Status(403, "", None);
        Rule { method: "MKCOL", part: String::new(), times, fault }
    };
    proxy.set(&[rule(1)]);
    a.haul(&["push"]).ok();
    a.haul(&["verify"]).ok();
    assert!(proxy.seen().iter().filter(|seen| seen.method == "MKCOL").count() > 1);
    // Where it is forbidden indeed, that is said.
    let b = world.repo("b");
    b.haul(&["init"]).ok();
    b.haul(&["remote", "add", "origin", &format!("{}-other", server.url()), "--allow-http"]).ok();
    proxy.set(&[rule(FOR_EVER)]);
    b.haul(&["remote", "test"]).ok().prints("access is denied").prints("it can be read only");
}

#[test]
fn what_a_remote_can_do_is_said() {
    let creates = [
        ("moto", "works"),
        ("garage", "lacks"),
        ("azurite", "works"),
        ("apache", "lacks"),
        ("sshd", "works"),
    ];
    let found =
        creates.into_iter().filter_map(|(name, create)| Some((Server::find(name)?, create)));
    for (server, create) in found.chain(Server::by_hand(BY_HAND).map(|server| (server, "works"))) {
        let name = server.name;
        let world = World::new();
        let a = server.repo(&world, "a");
        let report = server.haul(&a, &["remote", "test", "--json"]).ok().json();
        assert_eq!(report["writable"], true, "{name}: {report}");
        let checks = report["checks"].as_array().expect("is a list");
        let outcome = |what: &str| {
            let check = checks.iter().find(|check| check["what"] == what);
            check.unwrap_or_else(|| panic!("{name} has no {what}"))["outcome"].clone()
        };
        for what in ["reach", "identity", "write", "read", "ranges", "list", "clock", "remove"] {
            assert_eq!(outcome(what), "works", "{name}: {what}");
        }
        assert_eq!(outcome("create"), create, "{name}: {report}");
        // Nothing of it stays.
        let again = server.haul(&a, &["remote", "test"]).ok();
        again.prints("lists 0 catalogue objects").prints("nothing was pushed");
    }
}

#[test]
fn two_that_push_first_at_the_same_time_agree_whose_remote_it_is() {
    for server in Server::all() {
        let world = World::new();
        let a = server.repo(&world, "a");
        a.write("x.bin", &data::bytes(1, 50_000));
        a.haul(&["add", "x.bin"]).ok();
        a.commit("data");
        let b = a.clone_as("b");
        b.write("y.bin", &data::bytes(2, 50_000));
        b.haul(&["add", "y.bin"]).ok();
        b.commit("more");
        std::thread::scope(|scope| {
            let other = scope.spawn(|| server.haul(&b, &["push"]).status());
            server.haul(&a, &["push"]).ok();
            // `b` has no copy of what `a` may not have sent yet; another try finds it.
            other.join().expect("runs")
        });
        server.haul(&a, &["pull"]).ok();
        server.haul(&b, &["pull"]).ok();
        server.haul(&b, &["push"]).ok();
        let c = b.clone_as("c");
        server.haul(&c, &["pull"]).ok();
        assert!(c.read("x.bin") == data::bytes(1, 50_000), "{}", server.name);
        assert!(c.read("y.bin") == data::bytes(2, 50_000), "{}", server.name);
    }
}

#[test]
fn keys_of_a_profile_come_from_the_program_that_knows_them() {
    let Some(server) = Server::find("garage") else { return };
    let world = World::new();
    let a = server.repo(&world, "a");
    let tools = world.folder("tools");
    let path =
        format!("{}:{}", world.path("tools").display(), std::env::var("PATH").expect("is set"));
    let script = |body: &str| tools.script("aws", &format!("#!/bin/sh\n{body}\n"));
    let keys = format!(
        r#"{{"Version":1,"AccessKeyId":"{}","SecretAccessKey":"{}"}}"#,
        server.the("AWS_ACCESS_KEY_ID"),
        server.the("AWS_SECRET_ACCESS_KEY")
    );
    let variables = [("PATH", path.as_str()), ("AWS_PROFILE", "work")];
    let asked = r#"[ "$*" = "configure export-credentials --format process" ] && [ "$AWS_PROFILE" = work ]"#;
    script(&format!("{asked} && echo '{keys}'"));
    a.haul_with(&["remote", "test"], &variables).ok();
    script("echo 'The SSO session has expired' >&2; exit 255");
    let refused = a.haul_with(&["remote", "test"], &variables).fails_with(3);
    refused.says("SSO session has expired").says("aws sso login");
    script("echo hunter2");
    let refused = a.haul_with(&["remote", "test"], &variables).fails_with(3);
    assert!(!refused.to_string().contains("hunter2"), "{refused}");
    // Variables go before it.
    a.haul_with(&["remote", "test"], &[&server.variables()[..], &variables].concat()).ok();
}

#[test]
fn without_keys_it_is_said_what_to_set() {
    let Some(server) = Server::find("moto") else { return };
    let world = World::new();
    let a = server.repo(&world, "a");
    a.haul(&["remote", "test"]).fails_with(3).says("no credentials").says("AWS_ACCESS_KEY_ID");
    let half = [("AWS_ACCESS_KEY_ID", "x")];
    a.haul_with(&["remote", "test"], &half).fails_with(3).says("hint: correct the settings");
}

#[test]
fn google_is_asked_where_its_keys_say() {
    let world = World::new();
    let a = world.repo("a");
    a.haul(&["init"]).ok();
    a.haul(&["remote", "add", "origin", "gs://bucket/path"]).ok();
    let keys = world.path("keys.json");
    let variables = [("GOOGLE_SERVICE_ACCOUNT", keys.to_str().expect("is UTF-8"))];
    std::fs::write(&keys, "{\"private_key\": \"hunter2\"").expect("writes keys");
    let refused = a.haul_with(&["remote", "test"], &variables).fails_with(3);
    assert!(!refused.says("hint: correct the settings").to_string().contains("hunter2"));
    let text = format!(
        r#"{{"gcs_base_url":"http://{NOBODY}","disable_oauth":true,"client_email":"",
        "private_key":"","private_key_id":""}}"#
    );
    std::fs::write(&keys, text).expect("writes keys");
    a.haul_with(&["remote", "test"], &variables).fails_with(3).says("gs://bucket/path");
}

#[test]
fn a_host_behind_ssh_that_is_wrong_is_told_by_what_is_wrong() {
    let Some(server) = Server::find("sshd") else { return };
    let world = World::new();
    let url = server.url();
    let address = url.split('/').nth(2).expect("has an address");
    let place = url.rsplit_once("/data/").expect("lies there").0;
    for (name, url, flags, says) in [
        ("a", url.replace(address, NOBODY), vec![], "nobody answers"),
        ("b", url.clone(), vec!["--user", "nobody-of-this-name"], "access is denied"),
        ("c", url.replace("127.0.0.1", "localhost"), vec![], "does not trust"),
        ("d", format!("{place}/ssh_config/below"), vec![], "is not there"),
    ] {
        let a = world.repo(name);
        a.haul(&["init"]).ok();
        let add = [vec!["remote", "add", "origin", url.as_str()], flags].concat();
        a.haul(&add).ok();
        a.write("x.bin", b"x");
        a.haul(&["add", "x.bin"]).ok();
        server.haul(&a, &["push"]).fails_with(3).says(says).says("hint: ");
    }
}

#[test]
fn a_committed_remote_behind_ssh_needs_acceptance() {
    let Some(server) = Server::find("sshd") else { return };
    let world = World::new();
    let a = server.repo(&world, "a");
    a.write("x.bin", &data::bytes(1, 5000));
    a.haul(&["add", "x.bin"]).ok();
    a.git(&["add", "-A"]).ok();
    a.commit("data");
    server.haul(&a, &["push"]).ok();
    let b = a.clone_as("b");
    let mut variables = server.variables();
    variables.push(("XDG_CONFIG_HOME", "/nowhere"));
    b.haul_with(&["pull"], &variables).fails_with(1).says("haul remote accept origin");
    variables.push(("HAUL_ACCEPT_REMOTE", "sftp://127.0.0.1:1/x"));
    b.haul_with(&["pull"], &variables).fails_with(1);
    let url = server.url();
    variables.push(("HAUL_ACCEPT_REMOTE", &url));
    b.haul_with(&["pull"], &variables).ok();
    assert!(b.read("x.bin") == data::bytes(1, 5000));
}

#[test]
fn a_connection_by_ssh_that_breaks_is_made_again() {
    let Some(server) = Server::find("sshd") else { return };
    let world = World::new();
    let a = server.repo(&world, "a");
    a.write("x.bin", &data::bytes(1, 3 << 20));
    a.haul(&["add", "x.bin"]).ok();
    a.commit("data");
    // The first two calls end in the middle of what they do.
    let count = world.path("count");
    let ssh = world.folder("bin");
    let real = server.the("BIN");
    ssh.script(
        "ssh",
        &format!(
            "#!/bin/sh\nn=$(cat '{0}' 2>/dev/null || echo 0)\necho $((n + 1)) >'{0}'\n\
             [ \"$n\" -lt 2 ] || exec '{real}/ssh' \"$@\"\ndd bs=1 count=400 2>/dev/null | '{real}/ssh' \"$@\"\n",
            count.display()
        ),
    );
    let own = ssh.path("");
    let path = format!("{}:{}", own.display(), server.variables()[0].1);
    for verb in ["push", "verify"] {
        a.haul_with(&[verb], &[("PATH", &path)]).ok();
    }
    assert!(std::fs::read_to_string(count).expect("was called").trim() > "2");
    let b = a.clone_as("b");
    server.haul(&b, &["pull"]).ok();
    assert!(b.read("x.bin") == data::bytes(1, 3 << 20));
}
