//! `haul gc`: what it takes for needed, what it removes and when, and that nothing is ever lost by it.

use haul::catalogue::Object;

use crate::gc_scene::{DAY, History, Scene, age, fill, forget, gc, scene, state};
use crate::harness::{World, data};
use crate::push::{ready, take};

#[test]
fn the_plan_names_what_nobody_needs_and_why_and_removes_nothing() {
    let world = World::new();
    let Scene { remote, a, history } = scene(&world);
    let before = remote.keys("");
    let plan = gc(&a, &["--json"]).ok();
    let report = plan.json();
    assert_eq!(report["state"], "plan", "{plan}");
    assert!(
        report["victims"].as_array().is_some_and(|v| v.iter().all(|v| v["reason"] == "unneeded"))
    );
    let bytes = report["victim_bytes"].as_u64().expect("is counted");
    assert!((3_000_000..3_100_000).contains(&bytes), "{plan}");
    let text = gc(&a, &[]).ok();
    assert!(text.stdout().lines().all(|line| line.starts_with("unneeded\t")), "{text}");
    let mut after = remote.keys("");
    after.retain(|key| key != "gc/probe");
    assert_eq!(after, before, "a plan removes nothing");
    history.restores(&a, "b");
}

#[test]
fn what_was_condemned_is_removed_after_the_grace_time_and_every_commit_stays_whole() {
    let world = World::new();
    let Scene { remote, a, history } = scene(&world);
    let packs = remote.bytes("p/");
    let first = gc(&a, &["--yes", "--json"]).ok();
    assert_eq!(state(&first), "condemned", "{first}");
    assert_eq!(remote.bytes("p/"), packs);
    // What was pushed without a baseline can be covered by the second one only.
    let baselines: Vec<_> = remote
        .keys("i/b-")
        .iter()
        .map(|k| Object::parse(&remote.read(k)).expect("is one"))
        .collect();
    assert_eq!(baselines.iter().map(|b| b.generation).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(baselines.iter().map(|b| b.covers.len()).collect::<Vec<_>>(), [0, 3]);
    assert!(baselines[0].victims.is_empty() && !baselines[1].victims.is_empty());
    history.restores(&a, "b");
    let early = gc(&a, &["--yes", "--json"]).ok();
    assert_eq!((state(&early), remote.bytes("p/")), ("waiting".to_owned(), packs), "{early}");
    age(&remote, "i/b-", 2 * DAY);
    let second = gc(&a, &["--yes", "--json"]).ok();
    assert_eq!(state(&second), "removed", "{second}");
    assert!(remote.bytes("p/") + 2_900_000 < packs, "{second}");
    assert_eq!(remote.keys("i/u-"), Vec::<String>::new(), "the baseline stands for them\n{second}");
    assert_eq!(remote.keys("i/b-").len(), 1, "and for the one before it");
    assert_eq!(remote.keys("gc/"), ["gc/probe"]);
    history.restores(&a, "c");
    let third = gc(&a, &["--yes", "--json"]).ok();
    assert_eq!(state(&third), "nothing", "{third}");
    // And all goes on: what was taken back can be added and pushed again.
    a.write("big.bin", &data::bytes(3, 3_000_000));
    take(&a, "big.bin");
    a.haul(&["push"]).ok();
    a.haul(&["verify"]).ok();
    let d = a.clone_as("d");
    d.haul(&["pull"]).ok();
    d.tree().assert_same(&a.tree());
}

#[test]
fn what_was_pushed_lately_stays_whatever_git_says() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    a.write("x.bin", &data::bytes(1, 300_000));
    take(&a, "x.bin");
    a.haul(&["push"]).ok();
    a.git(&["rm", "--quiet", "--cached", "x.bin.haul"]).ok();
    a.git(&["commit", "--quiet", "--amend", "--allow-empty", "--message", "other"]).ok();
    a.remove("x.bin.haul");
    forget(&a);
    assert_eq!(state(&gc(&a, &["--yes", "--json"]).ok()), "nothing");
    // Packs without a push record, as a push that died leaves them, have the same time.
    for key in remote.keys("i/") {
        remote.remove(&key);
    }
    age(&remote, "", 13 * DAY);
    assert_eq!(state(&gc(&a, &["--json"]).ok()), "nothing");
    age(&remote, "", 2 * DAY);
    let plan = gc(&a, &["--json"]).ok();
    assert_eq!(plan.json()["victims"][0]["reason"], "orphan", "{plan}");
    assert_eq!(state(&gc(&a, &["--yes", "--grace", "0", "--json"]).ok()), "removed");
    assert_eq!(remote.keys("p/").len() + remote.keys("m/").len(), 0);
}

