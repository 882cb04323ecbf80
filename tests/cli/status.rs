use std::fs;

use crate::harness::{World, data};
use crate::scene::{assert_clean, save, shared, states};

#[test]
fn a_fresh_add_is_clean_against_its_pointer() {
    let world = World::new();
    let a = shared(&world);
    a.write("d/one", &data::bytes(1, 100));
    a.write("d/sub/two", &data::bytes(2, 300_000));
    a.write("f.bin", b"");
    save(&a, &["d", "f.bin"], "data");
    assert_clean(&a);
    a.haul(&["status", "--exit-code"]).ok();
}

#[test]
fn every_way_to_differ_has_its_own_state() {
    let world = World::new();
    let a = shared(&world);
    for name in ["same", "modified", "mode", "missing", "link", "folder"] {
        a.write(format!("d/{name}"), &data::bytes(1, 1000));
    }
    a.link("same", "d/pointing");
    a.mkdir("d/empty");
    a.write("single", b"one");
    a.write("gone", b"two");
    a.write("turned", b"three");
    save(&a, &["d", "single", "gone", "turned"], "data");

    a.write("d/modified", &data::bytes(2, 1000));
    a.set_executable("d/mode", true);
    a.remove("d/missing");
    a.remove("d/link");
    a.link("same", "d/link");
    a.remove("d/folder");
    a.write("d/folder/new", b"x");
    a.remove("d/pointing");
    a.link("elsewhere", "d/pointing");
    a.write("d/untracked", b"y");
    a.write("d/empty/filled", b"z");
    a.write("single", b"One");
    a.remove("gone");
    a.remove("turned");
    a.mkdir("turned");
    let mut found = states(&a);
    found.sort();
    assert_eq!(
        found,
        [
            "missing d/folder",
            "missing d/missing",
            "missing gone",
            "modified d/mode",
            "modified d/modified",
            "modified d/pointing",
            "modified single",
            "type-changed d/link",
            "type-changed turned",
            "untracked d/empty/filled",
            "untracked d/folder/new",
            "untracked d/untracked",
        ]
    );
    a.haul(&["status", "--exit-code"]).fails_with(1);
    a.haul(&["status"]).ok().prints("d/untracked");
}

#[test]
fn pointers_are_compared_with_head_and_the_remote() {
    let world = World::new();
    let a = shared(&world);
    a.write("old", b"1");
    save(&a, &["old"], "old");
    a.haul(&["push"]).ok();
    a.write("new", b"2");
    a.write("old", &data::bytes(1, 99));
    a.haul(&["add", "old", "new"]).ok();
    let rows = |a: &crate::harness::Repo<'_>| {
        let report = a.haul(&["status", "--json"]).ok().json();
        let rows = report["pointers"].as_array().expect("has rows").clone();
        let word =
            |row: &serde_json::Value, key: &str| row[key].as_str().expect("is text").to_owned();
        rows.iter()
            .map(|r| [word(r, "path"), word(r, "against_head"), word(r, "pushed")].join(" "))
            .collect::<Vec<_>>()
    };
    assert_eq!(rows(&a), ["new new no", "old changed no"]);
    a.commit("both");
    assert_eq!(rows(&a), ["new same no", "old same no"]);
    a.haul(&["push"]).ok();
    assert_eq!(rows(&a), ["new same yes", "old same yes"]);
}

#[test]
fn porcelain_lines_are_two_letters_a_tab_and_a_path() {
    let world = World::new();
    let a = shared(&world);
    a.write("d/x", b"1");
    a.write("d/new\nline", b"2");
    save(&a, &["d"], "data");
    a.haul(&["push"]).ok();
    a.write("d/x", b"3");
    a.remove("d/new\nline");
    a.write("d/more", b"4");
    let printed = a.haul(&["status", "--porcelain"]).ok().stdout().to_owned();
    let mut lines: Vec<&str> = printed.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["w?\td/more", "wD\td/new\\nline", "wM\td/x"]);
}

#[test]
fn status_reads_nothing_when_nothing_changed() {
    let world = World::new();
    let a = shared(&world);
    for n in 0..20 {
        a.write(format!("d/{n}"), &data::bytes(n, 5000));
    }
    a.write("large", &data::bytes(7, 3_000_000));
    save(&a, &["d", "large"], "data");
    // The first run may have to settle what was written an instant before the add.
    a.haul(&["status"]).ok();
    let advanced = |a: &crate::harness::Repo<'_>| {
        let output = a.haul(&["status", "--progress", "json", "--json"]).ok();
        let nothing = |line: &&str| line.contains("\"done\":0}") || !line.contains("done");
        let lines = output.stderr().lines().filter(|line| !nothing(line)).count();
        (lines, output.stderr().to_owned())
    };
    let (lines, events) = advanced(&a);
    assert_eq!(lines, 0, "{events}");
    let times = fs::FileTimes::new().set_modified(std::time::SystemTime::UNIX_EPOCH);
    fs::File::open(a.path("large")).expect("opens").set_times(times).expect("sets");
    let (lines, events) = advanced(&a);
    assert!(lines > 0, "a touched file is read: {events}");
    // An instant after the touch it may be read again: another change would not show yet.
    assert!((0..50).any(|_| advanced(&a).0 == 0), "not for ever");
}

