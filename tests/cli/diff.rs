//! `haul diff`: what differs between two versions, told without content.

use serde_json::Value;

use crate::harness::{Remote, Repo, World, data};
use crate::push::{ready, send, take};

/// Three commits of a folder and a file; the last is pushed.
fn history<'a>(world: &'a World, remote: &Remote) -> Repo<'a> {
    let a = ready(world, "a", remote);
    a.write("data/large.bin", &data::bytes(1, 400_000));
    a.write("data/old.bin", &data::bytes(2, 5_000));
    a.write("data/sub/moves.bin", &data::bytes(3, 6_000));
    a.write("data/tiny.txt", b"small");
    a.write("one.bin", &data::bytes(4, 300_000));
    take(&a, "data");
    take(&a, "one.bin");
    let mut large = data::bytes(1, 400_000);
    large.splice(200_000..200_010, [7; 10]);
    a.write("data/large.bin", &large);
    a.remove("data/old.bin");
    a.write("data/moved.bin", &data::bytes(3, 6_000));
    a.remove("data/sub");
    a.write("data/tiny.txt", b"tiny");
    a.write("data/new.bin", &data::bytes(5, 50_000));
    send(&a, "data");
    a
}

fn diff(repo: &Repo, arguments: &[&str]) -> Value {
    repo.haul(&[&["diff", "--json"], arguments].concat()).ok().json()
}

/// Path, change and former path of each entry.
fn entries(report: &Value) -> Vec<(String, String, Option<String>)> {
    let text = |value: &Value| value.as_str().expect("is text").to_owned();
    let entry = |entry: &Value| {
        let from = entry.get("from").map(|from| text(&from["path"]));
        (text(&entry["path"]), text(&entry["change"]), from)
    };
    report["entries"].as_array().expect("is a list").iter().map(entry).collect()
}

fn number(report: &Value, field: &str) -> u64 {
    report.get(field).and_then(Value::as_u64).expect("is a number")
}

fn expected() -> Vec<(String, String, Option<String>)> {
    let row = |path: &str, change: &str| (path.to_owned(), change.to_owned(), None);
    vec![
        row("data/large.bin", "modified"),
        ("data/moved.bin".to_owned(), "renamed".to_owned(), Some("data/sub/moves.bin".to_owned())),
        row("data/new.bin", "added"),
        row("data/old.bin", "removed"),
        row("data/tiny.txt", "modified"),
    ]
}

#[test]
fn two_revisions_differ_in_the_files_that_were_changed() {
    let world = World::new();
    let a = history(&world, &world.remote("r"));
    let report = diff(&a, &["HEAD~1", "HEAD"]);
    assert_eq!(entries(&report), expected());
    let counts = ["added", "removed", "modified", "renamed"].map(|word| number(&report, word));
    assert_eq!(counts, [1, 1, 2, 1]);
    assert_eq!(number(&report, "bytes"), 400_000 + 6_000 + 50_000 + 4);
    // Of the large file the chunks around the edit are new, of the moved one nothing is.
    let new = number(&report, "new_bytes");
    assert!((50_014..260_000).contains(&new), "{new}");
    assert_eq!(number(&report, "reused_bytes"), 456_004 - new);
    let receive = number(&report, "receive_bytes");
    assert!((50_000..new + 5_000).contains(&receive), "{receive} of {new}");
    assert_eq!(report["remote"], "");
    assert_eq!(diff(&a, &["HEAD~1..HEAD"])["entries"], report["entries"]);
    assert_eq!(diff(&a, &["HEAD~1.."])["entries"], report["entries"]);
}

#[test]
fn what_was_added_is_what_goes_when_the_sides_are_swapped() {
    let world = World::new();
    let a = history(&world, &world.remote("r"));
    let report = diff(&a, &["HEAD", "HEAD~1"]);
    let changes: Vec<(String, String)> =
        entries(&report).into_iter().map(|(path, change, _)| (path, change)).collect();
    let row = |path: &str, change: &str| (path.to_owned(), change.to_owned());
    assert_eq!(
        changes,
        [
            row("data/large.bin", "modified"),
            row("data/new.bin", "removed"),
            row("data/old.bin", "added"),
            row("data/sub/moves.bin", "renamed"),
            row("data/tiny.txt", "modified"),
        ]
    );
}

