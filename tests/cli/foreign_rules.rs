//! `import` and `update` where `.haulignore` files exclude some of what the other repository tracks.

use crate::foreign::{assert_clean_data, changes, go_on, others, ours, url};
use crate::harness::{Repo, World, data};
use crate::scene::{pulls, save};

/// Lets the others have logs, which they track, and this repository a rule against them.
fn with_logs(world: &World) -> (Repo<'_>, Repo<'_>) {
    let a = others(world);
    a.write("data/train/run.log", b"log 1");
    a.write("data/train/deep/run.log", b"log 2");
    save(&a, &["data"], "logs");
    // The others exclude what they have since then, and still have it.
    a.write("data/train/.haulignore", b"x.*\n");
    save(&a, &["data"], "rules");
    a.haul(&["push"]).ok();
    let b = ours(world);
    b.write(".haulignore", b"*.log\n");
    b.git(&["add", ".haulignore"]).ok();
    (a, b)
}

#[test]
fn an_import_tracks_what_rules_exclude_here_or_there() {
    let world = World::new();
    let (a, b) = with_logs(&world);
    b.haul(&["import", &url(&a), "data/train", "train"]).ok();
    assert!(b.text("train.haul").contains("\nfiles 6\n"), "{}", b.text("train.haul"));
    assert_eq!(b.haul(&["ls", "-r", "train"]).ok().stdout().lines().count(), 6);
    assert_clean_data(&b);
    b.commit("import");
    b.haul(&["push"]).ok();
    pulls(&b, "c");
    b.haul(&["import", &url(&a), "data/train/run.log"]).fails_with(1).says("`.haulignore`");
    assert!(!b.has("run.log"));
}

#[test]
fn an_update_replaces_what_rules_exclude_and_leaves_what_nobody_tracks() {
    let world = World::new();
    let (a, b) = with_logs(&world);
    b.haul(&["import", &url(&a), "data/train", "in/train"]).ok();
    b.commit("import");
    b.write("in/train/mine.log", b"mine");
    b.write("in/train/own/mine.log", b"mine");
    a.write("data/train/run.log", b"log 3");
    a.remove("data/train/deep");
    a.write("data/train/more/run.log", b"log 4");
    go_on(&a);
    let words = ["update", "--json"];
    let stopped = [("HAUL_FAILPOINT", "fs.durable.written")];
    b.haul_with(&words, &stopped).dies();
    assert_eq!(changes(&b.haul(&words).ok()), ["updated in/train"]);
    assert_eq!(b.text("in/train/mine.log"), "mine");
    assert_eq!(b.text("in/train/own/mine.log"), "mine");
    b.remove("in/train/mine.log");
    b.remove("in/train/own");
    b.tree_of("in/train").assert_same(&a.tree_of("data/train"));
    assert_clean_data(&b);
}

#[test]
fn an_update_puts_nothing_in_the_place_of_what_rules_exclude() {
    let world = World::new();
    let (a, b) = with_logs(&world);
    b.haul(&["import", &url(&a), "data/train", "train"]).ok();
    b.commit("import");
    b.write("train/more.log", b"mine");
    a.write("data/train/more.log", b"theirs");
    go_on(&a);
    let before = b.tree_of("train");
    let output = b.haul(&["update"]).fails_with(1).says("`train` was changed here");
    output.says("`train/more.log`").says("move that file away");
    b.tree_of("train").assert_same(&before);
    b.remove("train/more.log");
    b.haul(&["update"]).ok();
    b.tree_of("train").assert_same(&a.tree_of("data/train"));
}

#[test]
fn an_update_that_died_between_two_files_goes_on() {
    let world = World::new();
    let (a, b) = with_logs(&world);
    b.haul(&["import", &url(&a), "data/train", "train"]).ok();
    b.commit("import");
    b.write("train/mine.log", b"mine");
    go_on(&a);
    // Of the old files some are gone, and of the new ones some are there.
    b.remove("train/run");
    b.remove("train/link");
    b.write("train/new.bin", &data::bytes(10, 100_000));
    b.haul(&["update"]).ok();
    b.remove("train/mine.log");
    b.tree_of("train").assert_same(&a.tree_of("data/train"));
    assert_clean_data(&b);
}