#[test]
fn only_the_named_paths_are_looked_at() {
    let world = World::new();
    let a = shared(&world);
    a.write("d/sub/x", b"1");
    a.write("d/y", b"2");
    a.write("e", b"3");
    save(&a, &["d", "e"], "data");
    a.write("d/sub/x", b"4");
    a.write("d/y", b"5");
    a.write("e", b"6");
    let states = |arguments: &[&str]| {
        let report = a.haul(&[&["status", "--json"], arguments].concat()).ok().json();
        let entries = report["entries"].as_array().expect("has entries").clone();
        entries.iter().map(|e| e["path"].as_str().expect("is text").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(states(&["d/sub"]), ["d/sub/x"]);
    assert_eq!(states(&["d/y*"]), ["d/y"]);
    assert_eq!(states(&["e.haul"]), ["e"]);
    a.haul(&["status", "other"]).fails_with(1).says("not tracked").says("hint");
}

#[test]
fn a_damaged_pointer_is_a_state_and_not_the_end() {
    let world = World::new();
    let a = shared(&world);
    for name in ["a1", "b1", "c1"] {
        a.write(name, b"data");
    }
    save(&a, &["a1", "b1", "c1"], "data");
    a.write("a1.haul", b"haul 1\nkind file\n");
    a.remove("b1.haul");
    let theirs = a.text("c1.haul");
    a.write("c1.haul", format!("<<<<<<< HEAD\n{theirs}=======\n{theirs}>>>>>>> x\n").as_bytes());
    assert_eq!(states(&a), ["pointer-damaged a1", "pointer-missing b1", "conflict c1"]);
}

#[test]
fn deleting_the_stat_cache_changes_no_answer() {
    let world = World::new();
    let a = shared(&world);
    a.write("d/x", &data::bytes(1, 200_000));
    a.write("d/y", b"2");
    save(&a, &["d"], "data");
    a.write("d/y", b"3");
    let before = states(&a);
    a.remove(".git/haul/stat.redb");
    assert_eq!(states(&a), before);
    assert_eq!(before, ["modified d/y"]);
}

#[test]
fn what_cannot_be_tracked_inside_a_tracked_folder_is_a_state_and_not_the_end() {
    let world = World::new();
    let a = shared(&world);
    a.write("d/x", b"1");
    a.write("d/sub/y", b"2");
    a.write("f", b"3");
    save(&a, &["d", "f"], "data");
    a.write("d/x", b"4");
    a.remove("d/sub/y");
    a.run("mkfifo", &["d/pipe", "d/sub/y"]).ok();
    a.write("d/.gitmodules", b"5");
    a.write("d/nested/.git/config", b"6");
    a.write("d/p.haul", &a.read("f.haul"));
    a.write("d/new", b"7");
    let mut found = states(&a);
    found.sort();
    let all = [
        "modified d/x",
        "type-changed d/sub/y",
        "untrackable d/.gitmodules",
        "untrackable d/nested/.git",
        "untrackable d/p.haul",
        "untrackable d/pipe",
        "untracked d/new",
    ];
    assert_eq!(found, all);
    a.haul(&["status"]).ok().prints("cannot be tracked").prints("d/pipe");
    a.haul(&["status", "--porcelain"]).ok().prints("wN\td/pipe\n").prints("wM\td/x\n");
    a.haul(&["status", "--porcelain", "d/x"]).ok().prints("wM\td/x\n");
    assert!(!a.haul(&["status", "d/x"]).ok().stdout().contains("pipe"));
    // What is to be kept and sent is not held up by it.
    a.haul(&["push"]).ok();
    a.haul(&["checkout"]).fails_with(1).says("`d/x`").says("`d/sub/y`");
    a.haul(&["add", "d"]).fails_with(1).says("hint: ");
}

#[test]
fn a_pointer_that_is_no_plain_file_is_a_damaged_pointer() {
    let world = World::new();
    let a = shared(&world);
    for name in ["a1", "b1", "c1"] {
        a.write(name, b"data");
    }
    save(&a, &["a1", "b1", "c1"], "data");
    for name in ["a1.haul", "b1.haul", "c1.haul"] {
        a.remove(name);
    }
    a.run("mkfifo", &["a1.haul"]).ok();
    a.link("c1", "b1.haul");
    a.mkdir("c1.haul");
    assert_eq!(states(&a), ["pointer-damaged a1", "pointer-damaged b1", "pointer-damaged c1"]);
    for verb in ["checkout", "pull", "push", "fetch", "verify"] {
        a.haul(&[verb]).fails_with(1).says("`a1`").says("hint: ");
    }
}
