//! Files that worktrees share with the cache, by reflink, hard link or symbolic link.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{Disk, Remote, Repo, World, data, shares_blocks};
use crate::push::{ready, send, take};
use crate::scene::{assert_clean, number, states};

pub(crate) const BIG: usize = 600_000;
pub(crate) const LINKS: [&str; 2] = ["hardlink", "symlink"];

pub(crate) fn bytes(seed: u64) -> Vec<u8> {
    data::bytes(seed, BIG)
}

/// A repository whose files are links, with one pushed file of two versions, the newer one placed.
pub(crate) fn scene<'a>(world: &'a World, link: &str) -> Repo<'a> {
    let a = ready(world, "a", &world.remote("r"));
    a.haul(&["config", "cache.link", link]).ok();
    for seed in [1, 2] {
        a.write("d/x.bin", &bytes(seed));
        a.write("d/y.bin", &bytes(9));
        take(&a, "d");
    }
    a.haul(&["push"]).ok();
    a.remove("d");
    a.haul(&["checkout"]).ok();
    a
}

/// Where whole files lie.
pub(crate) fn cached(repo: &Repo) -> Vec<PathBuf> {
    let mut out = Vec::new();
    let mut pending = vec![repo.path(".git/haul/files")];
    while let Some(folder) = pending.pop() {
        let Ok(listed) = fs::read_dir(folder) else { continue };
        for entry in listed {
            let path = entry.expect("the system does it").path();
            if path.is_dir() { pending.push(path) } else { out.push(path) }
        }
    }
    out.sort();
    out
}

/// Writes into a file in place, as only somebody who gave himself the right to can.
pub(crate) fn write_in_place(path: PathBuf, bytes: &[u8]) {
    let path = fs::canonicalize(path).expect("the system does it");
    fs::set_permissions(&path, Permissions::from_mode(0o644)).expect("the system does it");
    OpenOptions::new()
        .write(true)
        .open(&path)
        .expect("the system does it")
        .write_all(bytes)
        .expect("works");
}

pub(crate) fn is_link(repo: &Repo, name: &str, link: &str) -> bool {
    let own = repo.path(name).symlink_metadata().expect("the system does it");
    match link {
        "symlink" => own.is_symlink(),
        _ => own.is_file() && own.nlink() > 1,
    }
}

#[test]
fn files_are_linked_read_only_and_versions_change_places() {
    for link in LINKS {
        let world = World::new();
        let a = scene(&world, link);
        assert!(is_link(&a, "d/x.bin", link), "{link}");
        assert_eq!(a.path("d/x.bin").metadata().unwrap().mode() & 0o222, 0, "{link}");
        assert_eq!(a.read("d/x.bin"), bytes(2));
        assert_clean(&a);
        assert_eq!(cached(&a).len(), 2, "{link}");
        for (rev, seed) in [("HEAD~1", 1), ("HEAD", 2), ("HEAD~1", 1)] {
            a.haul(&["checkout", "--rev", rev, "d"]).ok();
            assert_eq!(a.read("d/x.bin"), bytes(seed), "{link}");
            assert_eq!(a.read("d/y.bin"), bytes(9), "{link}");
        }
        a.haul(&["checkout"]).ok();
        assert_clean(&a);
        assert_eq!(cached(&a).len(), 3, "{link}: each version lies there once");
    }
}

#[test]
fn a_version_comes_back_from_a_whole_file_when_its_packs_are_gone() {
    for link in LINKS {
        let world = World::new();
        let a = scene(&world, link);
        for pack in Remote::at(a.path(".git/haul/packs")).keys("") {
            let pack = format!(".git/haul/packs/{pack}");
            if a.read(&pack).len() > BIG / 2 {
                a.remove(&pack);
            }
        }
        a.remove("d");
        a.haul(&["checkout"]).ok();
        assert_eq!(a.read("d/x.bin"), bytes(2), "{link}");
        assert!(is_link(&a, "d/x.bin", link), "{link}");
    }
}

