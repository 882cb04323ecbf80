//! `git push` sends the data first, or does not move a ref.

use crate::harness::{Output, Remote, Repo, World, data};
use crate::scene::{save, shared};

/// Makes a bare repository `hub.git` and the repository `a` that pushes to it, with settings pushed.
fn with_hub(world: &World) -> Repo<'_> {
    world.folder("hub.git").git(&["init", "--quiet", "--bare"]).ok();
    let a = shared(world);
    a.git(&["remote", "add", "origin", "../hub.git"]).ok();
    a.git_hooked(&["push", "--quiet", "origin", "main"]).ok();
    a
}

fn hub_has(a: &Repo<'_>, name: &str) -> bool {
    !a.git(&["ls-remote", "origin", name]).ok().stdout().is_empty()
}

fn packs(world: &World) -> usize {
    Remote::at(world.path("r")).keys("p/").len()
}

fn push_main(a: &Repo<'_>) -> Output {
    a.git_hooked(&["push", "origin", "main"])
}

#[test]
fn git_push_sends_the_data_that_its_commits_name() {
    let world = World::new();
    let a = with_hub(&world);
    a.write("x.bin", &data::bytes(1, 100_000));
    save(&a, &["x.bin"], "one");
    a.write("x.bin", &data::bytes(2, 100_000));
    save(&a, &["x.bin"], "two");
    push_main(&a).ok().says("pushed 2 roots");
    let hub = world.folder("hub.git");
    hub.git(&["symbolic-ref", "HEAD", "refs/heads/main"]).ok();
    let b = hub.clone_as("b");
    b.haul(&["pull"]).ok();
    assert_eq!(b.read("x.bin"), data::bytes(2, 100_000));
    b.haul(&["pull", "--rev", "HEAD~1"]).status();
    b.haul(&["fetch", "--rev", "HEAD~1"]).ok();
}

#[test]
fn refs_do_not_move_if_the_data_cannot_be_sent() {
    let world = World::new();
    let a = with_hub(&world);
    a.write("x.bin", &data::bytes(1, 100_000));
    save(&a, &["x.bin"], "one");
    let before = a.git(&["ls-remote", "origin"]).ok().stdout().to_owned();
    std::fs::remove_dir_all(world.path("r")).expect("is there");
    world.folder(".").write("r", b"no folder");
    push_main(&a).fails_with(1).says("error: ");
    assert_eq!(a.git(&["ls-remote", "origin"]).ok().stdout(), before);
}

#[test]
fn data_that_nobody_has_stops_the_push_and_names_the_commit() {
    let world = World::new();
    let a = with_hub(&world);
    a.write("x.bin", &data::bytes(1, 100_000));
    save(&a, &["x.bin"], "one");
    let commit = a.git(&["rev-parse", "HEAD"]).ok().stdout().trim().to_owned();
    for folder in ["unpushed", "packs", "parts"] {
        drop(std::fs::remove_dir_all(a.path(format!(".git/haul/{folder}"))));
    }
    drop(std::fs::remove_file(a.path(".git/haul/index.redb")));
    push_main(&a).fails_with(1).says("x.bin").says(&commit[..7]);
    assert!(a.git(&["ls-remote", "origin"]).ok().stdout().lines().count() <= 2);
}

#[test]
fn a_push_without_new_pointers_asks_nothing_of_the_remote() {
    let world = World::new();
    let a = with_hub(&world);
    a.write("x.bin", &data::bytes(1, 100_000));
    save(&a, &["x.bin"], "one");
    push_main(&a).ok();
    // Whoever asked it would fail.
    std::fs::remove_dir_all(world.path("r")).expect("is there");
    a.write("code.txt", b"code");
    a.git(&["add", "code.txt"]).ok();
    a.commit("code");
    push_main(&a).ok();
    a.git_hooked(&["push", "origin", "main:other"]).ok();
    assert!(hub_has(&a, "refs/heads/other"));
    a.git_hooked(&["push", "origin", "--delete", "other"]).ok();
    assert!(!hub_has(&a, "refs/heads/other"));
}

#[test]
fn what_is_staged_or_on_other_branches_is_not_sent() {
    let world = World::new();
    let a = with_hub(&world);
    a.git(&["checkout", "--quiet", "-b", "other"]).ok();
    a.write("x.bin", &data::bytes(1, 100_000));
    save(&a, &["x.bin"], "one");
    a.write("y.bin", &data::bytes(2, 100_000));
    a.haul(&["add", "y.bin"]).ok();
    push_main(&a).ok();
    assert_eq!(packs(&world), 0);
    a.git_hooked(&["push", "origin", "other"]).ok();
    assert!(packs(&world) > 0);
    a.haul(&["verify", "other"]).ok();
}

