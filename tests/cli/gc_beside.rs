//! gc beside pushes and other gcs, and gc that dies: each of them completes when it is run again, and
//! nothing that anybody names is ever lost.

use haul::catalogue::{Object, ObjectKind};
use rustix::process::Signal;

use crate::gc_scene::{
    DAY, History, NOW, Scene, age, bring_back, edited, fill, forget, gc, gc_with, scene, share,
    state,
};
use crate::harness::{Repo, World, data};
use crate::interrupts::{stop, tidy};
use crate::push::{ready, take};

#[test]
fn gc_that_dies_at_any_point_completes_when_it_is_run_again() {
    for point in [
        "gc.before-baseline",
        "gc.after-baseline",
        "gc.removing",
        "gc.before-remove",
        "gc.removed-one:1",
        "gc.removed-one:2",
        "gc.removed-packs",
        "remote.list.after:2",
        "remote.list.after:4",
        "remote.list.after:6",
        "remote.put.before:1",
        "remote.put.after:1",
        "remote.put.before:2",
        "remote.put.after:2",
        "remote.put.after:3",
    ] {
        let world = World::new();
        let Scene { remote, a, history } = scene(&world);
        let before = remote.bytes("p/");
        gc_with(&a, &["--yes", "--grace", "0"], point).dies();
        history.restores(&a, "b");
        let mut last = String::new();
        for _ in 0..3 {
            last = state(&gc(&a, &["--yes", "--grace", "0", "--json"]).ok());
        }
        assert_eq!(last, "nothing", "{point}");
        assert!(remote.bytes("p/") + 2_900_000 < before, "{point}");
        history.restores(&a, "c");
        age(&remote, "", DAY);
        gc(&a, &["--yes", "--grace", "0", "--json"]).ok();
        assert_eq!((remote.keys("i/b-").len(), remote.keys("i/u-").len()), (1, 0), "{point}");
        history.restores(&a, "d");
    }
}

#[test]
fn gc_that_is_stopped_while_it_removes_completes_when_it_is_run_again() {
    for (point, signal) in [
        ("gc.before-baseline", Signal::INT),
        ("gc.after-baseline", Signal::TERM),
        ("gc.removing", Signal::HUP),
        ("gc.before-remove", Signal::INT),
        ("gc.removed-one", Signal::TERM),
    ] {
        let world = World::new();
        let Scene { remote, a, history } = scene(&world);
        let before = remote.bytes("p/");
        stop(&a, &NOW, (point, signal));
        tidy(&a, &remote);
        history.restores(&a, "b");
        let again = || state(&gc(&a, &["--yes", "--grace", "0", "--json"]).ok());
        let states: Vec<String> = (0..3).map(|_| again()).collect();
        assert_eq!(states.last().map(String::as_str), Some("nothing"), "{point}: {states:?}");
        assert!(remote.bytes("p/") + 2_900_000 < before, "{point}");
        history.restores(&a, "c");
    }
}

#[test]
fn an_undo_that_dies_is_repeated() {
    let world = World::new();
    let Scene { remote, a, .. } = scene(&world);
    gc(&a, &["--yes"]).ok();
    let packs = remote.keys("p/");
    gc_with(&a, &["undo"], "gc.undone").dies();
    gc(&a, &["undo"]).ok();
    gc(&a, &["--yes", "--grace", "0"]).ok();
    assert_eq!(remote.keys("p/"), packs);
    // One that comes while packs are being removed says that it may be too late.
    age(&remote, "i/u-", 15 * DAY);
    let removing = a.pause_haul(&NOW, "gc.before-remove");
    let b = a.clone_as("b");
    gc(&b, &["undo"]).fails_with(1).says("removing meanwhile");
    removing.let_go().ok();
}

