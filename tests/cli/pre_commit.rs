//! What `git commit` is told by haul.

use crate::harness::{Repo, World, data};
use crate::scene::{save, shared};

fn commit(repo: &Repo<'_>) -> crate::harness::Output {
    repo.git_hooked(&["commit", "--allow-empty", "-m", "x"])
}

/// A repository with one tracked file and one tracked folder.
fn tracked(world: &World) -> Repo<'_> {
    let a = shared(world);
    a.write("x.bin", &data::bytes(1, 10_000));
    a.write("dir/y.bin", &data::bytes(2, 10_000));
    save(&a, &["x.bin", "dir"], "data");
    a
}

#[test]
fn data_that_changed_and_was_not_added_is_said() {
    let world = World::new();
    let a = tracked(&world);
    let quiet = commit(&a).ok();
    assert_eq!(quiet.stderr(), "");
    a.write("x.bin", &data::bytes(3, 10_000));
    a.write("dir/new.bin", b"new");
    commit(&a).ok().says("`x.bin` changed").says("haul add dir");
}

#[test]
fn a_commit_does_not_wait_for_another_command() {
    use haul::cache::{Index, Layout};
    let world = World::new();
    let a = tracked(&world);
    let state = a.path(".git");
    let busy = Index::open(&Layout::new(&state, &state, None)).expect("nobody else has it");
    commit(&a).ok().says("another haul command is running").says("haul status");
    let fail = [("HAUL_SKIP", "0"), ("HAUL_HOOKS_CHANGED", "fail")];
    let arguments = ["commit", "--allow-empty", "-m", "x"];
    a.git_with(&arguments, &fail).fails_with(1).says("commit again once it has ended");
    drop(busy);
    a.git_with(&arguments, &fail).ok();
}

#[test]
fn a_setting_makes_that_a_refusal_or_adds_it() {
    let world = World::new();
    let a = tracked(&world);
    a.write("x.bin", &data::bytes(3, 10_000));
    let fail = [("HAUL_SKIP", "0"), ("HAUL_HOOKS_CHANGED", "fail")];
    let arguments = ["commit", "--allow-empty", "-m", "x"];
    a.git_with(&arguments, &fail).fails_with(1).says("x.bin").says("haul add x.bin");
    let add = [("HAUL_SKIP", "0"), ("HAUL_HOOKS_CHANGED", "add")];
    a.git_with(&arguments, &add).ok().says("added `x.bin`");
    a.git(&["show", "--stat", "--format="]).ok().prints("x.bin.haul");
    assert_eq!(a.git(&["status", "--porcelain"]).ok().stdout(), "");
    a.haul(&["status", "--exit-code"]).ok();
}

#[test]
fn a_commit_of_everything_that_changed_takes_added_data_along() {
    let world = World::new();
    let a = tracked(&world);
    a.write("code", b"1");
    a.git(&["add", "code"]).ok();
    a.commit("code");
    a.write("code", b"2");
    a.write("x.bin", &data::bytes(3, 10_000));
    let add = [("HAUL_SKIP", "0"), ("HAUL_HOOKS_CHANGED", "add")];
    a.git_with(&["commit", "-a", "-m", "x"], &add).ok();
    let shown = a.git(&["show", "--stat", "--format="]).ok();
    shown.prints("x.bin.haul").prints("code");
    assert_eq!(a.git(&["status", "--porcelain"]).ok().stdout(), "");
}

#[test]
fn a_commit_of_some_paths_takes_nothing_else_along() {
    let world = World::new();
    let a = tracked(&world);
    a.write("code", b"1");
    a.git(&["add", "code"]).ok();
    a.write("x.bin", &data::bytes(3, 10_000));
    let add = [("HAUL_SKIP", "0"), ("HAUL_HOOKS_CHANGED", "add")];
    a.git_with(&["commit", "-m", "x", "--", "code"], &add).ok().says("`x.bin` changed");
    assert_eq!(a.git(&["status", "--porcelain"]).ok().stdout(), "");
    a.haul(&["status", "--exit-code"]).fails_with(1);
}

#[test]
fn broken_pointers_do_not_get_into_a_commit() {
    let world = World::new();
    let a = tracked(&world);
    let sound = a.text("x.bin.haul");
    let conflict = format!("<<<<<<< HEAD\n{sound}=======\n{sound}>>>>>>> other\n");
    for broken in [conflict.as_str(), "haul 1\nkind file\n", ""] {
        a.write("x.bin.haul", broken.as_bytes());
        a.git(&["add", "x.bin.haul"]).ok();
        commit(&a).fails_with(1).says("x.bin.haul").says("haul add");
    }
    a.write("x.bin.haul", &vec![b'x'; 10_000]);
    a.git(&["add", "x.bin.haul"]).ok();
    commit(&a).fails_with(1).says("x.bin.haul");
    a.write("x.bin.haul", sound.as_bytes());
    a.git(&["add", "x.bin.haul"]).ok();
    commit(&a).ok();
}

