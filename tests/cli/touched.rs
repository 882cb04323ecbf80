//! Large files whose stamps changed, and of which the bytes did or did not.

use std::time::{Duration, SystemTime};

use crate::add_push::pulled;
use crate::harness::{Output, Remote, Repo, World, data};
use crate::scene::{assert_clean, save, shared};

const SIZE: usize = 20 << 20;

/// A file of several hundred chunks, alone and in a folder, of which all is remembered.
fn scene(world: &World) -> Repo<'_> {
    let a = shared(world);
    a.write("x.bin", &data::bytes(1, SIZE));
    a.write("d/y.bin", &data::bytes(2, SIZE));
    // What changed a moment ago is not remembered: another change might have the same stamp.
    std::thread::sleep(Duration::from_millis(100));
    save(&a, &["x.bin", "d"], "data");
    a
}

/// Gives a file another time, an hour ago or so.
fn touch(a: &Repo<'_>, name: &str, minutes: u64) {
    let file = std::fs::File::options().append(true).open(a.path(name)).expect("opens");
    let time = SystemTime::now() - Duration::from_secs(60 * minutes);
    file.set_modified(time).expect("sets its time");
}

/// Changes a byte in place.
fn change(a: &Repo<'_>, name: &str, at: usize) -> Vec<u8> {
    let mut bytes = a.read(name);
    *bytes.get_mut(at).expect("is so long") ^= 1;
    a.write(name, &bytes);
    touch(a, name, 30);
    bytes
}

fn add(a: &Repo<'_>) -> Output {
    a.haul(&["add", "x.bin", "d", "--progress", "json"]).ok()
}

/// How many bytes a task of an add had before it.
fn total(output: &Output, task: &str) -> u64 {
    let lines = output.stderr().lines();
    let events =
        lines.map(|line| serde_json::from_str::<serde_json::Value>(line).expect("is JSON"));
    let is = |event: &serde_json::Value, key, value| event.get(key).is_some_and(|it| it == value);
    let begins = events.filter(|event| is(event, "event", "begin") && is(event, "task", task));
    begins.filter_map(|event| event.get("total")?.as_u64()).sum()
}

#[test]
fn what_was_only_touched_is_hashed_and_not_taken_in_again() {
    let world = World::new();
    let a = scene(&world);
    let (x, d) = (a.text("x.bin.haul"), a.text("d.haul"));
    for minutes in [60, 50] {
        touch(&a, "x.bin", minutes);
        touch(&a, "d/y.bin", minutes);
        let added = add(&a).prints("unchanged x.bin").prints("unchanged d");
        assert_eq!((total(&added, "check"), total(&added, "add")), (2 * SIZE as u64, 0));
        assert!((a.text("x.bin.haul"), a.text("d.haul")) == (x.clone(), d.clone()));
        // By the new stamp it is remembered once that is old enough to show another change: by now.
        std::thread::sleep(Duration::from_millis(100));
        assert_eq!(total(&add(&a), "add"), 0);
        let again = add(&a);
        assert_eq!((total(&again, "check"), total(&again, "add")), (0, 0));
    }
    assert_clean(&a);
    a.haul(&["push"]).ok();
    pulled(&a);
}

#[test]
fn a_byte_that_changed_is_found_wherever_it_is() {
    let world = World::new();
    let a = scene(&world);
    // Among what is looked at first, and not.
    for at in [0, SIZE - 1, SIZE / 3 + 77, SIZE / 7] {
        let x = change(&a, "x.bin", at);
        let y = change(&a, "d/y.bin", at);
        let added = add(&a).prints("updated   x.bin").prints("updated   d");
        assert_eq!(total(&added, "add"), 2 * SIZE as u64, "{at}");
        a.remove("x.bin");
        a.remove("d/y.bin");
        a.haul(&["checkout"]).ok();
        assert!(a.read("x.bin") == x && a.read("d/y.bin") == y, "{at}");
        std::thread::sleep(Duration::from_millis(100));
        add(&a);
    }
}

#[test]
fn what_is_remembered_and_cannot_be_read_is_taken_in_again() {
    for damaged in [false, true] {
        let world = World::new();
        let a = scene(&world);
        let (x, y) = (a.read("x.bin"), a.read("d/y.bin"));
        a.haul(&["push"]).ok();
        // Packs that the remote has may be removed. Of damaged ones the first that is read is told.
        let packs = Remote::at(a.path(".git/haul/packs"));
        for key in packs.keys("") {
            if damaged {
                packs.write(&key, &vec![0; packs.read(&key).len()]);
            } else {
                packs.remove(&key);
            }
        }
        touch(&a, "x.bin", 60);
        let added = a.haul(&["add", "x.bin", "--progress", "json"]).ok();
        assert_eq!(total(&added, "add"), SIZE as u64);
        assert_eq!(added.stderr().contains("damaged"), damaged, "{added}");
        assert!(a.read("x.bin") == x && a.read("d/y.bin") == y);
        a.haul(&["push"]).ok();
        pulled(&a);
    }
}

#[test]
fn a_file_that_becomes_shorter_while_it_is_hashed_is_taken_in_as_it_is() {
    let world = World::new();
    let a = scene(&world);
    touch(&a, "x.bin", 60);
    let paused = a.pause_haul(&["add", "x.bin"], "worktree.read");
    let shorter = data::bytes(1, SIZE / 2);
    a.write("x.bin", &shorter);
    paused.let_go().ok().prints("updated   x.bin");
    a.remove("x.bin");
    a.haul(&["checkout"]).ok();
    assert!(a.read("x.bin") == shorter);
}
