//! Passwords, keys and signatures in every place that can hold one: none is ever printed, logged,
//! committed or sent along.

use std::path::Path;

use crate::harness::{Remote, Repo, World, data};
use crate::proxy::Proxy;
use crate::server::{NOBODY, Server};

/// What stands in every secret, and nowhere else.
const MARK: &str = "hush4711";

/// Every verb with words by which it does something, and reaches the remote where it ever does.
const VERBS: [(&str, &[&str]); 46] = [
    ("init", &[]),
    ("status", &[]),
    ("add", &["-u"]),
    ("push", &[]),
    ("verify", &[]),
    ("pull", &[]),
    ("fetch", &["--all"]),
    ("checkout", &[]),
    ("fsck", &[]),
    ("gc", &[]),
    ("gc", &["--repo", "https://ann:hush4711@127.0.0.1:9/x.git"]),
    ("evict", &["--all"]),
    ("evict", &["--all", "--yes"]),
    ("du", &[]),
    ("diff", &["HEAD~1"]),
    ("log", &[]),
    ("ls", &["-r"]),
    ("cat", &["HEAD:x.bin", "--range", "0..10"]),
    ("export", &["HEAD:x.bin", "../out"]),
    ("check-ignore", &["x.bin"]),
    ("ci", &["key"]),
    ("config", &[]),
    ("doctor", &[]),
    ("remote", &["list"]),
    ("remote", &["test"]),
    ("remote", &["test", "web"]),
    ("remote", &["test", "blobs"]),
    ("remote", &["test", "google"]),
    ("remote", &["index"]),
    ("remote", &["sync", "origin", "web"]),
    ("remote", &["accept", "web"]),
    ("remote", &["add", "bad", "https://ann:hush4711@host/x"]),
    ("remote", &["add", "worse", "az://c/x?sv=1&sig=hush4711"]),
    ("get", &["https://ann:hush4711@127.0.0.1:9/x.git", "x.bin", "-o", "got.bin"]),
    ("import", &["https://ann:hush4711@127.0.0.1:9/x.git", "x.bin", "imported.bin"]),
    ("clone", &["https://ann:hush4711@127.0.0.1:9/x.git", "cloned"]),
    ("update", &[]),
    ("track", &["*.dat"]),
    ("merge", &[]),
    ("hooks", &["status"]),
    ("mv", &["y.bin", "z.bin"]),
    ("untrack", &["z.bin"]),
    ("rm", &["x.bin"]),
    ("completions", &["bash"]),
    ("man", &["../manual"]),
    ("uninstall", &["--dry-run"]),
];

/// Variables that hold secrets, of every cloud and of haul; those of the server that works go on top.
const HELD: [(&str, &str); 11] = [
    ("AWS_ACCESS_KEY_ID", "AKIATEST"),
    ("AWS_SECRET_ACCESS_KEY", "hush4711a"),
    ("AWS_SESSION_TOKEN", "hush4711b"),
    ("AZURE_STORAGE_ACCOUNT_KEY", "hush4711aaaa"),
    ("AZURE_STORAGE_SAS_TOKEN", "sv=2020&sig=hush4711d"),
    ("AZURE_STORAGE_CLIENT_SECRET", "hush4711e"),
    ("GOOGLE_SERVICE_ACCOUNT_KEY", "{\"private_key\": \"hush4711f\"}"),
    ("HAUL_REMOTES_WEB_PASSWORD", "hush4711g"),
    ("HAUL_REMOTES_QUERY_URL", "https://host/x?sig=hush4711h"),
    ("HAUL_REMOTES_USER_URL", "https://ann:hush4711i@host/x"),
    ("HAUL_ACCEPT_REMOTE", "https://ann:hush4711j@host/x"),
];

