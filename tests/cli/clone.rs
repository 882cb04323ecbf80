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
