//! `add`, `rm`, `mv` and `untrack` of single paths inside a tracked folder, whose other files need not
//! be here.

use std::fs;
use std::thread;
use std::time::Duration;

use crate::harness::{Remote, Repo, World, data};
use crate::push::{ready, send};
use crate::scene::{number, states};

/// A folder of several files on the remote, and an empty clone of it.
fn pushed<'a>(world: &'a World, remote: &Remote) -> (Repo<'a>, Repo<'a>) {
    let a = ready(world, "a", remote);
    for name in 0..40 {
        a.write(format!("data/train/{name:02}.bin"), &data::bytes(name, 90_000));
    }
    a.write("data/notes.txt", b"notes");
    a.mkdir("data/empty");
    send(&a, "data");
    a.git(&["add", "-A"]).ok();
    a.commit_nothing();
    let b = a.clone_as("b");
    (a, b)
}

/// Commits, pushes, and requires that a fresh clone has the tree of `expected`.
fn arrives(repo: &Repo, name: &str, expected: &Repo) {
    repo.commit("changed");
    repo.haul(&["push"]).ok();
    let c = repo.clone_as(name);
    c.haul(&["pull"]).ok();
    c.tree_of("data").assert_same(&expected.tree_of("data"));
    c.haul(&["verify"]).ok();
    // What was made from the manifest alone is what an add of the whole folder makes.
    let root = c.read("data.haul");
    c.haul(&["add", "data"]).ok().says("nothing changed");
    assert_eq!(c.read("data.haul"), root);
}

#[test]
fn one_file_is_added_to_a_tracked_folder_of_which_nothing_is_here() {
    let world = World::new();
    let (a, b) = pushed(&world, &world.remote("r"));
    b.write("data/train/new.bin", &data::bytes(100, 70_000));
    b.write("data/train/07.bin", &data::bytes(107, 95_000));
    b.haul(&["add", "--dry-run", "data/train/new.bin"]).ok().says("would add 1 file");
    let report = b.haul(&["add", "--json", "data/train/new.bin", "data/train/07.bin"]).ok().json();
    let change = |at: usize| report["targets"][at]["change"].as_str().expect("is text").to_owned();
    assert_eq!((change(0), change(1)), ("updated".to_owned(), "added".to_owned()));
    // The others are neither here nor gone.
    assert!(!b.has("data/train/00.bin"));
    let told = b.haul(&["ls", "--recursive", "data"]).ok();
    assert!(told.stdout().lines().count() >= 43, "{}", told.stdout());
    a.write("data/train/new.bin", &data::bytes(100, 70_000));
    a.write("data/train/07.bin", &data::bytes(107, 95_000));
    arrives(&b, "c", &a);
}

#[test]
fn of_two_commands_at_a_time_in_one_folder_the_later_one_goes_on_from_the_earlier() {
    let world = World::new();
    let (a, b) = pushed(&world, &world.remote("r"));
    for name in ["first", "second"] {
        a.write(format!("data/train/{name}.bin"), name.as_bytes());
        b.write(format!("data/train/{name}.bin"), name.as_bytes());
    }
    fs::remove_file(a.path("data/train/00.bin")).expect("is there");
    // Its content is stored, and no pointer names it yet.
    let first = b.pause_haul(&["add", "data/train/first.bin"], "index.after-commit");
    thread::scope(|scope| {
        let second = scope.spawn(|| b.haul(&["add", "data/train/second.bin"]));
        let third = scope.spawn(|| b.haul(&["rm", "--force", "data/train/00.bin"]));
        // Long enough to have read the pointer, if they did not wait.
        thread::sleep(Duration::from_millis(500));
        first.let_go().ok();
        second.join().expect("ends").ok();
        third.join().expect("ends").ok();
    });
    arrives(&b, "c", &a);
}

#[test]
fn adding_a_file_fetches_no_content_and_the_push_sends_only_it() {
    let world = World::new();
    let (_, b) = pushed(&world, &world.remote("r"));
    b.write("data/train/new.bin", &data::bytes(100, 70_000));
    b.haul(&["add", "data/train/new.bin"]).ok();
    b.commit("one more");
    let sent = number(&b.haul(&["push", "--json"]).ok(), "/sent_bytes");
    assert!(sent < 100_000, "{sent} bytes were sent for a file of 70,000");
    assert_eq!(b.haul(&["push"]).ok().stderr().matches("nothing to send").count(), 1);
}

#[test]
fn a_folder_inside_a_tracked_one_is_added_as_a_unit_and_the_rest_stays() {
    let world = World::new();
    let (a, b) = pushed(&world, &world.remote("r"));
    b.haul(&["pull", "data/train"]).ok();
    b.remove("data/train/03.bin");
    b.write("data/train/sub/x.txt", b"x");
    b.haul(&["add", "data/train"]).ok().prints("updated   data/train");
    a.remove("data/train/03.bin");
    a.write("data/train/sub/x.txt", b"x");
    arrives(&b, "c", &a);
}

