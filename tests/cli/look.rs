//! `haul ls`, `log`, `cat` and `export`: looking at versions whose content is not here.

use serde_json::Value;

use crate::harness::{Remote, Repo, World, data};
use crate::push::{ready, send, take};

/// Two commits of a folder and a file, on the remote.
fn pushed<'a>(world: &'a World, remote: &Remote) -> Repo<'a> {
    let a = ready(world, "a", remote);
    a.write("data/big.bin", &data::bytes(1, 3_000_000));
    a.write("data/sub/one.txt", b"one");
    a.write("data/sub/two.bin", &data::bytes(2, 5_000));
    a.write("data/run.sh", b"#!/bin/sh\n");
    a.set_executable("data/run.sh", true);
    a.link("run.sh", "data/link");
    a.mkdir("data/void");
    a.write("in/model.bin", &data::bytes(3, 400_000));
    take(&a, "data");
    take(&a, "in/model.bin");
    a.write("data/sub/one.txt", b"first");
    send(&a, "data");
    a
}

fn json(repo: &Repo, arguments: &[&str]) -> Value {
    repo.haul(arguments).ok().json()
}

/// Path, kind, files and bytes of each row.
fn rows(report: &Value) -> Vec<(String, String, u64, u64)> {
    let text = |value: &Value| value.as_str().expect("is text").to_owned();
    let number = |value: &Value| value.as_u64().expect("is a number");
    let row = |row: &Value| {
        (text(&row["path"]), text(&row["kind"]), number(&row["files"]), number(&row["bytes"]))
    };
    report["entries"].as_array().expect("is a list").iter().map(row).collect()
}

fn row(path: &str, kind: &str, files: u64, bytes: u64) -> (String, String, u64, u64) {
    (path.to_owned(), kind.to_owned(), files, bytes)
}

fn received(report: &Value) -> u64 {
    report.pointer("/requests/received").and_then(Value::as_u64).expect("is counted")
}

#[test]
fn ls_lists_tracked_paths_folders_and_files_without_content() {
    let world = World::new();
    let a = pushed(&world, &world.remote("r"));
    let b = a.clone_as("b");
    let all = [row("data", "folder", 6, 3_005_021), row("in/model.bin", "file", 1, 400_000)];
    assert_eq!(rows(&json(&b, &["ls", "--json"])), all);
    assert_eq!(rows(&json(&b, &["ls", "--json", "in"])), all[1..]);
    let inside = [
        row("data/big.bin", "file", 1, 3_000_000),
        row("data/link", "symlink", 1, 6),
        row("data/run.sh", "executable", 1, 10),
        row("data/sub", "folder", 2, 5_005),
        row("data/void", "empty-folder", 1, 0),
    ];
    let report = json(&b, &["ls", "--json", "data"]);
    assert_eq!(rows(&report), inside);
    assert!(received(&report) < 5_000, "{report}");
    assert_eq!(report["remote"], "origin");
    let sub = [row("data/sub/one.txt", "file", 1, 5), row("data/sub/two.bin", "file", 1, 5_000)];
    let report = json(&b, &["ls", "--json", "HEAD:data/sub"]);
    assert_eq!((rows(&report), &report["remote"]), (sub.to_vec(), &"".into()));
    assert_eq!(rows(&json(&b, &["ls", "--json", "HEAD~1:data/sub/one.txt"]))[0].3, 3);
    assert_eq!(rows(&json(&b, &["ls", "--json", "-r", "HEAD:"])).len(), 7);
    assert_eq!(
        json(&b, &["ls", "--json", "in/model.bin"])["entries"][0]["oid"],
        format!("b3:{}", blake3::hash(&data::bytes(3, 400_000)))
    );
    assert!(!b.has("data"));
}

#[test]
fn ls_of_large_folders_counts_all_and_reads_what_lies_between_them() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    for folder in ["d/one", "d/one.more", "d/two", "d/two/in"] {
        for number in 0..1500 {
            a.write(format!("{folder}/{number}"), &data::bytes(number as u64, 60 + number % 3));
        }
    }
    a.write("d/one-file", b"1");
    send(&a, "d");
    let [b, c] = ["b", "c"].map(|name| a.clone_as(name));
    let below = json(&b, &["ls", "--json", "d"]);
    let bytes = (0..1500).map(|number| 60 + number % 3).sum();
    let expected = [
        row("d/one", "folder", 1500, bytes),
        row("d/one-file", "file", 1, 1),
        row("d/one.more", "folder", 1500, bytes),
        row("d/two", "folder", 3000, 2 * bytes),
    ];
    let mut found = rows(&below);
    found.sort();
    assert_eq!(found, expected);
    let all = json(&c, &["ls", "--json", "-r", "d"]);
    assert_eq!(rows(&all).len(), 6001);
    assert!(received(&below) * 2 < received(&all), "{} of {}", received(&below), received(&all));
    assert_eq!(
        rows(&json(&b, &["ls", "--json", "d/two"]))[1500..],
        [row("d/two/in", "folder", 1500, bytes)]
    );
}

