use crate::harness::{Repo, World, data};
use crate::scene::{asked_nothing, assert_clean, number, save, shared, states};

const VIEWS: &str = "\n[view.ci]\ninclude = [\"data/train/**\", \"model.bin\"]\n\
    exclude = [\"data/train/**/*.log\", \"data/train/large\"]\n\
    [view.nothing]\ninclude = [\"data/trian/**\"]\n[view.most]\nexclude = [\"other\"]\n";

/// A tracked folder and two files, and three views, all of it pushed.
fn scene(world: &World) -> Repo<'_> {
    let a = shared(world);
    for n in 0..6 {
        a.write(format!("data/train/{n}/x.bin"), &data::bytes(n, 60_000));
        a.write(format!("data/train/{n}/x.log"), &data::bytes(10 + n, 60_000));
        a.write(format!("data/val/{n}.bin"), &data::bytes(20 + n, 60_000));
    }
    a.write("data/train/large", &data::bytes(40, 60_000));
    a.write("model.bin", &data::bytes(41, 60_000));
    a.write("other", &data::bytes(42, 60_000));
    let settings = a.text("haul.toml") + VIEWS;
    a.write("haul.toml", settings.as_bytes());
    save(&a, &["data", "model.bin", "other"], "data");
    a.haul(&["push"]).ok();
    a
}

/// The files that are there and that Git does not hold.
fn placed(repo: &Repo<'_>) -> Vec<String> {
    let own = repo.git(&["ls-files"]).ok().stdout().to_owned();
    let held = |path: &&str| repo.path(path).is_file() && !own.lines().any(|line| line == *path);
    let tree = repo.tree();
    tree.paths().into_iter().filter(held).map(str::to_owned).collect()
}

const WANTED: [&str; 7] = [
    "data/train/0/x.bin",
    "data/train/1/x.bin",
    "data/train/2/x.bin",
    "data/train/3/x.bin",
    "data/train/4/x.bin",
    "data/train/5/x.bin",
    "model.bin",
];

#[test]
fn a_view_is_pulled_with_what_it_includes_and_without_what_it_excludes() {
    let world = World::new();
    let a = scene(&world);
    let b = a.clone_as("b");
    let report = b.haul(&["pull", "--view", "ci", "--json"]).ok();
    assert_eq!(placed(&b), WANTED);
    assert_eq!(number(&report, "/checkout/written"), 7);
    let received = number(&report, "/fetch/requests/received");
    assert!((420_000..480_000).contains(&received), "{received}");
    let again = b.haul(&["pull", "--view", "ci", "--json"]).ok();
    asked_nothing(&again.json()["fetch"]["requests"]);
    b.haul(&["pull"]).ok();
    assert_clean(&b);
}

#[test]
fn fetch_checkout_and_du_take_the_same_view() {
    let world = World::new();
    let a = scene(&world);
    let b = a.clone_as("b");
    let fetched = b.haul(&["fetch", "--view", "ci", "--json"]).ok();
    assert_eq!(number(&fetched, "/files"), 7);
    assert!(placed(&b).is_empty());
    assert_eq!(number(&b.haul(&["du", "--view", "ci", "--json"]).ok(), "/total/files"), 7);
    b.haul(&["checkout", "--view", "ci"]).ok();
    assert_eq!(placed(&b), WANTED);
}

#[test]
fn paths_and_a_view_leave_what_both_choose() {
    let world = World::new();
    let a = scene(&world);
    let b = a.clone_as("b");
    b.haul(&["pull", "--view", "ci", "data/train/3", "data/**/5/*"]).ok();
    assert_eq!(placed(&b), ["data/train/3/x.bin", "data/train/5/x.bin"]);
    b.haul(&["pull", "--view", "ci", "other"]).fails_with(1).says("`ci` matches nothing");
    b.haul(&["pull", "--view", "ci", "data/val"]).fails_with(1).says("`ci` matches nothing");
}

#[test]
fn a_view_without_include_is_everything_but_what_it_excludes() {
    let world = World::new();
    let a = scene(&world);
    let b = a.clone_as("b");
    b.haul(&["pull", "--view", "most"]).ok();
    assert_eq!(placed(&b).len(), 20);
    assert!(!b.has("other"));
}

#[test]
fn a_view_means_paths_from_the_root_wherever_it_is_used() {
    let world = World::new();
    let a = scene(&world);
    let b = a.clone_as("b");
    b.mkdir("data");
    b.haul(&["-C", "data", "pull", "--view", "ci", "--rev", "HEAD"]).ok();
    assert_eq!(placed(&b), WANTED);
}

#[test]
fn an_unknown_view_and_one_that_matches_nothing_are_refused() {
    let world = World::new();
    let a = scene(&world);
    let unknown = a.haul(&["pull", "--view", "c"]).fails_with(1);
    let unknown = unknown.says("no view `c`").says("`ci`, `most`, `nothing`");
    assert!(unknown.flaw().is_none());
    for verb in ["pull", "fetch", "checkout", "du"] {
        a.haul(&[verb, "--view", "nothing"]).fails_with(1).says("`nothing` matches nothing");
    }
    let b = a.clone_as("b");
    b.haul(&["pull", "--view", "nothing"]).fails_with(1).says("`nothing` matches nothing");
    b.write("haul.toml", b"version = 1\n");
    b.haul(&["pull", "--view", "ci"]).fails_with(1).says("set: none").says("[view.NAME]");
}

#[test]
fn a_checkout_of_a_view_leaves_the_rest_of_the_worktree_alone() {
    let world = World::new();
    let a = scene(&world);
    a.remove("data/val/0.bin");
    a.remove("data/train/0/x.bin");
    a.write("data/val/1.bin", b"mine");
    a.haul(&["checkout", "--view", "ci"]).ok();
    assert!(a.has("data/train/0/x.bin") && !a.has("data/val/0.bin"));
    assert_eq!(states(&a), ["missing data/val/0.bin", "modified data/val/1.bin"]);
}

#[test]
fn views_are_set_and_shown_by_config() {
    let world = World::new();
    let a = shared(&world);
    a.haul(&["config", "--shared", "view.ci.include", "data/**"]).ok();
    a.haul(&["config", "view.ci.include"]).ok().prints("data/**");
    a.haul(&["config", "--shared", "view.ci.includ", "data/**"]).fails_with(1);
}
