//! Data follows the pointers that Git changes, and nothing is lost for it.

use crate::harness::{Output, Repo, World, data};
use crate::scene::{assert_clean, save, shared};

/// Two branches with other data: `main` has the first version, `two` the second and one file more.
fn branches(world: &World) -> Repo<'_> {
    let a = shared(world);
    a.write("x.bin", &data::bytes(1, 100_000));
    a.write("dir/one.bin", &data::bytes(2, 1000));
    a.write("dir/two.bin", &data::bytes(3, 1000));
    save(&a, &["x.bin", "dir"], "first");
    a.git(&["checkout", "--quiet", "-b", "two"]).ok();
    a.write("x.bin", &data::bytes(11, 100_000));
    a.write("dir/one.bin", &data::bytes(12, 1000));
    a.remove("dir/two.bin");
    a.write("dir/three.bin", &data::bytes(13, 1000));
    a.write("new.bin", &data::bytes(14, 1000));
    save(&a, &["x.bin", "dir", "new.bin"], "second");
    a
}

fn switch(repo: &Repo<'_>, to: &str) -> Output {
    repo.git_hooked(&["checkout", "--quiet", to]).ok()
}

#[test]
fn a_checkout_brings_the_data_of_the_other_branch() {
    let world = World::new();
    let a = branches(&world);
    switch(&a, "main").says("data follows");
    assert_eq!(a.read("x.bin"), data::bytes(1, 100_000));
    assert_eq!(a.read("dir/two.bin"), data::bytes(3, 1000));
    assert!(!a.has("dir/three.bin") && !a.has("new.bin"));
    assert_clean(&a);
    switch(&a, "two");
    assert_eq!(a.read("x.bin"), data::bytes(11, 100_000));
    assert!(!a.has("dir/two.bin"));
    assert_eq!(a.read("new.bin"), data::bytes(14, 1000));
    assert_clean(&a);
    // Nothing to follow, nothing to say.
    let same = a.git_hooked(&["checkout", "--quiet", "-b", "three"]).ok();
    assert_eq!(same.stderr(), "");
}

#[test]
fn changes_that_were_not_added_stay_and_other_data_follows() {
    let world = World::new();
    let a = branches(&world);
    a.write("dir/one.bin", b"mine");
    switch(&a, "main").says("`dir/one.bin` changed and was not added");
    assert_eq!(a.read("dir/one.bin"), b"mine");
    assert!(a.has("dir/three.bin"), "nothing of that folder moved");
    assert_eq!(a.read("x.bin"), data::bytes(1, 100_000));
}

#[test]
fn what_is_not_on_this_machine_is_said_and_a_setting_fetches_it() {
    let world = World::new();
    let a = branches(&world);
    a.haul(&["push", "--all"]).ok();
    let b = a.clone_as("b");
    b.git(&["checkout", "--quiet", "main"]).ok();
    b.haul(&["hooks", "install"]).ok();
    b.haul(&["pull"]).ok();
    switch(&b, "two").says("not on this machine").says("haul pull");
    assert_eq!(b.read("x.bin"), data::bytes(1, 100_000), "the old version stays");
    b.haul(&["pull"]).ok();
    assert_clean(&b);
    let c = a.clone_as("c");
    c.git(&["checkout", "--quiet", "main"]).ok();
    c.haul(&["hooks", "install"]).ok();
    c.haul(&["pull"]).ok();
    let fetch = [("HAUL_SKIP", "0"), ("HAUL_HOOKS_FOLLOW", "fetch")];
    c.git_with(&["checkout", "--quiet", "two"], &fetch).ok();
    assert_eq!(c.read("x.bin"), data::bytes(11, 100_000));
    assert_clean(&c);
    let off = [("HAUL_SKIP", "0"), ("HAUL_HOOKS_FOLLOW", "off")];
    c.git_with(&["checkout", "--quiet", "main"], &off).ok();
    assert_eq!(c.read("x.bin"), data::bytes(11, 100_000));
}

#[test]
fn a_clone_that_asked_for_no_data_is_not_told_of_it_at_each_step() {
    let world = World::new();
    let a = branches(&world);
    a.haul(&["push", "--all"]).ok();
    let b = a.clone_as("b");
    b.haul(&["hooks", "install"]).ok();
    b.git(&["branch", "three"]).ok();
    let done = switch(&b, "three");
    assert_eq!(done.stderr(), "");
}

#[test]
fn files_that_nobody_asked_for_stay_away() {
    let world = World::new();
    let a = branches(&world);
    a.remove("dir/one.bin");
    switch(&a, "main");
    assert!(!a.has("dir/one.bin"), "was removed");
    assert_eq!(a.read("dir/two.bin"), data::bytes(3, 1000));
}

#[test]
fn a_merge_and_a_pull_bring_the_data() {
    let world = World::new();
    let a = branches(&world);
    switch(&a, "main");
    a.git_hooked(&["merge", "--quiet", "two"]).ok().says("data follows");
    assert_eq!(a.read("x.bin"), data::bytes(11, 100_000));
    assert_clean(&a);
}

