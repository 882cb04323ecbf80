//! `haul evict`, and what the cache keeps by itself: room is freed, and nothing is lost by that.

use std::time::{Duration, SystemTime};

use crate::deltas::{table, version, weights};
use crate::gc_scene::{fill, gc};
use crate::harness::{Remote, Repo, World, data};
use crate::push::{ready, take};
use crate::scene::{assert_clean, number};

const BIG: usize = 600_000;

/// A repository with one pushed file of incompressible bytes.
fn pushed<'a>(world: &'a World, remote: &Remote) -> Repo<'a> {
    let a = ready(world, "a", remote);
    a.write("x.bin", &data::bytes(1, BIG));
    take(&a, "x.bin");
    a.haul(&["push"]).ok();
    a
}

/// Adds and pushes one more file, and so one more pack.
fn push_one(a: &Repo, name: &str, seed: u64) {
    a.write(name, &data::bytes(seed, BIG));
    take(a, name);
    a.haul(&["push"]).ok();
}

/// What lies in the cache of its own.
fn cached(repo: &Repo, form: &str) -> Remote {
    Remote::at(repo.path(".git/haul").join(form))
}

/// The large packs in the cache, which are those of content.
fn content(repo: &Repo) -> Vec<String> {
    let packs = cached(repo, "packs");
    packs.keys("").into_iter().filter(|key| packs.bytes(key) > BIG as u64 / 2).collect()
}

#[test]
fn evict_shows_what_would_go_and_with_yes_it_goes_and_comes_back() {
    let world = World::new();
    let a = pushed(&world, &world.remote("r"));
    let plan = a.haul(&["evict", "--all", "--json"]).ok();
    assert_eq!(number(&plan, "/packs"), 1);
    assert!(number(&plan, "/bytes") > BIG as u64, "{plan}");
    assert_eq!(plan.json()["dry_run"], true);
    a.haul(&["evict", "--all"]).ok().says("would evict 1 pack");
    assert_eq!(content(&a).len(), 1, "a plan changes nothing");
    let done = a.haul(&["evict", "--all", "--yes", "--json"]).ok();
    assert_eq!(number(&done, "/packs"), 1, "{done}");
    assert_eq!(content(&a), Vec::<String>::new());
    assert_eq!(cached(&a, "packs").keys("").len(), 1, "its tree stays");
    assert_clean(&a);
    a.haul(&["evict", "--all", "--yes"]).ok().says("evicted 0 packs");
    // Known content need not be stored again, and what is gone comes back from the remote.
    a.haul(&["add", "x.bin"]).ok().says("nothing changed");
    a.remove("x.bin");
    a.haul(&["checkout"]).says("haul pull");
    a.haul(&["pull"]).ok();
    assert_eq!(a.read("x.bin"), data::bytes(1, BIG));
}

#[test]
fn what_is_not_pushed_is_never_evicted() {
    let world = World::new();
    let a = pushed(&world, &world.remote("r"));
    a.write("y.bin", &data::bytes(2, BIG));
    take(&a, "y.bin");
    let before = cached(&a, "unpushed").keys("");
    let plan = a.haul(&["evict", "--all", "--json"]).ok();
    assert_eq!(number(&plan, "/unpushed_packs"), before.len() as u64, "{plan}");
    for arguments in [&["--all"][..], &["--max-size", "0"], &["y.bin"], &["--rev", "HEAD"], &[]] {
        a.haul_with(
            &[&["evict", "--yes"], arguments].concat(),
            &[("HAUL_CACHE_KEEP", "unpushed"), ("HAUL_CACHE_MAX_SIZE", "0")],
        )
        .ok();
        assert_eq!(cached(&a, "unpushed").keys(""), before, "{arguments:?}");
    }
    a.remove("y.bin");
    a.haul(&["checkout"]).ok();
    assert_eq!(a.read("y.bin"), data::bytes(2, BIG));
}

