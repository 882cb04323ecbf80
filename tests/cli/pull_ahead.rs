//! A pull builds a large file while the rest of it arrives, and gives it its name once all is here.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::harness::{Disk, Paused, Remote, Repo, World, data, skipped};
use crate::interrupts::tidy;
use crate::push::{ready, take};
use crate::whole_files::free;

/// Three packs.
const SIZE: usize = 150 << 20;
/// The first of them is here by then, and the last is not, where one request runs at a time.
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

/// Returns the bytes of files without a name that a command has open.
fn built(pull: &Paused) -> u64 {
    let open = fs::read_dir(format!("/proc/{}/fd", pull.id())).expect("is read").flatten();
    let nameless = open.filter(|entry| {
        fs::read_link(entry.path()).is_ok_and(|to| to.to_string_lossy().ends_with(" (deleted)"))
    });
    nameless.filter_map(|entry| Some(fs::metadata(entry.path()).ok()?.len())).sum()
}

#[track_caller]
fn until_built(pull: &Paused) {
    let begun = Instant::now();
    while built(pull) < 32 << 20 {
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
    let pull = b.pause_haul(&["pull", "--jobs", "1"], MIDDLE);
    until_built(&pull);
    b.tree().assert_same(&before);
    pull.let_go().ok();
    b.tree_of("in").assert_same(&a.tree_of("in"));
    assert_eq!(b.haul(&["status", "--porcelain"]).ok().stdout(), "");
    // Where it is stopped nothing has its name either.
    let c = a.clone_as("c");
    let mut stopped = c.pause_haul(&["pull", "--jobs", "1"], MIDDLE);
    until_built(&stopped);
    stopped.interrupt(Signal::INT);
    stopped.let_go().fails_with(130).says("interrupted");
    c.tree().assert_same(&before);
    tidy(&c, &remote);
    // One that dies leaves nothing for ever.
    let d = a.clone_as("d");
    for point in ["fs.place.written:1", "fs.place.written:2"] {
        d.haul_with(&["pull"], &[("HAUL_FAILPOINT", point)]).dies();
    }
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
    // One request at a time: most of the rest was not asked for yet.
    let pull = b.pause_haul(&["pull", "--jobs", "1"], MIDDLE);
    until_built(&pull);
    remote.keys("p/").iter().for_each(|pack| remote.remove(pack));
    pull.let_go().fails_with(4).says("x.bin");
    b.tree().assert_same(&before);
    tidy(&b, &remote);
}

#[test]
fn on_a_disk_that_is_full_in_the_middle_nothing_is_placed_and_the_next_pull_goes_on() {
    let outside = World::new();
    let Some(disk) = Disk::make(&outside, ("ext4", &["-q"])) else { return };
    let remote = outside.remote("r");
    let (a, _) = scene(&outside, &remote);
    let world = World::new_in(disk.place());
    a.git(&["clone", "--quiet", ".", world.path("b").to_str().expect("is UTF-8")]).ok();
    let b = world.folder("b");
    let before = b.tree();
    let accept = [("HAUL_ACCEPT_REMOTE", remote.path().to_str().expect("is UTF-8"))];
    let pull = b.pause_haul_with(&["pull", "--jobs", "1"], MIDDLE, &accept);
    until_built(&pull);
    let left = free(disk.place());
    let full = fs::File::create(world.path("full")).expect("creates");
    let room = left.saturating_sub(4 << 20);
    rustix::fs::fallocate(&full, rustix::fs::FallocateFlags::empty(), 0, room).expect("fills");
    drop(full);
    pull.let_go().fails_with(1).says("disk space").says("hint: ");
    b.tree().assert_same(&before);
    fs::remove_file(world.path("full")).expect("goes");
    b.haul_with(&["pull"], &accept).ok();
    b.tree_of("in").assert_same(&a.tree_of("in"));
    assert_eq!(b.haul(&["status", "--porcelain"]).ok().stdout(), "");
}

#[test]
fn of_a_fetch_that_could_not_write_nothing_counts_as_here() {
    let world = World::new();
    let remote = world.remote("r");
    let (a, b) = scene(&world, &remote);
    if b.run("sh", &["-c", "command -v strace"]).stdout().is_empty() {
        skipped("there is no `strace` to have writes fail");
        return;
    }
    // Where the parts of packs lie is found where they are.
    a.clone_as("c").haul(&["fetch"]).ok();
    let c = Remote::at(world.path("c/.git/haul"));
    let parts: Vec<String> = c.keys("").into_iter().filter(|key| key.contains("parts/")).collect();
    let largest = parts.iter().max_by_key(|key| c.read(key).len()).expect("is one");
    let place = b.path(".git/haul").join(largest).display().to_string();
    for inject in ["inject=pwrite64:error=EIO:when=1", "inject=pwrite64:error=EIO:when=3"] {
        let words = ["-f", "-qq", "-o", "/dev/null", "-P", &place, "-e", inject, "haul", "fetch"];
        b.run("strace", &words).fails_with(1).says("Input/output error");
        b.haul(&["fsck", "--local"]).ok();
    }
    b.haul(&["pull"]).ok();
    b.tree_of("in").assert_same(&a.tree_of("in"));
}

#[test]
fn where_a_file_without_a_name_gets_none_it_is_built_again() {
    let world = World::new();
    let remote = world.remote("r");
    let (a, b) = scene(&world, &remote);
    if b.run("sh", &["-c", "command -v strace"]).stdout().is_empty() {
        skipped("there is no `strace` to have links refused");
        return;
    }
    let words = ["-f", "-qq", "-o", "calls", "-e", "inject=linkat:error=EXDEV", "haul", "pull"];
    b.run("strace", &words).ok();
    assert!(
        String::from_utf8_lossy(&b.read("calls")).contains("linkat(AT_FDCWD, \"/proc/self/fd/"),
        "it was tried"
    );
    b.tree_of("in").assert_same(&a.tree_of("in"));
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