#[test]
fn ls_prints_kind_size_count_and_path() {
    let world = World::new();
    let a = pushed(&world, &world.remote("r"));
    let answer = a.haul(&["ls", "data"]).ok();
    let answer = answer.prints("folder          4.9 KiB          2  data/sub/\n");
    let answer = answer.prints("executable         10 B             data/run.sh\n");
    assert_eq!(answer.stderr(), "");
    let below = a.haul(&["-C", "data", "ls", "sub", "HEAD:data/run.sh", "HEAD:./sub"]).ok();
    assert_eq!(below.stdout().lines().count(), 5, "{below}");
}

#[test]
fn a_name_with_a_colon_is_a_path() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    a.write("aa:b.bin", &data::bytes(1, 100));
    take(&a, "aa:b.bin");
    a.haul(&["ls", "aa:b.bin"]).ok().prints("aa:b.bin");
    assert_eq!(a.haul(&["cat", "HEAD:aa:b.bin"]).ok().bytes(), data::bytes(1, 100));
}

#[test]
fn cat_prints_a_file_of_any_version_and_fetches_nothing_else() {
    let world = World::new();
    let a = pushed(&world, &world.remote("r"));
    let b = a.clone_as("b");
    assert_eq!(b.haul(&["cat", "HEAD:in/model.bin"]).ok().bytes(), data::bytes(3, 400_000));
    assert_eq!(b.haul(&["cat", "data/sub/one.txt"]).ok().bytes(), b"first");
    assert_eq!(b.haul(&["cat", "HEAD~1:data/sub/one.txt"]).ok().bytes(), b"one");
    assert_eq!(b.haul(&["cat", "data/link"]).ok().bytes(), b"run.sh");
    // Only the other parts of the folder are absent still.
    let left = json(&b, &["fetch", "--dry-run", "--json"]);
    let bytes = left["fetch_bytes"].as_u64().expect("is a number");
    assert!((3_000_000..3_006_000).contains(&bytes), "{left}");
}

#[test]
fn cat_of_a_range_fetches_the_chunks_that_hold_it() {
    let world = World::new();
    let a = pushed(&world, &world.remote("r"));
    let b = a.clone_as("b");
    let whole = data::bytes(1, 3_000_000);
    for (range, wanted) in [
        ("1000000..1000100", &whole[1_000_000..1_000_100]),
        ("..10", &whole[..10]),
        ("2999990..", &whole[2_999_990..]),
        ("1M..1M", &[][..]),
        ("9G..10G", &[][..]),
    ] {
        let bytes = b.haul(&["cat", "--range", range, "HEAD:data/big.bin"]).ok().bytes();
        assert!(bytes == wanted, "{range}");
    }
    let left = json(&b, &["fetch", "--dry-run", "--json", "data/big.bin"]);
    let bytes = left["fetch_bytes"].as_u64().expect("is a number");
    assert!((2_600_000..3_000_000).contains(&bytes), "{left}");
    let bytes = b.haul(&["cat", "--range", "500000..2500000", "data/big.bin"]).ok().bytes();
    assert!(bytes == whole[500_000..2_500_000]);
}

#[test]
fn cat_says_that_content_is_damaged_and_prints_none_of_it() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    let b = a.clone_as("b");
    for key in remote.keys("p/") {
        remote.flip(&key, 2_000);
    }
    let answer = b.haul(&["cat", "data/big.bin"]).fails_with(4).says("data");
    assert_eq!(answer.bytes(), b"");
}

#[test]
fn cat_ends_quietly_when_nobody_reads() {
    let world = World::new();
    let a = pushed(&world, &world.remote("r"));
    let output = a.haul_unread(&["cat", "data/big.bin"]).ok();
    assert_eq!(output.stderr(), "", "{output}");
}

