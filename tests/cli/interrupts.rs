//! Ctrl-C and termination in the middle of a verb: exit code 130, nothing half-written, and the
//! same command completes. For `add` see `hard_times.rs`.

use rustix::process::{Pid, Signal, kill_process};

use crate::harness::{Output, Remote, Repo, World, data};
use crate::push::{ready, take};
use crate::scene::pulls;

/// Stops a verb at a crash point.
#[track_caller]
pub(crate) fn stop(repo: &Repo, arguments: &[&str], (point, signal): (&str, Signal)) -> Output {
    let mut running = repo.pause_haul(arguments, point);
    running.interrupt(signal);
    let ended = running.let_go().fails_with(130);
    ended.says("interrupted").says("hint: run the same command again")
}

/// Requires that no temporary file is left, in the worktree, in the state or on the remote.
#[track_caller]
pub(crate) fn tidy(repo: &Repo, remote: &Remote) {
    let everything = Remote::at(repo.path("")).keys("");
    let stray = |name: &&String| name.contains(".haul-tmp") || name.contains("haul/tmp/");
    let left: Vec<&String> = everything.iter().filter(stray).collect();
    assert!(left.is_empty(), "{left:?}");
    let keys = remote.keys("");
    assert!(!keys.iter().any(|key| key.contains(['#', '~', '_'])), "{keys:?}");
}

fn pushed<'a>(world: &'a World, remote: &Remote) -> Repo<'a> {
    let a = ready(world, "a", remote);
    for file in 0..5 {
        a.write(format!("d/{file}"), &data::bytes(file, 700_000));
    }
    take(&a, "d");
    a.haul(&["push"]).ok();
    a
}

#[test]
fn a_push_stops_clean_and_completes() {
    for point in [("remote.put.before", Signal::INT), ("push.before-record", Signal::TERM)] {
        let world = World::new();
        let remote = world.remote("r");
        let a = ready(&world, "a", &remote);
        a.write("d/x", &data::bytes(1, 3_000_000));
        take(&a, "d");
        stop(&a, &["push"], point);
        tidy(&a, &remote);
        a.haul(&["push"]).ok();
        a.haul(&["verify"]).ok();
        pulls(&a, "b");
    }
}

#[test]
fn a_command_that_waits_for_another_stops_at_once() {
    let world = World::new();
    let a = pushed(&world, &world.remote("r"));
    for name in ["d/5", "d/6"] {
        a.write(name, name.as_bytes());
    }
    let first = a.pause_haul(&["add", "d/5"], "index.after-commit");
    for verb in [
        &["add", "d/6"][..],
        &["rm", "d/0"],
        &["mv", "d/0", "d/7"],
        &["checkout"],
        &["untrack", "d"],
        &["track", "x.bin"],
    ] {
        stop(&a, verb, ("repo.waiting", Signal::INT));
    }
    first.let_go().ok();
    a.haul(&["add", "d/6"]).ok();
    a.haul(&["status"]).ok().says("no path differs");
}

#[test]
fn a_push_that_stops_while_a_pack_is_on_its_way_leaves_no_piece_of_it() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    a.write("x.bin", &data::bytes(1, 60 << 20));
    take(&a, "x.bin");
    let push = a.start_haul(&["push"]);
    let on_its_way = |key: &String| key.contains('#');
    let mut seen = false;
    while !seen && remote.keys("i/").is_empty() {
        seen = remote.keys("p/").iter().any(on_its_way);
    }
    kill_process(Pid::from_child(&push), Signal::INT).expect("is not waited for yet");
    let output = push.wait_with_output().expect("ends");
    assert!(matches!(output.status.code(), Some(130 | 0)), "{output:?}");
    tidy(&a, &remote);
    a.haul(&["push"]).ok();
    a.haul(&["verify"]).ok();
}

#[test]
fn a_fetch_stops_clean_and_completes() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    let b = a.clone_as("b");
    let before = b.tree();
    for signal in [Signal::INT, Signal::TERM] {
        stop(&b, &["fetch"], ("fs.sparse.write", signal));
        tidy(&b, &remote);
        before.assert_same(&b.tree());
    }
    b.haul(&["fetch"]).ok();
    b.haul(&["checkout"]).ok();
    b.tree().assert_same(&a.tree());
}

#[test]
fn a_pull_and_a_checkout_stop_clean_and_complete() {
    for (prepare, verb) in [(None, "pull"), (Some("fetch"), "checkout")] {
        let world = World::new();
        let remote = world.remote("r");
        let a = pushed(&world, &remote);
        let b = a.clone_as("b");
        if let Some(verb) = prepare {
            b.haul(&[verb]).ok();
        }
        for signal in [Signal::INT, Signal::TERM] {
            stop(&b, &[verb], ("place.built", signal));
            tidy(&b, &remote);
            for file in (0..5).map(|file| format!("d/{file}")).filter(|file| b.has(file)) {
                assert!(b.read(&file) == a.read(&file), "`{file}` is half-written");
            }
        }
        b.haul(&[verb]).ok();
        b.tree().assert_same(&a.tree());
        b.haul(&["status", "--exit-code"]).ok();
    }
}

#[test]
fn a_status_stops_also_in_the_middle_of_a_file() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    a.write("d/0", &data::bytes(0, 700_000));
    for signal in [Signal::INT, Signal::TERM] {
        let output = stop(&a, &["status"], ("worktree.read", signal));
        assert_eq!(output.stdout(), "");
    }
    a.haul(&["status", "--exit-code"]).ok();
}

#[test]
fn a_verify_stops_and_says_nothing_of_completeness() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    for signal in [Signal::INT, Signal::TERM] {
        let output = stop(&a, &["verify"], ("remote.list.after", signal));
        assert_eq!(output.stdout(), "");
    }
    a.haul(&["verify"]).ok();
}

#[test]
fn an_interruption_is_an_event_among_events() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    let flags = ["verify", "--json", "--progress", "json"];
    let output = stop(&a, &flags, ("remote.list.after", Signal::INT));
    assert_eq!(output.json()["error"]["exit"], 130);
    for line in output.stderr().lines() {
        let event: serde_json::Value = serde_json::from_str(line).expect("is an event");
        assert!(event["event"] == "note" || event["event"] == "error", "{line}");
    }
}

#[test]
fn ctrl_c_that_also_reaches_git_is_an_interruption_and_no_failure_of_git() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    a.write("x.bin", b"x");
    // A terminal signals both. The one between gives `haul` the time to take notice.
    let git = "#!/bin/sh\nPATH=$USERS_PATH\ncase \" $* \" in *' --pathspec-from-file'*)\n\
         kill -INT $PPID; sleep 5; kill -INT $$;; esac\nexec git \"$@\"\n";
    let bin = world.folder("bin");
    bin.script("git", git);
    let users = std::env::var("PATH").expect("is set");
    let path = format!("{}:{users}", bin.path("").display());
    let variables = [("PATH", path.as_str()), ("USERS_PATH", users.as_str())];
    let ended = a.haul_with(&["add", "x.bin"], &variables).fails_with(130);
    ended.says("interrupted").says("hint: run the same command again");
    a.haul(&["add", "x.bin"]).ok();
    a.git(&["diff", "--cached", "--name-only"]).ok().prints("x.bin.haul");
}
