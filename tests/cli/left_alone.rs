//! What belongs to Git, to a person or to nobody is left alone by everything that moves data.

use std::path::PathBuf;

use crate::harness::{Repo, World, data};
use crate::scene::{assert_clean, save, shared, states};

fn hooked(repo: &Repo<'_>, words: &[&str]) {
    repo.git_hooked(words).ok();
}

/// Commits what is there with Git's hooks.
fn commit(repo: &Repo<'_>, message: &str) {
    hooked(repo, &["commit", "--quiet", "--message", message]);
}

#[test]
fn files_that_git_tracks_on_another_branch_stay() {
    let world = World::new();
    let a = shared(&world);
    a.write("d/x", b"the same");
    a.git(&["add", "d"]).ok();
    a.commit("kept by Git");
    a.git(&["branch", "before"]).ok();
    a.git(&["rm", "-r", "--quiet", "--cached", "d"]).ok();
    save(&a, &["d"], "kept by haul");
    hooked(&a, &["checkout", "--quiet", "before"]);
    assert_eq!(a.read("d/x"), b"the same");
    a.haul(&["checkout"]).ok();
    assert_eq!(a.git(&["status", "--porcelain"]).ok().stdout(), "");
    hooked(&a, &["checkout", "--quiet", "main"]);
    a.haul(&["checkout"]).ok();
    assert_clean(&a);
}

#[test]
fn content_that_no_pointer_names_any_more_is_not_overwritten() {
    let world = World::new();
    let a = shared(&world);
    a.write("f", b"zero");
    save(&a, &["f"], "zero");
    a.git(&["branch", "other"]).ok();
    a.write("f", b"one, in no commit");
    a.haul(&["add", "f"]).ok();
    a.haul(&["untrack", "f"]).ok();
    a.git(&["add", "-A", "--", ".gitignore"]).ok();
    a.commit("untracked");
    hooked(&a, &["checkout", "--quiet", "other"]);
    assert_eq!(a.read("f"), b"one, in no commit");
    a.haul(&["checkout"]).fails_with(1).says("`f`");
    assert_eq!(a.read("f"), b"one, in no commit");
}

/// A merge of two branches that changed different files of the tracked folder `d`.
fn merged(world: &World) -> Repo<'_> {
    let a = shared(world);
    a.write("d/a", b"1");
    a.write("d/b", b"1");
    save(&a, &["d"], "base");
    hooked(&a, &["checkout", "--quiet", "-b", "x"]);
    a.write("d/a", b"x");
    save(&a, &["d"], "x");
    hooked(&a, &["checkout", "--quiet", "main"]);
    a.write("d/b", b"m");
    save(&a, &["d"], "m");
    hooked(&a, &["merge", "--quiet", "--no-edit", "x"]);
    a
}

#[test]
fn work_that_was_staged_after_a_merge_is_not_merged_away() {
    let world = World::new();
    let a = merged(&world);
    a.write("d/a", b"new work");
    a.haul(&["add", "d"]).ok();
    let before = (a.read("d.haul"), a.tree_of("d"));
    a.haul(&["merge"]).ok().says("nothing to merge");
    assert_eq!(a.read("d.haul"), before.0);
    a.tree_of("d").assert_same(&before.1);
}

/// A merge under way in which both sides changed the tracked file `f`, and `main` the file `d/b` too.
fn in_conflict(world: &World) -> Repo<'_> {
    let a = shared(world);
    a.write("f", b"base");
    a.write("d/a", b"base");
    a.write("d/b", b"base");
    save(&a, &["f", "d"], "base");
    hooked(&a, &["checkout", "--quiet", "-b", "x"]);
    a.write("f", b"theirs");
    a.write("d/a", b"theirs");
    save(&a, &["f", "d"], "x");
    hooked(&a, &["checkout", "--quiet", "main"]);
    a.write("f", b"ours");
    a.write("d/a", b"ours");
    save(&a, &["f", "d"], "m");
    hooked(&a, &["checkout", "--quiet", "x"]);
    a.write("d/c", b"of theirs alone");
    save(&a, &["d"], "x again");
    hooked(&a, &["checkout", "--quiet", "main"]);
    a.git_hooked(&["merge", "--quiet", "--no-edit", "x"]).fails_with(1);
    a
}

