//! `mv` that is killed at each of its steps, at last when Git is told: the same command completes it, and
//! what somebody commits before has the data under the old name or under the new one.

use crate::harness::{Repo, World, data};
use crate::scene::{save, shared, states};

/// What moves where, and the new name.
const MOVES: [(&str, &str, &str); 8] = [
    ("f", "g", "g"),
    ("f", "d/f", "d/f"),
    ("f", "d", "d/f"),
    ("d/a", "out", "out"),
    ("d/a", "e/a", "e/a"),
    ("d/a", "d/c", "d/c"),
    ("d/s", "sub", "sub"),
    ("d/s", "d/t", "d/t"),
];

fn scene(world: &World) -> Repo<'_> {
    let a = shared(world);
    a.write("f", &data::bytes(1, 70_000));
    a.write("d/a", &data::bytes(2, 70_000));
    a.write("d/b", b"b");
    a.write("d/s/one", &data::bytes(3, 70_000));
    a.write("e/x", b"x");
    save(&a, &["f", "d", "e"], "one");
    a.haul(&["status"]).ok();
    a
}

fn copy<'w>(world: &'w World, from: &Repo, name: &str) -> Repo<'w> {
    from.run("cp", &["-a", ".", &world.path(name).display().to_string()]).ok();
    world.folder(name)
}

/// A `git` that kills its caller when it is to stage a pointer for the n-th time.
fn deadly(world: &World, count: usize) -> String {
    let bin = world.folder("bin");
    let users = std::env::var("PATH").expect("is text");
    let git = bin.run("sh", &["-c", "command -v git"]).ok().stdout().to_owned();
    bin.write("left", count.to_string().as_bytes());
    let (input, left) = (bin.path("input"), bin.path("left"));
    let script = format!(
        "#!/bin/sh\ncase \" $* \" in\n*' add '*)\n  cat > '{input}'\n  \
         if tr '\\0' '\\n' < '{input}' | grep -q 'haul$'; then\n    \
         left=$(($(cat '{left}') - 1)); echo $left > '{left}'\n    \
         if [ $left = 0 ]; then kill -9 $PPID; exit 1; fi\n  fi\n  \
         exec {git} \"$@\" < '{input}' ;;\nesac\nexec {git} \"$@\"\n",
        input = input.display(),
        left = left.display(),
        git = git.trim(),
    );
    bin.script("git", &script);
    format!("{}:{users}", bin.path("").display().to_string().trim_end_matches('/'))
}

/// Kills a move at one of its steps; false if it has no more of them.
fn killed(world: &World, a: &Repo, words: &[&str], step: (&str, usize)) -> bool {
    let (point, count) = step;
    let output = if point == "git" {
        a.haul_with(words, &[("PATH", &deadly(world, count))])
    } else {
        a.haul_with(words, &[("HAUL_FAILPOINT", &format!("{point}:{count}"))])
    };
    if output.status().is_some() {
        output.ok();
        return false;
    }
    true
}

/// What Git holds, and what stands in the worktree.
fn state(a: &Repo) -> (String, Vec<String>) {
    let listed = a.git(&["ls-files", "-s"]).ok().stdout().to_owned();
    (listed, a.tree().paths().into_iter().map(str::to_owned).collect())
}

/// Kills a move at every step of these kinds, and runs it again.
fn kill_and_repeat(world: &World, a: &Repo, (from, to, new): (&str, &str, &str), commits: bool) {
    let words = ["mv", from, to];
    let whole = copy(world, a, "whole");
    whole.haul(&words).ok();
    let expected = state(&whole);
    for point in ["git", "git.index.locked", "fs.durable.written"] {
        for count in 1.. {
            let b = copy(world, a, "b");
            if !killed(world, &b, &words, (point, count)) {
                assert!(count > 1, "`mv {from} {to}` never came to {point}");
                b.remove("");
                break;
            }
            let step = format!("`mv {from} {to}`, killed at {point}:{count}");
            if commits {
                let c = copy(world, &b, "c");
                c.run("rm", &["-f", ".git/index.lock"]).ok();
                c.git(&["commit", "--quiet", "--allow-empty", "-am", "cut short"]).ok();
                let has = |path: &str| c.haul(&["ls", "-r", &format!("HEAD:{path}")]).status();
                assert!(
                    has(from) == Some(0) || has(new) == Some(0),
                    "{step}: the commit has neither"
                );
                c.remove("");
            }
            let again = b.haul(&words);
            assert_eq!(again.status(), Some(0), "{step}: {again}");
            // Temporary files of the killed one stay until an add or a checkout comes by.
            b.run("sh", &["-c", "rm -f .haul-tmp-*"]).ok();
            assert_eq!(state(&b), expected, "{step}");
            b.tree().assert_same(&whole.tree());
            assert_eq!(states(&b), Vec::<String>::new(), "{step}");
            assert!(!b.git(&["status", "--porcelain"]).ok().stdout().contains('?'), "{step}");
            b.remove("");
        }
    }
    whole.remove("");
}

#[test]
fn a_move_that_is_killed_anywhere_is_completed_by_the_same_command() {
    let world = World::new();
    let a = scene(&world);
    for moves in MOVES {
        kill_and_repeat(&world, &a, moves, true);
    }
}

#[test]
fn a_move_without_data_that_is_killed_anywhere_is_completed_by_the_same_command() {
    let world = World::new();
    let a = scene(&world);
    a.haul(&["push"]).ok();
    for path in ["f", "d", "e"] {
        a.remove(path);
    }
    for (from, to, new) in [("f", "g", "g"), ("d/a", "out", "out"), ("d/s", "d/t", "d/t")] {
        let words = ["mv", from, to];
        for count in 1.. {
            let b = copy(&world, &a, "b");
            if !killed(&world, &b, &words, ("git", count)) {
                b.remove("");
                break;
            }
            b.haul(&words).ok();
            b.commit("moved");
            b.haul(&["pull"]).ok();
            assert!(b.has(new) && !b.has(from));
            assert_eq!(states(&b), Vec::<String>::new());
            b.remove("");
        }
    }
}

#[test]
fn a_move_back_that_is_killed_anywhere_is_completed_by_the_same_command() {
    let world = World::new();
    let a = scene(&world);
    a.haul(&["mv", "f", "g"]).ok();
    kill_and_repeat(&world, &a, ("g", "f", "f"), false);
}

#[test]
fn a_path_with_the_same_content_is_no_move_that_was_cut_short() {
    let world = World::new();
    let a = scene(&world);
    a.write("g", &a.read("f"));
    save(&a, &["g"], "twice");
    a.haul(&["push"]).ok();
    let before = state(&a);
    a.haul(&["mv", "f", "g"]).fails_with(1).says("`g` is there already");
    a.remove("f");
    a.remove("g");
    a.haul(&["mv", "f", "g"]).fails_with(1).says("`g` is there already");
    assert_eq!(state(&a).0, before.0);
    a.remove("f.haul");
    let output = a.haul(&["mv", "f", "h"]).fails_with(1);
    output.says("git checkout -- f.haul");
}
