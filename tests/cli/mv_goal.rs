//! Names that `haul mv` refuses or warns of, as `haul add` does.

use crate::harness::{World, data};
use crate::push::{ready, send, take};

#[test]
fn what_a_rule_excludes_there_is_refused_and_nothing_moves() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    a.write("x.bin", &data::bytes(1, 1000));
    a.write("d/one.bin", &data::bytes(2, 1000));
    for path in ["x.bin", "d"] {
        take(&a, path);
    }
    a.write(".haulignore", b"*.tmp\n/d/out/\n");
    let before = a.tree();
    for (from, to) in [
        ("x.bin", "y.tmp"),
        ("x.bin", "d/x.tmp"),
        ("d/one.bin", "d/out/one.bin"),
        ("d/one.bin", "one.tmp"),
    ] {
        let refused = a.haul(&["mv", from, to]).fails_with(1);
        refused.says("a line of a `.haulignore` excludes it").says(to).says("  hint: ");
        a.haul(&["mv", "--dry-run", from, to]).fails_with(1);
    }
    a.tree().assert_same(&before);
    // What is tracked though a rule excludes it has names of that kind already.
    a.write(".haulignore", b"*.bin\n");
    a.haul(&["mv", "x.bin", "y.bin"]).ok();
    assert!(a.has("y.bin") && !a.has("x.bin"));
}

#[test]
fn a_name_that_some_systems_take_for_another_is_warned_of() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    for (seed, name) in [(1, "x.bin"), (2, "data.bin"), (3, "d/One.bin")] {
        a.write(name, &data::bytes(seed, 1000));
    }
    for path in ["x.bin", "data.bin", "d"] {
        take(&a, path);
    }
    for to in ["Data.bin", "d/one.bin"] {
        let moved = a.haul(&["mv", "x.bin", to]).ok();
        moved.says(&format!("`{to}`")).says("are one name on systems that ignore case");
        a.haul(&["mv", to, "x.bin"]).ok();
    }
    a.haul(&["mv", "x.bin", "aux"]).ok().says("`aux`").says("Windows");
    // Its own former name is in nobody's way, and another folder is not looked at.
    for (from, to) in [("data.bin", "DATA.bin"), ("DATA.bin", "e/data.bin")] {
        let moved = a.haul(&["mv", from, to]).ok();
        assert!(!moved.stderr().contains("warning"), "{moved}");
    }
}

#[test]
fn an_import_that_becomes_part_of_a_folder_is_told_to_lose_its_note() {
    let world = World::new();
    let other = ready(&world, "other", &world.remote("o"));
    other.write("x.bin", &data::bytes(1, 100_000));
    send(&other, "x.bin");
    let a = ready(&world, "a", &world.remote("r"));
    a.write("d/one.bin", &data::bytes(2, 1000));
    take(&a, "d");
    a.haul(&["import", "../other", "x.bin", "x.bin"]).ok();
    a.commit("import");
    let plan = a.haul(&["mv", "--dry-run", "x.bin", "d"]).ok();
    plan.says("`x.bin` comes from `").says("keeps no note of that");
    a.haul(&["mv", "x.bin", "y.bin"]).ok();
    a.haul(&["update"]).ok().says("y.bin");
}

#[test]
fn a_rule_for_folders_alone_is_heeded_where_no_folder_stands_yet() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    a.write("data/one.bin", &data::bytes(1, 1000));
    a.write("d/sub/two.bin", &data::bytes(2, 1000));
    a.write("x.bin", &data::bytes(3, 1000));
    for path in ["data", "d", "x.bin"] {
        take(&a, path);
    }
    a.write(".haulignore", b"build/\n");
    let before = a.tree();
    for (from, to) in
        [("data", "build"), ("data", "d/build"), ("d/sub", "d/build"), ("d/sub", "build")]
    {
        let refused = a.haul(&["mv", from, to]).fails_with(1);
        refused.says("a line of a `.haulignore` excludes it").says(to);
    }
    a.tree().assert_same(&before);
    // Also where the data is not here; a file of that name is none of those.
    let away = a.tree_of("data");
    a.remove("data");
    a.haul(&["mv", "data", "build"]).fails_with(1).says("excludes it");
    a.haul(&["mv", "x.bin", "build"]).ok();
    a.haul(&["checkout", "data"]).ok();
    a.tree_of("data").assert_same(&away);
}

#[test]
fn a_new_folder_that_some_systems_take_for_another_is_warned_of() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    for (seed, name) in [(1, "gg/Sub/x"), (2, "gg/t/y"), (3, "Top/z"), (4, "f")] {
        a.write(name, &data::bytes(seed, 1000));
    }
    for path in ["gg", "Top/z", "f"] {
        take(&a, path);
    }
    for (from, to, names) in
        [("gg/t/y", "gg/sub/y", "`gg/Sub` and `gg/sub`"), ("f", "top/deep/f", "`Top` and `top`")]
    {
        a.haul(&["mv", "--dry-run", from, to]).ok().says(names).says("are one name");
        a.haul(&["mv", from, to]).ok().says(names);
    }
    // A folder that is there is no new name.
    let moved = a.haul(&["mv", "top/deep/f", "top/f"]).ok();
    assert!(!moved.stderr().contains("warning"), "{moved}");
}

#[test]
fn where_a_tracked_path_of_that_name_lies_the_refusal_says_so() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    for (seed, name) in [(1, "e/e/x"), (2, "e/y"), (3, "d/e/z")] {
        a.write(name, &data::bytes(seed, 1000));
    }
    for path in ["e", "d"] {
        take(&a, path);
    }
    let before = a.tree();
    for from in ["e/e", "d/e"] {
        a.haul(&["mv", from, "."])
            .fails_with(1)
            .says("`e` is tracked there already")
            .says("hint: ");
    }
    a.tree().assert_same(&before);
    a.haul(&["mv", "d/e", "e/f"]).ok();
    // A pointer that cannot be read is named with what brings it back.
    a.write("e.haul", b"damaged");
    for to in ["out", "e/out"] {
        a.haul(&["mv", "e/y", to]).fails_with(1).says("`git checkout -- e.haul`");
    }
}