#[test]
fn a_rebase_brings_the_data_at_its_end() {
    let world = World::new();
    let a = branches(&world);
    switch(&a, "main");
    a.write("other.bin", &data::bytes(21, 1000));
    save(&a, &["other.bin"], "other");
    a.git_hooked(&["rebase", "--quiet", "two"]).ok();
    assert_eq!(a.read("x.bin"), data::bytes(11, 100_000));
    assert_eq!(a.read("other.bin"), data::bytes(21, 1000));
    assert_clean(&a);
    // One that only moves forward.
    a.git(&["branch", "ahead"]).ok();
    a.git_hooked(&["checkout", "--quiet", "-b", "back", "two"]).ok();
    assert!(!a.has("other.bin"));
    a.git_hooked(&["rebase", "--quiet", "ahead"]).ok();
    assert_clean(&a);
}

#[test]
fn a_rebase_that_stops_and_is_aborted_leaves_the_data_of_its_branch() {
    let world = World::new();
    let a = branches(&world);
    switch(&a, "main");
    a.write("x.bin", &data::bytes(31, 100_000));
    save(&a, &["x.bin"], "conflicts");
    a.git_hooked(&["rebase", "--quiet", "two"]).fails_with(1);
    a.git_hooked(&["rebase", "--abort"]).ok();
    assert_eq!(a.read("x.bin"), data::bytes(31, 100_000));
    assert_clean(&a);
}

#[test]
fn a_bisect_has_the_data_of_each_step() {
    let world = World::new();
    let a = shared(&world);
    for version in 0..6_u8 {
        a.write("x.bin", &data::bytes(u64::from(version), 1000));
        save(&a, &["x.bin"], "a version");
    }
    a.git_hooked(&["bisect", "start", "HEAD", "HEAD~5"]).ok();
    let at = a.read("x.bin");
    assert!((1..5).any(|version| at == data::bytes(version, 1000)));
    assert_clean(&a);
    a.git_hooked(&["bisect", "reset"]).ok();
    assert_eq!(a.read("x.bin"), data::bytes(5, 1000));
}

#[test]
fn a_stash_trips_over_nothing() {
    let world = World::new();
    let a = branches(&world);
    a.write("x.bin", &data::bytes(41, 100_000));
    a.haul(&["add", "x.bin"]).ok();
    a.git_hooked(&["stash", "--quiet"]).ok();
    a.git_hooked(&["stash", "pop", "--quiet", "--index"]).ok();
    assert_eq!(a.read("x.bin"), data::bytes(41, 100_000));
    a.haul(&["status", "--exit-code"]).ok();
}

#[test]
fn a_linked_worktree_is_made_with_its_data() {
    let world = World::new();
    let a = branches(&world);
    a.git_hooked(&["worktree", "add", "--quiet", "../side", "main"]).ok();
    let side = world.folder("side");
    assert_eq!(side.read("x.bin"), data::bytes(1, 100_000));
    assert_clean(&side);
    assert_eq!(a.read("x.bin"), data::bytes(11, 100_000), "the other worktree has its own");
}

#[test]
fn a_pointer_taken_back_brings_its_data_back() {
    let world = World::new();
    let a = branches(&world);
    a.write("x.bin", &data::bytes(51, 100_000));
    a.haul(&["add", "x.bin"]).ok();
    a.git_hooked(&["checkout", "--quiet", "HEAD", "--", "x.bin.haul"]).ok();
    assert_eq!(a.read("x.bin"), data::bytes(11, 100_000));
    assert_clean(&a);
}

#[test]
fn whatever_goes_wrong_the_checkout_of_git_is_done() {
    let world = World::new();
    let a = branches(&world);
    a.write("x.bin.haul", b"haul 1\nkind nonsense\n");
    a.git(&["add", "-A"]).ok();
    a.commit("broken");
    switch(&a, "main");
    switch(&a, "two").says("cannot be used");
    assert_eq!(a.git(&["branch", "--show-current"]).ok().stdout(), "two\n");
    a.write("haul.toml", b"not = [toml\n");
    a.git(&["commit", "--quiet", "-a", "-m", "worse"]).ok();
    a.git_hooked(&["checkout", "--quiet", "-b", "three"]).ok().says("data did not follow");
}

#[test]
fn variables_that_git_sets_for_hooks_mean_what_they_say() {
    let world = World::new();
    let a = branches(&world);
    let git_dir = a.path(".git");
    let text = |path: &std::path::Path| path.to_str().expect("is text").to_owned();
    let (dir, index) = (text(&git_dir), text(&git_dir.join("index")));
    let variables = [
        ("HAUL_SKIP", "0"),
        ("GIT_DIR", dir.as_str()),
        ("GIT_INDEX_FILE", index.as_str()),
        ("GIT_QUARANTINE_PATH", "/no/such/folder"),
        ("GIT_PREFIX", "dir/"),
    ];
    let old = a.git(&["rev-parse", "two", "main"]).ok();
    let ids: Vec<&str> = old.stdout().lines().collect();
    a.git(&["checkout", "--quiet", "main"]).ok();
    a.haul_with(&["hook", "post-checkout", ids[0], ids[1], "1"], &variables).ok();
    assert_eq!(a.read("x.bin"), data::bytes(1, 100_000));
    a.haul_with(&["hook", "pre-commit"], &variables).ok();
}
