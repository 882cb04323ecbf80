//! Signals in the middle of every verb that can take long, and while it waits for somebody: 130, nothing
//! half-done, and the same command completes. For what the first of them leave in detail see `interrupts`.

use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::process::Child;
use std::thread::sleep;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::foreign::{go_on, others, ours, url};
use crate::harness::{Output, Remote, Repo, World, data};
use crate::interrupts::{stop, tidy};
use crate::push::{ready, take};
use crate::scene::{assert_clean, save};

const SIGNALS: [Signal; 3] = [Signal::INT, Signal::TERM, Signal::HUP];

/// Stops a command at a point and completes it; what stood before a refusal to go on stands still.
#[track_caller]
fn stop_and_complete(repo: &Repo, arguments: &[&str], (point, signal): (&str, Signal)) {
    stop(repo, arguments, (point, signal));
    tidy(repo, &Remote::at(repo.path("../r")));
    repo.haul(arguments).ok();
}

#[test]
fn what_looks_without_data_stops_while_it_fetches_and_completes() {
    let world = World::new();
    let a = others(&world);
    let verbs: [&[&str]; 10] = [
        &["diff", "HEAD~1", "HEAD", "--", "data", "model.bin"],
        &["ls", "-r"],
        &["du"],
        &["log"],
        &["cat", "HEAD:model.bin"],
        &["export", "HEAD:data", "out"],
        &["ci", "key", "--exact"],
        &["fsck"],
        &["fetch"],
        &["pull"],
    ];
    for (number, verb) in verbs.iter().enumerate() {
        let b = a.clone_as(&format!("b{number}"));
        let before = b.tree();
        let signal = SIGNALS[number % SIGNALS.len()];
        stop(&b, verb, ("remote.get.after", signal));
        before.assert_same(&b.tree());
        tidy(&b, &Remote::at(world.path("r")));
        b.haul(verb).ok();
    }
}

#[test]
fn what_changes_a_part_of_a_folder_that_is_not_here_stops_while_it_fetches_and_completes() {
    let world = World::new();
    let a = others(&world);
    let verbs: [&[&str]; 4] = [
        &["mv", "data/val/y.bin", "data/val/z.bin"],
        &["rm", "data/val/y.bin"],
        &["untrack", "data/val/y.bin"],
        &["add", "data/val/new.bin"],
    ];
    for (number, verb) in verbs.iter().enumerate() {
        let b = a.clone_as(&format!("b{number}"));
        if verb[0] == "add" {
            b.write("data/val/new.bin", &data::bytes(9, 200_000));
        }
        if verb[0] == "untrack" {
            b.haul(&["pull"]).ok();
            b.remove(".git/haul");
        }
        let before = b.tree();
        stop(&b, verb, ("remote.get.after", SIGNALS[number % SIGNALS.len()]));
        before.assert_same(&b.tree());
        b.haul(verb).ok();
        b.commit("changed");
        b.haul(&["push"]).ok();
        b.haul(&["verify"]).ok();
    }
}

#[test]
fn what_writes_to_a_remote_stops_and_completes() {
    let world = World::new();
    let a = others(&world);
    let second = world.remote("second");
    a.haul(&["remote".as_ref(), "add".as_ref(), "second".as_ref(), second.as_arg()]).ok();
    a.haul(&["remote", "default", "r"]).ok();
    a.write("new.bin", &data::bytes(7, 3_000_000));
    let rows: [(&[&str], &str); 5] = [
        (&["add", "--push", "new.bin"], "stream.sent"),
        (&["push"], "push.before-record"),
        (&["remote", "test"], "remote.put.after"),
        (&["remote", "sync", "r", "second"], "sync.before-record"),
        (&["gc", "--yes"], "remote.list.after"),
    ];
    for (number, (verb, point)) in rows.into_iter().enumerate() {
        stop_and_complete(&a, verb, (point, SIGNALS[number % SIGNALS.len()]));
        a.haul(&["verify"]).ok();
    }
    let keys = world.remote("r").keys("");
    assert!(!keys.iter().any(|key| key.contains("probe-")), "{keys:?}");
    a.haul(&["verify", "--remote", "second"]).ok();
}

#[test]
fn what_changes_pointers_here_stops_before_the_first_of_them_and_completes() {
    let world = World::new();
    let a = others(&world);
    for name in ["n.bin", "o.bin", "m.bin"] {
        a.write(name, &data::bytes(name.len() as u64, 300_000));
    }
    let rows: [(&[&str], &str); 4] = [
        (&["add", "n.bin", "o.bin", "m.bin"], "fs.publish.written"),
        (&["rm", "n.bin"], "worktree.read"),
        (&["untrack", "o.bin"], "worktree.read"),
        (&["evict", "--all", "--yes"], "remote.list.after"),
    ];
    for (number, (verb, point)) in rows.into_iter().enumerate() {
        if verb[0] == "rm" {
            save(&a, &["data"], "more");
        }
        // Other times, so that it is read again.
        for name in ["n.bin", "o.bin", "m.bin"].iter().filter(|name| a.has(**name)) {
            a.write(name, &a.read(name));
        }
        let before = a.tree();
        stop(&a, verb, (point, SIGNALS[number % SIGNALS.len()]));
        before.assert_same(&a.tree());
        a.haul(verb).ok();
    }
}