#[test]
fn a_pack_that_the_remote_does_not_have_as_it_should_stays_and_is_named() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    let key = remote.keys("p/").remove(0);
    let good = remote.read(&key);
    let name = key.rsplit('/').next().expect("has a name");
    for (damage, why) in [(None, "not on the remote"), (Some(&good[1..]), "another size")] {
        match damage {
            None => remote.remove(&key),
            Some(bytes) => remote.write(&key, bytes),
        }
        let evict = a.haul(&["evict", "--all", "--yes"]).fails_with(1);
        evict.prints(name).prints(why).says("1 pack kept");
        assert_eq!(content(&a).len(), 1);
    }
    remote.write(&key, &good);
    for record in remote.keys("i/") {
        remote.remove(&record);
    }
    a.haul(&["evict", "--all", "--yes"]).fails_with(1).prints("does not list it");
    assert_eq!(content(&a).len(), 1);
}

#[test]
fn nothing_goes_while_the_remote_cannot_be_asked() {
    let world = World::new();
    let a = pushed(&world, &world.remote("r"));
    std::fs::rename(world.path("r"), world.path("away")).expect("renames");
    a.haul(&["evict", "--all"]).ok();
    a.haul(&["evict", "--all", "--yes"]).fails_with(3);
    assert_eq!(content(&a).len(), 1);
    // By itself it is a warning: the verb did its work.
    a.remove("x.bin");
    a.haul_with(&["checkout"], &[("HAUL_CACHE_KEEP", "unpushed")]).ok().says("nothing was evicted");
    assert_eq!(a.read("x.bin"), data::bytes(1, BIG));
    assert_eq!(content(&a).len(), 1);
}

#[test]
fn a_path_takes_its_own_packs_and_leaves_those_that_other_paths_need() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    push_one(&a, "y.bin", 2);
    // In one pack with a file that stays.
    a.write("d/own.bin", &data::bytes(3, BIG));
    a.write("e/other.bin", &data::bytes(4, BIG));
    a.haul(&["add", "d", "e"]).ok();
    a.commit("two");
    a.haul(&["push"]).ok();
    let plan = a.haul(&["evict", "x.bin", "d", "--json"]).ok();
    assert_eq!(number(&plan, "/paths/1/packs"), 1, "{plan}");
    assert_eq!(number(&plan, "/paths/0/packs"), 0, "its pack is needed by `e`\n{plan}");
    a.haul(&["evict", "x.bin", "d"]).ok().prints("x.bin").says("would evict 1 pack");
    a.haul(&["evict", "x.bin", "d", "--yes"]).ok().says("evicted 1 pack");
    assert_eq!(content(&a).len(), 2);
    for name in ["y.bin", "e/other.bin"] {
        a.remove(name);
    }
    a.haul(&["checkout"]).ok();
    a.haul(&["evict", "nothing.bin"]).fails_with(1);
}

#[test]
fn of_an_older_revision_only_goes_what_the_worktree_does_not_need() {
    let world = World::new();
    let a = pushed(&world, &world.remote("r"));
    push_one(&a, "y.bin", 2);
    a.git(&["tag", "v1"]).ok();
    push_one(&a, "x.bin", 9);
    assert_eq!(content(&a).len(), 3);
    a.haul(&["evict", "--rev", "v1", "--yes"]).ok().says("evicted 1 pack");
    for name in ["x.bin", "y.bin"] {
        a.remove(name);
    }
    a.haul(&["checkout"]).ok();
    assert_eq!(a.read("x.bin"), data::bytes(9, BIG));
    a.haul(&["pull", "--rev", "v1"]).ok();
    assert_eq!(a.read("x.bin"), data::bytes(1, BIG));
}

/// Makes a pack of the cache look as if it was used that many hours ago.
fn used(packs: &Remote, key: &str, hours: u64) {
    let file = std::fs::File::open(packs.path().join(key)).expect("is there");
    let time = SystemTime::now() - Duration::from_secs(3600 * hours);
    file.set_modified(time).expect("sets its time");
}

#[test]
fn what_was_used_longest_ago_goes_first_and_reading_counts_as_use() {
    let world = World::new();
    let a = pushed(&world, &world.remote("r"));
    let first = content(&a).remove(0);
    push_one(&a, "y.bin", 2);
    push_one(&a, "z.bin", 3);
    let packs = cached(&a, "packs");
    for (hours, key) in content(&a).iter().enumerate() {
        used(&packs, key, 2 + hours as u64);
    }
    used(&packs, &first, 9);
    // Reading it makes it the youngest.
    a.remove("x.bin");
    a.haul(&["checkout"]).ok();
    a.haul(&["evict", "--max-size", "700K", "--yes"]).ok().says("evicted 2 packs");
    assert_eq!(content(&a), [first]);
}

