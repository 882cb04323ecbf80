//! What Git and haul read themselves stays in Git as it is, also below a pattern that takes in a folder.

use std::fs;

use crate::filter::{assert_settled, held, save, tracking};
use crate::harness::{World, data};
use crate::scene::{assert_clean, shared};

#[test]
fn haul_changes_an_ignore_file_below_a_pattern_and_git_holds_all_of_it() {
    let world = World::new();
    let a = shared(&world);
    a.write("data/.gitignore", b"of the user\n");
    a.write("data/big", &data::bytes(1, 50_000));
    a.haul(&["add", "data/big"]).ok();
    save(&a, "beside");
    a.haul(&["track", "data/**"]).ok().says("1 path converted");
    assert_eq!(a.git(&["cat-file", "blob", ":data/.gitignore"]).ok().stdout(), "of the user\n");
    save(&a, "in place");
    assert!(held(&a, "HEAD", "data/big").starts_with("haul 1\n"));
    a.haul(&["push"]).ok();
    a.haul(&["verify", "HEAD"]).ok();
    a.git(&["checkout", "--quiet", "HEAD~1"]).ok();
    a.git(&["checkout", "--quiet", "main"]).ok();
    assert_eq!(a.text("data/.gitignore"), "of the user\n");
    assert_settled(&a);
}

#[test]
fn lines_that_nobody_asked_haul_about_do_not_take_in_settings_either() {
    let world = World::new();
    let a = shared(&world);
    a.write(".gitattributes", b"* filter=haul\n");
    let long = data::csv(1, 400_000);
    assert!(long.len() > 9_000_000, "{}", long.len());
    for name in ["sub/.gitattributes", "sub/.gitignore", ".gitmodules"] {
        a.write(name, b"# nothing\n");
    }
    a.write("sub/table.haul", &long);
    a.write("sub/x", &data::bytes(1, 1000));
    save(&a, "all");
    assert!(held(&a, "HEAD", "sub/x").starts_with("haul 1\n"));
    assert!(held(&a, "HEAD", "haul.toml").contains("[remotes"), "{}", a.text("haul.toml"));
    for name in ["sub/.gitattributes", "sub/.gitignore", ".gitmodules"] {
        assert_eq!(held(&a, "HEAD", name), "# nothing\n", "{name}");
    }
    assert_eq!(held(&a, "HEAD", ".gitattributes"), "* filter=haul\n");
    assert_eq!(a.git(&["cat-file", "blob", "HEAD:sub/table.haul"]).ok().bytes(), long);
    a.remove("sub/table.haul");
    a.git(&["checkout", "--", "sub"]).ok();
    assert_eq!(a.read("sub/table.haul"), long);
    assert_settled(&a);
    assert_eq!(a.haul(&["track"]).ok().stdout(), "pattern   *\npath      sub/x\n");
}

#[test]
fn a_hook_of_the_user_takes_nothing_in_while_haul_only_compares() {
    let world = World::new();
    let a = tracking(&world);
    a.write("x.bin", &data::bytes(1, 1000));
    // Else Git would look at it again, and hand it over once more.
    a.run("touch", &["--date", "2020-01-01", "x.bin"]).ok();
    let hook = "#!/bin/sh\ntest -e asked && exit\ntouch asked\ngit add x.bin\n";
    a.script(".git/hooks/post-index-change", hook);
    a.haul(&["track", "*.dat"]).ok();
    a.commit("x");
    a.haul(&["push"]).ok();
    a.haul(&["verify", "HEAD"]).ok();
}

#[test]
fn ignore_files_below_a_pattern_keep_the_lines_of_both_branches() {
    let world = World::new();
    let a = shared(&world);
    a.haul(&["track", "data/**"]).ok();
    a.write("data/.gitignore", b"first\n");
    save(&a, "first");
    a.git(&["checkout", "--quiet", "-b", "side"]).ok();
    a.write("data/.gitignore", b"first\ntheirs\n");
    a.write("data/.gitattributes", b"x -text\n");
    save(&a, "theirs");
    a.git(&["checkout", "--quiet", "main"]).ok();
    a.write("data/.gitignore", b"first\nours\n");
    a.write("data/.gitattributes", b"y -text\n");
    save(&a, "ours");
    a.git(&["merge", "side"]).fails_with(1);
    assert_eq!(a.text("data/.gitignore"), "first\nours\ntheirs\n");
    assert!(a.text("data/.gitattributes").starts_with("<<<<<<<"));
    assert_eq!(a.git(&["ls-files", "--unmerged"]).ok().stdout().lines().count(), 2);
}

#[test]
fn a_pointer_that_a_merge_brings_below_a_pattern_stays_a_pointer() {
    let world = World::new();
    let a = shared(&world);
    a.git(&["checkout", "--quiet", "-b", "side"]).ok();
    a.write("models/a.bin", &data::bytes(1, 100_000));
    a.haul(&["add", "models/a.bin"]).ok();
    save(&a, "beside");
    let pointer = a.text("models/a.bin.haul");
    a.git(&["checkout", "--quiet", "main"]).ok();
    a.haul(&["track", "models/**"]).ok();
    a.commit("a pattern");
    a.git(&["merge", "--quiet", "--no-edit", "side"]).ok();
    assert_eq!(a.text("models/a.bin.haul"), pointer);
    a.haul(&["pull"]).ok();
    assert_eq!(a.read("models/a.bin"), data::bytes(1, 100_000));
    assert_clean(&a);
}

#[test]
fn a_link_into_the_cache_becomes_a_file_before_git_has_it() {
    let world = World::new();
    let a = shared(&world);
    a.write("a.bin", &data::bytes(1, 100_000));
    a.haul(&["add", "a.bin"]).ok();
    save(&a, "beside");
    a.remove("a.bin");
    a.haul_with(&["pull"], &[("HAUL_CACHE_LINK", "symlink")]).ok();
    assert!(fs::symlink_metadata(a.path("a.bin")).expect("is there").is_symlink());
    a.haul(&["track", "a.bin"]).ok().says("1 path converted");
    a.commit("in place");
    a.git(&["add", "-A"]).ok();
    assert_settled(&a);
    assert!(!fs::symlink_metadata(a.path("a.bin")).expect("is there").is_symlink());
    assert_eq!(a.read("a.bin"), data::bytes(1, 100_000));
}
