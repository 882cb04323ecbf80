//! Whole files of the cache at their limits: many of the same content at once, and little room.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::harness::{Disk, Repo, World, data};
use crate::push::{ready, take};
use crate::scene::{assert_clean, number};
use crate::whole_files::{BIG, LINKS, bytes, cached, free, is_link, scene, write_in_place};

/// More than workers take at a time.
const MANY: usize = 300;

/// A repository with many files of one content, pushed and placed.
fn duplicates<'a>(world: &'a World, link: &str) -> Repo<'a> {
    let a = ready(world, "a", &world.remote("r"));
    a.haul(&["config", "cache.link", link]).ok();
    for n in 0..MANY {
        a.write(format!("d/{n}"), &data::bytes(1, 5000));
    }
    take(&a, "d");
    a.haul(&["push"]).ok();
    a.remove("d");
    a.haul(&["checkout"]).ok();
    a
}

/// The files that lie below the folder, each once.
fn inodes(a: &Repo) -> BTreeSet<u64> {
    let listed = fs::read_dir(a.path("d")).expect("the system does it");
    listed.map(|entry| fs::metadata(entry.unwrap().path()).unwrap().ino()).collect()
}

#[test]
fn many_files_of_one_content_share_one_file_and_none_is_taken_for_changed() {
    for link in LINKS {
        let world = World::new();
        let a = duplicates(&world, link);
        assert_eq!(inodes(&a).len(), 1, "{link}");
        assert_eq!(cached(&a).len(), 1, "{link}");
        assert_clean(&a);
        for round in 0..3 {
            a.haul(&["evict", "--all", "--yes"]).ok();
            for n in 10..200 {
                a.remove(format!("d/{n}"));
            }
            a.haul(&["checkout"]).ok();
            assert_eq!(inodes(&a).len(), 1, "{link}, round {round}");
        }
        assert_clean(&a);
    }
}

#[test]
fn links_of_one_content_that_led_nowhere_are_all_mended() {
    let world = World::new();
    let a = duplicates(&world, "symlink");
    a.remove(".git/haul/files");
    a.haul(&["checkout"]).ok();
    assert_clean(&a);
    assert_eq!(inodes(&a).len(), 1);
}

#[test]
fn a_pull_fetches_nothing_that_the_worktree_or_a_whole_file_has() {
    for link in LINKS {
        let world = World::new();
        let a = scene(&world, link);
        a.haul(&["evict", "--all", "--yes"]).ok();
        let pull = |repo: &Repo| {
            let done = repo.haul(&["pull", "--json"]).ok();
            number(&done, "/fetch/fetched_bytes")
        };
        assert_eq!(pull(&a), 0, "{link}: the worktree has it");
        a.git(&["worktree", "add", "--quiet", "--detach", "../b"]).ok();
        let b = world.folder("b");
        assert_eq!(pull(&b), 0, "{link}: the cache has it whole");
        assert_eq!(b.read("d/x.bin"), bytes(2), "{link}");
        // One of two files is in neither place, and alone is fetched.
        b.remove("d");
        a.remove("d/x.bin");
        a.haul(&["evict", "--all", "--yes"]).ok();
        assert_eq!(cached(&a).len(), 1, "{link}");
        assert_eq!(pull(&a), BIG as u64, "{link}");
        assert_clean(&a);
        // What somebody wrote to is not what its name says.
        a.haul(&["evict", "--all", "--yes"]).ok();
        write_in_place(a.path("d/x.bin"), b"my work");
        assert!(pull(&b) >= BIG as u64, "{link}");
        assert_eq!(b.read("d/x.bin"), bytes(2), "{link}");
    }
}

/// Leaves so many bytes of a disk.
fn fill(place: &Path, left: u64) {
    let bytes = free(place).checked_sub(left).expect("there is more");
    let bytes = usize::try_from(bytes).expect("is no large disk");
    fs::write(place.join("filler"), vec![0; bytes]).expect("the system does it");
}

#[test]
fn links_to_files_that_the_cache_has_take_no_room() {
    let outside = World::new();
    let Some(disk) = Disk::make(&outside, ("ext4", &["-q", "-m", "0"])) else { return };
    let world = World::new_in(disk.place());
    let a = ready(&world, "a", &outside.remote("r"));
    a.haul(&["config", "cache.link", "symlink"]).ok();
    for n in 0..2 {
        a.write(format!("d/{n}"), &data::bytes(n, 20 << 20));
    }
    take(&a, "d");
    a.haul(&["push"]).ok();
    a.haul(&["checkout", "--as", "symlink"]).ok();
    a.git(&["worktree", "add", "--quiet", "--detach", "../b"]).ok();
    let b = world.folder("b");
    fill(disk.place(), 15 << 20);
    for link in LINKS {
        b.haul(&["checkout", "--as", link]).ok();
        assert!(is_link(&b, "d/1", link), "{link}");
    }
    b.remove("d");
    b.haul(&["checkout", "--as", "copy"]).fails_with(1).says("nothing was changed: 40.0 MiB");
    assert!(!b.has("d"));
}

#[test]
fn files_for_links_are_built_where_the_cache_is_and_need_room_there() {
    let outside = World::new();
    let Some(disk) = Disk::make(&outside, ("ext4", &["-q", "-m", "0"])) else { return };
    let a = ready(&outside, "a", &outside.remote("r"));
    a.write("d/x", &data::bytes(1, 20 << 20));
    take(&a, "d");
    let cache = disk.place().join("cache");
    let cache = [("HAUL_CACHE_DIR", cache.to_str().expect("is text"))];
    fill(disk.place(), 15 << 20);
    let short = a.haul_with(&["checkout", "--as", "symlink"], &cache).fails_with(1);
    let place = disk.place().to_str().expect("is text").to_owned();
    short.says("nothing was changed: 20.0 MiB").says(&place);
    fs::remove_file(disk.place().join("filler")).expect("the system does it");
    a.haul_with(&["checkout", "--as", "symlink"], &cache).ok();
    assert!(is_link(&a, "d/x", "symlink"));
}