#[test]
fn a_file_that_was_written_to_through_a_link_shows_and_serves_nobody() {
    for link in LINKS {
        let world = World::new();
        let a = scene(&world, link);
        write_in_place(a.path("d/x.bin"), b"my work");
        assert_eq!(states(&a), ["modified d/x.bin"], "{link}");
        a.haul(&["checkout"]).fails_with(1).says("d/x.bin");
        assert!(a.read("d/x.bin").starts_with(b"my work"), "{link}");
        // Another worktree with the same cache gets the right bytes.
        a.git(&["worktree", "add", "--quiet", "--detach", "../b"]).ok();
        let b = world.folder("b");
        b.haul(&["checkout"]).ok();
        assert_eq!(b.read("d/x.bin"), bytes(2), "{link}");
        assert!(a.read("d/x.bin").starts_with(b"my work"), "{link}");
        // What was changed can be put aside, and added.
        a.haul(&["checkout", "--force"]).ok();
        assert_eq!(a.read("d/x.bin"), bytes(2), "{link}");
        let aside = a.path(".git/haul/aside");
        let run = fs::read_dir(aside).unwrap().next().unwrap().unwrap().path();
        assert!(fs::read(run.join("d/x.bin")).unwrap().starts_with(b"my work"), "{link}");
        assert_clean(&a);
    }
}

#[test]
fn a_change_through_a_link_can_be_added() {
    for link in LINKS {
        let world = World::new();
        let a = scene(&world, link);
        write_in_place(a.path("d/x.bin"), b"my work");
        let new = a.read("d/x.bin");
        take(&a, "d");
        assert_clean(&a);
        a.haul(&["push"]).ok();
        a.remove("d");
        a.haul(&["checkout"]).ok();
        assert_eq!(a.read("d/x.bin"), new, "{link}");
        a.haul(&["checkout", "--rev", "HEAD~1", "d"]).ok();
        assert_eq!(a.read("d/x.bin"), bytes(2), "{link}");
    }
}

#[test]
fn as_shares_files_that_are_right_in_another_way() {
    let world = World::new();
    let a = scene(&world, "copy");
    assert_eq!(cached(&a), Vec::<PathBuf>::new());
    for link in ["hardlink", "symlink", "hardlink"] {
        a.haul(&["checkout", "--as", link]).ok();
        assert!(is_link(&a, "d/x.bin", link), "{link}");
        assert_clean(&a);
        a.haul(&["checkout", "--as", link]).ok().says("placed 0 files");
    }
    for own in ["copy", "reflink"] {
        a.haul(&["checkout", "--as", "symlink"]).ok();
        a.haul(&["checkout", "--as", own]).ok();
        let file = a.path("d/x.bin").symlink_metadata().unwrap();
        assert!(file.is_file() && file.nlink() == 1 && file.mode() & 0o200 != 0, "{own}");
        assert_clean(&a);
    }
    a.write("d/x.bin", b"writable again");
    a.haul(&["checkout", "--as", "junk"]).fails_with(2);
}

#[test]
fn a_program_stays_one_beside_a_file_of_the_same_bytes() {
    for link in LINKS {
        let world = World::new();
        let a = ready(&world, "a", &world.remote("r"));
        a.write("d/plain", &bytes(1));
        a.write("d/run", &bytes(1));
        a.set_executable("d/run", true);
        take(&a, "d");
        a.haul(&["checkout", "--as", link]).ok();
        let runs = |name: &str| a.path(name).metadata().unwrap().mode() & 0o111 != 0;
        assert!(runs("d/run") && !runs("d/plain"), "{link}");
        assert_clean(&a);
    }
}

#[test]
fn untrack_leaves_files_of_their_own() {
    for link in LINKS {
        let world = World::new();
        let a = scene(&world, link);
        a.haul(&["untrack", "d"]).ok();
        assert!(!is_link(&a, "d/x.bin", link), "{link}");
        assert_eq!(a.read("d/x.bin"), bytes(2), "{link}");
        a.write("d/x.bin", b"they may be written to");
        a.haul(&["fsck", "--local"]).ok();
    }
}

#[test]
fn moved_links_still_lead_to_their_files() {
    for link in LINKS {
        let world = World::new();
        let a = scene(&world, link);
        a.haul(&["mv", "d", "e"]).ok();
        a.commit("moved");
        assert_eq!(a.read("e/x.bin"), bytes(2), "{link}");
        a.haul(&["evict", "--all", "--yes"]).ok();
        assert_eq!(a.read("e/x.bin"), bytes(2), "{link}");
        assert_clean(&a);
    }
}

#[test]
fn a_link_whose_file_is_gone_is_a_missing_file() {
    let world = World::new();
    let a = scene(&world, "symlink");
    a.remove(".git/haul/files");
    assert_eq!(states(&a), ["missing d/x.bin", "missing d/y.bin"]);
    a.haul(&["checkout"]).ok();
    assert_eq!(a.read("d/x.bin"), bytes(2));
    assert_clean(&a);
}

