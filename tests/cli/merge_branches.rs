//! Two people track different paths in one folder, and plain Git merges their branches.

use crate::harness::{Repo, World, data};

fn track_on_branch(repo: &Repo, branch: &str, from: &str, name: &str, seed: u64) {
    repo.git(&["checkout", "--quiet", "-b", branch, from]).ok();
    repo.write(name, &data::bytes(seed, 3000));
    repo.haul(&["add", name]).ok();
    repo.commit(branch);
}

fn merges_clean(repo: &Repo, names: &[&str]) {
    // Plain Git: a merge driver that called `haul` would be found out by its absence.
    let path = std::env::var("PATH").expect("is set");
    let arguments = [
        "PATH=".to_owned() + &path,
        "git".into(),
        "merge".into(),
        "--no-edit".into(),
        "one".into(),
    ];
    repo.run("env", &arguments).ok();
    assert_eq!(repo.git(&["status", "--porcelain"]).ok().stdout(), "");
    for name in names {
        assert!(repo.has(format!("{name}.haul")));
        repo.git(&["check-ignore", name]).ok();
        assert_eq!(repo.git(&["ls-files", "--", name]).ok().stdout(), "");
    }
    assert!(!repo.text(".gitignore").contains("<<<<"), "{}", repo.text(".gitignore"));
}

#[test]
fn an_ignore_file_that_both_branches_create_merges_clean() {
    let world = World::new();
    let a = world.repo("a");
    a.haul(&["init"]).ok();
    a.commit("init");
    track_on_branch(&a, "one", "main", "one.bin", 1);
    track_on_branch(&a, "two", "main", "two.bin", 2);
    merges_clean(&a, &["one.bin", "two.bin"]);
}

#[test]
fn an_ignore_file_that_both_branches_extend_merges_clean() {
    let world = World::new();
    let a = world.repo("a");
    a.haul(&["init"]).ok();
    a.write(".gitignore", b"*.tmp");
    a.write("base.bin", b"base");
    a.haul(&["add", "base.bin"]).ok();
    a.commit("init");
    track_on_branch(&a, "one", "main", "one.bin", 1);
    track_on_branch(&a, "two", "main", "two.bin", 2);
    merges_clean(&a, &["base.bin", "one.bin", "two.bin"]);
}

#[test]
fn ignore_files_in_a_sub_folder_merge_clean_too() {
    let world = World::new();
    let a = world.repo("a");
    a.haul(&["init"]).ok();
    a.commit("init");
    track_on_branch(&a, "one", "main", "sets/de ep/one", 1);
    track_on_branch(&a, "two", "main", "sets/de ep/two", 2);
    a.run("git", &["merge", "--no-edit", "one"]).ok();
    for name in ["sets/de ep/one", "sets/de ep/two"] {
        a.git(&["check-ignore", name]).ok();
    }
    assert_eq!(a.git(&["status", "--porcelain"]).ok().stdout(), "");
    assert_eq!(a.text("sets/de ep/.gitignore").lines().count(), 2);
}
