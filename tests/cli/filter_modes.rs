//! Patterns of `haul track`, and what goes from one way of tracking to the other.

use crate::filter::{assert_settled, held, save, tracking};
use crate::harness::{World, data};
use crate::scene::shared;

fn oid(pointer: &str) -> &str {
    pointer.lines().find(|line| line.starts_with("oid ")).expect("has an oid")
}

#[test]
fn track_lists_patterns_and_paths() {
    let world = World::new();
    let a = tracking(&world);
    a.haul(&["track", "*.bin"]).ok().says("0 new patterns");
    a.write("d/a b", b"text");
    a.haul(&["track", "d/a b"]).ok();
    a.write("x.bin", &data::bytes(1, 1000));
    save(&a, "x");
    let list = a.haul(&["track"]).ok();
    assert_eq!(
        list.stdout(),
        "pattern   *.bin\npattern   /d/a b\npath      d/a b\npath      x.bin\n"
    );
    assert!(held(&a, "HEAD", "d/a b").starts_with("haul 1\n"));
}

#[test]
fn a_pattern_of_a_folder_below_means_what_lies_there() {
    let world = World::new();
    let a = shared(&world);
    a.mkdir("sub");
    a.haul(&["-C", "sub", "track", "*.bin"]).ok();
    for name in ["sub/deep/x.bin", "sub/y.bin", "z.bin"] {
        a.write(name, &data::bytes(1, 1000));
    }
    save(&a, "all");
    assert!(held(&a, "HEAD", "sub/deep/x.bin").starts_with("haul 1\n"));
    assert!(held(&a, "HEAD", "sub/y.bin").starts_with("haul 1\n"));
    assert!(!a.git(&["ls-files", "--eol", "z.bin"]).ok().stdout().contains("haul"));
    assert_eq!(a.haul(&["track"]).ok().stdout().lines().count(), 3);
}

#[test]
fn a_pattern_for_what_stays_in_git_is_refused() {
    let world = World::new();
    let a = shared(&world);
    let before = a.text(".gitattributes");
    for pattern in ["*.haul", "data/*.haul", "data/**/.gitignore"] {
        a.haul(&["track", pattern]).fails_with(1).says("nothing was changed");
    }
    a.haul(&["track", "haul.toml"]).fails_with(1).says("steers haul");
    a.haul(&["track", "mod*/"]).fails_with(1).says("mod*/**");
    a.haul(&["track", "!x"]).fails_with(1).says("no pattern that Git allows");
    assert_eq!(a.text(".gitattributes"), before);
}

#[test]
fn large_files_are_found_and_tracked_if_asked() {
    let world = World::new();
    let a = tracking(&world);
    a.write("x.bin", &data::bytes(1, 300_000));
    a.write("big [1].dat", &data::bytes(2, 200_000));
    a.write("small.dat", &data::bytes(3, 100));
    a.write("committed.dat", &data::bytes(4, 150_000));
    a.git(&["add", "committed.dat"]).ok();
    let found = a.haul(&["track", "--above", "100K"]).ok();
    let names: Vec<&str> = found.stdout().lines().map(|line| &line[12..]).collect();
    assert_eq!(names, ["big [1].dat", "committed.dat"]);
    a.haul(&["track", "--above", "100K", "--yes"]).ok().says("renormalize");
    a.git(&["add", "--renormalize", "."]).ok();
    save(&a, "all");
    assert!(held(&a, "HEAD", "big [1].dat").starts_with("haul 1\n"));
    assert!(held(&a, "HEAD", "committed.dat").starts_with("haul 1\n"));
    assert_eq!(a.git(&["show", "HEAD:small.dat"]).ok().bytes(), data::bytes(3, 100));
}

