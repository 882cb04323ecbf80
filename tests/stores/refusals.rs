//! Remotes that cannot be used: each cause has its own message and next step, and nothing is half
//! published.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::harness::{Output, Remote, Repo, World, data};
use crate::proxy::Fault;
use crate::scene::{FOR_EVER, Scene};
use crate::server::Server;

/// Verbs that cannot do without the remote.
const VERBS: [&str; 6] = ["push", "pull", "fetch", "verify", "gc", "fsck"];

/// Requires of every verb that it fails with this code, and says what it is about, the cause and what to
/// do; returns what it says, without the parts that differ each time.
#[track_caller]
fn refuses(run: impl Fn(&str) -> Output, code: i32, says: &str) -> String {
    let mut told = String::new();
    for verb in VERBS {
        let output = run(verb).fails_with(code);
        // It tells of the remote beside what it finds on this machine.
        if verb == "fsck" {
            assert!(output.to_string().contains(says), "{output}");
            continue;
        }
        let output = output.says(says).says("  hint: ").says("remote `");
        assert_eq!(output.flaw(), None, "{output}");
        let document = run_json(&run, verb);
        let said = |name: &str| document.pointer(&format!("/error/{name}")).cloned();
        assert_eq!(said("exit"), Some(code.into()), "{verb}: {document}");
        let hint =
            said("hint").and_then(|hint| hint.as_str().map(str::to_owned)).unwrap_or_default();
        assert!(!hint.is_empty(), "{verb}: {document}");
        told = format!("{says}: {hint}");
    }
    told
}

fn run_json(run: &impl Fn(&str) -> Output, verb: &str) -> serde_json::Value {
    run(&format!("{verb} --json")).json()
}

/// A clone that has its pointers, and no content that a pull could do with.
fn reader<'w>(scene: &Scene<'w>, name: &str) -> Repo<'w> {
    scene.a.clone_as(name)
}

#[test]
fn every_cause_is_told_by_every_verb_and_nothing_is_half_published() {
    let world = World::new();
    let Some(scene) = Scene::new(&world) else { return };
    scene.server.haul(&scene.a, &["push"]).ok();
    scene.a.write("new.bin", &data::bytes(8, 400_000));
    scene.a.haul(&["add", "new.bin"]).ok();
    scene.a.commit("new");
    let mut texts = BTreeSet::new();
    let answers = [
        (404, "NoSuchBucket", "no bucket or container of this name"),
        (403, "AccessDenied", "access is denied"),
        (400, "ExpiredToken", "the credentials have expired"),
        (403, "RequestTimeTooSkewed", "the clock of this machine is wrong"),
        (301, "PermanentRedirect", "the bucket lies in another region"),
        (302, "", "no object storage"),
    ];
    for (number, (status, code, says)) in answers.into_iter().enumerate() {
        scene.set("", "", FOR_EVER, Fault::Status(status, code, None));
        let b = reader(&scene, &format!("b{number}"));
        let run = |line: &str| {
            let words: Vec<&str> = line.split(' ').collect();
            let here = if words[0] == "push" { &scene.a } else { &b };
            scene.server.haul(here, &words)
        };
        assert!(texts.insert(refuses(run, 3, says)), "{code} is told as another cause is");
        assert!(!b.has("x.bin") && !b.has("new.bin"));
        scene.proxy.set(&[]);
        let c = scene.a.clone_as(&format!("c{number}"));
        let missing = scene.server.haul(&c, &["verify", "--json"]).fails_with(4).json();
        assert!(missing.to_string().contains("new.bin"), "it was published: {missing}");
        c.git(&["checkout", "-q", "HEAD~1"]).ok();
        scene.server.haul(&c, &["pull"]).ok();
    }
    scene.server.haul(&scene.a, &["push"]).ok();
    scene.server.haul(&scene.a, &["verify"]).ok();
}

#[test]
fn a_cause_in_the_middle_of_a_push_leaves_no_record_of_it() {
    let world = World::new();
    let Some(scene) = Scene::new(&world) else { return };
    let causes = [
        ("/format", 403, "RequestTimeTooSkewed"),
        ("/p/", 403, "AccessDenied"),
        ("/m/", 400, "ExpiredToken"),
        ("/i/", 403, "AccessDenied"),
    ];
    for (seed, (part, status, code)) in (20..).zip(causes) {
        let name = format!("{seed}.bin");
        scene.a.write(&name, &data::bytes(seed, 300_000));
        scene.a.haul(&["add", &name]).ok();
        scene.set("PUT", part, FOR_EVER, Fault::Status(status, code, None));
        scene.server.haul(&scene.a, &["push"]).fails_with(3).says("  hint: ");
        assert!(scene.proxy.faults() > 0, "{part}");
        scene.proxy.set(&[]);
        let test = scene.server.haul(&scene.a, &["remote", "test"]);
        test.prints("lists 0 catalogue objects");
    }
    scene.a.commit("more");
    scene.server.haul(&scene.a, &["push"]).ok();
    scene.pulls_all("b");
}