#[test]
fn content_of_tracked_paths_does_not_get_into_git() {
    let world = World::new();
    let a = tracked(&world);
    a.git(&["add", "--force", "x.bin", "dir/y.bin"]).ok();
    commit(&a).fails_with(1).says("`x.bin` is data").says("`dir/y.bin` is data");
    a.git(&["rm", "--quiet", "--cached", "x.bin", "dir/y.bin"]).ok();
    commit(&a).ok();
}

#[test]
fn large_files_do_not_get_into_git_unless_the_limit_allows() {
    let world = World::new();
    let a = tracked(&world);
    a.write("big.bin", &data::bytes(9, 300_000));
    a.git(&["add", "big.bin"]).ok();
    let limit = |value| [("HAUL_SKIP", "0"), ("HAUL_HOOKS_MAX_SIZE", value)];
    let arguments = ["commit", "-m", "x"];
    a.git_with(&arguments, &limit("200K"))
        .fails_with(1)
        .says("`big.bin` has")
        .says("haul add big.bin");
    a.git_with(&arguments, &limit("0")).ok();
    // What is in Git already is not refused again.
    a.write("code", b"1");
    a.git(&["add", "code"]).ok();
    a.git_with(&arguments, &limit("200K")).ok();
}

#[test]
fn a_merge_is_not_refused_for_what_the_other_side_has() {
    let world = World::new();
    let a = tracked(&world);
    a.git(&["checkout", "--quiet", "-b", "other"]).ok();
    a.write("big.bin", &data::bytes(9, 300_000));
    a.write("code", b"theirs");
    a.git(&["add", "big.bin", "code"]).ok();
    a.commit("theirs");
    a.git(&["checkout", "--quiet", "main"]).ok();
    a.write("code", b"ours");
    a.git(&["add", "code"]).ok();
    a.commit("ours");
    a.git(&["merge", "--quiet", "other"]).fails_with(1);
    a.write("code", b"both");
    a.git(&["add", "code"]).ok();
    let limit = [("HAUL_SKIP", "0"), ("HAUL_HOOKS_MAX_SIZE", "200K")];
    a.write("more.bin", &data::bytes(10, 300_000));
    a.git(&["add", "more.bin"]).ok();
    a.git_with(&["commit", "--no-edit"], &limit).fails_with(1).says("`more.bin` has");
    a.git(&["rm", "--quiet", "--force", "more.bin"]).ok();
    a.git_with(&["commit", "--no-edit"], &limit).ok();
}

#[test]
fn the_first_commit_is_looked_at_too() {
    let world = World::new();
    let a = world.repo("a");
    a.haul(&["init"]).ok();
    a.write("x.haul", b"<<<<<<< ours\n");
    a.git(&["add", "x.haul"]).ok();
    commit(&a).fails_with(1).says("x.haul");
    a.git(&["rm", "--quiet", "--force", "x.haul"]).ok();
    commit(&a).ok();
}

#[test]
fn data_that_did_not_follow_its_pointer_is_not_taken_for_changed() {
    let world = World::new();
    let a = tracked(&world);
    a.write("x.bin", &data::bytes(3, 10_000));
    a.write("dir/more.bin", b"more");
    save(&a, &["x.bin", "dir"], "second");
    // No hook fires here, so the data stays that of the second commit.
    a.git(&["checkout", "--quiet", "-b", "old", "HEAD~1"]).ok();
    a.write("code", b"1");
    a.git(&["add", "code"]).ok();
    let add = [("HAUL_SKIP", "0"), ("HAUL_HOOKS_CHANGED", "add")];
    let done = a.git_with(&["commit", "-m", "x"], &add).ok();
    assert!(!done.stderr().contains("x.bin"), "{done}");
    assert_eq!(a.git(&["show", "--format=", "--name-only"]).ok().stdout(), "code\n");
}

#[test]
fn a_clone_without_data_commits_in_silence() {
    let world = World::new();
    let a = tracked(&world);
    let b = a.clone_as("b");
    b.haul(&["hooks", "install"]).ok();
    let done = commit(&b).ok();
    assert_eq!(done.stderr(), "");
}
