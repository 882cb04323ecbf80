//! Every verb over every shape of repository: each works, or refuses with a reason and exit code 1.

use std::collections::BTreeSet;
use std::path::Path;

use crate::harness::{Repo, World, data};
use crate::help::VERBS;
use crate::scene::{save, states};
use crate::shape_kinds::{SHAPES, Shape, clone, upstream};

/// The cells of one row: what went otherwise than it should.
struct Row<'r> {
    shape: &'r Shape,
    repo: &'r Repo<'r>,
    tried: BTreeSet<String>,
    wrong: Vec<String>,
}

/// Verbs that do without any repository, and `cat`, which is run for what it prints.
const ELSEWHERE: [&str; 4] = ["completions", "man", "demo", "cat"];

impl Row<'_> {
    /// Runs a verb, which ends with 0 or, where the shape refuses it, with 1 and the reason.
    fn haul(&mut self, words: &[&str]) {
        self.haul_in("", words);
    }

    fn haul_in(&mut self, folder: &str, words: &[&str]) {
        let mut all = words.to_vec();
        if !folder.is_empty() {
            all.splice(0..0, ["-C", folder]);
        }
        if let Some(verb) = words.first() {
            self.tried.insert((*verb).to_owned());
        }
        let output = self.repo.haul(&all);
        let refusal = self.shape.refuses.iter().find(|(verb, _)| words.first() == Some(verb));
        let right = match refusal {
            None => output.status() == Some(0),
            Some((_, why)) => output.status() == Some(1) && output.stderr().contains(why),
        };
        if !right || output.flaw().is_some() {
            self.wrong.push(format!("{}: {output}", self.shape.name));
        }
    }

    fn check(&mut self, what: &str, right: bool) {
        if !right {
            self.wrong.push(format!("{}: {what}", self.shape.name));
        }
    }

    fn holds(&mut self, path: &str, seed: u64, length: usize) {
        let held =
            self.repo.path(path).is_file() && self.repo.read(path) == data::bytes(seed, length);
        self.check(&format!("`{path}` holds something else"), held);
    }
}

/// The verbs that only look, before and after the data is there.
fn look(row: &mut Row, world: &World, times: &str) {
    for words in [
        &["status"][..],
        &["ls", "-r"],
        &["ls", "HEAD:team/data"],
        &["log"],
        &["diff"],
        &["diff", "HEAD", "--", "team"],
        &["du"],
        &["du", "--rev", "HEAD", "--view", "ci"],
        &["check-ignore", "team/model.bin"],
        &["config"],
        &["remote", "list"],
        &["remote", "test"],
        &["verify"],
        &["verify", "HEAD"],
        &["ci", "key", "--view", "ci"],
        &["fetch", "--rev", "HEAD", "team/model.bin"],
        &["push", "--dry-run"],
        &["evict"],
    ] {
        row.haul(words);
    }
    let upstream = world.path("upstream").display().to_string();
    let others = ["gc", "--repo", &upstream];
    row.haul(if world.path("upstream").exists() { &others } else { &["gc"] });
    let cat = row.repo.haul(&["cat", "HEAD:team/model.bin", "--range", "0..100"]);
    let start = data::bytes(3, 150_000).get(..100).map(<[u8]>::to_vec);
    row.check(&format!("cat prints something else: {cat}"), Some(cat.bytes()) == start);
    row.haul(&["export", "HEAD:team/data", &format!("../export-{times}")]);
    let export = world.path(if row.shape.name == "submodule" { "outer" } else { "" });
    let file = export.join(format!("export-{times}/x.bin"));
    row.check("the export is not whole", held(&file, 5));
    row.haul_in("team", &["status"]);
    row.haul_in("team", &["ls", "data"]);
}

fn held(file: &Path, seed: u64) -> bool {
    std::fs::read(file).is_ok_and(|bytes| bytes == data::bytes(seed, 90_000))
}

