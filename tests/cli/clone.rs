//! `haul clone` where Git clones only in part, or nothing that uses haul. For content see `filter_modes.rs`.

use crate::harness::{Output, Repo, World, data};
use crate::scene::{assert_clean, save, shared};

/// The commands that a hint names, in order.
fn steps(said: &Output) -> Vec<String> {
    let text = said.stderr();
    let hint = text.lines().find(|line| line.contains("hint:")).expect("gives a hint");
    hint.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// A repository with tracked data and a file whose filter fails in every clone until it is mended.
fn filtered(world: &World) -> Repo<'_> {
    let a = shared(world);
    a.write("x.bin", &data::bytes(1, 1000));
    a.write("w.theirs", b"w");
    let lines = a.text(".gitattributes") + "*.theirs filter=theirs\n";
    a.write(".gitattributes", lines.as_bytes());
    save(&a, &["x.bin"], "data");
    a.haul(&["push"]).ok();
    for (key, value) in [("smudge", "false"), ("clean", "cat"), ("required", "true")] {
        a.git(&["config", "--global", &format!("filter.theirs.{key}"), value]).ok();
    }
    a
}

#[test]
fn a_clone_whose_checkout_failed_is_completed_by_what_is_said() {
    let world = World::new();
    let a = filtered(&world);
    let url = world.remote("r").path().to_str().expect("is UTF-8").to_owned();
    let top = world.folder(".");
    let first = top.haul(&["clone", "a", "b c"]).fails_with(1).says("smudge filter theirs failed");
    first.says("put right what Git says");
    let again = top.haul(&["clone", "a", "b c"]).fails_with(1);
    let again = again.says("`b c` is a clone of `a` already, whose files Git did not check out");
    assert_eq!(steps(&again).len(), 3, "{again}");
    a.git(&["config", "--global", "filter.theirs.smudge", "cat"]).ok();
    for step in steps(&again) {
        let line = format!("HAUL_ACCEPT_REMOTE='{url}' {step}");
        top.run("sh", &["-c", &line]).ok();
    }
    let b = world.folder("b c");
    assert_eq!(b.read("x.bin"), data::bytes(1, 1000));
    assert_eq!(b.read("w.theirs"), b"w");
    assert_clean(&b);
}

#[test]
fn a_clone_that_uses_no_haul_is_not_told_to_pull() {
    let world = World::new();
    let a = filtered(&world);
    a.git(&["rm", "--quiet", "haul.toml"]).ok();
    a.commit("no haul");
    let failed = world.folder(".").haul(&["clone", "a", "b"]).fails_with(1);
    assert_eq!(steps(&failed), ["git -C b restore --source=HEAD --staged --worktree :/"]);
}

#[test]
fn a_repository_without_a_commit_is_planned_as_it_is_cloned() {
    let world = World::new();
    let top = world.folder(".");
    world.repo("a");
    let plan = top.haul(&["clone", "--dry-run", "a", "b"]).ok();
    plan.says("0 files").says("no haul in it");
    assert!(!top.has("b"));
    top.haul(&["clone", "--dry-run", "--branch", "x", "a", "b"]).fails_with(1).says("`x`");
    top.haul(&["clone", "--branch", "x", "a", "b"]).fails_with(1);
    top.haul(&["clone", "a", "b"]).ok().says("no haul in it");
}

#[test]
fn a_plan_takes_the_branch_first_then_the_tag_as_git_does() {
    let world = World::new();
    let a = shared(&world);
    let top = world.folder(".");
    for (name, seed) in [("x.bin", 1), ("y.bin", 2)] {
        a.write(name, &data::bytes(seed, 1000));
        save(&a, &[name], name);
        // The branch has one file, the tag two.
        let kind = if seed == 1 { "branch" } else { "tag" };
        a.git(&[kind, "v1"]).ok();
    }
    a.git(&["tag", "v2"]).ok();
    a.haul(&["push"]).ok();
    for (name, files) in [("v1", "1 file,"), ("v2", "2 files,")] {
        top.haul(&["clone", "--dry-run", "--branch", name, "a", "b"]).ok().says(files);
        top.haul(&["clone", "--branch", name, "a", name]).ok();
    }
    assert!(!world.folder("v1").has("y.bin.haul") && world.folder("v2").has("y.bin.haul"));
    let hash = a.git(&["rev-parse", "HEAD"]).ok().stdout().trim().to_owned();
    for name in ["heads/v1", "refs/heads/v1", "v3", "HEAD", &hash] {
        let plan = top.haul(&["clone", "--dry-run", "--branch", name, "a", "b"]).fails_with(1);
        plan.says(&format!("`a` has no branch and no tag `{name}`"));
        top.haul(&["clone", "--branch", name, "a", "b"]).fails_with(1);
    }
}

#[test]
fn files_of_the_user_are_kept_where_a_clone_is_completed() {
    let world = World::new();
    let a = shared(&world);
    a.write("x.bin", &data::bytes(1, 1000));
    a.write("text", b"theirs");
    a.git(&["add", "text"]).ok();
    save(&a, &["x.bin"], "data");
    a.haul(&["push"]).ok();
    let url = world.remote("r").path().to_str().expect("is UTF-8").to_owned();
    let top = world.folder(".");
    for name in ["empty", "b c"] {
        top.git(&["clone", "--quiet", "--no-checkout", "a", name]).ok();
    }
    let said = top.haul(&["clone", "a", "empty"]).fails_with(1);
    assert!(steps(&said)[0].starts_with("git -C empty restore "), "{said}");
    let b = world.folder("b c");
    b.write("text", b"mine");
    b.write("other", b"mine too");
    let said = top.haul(&["clone", "a", "b c"]).fails_with(1).says("leaves files that are there");
    for step in steps(&said) {
        // Of files in the way, Git says so.
        top.run("sh", &["-c", &format!("HAUL_ACCEPT_REMOTE='{url}' {step}")]).status();
    }
    assert_eq!((b.text("text"), b.text("other")), ("mine".to_owned(), "mine too".to_owned()));
    assert_eq!(b.read("x.bin"), data::bytes(1, 1000));
    let status = b.git(&["status", "--porcelain"]).ok();
    assert_eq!(status.stdout(), " M text\n?? other\n");
}
