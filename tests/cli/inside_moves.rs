//! `mv` out of a tracked folder, into one, and from one to another: with the data, and in clones that
//! have none of it.

use crate::harness::{Remote, Repo, World, data};
use crate::push::{ready, send};
use crate::scene::{number, states};

/// Two tracked folders and two tracked files on the remote, and an empty clone of it.
fn pushed<'a>(world: &'a World, remote: &Remote) -> (Repo<'a>, Repo<'a>) {
    let a = ready(world, "a", remote);
    for name in 0..30 {
        a.write(format!("data/train/{name:02}.bin"), &data::bytes(name, 90_000));
    }
    a.write("data/large.bin", &data::bytes(50, 700_000));
    a.write("data/notes.txt", b"notes");
    a.write("data/nothing.txt", b"");
    a.write("data/run.sh", b"#!/bin/sh\n# of more bytes than a manifest itself takes in\n");
    a.set_executable("data/run.sh", true);
    a.mkdir("data/empty");
    a.link("notes.txt", "data/link");
    a.write("more/x.bin", &data::bytes(60, 80_000));
    a.write("own.bin", &data::bytes(61, 600_000));
    a.write("few.txt", b"few");
    for path in ["data", "more", "own.bin", "few.txt"] {
        send(&a, path);
    }
    a.git(&["add", "-A"]).ok();
    a.commit_nothing();
    let b = a.clone_as("b");
    (a, b)
}

/// Does each move in a repository with the data and in one without, and requires the same pointers of
/// both, that nothing of the first was taken for changed, and that a fresh clone of the second, which
/// pushes, has what stands in the first.
fn moves(a: &Repo, b: &Repo, moves: &[(&str, &str)]) {
    for (from, to) in moves {
        a.haul(&["mv", from, to]).ok().says("with its data");
        b.haul(&["mv", from, to]).ok().says("without data");
        assert_eq!(a.git(&["status", "--porcelain"]).ok().stdout().matches('?').count(), 0);
    }
    assert_eq!(states(a), Vec::<String>::new());
    let list = ["ls-files", "-s"];
    assert_eq!(a.git(&list).ok().stdout(), b.git(&list).ok().stdout());
    b.commit("moved");
    let sent = number(&b.haul(&["push", "--json"]).ok(), "/sent_bytes");
    assert!(sent < 60_000, "{sent} bytes were sent, and no content is new");
    b.haul(&["verify"]).ok();
    let c = b.clone_as("c");
    c.haul(&["pull"]).ok();
    c.haul(&["fsck"]).ok();
    for name in ["data", "more"] {
        c.tree_of(name).assert_same(&a.tree_of(name));
        // What was made from the manifest alone is what an add of the whole folder makes.
        c.haul(&["add", name]).ok().says("nothing changed");
    }
    for (from, to) in moves {
        if let Ok(expected) = std::fs::read(a.path(to)) {
            assert_eq!(c.read(to), expected, "{from} -> {to}");
        }
    }
}

#[test]
fn files_move_out_of_a_folder_with_and_without_data() {
    let world = World::new();
    let (a, b) = pushed(&world, &world.remote("r"));
    let list: [(&str, &str); 5] = [
        ("data/train/00.bin", "zero.bin"),
        ("data/large.bin", "models/large.bin"),
        ("data/notes.txt", "notes.txt"),
        ("data/nothing.txt", "nothing.txt"),
        ("data/run.sh", "bin/run.sh"),
    ];
    moves(&a, &b, &list);
    assert!(a.text("models/.gitignore").contains("/large.bin"));
    assert!(a.text("bin/run.sh.haul").contains("mode exec"));
    assert!(!a.has("data/large.bin") && !b.has("models/large.bin"));
}

#[test]
fn folders_move_out_of_a_folder_with_and_without_data() {
    let world = World::new();
    let (a, b) = pushed(&world, &world.remote("r"));
    a.mkdir("sets");
    b.mkdir("sets");
    moves(&a, &b, &[("data/train", "sets"), ("data/empty", "empty")]);
    assert!(a.has("sets/train/00.bin") && a.text("sets/train.haul").contains("files 30"));
    let c = a.path("../c");
    assert_eq!(std::fs::read(c.join("sets/train/29.bin")).expect("came"), data::bytes(29, 90_000));
    assert!(c.join("empty").is_dir());
}