#[test]
fn what_stays_in_git_is_no_large_file() {
    let world = World::new();
    let a = shared(&world);
    a.write("sub/.gitignore", b"/nothing-of-this-name\n");
    a.write("sub/w", &data::bytes(1, 1000));
    a.haul(&["add", "sub/w"]).ok();
    save(&a, "all");
    a.write("sub/big.dat", &data::bytes(2, 1000));
    let out = a.haul(&["track", "--above", "10", "--yes"]).ok().says("1 new pattern in");
    assert!(out.stdout().ends_with("sub/big.dat\n") && out.stdout().lines().count() == 1, "{out}");
    assert_eq!(a.haul(&["track"]).ok().stdout(), "pattern   /sub/big.dat\n");
}

#[test]
fn a_tracked_folder_is_refused_and_nothing_is_left_of_it() {
    let world = World::new();
    let a = shared(&world);
    a.write("dir/x", &data::bytes(1, 1000));
    a.haul(&["add", "dir"]).ok();
    save(&a, "dir");
    let before = a.text(".gitattributes");
    for name in ["dir", "dir/", "dir/**"] {
        a.haul(&["track", name]).fails_with(1).says("haul untrack dir");
        assert_eq!(a.text(".gitattributes"), before);
    }
    // A pattern for all there is does not mean it.
    a.haul(&["track", "d*"]).ok();
    assert!(a.has("dir.haul"));
    assert_eq!(a.haul(&["ls"]).ok().stdout().lines().count(), 1);
}

#[test]
fn haul_can_be_taken_out_of_the_settings_of_the_user() {
    let world = World::new();
    let a = tracking(&world);
    a.write("x.bin", &data::bytes(1, 1000));
    save(&a, "x");
    a.haul(&["init", "--global"]).ok();
    // Git goes on to call haul.
    let out = a.haul(&["uninstall"]).ok();
    assert!(!out.stderr().contains("git add"), "{out}");
    let set = ["config", "--global", "--get-regexp", "^filter\\.haul\\."];
    a.git(&set).ok().prints("filter.haul.required true");
    a.haul(&["uninstall", "--global"]).ok();
    a.git(&set).fails_with(1);
    a.haul(&["uninstall", "--global"]).ok().says("nothing to do");
    a.haul(&["uninstall"]).ok().says("of 1 file Git holds").says("haul untrack PATTERN");
}

#[test]
fn a_path_goes_from_one_way_to_the_other_and_back_with_its_oid() {
    let world = World::new();
    let a = shared(&world);
    a.write("data.bin", &data::bytes(1, 300_000));
    a.set_executable("data.bin", true);
    a.haul(&["add", "data.bin"]).ok();
    a.git(&["add", "-A"]).ok();
    a.commit("beside");
    let first = held(&a, "HEAD", "data.bin.haul");
    a.haul(&["track", "data.bin"]).ok().says("1 path converted");
    a.commit("in place");
    assert!(!a.has("data.bin.haul"));
    assert_eq!(oid(&held(&a, "HEAD", "data.bin")), oid(&first));
    assert_eq!(a.read("data.bin"), data::bytes(1, 300_000));
    assert_settled(&a);
    a.haul(&["add", "data.bin"]).fails_with(1).says("haul untrack");
    a.haul(&["untrack", "data.bin"]).ok().says("git rm --cached");
    a.git(&["rm", "--cached", "--quiet", "data.bin"]).ok();
    a.haul(&["add", "data.bin"]).ok();
    a.commit("beside again");
    assert_eq!(held(&a, "HEAD", "data.bin.haul"), first);
    assert_settled(&a);
}

#[test]
fn a_converted_path_stays_in_other_clones() {
    let world = World::new();
    let a = shared(&world);
    a.write("data.bin", &data::bytes(1, 300_000));
    a.haul(&["add", "data.bin"]).ok();
    a.git(&["add", "-A"]).ok();
    a.commit("beside");
    a.haul(&["push"]).ok();
    let b = a.clone_as("b");
    b.haul(&["init"]).ok();
    b.haul(&["pull"]).ok();
    a.haul(&["track", "data.bin"]).ok();
    a.commit("in place");
    b.git_hooked(&["pull", "--quiet"]).ok();
    b.haul(&["pull"]).ok();
    assert_eq!(b.read("data.bin"), data::bytes(1, 300_000));
    b.haul(&["checkout"]).ok();
    assert_eq!(b.read("data.bin"), data::bytes(1, 300_000));
}

