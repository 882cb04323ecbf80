//! Commands that meet in one repository: the later one waits, says so, stops when it is asked to, and
//! goes on from what the earlier one wrote.

use rustix::process::Signal;

use crate::harness::{Repo, World, data};
use crate::push::{ready, take};
use crate::scene::{assert_clean, save, shared};

/// What a command says that waits for another.
const WORDS: &str = "waiting for it (Ctrl-C stops)";

/// A repository with `x.bin` tracked and pushed, and `y.bin` that is to be added.
fn waiting<'a>(world: &'a World, name: &str) -> Repo<'a> {
    let a = ready(world, name, &world.remote("r"));
    a.write("x.bin", &data::bytes(1, 100_000));
    take(&a, "x.bin");
    a.haul(&["push"]).ok();
    a.write("y.bin", &data::bytes(2, 100_000));
    a
}

/// A repository where `x` is of the branch `main`, and another version of it is of `two`.
fn two_versions(world: &World) -> Repo<'_> {
    let a = shared(world);
    a.write("x", &data::bytes(1, 1000));
    save(&a, &["x"], "first");
    a.git(&["checkout", "--quiet", "-b", "two"]).ok();
    a.write("x", &data::bytes(2, 1000));
    save(&a, &["x"], "second");
    a.git(&["checkout", "--quiet", "main"]).ok();
    a.haul(&["checkout"]).ok();
    a
}

#[test]
fn data_that_is_added_while_a_git_hook_begins_is_not_overwritten() {
    let world = World::new();
    let a = two_versions(&world);
    let mut hook = a.pause_git_hooked(&["checkout", "--quiet", "two"], "follow.begin");
    a.write("x", &data::bytes(3, 1000));
    let add = a.pause_haul(&["add", "x"], "index.after-commit");
    hook.go_on();
    hook.hear(WORDS, 1);
    add.let_go().ok();
    let hook = hook.let_go().ok();
    assert!(a.read("x") == data::bytes(3, 1000), "{hook}");
    a.git(&["commit", "--quiet", "-a", "-m", "third"]).ok();
    assert_clean(&a);
}

#[test]
fn a_git_hook_that_is_stopped_while_it_waits_says_how_data_follows() {
    let world = World::new();
    let a = two_versions(&world);
    a.git(&["checkout", "--quiet", "two"]).ok();
    a.write("y", b"y");
    let add = a.pause_haul(&["add", "y"], "index.after-commit");
    let words = ["hook", "post-checkout", "main", "two", "1"];
    for point in ["repo.waiting", "repo.said"] {
        let mut hook = a.pause_haul_with(&words, point, &[("HAUL_SKIP", "0")]);
        hook.interrupt(Signal::TERM);
        hook.let_go().ok().says("data did not follow: interrupted; `haul checkout` brings it");
    }
    add.let_go().ok();
    a.haul(&["checkout"]).ok();
    assert!(a.read("x") == data::bytes(2, 1000));
}

#[test]
fn every_verb_that_waits_for_the_index_can_be_stopped() {
    let world = World::new();
    let a = waiting(&world, "a");
    let add = a.pause_haul(&["add", "y.bin"], "index.after-commit");
    for verb in
        ["status", "push", "pull", "fetch", "fsck", "gc", "verify", "du", "diff", "ls", "evict"]
    {
        for signal in [Signal::INT, Signal::TERM] {
            let mut waits = a.pause_haul(&[verb], "repo.waiting");
            waits.interrupt(signal);
            waits.let_go().fails_with(130).says("interrupted").says("run the same command again");
        }
    }
    add.let_go().ok();
    a.haul(&["push"]).ok();
    a.haul(&["verify"]).ok();
}

