//! What Git does with files that it hands to haul, command by command.

use crate::filter::{assert_settled, held, save, tracking};
use crate::harness::{World, data};

#[test]
fn stash_puts_content_away_and_back() {
    let world = World::new();
    let a = tracking(&world);
    a.write("x.bin", &data::bytes(1, 200_000));
    save(&a, "x");
    a.write("x.bin", &data::bytes(2, 200_000));
    a.write("new.bin", &data::bytes(3, 1000));
    a.git(&["stash", "--quiet", "--include-untracked"]).ok();
    assert_eq!(a.read("x.bin"), data::bytes(1, 200_000));
    assert!(!a.has("new.bin"));
    assert_settled(&a);
    a.git(&["stash", "pop", "--quiet"]).ok();
    assert_eq!(a.read("x.bin"), data::bytes(2, 200_000));
    assert_eq!(a.read("new.bin"), data::bytes(3, 1000));
}

#[test]
fn rebase_and_merge_carry_content_along() {
    let world = World::new();
    let a = tracking(&world);
    a.write("x.bin", &data::bytes(1, 100_000));
    save(&a, "x");
    a.git(&["checkout", "--quiet", "-b", "side"]).ok();
    a.write("y.bin", &data::bytes(2, 100_000));
    save(&a, "y");
    a.git(&["checkout", "--quiet", "main"]).ok();
    a.write("x.bin", &data::bytes(3, 100_000));
    save(&a, "x again");
    a.git(&["branch", "copy", "side"]).ok();
    a.git(&["rebase", "--quiet", "main", "side"]).ok();
    assert_eq!(a.read("x.bin"), data::bytes(3, 100_000));
    assert_eq!(a.read("y.bin"), data::bytes(2, 100_000));
    a.git(&["checkout", "--quiet", "main"]).ok();
    a.git(&["merge", "--quiet", "--no-edit", "copy"]).ok();
    assert_eq!(a.read("y.bin"), data::bytes(2, 100_000));
    assert_settled(&a);
}

#[test]
fn a_conflict_leaves_a_sound_pointer_and_our_content() {
    let world = World::new();
    let a = tracking(&world);
    a.write("x.bin", &data::bytes(1, 100_000));
    save(&a, "x");
    a.git(&["checkout", "--quiet", "-b", "side"]).ok();
    a.write("x.bin", &data::bytes(2, 100_000));
    save(&a, "theirs");
    a.git(&["checkout", "--quiet", "main"]).ok();
    a.write("x.bin", &data::bytes(3, 100_000));
    save(&a, "ours");
    a.git(&["merge", "side"]).fails_with(1).says("conflict in `x.bin`");
    assert_eq!(a.read("x.bin"), data::bytes(3, 100_000));
    a.git(&["checkout", "--theirs", "x.bin"]).ok();
    assert_eq!(a.read("x.bin"), data::bytes(2, 100_000));
    a.git(&["add", "x.bin"]).ok();
    a.commit("merged");
    assert_settled(&a);
}

#[test]
fn archives_and_worktrees_hold_content() {
    let world = World::new();
    let a = tracking(&world);
    a.write("x.bin", &data::bytes(1, 9_000_000));
    a.write("y.bin", &data::bytes(2, 3000));
    save(&a, "x");
    a.git(&["archive", "--output=../x.tar", "HEAD"]).ok();
    let out = world.folder("out");
    out.run("tar", &["xf", "../x.tar"]).ok();
    assert_eq!(out.read("x.bin"), data::bytes(1, 9_000_000));
    assert_eq!(out.read("y.bin"), data::bytes(2, 3000));
    a.git(&["worktree", "add", "--quiet", "../w", "HEAD~0"]).ok();
    let w = world.folder("w");
    assert_eq!(w.read("x.bin"), data::bytes(1, 9_000_000));
    assert_settled(&w);
}

#[test]
fn hooks_that_want_the_index_do_not_wait_for_the_filter() {
    let world = World::new();
    let a = tracking(&world);
    a.write("beside.dat", &data::bytes(9, 1000));
    a.haul(&["add", "beside.dat"]).ok();
    a.write("x.bin", &data::bytes(1, 100_000));
    save(&a, "one");
    a.write("x.bin", &data::bytes(2, 100_000));
    a.write("beside.dat", &data::bytes(8, 1000));
    a.haul(&["add", "beside.dat"]).ok();
    a.git_hooked(&["commit", "--quiet", "--all", "--message", "two"]).ok();
    a.git_hooked(&["checkout", "--quiet", "HEAD~1"]).ok();
    assert_eq!(a.read("x.bin"), data::bytes(1, 100_000));
    assert_eq!(a.read("beside.dat"), data::bytes(9, 1000));
}

#[test]
fn git_status_does_not_read_files_that_did_not_change() {
    let world = World::new();
    let a = tracking(&world);
    a.write("x.bin", &data::bytes(1, 9_000_000));
    save(&a, "x");
    // Git doubts what was written in the same moment as its index.
    let later = std::time::SystemTime::now() - std::time::Duration::from_secs(100);
    std::fs::File::open(a.path("x.bin")).expect("is there").set_modified(later).expect("sets it");
    assert_settled(&a);
    let log = world.path("trace");
    let trace = [("GIT_TRACE", log.to_str().expect("is UTF-8"))];
    a.git_with(&["status", "--porcelain"], &trace).ok();
    let calls = std::fs::read_to_string(&log).expect("was written");
    assert!(!calls.contains("filter-process"), "{calls}");
}

#[test]
fn the_executable_bit_is_gits_own() {
    let world = World::new();
    let a = tracking(&world);
    a.write("run.bin", &data::bytes(1, 1000));
    a.set_executable("run.bin", true);
    save(&a, "run");
    assert!(!held(&a, "HEAD", "run.bin").contains("exec"));
    a.remove("run.bin");
    a.git_with(&["checkout", "run.bin"], &[("HAUL_SKIP_SMUDGE", "1")]).ok();
    a.haul(&["pull"]).ok();
    assert_eq!(a.read("run.bin"), data::bytes(1, 1000));
    assert_settled(&a);
}

#[test]
fn a_file_that_is_no_sound_pointer_is_refused_by_name() {
    let world = World::new();
    let a = tracking(&world);
    a.write("x.bin", &data::bytes(1, 1000));
    save(&a, "x");
    let pointer = held(&a, "HEAD", "x.bin");
    let conflict = format!("<<<<<<< ours\n{pointer}=======\n{pointer}>>>>>>> theirs\n");
    for text in [format!("{pointer}oid x\n"), "haul 2\nkind file\n".to_owned()] {
        a.write("x.bin", text.as_bytes());
        a.git(&["add", "x.bin"]).fails_with(128).says("`x.bin` cannot be taken in");
    }
    // Text that only begins alike, and what a merge by text left, is content.
    for text in ["haul 1000 boxes\n".to_owned(), conflict] {
        a.write("x.bin", text.as_bytes());
        a.git(&["add", "x.bin"]).status();
    }
}

#[test]
fn a_full_or_missing_state_makes_git_add_fail_and_not_lie() {
    let world = World::new();
    let a = tracking(&world);
    drop(std::fs::remove_dir_all(a.path(".git/haul")));
    a.write(".git/haul", b"no folder");
    a.write("x.bin", &data::bytes(1, 1000));
    a.git(&["add", "x.bin"]).fails_with(128).says("x.bin");
    assert_eq!(a.git(&["ls-files", "x.bin"]).ok().stdout(), "");
}
