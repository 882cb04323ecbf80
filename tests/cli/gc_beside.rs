//! gc beside pushes and other gcs, and gc that dies: each of them completes when it is run again, and
//! nothing that anybody names is ever lost.

use haul::catalogue::{Object, ObjectKind};

use crate::gc::{DAY, History, age, forget, gc, gc_with, scene, state};
use crate::harness::{Paused, Remote, Repo, World, data};
use crate::push::{ready, take};

/// Starts a command with gc allowed to act, and waits until it stands at a crash point.
fn pause(repo: &Repo, arguments: &[&str], point: &str) -> Paused {
    repo.pause_haul_with(arguments, point, &[("HAUL_GC_ACTS", "1")])
}

const NOW: [&str; 4] = ["gc", "--yes", "--grace", "0"];

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
        let remote = world.remote("r");
        let a = ready(&world, "a", &remote);
        let history = scene(&a, &remote);
        let before = remote.bytes("p/");
        gc_with(&a, &["--yes", "--grace", "0"], point).dies();
        history.restores("b");
        let mut last = String::new();
        for _ in 0..3 {
            last = state(&gc(&a, &["--yes", "--grace", "0", "--json"]).ok());
        }
        assert_eq!(last, "nothing", "{point}");
        assert!(remote.bytes("p/") + 2_900_000 < before, "{point}");
        history.restores("c");
        age(&remote, "", DAY);
        gc(&a, &["--yes", "--grace", "0", "--json"]).ok();
        assert_eq!((remote.keys("i/b-").len(), remote.keys("i/u-").len()), (1, 0), "{point}");
        history.restores("d");
    }
}

#[test]
fn an_undo_that_dies_is_repeated() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    scene(&a, &remote);
    gc(&a, &["--yes"]).ok();
    let packs = remote.keys("p/");
    gc_with(&a, &["undo"], "gc.undone").dies();
    gc(&a, &["undo"]).ok();
    gc(&a, &["--yes", "--grace", "0"]).ok();
    assert_eq!(remote.keys("p/"), packs);
    // One that comes while packs are being removed says that it may be too late.
    age(&remote, "i/u-", 15 * DAY);
    let removing = pause(&a, &NOW, "gc.before-remove");
    let b = a.clone_as("b");
    gc(&b, &["undo"]).fails_with(1).says("removing meanwhile");
    removing.let_go().ok();
}

/// Adds again what was taken back, on a machine that has it no more, and commits it.
fn bring_back(a: &Repo) {
    a.write("big.bin", &data::bytes(3, 3_000_000));
    take(a, "big.bin");
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
        let remote = world.remote("r");
        let a = ready(&world, "a", &remote);
        let mut history = scene(&a, &remote);
        bring_back(&a);
        let push = a.pause_haul(&["push"], point);
        let grace = if remove_first { "0" } else { "1h" };
        unknowing_gc(&world, &a, grace);
        push.let_go().ok();
        if !remove_first {
            age(&remote, "i/b-", DAY);
            unknowing_gc(&world, &a, grace);
        }
        history.note();
        a.haul(&["verify"]).ok();
        history.restores("b");
    }
}

#[test]
fn a_push_that_slept_for_weeks_and_ends_beside_a_gc_is_found_afterwards() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    a.commit_nothing();
    let upstream = a.clone_as("upstream");
    let url = upstream.path("").to_str().expect("is text").to_owned();
    let b = upstream.clone_as("b");
    b.git(&["remote", "set-url", "origin", &url]).ok();
    a.git(&["remote", "add", "origin", &url]).ok();
    let mut history = scene(&a, &remote);
    a.git(&["push", "--quiet", "origin", "HEAD:refs/heads/theirs"]).ok();
    a.write("new.bin", &data::bytes(7, 300_000));
    take(&a, "new.bin");
    history.note();
    let push = a.pause_haul(&["push"], "push.after-record");
    age(&remote, "", 20 * DAY);
    let collecting = pause(&b, &["gc", "--yes"], "gc.before-baseline");
    push.let_go().ok();
    a.git(&["push", "--quiet", "origin", "HEAD:refs/heads/theirs"]).ok();
    collecting.let_go().ok();
    history.restores("c");
}

