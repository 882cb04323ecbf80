//! `haul remote test`, `haul doctor` and `haul remote index` at addresses that are not what they should be:
//! what only looks forgets nothing, and nobody writes to what is not haul's.

use crate::harness::{Output, Remote, Repo, World, data};
use crate::push::{pushed, ready, send, take};

const LOOKS: [&[&str]; 3] = [&["remote", "test"], &["doctor"], &["doctor", "--write"]];

/// Removes all objects below some prefixes.
fn lose(remote: &Remote, prefixes: &[&str]) {
    for key in prefixes.iter().flat_map(|prefix| remote.keys(prefix)) {
        remote.remove(&key);
    }
}

/// Runs a command that would die if it wrote anything to the remote.
fn unwritten(repo: &Repo<'_>, arguments: &[&str]) -> Output {
    repo.haul_with(arguments, &[("HAUL_FAILPOINT", "remote.put.before")])
}

#[test]
fn a_look_at_packs_alone_says_what_a_push_does_and_gives_no_leave_to_push() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    lose(&remote, &["i/", "format"]);
    a.haul(&["push"]).fails_with(3).says("is empty, though it was not");
    for look in LOOKS {
        let told = unwritten(&a, look).fails_with(1).prints("is empty, though it was not");
        assert!(!told.stdout().contains("`haul push`"), "{told}");
        told.prints("haul remote accept NAME");
        a.haul(&["push"]).fails_with(3).says("is empty, though it was not");
    }
    assert!(remote.keys("format").is_empty() && remote.keys("i/").is_empty());
    // A clone that never used it is told to push, and may.
    let b = a.clone_as("b");
    b.write("y.bin", &data::bytes(2, 9000));
    take(&b, "y.bin");
    b.haul(&["remote", "test"]).fails_with(1).prints("run `haul push`");
    b.haul(&["push", "y.bin"]).ok();
}

#[test]
fn a_file_of_somebody_else_makes_no_mount_point_a_remote() {
    for (file, push_says) in
        [("p/notes.txt", "is empty, though"), ("i/notes.txt", "holds something else")]
    {
        let world = World::new();
        let remote = world.remote("r");
        let a = pushed(&world, &remote);
        std::fs::rename(remote.path(), world.path("away")).expect("is not mounted any more");
        let folder = remote.path().join(file);
        std::fs::create_dir_all(folder.parent().expect("has one")).expect("makes a folder");
        remote.write(file, b"notes");
        for look in LOOKS {
            a.haul(&["push"]).fails_with(3).says(push_says);
            let told = unwritten(&a, look).fails_with(1).prints(push_says);
            told.prints("lists 0 catalogue objects\n");
        }
        a.haul(&["remote", "index"]).fails_with(3).says(push_says);
        a.haul(&["push"]).fails_with(3).says(push_says);
        a.haul(&["verify"]).fails_with(3).says("is empty, though");
        assert_eq!(remote.keys(""), [file], "nothing is written below a mount point");
    }
}

#[test]
fn a_remote_without_its_format_is_still_known_when_its_disk_is_not_mounted() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    let away = world.path("away");
    remote.remove("format");
    for look in [&["remote", "test"][..], &["doctor"], &["verify"]] {
        let told = a.haul(look);
        assert!(told.to_string().contains("has no `format`"), "{told}");
        std::fs::rename(remote.path(), &away).expect("is not mounted any more");
        std::fs::create_dir(remote.path()).expect("leaves the mount point");
        a.haul(&["push"]).fails_with(3).says("is empty, though it was not");
        assert_eq!(remote.keys(""), [""; 0], "nothing is written below a mount point");
        std::fs::remove_dir(remote.path()).expect("is empty");
        std::fs::rename(&away, remote.path()).expect("is mounted");
    }
    // As it said.
    a.haul(&["push"]).ok();
    a.haul(&["remote", "test"]).ok();
    a.clone_as("b").haul(&["pull"]).ok();
}

#[test]
fn a_remote_of_a_newer_haul_is_told_from_one_that_is_not_of_haul_and_neither_is_written_to() {
    for (format, says, next) in [
        (&b"haul-remote 2\nid 0123\n"[..], "version 2", "newer release"),
        (b"<html>", "holds something else", "of its own"),
    ] {
        let world = World::new();
        let remote = world.remote("r");
        let a = ready(&world, "a", &remote);
        a.write("x.bin", &data::bytes(1, 9000));
        take(&a, "x.bin");
        remote.write("format", format);
        a.haul(&["push"]).fails_with(3).says(says).says(next);
        a.haul(&["remote", "index"]).fails_with(3).says(says).says(next);
        for look in LOOKS {
            unwritten(&a, look).fails_with(1).prints(says).prints(next);
        }
        assert_eq!(remote.keys(""), ["format"]);
    }
}

#[test]
fn an_index_of_somebody_else_is_left_and_told() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    let next = "move it away from the remote, then run `haul remote index`";
    for (number, theirs) in [&b""[..], b"notes", b"<html>of some length</html>"].iter().enumerate()
    {
        remote.write("index", theirs);
        a.write("new.bin", &data::bytes(10 + number as u64, 9000));
        take(&a, "new.bin");
        let pushed = a.haul(&["push"]).ok();
        pushed.says("haul did not write its `index`").says(next);
        a.haul(&["remote", "index"])
            .fails_with(3)
            .says("haul did not write its `index`")
            .says(next);
        assert_eq!(remote.read("index"), *theirs);
    }
    remote.remove("index");
    a.haul(&["remote", "index"]).ok();
    let ours = remote.read("index");
    // Of whatever version, it is haul's.
    remote.write("index", b"haul-index 0\n");
    a.haul(&["remote", "index"]).ok();
    assert_eq!(remote.read("index"), ours);
    a.write("last.bin", &data::bytes(20, 9000));
    send(&a, "last.bin");
    assert!(remote.read("index").len() > ours.len(), "a push keeps it");
}