#[test]
fn without_a_revision_the_pointers_of_the_worktree_are_compared_with_head() {
    let world = World::new();
    let a = history(&world, &world.remote("r"));
    assert_eq!(entries(&diff(&a, &[])), []);
    a.haul(&["diff", "--exit-code"]).ok();
    a.write("one.bin", &data::bytes(9, 310_000));
    // The data changed and its pointer did not: that is what `status` tells.
    assert_eq!(entries(&diff(&a, &[])), []);
    a.haul(&["add", "one.bin"]).ok();
    let report = diff(&a, &[]);
    assert_eq!(entries(&report), [("one.bin".to_owned(), "modified".to_owned(), None)]);
    assert_eq!((&report["old"], &report["new"]), (&"HEAD".into(), &"".into()));
    assert_eq!(report["entries"][0]["old_bytes"], 300_000);
    assert_eq!(number(&report, "new_bytes"), 310_000);
    a.haul(&["diff", "--exit-code"]).fails_with(1);
    assert_eq!(entries(&diff(&a, &["HEAD~1"])).len(), 6);
    a.remove("one.bin.haul");
    assert_eq!(entries(&diff(&a, &[]))[0].1, "removed");
}

#[test]
fn paths_limit_a_diff_also_inside_a_tracked_folder() {
    let world = World::new();
    let a = history(&world, &world.remote("r"));
    let report = diff(&a, &["HEAD~1", "HEAD", "data/new.bin"]);
    assert_eq!(entries(&report), [("data/new.bin".to_owned(), "added".to_owned(), None)]);
    assert_eq!(number(&report, "new_bytes"), 50_000);
    assert_eq!(entries(&diff(&a, &["HEAD~1", "--", "one.bin"])), []);
    assert_eq!(entries(&diff(&a, &["HEAD~1", "data"])), expected());
}

#[test]
fn a_clone_without_any_content_tells_the_same_and_fetches_nodes_only() {
    let world = World::new();
    let a = history(&world, &world.remote("r"));
    let b = a.clone_as("b");
    let (here, there) = (diff(&a, &["HEAD~1", "HEAD"]), diff(&b, &["HEAD~1", "HEAD"]));
    assert_eq!(there["entries"], here["entries"]);
    for field in ["new_bytes", "reused_bytes", "receive_bytes"] {
        assert_eq!(there[field], here[field], "{field}");
    }
    assert_eq!(there["remote"], "origin");
    let received = there.pointer("/requests/received").and_then(Value::as_u64);
    assert!(received.is_some_and(|bytes| bytes < 30_000), "{there}");
    assert!(!b.has("data"));
    assert_eq!(diff(&b, &["HEAD~1", "HEAD"])["remote"], "");
}

#[test]
fn of_a_wide_folder_only_the_nodes_that_differ_are_fetched() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    for n in 0..3_000_u32 {
        a.write(
            format!("many/{n:04}"),
            format!("number {n} of some files, more than inline takes").as_bytes(),
        );
    }
    take(&a, "many");
    a.write("many/1500", b"other content of one file, which is as long as the rest");
    a.remove("many/0007");
    a.write("many/9000", b"one more file at the end, which is as long as the rest");
    send(&a, "many");
    let b = a.clone_as("b");
    let report = diff(&b, &["HEAD~1", "HEAD"]);
    let changes: Vec<String> = entries(&report).into_iter().map(|(path, ..)| path).collect();
    assert_eq!(changes, ["many/0007", "many/1500", "many/9000"]);
    let received =
        report.pointer("/requests/received").and_then(Value::as_u64).expect("is counted");
    let all = a.haul(&["du", "--json"]).ok().json();
    assert_eq!(all["total"]["files"], 3_000);
    // All leaves of one version take some 150 kB.
    assert!(received < 130_000, "{received}");
}

#[test]
fn a_folder_that_became_a_file_and_a_new_pointer_are_told_file_by_file() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    a.write("x/a", b"one");
    a.write("x/b", b"two");
    take(&a, "x");
    a.git(&["rm", "-q", "x.haul"]).ok();
    a.remove("x");
    a.write("x", &data::bytes(1, 1000));
    take(&a, "x");
    let row = |path: &str, change: &str| (path.to_owned(), change.to_owned(), None);
    assert_eq!(
        entries(&diff(&a, &["HEAD~1", "HEAD"])),
        [row("x", "added"), row("x/a", "removed"), row("x/b", "removed")]
    );
}