#[test]
fn a_push_that_died_before_it_looked_proves_nothing_to_others() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    let mut history = scene(&a, &remote);
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
    history.note();
    let clone = b.clone_as("c");
    clone.haul(&["pull"]).ok();
    clone.tree().assert_same(&b.tree());
}

#[test]
fn of_two_gcs_at_once_none_removes_what_is_needed_and_a_later_one_completes_the_work() {
    for point in ["gc.before-baseline", "gc.after-baseline", "gc.removing", "gc.before-remove"] {
        let world = World::new();
        let remote = world.remote("r");
        let a = ready(&world, "a", &remote);
        let history = scene(&a, &remote);
        let b = a.clone_as("b");
        let first = pause(&a, &NOW, point);
        let second = gc(&b, &["--yes", "--grace", "0", "--repo", "../a", "--json"]);
        assert!(state(&second) != "blocked" && matches!(second.status(), Some(0 | 1)), "{second}");
        history.restores("c");
        let first = first.let_go();
        assert!(matches!(first.status(), Some(0 | 1)), "{point}: {first}");
        history.restores("d");
        let again = || state(&gc(&a, &["--yes", "--grace", "0", "--json"]).ok());
        let states: Vec<String> = (0..4).map(|_| again()).collect();
        assert_eq!(states.last().map(String::as_str), Some("nothing"), "{point}: {states:?}");
        history.restores("e");
        age(&remote, "", DAY);
        gc(&b, &["--yes", "--grace", "0", "--repo", "../a"]).ok();
        assert_eq!(remote.keys("i/b-").len(), 1, "{point}");
        history.restores("f");
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
    let mut history = History::of(&a);
    history.note();
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
    history.restores("b");
}

#[test]
fn a_clone_with_old_trees_in_its_cache_finds_content_where_it_was_sent_again() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    let history = scene(&a, &remote);
    let b = a.clone_as("b");
    b.haul(&["fetch"]).ok();
    b.remove(".git/haul/parts");
    b.remove(".git/haul/index.redb");
    gc(&a, &["--yes", "--grace", "0"]).ok();
    b.haul(&["pull"]).ok();
    b.tree().assert_same(&a.tree());
    history.restores("c");
}

/// A table, or that with a row changed in each of its chunks: every one of them is a difference.
fn edited(version: u64) -> Vec<u8> {
    let rows = (0..version).flat_map(|_| (0..20_000).step_by(500));
    rows.fold(data::csv(1, 20_000), |table, row| data::edit_csv(&table, 2, row..row + 1))
}

#[test]
fn the_bases_of_differences_stay_although_no_commit_names_their_version() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    a.write("t.csv", &edited(0));
    take(&a, "t.csv");
    a.haul(&["push"]).ok();
    a.write("t.csv", &edited(1));
    a.haul(&["add", "t.csv"]).ok();
    let pushed = a.haul(&["push", "--json"]).ok();
    assert!(pushed.json()["delta_bytes"].as_u64().is_some_and(|n| n > 0), "{pushed}");
    a.git(&["commit", "--quiet", "--amend", "--message", "the only one"]).ok();
    forget(&a);
    age(&remote, "", 20 * DAY);
    for _ in 0..2 {
        gc(&a, &["--yes", "--grace", "0"]).ok();
    }
    a.haul(&["verify"]).ok();
    let b = a.clone_as("b");
    b.haul(&["pull"]).ok();
    assert_eq!(b.read("t.csv"), edited(1));
}