#[test]
fn links_empty_folders_and_executable_bits_are_added_one_by_one() {
    let world = World::new();
    let (a, b) = pushed(&world, &world.remote("r"));
    for repo in [&a, &b] {
        repo.mkdir("data/nothing");
        repo.write("data/empty/run.sh", b"#!/bin/sh\n");
        repo.set_executable("data/empty/run.sh", true);
        repo.link("train/00.bin", "data/first");
    }
    b.haul(&["add", "data/nothing", "data/empty/run.sh", "data/first"]).ok();
    arrives(&b, "c", &a);
}

#[test]
fn unsaved_changes_elsewhere_in_the_folder_are_left_alone() {
    let world = World::new();
    let (a, _) = pushed(&world, &world.remote("r"));
    a.write("data/notes.txt", b"not yet");
    a.remove("data/train/05.bin");
    a.write("data/train/06.bin", b"this one");
    a.haul(&["add", "data/train/06.bin"]).ok();
    assert_eq!(states(&a), ["modified data/notes.txt", "missing data/train/05.bin"]);
    a.haul(&["add", "-u", "data/notes.txt"]).ok();
    assert_eq!(states(&a), ["missing data/train/05.bin"]);
    a.haul(&["checkout"]).ok();
    assert_eq!(a.read("data/train/05.bin"), data::bytes(5, 90_000));
    assert_eq!(a.text("data/notes.txt"), "not yet");
}

#[test]
fn add_says_what_it_cannot_take_into_a_folder() {
    let world = World::new();
    let (a, _) = pushed(&world, &world.remote("r"));
    a.haul(&["add", "data/train/gone.bin"]).fails_with(1).says("haul rm data/train/gone.bin");
    a.write("data/x.haul", &a.read("data.haul"));
    a.haul(&["add", "data/x.haul"]).fails_with(1).says("are pointers");
    a.remove("data/x.haul");
    a.haul(&["add", "data", "data/notes.txt"]).fails_with(1).says("not both");
    a.remove("data.haul");
    a.haul(&["add", "data/notes.txt"]).fails_with(1).says("is missing or damaged");
}

#[test]
fn rm_takes_paths_out_of_a_folder_of_which_nothing_is_here() {
    let world = World::new();
    let (a, b) = pushed(&world, &world.remote("r"));
    b.haul(&["rm", "--dry-run", "data/train/00.bin"])
        .ok()
        .says("would remove 1 path, 1 file, 87.9 KiB");
    b.haul(&["rm", "data/train/00.bin", "data/empty"]).ok().says("removed 2 paths, 0 files");
    // Another one before the commit: HEAD still says what it holds.
    b.haul(&["rm", "data/train/01.bin"]).ok();
    a.remove("data/train/00.bin");
    a.remove("data/train/01.bin");
    a.remove("data/empty");
    arrives(&b, "c", &a);
}

#[test]
fn rm_removes_the_file_and_keeps_what_was_changed() {
    let world = World::new();
    let (a, _) = pushed(&world, &world.remote("r"));
    a.haul(&["rm", "data/train/00.bin"]).ok().says("1 file of the worktree");
    assert!(!a.has("data/train/00.bin") && a.has("data/train/01.bin"));
    assert_eq!(states(&a), Vec::<String>::new());
    a.write("data/train/01.bin", b"changed");
    a.haul(&["rm", "data/train/01.bin"]).fails_with(1).says("`data/train/01.bin` has changes");
    a.write("data/new.txt", b"new");
    a.haul(&["add", "data/new.txt"]).ok();
    a.haul(&["rm", "data/new.txt"]).fails_with(1).says("is in no commit");
    let report = a.haul(&["rm", "--force", "--json", "data/train/01.bin"]).ok().json();
    let aside = report["aside"].as_str().expect("is a folder").to_owned() + "/data/train/01.bin";
    assert_eq!(fs::read(aside).expect("was put aside"), b"changed");
    a.haul(&["rm", "data/nobody"]).fails_with(1).says("has nothing of that name").says("haul ls");
    a.haul(&["rm", "data", "data/notes.txt"]).fails_with(1).says("not both");
    // All of it, file by file: what is left is an empty folder.
    a.commit("fewer");
    a.haul(&["rm", "data/train", "data/notes.txt", "data/new.txt", "data/empty", "--force"]).ok();
    assert_eq!(a.haul(&["ls", "--recursive", "data"]).ok().stdout(), "");
}

