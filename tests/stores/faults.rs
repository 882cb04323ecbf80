//! What goes wrong between haul and a server, once or for ever, in front of a real one.

use std::time::Duration;

use crate::harness::{Repo, World, data};
use crate::proxy::{Fault, Rule};
use crate::scene::{FOR_EVER, Scene};
use crate::server::{NOBODY, Server};

#[test]
fn what_goes_wrong_once_is_nobodys_concern() {
    let once = [
        Fault::Status(503, "SlowDown", Some(1)),
        Fault::Status(500, "InternalError", None),
        Fault::Status(429, "TooManyRequests", Some(1)),
        Fault::Status(400, "RequestTimeout", None),
        Fault::Error200,
        Fault::Close,
        Fault::LoseAnswer,
        Fault::Late(Duration::from_millis(300)),
        Fault::Slow(Duration::from_millis(50)),
    ];
    for fault in once {
        let world = World::new();
        let Some(scene) = Scene::new(&world) else { return };
        // Every kind of request meets it: listing, reading and writing of each kind of object.
        let parts = ["list-type=2", "/format", "/p/", "/m/", "/i/", "/repos/"];
        let rules: Vec<Rule> = parts
            .iter()
            .flat_map(|part| ["GET", "PUT"].map(|method| (part, method)))
            .map(|(part, method)| Rule { method, part: (*part).to_owned(), times: 1, fault })
            .collect();
        scene.proxy.set(&rules);
        scene.server.haul(&scene.a, &["push"]).ok();
        let writes = ["PUT /format", "PUT /p/", "PUT /m/", "PUT /i/", "PUT /repos/"];
        met(&scene, &[&["GET list-type=2", "GET /format"], &writes[..]].concat(), fault);
        scene.proxy.set(&[]);
        scene.server.haul(&scene.a, &["verify"]).ok();
        scene.proxy.set(&rules);
        scene.pulls_all("b");
        met(&scene, &["GET list-type=2", "GET /format", "GET /p/", "GET /m/", "GET /i/"], fault);
    }
}

#[test]
fn what_is_damaged_on_its_way_is_asked_for_again() {
    for part in ["/format", "/i/", "/m/", "/p/"] {
        let world = World::new();
        let Some(scene) = Scene::new(&world) else { return };
        scene.server.haul(&scene.a, &["push"]).ok();
        scene.set("GET", part, 1, Fault::Flip);
        scene.pulls_all("b");
        met(&scene, &[&format!("GET {part}")], Fault::Flip);
    }
}

/// Requires that each of these kinds of request had something go wrong.
#[track_caller]
fn met(scene: &Scene<'_>, kinds: &[&str], fault: Fault) {
    let met = scene.proxy.met();
    let unmet: Vec<_> = kinds.iter().filter(|kind| !met.iter().any(|met| met == *kind)).collect();
    assert!(unmet.is_empty(), "{fault:?} never met {unmet:?}");
}

#[test]
fn a_conflict_that_is_none_leaves_no_remote_without_an_identity() {
    let world = World::new();
    let Some(scene) = Scene::new(&world) else { return };
    for (part, status, code) in [
        ("/format", 412, "PreconditionFailed"),
        ("/format", 409, "OperationAborted"),
        ("/i/", 409, "OperationAborted"),
    ] {
        scene.set("PUT", part, 1, Fault::Status(status, code, None));
        scene.server.haul(&scene.a, &["push"]).fails_with(3).says("hint: run the same command");
        assert_eq!(scene.proxy.faults(), 1, "{part}");
    }
    scene.server.haul(&scene.a, &["push"]).ok();
    scene.pulls_all("b");
}

