//! Merging tracked folders file by file, by Git's merge and after one on a forge.

use crate::harness::{Output, Remote, Repo, World, data};
use crate::scene::{assert_clean, save, shared};

/// A tracked folder of 300 files, and one file that is tracked by itself.
fn start(world: &World) -> Repo<'_> {
    let a = shared(world);
    for n in 0..300 {
        a.write(format!("dir/f{n:03}"), &data::bytes(n, 100));
    }
    a.write("x.bin", &data::bytes(1, 100_000));
    save(&a, &["dir", "x.bin"], "start");
    a.git(&["branch", "base"]).ok();
    a
}

/// Makes a branch on top of `base` with what `work` does to the folder.
fn branch(a: &Repo<'_>, name: &str, work: impl Fn(&Repo<'_>)) {
    a.git_hooked(&["checkout", "--quiet", "-b", name, "base"]).ok();
    work(a);
    save(a, &["dir", "x.bin"], name);
}

fn merge(a: &Repo<'_>, name: &str) -> Output {
    a.git_hooked(&["merge", "--quiet", "--no-edit", name])
}

fn one(a: &Repo<'_>) {
    a.write("dir/f001", b"one");
    a.write("dir/new-one", &data::bytes(51, 70_000));
    std::fs::rename(a.path("dir/f100"), a.path("dir/renamed")).expect("is there");
}

fn two(a: &Repo<'_>) {
    a.write("dir/f200", b"two");
    a.remove("dir/f250");
    a.write("dir/new-two", &data::bytes(52, 70_000));
    a.set_executable("dir/f001", true);
}

#[test]
fn different_files_of_one_folder_merge_and_the_data_follows() {
    let world = World::new();
    let a = start(&world);
    branch(&a, "one", one);
    branch(&a, "two", two);
    merge(&a, "one").ok();
    assert_eq!(a.read("dir/f001"), b"one");
    assert_eq!(a.read("dir/f200"), b"two");
    assert_eq!(a.read("dir/new-one"), data::bytes(51, 70_000));
    assert_eq!(a.read("dir/new-two"), data::bytes(52, 70_000));
    assert_eq!(a.read("dir/renamed"), data::bytes(100, 100));
    assert!(!a.has("dir/f250") && !a.has("dir/f100"));
    let mode = a.git(&["log", "--oneline", "-1"]).ok();
    assert!(mode.stdout().contains("Merge"), "{mode}");
    assert_clean(&a);
    // The merged tree is complete for everybody else.
    a.haul(&["push", "--all"]).ok();
    let b = a.clone_as("b");
    b.haul(&["pull"]).ok();
    b.tree().assert_same(&a.tree());
}

#[test]
fn it_is_the_same_manifest_that_adding_the_merged_files_gives() {
    let world = World::new();
    let a = start(&world);
    branch(&a, "one", one);
    branch(&a, "two", two);
    merge(&a, "one").ok();
    let merged = a.read("dir.haul");
    let done = a.haul(&["add", "dir", "--json"]).ok();
    assert_eq!(a.read("dir.haul"), merged, "{done}");
}

#[test]
fn a_clone_without_any_data_merges_and_fetches_none() {
    let world = World::new();
    let a = start(&world);
    branch(&a, "one", one);
    branch(&a, "two", two);
    a.haul(&["push", "--all"]).ok();
    let b = a.clone_as("b");
    b.haul(&["init"]).ok();
    b.git(&["branch", "one", "origin/one"]).ok();
    // Packs of data that this clone has anything of.
    let brought = || {
        let local = Remote::at(b.path(".git/haul")).keys("");
        let data = Remote::at(world.path("r")).keys("p/");
        let here = |key: &&String| {
            let name = key.rsplit('/').next().expect("has a name");
            local.iter().any(|key| key.contains(name))
        };
        data.iter().filter(here).count()
    };
    merge(&b, "one").ok();
    assert!(!b.has("dir"), "no data was asked for");
    assert_eq!(brought(), 0, "trees are enough");
    // What was merged can be pushed by this clone, and had by all others.
    b.haul(&["push"]).ok();
    b.haul(&["verify"]).ok();
    b.haul(&["fetch"]).ok();
    assert!(brought() > 0, "so they would have been seen");
    let c = b.clone_as("c");
    c.haul(&["pull"]).ok();
    assert_eq!(c.read("dir/new-one"), data::bytes(51, 70_000));
    assert_eq!(c.read("dir/new-two"), data::bytes(52, 70_000));
}

