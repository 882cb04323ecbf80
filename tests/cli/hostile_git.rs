//! Git as a way to run something: haul's own calls of `git`, and whose repository it takes.

use std::ffi::OsStr;
use std::os::unix::fs::chown;

use rustix::process::geteuid;

use crate::harness::{Repo, World, data};
use crate::hostile_table::git_files;
use crate::scene::{save, shared};

/// A program that leaves a mark in the world, whoever runs it.
fn canary(repo: &Repo<'_>, world: &World, name: &str) {
    let mark = world.path("canary-exec");
    let text = format!("#!/bin/sh\ntouch '{}'\nexec /usr/bin/env -i true\n", mark.display());
    repo.write(name, text.as_bytes());
    repo.set_executable(name, true);
}

#[test]
fn a_git_that_lies_in_the_worktree_is_not_run_whatever_the_search_path_says() {
    let world = World::new();
    let a = shared(&world);
    a.write("f", &data::bytes(1, 1000));
    save(&a, &["f"], "one");
    for name in ["git", "bin/git", "git-upload-pack"] {
        canary(&a, &world, name);
    }
    let usual = std::env::var("PATH").expect("is set");
    for first in [".", "", "bin", "./bin"] {
        let path = format!("{first}:{usual}:");
        a.write("f", path.as_bytes());
        for line in [&["status"][..], &["add", "f"], &["push"], &["pull"], &["verify"]] {
            a.haul_with(line, &[("PATH", &path)]).ok();
            assert!(!world.path("canary-exec").exists(), "`{first}`: {line:?}");
        }
    }
    // Nothing to look in: the system's own folders, and still not this one.
    a.haul_with(&["status"], &[("PATH", ".")]);
    assert!(!world.path("canary-exec").exists());
}

#[test]
fn a_git_folder_that_came_with_a_commit_is_not_taken_for_the_repository() {
    let world = World::new();
    let a = shared(&world);
    a.git(&["init", "--quiet", "--bare", "d"]).ok();
    canary(&a, &world, "run");
    let run = a.path("run").display().to_string();
    let worktree = a.path("d").display().to_string();
    for (key, value) in
        [("core.bare", "false"), ("core.worktree", &*worktree), ("core.fsmonitor", &*run)]
    {
        a.git(&["config", "--file", "d/config", key, value]).ok();
    }
    a.write("d/f", b"data");
    for line in [&["init"][..], &["status"], &["add", "f"], &["pull"], &["push"]] {
        let line = [&["-C", "d"][..], line].concat();
        a.haul(&line).fails_with(1).says("may have come with a commit").says("hint: ");
        let deeper = [&["-C", "d/objects"][..], &line[2..]].concat();
        a.haul(&deeper).fails_with(1);
        assert!(!world.path("canary-exec").exists(), "{line:?}");
    }
    a.haul(&["-C", ".git", "status"]);
    a.haul(&["status"]).ok();
}

#[test]
fn a_repository_of_another_user_is_refused_as_git_refuses_it() {
    if !geteuid().is_root() {
        return; // Nobody else may give files away.
    }
    let world = World::new();
    for (whole, name) in [(true, "a"), (false, "b")] {
        let repo = world.repo(name);
        repo.haul(&["init"]).ok();
        let given = if whole { repo.path("") } else { repo.path(".git") };
        chown(given, Some(65_534), Some(65_534)).expect("gives it away");
        repo.git(&["status"]).fails_with(128);
        for verb in ["status", "pull", "init"] {
            repo.haul(&[verb]).fails_with(1).says("another user owns it").says("safe.directory");
        }
    }
}

#[test]
fn nothing_in_a_commit_is_run() {
    let world = World::new();
    let a = shared(&world);
    canary(&a, &world, "run");
    let run = a.path("run").display().to_string();
    a.write(".gitattributes", b".gitignore merge=union\n* filter=x diff=x merge=x -text\n");
    let settings = format!(
        "[core]\n\tfsmonitor = {run}\n\thooksPath = .\n\tpager = {run}\n\tsshCommand = {run}\n\
         [filter \"x\"]\n\tclean = {run}\n\tsmudge = {run}\n\tprocess = {run}\n\
         [diff \"x\"]\n\ttextconv = {run}\n[remote \"origin\"]\n\turl = ext::{run}\n"
    );
    for name in [".gitconfig", "config", "gitconfig", ".lfsconfig", ".config/git/config"] {
        a.write(name, settings.as_bytes());
    }
    a.write(".gitmodules", format!("[submodule \"x\"]\n\tupdate = !{run}\n").as_bytes());
    for name in ["post-checkout", "post-index-change", "pre-commit", "hooks/post-checkout"] {
        canary(&a, &world, name);
        canary(&a, &world, &format!(".githooks/{name}"));
    }
    a.write("set/f", &data::bytes(1, 100_000));
    canary(&a, &world, "set/git");
    save(&a, &["set"], "one");
    let git = git_files(&a);
    let b = world.path("b");
    for line in [&["status"][..], &["add", "-u"], &["push"], &["fetch"], &["checkout"], &["pull"]] {
        a.haul(line).ok();
    }
    a.git(&[OsStr::new("clone"), OsStr::new("--quiet"), OsStr::new("."), b.as_os_str()]).ok();
    let b = world.folder("b");
    for line in [&["pull"][..], &["status"], &["verify"], &["du"]] {
        b.haul(line).ok();
    }
    b.tree_of("set").assert_same(&a.tree_of("set"));
    assert!(!world.path("canary-exec").exists());
    assert!(git_files(&a) == git, "haul changed what steers Git");
}