/// Repositories with a remote behind `ssh`, whose folder can be looked at.
fn behind_ssh(world: &World) -> Option<(Server, Repo<'_>, Remote)> {
    let server = Server::find("sshd")?;
    let a = server.repo(world, "a");
    let url = server.url();
    let path = url.splitn(4, '/').nth(3)?;
    let remote = Remote::at(PathBuf::from(format!("/{path}")));
    a.write("x.bin", &data::bytes(1, 300_000));
    a.haul(&["add", "x.bin"]).ok();
    a.commit("data");
    Some((server, a, remote))
}

#[test]
fn a_place_that_holds_something_else_is_told_and_left_as_it_is() {
    let world = World::new();
    let Some((server, a, remote)) = behind_ssh(&world) else { return };
    let b = a.clone_as("b");
    for (key, text) in [("format", "mp3"), ("i/logo.png", "a picture"), ("format", "")] {
        let folder = remote.path().join(key);
        std::fs::create_dir_all(folder.parent().expect("lies there")).expect("makes folders");
        remote.write(key, text.as_bytes());
        let run = |line: &str| {
            let words: Vec<&str> = line.split(' ').collect();
            server.haul(if words[0] == "push" { &a } else { &b }, &words)
        };
        // Who only reads is not concerned with names below `i/` that are not known.
        if key == "format" {
            refuses(run, 3, "holds something else");
        } else {
            for verb in ["push", "gc"] {
                run(verb).fails_with(3).says("holds something else").says(key).says("  hint: ");
            }
            run("fsck").fails_with(3).says("holds something else").says(key);
            run("pull").fails_with(4);
        }
        assert_eq!(remote.keys(""), [key], "nothing is left there");
        assert_eq!(remote.read(key), text.as_bytes());
        remote.remove(key);
    }
    server.haul(&a, &["push"]).ok();
    server.haul(&b, &["pull"]).ok();
}

#[test]
fn a_remote_of_a_newer_form_is_told_and_left_as_it_is() {
    let world = World::new();
    let Some((server, a, remote)) = behind_ssh(&world) else { return };
    server.haul(&a, &["push"]).ok();
    a.write("y.bin", b"more");
    a.haul(&["add", "y.bin"]).ok();
    a.commit("more");
    let format = remote.read("format");
    let newer = String::from_utf8_lossy(&format).replacen("haul-remote 1", "haul-remote 2", 1);
    remote.write("format", newer.as_bytes());
    let before = remote.keys("");
    for (number, verb) in VERBS.iter().enumerate() {
        let b = a.clone_as(&format!("b{number}"));
        let refused = server.haul(&b, &[verb]).fails_with(3);
        refused.says("a newer haul is needed").says("install a newer release").says("`format`");
    }
    assert_eq!(remote.keys(""), before);
}

#[test]
fn a_catalogue_that_is_damaged_or_cut_short_is_told_and_left_as_it_is() {
    let world = World::new();
    let Some((server, a, remote)) = behind_ssh(&world) else { return };
    server.haul(&a, &["push"]).ok();
    let key = remote.keys("i/").remove(0);
    let sound = remote.read(&key);
    let mut flipped = sound.clone();
    flipped[600] ^= 1;
    for (number, bytes) in [&flipped[..], &sound[..sound.len() / 2], &[]].into_iter().enumerate() {
        remote.write(&key, bytes);
        let before = remote.keys("");
        let b = a.clone_as(&format!("b{number}"));
        let run = |line: &str| server.haul(&b, &line.split(' ').collect::<Vec<_>>());
        refuses(run, 4, &key);
        assert!(!b.has("x.bin"));
        assert_eq!(remote.keys(""), before);
    }
    remote.write(&key, &sound);
    server.haul(&a.clone_as("c"), &["pull"]).ok();
}

#[test]
fn each_kind_of_storage_refuses_wrong_keys_and_knows_no_container() {
    for (name, wrong) in [
        ("garage", ("AWS_SECRET_ACCESS_KEY", "0000")),
        ("azurite", ("AZURE_STORAGE_ACCOUNT_KEY", "AAAA")),
    ] {
        let Some(server) = Server::find(name) else { return };
        let world = World::new();
        let a = server.repo(&world, "a");
        let mut variables = server.variables();
        variables.retain(|(variable, _)| *variable != wrong.0);
        variables.push(wrong);
        let run = |line: &str| a.haul_with(&line.split(' ').collect::<Vec<_>>(), &variables);
        a.write("x.bin", b"x");
        a.haul(&["add", "x.bin"]).ok();
        a.commit("x");
        run("push").fails_with(3).says("access is denied").says("  hint: ask for the right");
        let b = world.repo("b");
        b.haul(&["init"]).ok();
        let mut add = server.add("origin");
        add[3] = add[3].replace("//test/", "//nobody-made-this/");
        b.haul(&add).ok();
        server.haul(&b, &["remote", "test"]).fails_with(3).says("no bucket or container");
    }
}