/// Requires of a text that it shows no secret, as it is or as it goes over the line.
#[track_caller]
fn clean(what: &str, text: &[u8]) {
    // `ann:hush4711g` in base64, at the three places where it may begin.
    for secret in [MARK, "aHVzaDQ3MT", "h1c2g0NzEx", "odXNoNDcxM", "YW5uOmh1c2"] {
        let found = text.windows(secret.len()).position(|window| window == secret.as_bytes());
        if let Some(at) = found {
            let around = text.iter().skip(at.saturating_sub(300)).take(400).copied().collect();
            panic!("{what} shows `{secret}`: {:?}", String::from_utf8(around));
        }
    }
}

/// Requires the same of all files below a folder but some.
fn clean_below(folder: &Path, but: &[&str]) {
    let mut count = 0;
    for key in Remote::at(folder.to_owned()).keys("") {
        if !but.iter().any(|name| key.ends_with(name)) {
            count += 1;
            clean(&key, &std::fs::read(folder.join(&key)).expect("is readable"));
        }
    }
    assert!(count > 0, "{} is empty", folder.display());
}

/// Sets a repository up that holds secrets wherever there is a place for one.
fn holding<'w>(world: &'w World, server: &Server, name: &str) -> Repo<'w> {
    let a = server.repo(world, name);
    for (version, file) in [(1, "x.bin"), (2, "y.bin")] {
        a.write(file, &data::bytes(version, 50_000));
        a.haul(&["add", file]).ok();
        a.commit(file);
    }
    for (name, url, flags) in [
        ("web", "https://127.0.0.1:9/x", &["--user", "ann"][..]),
        ("blobs", "az://box/x", &["--endpoint", "https://127.0.0.1:9", "--account", "nobody"]),
        ("google", "gs://box/x", &["--endpoint", "https://127.0.0.1:9"]),
    ] {
        a.haul(&[&["remote", "add", name, url][..], flags].concat()).ok();
    }
    a.haul(&["remote", "default", "origin"]).ok();
    a.git(&["add", "-A"]).ok();
    a.commit("remotes");
    let own = "version = 1\n[remotes.web]\npassword = \"hush4711k\"\n\
        [remotes.own]\nurl = \"https://ann:hush4711l@host/x?sig=hush4711m\"\n";
    a.write(".git/haul/config.toml", own.as_bytes());
    a.git(&["remote", "add", "origin", "https://ann:hush4711n@127.0.0.1:9/x.git"]).ok();
    a
}

/// Runs every verb in several ways, and looks at all that comes of it.
fn every_verb(world: &World, a: &Repo<'_>, variables: &[(&str, &str)]) {
    let log = world.path("log");
    let log = log.to_str().expect("is UTF-8");
    let mut succeeded = 0;
    for (verb, words) in VERBS {
        for flags in [
            &["-vv", "--trace-file", log][..],
            &["-vvv", "--json"],
            &["--progress", "json"],
            &["--trace-file", log, "--json"],
        ] {
            let mut line = [&[verb][..], words].concat();
            line.extend(flags);
            let output = a.haul_with(&line, variables);
            succeeded += usize::from(output.status() == Some(0));
            // The first line is the command itself, by the harness.
            clean(&format!("{line:?}"), &output.bytes());
            clean(&format!("{line:?}"), output.stderr().as_bytes());
            if flags.contains(&log) {
                clean(&format!("the log of {line:?}"), &std::fs::read(log).expect("was written"));
            }
        }
    }
    assert!(succeeded > VERBS.len(), "only {succeeded} did what they were asked to");
}

/// Looks at all that stays: commits, worktree, local state, settings of the user.
fn stays_clean(world: &World, a: &Repo<'_>) {
    let all = a.git(&["log", "--all", "-p", "--text", "--no-ext-diff", "--no-textconv"]).ok();
    clean("a commit", &all.bytes());
    clean("what is staged", &a.git(&["diff", "--cached", "--no-ext-diff"]).ok().bytes());
    clean_below(&a.path(""), &[".git/haul/config.toml", ".git/config"]);
    clean_below(&world.home(), &[]);
}

