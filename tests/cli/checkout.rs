use crate::harness::{Tree, World, data};
use crate::scene::{assert_clean, identity, number, save, shared, states};

#[test]
fn switching_commits_touches_only_files_that_differ() {
    let world = World::new();
    let a = shared(&world);
    a.write("d/same", &data::bytes(1, 1000));
    a.write("d/differs", &data::bytes(2, 200_000));
    a.write("other", &data::bytes(3, 1000));
    save(&a, &["d", "other"], "one");
    let old = a.tree();
    a.write("d/differs", &data::bytes(4, 210_000));
    save(&a, &["d"], "two");
    let (new, same, other) = (a.tree(), identity(&a, "d/same"), identity(&a, "other"));

    a.git(&["checkout", "--quiet", "HEAD~1"]).ok();
    let report = a.haul(&["checkout", "--json"]).ok();
    assert_eq!((number(&report, "/written"), number(&report, "/unchanged")), (1, 2));
    a.tree().assert_same(&old);
    a.git(&["checkout", "--quiet", "main"]).ok();
    a.haul(&["checkout"]).ok();
    a.tree().assert_same(&new);
    assert_eq!((identity(&a, "d/same"), identity(&a, "other")), (same, other));
    let report = a.haul(&["checkout", "--json"]).ok();
    assert_eq!((number(&report, "/written"), number(&report, "/removed")), (0, 0));
    assert_clean(&a);
}

