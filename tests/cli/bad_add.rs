//! What `haul add` refuses: exit code 1, a message with the next step, and nothing changed.

use std::os::unix::net::UnixListener;

use crate::harness::{Repo, Tree, World, skipped};

fn initialised(world: &World) -> Repo<'_> {
    let a = world.repo("a");
    a.haul(&["init"]).ok();
    a.write("x.bin", b"content");
    a.write("set/part", b"content");
    a
}

/// Runs `haul add` of a path that must be refused, and compares everything before and after.
#[track_caller]
fn refused(repo: &Repo, path: &str, words: &[&str]) {
    let everything = || (repo.tree(), Tree::of(&repo.path(".git")));
    let before = everything();
    for further in [None, Some("--dry-run")] {
        let arguments: Vec<&str> = ["add", path].into_iter().chain(further).collect();
        let mut output = repo.haul(&arguments).fails_with(1).says("hint: ");
        for word in words {
            output = output.says(word);
        }
        let after = everything();
        before.0.assert_same(&after.0);
        before.1.assert_same(&after.1);
    }
}

#[test]
fn outside_a_repository_add_says_what_to_do() {
    let world = World::new();
    let any = world.folder("any");
    any.write("x.bin", b"content");
    any.haul(&["add", "x.bin"]).fails_with(1).says("not in a Git repository").says("git init");
    assert_eq!(any.tree().paths(), ["x.bin"]);
}

#[test]
fn a_bare_repository_has_nothing_to_add() {
    let world = World::new();
    let bare = world.folder("bare");
    bare.git(&["init", "--quiet", "--bare"]).ok();
    let before = bare.tree();
    bare.haul(&["add", "x.bin"]).fails_with(1).says("bare").says("hint: ");
    bare.haul(&["init"]).fails_with(1).says("bare").says("hint: ");
    before.assert_same(&bare.tree());
}

#[test]
fn a_repository_that_is_not_initialised_is_told_to() {
    let world = World::new();
    let a = world.repo("a");
    a.write("x.bin", b"content");
    refused(&a, "x.bin", &["haul init"]);
}

#[test]
fn a_path_outside_the_repository_is_refused() {
    let world = World::new();
    let a = initialised(&world);
    world.folder("out").write("y.bin", b"content");
    refused(&a, "../out/y.bin", &["y.bin", "outside"]);
    let absolute = world.path("out/y.bin");
    refused(&a, absolute.to_str().expect("is UTF-8"), &["y.bin", "outside"]);
    a.link("../out", "way-out");
    refused(&a, "way-out/y.bin", &["way-out"]);
}

#[test]
fn a_path_that_does_not_exist_is_refused() {
    let world = World::new();
    let a = initialised(&world);
    refused(&a, "no-such.bin", &["`no-such.bin`", "spelling"]);
    refused(&a, "x.bin/below", &["`x.bin/below`"]);
    a.haul(&["add", "x.bin"]).ok();
    a.remove("x.bin");
    refused(&a, "x.bin", &["`x.bin`", "haul pull"]);
}

#[test]
fn what_git_tracks_is_refused() {
    let world = World::new();
    let a = initialised(&world);
    a.git(&["add", "x.bin", "set/part"]).ok();
    refused(&a, "x.bin", &["`x.bin`", "Git", "git rm -r --cached x.bin"]);
    refused(&a, "set", &["Git", "git rm -r --cached"]);
    a.git(&["rm", "-r", "--quiet", "--cached", "x.bin"]).ok();
    a.haul(&["add", "x.bin"]).ok();
}

#[test]
fn a_pointer_is_not_tracked_itself() {
    let world = World::new();
    let a = initialised(&world);
    a.haul(&["add", "x.bin"]).ok();
    refused(&a, "x.bin.haul", &["`x.bin.haul`", "haul add x.bin"]);
    a.write("new.haul", b"not a pointer at all");
    refused(&a, "new.haul", &["`new.haul`"]);
}

#[test]
fn a_link_at_the_top_is_refused() {
    let world = World::new();
    let a = initialised(&world);
    a.link("x.bin", "link");
    a.link("nowhere", "dangling");
    a.link("set", "link-to-set");
    for name in ["link", "dangling", "link-to-set"] {
        refused(&a, name, &[&format!("`{name}`"), "symbolic link", "git add"]);
    }
    refused(&a, "link-to-set/part", &["link-to-set"]);
}

