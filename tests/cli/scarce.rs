//! Few open files, little memory, senseless numbers: slower, or a clear message, and nothing lost.
//! A slow disk is waited for. The disk that is full in the middle has a campaign of its own (`tests/campaigns/real/full_disk.rs`).

use crate::harness::{Output, Repo, World, data, skipped};
use crate::push::ready;
use crate::scene::assert_clean;

/// Few files may be open at once.
const FEW_FILES: &str = "ulimit -n 64";
/// Half a gibibyte of address space, of which threads and the program itself take their part.
const LITTLE_MEMORY: &str = "ulimit -v 524288";

/// Runs `haul` under a limit of the shell's.
fn within(limit: &str, repo: &Repo, arguments: &str) -> Output {
    repo.run("sh", &["-c", &format!("{limit} && exec haul {arguments}")])
}

#[test]
fn no_transfer_at_once_is_a_usage_error() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    for verb in ["push", "fetch", "pull", "verify", "fsck", "gc", "du"] {
        a.haul(&[verb, "--jobs", "0"]).fails_with(2).says("--jobs").says("1..=256");
    }
    a.write("x.bin", b"content of a few bytes, and some more, and more");
    a.haul_with(&["add", "x.bin"], &[("HAUL_JOBS", "0")]).ok().says("jobs");
}

/// Thousands of files and a large one through every verb that reads or writes content.
fn all_verbs_work(limit: &str) {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    for n in 0..3000 {
        let length = usize::try_from(n).expect("is small");
        a.write(format!("d/{}/{n}.bin", n % 30), &data::bytes(n, 1000 + length));
    }
    a.write("d/large.bin", &data::bytes(7, 200 << 20));
    within(limit, &a, "add d").ok();
    a.commit("data");
    within(limit, &a, "push").ok();
    within(limit, &a, "status --exit-code").ok();
    let b = a.clone_as("b");
    within(limit, &b, "pull").ok();
    within(limit, &b, "status --exit-code").ok();
    b.tree().assert_same(&a.tree());
    b.remove("d");
    within(limit, &b, "checkout").ok();
    b.tree().assert_same(&a.tree());
    assert_clean(&b);
}

/// Git itself holds what it gets back whole; haul holds neither way.
#[test]
fn a_large_file_that_git_hands_over_lies_in_no_memory_whole() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    a.haul(&["track", "*.bin"]).ok();
    let large = data::bytes(7, 1 << 20).repeat(600);
    a.write("x.bin", &large);
    a.run("sh", &["-c", &format!("{LITTLE_MEMORY} && git add x.bin")]).ok();
    a.git(&["add", "-A"]).ok();
    a.commit("x");
    within(LITTLE_MEMORY, &a, "push").ok();
    let b = a.clone_as("b");
    within(LITTLE_MEMORY, &b, "init").ok();
    within(LITTLE_MEMORY, &b, "pull").ok();
    assert!(b.read("x.bin") == large);
    within(LITTLE_MEMORY, &b, "status --exit-code").ok();
}

#[test]
fn with_few_open_files_everything_works() {
    all_verbs_work(FEW_FILES);
}

#[test]
fn with_too_few_open_files_it_says_so_and_loses_nothing() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    for n in 0..200 {
        a.write(format!("d/{}/{n}.bin", n % 20), &data::bytes(n, 3000));
    }
    let before = a.tree_of("d");
    let mut told = 0;
    for most in 8..32 {
        let output = within(&format!("ulimit -n {most}"), &a, "add d");
        if output.status() != Some(0) {
            let words = output.to_string();
            assert!(!words.contains("panicked"), "{most}: {words}");
            told += usize::from(words.contains("allow more open files with `ulimit -n`"));
        }
        a.tree_of("d").assert_same(&before);
    }
    assert!(told > 0, "no limit was too low in a way that is told");
    a.haul(&["add", "d"]).ok();
    a.commit("d");
    assert_clean(&a);
}

#[test]
fn with_half_a_gibibyte_of_memory_everything_works() {
    all_verbs_work(LITTLE_MEMORY);
}

#[test]
fn a_pull_of_few_files_waits_for_these_and_one_of_many_for_the_disk() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    if a.run("sh", &["-c", "command -v strace"]).stdout().is_empty() {
        skipped("there is no `strace` to count syncs");
        return;
    }
    a.write("one/x.bin", &data::bytes(1, 200_000));
    for n in 0..20 {
        a.write(format!("many/{n}.bin"), &data::bytes(n, 50_000));
    }
    a.haul(&["add", "one", "many"]).ok();
    a.commit("data");
    a.haul(&["push"]).ok();
    let b = a.clone_as("b");
    for (path, whole) in [("one", 0), ("many", 1)] {
        let command =
            ["-f", "-qq", "-o", "calls", "-e", "trace=syncfs,fsync", "haul", "pull", path];
        b.run("strace", &command).ok();
        let calls = String::from_utf8(b.read("calls")).expect("is text");
        assert_eq!(calls.matches("syncfs(").count(), whole, "{path}: {calls}");
        // The file, its folder, and the one above.
        assert!(calls.matches(" fsync(").count() >= 3 * (1 - whole), "{path}: {calls}");
    }
}

/// Every write takes 20 ms and every sync half a second, as on a disk of a network that is far away.
#[test]
fn a_slow_disk_is_waited_for() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    if a.run("sh", &["-c", "command -v strace"]).stdout().is_empty() {
        skipped("there is no `strace` to slow writes down");
        return;
    }
    let slow = |repo: &Repo, verb: &[&str]| {
        let mut command = vec!["-f", "-qq", "-o", "/dev/null"];
        command
            .extend(["-e", "trace=write,pwrite64,writev,copy_file_range,fsync,fdatasync,syncfs"]);
        command.extend(["-e", "inject=write,pwrite64,writev,copy_file_range:delay_exit=20000"]);
        command.extend(["-e", "inject=fsync,fdatasync,syncfs:delay_exit=500000", "haul"]);
        command.extend(verb);
        repo.run("strace", &command)
    };
    for n in 0..20 {
        a.write(format!("d/{n}.bin"), &data::bytes(n, 50_000));
    }
    a.write("d/large.bin", &data::bytes(77, 4 << 20));
    slow(&a, &["add", "d"]).ok();
    a.commit("data");
    slow(&a, &["push"]).ok();
    let b = a.clone_as("b");
    slow(&b, &["pull"]).ok();
    b.tree().assert_same(&a.tree());
    b.haul(&["status", "--exit-code"]).ok();
    assert_clean(&b);
}