#[test]
fn requests_on_the_line_are_as_few_as_reports_say() {
    let world = World::new();
    let Some(scene) = Scene::new(&world) else { return };
    let on_the_line = |repo: &Repo<'_>, verb: &str| {
        scene.proxy.set(&[]);
        let report = scene.server.haul(repo, &[verb, "--json"]).ok().json();
        let said = ["list", "get", "put", "head"].map(|kind| report["requests"][kind].as_u64());
        (scene.proxy.requests() as u64, said.into_iter().flatten().sum::<u64>())
    };
    // An empty remote is listed twice, which the report counts as one listing each.
    let (seen, said) = on_the_line(&scene.a, "push");
    assert!(seen <= said + 2, "{seen} requests, {said} reported");
    let (warm, said) = on_the_line(&scene.a, "push");
    assert!(warm <= 3 && warm == said, "warm: {warm} requests, {said} reported");
    let b = scene.a.clone_as("b");
    let (cold, said) = on_the_line(&b, "push");
    assert!(cold <= 6 && cold == said, "cold: {cold} requests, {said} reported");
    let pulled = |repo: &Repo<'_>| {
        scene.proxy.set(&[]);
        let report = scene.server.haul(repo, &["pull", "--json"]).ok().json();
        let said = report["fetch"]["requests"].clone();
        let kinds = ["list", "get", "put", "head"].map(|kind| said[kind].as_u64());
        let count: u64 = kinds.into_iter().flatten().sum();
        assert_eq!(count, scene.proxy.requests() as u64, "{report}");
        (count, said["waves"].as_u64())
    };
    // Trees and content, two requests each: what lies where is known.
    let (count, waves) = pulled(&b);
    assert!(count <= 4 && waves <= Some(2), "pull: {count} requests in {waves:?} waves");
    // The listing, `format` and three push records go before.
    let (count, waves) = pulled(&scene.a.clone_as("c"));
    assert!(count <= 9 && waves <= Some(4), "cold pull: {count} requests in {waves:?} waves");
}

#[test]
fn a_body_that_breaks_off_is_gone_on_with() {
    let world = World::new();
    let Some(scene) = Scene::new(&world) else { return };
    scene.server.haul(&scene.a, &["push"]).ok();
    scene.set("GET", "/p/", 2, Fault::Cut);
    scene.pulls_all("b");
    assert_eq!(scene.proxy.faults(), 2);
    // One for each place that there is, so that none is left for who asks again.
    let b = scene.a.clone_as("c");
    scene.set("GET", "/p/", 1, Fault::Cut);
    scene.server.haul(&b, &["fetch", "--jobs", "1"]).ok();
    assert_eq!(scene.proxy.faults(), 1);
}

#[test]
fn a_moment_that_breaks_every_connection_is_gone_on_from() {
    const PLACES: usize = 4;
    let world = World::new();
    let Some(scene) = Scene::new(&world) else { return };
    // A pack each, so that a pull asks for all of them at once.
    for number in 0..2 * PLACES {
        let name = format!("n{number}.bin");
        scene.a.write(&name, &data::bytes(700 + number as u64, 200_000));
        scene.a.haul(&["add", &name]).ok();
        scene.a.commit(&name);
    }
    scene.server.haul(&scene.a, &["push"]).ok();
    scene.set("GET", "/p/", PLACES, Fault::Cut);
    scene.pulls_all("b");
    assert_eq!(scene.proxy.faults(), PLACES);
}

/// Takes the minute of silence after which a connection is given up.
#[test]
fn a_body_that_falls_silent_is_given_up_and_asked_for_again() {
    let world = World::new();
    let Some(scene) = Scene::new(&world) else { return };
    scene.server.haul(&scene.a, &["push"]).ok();
    scene.set("GET", "/p/", 1, Fault::Stall);
    scene.pulls_all("b");
    assert_eq!(scene.proxy.faults(), 1);
}

#[test]
fn wrong_bytes_never_reach_a_file() {
    for fault in [Fault::Flip, Fault::Shorten, Fault::Lengthen] {
        let world = World::new();
        let Some(scene) = Scene::new(&world) else { return };
        scene.server.haul(&scene.a, &["push"]).ok();
        for part in ["/p/", "/m/", "/i/", "/format"] {
            scene.set("GET", part, FOR_EVER, fault);
            let b = scene.a.clone_as(&format!("b{}", part.replace('/', "-")));
            let output = scene.server.haul(&b, &["pull"]);
            assert!(scene.proxy.faults() > 0, "{fault:?} {part}");
            assert!(matches!(output.status(), Some(3 | 4)), "{fault:?} {part}: {output}");
            assert!(!b.has("x.bin"), "{fault:?} {part}");
            scene.proxy.set(&[]);
            scene.server.haul(&b, &["pull"]).ok();
            assert!(b.read("x.bin") == data::bytes(3, 3 << 20), "{fault:?} {part}");
        }
    }
}