#[test]
fn a_conflict_is_resolved_by_writing_and_adding_and_what_else_merged_is_there() {
    let world = World::new();
    let a = in_conflict(&world);
    a.write("f", b"resolved");
    a.write("d/a", b"resolved");
    a.haul(&["add", "d"]).fails_with(1).says("haul merge");
    a.haul(&["merge"]).fails_with(1).prints("d/a: ours changed");
    assert_eq!(a.read("d/a"), b"resolved");
    assert_eq!(a.read("d/c"), b"of theirs alone");
    a.haul(&["add", "d", "f"]).ok();
    commit(&a, "merged");
    assert_clean(&a);
    // It is done: nothing is written over what a person chose.
    a.haul(&["merge"]).ok().says("nothing to merge");
    assert_eq!((a.read("f"), a.read("d/a")), (b"resolved".to_vec(), b"resolved".to_vec()));
    assert_clean(&a);
}

#[test]
fn rm_by_force_puts_aside_what_no_commit_names() {
    let world = World::new();
    let a = shared(&world);
    a.write("f", b"committed");
    save(&a, &["f"], "one");
    a.write("f", b"precious");
    a.write("g", b"precious too");
    a.haul(&["add", "f", "g"]).ok();
    let report = a.haul(&["rm", "--force", "--json", "f", "g"]).ok().json();
    let aside = PathBuf::from(report["aside"].as_str().expect("is put aside"));
    let read = |name: &str| std::fs::read(aside.join(name)).expect("is there");
    assert_eq!((read("f"), read("g")), (b"precious".to_vec(), b"precious too".to_vec()));
}

#[test]
fn data_of_a_commit_that_was_pushed_without_the_hook_goes_with_the_next_push() {
    let world = World::new();
    world.folder("hub.git").git(&["init", "--quiet", "--bare"]).ok();
    let a = shared(&world);
    a.git(&["remote", "add", "origin", "../hub.git"]).ok();
    a.write("one", &data::bytes(1, 1000));
    save(&a, &["one"], "one");
    // The harness switches hooks off here.
    a.git(&["push", "--quiet", "origin", "main"]).ok();
    a.haul(&["verify"]).fails_with(4);
    a.write("two", &data::bytes(2, 1000));
    save(&a, &["two"], "two");
    hooked(&a, &["push", "--quiet", "origin", "main"]);
    a.haul(&["verify"]).ok();
}

#[test]
fn data_that_waits_for_the_end_of_a_rebase_is_not_taken_for_changed() {
    let world = World::new();
    let a = shared(&world);
    for n in ["1", "2", "3"] {
        a.write("f", n.as_bytes());
        save(&a, &["f"], n);
    }
    let stop = [("HAUL_SKIP", "0"), ("GIT_SEQUENCE_EDITOR", "sed -i 1s/pick/edit/")];
    a.git_with(&["rebase", "--quiet", "--interactive", "HEAD~2"], &stop).ok();
    a.haul(&["add", "-u"]).ok().says("`f` is left as it is").says("haul checkout f");
    assert_eq!(a.git(&["status", "--porcelain"]).ok().stdout(), "");
    a.haul(&["checkout", "f"]).ok();
    assert_eq!(a.read("f"), b"2");
    hooked(&a, &["rebase", "--continue"]);
    assert_eq!(a.read("f"), b"3");
    assert_clean(&a);
}

