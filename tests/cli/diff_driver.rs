//! `git diff`, `git log -p` and `git show` say what changed in the data.

use crate::harness::{Repo, World, data};
use crate::scene::{save, shared};

fn two_versions(world: &World) -> Repo<'_> {
    let a = shared(world);
    for name in ["same", "gone", "moved", "changed"] {
        a.write(format!("d/{name}"), &data::bytes(name.len() as u64, 20_000 + name.len()));
    }
    save(&a, &["d"], "one");
    a.remove("d/gone");
    std::fs::rename(a.path("d/moved"), a.path("d/there")).expect("is there");
    a.write("d/changed", &data::bytes(50, 30_000));
    a.write("d/new", &data::bytes(51, 10_000));
    a.haul(&["add", "d"]).ok();
    a
}

#[test]
fn git_diff_lists_the_files_of_a_folder_that_changed() {
    let world = World::new();
    let a = two_versions(&world);
    let diff = a.git(&["diff", "--cached", "d.haul"]).ok();
    for words in ["diff --git a/d.haul b/d.haul", "added", "d/new", "removed", "d/gone"] {
        assert!(diff.stdout().contains(words), "{words}: {diff}");
    }
    let renamed = diff.stdout().lines().find(|line| line.starts_with("renamed"));
    let renamed = renamed.unwrap_or_else(|| panic!("{diff}"));
    assert!(renamed.contains("d/there") && renamed.contains("was d/moved"), "{renamed}");
    assert!(!diff.stdout().contains("d/same"), "{diff}");
    assert!(diff.stdout().contains("1 added, 1 removed, 1 modified, 1 renamed"), "{diff}");
}

#[test]
fn git_log_and_show_list_the_files_too() {
    let world = World::new();
    let a = two_versions(&world);
    a.commit("two");
    for command in [&["log", "-p", "-1"][..], &["show", "HEAD"]] {
        let shown = a.git(command).ok();
        let line = |sign: char, name: &str| {
            let ends = |line: &&str| line.starts_with(sign) && line.ends_with(name);
            shown.stdout().lines().any(|line| ends(&line))
        };
        assert!(line('+', " new") && line('-', " gone"), "{shown}");
        assert!(line('+', " changed") && line('-', " changed"), "{shown}");
        assert!(!line('+', " same") && !line('-', " same"), "{shown}");
    }
}

#[test]
fn where_trees_are_absent_the_pointers_are_compared_and_nothing_is_fetched() {
    let world = World::new();
    let a = two_versions(&world);
    a.commit("two");
    a.haul(&["push"]).ok();
    let b = a.clone_as("b");
    b.haul(&["init"]).ok();
    let diff = b.git(&["diff", "HEAD~1", "--", "d.haul"]).ok();
    assert!(diff.stdout().contains("-root m") || diff.stdout().contains("-size "), "{diff}");
    b.git(&["log", "-p"]).ok();
    assert!(!b.path(".git/haul/parts").exists() && !b.path(".git/haul/packs").exists());
}

#[test]
fn nothing_makes_git_diff_fail() {
    let world = World::new();
    let a = two_versions(&world);
    a.commit("two");
    let long = vec![b'x'; 100_000];
    for bytes in [&b""[..], b"no pointer\n", b"haul 1\nkind dir\n", &long] {
        a.write("d.haul", bytes);
        a.git(&["diff"]).ok();
        a.git(&["diff", "--no-ext-diff"]).ok();
    }
    a.remove("d.haul");
    a.git(&["diff"]).ok();
    drop(std::fs::remove_dir_all(a.path(".git/haul")));
    a.git(&["diff"]).ok();
    a.git(&["log", "-p"]).ok();
}

#[test]
fn of_a_filtered_path_git_compares_the_pointers_and_fetches_nothing() {
    let world = World::new();
    let a = shared(&world);
    a.haul(&["track", "*.bin"]).ok();
    for (seed, len) in [(1, 100_001), (2, 100_002)] {
        a.write("x.bin", &data::bytes(seed, len));
        a.git(&["add", "-A"]).ok();
        a.commit("x");
    }
    let shown = a.git(&["show", "HEAD"]).ok();
    assert!(
        shown.stdout().contains("-size 100001\n") && shown.stdout().contains("+size 100002\n"),
        "{shown}"
    );
    a.write("x.bin", &data::bytes(3, 100_003));
    let diff = a.git(&["diff"]).ok();
    assert!(
        diff.stdout().contains("-size 100002\n") && diff.stdout().contains("+size 100003\n"),
        "{diff}"
    );
}

#[test]
fn names_that_begin_as_options_do_are_compared_and_merged() {
    let world = World::new();
    let a = shared(&world);
    let add = |file: &str, seed: u64| {
        a.write(file, &data::bytes(seed, 1000));
        a.haul(&["add", "--", "-x", "-d", "-h"]).ok();
    };
    a.write("-d/one", &data::bytes(1, 1000));
    a.write("-h", &data::bytes(1, 1000));
    add("-x", 1);
    a.git(&["add", "-A"]).ok();
    a.commit("first");
    add("-x", 2);
    add("-h", 2);
    let changed = |times: usize| {
        let diff = a.git(&["diff", "--cached"]).ok();
        assert_eq!(diff.stdout().matches("1 modified").count(), times, "{diff}");
    };
    changed(2);
    a.git(&["diff", "--cached", "--no-ext-diff"]).ok().prints("-x.haul");
    // As earlier versions had it set.
    let command = a.git(&["config", "diff.haul.command"]).ok().stdout().trim().to_owned();
    let earlier = command.strip_suffix(" --").expect("ends so");
    a.git(&["config", "diff.haul.command", earlier]).ok();
    a.git(&["diff", "--cached", "--", "-x.haul"]).ok().prints("1 modified");
    a.commit("second");
    a.git(&["checkout", "--quiet", "-b", "side"]).ok();
    add("-d/two", 3);
    a.commit("two");
    a.git(&["checkout", "--quiet", "main"]).ok();
    a.haul(&["checkout"]).ok();
    add("-d/three", 4);
    a.commit("three");
    a.git(&["merge", "--quiet", "--no-edit", "side"]).ok();
}