/// An import with rules of its own, which exclude a file of this repository that nobody tracks, and one
/// that the import has all the same.
fn with_own_rules<'w>(world: &'w World) -> (Repo<'w>, Repo<'w>) {
    let a = others(world);
    a.write("data/train/v.log", b"log");
    a.write("data/train/s/b", b"b");
    a.write("data/train/t/c", b"c");
    save(&a, &["data"], "log");
    a.write("data/train/.haulignore", b"*.log\n");
    save(&a, &["data"], "rules");
    a.haul(&["push"]).ok();
    let b = ours(world);
    b.haul(&["import", &url(&a), "data/train", "in/train"]).ok();
    b.git(&["add", "-A"]).ok();
    b.commit("import");
    b.haul(&["push"]).ok();
    b.write("in/train/mine.log", b"mine");
    b.write("in/train/s/mine.log", b"mine too");
    assert_clean_data(&b);
    (a, b)
}

#[test]
fn an_update_leaves_what_only_the_rules_of_the_import_exclude() {
    let world = World::new();
    let (a, b) = with_own_rules(&world);
    a.write("data/train/run", b"changed");
    a.write("data/train/v.log", b"changed too");
    a.write("data/train/.haulignore", b"*.tmp\n*.log\n");
    go_on(&a);
    b.haul(&["update"]).ok();
    assert_clean_data(&b);
    b.commit("updated");
    b.haul(&["push"]).ok();
    // As if an update had died when the rules were gone and the others had not come.
    a.write("data/train/run", b"changed again");
    a.write("data/train/.haulignore", b"*.log\n");
    a.remove("data/train/s");
    a.remove("data/train/t");
    go_on(&a);
    b.remove("in/train/.haulignore");
    b.remove("in/train/s/b");
    b.remove("in/train/t/c");
    b.remove("in/train/x.bin");
    b.haul(&["update"]).ok();
    for (name, content) in [("mine.log", "mine"), ("s/mine.log", "mine too")] {
        let path = format!("in/train/{name}");
        assert_eq!(b.text(&path), content);
        b.remove(&path);
    }
    b.remove("in/train/s");
    b.tree_of("in/train").assert_same(&a.tree_of("data/train"));
    assert_clean_data(&b);
}

#[test]
fn an_update_to_rules_that_exclude_less_is_refused_before_anything_goes() {
    let world = World::new();
    let (a, b) = with_own_rules(&world);
    a.write("data/train/run", b"changed");
    a.write("data/train/.haulignore", b"*.log\n!/s/*.log\n");
    go_on(&a);
    let before = b.tree();
    let output = b.haul(&["update"]).fails_with(1).says("`in/train/s/mine.log`");
    output.says("none of the new version of `in/train` does").says("move that file away");
    b.tree().assert_same(&before);
    b.remove("in/train/s/mine.log");
    b.haul(&["update"]).ok();
    assert_eq!(b.text("in/train/mine.log"), "mine");
    assert_clean_data(&b);
}

#[test]
fn an_update_to_a_file_where_something_excluded_lies_is_refused_before_anything_goes() {
    let world = World::new();
    let (a, b) = with_own_rules(&world);
    a.write("data/train/run", b"changed");
    a.remove("data/train/s");
    a.write("data/train/s", b"a file");
    go_on(&a);
    let before = b.tree();
    let output = b.haul(&["update"]).fails_with(1).says("`in/train/s` is a file now");
    output.says("`in/train/s/mine.log`").says("move that away");
    b.tree().assert_same(&before);
    b.remove("in/train/s/mine.log");
    b.haul(&["update"]).ok();
    assert_eq!(b.text("in/train/s"), "a file");
    assert_clean_data(&b);
}

#[test]
fn an_update_puts_a_file_in_the_place_of_a_folder() {
    let world = World::new();
    let (a, b) = with_own_rules(&world);
    a.remove("data/train");
    a.write("data/train", b"a file");
    save(&a, &["data"], "file");
    a.haul(&["push"]).ok();
    let before = b.tree();
    b.haul(&["update"]).fails_with(1).says("excludes `in/train/mine.log`");
    b.tree().assert_same(&before);
    // Nothing but folders is left of it.
    for name in b.tree_of("in/train").paths() {
        if !b.path("in/train").join(name).is_dir() {
            b.remove(b.path("in/train").join(name));
        }
    }
    b.haul(&["update"]).ok();
    assert_eq!(b.text("in/train"), "a file");
    assert_clean_data(&b);
}
