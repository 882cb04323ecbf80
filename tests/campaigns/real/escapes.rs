//! Repositories and worktrees that lead out of the worktree: nothing beside it changes.

use std::fs;

use haul::hash::NodeId;

use crate::args::Args;
use crate::figures::Figures;
use crate::harness::{Tree, World, data};
use crate::real::forge::{CONTENT, around, file, leaf, plant, point};

/// Paths of a manifest that lead out; each but the first begins harmlessly.
const PATHS: &[&[u8]] =
    &[b"../../escape", b"a/../../../escape", b"a/b/../../../../escape", b"a/./../../../escape"];
const VERBS: &[&[&str]] =
    &[&["checkout"], &["pull"], &["checkout", "--force"], &["pull", "--force"]];

/// Runs the campaign.
pub(crate) fn run(_: &Args) -> Figures {
    let mut figures = Figures::default();
    let (tried, escaped) = watch(&[]);
    figures.row("ways out that were tried", tried);
    for what in escaped {
        figures.miss(what);
    }
    figures
}

/// Tries all ways out with further variables; returns how many, and which led out.
pub(super) fn watch(variables: &[(&str, &str)]) -> (u64, Vec<String>) {
    let (mut tried, mut escaped) = (0, Vec::new());
    for verb in VERBS {
        for path in PATHS {
            tried += 1;
            if !stays_with_path(path, verb, variables) {
                let path = String::from_utf8_lossy(path);
                escaped.push(format!("`{path}` in a manifest led haul {} out", verb.join(" ")));
            }
        }
        for folder in ["d", "d/sub", "d/sub/deep"] {
            tried += 1;
            if !stays_with_link(folder, verb, variables) {
                escaped.push(format!("a link at `{folder}` led haul {} out", verb.join(" ")));
            }
        }
    }
    (tried, escaped)
}

/// A manifest that names a path outside; says whether all around stayed as it was.
fn stays_with_path(path: &[u8], verb: &[&str], variables: &[(&str, &str)]) -> bool {
    let world = World::new();
    let a = world.repo("a");
    a.haul(&["init"]).ok();
    a.haul(&["remote", "add", "origin", "../r"]).ok();
    let tree = leaf(&[file(path)]);
    let root = NodeId::of(&tree);
    plant(&a, &[(root, tree)]);
    point(&a, root, 1, CONTENT.len() as u64);
    let before = around(&world);
    let output = a.haul_with(verb, variables);
    around(&world).differences(&before).is_empty() && output.status() != Some(0)
}

/// A folder of the worktree that became a link to somewhere else; says whether that stayed as it was.
fn stays_with_link(folder: &str, verb: &[&str], variables: &[(&str, &str)]) -> bool {
    let world = World::new();
    let a = world.repo("a");
    a.haul(&["init"]).ok();
    a.haul(&["remote", "add", "origin", "../r"]).ok();
    a.write("d/sub/deep/x", &data::bytes(1, 5_000));
    a.write("d/sub/y", b"one");
    a.haul(&["add", "d"]).ok();
    a.commit("one");
    a.write("d/sub/deep/x", &data::bytes(2, 5_000));
    a.write("d/sub/y", b"two");
    a.haul(&["add", "d"]).ok();
    a.commit("two");
    a.haul(&["push"]).ok();
    a.git(&["checkout", "--quiet", "HEAD~1"]).ok();
    a.haul(&["checkout"]).ok();
    // Outside stands just what haul placed, which it could take for its own.
    let outside = world.path("outside");
    fs::rename(a.path(folder), &outside).expect("moves");
    a.link(&outside, folder);
    a.git(&["checkout", "--quiet", "main"]).ok();
    let before = Tree::of(&outside);
    a.haul_with(verb, variables);
    Tree::of(&outside).differences(&before).is_empty()
}
