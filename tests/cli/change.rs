//! `haul untrack`, `rm`, `mv` and `checkout REV -- PATH`: changing what is tracked.

use crate::harness::{Remote, Repo, World, data};
use crate::push::{ready, send, take};

/// A folder and a file on the remote.
fn pushed<'a>(world: &'a World, remote: &Remote) -> Repo<'a> {
    let a = ready(world, "a", remote);
    a.write("data/one.bin", &data::bytes(1, 200_000));
    a.write("data/sub/two.txt", b"two");
    a.write("x.bin", &data::bytes(2, 90_000));
    take(&a, "data");
    send(&a, "x.bin");
    a
}

/// The paths that Git would commit, with their letters.
fn staged(repo: &Repo) -> Vec<String> {
    let output = repo.git(&["diff", "--cached", "--name-status", "--no-renames"]).ok();
    output.stdout().lines().map(|line| line.replace('\t', " ")).collect()
}

fn clean(repo: &Repo) {
    repo.haul(&["status", "--exit-code"]).ok();
}

#[test]
fn untrack_takes_pointer_and_ignore_line_away_and_leaves_the_data() {
    let world = World::new();
    let a = pushed(&world, &world.remote("r"));
    let before = a.tree_of("data");
    a.haul(&["untrack", "--dry-run", "data"])
        .ok()
        .prints("would untrack data\n")
        .says("would untrack 1 path");
    assert_eq!(staged(&a), Vec::<String>::new());
    a.haul(&["untrack", "data"]).ok().says("untracked 1 path; the data stays");
    assert_eq!(staged(&a), ["M .gitignore", "D data.haul"]);
    a.tree_of("data").assert_same(&before);
    assert_eq!(a.text(".gitignore"), "/x.bin\n");
    a.commit("untracked");
    // What once was tracked is the user's own now: no checkout may remove it.
    a.haul(&["checkout"]).ok();
    a.tree_of("data").assert_same(&before);
    a.haul(&["untrack", "data"]).fails_with(1).says("`data` is not tracked");
    // And it can be tracked again.
    take(&a, "data");
    clean(&a);
}

#[test]
fn untrack_refuses_what_is_not_all_here() {
    let world = World::new();
    let a = pushed(&world, &world.remote("r"));
    a.remove("data/one.bin");
    a.haul(&["untrack", "data"]).fails_with(1).says("`data/one.bin` is not in the worktree");
    let b = a.clone_as("b");
    b.haul(&["untrack", "x.bin"]).fails_with(1).says("haul pull x.bin");
    assert!(b.has("x.bin.haul"));
}

#[test]
fn rm_takes_the_data_away_too_and_an_earlier_commit_brings_it_back() {
    let world = World::new();
    let a = pushed(&world, &world.remote("r"));
    let before = a.tree_of("data");
    a.haul(&["rm", "--dry-run", "data"]).ok().prints("would remove data\n");
    a.haul(&["rm", "data"]).ok().says("removed 1 path, 2 files of the worktree");
    assert!(!a.has("data") && !a.has("data.haul"));
    assert_eq!(staged(&a), ["M .gitignore", "D data.haul"]);
    a.commit("removed");
    clean(&a);
    a.git(&["checkout", "-q", "HEAD~1"]).ok();
    a.haul(&["checkout"]).ok();
    a.tree_of("data").assert_same(&before);
}

#[test]
fn rm_of_a_path_whose_data_is_not_here_needs_no_data() {
    let world = World::new();
    let a = pushed(&world, &world.remote("r"));
    let b = a.clone_as("b");
    b.haul(&["rm", "data", "x.bin.haul"]).ok().says("removed 2 paths, 0 files");
    assert_eq!(staged(&b), ["M .gitignore", "D data.haul", "D x.bin.haul"]);
}

