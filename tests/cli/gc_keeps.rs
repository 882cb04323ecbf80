//! What gc takes for needed, and by whose clock: bases of differences, trees that must be what they
//! say, rules for old commits, and content that comes back to life in condemned packs.

use std::time::{Duration, SystemTime};

use haul::catalogue::{Object, SOURCE_CONDEMNED};

use crate::gc_scene::{DAY, History, Scene, age, edited, forget, gc, push_in_vain, scene, state};
use crate::harness::{Remote, World, data};
use crate::push::{ready, sent, take};

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
    let Scene { remote, a, history } = scene(&world);
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
    history.restores(&a, "b");
}

#[test]
fn a_live_root_that_lacks_a_pack_keeps_the_rest_and_one_that_lacks_a_tree_stops_gc() {
    let world = World::new();
    let Scene { remote, a, .. } = scene(&world);
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

#[test]
fn age_is_told_by_the_clock_of_the_storage() {
    let world = World::new();
    let Scene { remote, a, .. } = scene(&world);
    // All of it new again: by the clock of this machine nothing is old.
    let now = SystemTime::now();
    for key in remote.keys("") {
        let file = std::fs::File::options().append(true).open(remote.path().join(key));
        file.expect("is there").set_modified(now).expect("sets the time");
    }
    assert_eq!(state(&gc(&a, &["--json"]).ok()), "nothing");
    // A storage whose clock is 20 days ahead says so of what gc writes to learn the time.
    let planning = a.pause_haul(&["gc", "--json"], "remote.put.after");
    let probe = remote.path().join("gc/probe");
    let file = std::fs::File::options().append(true).open(probe).expect("is there");
    file.set_modified(now + Duration::from_secs(20 * 24 * 60 * 60)).expect("sets the time");
    assert_eq!(state(&planning.let_go().ok()), "plan");
}

#[test]
fn rules_by_date_and_by_ref_let_go_what_no_rule_names() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    let mut history = History::default();
    for (seed, date) in [(1, "2020-06-01"), (2, "2021-06-01"), (3, "2022-06-01")] {
        a.write("x.bin", &data::bytes(seed, 300_000));
        take(&a, "x.bin");
        let date = format!("GIT_COMMITTER_DATE={date}T00:00:00Z");
        let amend = ["git", "commit", "--quiet", "--amend", "--no-edit"];
        a.run("env", &[&[date.as_str()][..], &amend].concat()).ok();
        a.haul(&["push"]).ok();
        if seed == 1 {
            a.git(&["tag", "v1"]).ok();
        }
        history.note(&a);
    }
    forget(&a);
    age(&remote, "", 20 * DAY);
    let roots = |rules: &[&str]| {
        let plan = gc(&a, &[rules, &["--json"]].concat()).ok();
        (state(&plan), plan.json().get("roots").and_then(serde_json::Value::as_u64))
    };
    assert_eq!(roots(&[]), ("nothing".to_owned(), Some(3)));
    // The tag holds the first commit, the branch the third.
    assert_eq!(roots(&["--keep-since", "2022-01-01"]), ("plan".to_owned(), Some(2)));
    assert_eq!(roots(&["--keep-since", "2021-01-01"]), ("nothing".to_owned(), Some(3)));
    assert_eq!(roots(&["--ref", "v*"]), ("plan".to_owned(), Some(2)));
    assert_eq!(roots(&["--ref", "v*", "--ref", "main"]), ("nothing".to_owned(), Some(3)));
    a.git(&["tag", "--delete", "v1"]).ok();
    assert_eq!(roots(&["--keep-since", "2022-01-01"]), ("plan".to_owned(), Some(1)));
    let all = ["--keep-since", "2021-01-01", "--yes", "--grace", "0", "--json"];
    assert_eq!(state(&gc(&a, &all).ok()), "removed");
    a.haul(&["verify", "HEAD~2"]).fails_with(4);
    a.haul(&["verify", "HEAD~1"]).ok();
    a.haul(&["verify"]).ok();
}