#[test]
fn a_push_keeps_the_cache_to_its_size_and_asks_nobody_while_it_fits() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    let budget = [("HAUL_CACHE_MAX_SIZE", "1400K")];
    let mut pushes = Vec::new();
    for (seed, name) in ["x.bin", "y.bin", "z.bin", "w.bin"].iter().enumerate() {
        a.write(name, &data::bytes(seed as u64, BIG));
        take(&a, name);
        pushes.push(a.haul_with(&["push"], &budget).ok());
    }
    assert!(!pushes[1].stderr().contains("evicted"), "{}", pushes[1]);
    assert!(pushes[2].stderr().contains("evicted"), "{}", pushes[2]);
    let held = cached(&a, "packs").bytes("");
    assert!(held <= 1400 << 10, "{held}");
    assert!(held > BIG as u64, "what was pushed last stays");
    for name in ["x.bin", "y.bin", "z.bin", "w.bin"] {
        a.remove(name);
    }
    a.haul_with(&["pull"], &budget).ok();
    assert_clean(&a);
    let b = a.clone_as("b");
    b.haul_with(&["pull"], &budget).ok();
    let left = number(&b.haul_with(&["evict", "--json"], &budget).ok(), "/cache_bytes");
    assert!(left <= 1400 << 10, "{left}");
    b.tree().assert_same(&a.tree());
}

#[test]
fn what_a_fetch_brought_stays_until_it_is_checked_out() {
    let world = World::new();
    let a = pushed(&world, &world.remote("r"));
    let b = a.clone_as("b");
    let variables = [("HAUL_CACHE_MAX_SIZE", "10K"), ("HAUL_CACHE_KEEP", "unpushed")];
    b.haul_with(&["fetch"], &variables).ok();
    assert_eq!(cached(&b, "parts").keys("").len(), 2, "content, and its tree");
    b.haul_with(&["checkout"], &variables).ok();
    assert_eq!(b.read("x.bin"), data::bytes(1, BIG));
    assert_eq!(cached(&b, "parts").keys("").len(), 1, "its tree");
}

#[test]
fn a_cache_that_keeps_what_is_unpushed_has_one_copy_after_push_and_pull() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    let keep = [("HAUL_CACHE_KEEP", "unpushed")];
    a.write("d/x.bin", &data::bytes(1, BIG));
    a.write("d/y.bin", &data::bytes(2, BIG));
    take(&a, "d");
    assert!(cached(&a, "unpushed").bytes("") > 2 * BIG as u64);
    a.haul_with(&["push"], &keep).ok();
    assert_eq!(cached(&a, "unpushed").keys(""), Vec::<String>::new());
    assert_eq!(content(&a), Vec::<String>::new());
    assert_ne!(cached(&a, "packs").keys("").len(), 0, "trees stay");
    assert_clean(&a);
    a.write("d/y.bin", b"changed");
    take(&a, "d");
    a.haul_with(&["push"], &keep).ok();
    let b = a.clone_as("b");
    b.haul_with(&["pull"], &keep).ok();
    b.tree().assert_same(&a.tree());
    let left = number(&b.haul(&["evict", "--json"]).ok(), "/cache_bytes");
    assert!(left < 20_000, "{left}");
}