#[test]
fn the_same_file_changed_on_both_sides_is_a_conflict_with_all_versions_at_hand() {
    let world = World::new();
    let a = start(&world);
    branch(&a, "one", |a| {
        one(a);
        a.write("dir/f007", b"theirs");
    });
    branch(&a, "two", |a| {
        two(a);
        a.write("dir/f007", b"ours");
    });
    merge(&a, "one").fails_with(1).says("`dir/f007`").says("ours changed, theirs changed");
    assert!(!a.text("dir.haul").contains("<<<<"), "{}", a.text("dir.haul"));
    a.git(&["ls-files", "--unmerged"]).ok().prints("dir.haul");
    // Adding now would lose what they added.
    a.haul(&["add", "dir"]).fails_with(1).says("haul merge");
    a.haul(&["merge"]).fails_with(1).prints("dir/f007").says("haul add");
    assert_eq!(a.read("dir/new-one"), data::bytes(51, 70_000));
    assert_eq!(a.read("dir/f007"), b"ours");
    for (side, bytes) in [
        ("--ours", b"ours".to_vec()),
        ("--theirs", b"theirs".to_vec()),
        ("--base", data::bytes(7, 100)),
    ] {
        let to = format!("version{side}");
        a.haul(&["checkout", side, "dir/f007", "--to", &to]).ok();
        assert_eq!(a.read(&to), bytes);
        a.haul(&["checkout", side, "dir/f007", "--to", &to]).fails_with(1).says("there already");
    }
    a.haul(&["checkout", "--theirs", "dir/f250", "--to", "gone"]).ok();
    a.haul(&["checkout", "--ours", "dir/f250", "--to", "gone-2"])
        .fails_with(1)
        .says("our side has no");
    a.write("dir/f007", b"settled");
    a.haul(&["add", "dir"]).ok();
    assert_eq!(a.git(&["ls-files", "--unmerged"]).ok().stdout(), "");
    a.git_hooked(&["commit", "--quiet", "--no-edit"]).ok();
    for name in ["version--ours", "version--theirs", "version--base", "gone"] {
        a.remove(name);
    }
    assert_clean(&a);
    assert_eq!(a.read("dir/new-one"), data::bytes(51, 70_000));
    assert_eq!(a.read("dir/f007"), b"settled");
}

#[test]
fn one_file_changed_on_both_sides_is_a_conflict_without_marks() {
    let world = World::new();
    let a = start(&world);
    branch(&a, "one", |a| a.write("x.bin", &data::bytes(61, 90_000)));
    branch(&a, "two", |a| a.write("x.bin", &data::bytes(62, 90_000)));
    a.haul(&["push", "--all"]).ok();
    merge(&a, "one").fails_with(1).says("`x.bin`");
    a.haul(&["status"]).ok();
    assert!(!a.text("x.bin.haul").contains("<<<<"));
    a.haul(&["checkout", "--theirs", "x.bin", "--to", "theirs.bin"]).ok();
    assert_eq!(a.read("theirs.bin"), data::bytes(61, 90_000));
    // In a clone that has no content it is fetched.
    let b = a.clone_as("b");
    b.haul(&["init"]).ok();
    b.git(&["branch", "one", "origin/one"]).ok();
    merge(&b, "one").fails_with(1);
    b.haul(&["checkout", "--theirs", "x.bin", "--to", "theirs.bin"]).ok();
    assert_eq!(b.read("theirs.bin"), data::bytes(61, 90_000));
}

#[test]
fn a_merge_of_a_forge_is_made_good_by_hand() {
    let world = World::new();
    let a = start(&world);
    branch(&a, "one", one);
    branch(&a, "two", two);
    // A forge knows no driver of ours; somebody chose one side's pointer on its page.
    a.git(&["-c", "merge.haul.driver=false", "merge", "--quiet", "one"]).fails_with(1);
    a.git(&["checkout", "--quiet", "--theirs", "dir.haul"]).ok();
    a.git(&["add", "dir.haul"]).ok();
    a.commit("merged on a page");
    a.haul(&["checkout"]).ok();
    assert!(!a.has("dir/new-two"), "the work of two is lost");
    a.haul(&["merge"]).ok().says("merged 1 pointers");
    assert_eq!(a.read("dir/new-two"), data::bytes(52, 70_000));
    assert_eq!(a.read("dir/new-one"), data::bytes(51, 70_000));
    assert_eq!(a.git(&["status", "--porcelain"]).ok().stdout(), "M  dir.haul\n");
    a.commit("the rest");
    assert_clean(&a);
    a.haul(&["merge"]).ok().says("nothing to merge");
}