#[test]
fn tracked_paths_move_into_a_folder_with_and_without_data() {
    let world = World::new();
    let (a, b) = pushed(&world, &world.remote("r"));
    let list: [(&str, &str); 3] = [
        ("own.bin", "data/train/own.bin"),
        ("few.txt", "data/few.txt"),
        ("more", "data/empty/more"),
    ];
    for (from, to) in list {
        a.haul(&["mv", from, to]).ok().says("with its data");
        b.haul(&["mv", from, to]).ok().says("without data");
        assert!(!a.has(format!("{from}.haul")) && !a.has(from));
    }
    assert_eq!(a.read("data.haul"), b.read("data.haul"));
    assert_eq!(states(&a), Vec::<String>::new());
    assert!(!a.text(".gitignore").contains("own.bin"), "{}", a.text(".gitignore"));
    b.commit("moved");
    b.haul(&["push"]).ok();
    let c = b.clone_as("c");
    c.haul(&["pull"]).ok();
    c.tree_of("data").assert_same(&a.tree_of("data"));
    c.haul(&["add", "data"]).ok().says("nothing changed");
    assert_eq!(c.read("data/empty/more/x.bin"), data::bytes(60, 80_000));
}

#[test]
fn paths_move_from_one_folder_to_another_with_and_without_data() {
    let world = World::new();
    let (a, b) = pushed(&world, &world.remote("r"));
    let list: [(&str, &str); 4] = [
        ("data/train", "more/train"),
        ("data/link", "more/link"),
        ("data/large.bin", "more/"),
        ("more/x.bin", "data/x.bin"),
    ];
    let named = |to: &str| if to == "more/" { "more/large.bin".to_owned() } else { to.to_owned() };
    moves(&a, &b, &list);
    for (from, to) in list {
        assert!(!a.has(from) && std::fs::symlink_metadata(a.path(named(to))).is_ok());
    }
    // The name of a tracked folder that is not here takes in as well.
    b.haul(&["mv", "more/link", "data"]).ok().prints("moved     more/link -> data/link");
}

#[test]
fn a_move_across_folders_refuses_what_would_be_lost_and_changes_nothing() {
    let world = World::new();
    let (a, b) = pushed(&world, &world.remote("r"));
    a.write("mine.txt", b"mine");
    let before = (a.tree(), b.tree());
    for repo in [&a, &b] {
        for (from, to, words) in [
            ("data/link", "link", "is a symlink"),
            ("data/notes.txt", "more/x.bin", "has something there already"),
            ("data/notes.txt", "more/x.bin/y", "has something there already"),
            ("few.txt", "own.bin/few.txt", "is a file"),
            ("few.txt", "data/notes.txt", "has something there already"),
            ("data/notes.txt", "few.txt", "`few.txt` is there already"),
            ("data/train", "data/train/sub", "one lies in the other"),
            ("data/notes.txt", "new\nline", "cannot move"),
        ] {
            repo.haul(&["mv", from, to]).fails_with(1).says(words);
        }
    }
    a.haul(&["mv", "data/notes.txt", "mine.txt"]).fails_with(1).says("is there already");
    let told = a.haul(&["mv", "--dry-run", "data/notes.txt", "more/"]).ok();
    told.says("would move 1 path, 1 file, 5 B").prints("more/notes.txt");
    a.haul(&["mv", "--dry-run", "data/train", "train"]).ok().says("30 files");
    a.haul(&["mv", "--dry-run", "few.txt", "data/few.txt"]).ok();
    a.tree().assert_same(&before.0);
    b.tree().assert_same(&before.1);
}

#[test]
fn a_move_across_folders_that_was_cut_short_is_completed_by_the_same_command() {
    let world = World::new();
    let (a, _) = pushed(&world, &world.remote("r"));
    for (from, to) in
        [("data/notes.txt", "notes.txt"), ("data/train", "train"), ("few.txt", "more/few.txt")]
    {
        // Git's index is locked where the ignore lines are to be staged: the data has moved by then.
        a.write(".git/index.lock", b"");
        a.haul(&["mv", from, to]).fails_with(1).says("index.lock");
        assert!(a.has(to) && !a.has(from));
        a.remove(".git/index.lock");
        a.haul(&["mv", from, to]).ok();
        assert_eq!(states(&a), Vec::<String>::new());
    }
    a.haul(&["mv", "more/x.bin", "data/train-x.bin"]).ok();
    a.haul(&["add", "-u"]).ok().says("nothing changed");
}

#[test]
fn a_tracked_folder_that_gave_its_last_file_away_stays_and_is_empty() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    for path in ["d/one/x.bin", "e/y.bin"] {
        a.write(path, &data::bytes(1, 5000));
    }
    send(&a, "d");
    send(&a, "e");
    for (from, to) in [("d/one/x.bin", "x.bin"), ("e/y.bin", "d/y.bin")] {
        a.haul(&["mv", from, to]).ok();
    }
    assert!(a.has("e") && !a.has("d/one"));
    assert_eq!(states(&a), Vec::<String>::new());
}