#[test]
fn mv_renames_inside_a_folder_with_and_without_data() {
    let world = World::new();
    let (a, b) = pushed(&world, &world.remote("r"));
    a.haul(&["mv", "data/train", "data/valid"]).ok().says("with its data");
    a.haul(&["mv", "data/notes.txt", "data/valid"]).ok();
    a.haul(&["mv", "data/valid/00.bin", "data/empty/zero.bin"]).ok();
    assert_eq!(states(&a), Vec::<String>::new());
    // Nothing was taken for changed: nothing is read, nothing is sent.
    a.haul(&["add", "-u"]).ok().says("nothing changed");
    b.haul(&["mv", "data/train", "data/valid"]).ok().says("without data");
    b.haul(&["mv", "data/notes.txt", "data/valid"]).ok();
    b.haul(&["mv", "data/valid/00.bin", "data/empty/zero.bin"]).ok();
    assert_eq!(a.read("data.haul"), b.read("data.haul"));
    arrives(&b, "c", &a);
}

#[test]
fn mv_inside_a_folder_takes_a_name_that_ends_like_a_pointer_as_it_is() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    a.write("d/a.haul", b"no pointer");
    a.write("d/b", b"b");
    a.haul(&["add", "d"]).ok();
    a.haul(&["mv", "d/a.haul", "d/c.haul"]).ok();
    a.haul(&["mv", "d/b", "d/x.haul"]).ok();
    assert_eq!(a.text("d/c.haul"), "no pointer");
    a.haul(&["ls", "-r", "d"]).ok().prints("d/c.haul").prints("d/x.haul");
    assert_eq!(states(&a), Vec::<String>::new());
}

#[test]
fn mv_inside_a_folder_refuses_what_would_be_lost() {
    let world = World::new();
    let (a, b) = pushed(&world, &world.remote("r"));
    let before = (a.tree(), b.tree());
    for repo in [&a, &b] {
        for (to, words) in [
            ("data/train/01.bin", "has something there already"),
            ("data/notes.txt/x", "has something there already"),
            ("data/train/00.bin/x", "one lies in the other"),
        ] {
            repo.haul(&["mv", "data/train/00.bin", to]).fails_with(1).says(words);
        }
    }
    a.tree().assert_same(&before.0);
    b.tree().assert_same(&before.1);
    a.write("data/untracked.txt", b"mine");
    a.haul(&["mv", "data/notes.txt", "data/untracked.txt"]).fails_with(1).says("already");
    assert_eq!(a.text("data/untracked.txt"), "mine");
    // What was moved by hand, or by a run that was cut short, is followed.
    fs::rename(a.path("data/notes.txt"), a.path("data/moved.txt")).expect("can be moved");
    a.haul(&["mv", "data/notes.txt", "data/moved.txt"]).ok();
    assert_eq!(states(&a), ["untracked data/untracked.txt"]);
}

#[test]
fn a_locked_index_stops_after_the_data_is_safe_and_says_what_to_stage() {
    let world = World::new();
    let (a, _) = pushed(&world, &world.remote("r"));
    for arguments in [
        &["rm", "data/train/00.bin"][..],
        &["mv", "data/train/01.bin", "data/one.bin"],
        &["untrack", "data/notes.txt"],
        &["add", "data/notes.txt"],
    ] {
        a.write(".git/index.lock", b"");
        a.haul(arguments).fails_with(1).says("index.lock").says("-- data.haul");
        a.remove(".git/index.lock");
        a.git(&["add", "data.haul"]).ok();
    }
    assert_eq!(states(&a), Vec::<String>::new());
}

#[test]
fn untrack_leaves_the_file_of_a_folder_to_the_user() {
    let world = World::new();
    let (a, b) = pushed(&world, &world.remote("r"));
    a.haul(&["untrack", "data/notes.txt"]).ok().says(".haulignore").says("the data stays");
    assert_eq!(a.text("data/notes.txt"), "notes");
    assert_eq!(states(&a), ["untracked data/notes.txt"]);
    a.commit("not tracked");
    a.haul(&["checkout"]).ok();
    assert_eq!(a.text("data/notes.txt"), "notes");
    b.haul(&["untrack", "data/notes.txt"]).fails_with(1).says("is not in the worktree");
}

#[test]
fn a_manifest_of_many_nodes_comes_out_as_an_add_of_the_whole_folder_makes_it() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    for name in 0..6000 {
        a.write(format!("data/{:03}/{name:05}-a-rather-long-name.txt", name / 50), b"small");
    }
    send(&a, "data");
    let b = a.clone_as("b");
    b.haul(&["rm", "data/077/03877-a-rather-long-name.txt"]).ok();
    b.write("data/022/new.txt", b"new");
    b.haul(&["add", "data/022/new.txt"]).ok();
    b.haul(&["mv", "data/099/04999-a-rather-long-name.txt", "data/000/"]).ok();
    a.remove("data/077/03877-a-rather-long-name.txt");
    a.write("data/022/new.txt", b"new");
    a.haul(&["mv", "data/099/04999-a-rather-long-name.txt", "data/000/"]).ok();
    a.haul(&["add", "data"]).ok();
    assert_eq!(a.read("data.haul"), b.read("data.haul"));
}