#[test]
fn what_hangs_on_an_evicted_base_is_fetched_whole_again() {
    let world = World::new();
    for (name, old, new) in [("t.csv", table(1), table(2)), ("w.bin", weights(0), weights(1))] {
        let remote = world.remote(&format!("remote-{name}"));
        let a = ready(&world, &format!("a-{name}"), &remote);
        let bases = version(&a, &remote, name, &old);
        version(&a, &remote, name, &new);
        assert_eq!(bases.len(), 1);
        let base = bases[0].strip_prefix("p/").expect("is a data pack");
        let packs = cached(&a, "packs");
        used(&packs, base, 9);
        let bytes = packs.bytes("") - 1;
        a.haul(&["evict", "--yes", "--max-size", &bytes.to_string()]).ok();
        assert!(!packs.path().join(base).exists(), "the base is gone");
        a.remove(name);
        a.haul(&["checkout"]).says("haul pull");
        a.haul(&["pull"]).ok();
        assert_eq!(a.read(name), new);
        a.haul(&["evict", "--yes", "--all"]).ok();
        a.remove(name);
        a.haul(&["pull"]).ok();
        assert_eq!(a.read(name), new);
        let b = a.clone_as(&format!("b-{name}"));
        b.haul(&["pull"]).ok();
        b.haul(&["evict", "--yes", "--max-size", "0"]).ok();
        b.remove(name);
        b.haul(&["pull"]).ok();
        assert_eq!(b.read(name), new);
    }
}

#[test]
fn packs_that_were_deleted_by_hand_are_fetched_by_the_very_next_pull() {
    let world = World::new();
    let a = pushed(&world, &world.remote("r"));
    a.write("d/y.bin", &data::bytes(2, 3 * BIG));
    take(&a, "d");
    a.haul(&["push"]).ok();
    let b = a.clone_as("b");
    b.haul(&["pull"]).ok();
    for (repo, form) in [(&a, "packs"), (&b, "parts")] {
        for form in [form, "parts"] {
            repo.remove(format!(".git/haul/{form}"));
            repo.remove("x.bin");
            repo.remove("d");
            repo.haul(&["pull"]).ok();
            assert_eq!(repo.read("x.bin"), data::bytes(1, BIG));
            assert_eq!(repo.read("d/y.bin"), data::bytes(2, 3 * BIG));
        }
        repo.remove(".git/haul/parts");
        repo.remove("x.bin");
        // Checkout asks no remote: it says what is missing, and does not call it damaged.
        repo.haul(&["checkout"]).fails_with(1).says("haul pull");
        repo.haul(&["fetch"]).ok();
        repo.haul(&["checkout"]).ok();
        assert_clean(repo);
    }
}

#[test]
fn evicted_content_can_be_added_pushed_and_verified_as_before() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    a.haul(&["evict", "--yes", "--max-size", "0"]).ok();
    a.write("copy.bin", &data::bytes(1, BIG));
    take(&a, "copy.bin");
    let report = a.haul(&["push", "--json"]).ok();
    assert_eq!(number(&report, "/packs"), 0, "the remote has it\n{report}");
    a.haul(&["verify"]).ok();
    let b = a.clone_as("b");
    b.haul(&["pull"]).ok();
    b.tree().assert_same(&a.tree());
}

#[test]
fn a_crash_in_an_eviction_loses_nothing() {
    let world = World::new();
    for point in ["index.before-commit", "index.after-commit", "evict.removed"] {
        for hit in 1..=2 {
            let name = format!("{point}-{hit}");
            let a = ready(&world, &name, &world.remote(&format!("r-{name}")));
            a.write("x.bin", &data::bytes(1, BIG));
            a.write("d/y.bin", &data::bytes(2, 3 * BIG));
            a.haul(&["add", "x.bin", "d"]).ok();
            a.commit("data");
            a.haul(&["push"]).ok();
            let armed = format!("{point}:{hit}");
            let evict = ["evict", "--yes", "--max-size", "0"];
            a.haul_with(&evict, &[("HAUL_FAILPOINT", &armed)]).dies();
            a.haul(&evict).ok();
            a.remove("x.bin");
            a.remove("d");
            a.haul(&["pull"]).ok();
            assert_clean(&a);
            assert_eq!(a.read("d/y.bin"), data::bytes(2, 3 * BIG));
        }
    }
}

#[test]
fn what_gc_has_condemned_counts_as_not_on_the_remote() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    fill(&a, &remote);
    gc(&a, &["--yes"]).ok();
    let evict = a.haul(&["evict", "--all", "--yes"]).fails_with(1);
    evict.prints("gc of the remote has given it up");
    let of_big = |key: &String| cached(&a, "packs").bytes(key) > 2_900_000;
    assert!(cached(&a, "packs").keys("").iter().any(of_big), "{:?}", content(&a));
}
