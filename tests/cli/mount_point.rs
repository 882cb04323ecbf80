//! A remote on a disk that is not mounted: an empty folder lies in its place.

use std::path::Path;

use crate::harness::{Remote, World};
use crate::push::pushed;

/// Puts an empty folder in the place of a remote, or the remote back.
fn mount(remote: &Remote, away: &Path, mounted: bool) {
    if mounted {
        std::fs::remove_dir(remote.path()).expect("is empty");
        std::fs::rename(away, remote.path()).expect("is mounted");
    } else {
        std::fs::rename(remote.path(), away).expect("is not mounted any more");
        std::fs::create_dir(remote.path()).expect("leaves the mount point");
    }
}

#[test]
fn an_emptied_remote_gets_everything_again_once_somebody_says_that_it_is_meant() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    let away = world.path("away");
    mount(&remote, &away, false);
    for verb in ["verify", "push", "gc"] {
        a.haul(&[verb]).fails_with(3).says("is empty").says("disk is mounted");
    }
    assert_eq!(remote.keys(""), [""; 0], "nothing is written below a mount point");
    // Mounted again, it is what it was.
    mount(&remote, &away, true);
    a.haul(&["push"]).ok();
    a.haul(&["verify"]).ok();
    std::fs::remove_dir_all(remote.path()).expect("empties the remote");
    std::fs::create_dir(remote.path()).expect("leaves the folder");
    a.haul(&["push"]).fails_with(3).says("haul remote accept");
    a.haul(&["remote", "accept", "origin"]).ok();
    a.haul(&["push"]).ok();
    assert_eq!((remote.keys("format").len(), remote.keys("repos/").len()), (1, 1));
    let b = a.clone_as("b");
    b.haul(&["pull"]).ok();
    assert_eq!(b.read("x.bin"), a.read("x.bin"));
}

#[test]
fn what_was_agreed_to_while_nothing_was_in_doubt_is_no_leave_to_write_below_a_mount_point() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    let away = world.path("away");
    for verb in ["push", "verify", "pull"] {
        if verb == "pull" {
            a.haul(&["evict", "--all", "--yes"]).ok();
            a.remove("x.bin");
        }
        mount(&remote, &away, false);
        a.haul(&[verb]).fails_with(3).says("is empty");
        mount(&remote, &away, true);
        a.haul(&[verb]).ok();
        mount(&remote, &away, false);
        a.haul(&["remote", "accept", "origin"]).ok();
        a.haul(&["push"]).fails_with(3).says("is empty");
        assert_eq!(remote.keys(""), [""; 0], "nothing is written below a mount point");
        mount(&remote, &away, true);
        a.haul(&["push"]).ok();
    }
}

#[test]
fn what_an_unmounted_disk_has_was_not_never_pushed() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    let b = a.clone_as("b");
    b.haul(&["pull"]).ok();
    b.haul(&["evict", "--all", "--yes"]).ok();
    b.remove("x.bin");
    mount(&remote, &world.path("away"), false);
    for verb in ["verify", "fetch", "pull"] {
        let refused = b.haul(&[verb]).fails_with(3).says("is empty").says("disk is mounted");
        assert!(!refused.to_string().contains("never pushed"), "{refused}");
    }
    // Nor does a plan count on it.
    for plan in [
        &["fetch", "--dry-run"][..],
        &["pull", "--dry-run"],
        &["export", "--dry-run", "HEAD:x.bin", "o"],
    ] {
        b.haul(plan).fails_with(3).says("is empty").says("disk is mounted");
    }
    // Who never used it cannot know.
    a.clone_as("c").haul(&["verify"]).fails_with(4);
    mount(&remote, &world.path("away"), true);
    b.haul(&["pull"]).ok();
    assert_eq!(b.read("x.bin"), a.read("x.bin"));
}