#[test]
fn a_gc_that_ends_does_not_hide_another_that_still_removes() {
    let world = World::new();
    let Scene { remote, a, .. } = scene(&world);
    gc(&a, &["--yes"]).ok();
    age(&remote, "i/b-", DAY);
    let removing = a.pause_haul(&NOW, "gc.before-remove");
    let b = a.clone_as("b");
    let place = a.path("");
    gc(&b, &["--yes", "--grace", "0", "--repo", place.to_str().expect("is UTF-8")]).ok();
    assert_eq!(remote.keys("gc/lease").len(), 1, "its own lease is gone");
    gc(&b, &["undo"]).fails_with(1).says("removing meanwhile");
    removing.let_go().ok();
    assert!(remote.keys("gc/lease").is_empty());
}

/// Runs gc on another machine, whose Git does not know of the newest commit.
fn unknowing_gc(world: &World, a: &Repo, grace: &str) {
    let other = world.folder("other");
    if !other.has(".git") {
        a.git(&["clone", "--quiet", ".", "../other"]).ok();
        other.git(&["reset", "--quiet", "--hard", "HEAD~1"]).ok();
        forget(&other);
        other.git(&["remote", "remove", "origin"]).ok();
    }
    let report = gc(&other, &["--json"]).json();
    let mut arguments = vec!["--yes".to_owned(), "--grace".to_owned(), grace.to_owned()];
    let rows = report.get("repositories").and_then(|rows| rows.as_array()).expect("is a list");
    for id in rows.iter().filter_map(|row| row.get("id")?.as_str()) {
        arguments.extend(["--gone".to_owned(), id.to_owned()]);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    gc(&other, &arguments).ok();
}

#[test]
fn a_push_that_relies_on_what_a_gc_condemns_meanwhile_sends_it_again() {
    for (point, remove_first) in [
        ("push.before-record", true),
        ("push.before-record", false),
        ("push.after-record", true),
        ("push.after-record", false),
    ] {
        let world = World::new();
        let Scene { remote, a, mut history } = scene(&world);
        bring_back(&a);
        let push = a.pause_haul(&["push"], point);
        let grace = if remove_first { "0" } else { "1h" };
        unknowing_gc(&world, &a, grace);
        push.let_go().ok();
        if !remove_first {
            age(&remote, "i/b-", DAY);
            unknowing_gc(&world, &a, grace);
        }
        history.note(&a);
        a.haul(&["verify"]).ok();
        history.restores(&a, "b");
    }
}

#[test]
fn a_push_that_slept_for_weeks_and_ends_beside_a_gc_is_found_afterwards() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    let [b] = share(&a, ["b"]);
    let mut history = fill(&a, &remote);
    a.git(&["push", "--quiet", "origin", "HEAD:refs/heads/theirs"]).ok();
    a.write("new.bin", &data::bytes(7, 300_000));
    take(&a, "new.bin");
    history.note(&a);
    let push = a.pause_haul(&["push"], "push.after-record");
    age(&remote, "", 20 * DAY);
    let collecting = b.pause_haul(&["gc", "--yes"], "gc.before-baseline");
    push.let_go().ok();
    a.git(&["push", "--quiet", "origin", "HEAD:refs/heads/theirs"]).ok();
    collecting.let_go().ok();
    history.restores(&a, "c");
}

