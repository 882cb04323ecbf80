//! What Git does with files that it hands to haul, command by command.

use crate::filter::{assert_settled, held, save, tracking};
use crate::harness::{Remote, Repo, World, data};

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

/// Writes a file some time ago: Git would look at a young one once more.
fn write_old(a: &Repo<'_>, name: &str, content: &[u8]) {
    a.write(name, content);
    let earlier = std::time::SystemTime::now() - std::time::Duration::from_secs(60);
    std::fs::File::open(a.path(name)).expect("is there").set_modified(earlier).expect("sets it");
}

/// Leaves what a power cut before the end of `git add` can leave: the pointer, and not the content.
fn cut_off(a: &Repo<'_>, name: &str, content: &[u8]) {
    write_old(a, name, content);
    a.git_with(&["add", name], &[("HAUL_FAILPOINT", "filter.answered")]).status();
    a.remove(".git/haul/spool");
    // Git goes by its index, and does not ask again.
    a.git(&["add", name]).ok();
    assert!(!a.path(".git/haul/spool").exists(), "Git asked for the pointer again");
}

#[test]
fn content_that_a_power_cut_took_is_taken_in_again_by_the_commit_or_the_push() {
    let world = World::new();
    let a = tracking(&world);
    cut_off(&a, "in it/x.bin", &data::bytes(1, 300_000));
    a.git_hooked(&["commit", "-m", "x"]).ok().says("took in `in it/x.bin` again");
    cut_off(&a, "y.bin", &data::bytes(2, 50_000));
    a.commit("without the Git hook");
    a.haul(&["push"]).ok().says("took in `y.bin` again");
    a.haul(&["verify", "HEAD"]).ok();
    let b = a.clone_as("b");
    b.haul(&["init"]).ok();
    b.haul(&["pull"]).ok();
    assert_eq!(b.read("in it/x.bin"), data::bytes(1, 300_000));
    assert_eq!(b.read("y.bin"), data::bytes(2, 50_000));
}

#[test]
fn content_that_a_power_cut_took_and_nothing_has_is_said_and_not_published() {
    let world = World::new();
    let a = tracking(&world);
    world.folder("hub.git").git(&["init", "--quiet", "--bare"]).ok();
    a.git(&["remote", "add", "origin", "../hub.git"]).ok();
    cut_off(&a, "x.bin", &data::bytes(1, 50_000));
    a.write("x.bin", &data::bytes(2, 50_000));
    let out = a.git_hooked(&["commit", "-m", "x"]).ok();
    out.says("staged for `x.bin`").says("not known on this machine").says("git add :/x.bin");
    a.git_hooked(&["push", "origin", "main"]).fails_with(1).says("x.bin");
    a.git(&["add", "x.bin"]).ok();
    let amended = a.git_hooked(&["commit", "--amend", "-m", "x"]).ok();
    assert!(!amended.stderr().contains("x.bin"), "{}", amended.stderr());
    a.git_hooked(&["push", "origin", "main"]).ok().says("pushed 1 root");
    // A commit that hands its files over itself is not taken for one that lost them.
    a.write("x.bin", &data::bytes(3, 50_000));
    let out = a.git_hooked(&["commit", "-am", "again"]).ok();
    assert!(!out.stderr().contains("x.bin"), "{}", out.stderr());
    a.git_hooked(&["push", "origin", "main"]).ok().says("pushed 1 root");
}

/// The one spool that a killed filter left.
fn left(a: &Repo<'_>) -> std::path::PathBuf {
    let mut all = a.path(".git/haul/spool").read_dir().expect("is there");
    all.next().expect("is one").expect("can be read").path()
}

#[test]
fn a_spool_that_cannot_be_read_to_its_end_is_put_aside_and_said_once() {
    let world = World::new();
    let a = tracking(&world);
    for (name, seed) in [("w.bin", 1), ("x.bin", 2), ("y.bin", 3)] {
        write_old(&a, name, &data::bytes(seed, 5_000));
    }
    a.git_with(&["add", "-A"], &[("HAUL_FAILPOINT", "filter.answered")]).status();
    a.commit("data");
    // Of a newer haul, say.
    let path = left(&a).join("files");
    let mut bytes = std::fs::read(&path).expect("is there");
    let at = bytes.len() / 3 + "5000 ".len();
    assert_eq!(&bytes[at..at + 5], b"m64.1", "in the second line");
    bytes[at..at + 5].copy_from_slice(b"m99.9");
    std::fs::write(&path, &bytes).expect("can be written");
    // What came before is in there alone.
    a.remove("w.bin");
    let pushed = a.haul(&["push"]).ok().says("cannot be read to their end").says("quarantine");
    pushed.says("took in `x.bin` again").says("took in `y.bin` again");
    let aside = Remote::at(a.path(".git/haul/quarantine"));
    let kept = aside.keys("").into_iter().find(|name| name.ends_with("/files")).expect("is one");
    assert_eq!(a.read(format!(".git/haul/quarantine/{kept}")), bytes);
    a.haul(&["verify", "HEAD"]).ok();
    let again = a.haul(&["push"]).ok();
    assert!(!again.stderr().contains("read to their end"), "{again}");
    a.haul(&["doctor", "--offline"]).prints("quarantine");
}

#[test]
fn what_a_put_aside_spool_had_alone_is_named_by_the_push() {
    let world = World::new();
    let a = tracking(&world);
    write_old(&a, "x.bin", &data::bytes(1, 5_000));
    a.git_with(&["add", "-A"], &[("HAUL_FAILPOINT", "filter.answered")]).status();
    a.commit("data");
    // As an older haul left it.
    let folder = left(&a);
    std::fs::rename(folder.join("files"), folder.join("00000000-m64.1")).expect("is there");
    a.remove("x.bin");
    let pushed = a.haul(&["push"]);
    assert_ne!(pushed.status(), Some(0), "{pushed}");
    pushed.says("cannot be read to their end").says("x.bin");
    let aside = a.path(".git/haul/quarantine").join(folder.file_name().expect("has one"));
    assert_eq!(
        std::fs::read(aside.join("00000000-m64.1")).expect("is kept").len(),
        "5000 m64.1\n".len() + 5_000
    );
}