#[test]
fn stash_reflog_index_worktrees_and_the_git_remote_keep_content() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    a.haul(&["status"]).ok();
    a.commit_nothing();
    // Five contents, each pushed, each kept in one way only.
    let place = |name: &str, seed: u64| {
        a.write("x.bin", &data::bytes(seed, 300_000));
        a.haul(&["add", "x.bin"]).ok();
        a.haul(&["push"]).ok();
        let pointer = a.read("x.bin.haul");
        a.git(&["reset", "--quiet", "--hard"]).ok();
        a.write(name, &pointer);
    };
    place("stashed.haul", 1);
    a.git(&["add", "stashed.haul"]).ok();
    a.git(&["stash", "--quiet"]).ok();
    place("logged.haul", 2);
    a.git(&["add", "logged.haul"]).ok();
    a.commit("soon gone");
    a.git(&["reset", "--quiet", "--hard", "HEAD~1"]).ok();
    let upstream = a.clone_as("upstream");
    let c = upstream.clone_as("c");
    place("worktree.haul", 3);
    let pointer = a.read("worktree.haul");
    a.remove("worktree.haul");
    a.git(&["worktree", "add", "--quiet", "--detach", "../w"]).ok();
    let w = world.folder("w");
    w.write("worktree.haul", &pointer);
    // The fourth only in the Git remote, in a commit that this clone has never seen.
    a.git(&["remote", "add", "origin", upstream.path("").to_str().expect("is text")]).ok();
    place("theirs.haul", 5);
    let pointer = a.read("theirs.haul");
    a.remove("theirs.haul");
    c.write("theirs.haul", &pointer);
    c.git(&["add", "theirs.haul"]).ok();
    c.commit("theirs");
    c.git(&["push", "--quiet", "origin", "HEAD:refs/heads/theirs"]).ok();
    place("staged.haul", 4);
    a.git(&["add", "staged.haul"]).ok();
    age(&remote, "", 20 * DAY);
    let plan = gc(&a, &["--json"]).ok();
    assert_eq!(
        (state(&plan), plan.json()["roots"].as_u64()),
        ("nothing".to_owned(), Some(5)),
        "{plan}"
    );
    a.git(&["remote", "remove", "origin"]).ok();
    let plan = gc(&a, &["--json"]).fails_with(1);
    assert_eq!(state(&plan), "blocked", "it pushed under the address of its Git remote, too");
    let id = plan.json()["repositories"].as_array().expect("is a list").iter().find_map(|row| {
        (row["given"] == false).then(|| row["id"].as_str().expect("is text").to_owned())
    });
    let gone = id.expect("is not given");
    let plan = gc(&a, &["--json", "--gone", &gone]).ok();
    assert_eq!(plan.json()["roots"], 4, "{plan}");
    assert!(plan.json()["victim_bytes"].as_u64().is_some_and(|n| n > 300_000), "{plan}");
}

#[test]
fn every_registered_repository_has_to_be_given() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    let other = ready(&world, "other", &remote);
    fill(&a, &remote);
    other.write("z.bin", &data::bytes(9, 500_000));
    take(&other, "z.bin");
    other.haul(&["push"]).ok();
    age(&remote, "", 20 * DAY);
    let packs = remote.keys("p/");
    let plan = gc(&a, &["--yes", "--json"]).fails_with(1);
    assert_eq!((state(&plan), remote.keys("i/b-").len()), ("blocked".to_owned(), 0), "{plan}");
    gc(&a, &[]).fails_with(1).prints("not given\t").says("--repo");
    gc(&a, &["--repo", "../nowhere"]).fails_with(1).says("neither a folder nor a URL");
    assert_eq!(remote.keys("p/"), packs);
    let removed = gc(&a, &["--yes", "--grace", "0", "--repo", "../other", "--json"]).ok();
    assert_eq!(state(&removed), "removed");
    let clone = other.clone_as("other2");
    clone.haul(&["pull"]).ok();
    assert_eq!(clone.read("z.bin"), data::bytes(9, 500_000));
    // Its registration lost, its baseline and push records still speak of it.
    for key in remote.keys("repos/") {
        remote.remove(&key);
    }
    gc(&a, &["--yes"]).fails_with(1).prints("not given\t");
}

#[test]
fn a_shallow_repository_is_refused() {
    let world = World::new();
    let Scene { remote, a, .. } = scene(&world);
    let url = format!("file://{}", a.path("").display());
    a.git(&["clone", "--quiet", "--depth=1", &url, "../shallow"]).ok();
    let shallow = world.folder("shallow");
    gc(&shallow, &["--yes"]).fails_with(1).says("shallow").says("--unshallow");
    assert_eq!(remote.keys("i/b-").len(), 0);
}