/// Commits each state of `d` after the other, then goes back and forth through all of them.
fn through(states: &[&dyn Fn(&crate::harness::Repo<'_>)]) {
    let world = World::new();
    let a = shared(&world);
    let mut trees: Vec<Tree> = Vec::new();
    for (n, state) in states.iter().enumerate() {
        state(&a);
        save(&a, &["d"], "state");
        a.git(&["tag", &format!("v{n}")]).ok();
        trees.push(a.tree());
    }
    let versions = || trees.iter().enumerate();
    for (n, tree) in versions().rev().chain(versions()) {
        a.git(&["checkout", "--quiet", &format!("v{n}")]).ok();
        a.haul(&["checkout"]).ok();
        let differences = a.tree().differences(tree);
        assert!(differences.is_empty(), "v{n}: {}", differences.join("\n"));
        assert_clean(&a);
    }
}

#[test]
fn a_file_becomes_a_folder_and_a_file_again() {
    through(&[
        &|a| a.write("d/x/keep", &data::bytes(1, 100)),
        &|a| a.write("d/e", &data::bytes(2, 100_000)),
        &|a| {
            a.remove("d/e");
            a.write("d/e/deep/er/file", &data::bytes(3, 100));
            a.write("d/e/two", b"small");
        },
        &|a| {
            a.remove("d/e");
            a.link("x/keep", "d/e");
        },
        &|a| {
            a.remove("d/e");
            a.write("d/e/again", b"1");
        },
        &|a| {
            a.remove("d/e");
            a.mkdir("d/e");
        },
        &|a| a.write("d/e/f/g", b"2"),
        &|a| {
            a.remove("d/e");
            a.write("d/e", b"3");
        },
        &|a| {
            a.remove("d/e");
            a.mkdir("d/e/empty/below");
        },
    ]);
}

#[test]
fn a_tracked_path_becomes_a_folder_and_a_file_again() {
    through(&[
        &|a| a.write("d", &data::bytes(1, 150_000)),
        &|a| {
            a.remove("d");
            a.write("d/a/b/c", &data::bytes(2, 150_000));
        },
        &|a| {
            a.remove("d");
            a.write("d", b"short");
        },
        &|a| {
            a.remove("d");
            a.mkdir("d");
        },
        &|a| a.mkdir("d/within"),
        &|a| a.write("d/within/x", b"x"),
    ]);
}

#[test]
fn modes_links_and_empty_folders_follow_the_version() {
    through(&[
        &|a| {
            a.write("d/run", b"#!/bin/sh\n");
            a.link("run", "d/link");
            a.mkdir("d/empty");
        },
        &|a| a.set_executable("d/run", true),
        &|a| {
            a.remove("d/link");
            a.link("nowhere", "d/link");
        },
        &|a| {
            a.remove("d/empty");
            a.set_executable("d/run", false);
        },
        &|a| a.remove("d/link"),
        &|a| a.write("d/link", b"a file now"),
    ]);
}

#[test]
fn the_mode_of_a_single_file_follows_the_version() {
    through(&[&|a| a.write("d", &data::bytes(1, 60)), &|a| a.set_executable("d", true), &|a| {
        a.set_executable("d", false);
    }]);
}

#[test]
fn files_gone_from_the_manifest_go_unless_they_were_changed() {
    let world = World::new();
    let a = shared(&world);
    a.write("d/stays", b"1");
    save(&a, &["d"], "one");
    a.write("d/goes/a", &data::bytes(1, 100_000));
    a.write("d/goes/b", b"2");
    a.write("d/changed", b"3");
    save(&a, &["d"], "two");
    a.write("d/changed", b"my own");
    a.write("d/goes/mine", b"untracked");
    a.git(&["checkout", "--quiet", "HEAD~1"]).ok();
    let report = a.haul(&["checkout", "--json"]).ok();
    assert_eq!(number(&report, "/removed"), 2);
    let tree = a.tree_of("d");
    assert_eq!(tree.paths(), ["changed", "goes", "goes/mine", "stays"]);
    assert_eq!(a.text("d/changed"), "my own");
    assert_eq!(states(&a), ["untracked d/changed", "untracked d/goes/mine"]);
}

#[test]
fn a_revision_is_placed_and_taken_back() {
    let world = World::new();
    let a = shared(&world);
    a.write("d/x", b"old");
    a.write("d/only-old", b"o");
    save(&a, &["d"], "one");
    a.write("d/x", b"new");
    a.remove("d/only-old");
    save(&a, &["d"], "two");
    a.haul(&["checkout", "--rev", "HEAD~1", "d"]).ok();
    assert_eq!(a.text("d/x"), "old");
    assert_eq!(states(&a), ["untracked d/only-old", "modified d/x"]);
    a.haul(&["checkout"]).ok();
    assert_clean(&a);
    assert_eq!(a.tree_of("d").paths(), ["x"]);
    a.haul(&["checkout", "--rev", "no-such", "d"]).fails_with(1).says("no-such");
}

#[test]
fn content_that_is_not_here_is_named_and_pull_is_the_hint() {
    let world = World::new();
    let a = shared(&world);
    a.write("d/x", &data::bytes(1, 100));
    a.write("f", &data::bytes(2, 100));
    save(&a, &["d", "f"], "one");
    a.haul(&["push"]).ok();
    let b = a.clone_as("b");
    let before = b.tree();
    let output = b.haul(&["checkout"]).fails_with(1).says("haul pull").prints("d");
    assert!(output.stdout().contains('f'), "{output}");
    b.tree().assert_same(&before);
}

#[test]
fn a_dry_run_changes_nothing() {
    let world = World::new();
    let a = shared(&world);
    a.write("d/x", b"1");
    save(&a, &["d"], "one");
    a.write("d/x", b"2");
    a.write("d/y", b"3");
    save(&a, &["d"], "two");
    a.git(&["checkout", "--quiet", "HEAD~1"]).ok();
    let before = a.tree();
    let plan = a.haul(&["checkout", "--dry-run", "--json"]).ok();
    assert_eq!((number(&plan, "/write"), number(&plan, "/remove")), (1, 1));
    a.tree().assert_same(&before);
}

#[test]
fn an_interrupted_checkout_is_finished_by_the_next() {
    let world = World::new();
    let a = shared(&world);
    for n in 0..6 {
        a.write(format!("d/{n}"), format!("old {n}").as_bytes());
    }
    a.write("f", b"old");
    save(&a, &["d", "f"], "one");
    let old = a.tree();
    for n in 0..6 {
        a.write(format!("d/{n}"), format!("new {n}").as_bytes());
    }
    a.write("f", b"new");
    save(&a, &["d", "f"], "two");
    let new = a.tree();
    for point in
        ["fs.place.written:1", "fs.place.written:4", "fs.place.renamed:1", "fs.place.renamed:5"]
    {
        a.git(&["checkout", "--quiet", "HEAD~1"]).ok();
        a.haul_with(&["checkout"], &[("HAUL_FAILPOINT", point)]).dies();
        for n in 0..6 {
            let text = a.text(format!("d/{n}"));
            assert!(text == format!("old {n}") || text == format!("new {n}"), "{point}: {text}");
        }
        assert!(states(&a).iter().all(|s| s.starts_with("modified")), "{point}: {:?}", states(&a));
        a.haul(&["checkout"]).ok();
        a.tree().assert_same(&old);
        a.git(&["checkout", "--quiet", "main"]).ok();
        a.haul(&["checkout"]).ok();
        a.tree().assert_same(&new);
        assert_clean(&a);
    }
}

#[test]
fn an_interrupted_checkout_can_be_taken_back() {
    let world = World::new();
    let a = shared(&world);
    for n in 0..6 {
        a.write(format!("d/{n}"), &data::bytes(n, 100_000));
        a.write(format!("d/only-old{n}"), &data::bytes(n + 10, 100_000));
    }
    save(&a, &["d"], "one");
    for n in 0..6 {
        a.write(format!("d/{n}"), &data::bytes(n + 20, 100_000));
        a.remove(format!("d/only-old{n}"));
    }
    save(&a, &["d"], "two");
    let new = a.tree();
    a.git(&["checkout", "--quiet", "HEAD~1"]).ok();
    a.haul_with(&["checkout"], &[("HAUL_FAILPOINT", "fs.place.renamed:7")]).dies();
    a.git(&["checkout", "--quiet", "main"]).ok();
    a.haul(&["checkout"]).ok();
    a.tree().assert_same(&new);
    assert_clean(&a);
}

#[test]
fn a_linked_worktree_has_its_own_files_and_the_same_cache() {
    let world = World::new();
    let a = shared(&world);
    a.write("d/x", &data::bytes(1, 150_000));
    save(&a, &["d"], "one");
    let old = a.tree();
    a.write("d/x", &data::bytes(2, 150_000));
    save(&a, &["d"], "two");
    let new = a.tree();
    let linked = world.path("linked");
    a.git(&["worktree", "add", "--quiet", linked.to_str().expect("is UTF-8"), "HEAD~1"]).ok();
    let b = world.folder("linked");
    b.haul(&["checkout"]).ok();
    b.tree().assert_same(&old);
    a.tree().assert_same(&new);
    assert_clean(&a);
    assert_eq!(states(&b), Vec::<String>::new());
}

#[test]
fn paths_are_relative_to_the_current_folder() {
    let world = World::new();
    let a = shared(&world);
    a.write("top/d/x", b"1");
    a.write("top/e", b"2");
    save(&a, &["top/d", "top/e"], "one");
    let sub = world.folder("a/top");
    a.remove("top/d/x");
    a.remove("top/e");
    sub.haul(&["checkout", "d/x"]).ok();
    assert!(a.has("top/d/x") && !a.has("top/e"));
    a.haul(&["-C", "top", "checkout", "e"]).ok();
    assert_clean(&a);
    sub.haul(&["checkout", "../../outside"]).fails_with(1).says("outside");
    a.remove("top/d/x");
    sub.haul(&["checkout"]).ok();
    assert_clean(&a);
}

#[test]
fn a_link_that_looks_like_a_tracked_folder_is_refused_in_a_dry_run_too() {
    let world = World::new();
    let a = shared(&world);
    a.write("Data/x", b"1");
    save(&a, &["Data"], "one");
    a.link("/tmp", "data");
    a.git(&["add", "data"]).ok();
    a.commit("link");
    a.haul(&["push"]).ok();
    let b = a.clone_as("b");
    for verb in ["pull", "checkout"] {
        for arguments in [&[verb, "--dry-run"][..], &[verb]] {
            let output = b.haul(arguments).fails_with(1).says("nothing was changed");
            output.says("`Data`").says("`data` is a symbolic link").says("git mv data");
            assert!(!b.has("Data"));
        }
        // The tree is here now, by the first of them.
    }
}