/// The verbs that bring data and take it away.
fn bring(row: &mut Row) {
    row.haul(&["pull", "--view", "ci"]);
    row.holds("team/data/x.bin", 5, 90_000);
    row.haul(&["pull"]);
    row.holds("team/model.bin", 3, 150_000);
    row.haul(&["status", "--exit-code"]);
    row.repo.remove("team/model.bin");
    row.haul(&["checkout"]);
    row.holds("team/model.bin", 3, 150_000);
    row.haul_in("team", &["checkout", "model.bin"]);
    row.haul(&["fsck"]);
    row.haul(&["evict", "--all", "--yes"]);
    row.haul(&["fetch"]);
}

/// The verbs that change what is tracked; the commits go on from there.
fn change(row: &mut Row, world: &World) {
    let repo = row.repo;
    row.haul(&["init"]);
    row.haul(&["hooks", "status"]);
    row.haul(&["doctor"]);
    row.haul(&["hooks", "uninstall"]);
    hand_over(row);
    repo.write("team/data/new.bin", &data::bytes(6, 90_000));
    repo.write("team/extra.bin", &data::bytes(7, 90_000));
    repo.write("team/gone.bin", &data::bytes(8, 90_000));
    row.haul_in("team", &["add", "extra.bin", "gone.bin"]);
    row.haul(&["add", "-u"]);
    repo.git(&["add", "-u"]).ok();
    repo.commit("three");
    row.haul(&["mv", "team/model.bin", "team/moved.bin"]);
    row.haul(&["rm", "team/gone.bin"]);
    row.haul(&["untrack", "team/extra.bin"]);
    repo.remove("team/extra.bin");
    repo.git(&["add", "-u"]).ok();
    repo.commit("four");
    // As people do who forget `haul mv`.
    repo.git(&["mv", "team/moved.bin.haul", "team/again.bin.haul"]).ok();
    repo.commit("five");
    row.haul(&["checkout"]);
    row.holds("team/again.bin", 3, 150_000);
    row.check("the old name is still there", !repo.has("team/moved.bin"));
    repo.git(&["add", "-u"]).ok();
    repo.git(&["commit", "--quiet", "--allow-empty", "-m", "six"]).ok();
    row.haul(&["merge"]);
    row.haul(&["push"]);
    row.haul(&["verify", "HEAD"]);
    let states = states(repo);
    row.check(&format!("not clean: {states:?}"), states.is_empty());
    let url = format!("file://{}", world.path("foreign").display());
    row.haul(&["get", &url, "x.bin", "-o", "got.bin"]);
    row.holds("got.bin", 9, 90_000);
    repo.remove("got.bin");
    row.haul(&["import", &url, "x.bin", "team/imported.bin"]);
    row.haul(&["update"]);
    repo.git(&["add", "-u"]).ok();
    repo.commit("seven");
    row.haul(&["push"]);
    row.haul(&["log", "team"]);
    row.haul(&["diff", "HEAD~1", "HEAD"]);
}

/// Git hands a file to haul and gets it back.
fn hand_over(row: &mut Row) {
    let repo = row.repo;
    row.haul(&["track", "*.handed"]);
    repo.write("big.handed", &data::bytes(10, 90_000));
    repo.git(&["add", "big.handed", ".gitattributes"]).ok();
    repo.commit("handed over");
    let stored = repo.git(&["cat-file", "blob", "HEAD:big.handed"]).ok();
    row.check("Git holds the file itself", stored.stdout().starts_with("haul 1\n"));
    repo.remove("big.handed");
    repo.git(&["checkout", "--", "big.handed"]).ok();
    row.holds("big.handed", 10, 90_000);
    row.haul(&["remote", "default", "r"]);
}

/// A clone of what came of it has the same files.
fn compare(row: &mut Row, world: &World) {
    let folder = row.repo.path("");
    let words = ["clone", "--quiet", "--no-local", folder.to_str().expect("is UTF-8"), "copy"];
    let cloned = world.folder("").git(&words);
    // Where the history or its files are not whole, Git can make no clone.
    row.tried.insert("clone".to_owned());
    if cloned.status() != Some(0) {
        row.check(
            "cannot be cloned",
            row.shape.name.ends_with("clone") && row.shape.name != "plain clone",
        );
        return;
    }
    let copy = world.folder("copy");
    if copy.git(&["rev-parse", "--verify", "--quiet", "HEAD"]).status() != Some(0) {
        copy.git(&["checkout", "--quiet", "FETCH_HEAD"]);
        return;
    }
    copy.haul(&["pull"]).ok();
    let other = world.path("other-copy").display().to_string();
    row.haul(&["clone", folder.to_str().expect("is UTF-8"), &other]);
    row.check("`haul clone` brought no data", world.path("other-copy/team/again.bin").is_file());
    let differences = copy.tree_of("team").differences(&row.repo.tree_of("team"));
    row.check(&format!("a clone differs: {differences:?}"), differences.is_empty());
}

