use std::collections::BTreeSet;

use super::testing::{World, isolated};
use super::{ObjectId, Reach, Retention};

fn texts(reach: &Reach, retention: &Retention) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    let take = |blob: super::SmallBlob| {
        out.insert(String::from_utf8(blob.bytes).unwrap());
    };
    reach.small_files(retention, &[], take).unwrap();
    out
}

fn everything(world: &World) -> BTreeSet<String> {
    texts(&Reach::open(&world.root).unwrap(), &Retention::default())
}

fn set(texts: &[&str]) -> BTreeSet<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// A commit with the file `x.haul` of this content.
fn commit(world: &World, text: &str) -> String {
    world.write("x.haul", text);
    world.commit()
}

#[test]
fn what_refs_reflogs_stash_index_and_worktrees_hold_is_reached() {
    assert!(!isolated().is_empty());
    let world = World::new();
    commit(&world, "one");
    world.git(&["checkout", "-q", "-b", "side"]);
    commit(&world, "side");
    world.git(&["checkout", "-q", "main"]);
    world.git(&["branch", "-q", "-D", "side"]);
    assert_eq!(everything(&world), set(&["one", "side"]), "a reflog reaches it");
    world.write("x.haul", "stashed first");
    world.git(&["stash", "-q"]);
    world.write("x.haul", "stashed second");
    world.git(&["stash", "-q"]);
    world.write("x.haul", "staged");
    world.git(&["add", "x.haul"]);
    world.write("x.haul", "never staged");
    world.write("d/new.haul", "not tracked");
    let other = world.beside("other");
    world.git(&["worktree", "add", "-q", "--detach", other.to_str().unwrap()]);
    std::fs::create_dir_all(other.join("sub")).unwrap();
    crate::fs::write_durably(&other.join("sub/y.haul"), b"other index").unwrap();
    World::git_in(&other, &["add", "sub/y.haul"]);
    crate::fs::write_durably(&other.join("sub/y.haul"), b"other worktree").unwrap();
    let all = set(&[
        "one",
        "side",
        "stashed first",
        "stashed second",
        "staged",
        "never staged",
        "not tracked",
        "other index",
        "other worktree",
    ]);
    assert_eq!(everything(&world), all);
    let of_other = texts(&Reach::open(&other).unwrap(), &Retention::default());
    assert_eq!(of_other, all, "from whichever worktree it is asked");
}

#[test]
fn an_unfinished_merge_and_its_conflict_are_reached() {
    let world = World::new();
    commit(&world, "base");
    world.git(&["checkout", "-q", "-b", "side"]);
    commit(&world, "theirs");
    let theirs = world.git(&["rev-parse", "HEAD"]);
    world.git(&["checkout", "-q", "main"]);
    commit(&world, "ours");
    let mut merge = std::process::Command::new("git");
    merge
        .args(["merge", "-q", &theirs])
        .current_dir(&world.root)
        .envs(isolated().into_iter().filter_map(|(name, value)| Some((name, value?))));
    assert!(!merge.output().unwrap().status.success());
    world.git(&["branch", "-q", "-D", "side"]);
    world.git(&["reflog", "expire", "--expire=now", "--all"]);
    assert!(everything(&world).is_superset(&set(&["base", "ours", "theirs"])));
}

#[test]
fn names_do_not_matter_and_long_files_are_left_out() {
    let world = World::new();
    world.write("any name", "a pointer in place of content");
    world.write("long.haul", "x".repeat(4097));
    world.write("just.haul", "y".repeat(4096));
    world.commit();
    assert_eq!(everything(&world), set(&["a pointer in place of content", &"y".repeat(4096)]));
    let blob = world.git(&["rev-parse", "HEAD:any name"]);
    world.git(&["tag", "of-a-file", &blob]);
    assert_eq!(everything(&world).len(), 2, "a tag may name a file");
}

#[test]
fn with_a_rule_only_what_it_names_counts_and_what_is_current_always() {
    let world = World::new();
    for n in 1..=5 {
        commit(&world, &format!("main {n}"));
    }
    world.git(&["tag", "v1", "HEAD~3"]);
    world.git(&["checkout", "-q", "-b", "side", "HEAD~4"]);
    commit(&world, "side 1");
    commit(&world, "side 2");
    world.git(&["checkout", "-q", "main"]);
    let reach = Reach::open(&world.root).unwrap();
    let last = |last| Retention { last: Some(last), ..Retention::default() };
    assert_eq!(texts(&reach, &last(1)), set(&["main 5", "main 2", "side 2"]));
    let two = set(&["main 5", "main 4", "main 2", "main 1", "side 2", "side 1"]);
    assert_eq!(texts(&reach, &last(2)), two);
    let refs = |glob: &str| Retention { refs: vec![glob.to_owned()], ..Retention::default() };
    let side = set(&["main 5", "main 2", "side 2", "side 1", "main 1"]);
    assert_eq!(texts(&reach, &refs("side")), side);
    assert_eq!(texts(&reach, &refs("refs/heads/si*")), side);
    let since = |date: &str| Retention { since: Some(date.to_owned()), ..Retention::default() };
    assert_eq!(texts(&reach, &since("2001-01-01T00:00:00Z")).len(), 7);
    assert_eq!(texts(&reach, &since("2090-01-01T00:00:00Z")).len(), 3);
}

#[test]
fn a_mirror_has_all_refs_and_a_shallow_clone_says_so() {
    let world = World::new();
    commit(&world, "one");
    commit(&world, "two");
    world.git(&["update-ref", "refs/other/place", "HEAD"]);
    let url = format!("file://{}", world.root.display());
    let mirror = Reach::mirror(&url, &world.beside("mirror"), &world.root).unwrap();
    assert_eq!(texts(&mirror, &Retention::default()), set(&["one", "two"]));
    assert!(!mirror.is_shallow().unwrap() && mirror.is_at(&world.beside("mirror")));
    let shallow = world.beside("shallow");
    world.git(&["clone", "-q", "--depth=1", &url, shallow.to_str().unwrap()]);
    let shallow = Reach::open(&shallow).unwrap();
    assert!(shallow.is_shallow().unwrap() && shallow.is_at(&world.beside("shallow")));
    assert!(!shallow.is_at(&world.root));
    let here = ObjectId::from_hex(world.git(&["rev-parse", "HEAD"]).as_bytes()).unwrap();
    let old = ObjectId::from_hex(world.git(&["rev-parse", "HEAD~1"]).as_bytes()).unwrap();
    assert!(shallow.has_all(&[here]).unwrap() && !shallow.has_all(&[here, old]).unwrap());
}