#[test]
fn a_command_that_waits_says_so_once_and_completes() {
    let world = World::new();
    let a = waiting(&world, "a");
    a.write("z.bin", b"z");
    let add = a.pause_haul(&["add", "y.bin"], "index.after-commit");
    let place = a.path("").canonicalize().expect("is there");
    let said = format!("another haul is at work in `{}`; {WORDS}", place.display());
    let waits: Vec<_> = [&["status"][..], &["push"], &["add", "z.bin"]]
        .iter()
        .map(|verb| a.pause_haul(verb, "repo.said"))
        .collect();
    add.let_go().ok();
    for mut waits in waits {
        waits.hear(&said, 1);
        let ended = waits.let_go().ok();
        assert_eq!(ended.stderr().matches(WORDS).count(), 1, "{ended}");
    }
    assert!(a.has("z.bin.haul"));
}

#[test]
fn an_import_keeps_nobody_waiting_while_it_fetches() {
    let world = World::new();
    let a = waiting(&world, "a");
    a.git(&["add", "-A", "."]).ok();
    a.commit("data");
    let from = a.path("").display().to_string();
    let b = world.repo("b");
    b.haul(&["init"]).ok();
    let accepted = [("HAUL_ACCEPT_REMOTE", from.as_str())];
    for (name, other) in [("theirs", "other"), ("mine", "mine")] {
        let words = ["import", &from, "x.bin", name];
        let import = b.pause_haul_with(&words, "fs.sparse.write", &accepted);
        b.write(other, b"mine");
        b.pause_haul(&["add", other], "index.after-commit").let_go().ok();
        let import = import.let_go();
        match name {
            "mine" => import.fails_with(1).says("`mine` is tracked already"),
            _ => import.ok(),
        };
    }
    assert_eq!(b.read("mine"), b"mine");
    assert_clean(&a);
}

#[test]
fn an_update_keeps_nobody_waiting_while_it_fetches() {
    let world = World::new();
    let a = waiting(&world, "a");
    a.git(&["add", "-A", "."]).ok();
    a.commit("data");
    let from = a.path("").display().to_string();
    let b = world.repo("b");
    b.haul(&["init"]).ok();
    let accepted = [("HAUL_ACCEPT_REMOTE", from.as_str())];
    b.haul_with(&["import", &from, "x.bin", "theirs"], &accepted).ok();
    a.write("x.bin", &data::bytes(3, 100_000));
    take(&a, "x.bin");
    a.haul(&["push"]).ok();
    let beside = |words: &[&str], point: &str, other: &str, bytes: &[u8]| {
        let update = b.pause_haul_with(words, point, &accepted);
        b.write(other, bytes);
        b.pause_haul(&["add", other], "index.after-commit").let_go().ok();
        update.let_go()
    };
    beside(&["update", "--dry-run"], "remote.list.after", "plan", b"mine").ok();
    let refused = beside(&["update"], "fs.sparse.write", "theirs", b"mine").fails_with(1);
    refused.says("`theirs` from").says("its pointer was changed meanwhile");
    assert_eq!(b.read("theirs"), b"mine");
    b.haul(&["rm", "--force", "theirs"]).ok();
    b.haul_with(&["import", &from, "x.bin", "theirs"], &accepted).ok();
    a.write("x.bin", &data::bytes(4, 100_000));
    take(&a, "x.bin");
    a.haul(&["push"]).ok();
    beside(&["update"], "fs.sparse.write", "other", b"mine").ok();
    assert_eq!(b.read("theirs"), data::bytes(4, 100_000));
}

#[test]
fn an_add_and_a_commit_whose_hook_waits_for_it_both_end_well() {
    let world = World::new();
    let a = shared(&world);
    a.write("x.bin", &data::bytes(1, 1000));
    save(&a, &["x.bin"], "data");
    a.write("x.bin", &data::bytes(2, 1000));
    a.write("plain", b"1");
    a.git(&["add", "plain"]).ok();
    a.commit("plain");
    a.write("plain", b"2");
    let mut add = a.pause_haul(&["add", "x.bin"], "index.after-commit");
    // Git holds the lock of its index while the hook runs, and `add` is to stage its pointer.
    let commit = a.pause_git_hooked(&["commit", "--quiet", "-a", "-m", "both"], "repo.waiting");
    assert!(a.has(".git/index.lock"));
    add.go_on();
    commit.let_go().ok();
    add.let_go().ok();
    a.git(&["commit", "--quiet", "-m", "pointer"]).ok();
    assert_clean(&a);
}