fn foreign(world: &World) {
    let a = world.repo("foreign");
    a.haul(&["init", "--no-hooks"]).ok();
    a.haul(&["remote", "add", "f", world.remote("f").path().to_str().expect("is UTF-8")]).ok();
    a.write("x.bin", &data::bytes(9, 90_000));
    save(&a, &["x.bin"], "data");
    a.haul(&["push"]).ok();
}

fn run(names: &[&str]) {
    let mut wrong = Vec::new();
    for shape in SHAPES.iter().filter(|shape| names.contains(&shape.name)) {
        let world = World::new();
        foreign(&world);
        let Some(repo) = (shape.make)(&world) else { continue };
        let (tried, wrong_here) = (BTreeSet::new(), Vec::new());
        let mut row = Row { shape, repo: &repo, tried, wrong: wrong_here };
        look(&mut row, &world, "cold");
        bring(&mut row);
        look(&mut row, &world, "warm");
        change(&mut row, &world);
        compare(&mut row, &world);
        row.haul(&["uninstall"]);
        let here = |verb: &&&str| !ELSEWHERE.contains(*verb);
        let left = VERBS.iter().filter(here).filter(|verb| !row.tried.contains(**verb));
        row.wrong.extend(left.map(|verb| format!("{}: `{verb}` was not tried", shape.name)));
        wrong.extend(row.wrong);
    }
    assert!(wrong.is_empty(), "{} cells are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_verb_works_in_clones_of_every_kind() {
    run(&["plain clone", "partial clone", "treeless clone", "shallow clone"]);
}

#[test]
fn every_verb_works_with_every_kind_of_index() {
    run(&["sparse checkout", "sparse index", "split index", "index of version 4"]);
}

#[test]
fn every_verb_works_in_worktrees_and_submodules() {
    run(&[
        "linked worktree",
        "submodule",
        "Git folder elsewhere",
        "relative worktree and its settings",
    ]);
}

#[test]
fn every_verb_works_with_every_kind_of_object_and_ref() {
    run(&["SHA-256 objects", "reftable", "detached HEAD"]);
}

#[test]
fn data_goes_and_comes_with_a_sparse_checkout() {
    let world = World::new();
    let shape = clone(&world, &[]);
    shape.haul(&["pull"]).ok();
    shape.git(&["sparse-checkout", "set", "--cone", "team"]).ok();
    shape.haul(&["checkout"]).ok();
    assert!(!shape.has("other/far.bin") && shape.has("team/model.bin"));
    assert_eq!(states(&shape), Vec::<String>::new());
    assert_eq!(shape.git(&["status", "--porcelain"]).ok().stdout(), "");
    // What others need is proved all the same.
    let verified = shape.haul(&["verify", "--json"]).ok().json();
    assert_eq!(verified["pointers"], 3);
    shape.git(&["sparse-checkout", "disable"]).ok();
    shape.haul(&["pull"]).ok();
    assert_eq!(shape.read("other/far.bin"), data::bytes(4, 90_000));
}

#[test]
fn data_outside_of_a_sparse_checkout_that_was_changed_stays() {
    let world = World::new();
    let shape = clone(&world, &[]);
    shape.haul(&["pull"]).ok();
    shape.write("other/far.bin", b"mine");
    // In cone mode Git itself removes ignored files, whatever they hold.
    shape.git(&["sparse-checkout", "set", "--no-cone", "/*", "!/other/"]).ok();
    assert!(!shape.has("other/far.bin.haul"));
    shape.haul(&["checkout"]).ok();
    assert_eq!(shape.read("other/far.bin"), b"mine");
}

fn bare(world: &World) -> Repo<'_> {
    upstream(world);
    world.folder("").git(&["clone", "--quiet", "--bare", "upstream", "bare.git"]).ok();
    world.folder("bare.git")
}