#[test]
fn a_listing_that_is_none_is_never_an_empty_one() {
    let world = World::new();
    let Some(scene) = Scene::new(&world) else { return };
    scene.server.haul(&scene.a, &["push"]).ok();
    scene.set("GET", "list-type=2", FOR_EVER, Fault::Error200);
    for verb in ["push", "gc"] {
        scene.server.haul(&scene.a, &[verb]).fails_with(3);
    }
    scene.proxy.set(&[]);
    scene.pulls_all("c");
}

#[test]
fn a_listing_without_anything_is_not_believed_alone() {
    let world = World::new();
    let Some(scene) = Scene::new(&world) else { return };
    scene.server.haul(&scene.a, &["push"]).ok();
    let b = scene.a.clone_as("b");
    // Once is nobody's concern: it is asked for again.
    scene.set("GET", "list-type=2", 1, Fault::EmptyList);
    scene.server.haul(&b, &["fetch"]).ok();
    assert_eq!(scene.proxy.faults(), 1);
    // For ever, of the catalogue alone: packs that are there say that it is wrong.
    let c = scene.a.clone_as("c");
    scene.set("GET", "%2Fi%2F", FOR_EVER, Fault::EmptyList);
    for (repo, verb) in [(&scene.a, "verify"), (&c, "pull"), (&c, "verify")] {
        let output = scene.server.haul(repo, &[verb]).fails_with(4);
        output.says("its catalogue `i/` lists nothing").says("hint: run the same command again");
        assert!(scene.proxy.faults() > 0);
    }
    // Of everything: nothing is removed, or said to be complete.
    scene.set("GET", "list-type=2", FOR_EVER, Fault::EmptyList);
    scene.server.haul(&scene.a, &["verify"]).fails_with(4);
    scene.server.haul(&scene.a, &["gc", "--yes"]);
    // What a push then sends anew harms nobody.
    scene.server.haul(&scene.a, &["push"]);
    scene.proxy.set(&[]);
    scene.server.haul(&scene.a, &["push"]).ok();
    scene.server.haul(&scene.a, &["verify"]).ok();
    scene.pulls_all("d");
}

#[test]
fn a_listing_without_anything_makes_no_old_remote_a_new_one() {
    let world = World::new();
    let Some(scene) = Scene::new(&world) else { return };
    scene.server.haul(&scene.a, &["push"]).ok();
    // Twice in a row, which is what a single listing asks, is nobody's concern.
    scene.set("GET", "%2Fi%2F", 2, Fault::EmptyList);
    scene.server.haul(&scene.a, &["push"]).ok();
    assert_eq!(scene.proxy.faults(), 2);
    for part in ["list-type=2", "%2Fi%2F"] {
        scene.set("GET", part, FOR_EVER, Fault::EmptyList);
        for verb in ["push", "gc"] {
            let refused = scene.server.haul(&scene.a, &[verb]).fails_with(3);
            refused.says("lists nothing below `i/`").says("hint: run the same command again");
        }
        assert!(scene.proxy.faults() > 0);
    }
    scene.proxy.set(&[]);
    scene.server.haul(&scene.a, &["push"]).ok();
    scene.pulls_all("b");
}

#[test]
fn each_cause_is_named_and_ends_with_code_3() {
    let world = World::new();
    let Some(scene) = Scene::new(&world) else { return };
    for (status, code, says) in [
        (403, "AccessDenied", "access is denied"),
        (403, "InvalidAccessKeyId", "InvalidAccessKeyId"),
        (400, "ExpiredToken", "have expired"),
        (403, "RequestTimeTooSkewed", "clock"),
        (404, "NoSuchBucket", "no bucket"),
        (301, "PermanentRedirect", "another region"),
    ] {
        scene.set("", "", FOR_EVER, Fault::Status(status, code, None));
        let output = scene.server.haul(&scene.a, &["push"]).fails_with(3);
        output.says(says).says("hint: ");
        assert!(scene.proxy.requests() < 4, "{code}: what will not change is not asked again");
    }
    scene.proxy.set(&[]);
    scene.server.haul(&scene.a, &["push"]).ok();
}