#[test]
fn rm_keeps_changes_unless_it_is_forced_and_then_puts_them_aside() {
    let world = World::new();
    let a = pushed(&world, &world.remote("r"));
    a.write("data/sub/two.txt", b"changed");
    a.write("data/new.txt", b"new");
    let before = a.tree();
    a.haul(&["rm", "data"]).fails_with(1).says("`data/").says("--force");
    a.tree().assert_same(&before);
    let report = a.haul(&["rm", "--force", "--json", "data"]).ok().json();
    let aside = report["aside"].as_str().expect("is a folder").to_owned();
    assert!(!a.has("data"));
    let read = |name: &str| std::fs::read(format!("{aside}/data/{name}")).expect("was put aside");
    assert_eq!((read("sub/two.txt"), read("new.txt")), (b"changed".to_vec(), b"new".to_vec()));
    assert_eq!(read("one.bin"), data::bytes(1, 200_000));
}

#[test]
fn rm_refuses_content_that_no_commit_names() {
    let world = World::new();
    let a = pushed(&world, &world.remote("r"));
    a.write("y.bin", &data::bytes(3, 1000));
    a.haul(&["add", "y.bin"]).ok();
    a.haul(&["rm", "y.bin"]).fails_with(1).says("is in no commit").says("haul untrack");
    assert_eq!(a.read("y.bin"), data::bytes(3, 1000));
    a.haul(&["untrack", "y.bin"]).ok();
    assert_eq!(a.read("y.bin"), data::bytes(3, 1000));
}

#[test]
fn mv_moves_pointer_ignore_line_and_data() {
    let world = World::new();
    let a = pushed(&world, &world.remote("r"));
    let before = a.tree_of("data");
    a.haul(&["mv", "--dry-run", "data", "deep/er/train"]).ok().prints("data -> deep/er/train");
    a.haul(&["mv", "data", "deep/er/train"]).ok().says("with its data");
    a.tree_of("deep/er/train").assert_same(&before);
    assert!(!a.has("data") && !a.has("data.haul"));
    assert_eq!(a.text("deep/er/.gitignore"), "/train\n");
    assert_eq!(a.text(".gitignore"), "/x.bin\n");
    assert_eq!(
        staged(&a),
        ["M .gitignore", "D data.haul", "A deep/er/.gitignore", "A deep/er/train.haul"]
    );
    a.commit("moved");
    clean(&a);
    // Nothing was taken for changed: nothing is read, nothing is sent.
    a.haul(&["add", "-u"]).ok().says("nothing changed");
    let b = a.clone_as("b");
    b.haul(&["pull"]).ok();
    b.tree_of("deep/er/train").assert_same(&before);
}

#[test]
fn mv_into_a_folder_keeps_the_name_and_changes_of_the_user() {
    let world = World::new();
    let a = pushed(&world, &world.remote("r"));
    a.mkdir("models");
    a.write("x.bin", b"changed by hand");
    a.haul(&["mv", "x.bin", "models"]).ok();
    assert_eq!(a.text("models/x.bin"), "changed by hand");
    a.haul(&["status", "--porcelain"]).ok().prints("wM\tmodels/x.bin");
}

#[test]
fn mv_without_data_moves_the_pointer_only() {
    let world = World::new();
    let a = pushed(&world, &world.remote("r"));
    let b = a.clone_as("b");
    b.haul(&["mv", "data", "train"]).ok().says("without data");
    assert!(b.has("train.haul") && !b.has("data.haul") && !b.has("train"));
    let lines = b.text(".gitignore");
    assert!(lines.contains("/train\n") && !lines.contains("/data\n"), "{lines}");
    b.haul(&["pull"]).ok();
    b.tree_of("train").assert_same(&a.tree_of("data"));
}

#[test]
fn mv_refuses_names_that_are_taken_or_cannot_be() {
    let world = World::new();
    let a = pushed(&world, &world.remote("r"));
    a.write("notes.txt", b"plain");
    a.git(&["add", "notes.txt"]).ok();
    a.commit("notes");
    a.write("there.bin", b"x");
    let before = a.tree();
    for (to, words) in [
        ("notes.txt", "Git tracks a file of that name"),
        ("there.bin", "is there already"),
        ("x.bin", "one lies in the other"),
        ("../out.bin", "outside the repository"),
        (".git/x", "error: "),
    ] {
        a.haul(&["mv", "x.bin", to]).fails_with(1).says(words);
    }
    a.tree().assert_same(&before);
}