#[test]
fn a_move_is_done_whole_though_a_signal_came_in_its_middle_and_a_conversion_completes() {
    let world = World::new();
    let a = others(&world);
    let content = a.read("model.bin");
    let mut moving = a.pause_haul(&["mv", "model.bin", "moved.bin"], "mv.before-rename");
    moving.interrupt(Signal::INT);
    moving.let_go().ok();
    assert!(a.read("moved.bin") == content);
    a.commit("moved");
    assert_clean(&a);
    stop_and_complete(&a, &["track", "moved.bin"], ("git.index.locked", Signal::TERM));
    assert!(a.read("moved.bin") == content);
    a.commit("converted");
    assert_clean(&a);
    a.haul(&["push"]).ok();
    a.haul(&["verify"]).ok();
}

#[test]
fn what_brings_data_of_others_stops_and_completes() {
    let world = World::new();
    let a = others(&world);
    let b = ours(&world);
    let from = url(&a);
    let rows: [(&[&str], &str); 3] = [
        (&["get", &from, "model.bin", "-o", "got.bin"], "remote.get.after"),
        (&["import", &from, "data/train", "train"], "place.built"),
        (&["update"], "place.built"),
    ];
    for (number, (verb, point)) in rows.into_iter().enumerate() {
        if verb[0] == "update" {
            go_on(&a);
        }
        let before = b.tree();
        stop(&b, verb, (point, SIGNALS[number % SIGNALS.len()]));
        before.assert_same(&b.tree());
        tidy(&b, &Remote::at(world.path("r")));
        b.haul(verb).ok();
    }
    b.tree_of("train").assert_same(&a.tree_of("data/train"));
}

#[test]
fn a_clone_that_stops_is_one_that_a_pull_completes_and_says_so() {
    let world = World::new();
    let a = others(&world);
    let any = world.folder("any");
    for (number, point) in ["remote.get.after", "place.built"].into_iter().enumerate() {
        let name = format!("b{number}");
        let mut clone = any.pause_haul(&["clone", &url(&a), &name], point);
        clone.interrupt(SIGNALS[number]);
        let next = format!("hint: run `haul -C {name} pull` to complete it");
        clone.let_go().fails_with(130).says("error: interrupted").says(&next);
        any.haul(&["-C", &name, "pull"]).ok();
        any.tree_of(format!("{name}/data")).assert_same(&a.tree_of("data"));
        assert_clean(&world.folder(&format!("any/{name}")));
    }
}

#[test]
fn every_verb_that_needs_the_index_stops_while_another_has_it() {
    let world = World::new();
    let a = others(&world);
    a.write("new.bin", &data::bytes(7, 300_000));
    let holder = a.pause_haul(&["push", "--all"], "remote.list.after");
    let verbs: [&[&str]; 17] = [
        &["status"],
        &["diff", "HEAD~1", "HEAD"],
        &["ls", "data"],
        &["du"],
        &["log"],
        &["cat", "HEAD:model.bin"],
        &["export", "HEAD:data", "out"],
        &["add", "new.bin"],
        &["rm", "data/val/y.bin"],
        &["push"],
        &["fetch"],
        &["pull"],
        &["checkout"],
        &["verify"],
        &["fsck"],
        &["gc"],
        &["evict", "--all"],
    ];
    for (number, verb) in verbs.iter().enumerate() {
        stop(&a, verb, ("repo.waiting", SIGNALS[number % SIGNALS.len()]));
    }
    holder.let_go().ok();
    assert_eq!(a.haul(&["status", "--porcelain"]).ok().stdout(), "");
}

#[test]
fn an_add_that_waits_for_gits_lock_stops_and_keeps_what_it_took_in() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    a.write("x.bin", &data::bytes(1, 300_000));
    a.write(".git/index.lock", b"");
    let mut add = a.pause_haul(&["add", "x.bin"], "git.index.waiting");
    add.interrupt(Signal::INT);
    // Nothing is in the way any more, but for the wish to stop.
    a.remove(".git/index.lock");
    add.let_go().fails_with(130).says("interrupted").says("hint: run the same command again");
    let staged = a.git(&["diff", "--cached", "--name-only"]).ok();
    assert!(!staged.stdout().contains("x.bin"), "{staged}");
    let again = a.haul(&["add", "x.bin"]).ok();
    again.says("added 1 file, 293.0 KiB: 0 B new");
    a.commit("x");
    assert_clean(&a);
}