#[test]
fn a_push_that_died_before_it_looked_proves_nothing_to_others() {
    let world = World::new();
    let Scene { remote, a, mut history } = scene(&world);
    let b = a.clone_as("b");
    b.haul(&["pull"]).ok();
    // Mostly what was taken back, which only the first of them still knows to be there.
    for repo in [&a, &b] {
        repo.write("new.bin", &[data::bytes(3, 3_000_000), data::bytes(5, 200_000)].concat());
        take(repo, "new.bin");
    }
    // A gc has read everything and is about to remove; then a push relies on what it will remove, and
    // dies before it sees the baseline.
    let push = a.pause_haul(&["push"], "push.before-record");
    unknowing_gc(&world, &a, "0");
    let before = remote.keys("i/u-");
    push.let_go().ok();
    let mut new = remote.keys("i/u-");
    new.retain(|key| !before.contains(key));
    // The first of its records is the one that it wrote without having seen the baseline.
    let stale = Object::parse(&remote.read(&new.remove(0))).expect("is sound");
    assert_eq!((stale.kind, stale.generation), (ObjectKind::PushRecord, 0));
    assert!(!new.is_empty());
    // As if it had died then: what it did after that is not there.
    for key in new {
        for pack in Object::parse(&remote.read(&key)).expect("is sound").packs {
            remote.remove(&haul::catalogue::key::pack(pack.kind, pack.pack));
        }
        remote.remove(&key);
    }
    b.haul(&["push"]).ok();
    b.haul(&["verify"]).ok();
    history.note(&a);
    let clone = b.clone_as("c");
    clone.haul(&["pull"]).ok();
    clone.tree().assert_same(&b.tree());
}

#[test]
fn of_two_gcs_at_once_none_removes_what_is_needed_and_a_later_one_completes_the_work() {
    for point in ["gc.before-baseline", "gc.after-baseline", "gc.removing", "gc.before-remove"] {
        let world = World::new();
        let Scene { remote, a, history } = scene(&world);
        let b = a.clone_as("b");
        let first = a.pause_haul(&NOW, point);
        let second = gc(&b, &["--yes", "--grace", "0", "--repo", "../a", "--json"]);
        assert!(state(&second) != "blocked" && matches!(second.status(), Some(0 | 1)), "{second}");
        history.restores(&a, "c");
        let first = first.let_go();
        assert!(matches!(first.status(), Some(0 | 1)), "{point}: {first}");
        history.restores(&a, "d");
        let again = || state(&gc(&a, &["--yes", "--grace", "0", "--json"]).ok());
        let states: Vec<String> = (0..4).map(|_| again()).collect();
        assert_eq!(states.last().map(String::as_str), Some("nothing"), "{point}: {states:?}");
        history.restores(&a, "e");
        age(&remote, "", DAY);
        gc(&b, &["--yes", "--grace", "0", "--repo", "../a"]).ok();
        assert_eq!(remote.keys("i/b-").len(), 1, "{point}");
        history.restores(&a, "f");
    }
}

#[test]
fn a_branch_that_comes_back_before_the_removal_keeps_its_content() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    a.write("x.bin", &data::bytes(1, 300_000));
    take(&a, "x.bin");
    a.haul(&["push"]).ok();
    a.write("x.bin", &data::bytes(2, 300_000));
    take(&a, "x.bin");
    a.haul(&["push"]).ok();
    let mut history = History::default();
    history.note(&a);
    let commit = a.git(&["rev-parse", "HEAD"]).ok().stdout().trim().to_owned();
    a.git(&["reset", "--quiet", "--hard", "HEAD~1"]).ok();
    forget(&a);
    age(&remote, "", 20 * DAY);
    assert_eq!(state(&gc(&a, &["--yes", "--json"]).ok()), "condemned");
    a.git(&["branch", "back", &commit]).ok();
    age(&remote, "i/b-", 2 * DAY);
    let removed = gc(&a, &["--yes", "--json"]).ok();
    assert_eq!(removed.json()["removed"]["packs"], 0, "{removed}");
    assert_eq!(removed.json()["removed"]["revived"], 1, "{removed}");
    history.restores(&a, "b");
}

#[test]
fn a_clone_with_old_trees_in_its_cache_finds_content_where_it_was_sent_again() {
    let world = World::new();
    let Scene { a, history, .. } = scene(&world);
    let b = a.clone_as("b");
    b.haul(&["fetch"]).ok();
    b.remove(".git/haul/parts");
    b.remove(".git/haul/index.redb");
    gc(&a, &["--yes", "--grace", "0"]).ok();
    b.haul(&["pull"]).ok();
    b.tree().assert_same(&a.tree());
    history.restores(&a, "c");
}

