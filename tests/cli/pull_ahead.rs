//! A pull builds a large file while the rest of it arrives, and gives it its name once all is here.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::harness::{Remote, Repo, World, data};
use crate::interrupts::tidy;
use crate::push::{ready, take};

/// Three packs.
const SIZE: usize = 150 << 20;
/// What one of them has is here by then, and others are not.
const MIDDLE: &str = "remote.get.after:14";

/// A repository whose remote has a large file in a folder, and a clone of it without content.
fn scene<'w>(world: &'w World, remote: &Remote) -> (Repo<'w>, Repo<'w>) {
    let a = ready(world, "a", remote);
    a.write("in/deep/x.bin", &data::bytes(1, SIZE));
    a.write("in/small", b"small");
    take(&a, "in");
    a.haul(&["push"]).ok();
    let b = a.clone_as("b");
    (a, b)
}

/// Returns the bytes of files at the root that have no name yet.
fn built(repo: &Repo) -> u64 {
    let entries = fs::read_dir(repo.path("")).expect("is read").flatten();
    let unnamed = entries.filter(|e| e.file_name().to_string_lossy().starts_with(".haul-tmp"));
    unnamed.filter_map(|entry| Some(entry.metadata().ok()?.len())).sum()
}

#[track_caller]
fn until_built(repo: &Repo) {
    let begun = Instant::now();
    while built(repo) < 32 << 20 {
        assert!(begun.elapsed() < Duration::from_secs(60), "nothing is built ahead");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_large_file_is_built_while_the_rest_arrives_and_named_once_all_is_here() {
    let world = World::new();
    let remote = world.remote("r");
    let (a, b) = scene(&world, &remote);
    let before = b.tree();
    let pull = b.pause_haul(&["pull"], MIDDLE);
    until_built(&b);
    assert!(!b.has("in"), "nothing has its name");
    pull.let_go().ok();
    b.tree_of("in").assert_same(&a.tree_of("in"));
    assert_eq!(built(&b), 0);
    assert_eq!(b.haul(&["status", "--porcelain"]).ok().stdout(), "");
    // Where it is stopped nothing has its name either.
    let c = a.clone_as("c");
    let mut stopped = c.pause_haul(&["pull"], MIDDLE);
    until_built(&c);
    stopped.interrupt(Signal::INT);
    stopped.let_go().fails_with(130).says("interrupted");
    c.tree().assert_same(&before);
    tidy(&c, &remote);
    // What one that dies leaves goes with the next.
    let d = a.clone_as("d");
    d.haul_with(&["pull"], &[("HAUL_FAILPOINT", "fs.place.written")]).dies();
    assert!(built(&d) > 0, "it is left");
    d.haul(&["pull"]).ok();
    tidy(&d, &remote);
    d.tree_of("in").assert_same(&a.tree_of("in"));
}

#[test]
fn what_was_built_ahead_of_a_fetch_that_fails_is_gone() {
    let world = World::new();
    let remote = world.remote("r");
    let (_, b) = scene(&world, &remote);
    let before = b.tree();
    let smallest = remote.keys("p/").into_iter().min_by_key(|key| remote.read(key).len());
    remote.remove(&smallest.expect("is one"));
    b.haul(&["pull"]).fails_with(4).says("x.bin");
    b.tree().assert_same(&before);
    tidy(&b, &remote);
}

#[test]
fn a_file_of_which_an_older_version_stands_there_takes_from_it_what_it_has() {
    let world = World::new();
    let remote = world.remote("r");
    let (a, b) = scene(&world, &remote);
    b.haul(&["pull"]).ok();
    let mut bytes = data::bytes(2, 80 << 20);
    bytes.extend(data::bytes(1, 70 << 20));
    a.write("in/deep/x.bin", &bytes);
    take(&a, "in");
    a.haul(&["push"]).ok();
    b.git(&["pull", "-q"]).ok();
    let pulled = b.haul(&["pull", "--json"]).ok().json();
    let fetched = pulled["fetch"]["fetched_bytes"].as_u64().expect("is said");
    assert!(fetched < 82 << 20, "{pulled}");
    assert!(b.read("in/deep/x.bin") == bytes);
}
