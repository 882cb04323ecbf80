//! More files than are looked at together.

use std::time::Duration;

use crate::harness::{Repo, World, data};
use crate::scene::{assert_clean, number, save, shared, states};

/// Files that `add`, `status` and `checkout` look at together.
const TOGETHER: usize = 16_384;

fn name(number: usize) -> String {
    format!("d/{:02}/{number:05}.txt", number / 1000)
}

/// Content that is a chunk of its own: too long for a manifest.
fn line(number: usize, version: u32) -> Vec<u8> {
    format!("{number:050} in version {version}\n").into_bytes()
}

/// Adds and commits more small files than that, and between and behind them by name files of several chunks and one
/// that is too large for memory.
fn scene(world: &World) -> Repo<'_> {
    let a = shared(world);
    for number in 0..TOGETHER + 9 {
        a.write(name(number), &line(number, 0));
    }
    for cut in ["d/05/cut.bin", "d/16/cut.bin"] {
        a.write(cut, &data::bytes(cut.len() as u64, 300_000));
    }
    a.write("d/07/large.bin", &data::bytes(2, 9 << 20));
    // What changed a moment ago is not remembered: another change might have the same stamp.
    std::thread::sleep(Duration::from_millis(100));
    save(&a, &["d"], "data");
    assert_clean(&a);
    a
}

#[test]
fn more_files_than_are_looked_at_together_are_added_compared_and_brought() {
    let world = World::new();
    let a = scene(&world);
    // What is cut as before is found by the old manifest alone.
    let pointer = a.text("d.haul");
    a.remove(".git/haul/stat.redb");
    let again = a.haul_with(&["add", "d", "--json"], &[("HAUL_ADD_PROFILE", "m16.1")]).ok();
    assert_eq!(number(&again, "/new_bytes"), 0);
    assert_eq!(a.text("d.haul"), pointer);
    a.haul(&["push"]).ok();
    let b = a.clone_as("b");
    b.haul(&["pull"]).ok();
    b.tree().assert_same(&a.tree());

    // The first and the last of a list, the first of the next, and those that lie between.
    let changed = [0, TOGETHER - 3, TOGETHER - 2, TOGETHER - 1, TOGETHER, TOGETHER + 8];
    for number in changed {
        a.write(name(number), &line(number, 1));
    }
    let large = [data::bytes(3, 100), data::bytes(2, 9 << 20)].concat();
    a.write("d/07/large.bin", &large);
    a.remove(name(TOGETHER - 4));
    let mut expected: Vec<String> =
        changed.iter().map(|number| format!("modified {}", name(*number))).collect();
    expected.extend(["modified d/07/large.bin".to_owned()]);
    expected.extend([format!("missing {}", name(TOGETHER - 4))]);
    let path = |state: &String| state.split_once(' ').map(|(_, path)| path.to_owned());
    expected.sort_by_key(path);
    assert_eq!(states(&a), expected);
    std::thread::sleep(Duration::from_millis(100));
    let added = a.haul(&["add", "d", "--json"]).ok();
    let lines: usize = changed.iter().map(|number| line(*number, 1).len()).sum();
    let new = number(&added, "/new_bytes");
    // Of the large file only what the insertion moved.
    assert!(new > lines as u64 && new < 1 << 20, "{new}");
    assert_eq!(number(&added, "/files"), TOGETHER as u64 + 11);
    a.git(&["add", "-A"]).ok();
    a.commit("changed");
    assert_clean(&a);
    a.haul(&["push"]).ok();
    b.git(&["pull", "--quiet"]).ok();
    let pulled = b.haul(&["pull", "--json"]).ok();
    assert_eq!(number(&pulled, "/checkout/written"), changed.len() as u64 + 1, "{pulled}");
    b.tree().assert_same(&a.tree());
    assert_clean(&b);
    // Work of the user in the first and in the last list stops all of it, before anything is changed.
    for number in [0, TOGETHER, TOGETHER + 8] {
        a.write(name(number), &line(number, 2));
    }
    save(&a, &["d"], "more");
    a.haul(&["push"]).ok();
    b.git(&["pull", "--quiet"]).ok();
    b.write(name(0), b"mine");
    b.write(name(TOGETHER + 8), b"mine too");
    let before = b.tree();
    b.haul(&["pull"]).fails_with(1).says(&name(0)).says(&name(TOGETHER + 8));
    b.tree().assert_same(&before);
    let pulled = b.haul(&["pull", "--force", "--json"]).ok();
    assert_eq!(number(&pulled, "/checkout/written"), 3, "{pulled}");
    b.tree().assert_same(&a.tree());
}

#[test]
fn one_folder_of_more_names_than_one_core_looks_at() {
    let world = World::new();
    let a = shared(&world);
    let file = |number: usize| format!("d/{number:04}.txt");
    for number in 0..2_600 {
        a.write(file(number), &line(number, 0));
    }
    a.write("d/.haulignore", b"*.tmp\n");
    for name in ["d/0001.tmp", "d/1500.tmp", "d/2599.tmp"] {
        a.write(name, b"not wanted");
    }
    a.link("0000.txt", "d/1100.link");
    a.mkdir("d/1200");
    a.write("d/1300/inside.txt", &line(0, 7));
    std::thread::sleep(Duration::from_millis(100));
    let added = a.haul(&["add", "d", "--json"]).ok();
    assert_eq!(number(&added, "/files"), 2_600 + 4);
    save(&a, &["d"], "data");
    assert_clean(&a);
    a.haul(&["push"]).ok();
    let b = a.clone_as("b");
    b.haul(&["pull"]).ok();
    for name in ["d/0001.tmp", "d/1500.tmp", "d/2599.tmp"] {
        a.remove(name);
    }
    b.tree().assert_same(&a.tree());

    for number in [0, 1_023, 1_024, 2_599] {
        a.write(file(number), &line(number, 1));
    }
    a.remove(file(2_048));
    a.write("d/1200/filled.txt", b"x");
    a.write("d/1200-more", b"sorts before what is in the folder of that name");
    assert_eq!(
        states(&a),
        [
            "modified d/0000.txt",
            "modified d/1023.txt",
            "modified d/1024.txt",
            "untracked d/1200-more",
            "untracked d/1200/filled.txt",
            "missing d/2048.txt",
            "modified d/2599.txt",
        ]
    );
}