#[test]
fn tags_and_a_push_to_a_bare_url_take_their_data_along() {
    let world = World::new();
    let a = with_hub(&world);
    a.write("x.bin", &data::bytes(1, 100_000));
    save(&a, &["x.bin"], "one");
    a.git(&["tag", "--annotate", "--message", "v1", "v1"]).ok();
    a.git_hooked(&["push", "origin", "v1"]).ok();
    a.haul(&["verify", "v1"]).ok();
    a.write("y.bin", &data::bytes(2, 100_000));
    save(&a, &["y.bin"], "two");
    let before = packs(&world);
    a.git_hooked(&["push", "../hub.git", "main"]).ok();
    assert!(packs(&world) > before);
    a.haul(&["verify", "main"]).ok();
}

#[test]
fn a_broken_pointer_at_the_tip_stops_the_push() {
    let world = World::new();
    let a = with_hub(&world);
    a.write("x.bin", &data::bytes(1, 1000));
    save(&a, &["x.bin"], "one");
    let sound = a.read("x.bin.haul");
    a.write("x.bin.haul", b"<<<<<<< ours\nhaul 1\n=======\n>>>>>>> theirs\n");
    a.git(&["add", "-A"]).ok();
    a.commit("broken");
    push_main(&a).fails_with(1).says("x.bin").says("conflict");
    // An old commit cannot be mended, and harms nobody.
    a.write("x.bin.haul", &sound);
    a.git(&["add", "-A"]).ok();
    a.commit("mended");
    push_main(&a).ok();
}

#[test]
fn a_variable_switches_it_off() {
    let world = World::new();
    let a = with_hub(&world);
    a.write("x.bin", &data::bytes(1, 1000));
    save(&a, &["x.bin"], "one");
    a.git_with(&["push", "origin", "main"], &[("HAUL_SKIP", "1")]).ok();
    assert_eq!(packs(&world), 0);
    a.haul(&["verify"]).fails_with(4);
}

#[test]
fn a_push_from_a_linked_worktree_sends_its_data() {
    let world = World::new();
    let a = with_hub(&world);
    a.git(&["worktree", "add", "--quiet", "-b", "side", "../side"]).ok();
    let side = world.folder("side");
    side.write("x.bin", &data::bytes(1, 100_000));
    save(&side, &["x.bin"], "one");
    side.git_hooked(&["push", "origin", "side"]).ok().says("pushed 1 root");
    side.haul(&["verify"]).ok();
}

#[test]
fn settings_that_this_worktree_lacks_stop_a_push_of_pointers() {
    let world = World::new();
    let a = with_hub(&world);
    a.write("x.bin", &data::bytes(1, 1000));
    save(&a, &["x.bin"], "one");
    a.git(&["checkout", "--quiet", "--orphan", "pages"]).ok();
    a.git(&["rm", "-r", "--quiet", "--cached", "."]).ok();
    a.remove("haul.toml");
    push_main(&a).fails_with(1).says("haul.toml");
}

#[test]
fn called_by_the_pre_commit_framework_it_sends_what_any_branch_brings() {
    let world = World::new();
    let a = with_hub(&world);
    a.git(&["checkout", "--quiet", "-b", "other"]).ok();
    a.write("x.bin", &data::bytes(1, 100_000));
    save(&a, &["x.bin"], "one");
    a.git(&["checkout", "--quiet", "main"]).ok();
    let variables = [("HAUL_SKIP", "0"), ("PRE_COMMIT_REMOTE_NAME", "origin")];
    a.haul_with(&["hook", "pre-push"], &variables).ok().says("pushed 1 root");
    a.haul(&["verify", "other"]).ok();
}

#[test]
fn what_git_did_not_say_is_refused() {
    let world = World::new();
    let a = with_hub(&world);
    let line = "echo nonsense | haul hook pre-push origin ../hub.git";
    a.run("env", &["HAUL_SKIP=0", "sh", "-c", line]).fails_with(1).says("nonsense");
    a.haul_with(&["hook", "no-such-moment"], &[("HAUL_SKIP", "0")])
        .fails_with(1)
        .says("hooks status");
}