#[test]
fn untracking_a_pattern_needs_the_content() {
    let world = World::new();
    let a = tracking(&world);
    a.write("x.bin", &data::bytes(1, 1000));
    save(&a, "x");
    a.remove("x.bin");
    a.git_with(&["checkout", "x.bin"], &[("HAUL_SKIP_SMUDGE", "1")]).ok();
    a.haul(&["untrack", "*.bin"]).fails_with(1).says("haul pull");
    a.haul(&["pull"]).ok();
    a.haul(&["untrack", "--dry-run", "*.bin"]).ok().prints("*.bin");
    a.haul(&["untrack", "*.bin"]).ok();
    a.git(&["add", "--renormalize", "x.bin"]).ok();
    a.commit("raw");
    assert_eq!(a.git(&["show", "HEAD:x.bin"]).ok().bytes(), data::bytes(1, 1000));
    a.haul(&["untrack", "x.bin"]).fails_with(1);
}

#[test]
fn gc_du_ls_verify_and_cat_know_filtered_paths() {
    let world = World::new();
    let a = tracking(&world);
    for seed in [1, 2] {
        a.write("x.bin", &data::bytes(seed, 100_000));
        save(&a, "x");
    }
    a.haul(&["push"]).ok();
    a.haul(&["verify", "HEAD~1"]).ok();
    a.haul(&["ls"]).ok().prints("x.bin");
    assert_eq!(a.haul(&["cat", "HEAD~1:x.bin"]).ok().bytes(), data::bytes(1, 100_000));
    assert!(a.haul(&["du"]).ok().stdout().contains("x.bin"));
    let diff = a.haul(&["diff", "HEAD~1", "HEAD", "--json"]).ok().json();
    assert_eq!(diff["modified"], 1);
    let log = a.haul(&["log", "x.bin", "--json"]).ok().json();
    assert_eq!(log["commits"].as_array().map(Vec::len), Some(2), "{log}");
    a.haul(&["gc", "--yes", "--grace", "0"]).ok();
    a.haul(&["gc", "--yes", "--grace", "0"]).ok();
    a.haul(&["verify", "HEAD"]).ok();
    a.haul(&["verify", "HEAD~1"]).ok();
}

#[test]
fn haul_clone_sets_up_and_brings_both_kinds() {
    let world = World::new();
    let a = tracking(&world);
    a.write("x.bin", &data::bytes(1, 100_000));
    a.write("beside.dat", &data::bytes(2, 100_000));
    a.haul(&["add", "beside.dat"]).ok();
    save(&a, "both");
    a.haul(&["push"]).ok();
    let top = world.folder(".");
    let url = world.remote("r").path().to_str().expect("is UTF-8").to_owned();
    top.haul_with(&["clone", "a", "b"], &[("HAUL_ACCEPT_REMOTE", &url)]).ok();
    let b = world.folder("b");
    b.tree().assert_same(&a.tree());
    assert_settled(&b);
    b.git(&["config", "--local", "filter.haul.process"]).ok();
    // Not accepted: the clone stands, and what to do is said.
    std::fs::remove_dir_all(world.home().join(".config/haul")).expect("is there");
    top.haul(&["clone", "a", "c"]).fails_with(1).says("haul remote accept");
    assert!(world.folder("c").text("x.bin").starts_with("haul 1\n"));
    top.haul(&["clone", "--no-pull", "a", "d"]).ok();
    top.haul(&["clone", "a", "d"]).fails_with(1);
}