#[test]
fn a_merge_of_a_forge_with_marks_in_a_pointer_is_made_good_too() {
    let world = World::new();
    let a = start(&world);
    branch(&a, "one", one);
    branch(&a, "two", two);
    a.git(&["checkout", "--quiet", "-b", "forge"]).ok();
    a.git(&["config", "--remove-section", "merge.haul"]).ok();
    a.git(&["merge", "--quiet", "one"]).fails_with(1);
    assert!(a.text("dir.haul").contains("<<<<"));
    a.git(&["add", "dir.haul"]).ok();
    a.commit("marks and all");
    a.haul(&["merge"]).ok();
    assert_eq!(a.read("dir/new-two"), data::bytes(52, 70_000));
    assert_eq!(a.read("dir/new-one"), data::bytes(51, 70_000));
}

#[test]
fn a_folder_that_both_sides_made_anew_merges_what_only_one_has() {
    let world = World::new();
    let a = start(&world);
    for (name, seed) in [("one", 71), ("two", 72)] {
        a.git_hooked(&["checkout", "--quiet", "-b", name, "base"]).ok();
        a.write("fresh/same", b"same");
        a.write(format!("fresh/{name}"), &data::bytes(seed, 100));
        save(&a, &["fresh"], name);
    }
    merge(&a, "one").ok();
    assert!(a.has("fresh/one") && a.has("fresh/two") && a.has("fresh/same"));
    assert_clean(&a);
}

#[test]
fn a_path_removed_on_one_side_and_changed_on_the_other_is_told() {
    let world = World::new();
    let a = start(&world);
    branch(&a, "one", |a| {
        a.write("dir/f007", b"changed");
        a.remove("dir/f008");
    });
    branch(&a, "two", |a| {
        a.remove("dir/f007");
        a.write("dir/f008", b"changed");
    });
    let told = merge(&a, "one").fails_with(1);
    told.says("`dir/f007`: ours removed, theirs changed")
        .says("`dir/f008`: ours changed, theirs removed");
}

#[test]
fn trees_that_nobody_pushed_stop_a_merge_and_are_named() {
    let world = World::new();
    let a = start(&world);
    branch(&a, "one", one);
    branch(&a, "two", two);
    let b = a.clone_as("b");
    b.haul(&["init"]).ok();
    b.git(&["branch", "one", "origin/one"]).ok();
    let pointer = b.text("dir.haul");
    merge(&b, "one").fails_with(1).says("dir");
    assert_eq!(b.text("dir.haul"), pointer, "ours stays whole");
    b.git(&["ls-files", "--unmerged"]).ok().prints("dir.haul");
    // Once they are there, it is made good.
    a.haul(&["push", "--all"]).ok();
    b.haul(&["merge"]).ok();
    assert_eq!(b.git(&["ls-files", "--unmerged"]).ok().stdout(), "");
}

#[test]
fn a_cherry_pick_and_a_rebase_merge_folders_too() {
    let world = World::new();
    let a = start(&world);
    branch(&a, "one", one);
    branch(&a, "two", two);
    a.git_hooked(&["rebase", "--quiet", "one"]).ok();
    assert!(a.has("dir/new-one") && a.has("dir/new-two"));
    assert_clean(&a);
    a.git_hooked(&["checkout", "--quiet", "-b", "three", "base"]).ok();
    a.write("dir/f222", b"three");
    save(&a, &["dir"], "three");
    a.git_hooked(&["cherry-pick", "two"]).ok();
    // Git calls nobody after a cherry-pick.
    a.haul(&["checkout"]).ok();
    assert_eq!(a.read("dir/f222"), b"three");
    assert_eq!(a.read("dir/f200"), b"two");
    assert_clean(&a);
}

