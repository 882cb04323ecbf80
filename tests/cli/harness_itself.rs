//! The harness is what all other tests rest on, so it is tested too.

use crate::harness::{World, data};

#[test]
fn a_tree_sees_bytes_modes_links_and_empty_folders() {
    let world = World::new();
    let a = world.folder("a");
    a.write("x/file", b"bytes");
    a.mkdir("x/empty");
    a.link("file", "x/link");
    let before = a.tree();
    assert_eq!(before.paths(), ["x", "x/empty", "x/file", "x/link"]);
    before.assert_same(&a.tree());

    a.write("x/file", b"bytez");
    assert_eq!(before.differences(&a.tree()).len(), 1);
    a.write("x/file", b"bytes");
    a.set_executable("x/file", true);
    assert_eq!(before.differences(&a.tree()).len(), 1);
    a.set_executable("x/file", false);
    a.remove("x/link");
    a.link("empty", "x/link");
    assert_eq!(before.differences(&a.tree()).len(), 1);
    a.remove("x/empty");
    assert_eq!(before.differences(&a.tree()).len(), 2);
    before.clone().without("x").assert_same(&a.tree().without("x"));
    assert_eq!(a.tree_of("x").paths(), ["file", "link"]);
    assert!(a.has("x/link"), "a dangling link is there");
    let mut adopted = before.clone().without("x/link");
    adopted.adopt("x/link", &before, "x/link");
    adopted.assert_same(&before);
}

#[test]
fn a_clone_has_what_was_committed_and_runs_by_the_worlds_settings() {
    let world = World::new();
    let a = world.repo("a");
    a.write("file", b"text");
    a.git(&["add", "file"]).ok();
    a.commit("one");
    let b = a.clone_as("b");
    b.tree().assert_same(&a.tree());
    assert_eq!(b.text("file"), "text");
    assert_eq!(b.git(&["branch", "--show-current"]).ok().stdout(), "main\n");
    b.git(&["log", "-1", "--format=%ae"]).ok().prints("test@example.com");
    b.git(&["rev-parse", "no-such"]).fails_with(128).says("fatal");
    world.folder("bare").git(&["rev-parse", "--git-dir"]).fails_with(128);
    assert!(world.home().starts_with(world.path("")));
}

#[test]
fn a_remote_is_seen_from_outside() {
    let world = World::new();
    let remote = world.remote("r");
    assert!(remote.keys("").is_empty());
    world.folder("r").write("p/00/one", b"123");
    world.folder("r").write("i/two", b"4");
    assert_eq!(remote.keys(""), ["i/two", "p/00/one"]);
    assert_eq!((remote.bytes("p/"), remote.bytes("")), (3, 4));
    assert_eq!(remote.read("p/00/one"), b"123");
    remote.write("p/00/one", b"damaged");
    assert_eq!(remote.bytes("p/"), 7);
    remote.remove("p/00/one");
    assert!(remote.keys("p/").is_empty());
    assert_eq!(remote.path(), remote.as_arg());
}

#[test]
fn data_is_the_same_for_the_same_seed() {
    assert_eq!(data::bytes(1, 10), data::bytes(1, 20)[..10]);
    assert_ne!(data::bytes(1, 10), data::bytes(2, 10));

    let table = data::csv(1, 100);
    assert!(table.starts_with(&data::csv(1, 50)));
    let edited = data::edit_csv(&table, 2, 10..12);
    let lines = |table: &[u8]| -> Vec<String> {
        String::from_utf8(table.to_vec()).expect("is text").lines().map(str::to_owned).collect()
    };
    let changed: Vec<usize> =
        (0..=100).filter(|&n| lines(&table)[n] != lines(&edited)[n]).collect();
    assert_eq!(changed, [11, 12]);

    let old = data::safetensors(&[1], 3, 100);
    let new = data::safetensors(&[1, 1, 2], 3, 100);
    assert_eq!(old.len(), new.len());
    assert_eq!(old[..old.len() - 400], new[..new.len() - 400]);
    assert_ne!(old, new);
}