#[test]
fn a_repository_before_its_first_commit_has_everything_added() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    assert_eq!(entries(&diff(&a, &[])), []);
    a.write("x.bin", &data::bytes(1, 1000));
    a.haul(&["add", "x.bin"]).ok();
    assert_eq!(entries(&diff(&a, &[])), [("x.bin".to_owned(), "added".to_owned(), None)]);
}

#[test]
fn people_see_a_line_for_each_file_and_figures_for_all() {
    let world = World::new();
    let a = history(&world, &world.remote("r"));
    let answer = a.haul(&["diff", "HEAD~1", "HEAD"]).ok();
    let answer = answer.prints("modified   390.6 KiB  data/large.bin  (was 390.6 KiB)\n");
    let answer = answer.prints("renamed      5.9 KiB  data/moved.bin  (was data/sub/moves.bin)\n");
    let answer = answer.prints("removed      4.9 KiB  data/old.bin\n");
    let answer = answer.prints("5 files differ: 1 added, 1 removed, 2 modified, 1 renamed\n");
    answer.prints("KiB to receive");
    let stat = a.haul(&["diff", "--stat", "HEAD~1", "HEAD"]).ok();
    stat.prints("data  5 files: 1 added, 1 removed, 2 modified, 1 renamed; ");
    let table = a.haul(&["diff", "--markdown", "HEAD~1", "HEAD"]).ok();
    table
        .prints("| `data` | 5 |")
        .prints("| renamed | `data/moved.bin`, was `data/sub/moves.bin` |");
    a.haul(&["diff", "--markdown"]).ok().prints("No tracked data differs.\n");
    assert_eq!(a.haul(&["diff"]).ok().stdout(), "");
}

#[test]
fn a_word_that_is_a_revision_and_a_path_is_refused_with_both_ways_to_write_it() {
    let world = World::new();
    let a = history(&world, &world.remote("r"));
    a.git(&["branch", "data", "HEAD~1"]).ok();
    a.haul(&["diff", "data"]).fails_with(1).says("is both a revision and a path").says("`data~0`");
    assert_eq!(entries(&diff(&a, &["data~0"])), expected());
    assert_eq!(entries(&diff(&a, &["HEAD~1", "./data"])), expected());
    // The tag is another commit than the branch.
    a.git(&["tag", "data"]).ok();
    let said = a.haul(&["diff", "data"]).fails_with(1).says("is both a branch and a tag");
    said.says("`./data` for the path").says("`heads/data` for the branch");
    assert_eq!(entries(&diff(&a, &["heads/data"])), expected());
    assert_eq!(entries(&diff(&a, &["HEAD~1", "./data"])), expected());
    a.write("data:x", b"x");
    a.haul(&["add", "data:x"]).ok();
    let said = a.haul(&["ls", "data:x"]).fails_with(1).says("`./data:x` for the path");
    said.says("`heads/data` for the branch");
    a.haul(&["ls", "./data:x"]).ok().prints("data:x");
    a.haul(&["ls", "heads/data:data"]).ok();
}

#[test]
fn a_version_that_nobody_pushed_is_named() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    a.write("x/a", b"one");
    take(&a, "x");
    let b = a.clone_as("b");
    b.haul(&["diff", "HEAD~0", "HEAD", "--exit-code"]).ok();
    a.write("x/a", b"two");
    take(&a, "x");
    b.git(&["pull", "--quiet"]).ok();
    b.haul(&["diff", "HEAD~1", "HEAD"]).fails_with(4).says("`x`").says("haul push");
}