#[test]
fn a_move_that_was_cut_short_is_completed_by_the_same_command() {
    let world = World::new();
    let a = pushed(&world, &world.remote("r"));
    let before = a.tree_of("data");
    // Git's index cannot be changed: data and pointers have moved by then.
    a.write(".git/index.lock", b"");
    a.haul(&["mv", "data", "train"]).fails_with(1).says("index.lock");
    a.remove(".git/index.lock");
    a.haul(&["mv", "data", "train"]).ok();
    a.tree_of("train").assert_same(&before);
    a.commit("moved");
    clean(&a);
}

#[test]
fn checkout_of_a_path_at_a_revision_takes_content_and_pointer() {
    let world = World::new();
    let a = pushed(&world, &world.remote("r"));
    a.write("x.bin", &data::bytes(7, 100));
    a.write("data/sub/two.txt", b"other");
    a.haul(&["add", "-u"]).ok();
    a.commit("both");
    a.haul(&["checkout", "HEAD~1", "--", "x.bin"]).ok();
    assert_eq!(a.read("x.bin"), data::bytes(2, 90_000));
    assert_eq!(a.text("data/sub/two.txt"), "other");
    assert_eq!(staged(&a), ["M x.bin.haul"]);
    clean(&a);
    a.haul(&["checkout", "HEAD", "--", "x.bin"]).ok();
    assert_eq!(staged(&a), Vec::<String>::new());
    a.haul(&["checkout", "HEAD~1", "--", "data/sub"]).fails_with(1).says("only a part");
    a.haul(&["checkout", "x.bin", "HEAD", "--", "x.bin"]).fails_with(1).says("one revision");
    a.write("x.bin", b"unsaved");
    a.haul(&["checkout", "HEAD~1", "--", "x.bin"]).fails_with(1).says("nothing was changed");
    assert_eq!(staged(&a), Vec::<String>::new());
    // A removed path comes back with its ignore line.
    a.haul(&["checkout", "--force", "x.bin"]).ok();
    a.haul(&["rm", "x.bin"]).ok();
    a.commit("gone");
    a.haul(&["checkout", "HEAD~1", "--", "x.bin"]).ok();
    assert_eq!(a.read("x.bin"), data::bytes(7, 100));
    assert!(a.text(".gitignore").contains("/x.bin\n"));
    assert_eq!(staged(&a), ["M .gitignore", "A x.bin.haul"]);
}

#[test]
fn checkout_of_a_path_at_a_revision_leaves_the_pointer_where_content_is_missing() {
    let world = World::new();
    let a = pushed(&world, &world.remote("r"));
    a.write("x.bin", &data::bytes(7, 100));
    send(&a, "x.bin");
    let b = a.clone_as("b");
    b.haul(&["pull"]).ok();
    b.haul(&["checkout", "HEAD~1", "--", "x.bin"]).fails_with(1).says("haul fetch --rev");
    assert_eq!(staged(&b), Vec::<String>::new());
    b.haul(&["fetch", "--rev", "HEAD~1", "x.bin"]).ok();
    b.haul(&["checkout", "HEAD~1", "--", "x.bin"]).ok();
    assert_eq!(staged(&b), ["M x.bin.haul"]);
}

#[test]
fn what_a_locked_index_stopped_is_completed_by_the_same_command() {
    let world = World::new();
    let a = pushed(&world, &world.remote("r"));
    for (verb, stays) in [("untrack", true), ("rm", false)] {
        a.git(&["reset", "-q", "--hard"]).ok();
        a.haul(&["checkout"]).ok();
        a.write(".git/index.lock", b"");
        a.haul(&[verb, "data"]).fails_with(1).says("index.lock");
        a.remove(".git/index.lock");
        a.haul(&[verb, "data"]).ok();
        assert_eq!(staged(&a), ["M .gitignore", "D data.haul"]);
        assert_eq!(a.has("data"), stays);
    }
}