#[test]
fn a_filter_that_waits_for_another_haul_stops_with_git() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    a.haul(&["track", "*.bin"]).ok();
    a.write("x.bin", &data::bytes(1, 100_000));
    a.git(&["add", "-A"]).ok();
    a.commit("x");
    a.remove("x.bin");
    let push = a.pause_haul(&["push"], "push.before-record");
    let mut checkout = a.pause_git(&["checkout", "--", "x.bin"], "repo.said");
    // As a terminal does it.
    checkout.interrupt_all(Signal::INT);
    checkout.let_go().dies().says("error: interrupted");
    assert!(!a.has(".git/index.lock"));
    push.let_go().ok();
    a.git(&["checkout", "--", "x.bin"]).ok();
    assert_eq!(a.read("x.bin"), data::bytes(1, 100_000));
}

/// Waits until somebody calls.
#[track_caller]
fn called(listener: &TcpListener, (line, by): (&str, &mut Child)) -> TcpStream {
    loop {
        match listener.accept() {
            Ok((stream, _)) => return stream,
            Err(_) if by.try_wait().expect("is a child").is_none() => {}
            Err(_) => {
                let mut said = String::new();
                let stderr = by.stderr.as_mut().expect("is a pipe");
                stderr.read_to_string(&mut said).expect("is text");
                panic!("nobody called: {line}: {said}");
            }
        }
        sleep(Duration::from_millis(2));
    }
}

#[test]
fn every_verb_that_asks_a_server_stops_while_that_is_silent() {
    let world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("finds a port");
    listener.set_nonblocking(true).expect("can be asked");
    let server = format!("http://{}", listener.local_addr().expect("has an address"));
    let a = ready(&world, "a", &world.remote("r"));
    a.write("x.bin", &data::bytes(1, 300_000));
    take(&a, "x.bin");
    a.haul(&["push"]).ok();
    let words = ["remote", "add", "silent", "s3://bucket/p", "--endpoint", &server, "--allow-http"];
    a.haul(&words).ok();
    let keys = [("AWS_ACCESS_KEY_ID", "k"), ("AWS_SECRET_ACCESS_KEY", "s"), ("NO_PROXY", "*")];
    let verbs: [&[&str]; 10] = [
        &["doctor"],
        &["push", "--remote", "silent"],
        &["fetch", "--remote", "silent", "--rev", "HEAD"],
        &["verify", "--remote", "silent"],
        &["fsck", "--remote", "silent"],
        &["gc", "--remote", "silent"],
        &["remote", "test", "silent"],
        &["remote", "index", "silent"],
        &["remote", "sync", "origin", "silent"],
        &["add", "--push", "y.bin"],
    ];
    a.haul(&["remote", "default", "silent"]).ok();
    a.git(&["add", "-A"]).ok();
    a.commit("silent");
    let b = a.clone_as("b");
    a.write("y.bin", &data::bytes(2, 300_000));
    for (number, verb) in verbs.iter().enumerate() {
        let place = if verb[0] == "fetch" { &b } else { &a };
        let mut running = place.start_haul_with(verb, &keys);
        let line = format!("haul {}", verb.join(" "));
        let silence = called(&listener, (&line, &mut running));
        let signal = SIGNALS[number % SIGNALS.len()];
        kill_process(Pid::from_child(&running), signal).expect("is running");
        Output::ended(line, running.wait_with_output().expect("ends"))
            .fails_with(130)
            .says("interrupted");
        drop(silence);
        while listener.accept().is_ok() {}
    }
}

#[test]
fn a_walk_over_a_tree_that_is_here_stops_between_two_files() {
    let world = World::new();
    let a = others(&world);
    let verbs: [&[&str]; 7] = [
        &["ls", "-r"],
        &["diff", "HEAD~2", "HEAD"],
        &["log"],
        &["checkout", "data"],
        &["export", "HEAD:data", "out"],
        &["ci", "key", "--exact"],
        &["status"],
    ];
    for (number, verb) in verbs.iter().enumerate() {
        // So that it is asked what stands there.
        a.write("data/val/y.bin", &data::bytes(2, 200_000));
        stop(&a, verb, ("cache.node.read", SIGNALS[number % SIGNALS.len()]));
        a.haul(verb).ok();
    }
    assert!(world.path("a/out/val/y.bin").is_file());
}

#[test]
fn a_long_listing_stops_in_the_middle() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    for n in 0..3_000 {
        a.write(format!("many/a-rather-long-name-of-a-file-{n:04}"), b"small");
    }
    take(&a, "many");
    // More than a pipe holds; nobody reads before the signal.
    let mut running = a.start_haul(&["ls", "-r", "many"]);
    let mut out = running.stdout.take().expect("is a pipe");
    let mut first = [0; 1];
    out.read_exact(&mut first).expect("prints");
    kill_process(Pid::from_child(&running), Signal::INT).expect("is running");
    let mut said = String::new();
    let stderr = running.stderr.as_mut().expect("is a pipe");
    let mut piece = [0; 1];
    while !said.contains("at once") {
        stderr.read_exact(&mut piece).expect("speaks");
        said.push(char::from(piece[0]));
    }
    let mut rest = Vec::new();
    out.read_to_end(&mut rest).expect("ends");
    let ended = running.wait_with_output().expect("ends");
    assert_eq!(ended.status.code(), Some(130));
    let lines = String::from_utf8_lossy(&rest).lines().count();
    assert!(lines < 3_000, "{lines}");
}