#[test]
fn every_verb_is_among_those_that_are_tried() {
    let world = World::new();
    let help = world.folder("any").haul(&["--help"]).ok();
    let verbs = help.stdout().lines().skip_while(|line| *line != "Commands:").skip(1);
    for line in verbs.take_while(|line| !line.is_empty()) {
        let verb = line.split_whitespace().next().expect("has a name");
        // The demo makes a repository of its own, without any remote of the user's.
        assert!(verb == "demo" || VERBS.iter().any(|(tried, _)| *tried == verb), "{verb}");
    }
}

#[test]
fn no_secret_is_shown_or_kept_where_the_storage_works() {
    for name in ["moto", "azurite", "apache"] {
        let Some(server) = Server::find(name) else { return };
        let world = World::new();
        let a = holding(&world, &server, "a");
        let mut variables = HELD.to_vec();
        variables.retain(|(name, _)| server.name != "azurite" || !name.starts_with("AZURE_"));
        if server.name != "moto" {
            variables.extend(server.variables());
        }
        let key = variables.iter().find(|(name, _)| *name == "AZURE_STORAGE_ACCOUNT_KEY");
        let key = key.map(|(_, key)| (*key).to_owned()).unwrap_or_default();
        a.haul_with(&["push"], &variables).ok();
        every_verb(&world, &a, &variables);
        stays_clean(&world, &a);
        if server.name == "azurite" {
            let log = std::fs::read_to_string(world.path("log")).expect("was written");
            assert!(key.len() > 20 && !log.contains(&key));
        }
    }
}

#[test]
fn no_secret_is_shown_or_kept_where_the_storage_fails() {
    let Some(mut server) = Server::find("moto") else { return };
    let plain = server.the("ENDPOINT").replace("http://", "https://");
    let closed = format!("http://{NOBODY}");
    // Where there is a key, no signature is used.
    let mut signed = HELD.to_vec();
    signed
        .retain(|(name, _)| !["_KEY", "_SECRET", "_REMOTE"].iter().any(|end| name.ends_with(end)));
    let proxy = Proxy::start(server.the("ENDPOINT"));
    let other = format!("http://{}", proxy.address);
    signed.push(("HAUL_REMOTES_BLOBS_ENDPOINT", &other));
    signed.push(("HAUL_REMOTES_BLOBS_ALLOW_HTTP", "true"));
    let accepted =
        format!("https://ann:hush4711j@host/x,az://box/x?account=nobody&endpoint={other}");
    signed.push(("HAUL_ACCEPT_REMOTE", &accepted));
    for (name, endpoint, held) in
        [("closed", &closed, &HELD[..]), ("signed", &closed, &signed), ("unsafe", &plain, &HELD)]
    {
        server.reach_by(endpoint);
        let world = World::new();
        let a = holding(&world, &server, name);
        a.haul_with(&["push"], held).fails_with(3);
        a.haul_with(&["remote", "test", "blobs"], held).fails_with(3);
        every_verb(&world, &a, held);
        stays_clean(&world, &a);
    }
    let sent = proxy.seen().iter().any(|seen| seen.place.contains("sig=hush4711d"));
    assert!(sent, "the signature was in use: {:?}", proxy.seen());
}

#[test]
fn no_secret_goes_to_the_remote() {
    let world = World::new();
    let remote = world.remote("r");
    let Some(server) = Server::find("moto") else { return };
    let a = holding(&world, &server, "a");
    a.haul(&["remote", "add", "folder", remote.path().to_str().expect("is UTF-8")]).ok();
    a.haul_with(&["push", "--remote", "folder"], &HELD).ok();
    let registered = remote.keys("repos/").remove(0);
    let text = String::from_utf8(remote.read(&registered)).expect("is text");
    assert!(text.contains("127.0.0.1:9/x.git"), "says where its Git repository is: {text}");
    clean_below(remote.path(), &[]);
}
