//! `haul add` of sound things.

use serde_json::Value;

use crate::harness::{Repo, Tree, World, data, skipped};

fn initialised(world: &World) -> Repo<'_> {
    let a = world.repo("a");
    a.haul(&["init"]).ok();
    a.commit("init");
    a
}

fn staged(repo: &Repo) -> Vec<String> {
    let list = repo.git(&["diff", "--cached", "--name-only", "-z"]).ok();
    list.stdout().split_terminator('\0').map(str::to_owned).collect()
}

fn changes(report: &Value) -> Vec<(&str, &str)> {
    let targets = report["targets"].as_array().expect("is a list");
    targets
        .iter()
        .map(|t| (t["path"].as_str().expect("is text"), t["change"].as_str().expect("is text")))
        .collect()
}

#[test]
fn a_file_gets_a_pointer_and_an_ignore_line_both_staged() {
    let world = World::new();
    let a = initialised(&world);
    let bytes = data::bytes(1, 300_000);
    a.write("sets/x.bin", &bytes);
    a.haul(&["add", "sets/x.bin"]).ok();
    let pointer = a.text("sets/x.bin.haul");
    let oid = blake3::hash(&bytes).to_hex();
    assert!(pointer.starts_with("haul 1\nkind file\n"), "{pointer}");
    assert!(pointer.contains(&format!("\noid b3:{oid}\nroot m64.1:")), "{pointer}");
    assert!(pointer.ends_with("\nsize 300000\n"), "{pointer}");
    assert_eq!(a.text("sets/.gitignore"), "/x.bin\n");
    assert_eq!(staged(&a), ["sets/.gitignore", "sets/x.bin.haul"]);
    assert_eq!(a.git(&["show", ":sets/x.bin.haul"]).ok().stdout(), pointer);
    assert_eq!(a.git(&["status", "--porcelain", "sets/x.bin"]).ok().stdout(), "");
    assert_eq!(a.read("sets/x.bin"), bytes);
}

#[test]
fn files_and_folders_are_added_together_from_any_folder() {
    let world = World::new();
    let a = initialised(&world);
    a.write("deep/here/one.bin", b"one");
    a.write("deep/set/part", b"two");
    a.write("top", b"three");
    let report = a.haul(&["-C", "deep/here", "add", "--json", "one.bin", "../set", "../../top"]);
    let report = report.ok().json();
    let expected = [("deep/here/one.bin", "added"), ("deep/set", "added"), ("top", "added")];
    assert_eq!(changes(&report), expected, "{report}");
    assert_eq!((&report["haul"], &report["verb"]), (&1.into(), &"add".into()));
    assert_eq!((&report["files"], &report["bytes"]), (&3.into(), &11.into()), "{report}");
    assert_eq!(staged(&a).len(), 6);
    assert!(a.text("deep/set.haul").starts_with("haul 1\nkind dir\nfiles 1\nroot "));
    a.haul(&["status", "--exit-code"]).ok();
}

#[test]
fn a_glob_names_what_is_there_and_passes_over_what_git_tracks() {
    let world = World::new();
    let a = initialised(&world);
    for name in ["one.bin", "two.bin", "mine.bin", "three.txt"] {
        a.write(name, name.as_bytes());
    }
    a.git(&["add", "mine.bin"]).ok();
    a.haul(&["add", "*.bin"]).ok();
    assert!(a.has("one.bin.haul") && a.has("two.bin.haul"));
    assert!(!a.has("mine.bin.haul") && !a.has("three.txt.haul"));
    a.haul(&["add", "*.none"]).fails_with(1).says("`*.none`").says("hint: ");
    a.write("odd[1].bin", b"a name that looks like a glob");
    a.haul(&["add", "odd[1].bin"]).ok();
    assert!(a.has("odd[1].bin.haul"));
}

#[test]
fn adding_again_changes_nothing_and_says_so() {
    let world = World::new();
    let a = initialised(&world);
    a.write("set/one", &data::bytes(1, 200_000));
    a.write("x.bin", &data::bytes(2, 100_000));
    a.haul(&["add", "set", "x.bin"]).ok();
    let before = a.tree();
    a.run("touch", &["set/one", "x.bin"]).ok();
    let report = a.haul(&["add", "--json", "set", "x.bin"]).ok().json();
    assert_eq!(changes(&report), [("set", "unchanged"), ("x.bin", "unchanged")]);
    assert_eq!((&report["new_bytes"], &report["stored_bytes"]), (&0.into(), &0.into()), "{report}");
    before.assert_same(&a.tree());
}