#[test]
fn fsck_says_of_an_unmounted_disk_that_it_is_empty() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    let away = world.path("away");
    mount(&remote, &away, false);
    for options in [&["fsck"][..], &["fsck", "--quick"], &["fsck", "--remote", "origin"]] {
        let told = a.haul(options).fails_with(3).says("is empty").says("disk is mounted");
        assert!(!told.to_string().contains("the clone that has the data"), "{told}");
    }
    assert_eq!(remote.keys(""), [""; 0], "nothing is written below a mount point");
    // It said what to agree to.
    a.haul(&["remote", "accept", "origin"]).ok();
    a.haul(&["push"]).ok();
    a.haul(&["fsck"]).ok();
}

#[test]
fn a_test_says_of_an_unmounted_disk_that_it_lacks_what_was_there() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    let away = world.path("away");
    mount(&remote, &away, false);
    for verb in [&["remote", "test"][..], &["doctor"], &["doctor", "--write"]] {
        let told = a.haul(verb).fails_with(1).prints("is empty, though it was not");
        assert!(told.stdout().contains("disk is mounted"), "{told}");
    }
    a.haul(&["remote", "index"]).fails_with(3).says("is empty, though it was not");
    assert_eq!(remote.keys(""), [""; 0], "nothing is written below a mount point");
    mount(&remote, &away, true);
    a.haul(&["remote", "test"]).ok();
    a.haul(&["doctor"]).ok();
    mount(&remote, &away, false);
    a.haul(&["remote", "test"]).fails_with(1);
    // It said what to agree to.
    a.haul(&["remote", "accept", "origin"]).ok();
    a.haul(&["remote", "test"]).ok().prints("nothing was pushed to it yet");
    a.haul(&["doctor"]).ok();
}

#[test]
fn a_test_says_of_a_remote_that_it_lost_its_format() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    remote.remove("format");
    a.haul(&["remote", "test"]).fails_with(1).prints("has no `format`").prints("haul push");
    a.haul(&["push"]).ok();
    a.haul(&["remote", "test"]).ok();
}

#[test]
fn what_a_remote_lost_is_found_on_this_machine() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    for key in remote.keys("").iter().filter(|key| *key != "format") {
        remote.remove(key);
    }
    let told = a.haul(&["fsck"]).fails_with(4).prints("good copy: this machine's cache");
    assert!(told.stdout().contains("next: run `haul fsck --repair`"), "{told}");
    a.haul(&["fsck", "--repair"]).ok();
    a.haul(&["fsck"]).ok();
    a.haul(&["verify"]).ok();
}

/// Removes what says what a remote holds, and leaves its packs.
fn lose_catalogue(remote: &Remote) {
    for key in [remote.keys("i/"), remote.keys("format")].concat() {
        remote.remove(&key);
    }
}

#[test]
fn a_remote_that_lost_all_but_its_packs_is_not_called_empty() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    let b = a.clone_as("b");
    b.haul(&["pull"]).ok();
    b.haul(&["evict", "--all", "--yes"]).ok();
    b.remove("x.bin");
    lose_catalogue(&remote);
    let before = remote.keys("");
    for repo in [&a, &b] {
        let told =
            repo.haul(&["verify"]).fails_with(4).says("holds packs").says("haul fsck --repair");
        assert!(!told.to_string().contains("is empty"), "{told}");
    }
    a.haul(&["fsck", "--quick"]).fails_with(4).prints("haul fsck --repair");
    // Who writes waits for a word that this is meant.
    for verb in [&["push"][..], &["gc"], &["fsck", "--repair"]] {
        a.haul(verb).fails_with(3).says("packs are all that is left").says("haul remote accept");
    }
    assert_eq!(remote.keys(""), before);
    a.haul(&["remote", "accept", "origin"]).ok();
    a.haul(&["fsck", "--repair"]).ok();
    a.haul(&["verify"]).ok();
    b.haul(&["pull"]).ok();
    assert_eq!(b.read("x.bin"), a.read("x.bin"));
}

#[test]
fn what_others_keep_below_a_mount_point_is_no_pack() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    mount(&remote, &world.path("away"), false);
    for name in ["p", "m"] {
        std::fs::create_dir(remote.path().join(name)).expect("makes a folder");
        remote.write(&format!("{name}/notes.txt"), b"mine");
    }
    for verb in ["verify", "push", "fsck"] {
        a.haul(&[verb]).fails_with(3).says("is empty, though").says("disk is mounted");
    }
}
