//! `import` and `update` where something is refused, or lost: nothing is left behind, nobody else is kept
//! back, and what goes is said.

use rustix::process::Signal;

use crate::foreign::{assert_clean_data, changes, go_on, others, ours, url};
use crate::harness::{World, data};
use crate::interrupts::stop;
use crate::scene::save;

#[test]
fn an_import_whose_source_is_gone_keeps_no_other_back() {
    let world = World::new();
    let (a, b) = (others(&world), ours(&world));
    let gone = a.clone_as("gone");
    b.haul(&["import", &url(&gone), "model.bin", "first.bin"]).ok();
    for (path, to) in [("model.bin", "model.bin"), ("data/train", "train"), ("data/val", "val")] {
        b.haul(&["import", &url(&a), path, to]).ok();
    }
    b.commit("imports");
    std::fs::remove_dir_all(gone.path("")).expect("removes");
    a.remove("data/val");
    go_on(&a);
    let plan = b.haul(&["update", "--dry-run", "--json"]).fails_with(1);
    assert_eq!(changes(&plan), ["updated model.bin", "updated train"]);
    let done = b.haul(&["update", "--json"]).fails_with(1);
    assert_eq!(changes(&done), ["updated model.bin", "updated train"]);
    let commit = a.git(&["rev-parse", "HEAD"]).ok().stdout().trim().to_owned();
    for output in [plan, done] {
        let output = output.says("error: `first.bin` from `").says(&url(&gone));
        let output = output.says("error: `val` from `").says(&commit[..12]);
        let json = output.json();
        for (number, (path, from)) in [("first.bin", &gone), ("val", &a)].into_iter().enumerate() {
            let row = &json["failed"][number];
            assert_eq!(row["path"], path, "{output}");
            assert_eq!(row["url"], url(from), "{output}");
            assert_eq!(row["error"]["exit"], 1, "{output}");
            assert!(row["error"]["hint"].is_string(), "{output}");
        }
        assert!(json["failed"][0]["commit"].is_null(), "{output}");
        assert_eq!(json["failed"][1]["commit"], commit.as_str(), "{output}");
    }
    b.tree_of("train").assert_same(&a.tree_of("data/train"));
    assert_eq!(b.read("model.bin"), a.read("model.bin"));
    assert!(b.has("first.bin") && b.has("val/y.bin"));
    assert_clean_data(&b);
    // The first failure decides.
    a.write("model.bin", &data::bytes(11, 300_000));
    save(&a, &["model.bin"], "four");
    a.haul(&["push"]).ok();
    std::fs::rename(world.path("r"), world.path("away")).expect("goes");
    b.haul(&["update", "model.bin"]).fails_with(3).says("`model.bin` from");
    b.haul(&["update"]).fails_with(1).says("`model.bin` from").says("0 of 4 imported paths");
}

#[test]
fn a_name_that_cannot_be_tracked_is_refused_before_anybody_is_asked() {
    let world = World::new();
    let b = ours(&world);
    b.write(".haulignore", b"*.log\nbuild/\n");
    b.git(&["add", ".haulignore"]).ok();
    b.write("inner/x.bin", b"inner");
    b.haul(&["add", "inner/x.bin"]).ok();
    b.haul(&["track", "*.track"]).ok();
    let before = b.tree();
    for to in ["x.haul", "a\nb", "d/.haulignore", "x.log", "build/x", "inner", "x.track"] {
        for plan in [&[][..], &["--dry-run"]] {
            let words = [&["import", "../nowhere", "data", to], plan].concat();
            let refused = b.haul(&words).fails_with(1).says("cannot track").says("another path");
            assert!(!refused.stderr().contains("haul add"), "{refused}");
            b.tree().assert_same(&before);
        }
    }
}

