//! What `haul add` does to a `.gitignore` that the user edits as well.

use crate::harness::{Repo, World, data};
use crate::scene::{save, shared};

/// The content that Git's index has for a path.
fn staged(repo: &Repo<'_>, path: &str) -> String {
    repo.git(&["cat-file", "blob", &format!(":{path}")]).ok().stdout().to_owned()
}

fn changes(repo: &Repo<'_>) -> String {
    repo.git(&["status", "--porcelain"]).ok().stdout().to_owned()
}

#[test]
fn an_edit_of_the_users_stays_unstaged_when_haul_adds_its_line() {
    let world = World::new();
    let a = shared(&world);
    a.write(".gitignore", b"*.tmp\n");
    a.git(&["add", ".gitignore"]).ok();
    a.commit("ignore");
    a.write(".gitignore", b"# mine, not ready\n*.tmp\n*.log");
    a.write("x", &data::bytes(1, 100));
    a.haul(&["add", "x"]).ok();
    assert_eq!(staged(&a, ".gitignore"), "*.tmp\n/x\n");
    assert_eq!(a.text(".gitignore"), "# mine, not ready\n*.tmp\n*.log\n/x\n");
    a.commit("x");
    assert_eq!(changes(&a), " M .gitignore\n");
}

#[test]
fn an_add_that_needs_no_new_line_stages_no_ignore_file() {
    let world = World::new();
    let a = shared(&world);
    a.write("x", b"1");
    save(&a, &["x"], "one");
    a.write(".gitignore", b"/x\n# mine\n");
    a.write("x", b"2");
    a.haul(&["add", "x"]).ok();
    assert_eq!(changes(&a), " M .gitignore\nM  x.haul\n");
    assert_eq!(a.text(".gitignore"), "/x\n# mine\n");
}

#[test]
fn an_ignore_file_that_git_does_not_know_yet_is_staged_as_a_whole() {
    let world = World::new();
    let a = shared(&world);
    a.write("sub/.gitignore", b"*.secret\n");
    a.write("sub/x", b"1");
    a.haul(&["add", "sub/x"]).ok();
    assert_eq!(staged(&a, "sub/.gitignore"), "*.secret\n/x\n");
    assert_eq!(a.text("sub/.gitignore"), "*.secret\n/x\n");
}

#[test]
fn the_mode_of_an_ignore_file_and_its_line_ends_are_kept() {
    let world = World::new();
    let a = shared(&world);
    a.git(&["config", "core.autocrlf", "true"]).ok();
    a.write(".gitignore", b"*.tmp\r\n");
    a.set_executable(".gitignore", true);
    a.git(&["add", ".gitignore"]).ok();
    a.commit("ignore");
    a.write("x", b"1");
    a.haul(&["add", "x"]).ok();
    assert_eq!(staged(&a, ".gitignore"), "*.tmp\n/x\n");
    let entry = a.git(&["ls-files", "-s", ".gitignore"]).ok();
    assert!(entry.stdout().starts_with("100755 "), "{entry}");
}

#[test]
fn a_moved_pointer_takes_its_line_along_and_no_edit_of_the_users() {
    let world = World::new();
    let a = shared(&world);
    a.write("x", b"1");
    save(&a, &["x"], "one");
    a.write(".gitignore", b"/x\n# mine\n");
    a.git(&["mv", "x.haul", "y.haul"]).ok();
    a.haul(&["checkout"]).ok();
    assert_eq!(staged(&a, ".gitignore"), "/y\n");
    assert_eq!(a.text(".gitignore"), "# mine\n/y\n");
    assert_eq!(a.text("y"), "1");
}

#[test]
fn an_ignore_file_that_is_too_long_to_be_edited_is_left_alone() {
    let world = World::new();
    let a = shared(&world);
    let long = b"# a line that repeats itself over and over\n".repeat(400_000);
    assert!(long.len() > 16 << 20);
    a.write(".gitignore", &long);
    a.write("x", b"1");
    a.haul(&["add", "x"]).fails_with(1).says("`.gitignore` is too long").says("hint: shorten it");
    assert_eq!(a.read(".gitignore"), long);
    assert_eq!(a.text("x"), "1");
    a.write(".gitignore", b"# short\n");
    a.haul(&["add", "x"]).ok();
}

#[test]
fn an_ignore_file_with_both_sides_of_a_merge_stays_for_the_user_to_settle() {
    let world = World::new();
    let a = shared(&world);
    a.write(".gitignore", b"one\n");
    a.git(&["rm", "--quiet", "--cached", ".gitattributes"]).ok();
    a.remove(".gitattributes");
    a.git(&["add", ".gitignore"]).ok();
    a.commit("base");
    a.git(&["checkout", "--quiet", "-b", "theirs"]).ok();
    a.write(".gitignore", b"two\n");
    a.git(&["commit", "--quiet", "-am", "two"]).ok();
    a.git(&["checkout", "--quiet", "main"]).ok();
    a.write(".gitignore", b"three\n");
    a.git(&["commit", "--quiet", "-am", "three"]).ok();
    a.git(&["merge", "theirs"]).fails_with(1);
    a.write("x", b"1");
    a.haul(&["add", "x"]).ok();
    assert!(changes(&a).contains("UU .gitignore\n"), "{}", changes(&a));
    assert!(a.text(".gitignore").ends_with("/x\n"));
}