#[test]
fn a_repack_moves_what_is_needed_with_its_bases_and_the_rest_can_go() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    // One pack with a table, whose next version is a difference to it, and much that is taken back.
    a.write("d/t.csv", &edited(0));
    a.write("d/big.bin", &data::bytes(1, 3_000_000));
    take(&a, "d");
    a.haul(&["push"]).ok();
    a.write("d/t.csv", &edited(1));
    a.remove("d/big.bin");
    a.haul(&["add", "d"]).ok();
    let pushed = a.haul(&["push", "--json"]).ok();
    assert!(pushed.json()["delta_bytes"].as_u64().is_some_and(|n| n > 0), "{pushed}");
    a.git(&["commit", "--quiet", "--amend", "--message", "the only one"]).ok();
    forget(&a);
    let mut history = History::default();
    history.note(&a);
    age(&remote, "", 20 * DAY);
    gc(&a, &["--yes", "--grace", "0"]).ok();
    assert!(remote.bytes("p/") > 3_000_000, "the table lies in the same pack");
    gc(&a, &[]).ok().says("`--repack` would free another");
    age(&remote, "", DAY);
    gc(&a, &["--yes", "--grace", "0"]).ok();
    for point in ["push.before-record", "push.after-record", "gc.after-baseline", "gc.removed-one"]
    {
        gc_with(&a, &["--yes", "--repack", "--grace", "0"], point).dies();
        history.restores(&a, "b");
    }
    for _ in 0..2 {
        gc(&a, &["--yes", "--repack", "--grace", "0"]).ok();
    }
    assert!(remote.bytes("p/") < 500_000, "{} bytes are left", remote.bytes("p/"));
    history.restores(&a, "c");
    // Whoever has the old trees finds the new places.
    a.remove("d/t.csv");
    a.remove(".git/haul/packs");
    a.remove(".git/haul/index.redb");
    a.haul(&["pull"]).ok();
    assert_eq!(a.read("d/t.csv"), edited(1));
}

#[test]
fn what_comes_back_while_gc_is_about_to_remove_it_stays() {
    for by in ["a branch", "an undo"] {
        let world = World::new();
        let Scene { remote, a, mut history } = scene(&world);
        bring_back(&a);
        history.note(&a);
        let commit = a.git(&["rev-parse", "HEAD"]).ok().stdout().trim().to_owned();
        a.git(&["reset", "--quiet", "--hard", "HEAD~1"]).ok();
        forget(&a);
        let removing = a.pause_haul(&NOW, "gc.removing");
        let packs = remote.keys("p/");
        if by == "a branch" {
            a.git(&["branch", "back", &commit]).ok();
        } else {
            // It cannot know that it came in time.
            gc(&a.clone_as("b"), &["undo"]).fails_with(1).says("removing meanwhile");
            a.git(&["branch", "back", &commit]).ok();
        }
        removing.let_go().ok();
        assert_eq!(remote.keys("p/"), packs, "{by}");
        history.restores(&a, "c");
    }
}

#[test]
fn a_push_that_a_gc_passes_by_ends_with_a_record_of_the_new_generation() {
    let world = World::new();
    let Scene { remote, a, mut history } = scene(&world);
    a.write("new.bin", &data::bytes(7, 300_000));
    take(&a, "new.bin");
    history.note(&a);
    let push = a.pause_haul(&["push"], "push.after-record");
    unknowing_gc(&world, &a, "1h");
    let packs = remote.keys("p/");
    push.let_go().ok();
    let generation = |prefix: &str| {
        let newest = remote.keys(prefix).pop().expect("is one");
        Object::parse(&remote.read(&newest)).expect("is sound").generation
    };
    assert!(generation("i/b-") > 0);
    assert_eq!(generation("i/u-"), generation("i/b-"));
    assert_eq!(
        remote.keys("p/"),
        packs,
        "what it had sent was not condemned, and is not sent again"
    );
    history.restores(&a, "b");
}