#[test]
fn a_rule_about_folders_keeps_out_folders_before_they_are_fetched() {
    let world = World::new();
    let (a, b) = (others(&world), ours(&world));
    let from = url(&a);
    b.write(".haulignore", b"build/\n");
    b.git(&["add", ".haulignore"]).ok();
    let before = b.tree();
    for (path, plan) in [("data", true), ("data", false), ("data/train", false), (".", true)] {
        let words = ["import", &from, path, "build", "--max-bytes", "0", "--dry-run"];
        let words = if plan { &words[..] } else { &words[..6] };
        b.haul(words).fails_with(1).says("`.haulignore` excludes it");
        b.tree().assert_same(&before);
    }
    b.haul(&["import", &from, "data/train/x.bin", "build"]).ok();
    b.haul(&["import", &from, "model.bin", "in/build"]).ok();
    assert_clean_data(&b);
}

#[test]
fn an_import_that_cannot_be_tracked_after_all_leaves_nothing() {
    let world = World::new();
    let (a, b) = (others(&world), ours(&world));
    a.write("data/train/a\nb/c", b"c");
    save(&a, &["data"], "name");
    a.haul(&["push"]).ok();
    b.mkdir("there");
    b.haul(&["track"]).ok();
    let before = b.tree();
    for to in ["new/in/c", "there/in/c"] {
        let refused = b.haul(&["import", &url(&a), "data/train/a\nb", to]).fails_with(1);
        refused.says("cannot be noted");
        b.tree().assert_same(&before);
    }
    // What somebody else wrote there meanwhile is nothing that was taken.
    let words = ["import", &url(&a), "data/train/a\nb", "new/in/d"];
    let paused = b.pause_haul(&words, "worktree.listed:3");
    assert!(b.has("new/in/d/c"), "it has its place");
    b.write("new/in/d/mine", b"mine");
    paused.let_go().fails_with(1);
    assert_eq!(b.read("new/in/d/mine"), b"mine");
    b.remove("new");
    // Nor what he changed, and made look as old as before.
    let paused = b.pause_haul(&words, "worktree.listed:3");
    let as_before =
        ["-c", "cp -p new/in/d/c kept && printf C > new/in/d/c && touch -r kept new/in/d/c"];
    b.run("sh", &as_before).ok();
    paused.let_go().fails_with(1);
    assert_eq!(b.read("new/in/d/c"), b"C");
    b.remove("new");
    b.remove("kept");
    // Who stops it there is rid of it too.
    stop(&b, &words, ("worktree.listed:3", Signal::INT));
    b.tree().assert_same(&before);
    b.haul(&["import", &url(&a), "data/train", "new/in/c"]).ok();
    assert_clean_data(&b);
}

#[test]
fn who_loses_the_note_of_an_import_is_told() {
    let world = World::new();
    let (a, b) = (others(&world), ours(&world));
    let from = url(&a);
    b.write("own/one", b"one");
    b.haul(&["add", "own"]).ok();
    for plan in [&["--dry-run"][..], &[]] {
        let words = [&["import", &from, "data/val", "own/val"], plan].concat();
        let told = b.haul(&words).ok().says("warning: `own/val` comes from `").says(&from);
        told.says("a part of a tracked folder keeps no note of that");
    }
    b.haul(&["import", &from, "data/train", "train"]).ok();
    b.commit("imports");
    for words in [
        &["import", &from, "data/val", "train/val"][..],
        &["add", "train/mine"],
        &["rm", "train/x.bin"],
        &["add", "train"],
    ] {
        b.write("train/mine", b"mine");
        let told = b.haul(words).ok().says("warning: `train` comes from `");
        told.says("what was changed here keeps no note of that");
        assert!(!b.text("train.haul").contains("from"));
        // Said once.
        let again = b.haul(&["add", "train"]).ok();
        assert!(!again.stderr().contains("comes from"), "{again}");
        b.git(&["checkout", "--force", "HEAD", "--", "."]).ok();
        b.remove("train");
        b.haul(&["checkout"]).ok();
    }
}
