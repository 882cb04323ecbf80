//! What `haul track --dry-run` says, and what `haul track` then does. For the files themselves see `filter.rs`.

use crate::harness::{Output, Repo, World, data};
use crate::scene::{number, save, shared};

/// Plans patterns, then tracks them: returns how many files are planned, and how many Git hands over.
#[track_caller]
fn planned_and_done(repo: &Repo<'_>, patterns: &[&str]) -> (u64, usize) {
    let before = repo.tree();
    let plan = repo.haul(&[&["track", "--dry-run", "--json"], patterns].concat()).ok();
    before.assert_same(&repo.tree());
    repo.haul(&[&["track"], patterns].concat()).ok();
    let files = repo.git(&["ls-files", "--others", "--cached", "--exclude-standard"]).ok();
    let files: Vec<&str> = files.stdout().lines().collect();
    let asked = repo.git(&[&["check-attr", "filter", "--"], files.as_slice()].concat()).ok();
    let handed = asked.stdout().lines().filter(|line| line.ends_with(": filter: haul"));
    (number(&plan, "/files"), handed.count())
}

#[test]
fn a_plan_knows_that_new_lines_win_over_those_of_another_filter() {
    let world = World::new();
    let a = shared(&world);
    a.write(".gitattributes", b"*.bin filter=lfs diff=lfs merge=lfs -text");
    for name in ["a.bin", "sub/b.bin", "kept/c.bin", "kept/deep/d.bin", "other.txt"] {
        a.write(name, name.as_bytes());
    }
    // A file of attributes that lies deeper wins over the root's, whether Git has it or not.
    a.write("kept/.gitattributes", b"*.bin filter=lfs\n");
    assert_eq!(planned_and_done(&a, &["*.bin"]), (2, 2));
}

#[test]
fn a_plan_knows_the_users_own_attributes_and_those_of_the_clone() {
    let world = World::new();
    let a = shared(&world);
    a.write("y.dat", &data::bytes(1, 1000));
    save(&a, &["y.dat"], "data");
    let own = world.path("attributes");
    std::fs::write(&own, "*.dat filter=haul\n").expect("can be written");
    a.git(&["config", "core.attributesFile", &own.display().to_string()]).ok();
    a.write(".git/info/attributes", b"x.bin filter=lfs\n");
    for name in ["x.bin", "z.bin"] {
        a.write(name, name.as_bytes());
    }
    let plan = a.haul(&["track", "--dry-run", "--json", "*.bin"]).ok();
    assert_eq!(number(&plan, "/files"), 1, "z.bin: {plan}");
    let done = a.haul(&["track", "--json", "*.bin"]).ok();
    let converted = |output: &Output| output.json().get("converted").cloned();
    assert_eq!(converted(&plan), converted(&done));
    done.prints("y.dat");
}

#[test]
fn a_plan_converts_and_refuses_what_the_run_does() {
    let world = World::new();
    let a = shared(&world);
    a.write(".gitattributes", b"*.bin filter=lfs\n");
    a.write("x.bin", &data::bytes(1, 1000));
    a.write("folder.bin/y", b"y");
    save(&a, &["x.bin", "folder.bin"], "data");
    let converted = |words: &[&str]| a.haul(words).ok().json().get("converted").cloned();
    let plan = converted(&["track", "--dry-run", "--json", "*.bin"]);
    let pointer = a.text("x.bin.haul");
    a.write("x.bin.haul", b"haul 1\n");
    let refused = |words: &[&str]| {
        a.haul(words).fails_with(1).says("has a pointer that cannot be used");
    };
    refused(&["track", "--dry-run", "*.bin"]);
    refused(&["track", "*.bin"]);
    a.write("x.bin.haul", pointer.as_bytes());
    for words in [&["track", "--dry-run", "folder.bin"], &["track", "folder.bin"][..]] {
        a.haul(words).fails_with(1).says("`folder.bin` is tracked as a folder");
    }
    assert_eq!(plan, converted(&["track", "--json", "*.bin"]));
}

#[test]
fn a_plan_waits_for_no_pipe_in_place_of_a_file_of_attributes() {
    let world = World::new();
    let a = shared(&world);
    a.write("sub/x.bin", &data::bytes(1, 1000));
    a.run("mkfifo", &["sub/.gitattributes"]).ok();
    let plan = a.run("timeout", &["60", "haul", "track", "--dry-run", "--json", "*.bin"]).ok();
    assert_eq!(number(&plan, "/files"), 1, "{plan}");
}