#[test]
fn cat_names_what_is_no_file() {
    let world = World::new();
    let a = pushed(&world, &world.remote("r"));
    a.haul(&["cat", "data"]).fails_with(1).says("is a folder").says("haul ls");
    a.haul(&["cat", "data/sub"]).fails_with(1).says("is a folder");
    a.haul(&["cat", "data/none"]).fails_with(1).says("there is no `data/none`");
    a.haul(&["cat", "in/model.bin/x"]).fails_with(1).says("there is no `in/model.bin/x`");
    a.haul(&["cat", "in"]).fails_with(1).says("is not one tracked path");
    a.haul(&["cat", "--json", "in/model.bin"]).fails_with(1).says("`haul ls --json`");
    a.haul(&["cat", "--range", "9..3", "in/model.bin"]).fails_with(2).says("ends before");
}

#[test]
fn log_tells_of_the_commits_that_changed_data_and_how_much() {
    let world = World::new();
    let a = pushed(&world, &world.remote("r"));
    a.write("notes.txt", b"plain");
    a.git(&["add", "notes.txt"]).ok();
    a.commit("no data in this");
    a.git(&["rm", "-q", "in/model.bin.haul"]).ok();
    a.commit("model goes");
    let b = a.clone_as("b");
    let report = json(&b, &["log", "--json"]);
    let commits = report["commits"].as_array().expect("is a list");
    let subjects: Vec<&str> =
        commits.iter().filter_map(|commit| commit["subject"].as_str()).collect();
    assert_eq!(subjects, ["model goes", "data", "in/model.bin", "data"]);
    assert_eq!(commits[0]["removed"], 1);
    assert_eq!((&commits[1]["modified"], &commits[1]["bytes"]), (&1.into(), &5.into()));
    assert_eq!(commits[2]["paths"][0]["path"], "in/model.bin");
    assert_eq!((&commits[3]["added"], &commits[3]["new_bytes"]), (&6.into(), &3_005_019.into()));
    assert!(received(&report) < 60_000, "{report}");
    let of = |arguments: &[&str]| {
        let report = json(&b, &[&["log", "--json"], arguments].concat());
        report["commits"].as_array().expect("is a list").len()
    };
    assert_eq!(of(&["data/sub"]), 2);
    assert_eq!(of(&["data/big.bin"]), 1);
    assert_eq!(of(&["in/model.bin"]), 2);
    assert_eq!(of(&["-n", "1"]), 1);
    assert_eq!(of(&["--rev", "HEAD~3"]), 2);
    let text = a.haul(&["log", "-n", "2"]).ok();
    text.prints(": model goes\n    in/model.bin\n    1 removed; ").prints("    1 modified; 5 B: ");
}

#[test]
fn log_leaves_out_merges_that_only_bring_what_a_branch_had() {
    let world = World::new();
    let a = pushed(&world, &world.remote("r"));
    a.git(&["checkout", "-q", "-b", "side", "HEAD~1"]).ok();
    a.haul(&["checkout"]).ok();
    a.write("more.bin", &data::bytes(9, 100));
    take(&a, "more.bin");
    a.git(&["checkout", "-q", "-"]).ok();
    a.git(&["merge", "-q", "--no-edit", "side"]).ok();
    let report = json(&a, &["log", "--json"]);
    let commits = report["commits"].as_array().expect("is a list");
    assert_eq!(commits.len(), 4, "{report}");
}

#[test]
fn export_writes_plain_files_of_any_version() {
    let world = World::new();
    let a = pushed(&world, &world.remote("r"));
    let b = a.clone_as("b");
    b.haul(&["export", "HEAD:data", "../out"]).ok().says("exported 6 files");
    world.folder("out").tree().assert_same(&a.tree_of("data"));
    b.haul(&["export", "HEAD~1:data/sub", "sub"]).ok();
    assert_eq!(b.read("sub/one.txt"), b"one");
    assert_eq!(b.read("sub/two.bin"), data::bytes(2, 5_000));
    b.haul(&["export", "in/model.bin", "one"]).ok();
    assert_eq!(b.read("one/model.bin"), data::bytes(3, 400_000));
    b.haul(&["export", "HEAD:", "all"]).ok();
    assert_eq!(b.read("all/in/model.bin"), data::bytes(3, 400_000));
    b.haul(&["export", "HEAD:", "all"]).fails_with(1).says("is not empty");
    assert!(!b.has("data"));
    b.haul(&["status", "--exit-code"]).fails_with(1);
}

#[test]
fn export_stops_at_its_budget_and_shows_its_plan() {
    let world = World::new();
    let a = pushed(&world, &world.remote("r"));
    let b = a.clone_as("b");
    b.haul(&["export", "--max-bytes", "1M", "data", "out"]).fails_with(1).says("--max-bytes");
    b.haul(&["export", "--dry-run", "data", "out"]).ok().says("would export 6 files");
    assert!(!b.has("out"));
}