/// A tree in a pack that stays, of which a part lies in a pack that is condemned: found by readers, but
/// no push may rely on it.
#[test]
fn what_came_back_to_life_in_condemned_packs_is_sent_again_by_the_next_push() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    a.commit_nothing();
    a.write("d/x.bin", &data::bytes(1, 400_000));
    take(&a, "d");
    a.haul(&["push"]).ok();
    a.write("d/z.bin", &data::bytes(2, 400_000));
    take(&a, "d");
    a.haul(&["push"]).ok();
    let both = a.git(&["rev-parse", "HEAD"]).ok().stdout().trim().to_owned();
    a.remove("d/x.bin");
    take(&a, "d");
    a.haul(&["push"]).ok();
    a.git(&["reset", "--quiet", "--soft", "HEAD~3"]).ok();
    a.commit("only the second file");
    forget(&a);
    push_in_vain(&a, &remote, 5);
    assert_eq!(state(&gc(&a, &["--yes", "--json"]).ok()), "condemned");
    a.git(&["branch", "back", &both]).ok();
    // It goes on living in condemned packs, and the next gc says so.
    gc(&a, &["--yes", "--grace", "0"]).ok();
    push_in_vain(&a, &remote, 6);
    let states = || state(&gc(&a, &["--yes", "--json", "--grace", "7d"]).ok());
    assert!((0..3).any(|_| states() == "condemned"));
    let newest = remote.keys("i/b-").pop().expect("is one");
    let baseline = Object::parse(&remote.read(&newest)).expect("is sound");
    assert!(baseline.locs.iter().any(|loc| loc.source == SOURCE_CONDEMNED), "{newest}");
    let mut history = History::default();
    a.git(&["checkout", "--quiet", "back"]).ok();
    a.haul(&["checkout"]).ok();
    history.note(&a);
    history.restores(&a, "b");
    assert!(sent(&a.haul(&["push", "--json"]).ok()) > 0, "a push does not rely on it");
    history.restores(&a, "c");
}

/// A push may send a pack again under the name that gc deleted, and a gc that slept would delete it again.
#[test]
fn a_later_baseline_condemns_what_is_gone_as_well() {
    let world = World::new();
    let Scene { remote, a, history } = scene(&world);
    let victims = || {
        let newest = remote.keys("i/b-").pop().expect("is one");
        Object::parse(&remote.read(&newest)).expect("is sound").victims
    };
    assert_eq!(state(&gc(&a, &["--yes", "--grace", "0", "--json"]).ok()), "removed");
    let gone = victims();
    assert!(!gone.is_empty());
    assert!(
        gone.iter().all(|pack| !remote.keys("").iter().any(|k| k.ends_with(&pack.to_string())))
    );
    push_in_vain(&a, &remote, 5);
    assert!((0..3).any(|_| state(&gc(&a, &["--yes", "--json"]).ok()) == "condemned"));
    let all = victims();
    assert!(all.len() > gone.len() && gone.iter().all(|pack| all.contains(pack)));
    history.restores(&a, "b");
}

#[test]
fn a_root_of_one_chunk_that_only_a_push_record_names_is_told_where_its_pack_was_cut_short() {
    let world = World::new();
    let Scene { remote, a, .. } = scene(&world);
    let before = remote.keys("p/");
    // Somebody else's, of a branch that is not here: only the push record names it.
    a.write("small.bin", &data::bytes(77, 5000));
    take(&a, "small.bin");
    a.haul(&["push"]).ok();
    a.git(&["reset", "--quiet", "--hard", "HEAD~1"]).ok();
    a.remove("small.bin");
    forget(&a);
    let pack = remote.keys("p/").into_iter().find(|key| !before.contains(key)).expect("was sent");
    gc(&a, &["--json"]).ok();
    let whole = remote.read(&pack);
    remote.write(&pack, &whole[..whole.len() / 2]);
    let name = pack.rsplit('/').next().expect("has a name");
    gc(&a, &[]).fails_with(4).prints("incomplete\t").prints(name);
    gc(&a, &["--yes", "--grace", "0"]);
    assert_eq!(remote.bytes(&pack), (whole.len() / 2) as u64, "what is left of it stays");
    remote.write(&pack, &whole);
    gc(&a, &["--json"]).ok();
}