#[test]
fn a_folder_that_holds_pointers_is_refused() {
    let world = World::new();
    let a = initialised(&world);
    a.haul(&["add", "set/part"]).ok();
    refused(&a, "set", &["`set`", "`set/part.haul`"]);
    // A pointer that only lies there, too: Git would take it for one later.
    a.write("other/y.haul", a.text("set/part.haul").as_bytes());
    refused(&a, "other", &["`other/y.haul`"]);
    // And two arguments, one inside the other.
    a.write("fresh/deep/z", b"content");
    let before = a.tree();
    a.haul(&["add", "fresh", "fresh/deep"]).fails_with(1).says("`fresh/deep`").says("hint: ");
    before.assert_same(&a.tree());
}

#[test]
fn the_repository_itself_is_refused() {
    let world = World::new();
    let a = initialised(&world);
    refused(&a, ".", &["is the repository itself"]);
    refused(&a, a.path("").to_str().expect("is UTF-8"), &["is the repository itself"]);
}

#[test]
fn what_steers_git_or_haul_is_refused() {
    let world = World::new();
    let a = initialised(&world);
    a.git(&["rm", "--quiet", "--cached", "haul.toml", ".gitattributes"]).ok();
    for name in [".git", ".git/config", ".gitattributes", "haul.toml"] {
        refused(&a, name, &[&format!("`{name}`")]);
    }
    a.write("set/.git/config", b"a repository in the folder");
    refused(&a, "set", &["set/.git"]);
}

#[test]
fn sockets_fifos_and_devices_are_refused() {
    let world = World::new();
    let a = initialised(&world);
    a.run("mkfifo", &["fifo", "set/fifo"]).ok();
    refused(&a, "fifo", &["`fifo`", "FIFO"]);
    refused(&a, "set", &["`set/fifo`", "FIFO"]);
    a.remove("set/fifo");
    let _socket = UnixListener::bind(a.path("set/socket")).expect("makes a socket");
    refused(&a, "set", &["`set/socket`", "socket"]);
    a.remove("set/socket");
    a.haul(&["add", "/dev/null"]).fails_with(1).says("/dev/null").says("outside");
    a.haul(&["add", "set"]).ok();
}

#[test]
fn a_device_file_and_a_socket_are_refused_at_the_top_and_in_a_folder() {
    let world = World::new();
    let a = initialised(&world);
    let _socket = UnixListener::bind(a.path("socket")).expect("makes a socket");
    refused(&a, "socket", &["`socket`", "socket"]);
    if a.run("mknod", &["null", "c", "1", "3"]).status() != Some(0) {
        skipped("only root makes device files");
        return;
    }
    refused(&a, "null", &["`null`", "device"]);
    std::fs::rename(a.path("null"), a.path("set/null")).expect("renames");
    refused(&a, "set", &["`set/null`", "device"]);
    a.run("mknod", &["set/block", "b", "7", "99"]).ok();
    a.remove("set/null");
    refused(&a, "set", &["`set/block`", "device"]);
    a.remove("set/block");
    a.haul(&["add", "set"]).ok();
    // In place of a file that is there already, neither read nor followed.
    a.remove("set/part");
    a.run("mknod", &["set/part", "c", "1", "5"]).ok();
    refused(&a, "set", &["`set/part`", "device"]);
    a.haul(&["status"]).ok().prints("set/part");
    a.haul(&["checkout"]).fails_with(1).says("`set/part`");
}

#[test]
fn of_several_paths_one_bad_one_stops_all() {
    let world = World::new();
    let a = initialised(&world);
    let before = a.tree();
    a.haul(&["add", "x.bin", "set", "no-such"]).fails_with(1).says("`no-such`");
    before.assert_same(&a.tree());
}

#[test]
fn a_refusal_as_json_names_message_hint_and_exit_code() {
    let world = World::new();
    let a = initialised(&world);
    let document = a.haul(&["add", "--json", "no-such"]).fails_with(1).json();
    assert_eq!(document["error"]["exit"], 1, "{document}");
    assert!(document["error"]["hint"].is_string(), "{document}");
    assert!(document["error"]["message"].as_str().is_some_and(|m| m.contains("no-such")));
}

#[test]
fn a_pointer_of_a_newer_haul_is_never_overwritten() {
    let world = World::new();
    let a = initialised(&world);
    a.haul(&["add", "x.bin"]).ok();
    a.write("x.bin.haul", a.text("x.bin.haul").replace("haul 1", "haul 2").as_bytes());
    a.write("x.bin", b"changed");
    refused(&a, "x.bin", &["`x.bin`", "a newer haul is needed"]);
    refused(&a, "-u", &["`x.bin`", "a newer haul is needed"]);
}