#[test]
fn files_that_share_one_file_of_the_cache_go_and_change_together() {
    for link in LINKS {
        let world = World::new();
        let a = ready(&world, "a", &world.remote("r"));
        a.haul(&["config", "cache.link", link]).ok();
        for (names, seed) in [(&["1", "2", "3", "4"][..], 1), (&["1", "2"], 2)] {
            if a.has("d") {
                a.remove("d");
            }
            for name in names {
                a.write(format!("d/{name}"), &bytes(seed));
            }
            take(&a, "d");
        }
        a.git(&["checkout", "--quiet", "HEAD~1"]).ok();
        a.haul(&["checkout"]).ok();
        assert_clean(&a);
        a.git(&["checkout", "--quiet", "main"]).ok();
        a.haul(&["checkout"]).ok();
        assert_clean(&a);
        assert_eq!(a.read("d/2"), bytes(2), "{link}");
        assert!(!a.has("d/3"), "{link}");
    }
}

/// Bytes that files below a folder take on the disk, each file counted once.
fn on_disk(folder: PathBuf) -> u64 {
    let mut seen = BTreeSet::new();
    let mut pending = vec![folder];
    let mut bytes = 0;
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(&folder).expect("the system does it") {
            let path = entry.expect("the system does it").path();
            let own = path.symlink_metadata().expect("the system does it");
            if own.is_dir() {
                pending.push(path);
            } else if seen.insert((own.dev(), own.ino())) {
                bytes += own.blocks() * 512;
            }
        }
    }
    bytes
}

#[test]
fn content_lies_once_on_the_disk_in_the_steady_state() {
    // With reflinks: `on_a_file_system_with_reflinks…`.
    for link in LINKS.into_iter().chain(["copy"]) {
        let world = World::new();
        let a = ready(&world, "a", &world.remote("r"));
        a.haul(&["config", "cache.link", link]).ok();
        a.haul(&["config", "cache.keep", "unpushed"]).ok();
        let size = 4 << 20;
        a.write("d/x.bin", &data::bytes(1, size));
        take(&a, "d");
        a.haul(&["push"]).ok();
        let b = a.clone_as("b");
        b.haul(&["config", "cache.link", link]).ok();
        b.haul(&["config", "cache.keep", "unpushed"]).ok();
        b.haul_with(
            &["pull"],
            &[("HAUL_ACCEPT_REMOTE", world.remote("r").path().to_str().unwrap())],
        )
        .ok();
        assert!(link == "copy" || is_link(&b, "d/x.bin", link), "{link}");
        let (taken, most) = (on_disk(b.path("")), size as u64 * 5 / 4);
        assert!(taken < most, "{link}: {taken} bytes are taken");
        assert!(taken > size as u64, "{link}");
    }
}

#[test]
fn evict_takes_whole_files_that_no_worktree_shares_and_the_remote_has() {
    for link in LINKS {
        let world = World::new();
        let a = scene(&world, link);
        a.haul(&["checkout", "--rev", "HEAD~1", "d"]).ok();
        let plan = a.haul(&["evict", "--all", "--json"]).ok();
        assert_eq!(number(&plan, "/files"), 1, "{link}: that of the newer version alone\n{plan}");
        let done = a.haul(&["evict", "--all", "--yes", "--json"]).ok();
        assert_eq!(number(&done, "/files"), 1, "{link}\n{done}");
        assert_eq!(cached(&a).len(), 2, "{link}");
        assert_eq!(a.read("d/x.bin"), bytes(1), "{link}");
        // What goes with its last link is evicted too, and comes back from the remote.
        a.remove("d");
        a.haul(&["evict", "--all", "--yes"]).ok();
        assert_eq!(cached(&a).len(), 0, "{link}");
        a.haul(&["pull"]).ok();
        assert_eq!(a.read("d/x.bin"), bytes(2), "{link}");
    }
}

#[test]
fn evict_leaves_a_whole_file_whose_content_the_remote_has_lost() {
    for link in LINKS {
        let world = World::new();
        let a = scene(&world, link);
        a.remove("d");
        let remote = world.remote("r");
        for pack in remote.keys("p/") {
            fs::remove_file(remote.path().join(pack)).unwrap();
        }
        let done = a.haul(&["evict", "--all", "--yes", "--json"]).fails_with(1);
        assert_eq!(number(&done, "/files"), 0, "{link}\n{done}");
        a.haul(&["checkout"]).ok();
        assert_eq!(a.read("d/x.bin"), bytes(2), "{link}");
    }
}