#[test]
fn a_change_is_seen_by_a_commit_also_where_data_did_not_follow() {
    let world = World::new();
    let a = shared(&world);
    a.write("f", b"1");
    save(&a, &["f"], "1");
    a.write("f", b"2");
    save(&a, &["f"], "2");
    a.haul(&["config", "hooks.changed", "fail"]).ok();
    let empty = ["commit", "--quiet", "--allow-empty", "--message", "x"];
    hooked(&a, &["reset", "--quiet", "--hard", "HEAD~1"]);
    hooked(&a, &empty);
    a.write("f", b"3");
    assert_eq!(states(&a), ["modified f"]);
    a.git_hooked(&empty).fails_with(1).says("`f`");
}

#[test]
fn uninstall_leaves_a_merge_driver_that_is_not_of_this_clone() {
    let world = World::new();
    let a = shared(&world);
    a.git(&["config", "--local", "--remove-section", "merge.haul"]).ok();
    a.git(&["config", "--global", "merge.haul.driver", "haul merge-driver %O %A %B %P"]).ok();
    a.haul(&["uninstall"]).ok();
}

#[test]
fn mv_takes_no_other_tracked_path_for_its_own_work() {
    let world = World::new();
    let a = shared(&world);
    a.write("one", b"the same");
    a.write("two", b"the same");
    save(&a, &["one", "two"], "twins");
    a.remove("two");
    a.haul(&["mv", "one", "two"]).fails_with(1).says("`two` is there already");
    assert!(a.has("one") && a.has("one.haul") && a.has("two.haul"));
}

#[test]
fn a_name_that_begins_with_a_blank_is_found_behind_a_revision() {
    let world = World::new();
    let a = shared(&world);
    a.write(" lead", b"found");
    save(&a, &[" lead"], "one");
    a.haul(&["cat", "HEAD: lead"]).ok().prints("found");
    a.haul(&["cat", "HEAD:/ lead"]).ok().prints("found");
}

#[test]
fn a_value_that_is_refused_is_not_looked_for_where_it_never_was() {
    let world = World::new();
    let a = shared(&world);
    let refused = a.haul(&["config", "hooks.max-size", "abc"]).fails_with(1);
    refused.says("nothing was changed: `hooks.max-size` takes");
    assert!(!a.has(".git/haul/config.toml"));
}

/// Makes a branch `x` that changes `d/b` by way of `work`, and goes back to `main`.
fn with_branch(world: &World, work: impl Fn(&Repo<'_>)) -> Repo<'_> {
    let a = shared(world);
    a.write("d/a", b"1");
    a.write("d/b", b"1");
    save(&a, &["d"], "base");
    hooked(&a, &["checkout", "--quiet", "-b", "x"]);
    a.write("d/b", b"theirs");
    work(&a);
    save(&a, &["d"], "x");
    hooked(&a, &["checkout", "--quiet", "main"]);
    a
}

#[test]
fn what_a_merge_brought_comes_in_beside_a_change_that_was_not_added() {
    let world = World::new();
    let a = with_branch(&world, |a| a.write("d/c", b"theirs"));
    a.write("d/a", b"not added yet");
    hooked(&a, &["merge", "--quiet", "x"]);
    assert_eq!((a.read("d/a"), a.read("d/b")), (b"not added yet".to_vec(), b"theirs".to_vec()));
    assert_eq!(states(&a), ["modified d/a"]);
    // What was brought is kept by an add, without a word.
    let added = a.haul(&["add", "d"]).ok();
    assert!(!added.stderr().contains("warning"), "{added}");
    assert_eq!((a.read("d/b"), a.read("d/c")), (b"theirs".to_vec(), b"theirs".to_vec()));
}

#[test]
fn an_add_that_would_undo_what_a_merge_brought_says_so() {
    let world = World::new();
    let a = with_branch(&world, |a| a.write("d/a", b"theirs"));
    a.write("d/a", b"mine, not added");
    a.git_hooked(&["merge", "--quiet", "x"]).ok().says("`d/a` changed and was not added");
    assert_eq!(a.read("d/b"), b"1");
    a.haul(&["add", "d"]).ok().says("the pointer of `d` changed since data was placed here");
}