#[test]
fn a_run_of_files_that_went_is_told_also_where_the_nodes_of_the_sides_do_not_meet() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    let text = |n: u32| format!("number {n} of some files, more than inline takes by far");
    for n in 0..3_000_u32 {
        a.write(format!("many/{n:04}"), text(n).as_bytes());
    }
    take(&a, "many");
    for n in 700..1_900_u32 {
        a.remove(format!("many/{n:04}"));
    }
    send(&a, "many");
    let b = a.clone_as("b");
    for repo in [&b, &a] {
        let report = diff(repo, &["HEAD~1", "HEAD"]);
        let found = entries(&report);
        let wanted: Vec<_> =
            (700..1_900).map(|n| (format!("many/{n:04}"), "removed".to_owned(), None)).collect();
        assert_eq!(found, wanted);
        assert_eq!(number(&report, "new_bytes"), 0);
        assert_eq!(entries(&diff(repo, &["HEAD", "HEAD~1"])).len(), 1_200);
    }
}

/// The change and the former path of the one entry, and the bytes that are new.
fn one(report: &Value) -> (String, Option<String>, u64) {
    let mut found = entries(report);
    assert_eq!(found.len(), 1, "{report}");
    let (_, change, from) = found.remove(0);
    (change, from, number(report, "new_bytes"))
}

#[test]
fn a_copy_of_content_that_the_old_side_has_elsewhere_brings_no_new_bytes() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    // Large enough for a recipe, and for more nodes than the one that a change is in.
    let (large, small) = (data::bytes(1, 400_000), data::bytes(2, 5_000));
    for n in 0..3_000_u32 {
        a.write(
            format!("many/{n:04}"),
            format!("number {n}, more than inline takes: {n:0>40}").as_bytes(),
        );
    }
    a.write("many/0001-large", &large);
    a.write("many/0001-small", &small);
    a.write("one.bin", &data::bytes(3, 300_000));
    a.write("two.bin", &data::bytes(4, 5_000));
    take(&a, "many");
    a.haul(&["add", "one.bin", "two.bin"]).ok();
    a.commit("files");
    let copies = [
        ("many/2990-copy", "many/0001-large", &large),
        ("many/2991-copy", "many/0001-small", &small),
        ("many/2992-copy", "one.bin", &data::bytes(3, 300_000)),
        ("outside.bin", "many/0001-large", &large),
        ("beside.bin", "two.bin", &data::bytes(4, 5_000)),
    ];
    for (to, from, bytes) in copies {
        a.write(to, bytes);
        a.haul(&["add", if to.starts_with("many") { "many" } else { to }]).ok();
        let report = diff(&a, &[]);
        let copied = ("copied".to_owned(), Some(from.to_owned()), 0);
        assert_eq!(one(&report), copied, "{to}");
        assert_eq!(number(&report, "receive_bytes"), 0, "{to}");
        assert_eq!([number(&report, "added"), number(&report, "copied")], [0, 1], "{to}");
        a.haul(&["diff"]).ok().prints(&format!("  {to}  (of {from})\n"));
        // Nothing but the pointer's own part of what is compared has to be named for that.
        assert_eq!(one(&diff(&a, &["HEAD", to])), copied, "{to}");
        a.commit(to);
    }
    a.write("new.bin", &data::bytes(9, 70_000));
    a.haul(&["add", "new.bin"]).ok();
    assert_eq!(one(&diff(&a, &[])), ("added".to_owned(), None, 70_000));
}

#[test]
fn a_file_replaced_by_a_copy_brings_no_new_bytes_and_a_second_copy_of_a_moved_one_is_none() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    for n in 1..4 {
        a.write(format!("data/{n}.bin"), &data::bytes(n, 200_000));
    }
    take(&a, "data");
    a.write("data/2.bin", &data::bytes(1, 200_000));
    a.haul(&["add", "data"]).ok();
    assert_eq!(one(&diff(&a, &[])), ("modified".to_owned(), None, 0));
    a.remove("data/3.bin");
    a.write("data/4.bin", &data::bytes(3, 200_000));
    a.write("data/5.bin", &data::bytes(3, 200_000));
    a.haul(&["add", "data"]).ok();
    let report = diff(&a, &["HEAD", "data/4.bin", "data/5.bin"]);
    assert_eq!(number(&report, "new_bytes"), 0);
    let report = diff(&a, &[]);
    let changes: Vec<String> = entries(&report).into_iter().map(|(_, change, _)| change).collect();
    assert_eq!(changes, ["modified", "renamed", "copied"]);
    assert_eq!(number(&report, "new_bytes"), 0);
}