#[test]
fn a_server_that_refuses_many_requests_at_once_is_asked_for_fewer() {
    const TAKES: usize = 6;
    let world = World::new();
    let Some(scene) = Scene::new(&world) else { return };
    // Many packs, each by a push of its own, so that a pull asks for all of them in one wave.
    for number in 0..60 {
        let name = format!("n{number}.bin");
        scene.a.write(&name, &data::bytes(500 + number, 20_000));
        scene.a.haul(&["add", &name]).ok();
        scene.a.commit(&name);
    }
    let busy = Fault::Busy(TAKES, Duration::from_millis(20));
    scene.set("", "", FOR_EVER, busy);
    scene.server.haul(&scene.a, &["push", "--jobs", "32"]).ok();
    scene.set("", "", FOR_EVER, busy);
    scene.pulls_all("b");
    scene.proxy.set(&[Rule { method: "", part: String::new(), times: FOR_EVER, fault: busy }]);
    let c = scene.a.clone_as("c");
    scene.server.haul(&c, &["pull", "--jobs", "32"]).ok();
    let (all, refused, most) =
        (scene.proxy.requests(), scene.proxy.faults(), scene.proxy.most_at_once());
    assert!(all > 60, "{all} requests");
    assert!(refused <= all / 8, "{refused} of {all} requests refused");
    assert!(most <= 2 * TAKES, "{most} requests at once");
}

#[test]
fn no_more_requests_than_jobs_are_under_way() {
    let world = World::new();
    let Some(scene) = Scene::new(&world) else { return };
    for number in 0..20 {
        let name = format!("n{number}.bin");
        scene.a.write(&name, &data::bytes(500 + number, 9 << 20));
    }
    scene.a.haul(&["add", "n0.bin", "n1.bin", "n2.bin", "n3.bin", "n4.bin"]).ok();
    scene.set("", "", FOR_EVER, Fault::Late(Duration::from_millis(30)));
    scene.server.haul(&scene.a, &["push", "--jobs", "2"]).ok();
    let most = scene.proxy.most_at_once();
    assert!((1..=2).contains(&most), "{most} requests at once");
}

#[test]
fn what_is_no_storage_is_told_from_what_is_not_there_and_from_what_is_not_safe() {
    let Some(mut server) = Server::find("moto") else { return };
    let Some(web) = Server::find("apache") else { return };
    let world = World::new();
    let plain = server.the("ENDPOINT").replace("http://", "https://");
    for (name, endpoint, says) in [
        ("a", web.the("STATIC").to_owned(), "no object storage"),
        ("b", format!("http://{NOBODY}"), "nobody answers"),
        ("c", plain, "not safe"),
    ] {
        server.reach_by(&endpoint);
        let repo = server.repo(&world, name);
        server.haul(&repo, &["remote", "test"]).fails_with(3).says(says).says("hint: ");
    }
    // A variable may choose the server, where no setting does.
    let repo = world.repo("f");
    repo.haul(&["init"]).ok();
    repo.haul(&["remote", "add", "origin", "s3://bucket/path", "--allow-http"]).ok();
    let secret = format!("http://ann:pear@{NOBODY}");
    for variable in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"] {
        let variables = [&server.variables()[..], &[(variable, secret.as_str())]].concat();
        repo.write("x.bin", b"x");
        repo.haul(&["add", "x.bin"]).ok();
        let refused = repo.haul_with(&["push"], &variables).fails_with(3);
        let named = format!("at {NOBODY}, which {variable} names");
        let refused = refused.says(&named).says("nobody answers");
        assert!(!refused.to_string().contains("pear"), "{refused}");
    }
    let missing = Server::find("moto").expect("runs");
    let repo = world.repo("d");
    repo.haul(&["init"]).ok();
    let mut add = missing.add("origin");
    add[3] = "s3://nobody-made-this".to_owned();
    repo.haul(&add).ok();
    missing.haul(&repo, &["remote", "test"]).fails_with(3).says("no bucket").says("hint: ");
    let keys = Server::find("garage").expect("runs");
    let repo = keys.repo(&world, "e");
    let wrong =
        [("AWS_ACCESS_KEY_ID", "GK000000000000000000000000"), ("AWS_SECRET_ACCESS_KEY", "no")];
    repo.haul_with(&["remote", "test"], &wrong).fails_with(3).says("access is denied");
}