#[test]
fn a_pointer_that_another_haul_cut_otherwise_is_no_conflict() {
    let world = World::new();
    let a = start(&world);
    branch(&a, "two", |a| a.write("x.bin", &data::bytes(81, 300_000)));
    let text = a.text("x.bin.haul");
    let root = text.lines().find(|line| line.starts_with("root ")).expect("has several chunks");
    let other = text.replace(root, &format!("root z9.1:{}", "7".repeat(64)));
    a.git(&["checkout", "--quiet", "-b", "one", "base"]).ok();
    a.write("x.bin.haul", other.as_bytes());
    a.git(&["commit", "--quiet", "--all", "-m", "cut otherwise"]).ok();
    a.git(&["checkout", "--quiet", "two"]).ok();
    merge(&a, "one").ok();
    assert_eq!(a.text("x.bin.haul"), other);
}

#[test]
fn what_two_sides_cut_by_different_rules_merges_like_anything_else() {
    let world = World::new();
    let a = start(&world);
    let cut = |a: &Repo<'_>, profile: &str, paths: &[&str]| {
        let add = [&["add"], paths].concat();
        a.haul_with(&add, &[("HAUL_ADD_PROFILE", profile)]).ok();
    };
    for (seed, name, profile) in [(71, "one", "m16.1"), (72, "two", "m256.1")] {
        branch(&a, name, |a| {
            a.write(format!("dir/f{seed:03}"), &data::bytes(seed, 400_000));
            a.write(format!("dir/new-{name}"), &data::bytes(seed + 10, 900_000));
            // The same content on both sides, and another one.
            a.write("same.bin", &data::bytes(73, 900_000));
            a.write("other.bin", &data::bytes(seed, 900_000));
            cut(a, profile, &["dir", "same.bin", "other.bin"]);
            let pointer = a.text("same.bin.haul");
            assert!(pointer.contains(&format!("root {profile}:")), "{pointer}");
        });
    }
    let merged = merge(&a, "one").fails_with(1);
    assert!(!merged.stderr().contains("same.bin"), "{merged}");
    merged.says("conflict in `other.bin`");
    let text = a.text("other.bin.haul");
    assert!(!text.contains("<<<<"), "{text}");
    a.haul(&["checkout", "--theirs", "other.bin", "--to", "theirs.bin"]).ok();
    assert_eq!(a.read("theirs.bin"), data::bytes(71, 900_000));
    a.remove("theirs.bin");
    a.haul(&["add", "other.bin"]).ok();
    a.git(&["add", "-A"]).ok();
    a.commit("merged");
    a.haul(&["checkout"]).ok();
    for (seed, name) in [(71, "one"), (72, "two")] {
        assert_eq!(a.read(format!("dir/f{seed:03}")), data::bytes(seed, 400_000));
        assert_eq!(a.read(format!("dir/new-{name}")), data::bytes(seed + 10, 900_000));
    }
    assert_clean(&a);
    a.haul(&["push"]).ok();
    let b = a.clone_as("b");
    b.haul(&["pull"]).ok();
    b.tree().assert_same(&a.tree());
}

#[test]
fn init_registers_it_and_uninstall_takes_everything_back() {
    let world = World::new();
    let a = world.repo("a");
    a.write(".gitattributes", b"*.txt text\n");
    a.git(&["add", "-A"]).ok();
    a.commit("own");
    let hooks = a.tree_of(".git/hooks");
    a.haul(&["init"]).ok();
    a.git(&["check-attr", "merge", "x.haul"]).ok().prints("merge: haul");
    a.git(&["config", "merge.haul.driver"]).ok().prints("merge-driver -- %O %A %B %P");
    a.haul(&["uninstall"]).ok().says("haul.toml");
    assert_eq!(a.text(".gitattributes"), "*.txt text\n");
    assert!(!a.has("haul.toml"));
    a.git(&["config", "merge.haul.driver"]).fails_with(1);
    hooks.assert_same(&a.tree_of(".git/hooks"));
    assert_eq!(a.git(&["status", "--porcelain"]).ok().stdout(), "");
    a.haul(&["uninstall"]).ok();
}

#[test]
fn uninstall_leaves_data_and_what_tracked_paths_need() {
    let world = World::new();
    let a = start(&world);
    let before = a.tree();
    a.haul(&["uninstall"]).ok().says("2 tracked paths need them");
    before.assert_same(&a.tree());
    a.haul(&["hooks", "status"]).fails_with(1);
    a.haul(&["push"]).ok();
    a.haul(&["init"]).ok();
    a.haul(&["hooks", "status"]).ok();
    before.assert_same(&a.tree());
}
