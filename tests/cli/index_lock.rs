//! Git's index and its lock, with real hooks of Git, and with a haul that dies.

use crate::harness::{Repo, World, data};

/// The points at which Git's lock is held.
const HELD: [&str; 2] = ["git.index.locked", "git.index.renamed"];

fn initialised<'a>(world: &'a World, name: &str) -> Repo<'a> {
    let a = world.repo(name);
    a.haul(&["init"]).ok();
    a.git(&["add", "--all"]).ok();
    a.commit("settings");
    a
}

#[test]
fn a_lock_that_a_dead_haul_left_goes_with_the_same_command() {
    let world = World::new();
    for point in HELD {
        let a = world.repo(point);
        let dying = [("HAUL_FAILPOINT", point)];
        a.haul_with(&["init"], &dying);
        assert!(a.has(".git/index.lock"));
        a.haul(&["init"]).ok();
        assert!(!a.has(".git/index.lock"));
        a.write("x.bin", &data::bytes(1, 200_000));
        a.haul_with(&["add", "x.bin"], &dying);
        assert!(a.has(".git/index.lock"));
        a.haul(&["add", "x.bin"]).ok();
        assert!(!a.has(".git/index.lock"));
        let staged = a.git(&["diff", "--cached", "--name-only"]).ok();
        assert_eq!(staged.stdout(), ".gitattributes\n.gitignore\nhaul.toml\nx.bin.haul\n");
        a.git(&["status", "--porcelain"]).ok().prints("A  x.bin.haul");
        a.commit("data");
    }
}

#[test]
fn the_lock_of_a_living_haul_keeps_git_out_and_is_no_leftover() {
    let world = World::new();
    let a = initialised(&world, "a");
    a.write("x.bin", b"x");
    a.write("plain", b"1");
    let paused = a.pause_haul(&["add", "x.bin"], "git.index.locked");
    a.git(&["add", "plain"]).fails_with(128).says("index.lock");
    a.haul(&["remote", "add", "origin", "../r"]).fails_with(1).says("index.lock");
    assert!(a.has(".git/index.lock"));
    paused.let_go().ok();
    a.git(&["add", "plain"]).ok();
    let staged = a.git(&["diff", "--cached", "--name-only"]).ok();
    assert_eq!(staged.stdout(), ".gitignore\nplain\nx.bin.haul\n");
}

#[test]
fn what_a_hook_adds_is_in_the_commit_that_it_runs_in() {
    let world = World::new();
    let a = initialised(&world, "a");
    a.write("plain", b"1");
    a.write("other", b"1");
    a.git(&["add", "plain", "other"]).ok();
    a.commit("plain");
    a.script(".git/hooks/pre-commit", "#!/bin/sh\nexec haul add x.bin\n");
    // Git's own index, the locked one of `--all`, and the one that holds these paths alone.
    for (round, arguments) in
        [&["--allow-empty"][..], &["--all"], &["--", "plain"]].iter().enumerate()
    {
        a.write("x.bin", &data::bytes(round as u64, 90_000));
        a.write("plain", format!("version {round}").as_bytes());
        let words = [&["commit", "--quiet", "--message", "with a hook"][..], arguments].concat();
        a.git(&words).ok();
        let pointer = a.git(&["show", "HEAD:x.bin.haul"]).ok();
        assert_eq!(pointer.stdout(), a.text("x.bin.haul"), "{arguments:?}");
        assert!(!a.has(".git/index.lock"));
    }
}