#[test]
fn unchanged_content_keeps_its_pointer_whatever_the_profile_is_set_to() {
    let world = World::new();
    let a = initialised(&world);
    a.write("many.bin", &data::bytes(1, 500_000));
    a.write("one-chunk.bin", &data::bytes(2, 60_000));
    a.write("set/many", &data::bytes(3, 500_000));
    a.write("set/one-chunk", &data::bytes(4, 60_000));
    a.write("set/few", &data::bytes(5, 48));
    let all = ["add", "many.bin", "one-chunk.bin", "set"];
    a.haul(&all).ok();
    a.commit("data");
    let before = a.tree();
    for profile in ["m16.1", "m256.1"] {
        // The stat cache may be lost at any time.
        a.remove(".git/haul/stat.redb");
        let report =
            a.haul_with(&[&all[..], &["--json"]].concat(), &[("HAUL_ADD_PROFILE", profile)]);
        let report = report.ok().json();
        assert!(changes(&report).iter().all(|(_, change)| *change == "unchanged"), "{report}");
        assert_eq!(report["new_bytes"], 0, "{report}");
        before.assert_same(&a.tree());
    }
}

#[test]
fn neighbours_of_folders_with_like_names_keep_their_pointers_too() {
    let world = World::new();
    let a = initialised(&world);
    // In the order of bytes, what is in `s` comes between `s.d` and `s0`.
    for (path, seed) in ["s-1/f", "s.d/f", "s/f", "s/f-1", "s0/f"].into_iter().zip(1..) {
        a.write(format!("set/{path}"), &data::bytes(seed, 200_000));
    }
    a.haul(&["add", "set"]).ok();
    let before = a.tree();
    for path in ["set", "set/s", "set/s/f", "set/s0"] {
        a.remove(".git/haul/stat.redb");
        let report = a.haul_with(&["add", "--json", path], &[("HAUL_ADD_PROFILE", "m16.1")]);
        let report = report.ok().json();
        assert!(changes(&report).iter().all(|(_, change)| *change == "unchanged"), "{report}");
        assert_eq!(report["new_bytes"], 0, "{report}");
        before.assert_same(&a.tree());
    }
}

#[test]
fn a_profile_sticks_to_a_path_and_new_paths_take_the_one_that_is_set() {
    let world = World::new();
    let a = initialised(&world);
    let old = data::bytes(1, 400_000);
    a.write("old.bin", &old);
    a.haul(&["add", "old.bin"]).ok();
    a.write("set/old", &data::bytes(3, 400_000));
    a.haul(&["add", "set"]).ok();
    a.write("haul.toml", (a.text("haul.toml") + "\n[add]\nprofile = \"m16.1\"\n").as_bytes());
    a.write("new.bin", &data::bytes(2, 400_000));
    let mut edited = old;
    edited[200_000] ^= 1;
    a.write("old.bin", &edited);
    let mut inner = data::bytes(3, 400_000);
    inner[200_000] ^= 1;
    a.write("set/old", &inner);
    let report = a.haul(&["add", "--json", "old.bin", "new.bin", "set"]).ok().json();
    assert!(a.text("old.bin.haul").contains("\nroot m64.1:"));
    assert!(a.text("new.bin.haul").contains("\nroot m16.1:"));
    let new = report["new_bytes"].as_u64().expect("is a number") - 400_000;
    assert!(new < 2 * 3 * 98_304, "the edits of two files cost {new} bytes");
    a.haul_with(&["add", "new.bin"], &[("HAUL_ADD_PROFILE", "m1.9")])
        .fails_with(1)
        .says("`m1.9`")
        .says("hint: ");
}

#[test]
fn update_takes_what_changed_and_reads_nothing_else() {
    let world = World::new();
    let a = initialised(&world);
    a.write("one.bin", b"one");
    a.write("set/two", &data::bytes(2, 100_000));
    a.write("set/three", b"three");
    a.write("gone.bin", b"gone");
    a.haul(&["add", "one.bin", "set", "gone.bin"]).ok();
    a.write("untracked.bin", b"not tracked");
    a.write("set/two", &data::bytes(4, 100_000));
    a.remove("gone.bin");
    let report = a.haul(&["add", "-u", "--json"]).ok().json();
    assert_eq!(changes(&report), [("one.bin", "unchanged"), ("set", "updated")], "{report}");
    assert!(!a.has("untracked.bin.haul") && a.has("gone.bin.haul"));
    // Below a folder only.
    a.write("one.bin", b"eins");
    a.write("set/three", b"drei");
    let report = a.haul(&["add", "-u", "--json", "set"]).ok().json();
    assert_eq!(changes(&report), [("set", "updated")], "{report}");
    a.haul(&["add", "-u", "no-such"]).fails_with(1).says("`no-such`");
}