#[test]
fn whole_files_count_for_the_size_of_the_cache() {
    let world = World::new();
    let a = scene(&world, "hardlink");
    a.haul(&["config", "cache.max-size", "2M"]).ok();
    for rev in ["HEAD~1", "HEAD", "HEAD~1"] {
        a.haul(&["checkout", "--rev", rev, "d"]).ok();
    }
    assert_eq!(
        cached(&a).len(),
        2,
        "the version that nobody shares went, with packs at their place"
    );
}

#[test]
fn fsck_names_a_whole_file_that_was_written_to_and_puts_it_aside() {
    for link in LINKS {
        let world = World::new();
        let a = scene(&world, link);
        a.haul(&["checkout", "--rev", "HEAD~1", "d"]).ok();
        let idle = cached(&a).into_iter().find(|path| fs::read(path).unwrap() == bytes(2)).unwrap();
        write_in_place(idle.clone(), b"my work");
        a.haul(&["evict", "--all", "--yes"]).ok();
        assert!(idle.exists(), "{link}: it may be somebody's work");
        a.haul(&["fsck"]).fails_with(4).prints("somebody wrote to it");
        a.haul(&["fsck", "--repair"]).ok();
        assert!(!idle.exists(), "{link}");
        let aside = a.path(".git/haul/quarantine").join(idle.file_name().unwrap());
        assert!(fs::read(aside).unwrap().starts_with(b"my work"), "{link}");
        a.haul(&["fsck"]).ok();
    }
}

#[test]
fn on_a_file_system_with_reflinks_files_share_their_blocks_and_may_be_written_to() {
    let outside = World::new();
    let Some(disk) = Disk::make(&outside, ("xfs", &["-q", "-m", "reflink=1"])) else { return };
    let world = World::new_in(disk.place());
    let a = ready(&world, "a", &outside.remote("r"));
    let size = 32 << 20;
    a.write("x.bin", &data::bytes(1, size));
    send(&a, "x.bin");
    a.remove("x.bin");
    let before = free(disk.place());
    a.haul(&["checkout"]).ok();
    let [kept] = cached(&a).try_into().expect("one file is kept");
    let own = a.path("x.bin").metadata().unwrap();
    assert_eq!((own.nlink(), own.mode() & 0o200), (1, 0o200));
    assert_ne!(shares_blocks(&kept), Some(false), "the two share their blocks");
    // Free blocks tell as well: both together take those of one.
    let both = size as u64 * 5 / 4;
    assert!(free(disk.place()) + both > before, "the file and that of the cache lie there twice");
    let before = free(disk.place());
    a.remove("x.bin");
    a.haul(&["checkout"]).ok();
    assert_eq!(a.read("x.bin"), data::bytes(1, size));
    sync(disk.place());
    assert!(free(disk.place()) + (size as u64 / 4) > before, "it came back without taking room");
    // Each is a file of its own.
    write_in_place(a.path("x.bin"), b"my work");
    assert_eq!(fs::read(&kept).unwrap(), data::bytes(1, size));
    a.haul(&["checkout", "--force"]).ok();
    assert!(a.read("x.bin") == data::bytes(1, size));
    assert_clean(&a);
    // A clone that keeps no packs has it once, in the worktree and in the cache.
    let before = free(disk.place());
    let b = a.clone_as("b");
    b.haul(&["config", "cache.keep", "unpushed"]).ok();
    b.haul_with(&["pull"], &[("HAUL_ACCEPT_REMOTE", outside.remote("r").path().to_str().unwrap())])
        .ok();
    assert!(b.read("x.bin") == data::bytes(1, size));
    assert!(free(disk.place()) + both > before, "the clone has it more than once");
}

fn sync(place: &Path) {
    assert!(
        Command::new("sync").arg("-f").arg(place).status().expect("the system does it").success()
    );
}

pub(crate) fn free(place: &Path) -> u64 {
    sync(place);
    let output = Command::new("df")
        .args(["--output=avail", "-B1"])
        .arg(place)
        .output()
        .expect("the system does it");
    let text = String::from_utf8(output.stdout).expect("the system does it");
    text.lines().nth(1).expect("the system does it").trim().parse().expect("works")
}