#[test]
fn a_tree_that_was_changed_in_the_cache_does_not_decide_what_is_removed() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    let history = scene(&a, &remote);
    let cache = Remote::at(a.path(".git/haul/packs"));
    let mut flipped = 0;
    for key in remote.keys("m/").into_iter().map(|key| key.replacen("m/", "", 1)) {
        let good = cache.read(&key);
        // Behind the header of the pack, within its frames.
        for at in (24..good.len().saturating_sub(100)).step_by(29) {
            cache.flip(&key, at);
            let before = remote.keys("p/");
            let planned = gc(&a, &["--json"]);
            let right = planned.status() == Some(0)
                && planned.json()["victim_bytes"]
                    .as_u64()
                    .is_some_and(|n| (3_000_000..3_100_000).contains(&n));
            assert!(right || planned.status() == Some(4), "{key} at {at}: {planned}");
            flipped += 1;
            assert_eq!(remote.keys("p/"), before);
            a.write(format!(".git/haul/packs/{key}"), &good);
            if a.has(".git/haul/index.redb") {
                a.remove(".git/haul/index.redb");
            }
        }
    }
    assert!(flipped > 10, "{flipped}");
    history.restores("b");
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
    let mut history = History::of(&a);
    history.note();
    age(&remote, "", 20 * DAY);
    gc(&a, &["--yes", "--grace", "0"]).ok();
    assert!(remote.bytes("p/") > 3_000_000, "the table lies in the same pack");
    gc(&a, &[]).ok().says("`--repack` would free another");
    age(&remote, "", DAY);
    gc(&a, &["--yes", "--grace", "0"]).ok();
    for point in ["push.before-record", "push.after-record", "gc.after-baseline", "gc.removed-one"]
    {
        gc_with(&a, &["--yes", "--repack", "--grace", "0"], point).dies();
        history.restores("b");
    }
    for _ in 0..2 {
        gc(&a, &["--yes", "--repack", "--grace", "0"]).ok();
    }
    assert!(remote.bytes("p/") < 500_000, "{} bytes are left", remote.bytes("p/"));
    history.restores("c");
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
        let remote = world.remote("r");
        let a = ready(&world, "a", &remote);
        let mut history = scene(&a, &remote);
        bring_back(&a);
        history.note();
        let commit = a.git(&["rev-parse", "HEAD"]).ok().stdout().trim().to_owned();
        a.git(&["reset", "--quiet", "--hard", "HEAD~1"]).ok();
        forget(&a);
        let removing = pause(&a, &NOW, "gc.removing");
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
        history.restores("c");
    }
}

#[test]
fn a_live_root_that_lacks_a_pack_keeps_the_rest_and_one_that_lacks_a_tree_stops_gc() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    scene(&a, &remote);
    let plan = gc(&a, &["--json"]).ok();
    let victims = plan.json().get("victims").cloned().expect("is a list");
    let victim = |key: &String| {
        let name = key.rsplit('/').next().expect("has a name");
        victims
            .as_array()
            .is_some_and(|all| all.iter().any(|v| v.get("pack").is_some_and(|p| p == name)))
    };
    let lost = remote.keys("p/").into_iter().find(|key| !victim(key)).expect("is needed");
    let bytes = remote.read(&lost);
    remote.remove(&lost);
    let lacking = gc(&a, &["--json"]).fails_with(4).json();
    assert_eq!(lacking.get("victims"), Some(&victims), "nothing else becomes a victim");
    gc(&a, &[])
        .fails_with(4)
        .prints("incomplete\t")
        .prints(lost.rsplit('/').next().expect("is one"));
    remote.write(&lost, &bytes);
    age(&remote, &lost, 20 * DAY);
    gc(&a, &["--json"]).ok();
    // Whoever has no copy of a tree cannot tell what it needs.
    let lost = remote.keys("m/").into_iter().find(|key| !victim(key)).expect("is needed");
    remote.remove(&lost);
    a.remove(".git/haul/packs");
    a.remove(".git/haul/index.redb");
    gc(&a, &["--yes"]).fails_with(4).says(lost.rsplit('/').next().expect("is one"));
    assert_eq!(remote.keys("i/b-").len(), 0);
}