#[test]
fn what_the_stat_cache_vouches_for_is_not_read_again() {
    let world = World::new();
    let a = initialised(&world);
    a.write("set/one", &data::bytes(1, 100_000));
    a.run("touch", &["-d", "2020-01-01 10:00:00.5", "set/one"]).ok();
    std::thread::sleep(std::time::Duration::from_millis(60));
    a.haul(&["add", "set"]).ok();
    std::thread::sleep(std::time::Duration::from_millis(60));
    a.haul(&["add", "set"]).ok();
    a.write("set/two", b"two");
    let trace = world.path("trace");
    let trace = trace.to_str().expect("is UTF-8");
    let strace = ["-f", "-o", trace, "-e", "trace=openat", "haul", "add", "-u"];
    if a.run("sh", &["-c", "command -v strace"]).stdout().is_empty() {
        skipped("there is no `strace` to see what is opened");
        return;
    }
    a.run("strace", &strace).ok();
    let opened = std::fs::read_to_string(trace).expect("was traced");
    assert!(opened.contains("\"two\""), "a new file is opened");
    assert!(!opened.contains("\"one\""), "an unchanged file is not opened");
}

#[test]
fn the_executable_bit_is_part_of_a_version() {
    let world = World::new();
    let a = initialised(&world);
    a.write("tool", b"#!/bin/sh\n");
    a.write("set/tool", b"#!/bin/sh\n");
    a.haul(&["add", "tool", "set"]).ok();
    let (plain, plain_set) = (a.text("tool.haul"), a.text("set.haul"));
    a.set_executable("tool", true);
    a.set_executable("set/tool", true);
    a.haul(&["status", "--exit-code"]).fails_with(1);
    a.haul(&["add", "-u"]).ok();
    assert!(a.text("tool.haul").contains("\nmode exec\n"));
    assert_ne!(a.text("set.haul"), plain_set);
    a.set_executable("tool", false);
    a.set_executable("set/tool", false);
    a.haul(&["add", "-u"]).ok();
    assert_eq!((a.text("tool.haul"), a.text("set.haul")), (plain, plain_set));
}

#[test]
fn a_dry_run_changes_nothing() {
    let world = World::new();
    let a = initialised(&world);
    a.write("set/one", b"one");
    let everything = || (Tree::of(&a.path("")), Tree::of(&a.path(".git")));
    let before = everything();
    let plan = a.haul(&["add", "--dry-run", "--json", "set"]).ok().json();
    assert_eq!(plan["dry_run"], true, "{plan}");
    assert_eq!((&plan["files"], &plan["bytes"]), (&1.into(), &3.into()), "{plan}");
    assert_eq!(plan["targets"][0]["path"], "set", "{plan}");
    let after = everything();
    before.0.assert_same(&after.0);
    before.1.assert_same(&after.1);
}

#[test]
fn a_path_may_change_between_file_and_folder() {
    let world = World::new();
    let a = initialised(&world);
    a.write("x", b"a file");
    a.haul(&["add", "x"]).ok();
    a.remove("x");
    a.write("x/part", b"a folder");
    a.haul(&["add", "x"]).ok();
    assert!(a.text("x.haul").starts_with("haul 1\nkind dir\n"));
    a.remove("x");
    a.write("x", b"a file");
    a.haul(&["add", "x"]).ok();
    assert!(a.text("x.haul").starts_with("haul 1\nkind file\n"));
    a.haul(&["status", "--exit-code"]).ok();
}

#[test]
fn keys_of_a_newer_haul_in_a_pointer_are_kept() {
    let world = World::new();
    let a = initialised(&world);
    a.write("x", b"one");
    a.haul(&["add", "x"]).ok();
    let with_key = a.text("x.haul").replace("\noid ", "\nkeep-note kept\nmode-note gone\noid ");
    a.write("x.haul", with_key.as_bytes());
    a.haul(&["add", "x"]).ok();
    assert_eq!(a.text("x.haul"), with_key);
    a.write("x", b"two");
    a.haul(&["add", "x"]).ok();
    let pointer = a.text("x.haul");
    assert!(pointer.contains("\nkeep-note kept\n") && !pointer.contains("mode-note"), "{pointer}");
}

#[test]
fn the_last_line_of_add_gives_the_figures() {
    let world = World::new();
    let a = initialised(&world);
    a.write("x", &data::bytes(1, 100_000));
    let output = a.haul(&["add", "x"]).ok();
    let last = output.stderr().lines().last().unwrap_or_default();
    assert!(last.contains("1 file") && last.contains("new"), "{output}");
}

#[test]
fn a_profile_sticks_to_a_file_whose_old_version_was_never_fetched() {
    let world = World::new();
    let remote = world.remote("r");
    let a = crate::push::ready(&world, "a", &remote);
    a.write("x.bin", &data::bytes(1, 500_000));
    crate::push::take(&a, "x.bin");
    a.haul(&["push"]).ok();
    let b = a.clone_as("b");
    b.write("x.bin", &data::bytes(2, 500_000));
    b.haul_with(&["add", "x.bin"], &[("HAUL_ADD_PROFILE", "m256.1")]).ok();
    assert!(b.text("x.bin.haul").contains("root m64.1:"), "{}", b.text("x.bin.haul"));
}
