//! A project in a subdirectory of a large repository: every verb from there, by paths as they are there.

use std::collections::BTreeSet;

use crate::harness::{Repo, World, data};
use crate::help::VERBS;
use crate::push::{ready, send};
use crate::scene::{assert_clean, save, shared, states};

/// What is run once there is data, in this order, in `apps/one`.
const WORDS: [&[&str]; 27] = [
    &["status", "."],
    &["ls", "data"],
    &["log", "model.bin"],
    &["diff", "HEAD~1", "HEAD", "--", "."],
    &["du", "data"],
    &["check-ignore", "model.bin"],
    &["ci", "key", "data"],
    &["fetch", "data"],
    &["hooks", "status"],
    &["doctor"],
    &["fsck"],
    &["evict", "data", "--yes"],
    &["pull", "."],
    &["gc"],
    &["export", "HEAD:apps/one/data", "out"],
    &["cat", "model.bin"],
    &["get", "../../../other", "x.bin", "-o", "got.bin"],
    &["import", "../../../other", "x.bin", "imported.bin"],
    &["update", "imported.bin"],
    &["mv", "model.bin", "moved.bin"],
    &["mv", "data/x.bin", "../y.bin"],
    &["untrack", "imported.bin"],
    &["rm", "--force", "moved.bin"],
    &["merge"],
    &["clone", "../../../other", "../../../cloned"],
    &["completions", "bash"],
    &["man", "../../../manual"],
];

/// Runs verbs in a folder, and keeps which.
struct Below<'r> {
    repo: &'r Repo<'r>,
    tried: BTreeSet<String>,
}

impl Below<'_> {
    #[track_caller]
    fn haul(&mut self, words: &[&str]) {
        self.tried.insert((*words.first().expect("is a verb")).to_owned());
        let output = self.repo.haul(words).ok();
        // What `cat` prints is the user's.
        assert!(words.first() == Some(&"cat") || output.flaw().is_none(), "{output}");
    }
}

#[test]
fn every_verb_works_from_a_folder_below_by_paths_as_they_are_there() {
    let world = World::new();
    let a = shared(&world);
    let other = ready(&world, "other", &world.remote("o"));
    other.write("x.bin", &data::bytes(9, 90_000));
    send(&other, "x.bin");
    a.write("elsewhere/far.bin", &data::bytes(1, 90_000));
    a.write("apps/one/code.txt", b"code");
    save(&a, &["elsewhere/far.bin"], "far");
    let path = a.path("apps/one");
    let inner = world.folder(path.to_str().expect("is UTF-8"));
    let mut below = Below { repo: &inner, tried: BTreeSet::new() };
    inner.write("data/x.bin", &data::bytes(2, 90_000));
    inner.write("data/z.bin", &data::bytes(4, 90_000));
    inner.write("model.bin", &data::bytes(3, 150_000));
    below.haul(&["init"]);
    below.haul(&["add", "data", "model.bin"]);
    assert!(inner.has("data.haul") && inner.has(".gitignore") && !inner.has("haul.toml"));
    a.commit("data");
    below.haul(&["track", "*.big"]);
    below.haul(&["remote", "list"]);
    below.haul(&["config"]);
    below.haul(&["push"]);
    below.haul(&["verify"]);
    for words in WORDS {
        below.haul(words);
    }
    assert!(inner.read("out/x.bin") == data::bytes(2, 90_000));
    assert!(a.read("apps/y.bin") == data::bytes(2, 90_000));
    assert!(a.read("elsewhere/far.bin") == data::bytes(1, 90_000));
    for name in ["out", "got.bin", "imported.bin"] {
        inner.remove(name);
    }
    a.git(&["add", "-A"]).ok();
    a.commit("moved");
    inner.remove("../y.bin");
    assert_eq!(states(&a), ["missing apps/y.bin"]);
    below.haul(&["checkout", "../y.bin"]);
    assert_clean(&a);
    below.haul(&["push"]);
    below.haul(&["uninstall"]);
    let left: Vec<_> = VERBS.iter().filter(|verb| !below.tried.contains(**verb)).collect();
    assert_eq!(left, [&"demo"], "of which nothing is in a repository");
}