#[test]
fn what_needs_a_worktree_refuses_in_a_bare_repository() {
    let world = World::new();
    let bare = bare(&world);
    for words in [
        &["init"][..],
        &["status"],
        &["add", "x"],
        &["pull"],
        &["checkout"],
        &["rm", "team/data"],
        &["mv", "team/data", "y"],
        &["untrack", "team/data"],
        &["push"],
        &["fsck"],
        &["evict"],
        &["gc"],
        &["merge"],
        &["hooks", "install"],
        &["uninstall"],
        &["import", "../foreign", "x"],
        &["update"],
        &["remote", "list"],
        &["check-ignore", "x"],
    ] {
        let output = bare.haul(words).fails_with(1).says("bare").says("git worktree add");
        assert!(output.flaw().is_none(), "{output}");
    }
}

#[test]
fn what_only_reads_works_in_a_bare_repository() {
    let world = World::new();
    let bare = bare(&world);
    for words in [
        &["ls", "-r"][..],
        &["ls", "team/data"],
        &["ls", "HEAD:team"],
        &["log", "-n", "2"],
        &["log", "team/data"],
        &["diff", "HEAD~1", "HEAD"],
        &["diff", "HEAD~1"],
        &["du"],
        &["du", "--view", "ci"],
        &["verify"],
        &["verify", "HEAD~1"],
        &["fetch", "--view", "ci"],
        &["fetch", "--all"],
        &["ci", "key", "team/data"],
        &["export", "HEAD:team", "out"],
        &["export", "team/data", "data"],
    ] {
        let output = bare.haul(words).ok();
        assert!(output.flaw().is_none(), "{output}");
    }
    assert_eq!(bare.read("out/data/x.bin"), data::bytes(5, 90_000));
    assert_eq!(bare.read("data/sub/y.bin"), data::bytes(2, 90_000));
    let listed = bare.haul(&["ls", "-r"]).ok();
    assert!(listed.stdout().contains("team/data/sub/y.bin"), "{listed}");
    assert_eq!(bare.haul(&["cat", "team/model.bin"]).ok().bytes(), data::bytes(3, 150_000));
    assert_eq!(bare.haul(&["cat", "HEAD~1:team/data/x.bin"]).ok().bytes(), data::bytes(1, 90_000));
    let wanted = world.folder("upstream").haul(&["ci", "key", "team/data"]).ok();
    assert_eq!(bare.haul(&["ci", "key", "team/data"]).ok().stdout(), wanted.stdout());
    // A push changes the settings; what was known of the old ones is not believed.
    let a = world.folder("upstream");
    a.write("haul.toml", a.text("haul.toml").replace("[view.ci]", "[view.other]").as_bytes());
    a.git(&["commit", "--quiet", "-am", "settings"]).ok();
    a.git(&["push", "--quiet", "../bare.git", "main"]).ok();
    bare.haul(&["du", "--view", "other"]).ok();
    bare.haul(&["du", "--view", "ci"]).fails_with(1).says("no view `ci`");
}

#[test]
fn a_bare_repository_that_came_with_a_commit_is_not_opened() {
    let world = World::new();
    upstream(&world);
    let outer = world.repo("outer");
    outer.git(&["clone", "--quiet", "--bare", "../upstream", "evil"]).ok();
    outer.haul(&["-C", "evil", "ls"]).fails_with(1).says("evil");
    assert!(!outer.has("evil/haul"));
}

#[test]
fn git_finds_haul_as_a_command_of_its_own() {
    let world = World::new();
    upstream(&world);
    let a = world.folder("upstream");
    a.git(&["-C", "team", "haul", "ls", "-r", "data"]).ok().prints("team/data/x.bin");
    a.git(&["haul", "cat", "HEAD:nothing"]).fails_with(1);
    a.write("team/z.bin", &data::bytes(7, 1000));
    a.git(&["-C", "team", "haul", "add", "z.bin"]).ok();
    assert!(a.has("team/z.bin.haul"));
}