#[test]
fn what_was_condemned_can_be_kept_until_it_is_removed() {
    let world = World::new();
    let Scene { remote, a, history } = scene(&world);
    gc(&a, &["undo"]).fails_with(1).says("no gc has condemned");
    gc(&a, &["--yes"]).ok();
    let packs = remote.keys("p/");
    a.haul(&["remote", "index"]).ok();
    let undone = gc(&a, &["undo", "--json"]).ok();
    assert!(undone.json()["bytes"].as_u64().is_some_and(|bytes| bytes > 3_000_000), "{undone}");
    let index = String::from_utf8(remote.read("index")).expect("is text");
    let unnamed = |key: &String| !index.contains(key.trim_start_matches("i/"));
    assert_eq!(remote.keys("i/").into_iter().find(unnamed), None, "all is in the index");
    age(&remote, "i/b-", 2 * DAY);
    gc(&a, &["--yes"]).ok();
    assert_eq!(remote.keys("p/"), packs, "all of it stays");
    history.restores(&a, "b");
    // Fourteen days later it is as before.
    age(&remote, "", 15 * DAY);
    gc(&a, &["--yes", "--grace", "0"]).ok();
    assert!(remote.keys("p/").len() < packs.len());
    history.restores(&a, "c");
}

#[test]
fn a_listing_that_fails_stops_gc() {
    let world = World::new();
    let Scene { remote, a, .. } = scene(&world);
    for folder in ["p", "m", "i", "repos"] {
        let (here, away) = (remote.path().join(folder), remote.path().join("away"));
        std::fs::rename(&here, &away).expect("renames");
        std::os::unix::fs::symlink(&away, &here).expect("makes a link");
        let failed = gc(&a, &["--yes"]);
        assert!(matches!(failed.status(), Some(3 | 4)), "{folder}: {failed}");
        std::fs::remove_file(&here).expect("removes the link");
        std::fs::rename(&away, &here).expect("renames");
    }
    assert_eq!(remote.keys("i/b-").len(), 0);
}

#[test]
fn rules_let_old_commits_go_and_keep_what_every_ref_holds_now() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    let mut history = History::default();
    for seed in 1..=3 {
        a.write("x.bin", &data::bytes(seed, 300_000));
        take(&a, "x.bin");
        a.haul(&["push"]).ok();
        if seed == 1 {
            a.git(&["tag", "v1"]).ok();
        }
        if seed != 2 {
            history.note(&a);
        }
    }
    age(&remote, "", 20 * DAY);
    assert_eq!(state(&gc(&a, &["--json"]).ok()), "nothing");
    let plan = gc(&a, &["--keep-last", "1", "--json"]).ok();
    assert_eq!(
        (plan.json()["roots"].as_u64(), state(&plan)),
        (Some(2), "plan".to_owned()),
        "{plan}"
    );
    assert_eq!(state(&gc(&a, &["--keep-last", "2", "--json"]).ok()), "nothing");
    assert_eq!(state(&gc(&a, &["--keep-since", "2001-01-01", "--json"]).ok()), "nothing");
    assert_eq!(state(&gc(&a, &["--ref", "main", "--json"]).ok()), "nothing");
    gc(&a, &["--keep-since", "yesterday"]).fails_with(2);
    assert_eq!(
        state(&gc(&a, &["--keep-last", "1", "--yes", "--grace", "0", "--json"]).ok()),
        "removed"
    );
    history.restores(&a, "b");
    a.haul(&["verify", "HEAD~1"]).fails_with(4);
}

#[test]
fn files_of_unfinished_writes_go_when_they_are_old() {
    let world = World::new();
    let Scene { remote, a, history } = scene(&world);
    let pack = remote.keys("p/").remove(0);
    remote.write(&format!("{pack}#1"), b"half a pack");
    remote.write("i/u-00000000-00000001-0123456789abcdef#7", b"half a record");
    age(&remote, "i/u-00000000-00000001-0123456789abcdef#", 20 * DAY);
    gc(&a, &["--yes", "--grace", "0"]).ok();
    assert_eq!(remote.keys("i/u-00000000-00000001-0123456789abcdef#").len(), 0);
    assert!(remote.keys("p/").contains(&format!("{pack}#1")), "a young one may be under way");
    age(&remote, &format!("{pack}#1"), 20 * DAY);
    let report = gc(&a, &["--yes", "--json"]).ok();
    assert_eq!(report.json()["removed"]["leftovers"], 1, "{report}");
    history.restores(&a, "b");
}

#[test]
fn files_of_others_who_use_the_same_folder_are_left_alone() {
    let world = World::new();
    let Scene { remote, a, .. } = scene(&world);
    let others = ["thesis/draft#12", "draft#1", "p/ab/draft#1", "repos/mine#2", "gc/log#3"];
    for name in others {
        let path = remote.path().join(name);
        std::fs::create_dir_all(path.parent().expect("has one")).expect("makes a folder");
        remote.write(name, b"precious");
        age(&remote, name, 20 * DAY);
    }
    let report = gc(&a, &["--yes", "--grace", "0", "--json"]).ok().json();
    assert_eq!(report["state"], "removed");
    assert_eq!(report["removed"]["leftovers"], 0, "{report}");
    for name in others {
        assert!(remote.path().join(name).exists(), "{name}");
    }
}
