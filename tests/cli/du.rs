//! `haul du`: what room content takes, told without content.

use serde_json::Value;

use crate::harness::{Remote, Repo, World, data};
use crate::push::{ready, take};

/// A folder of small and large files, and beside it a file that is in the folder as well.
fn pushed<'a>(world: &'a World, remote: &Remote) -> Repo<'a> {
    let a = ready(world, "a", remote);
    a.write("data/sub/large.bin", &data::bytes(1, 400_000));
    a.write("data/sub/small.bin", &data::bytes(2, 5_000));
    a.write("data/zeros.bin", &vec![0; 300_000]);
    a.write("copy.bin", &data::bytes(1, 400_000));
    take(&a, "data");
    take(&a, "copy.bin");
    a.haul(&["push"]).ok();
    a
}

fn du(repo: &Repo, arguments: &[&str]) -> Value {
    repo.haul(&[&["du", "--json"], arguments].concat()).ok().json()
}

fn number(value: &Value, pointer: &str) -> u64 {
    value.pointer(pointer).and_then(Value::as_u64).expect("is a number")
}

#[test]
fn a_file_of_random_bytes_takes_in_packs_a_little_more_than_it_has() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    let report = du(&a, &["copy.bin"]);
    assert_eq!(report["paths"][0]["path"], "copy.bin");
    assert_eq!(number(&report, "/paths/0/files"), 1);
    assert_eq!(number(&report, "/paths/0/logical_bytes"), 400_000);
    assert_eq!(number(&report, "/paths/0/unique_bytes"), 400_000);
    let stored = number(&report, "/paths/0/stored_bytes");
    assert!((400_001..402_000).contains(&stored), "{stored}");
}

#[test]
fn what_a_whole_remote_holds_is_what_its_packs_of_data_hold() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    let stored = number(&du(&a, &[]), "/total/stored_bytes");
    let packs: u64 = remote.keys("p/").iter().map(|key| remote.bytes(key)).sum();
    // The rest of a pack is its footer.
    assert!(stored < packs && packs - stored < 3_000, "{stored} of {packs}");
}

#[test]
fn content_that_compresses_is_stored_in_less_than_its_bytes() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    let report = du(&a, &["data/zeros.bin"]);
    assert_eq!(number(&report, "/total/logical_bytes"), 300_000);
    assert!(number(&report, "/total/unique_bytes") <= 300_000);
    assert!(number(&report, "/total/stored_bytes") < 2_000);
}

#[test]
fn content_of_two_paths_counts_once_in_the_total() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    let report = du(&a, &[]);
    assert_eq!(report["paths"][0]["path"], "copy.bin");
    assert_eq!(report["paths"][1]["path"], "data");
    assert_eq!(number(&report, "/paths/0/unique_bytes"), 400_000);
    assert_eq!(number(&report, "/paths/1/logical_bytes"), 705_000);
    assert!(number(&report, "/paths/1/unique_bytes") <= 305_000);
    assert_eq!(number(&report, "/total/logical_bytes"), 1_105_000);
    for field in ["files", "logical_bytes", "unique_bytes", "stored_bytes", "delta_bytes"] {
        let rows = ["0", "1"].map(|row| number(&report, &format!("/paths/{row}/{field}")));
        assert_eq!(rows[0] + rows[1], number(&report, &format!("/total/{field}")), "{field}");
    }
    // Alone, the folder has all of its content.
    assert!(number(&du(&a, &["data"]), "/total/unique_bytes") > 405_000);
}

#[test]
fn a_path_inside_a_tracked_folder_is_measured_alone() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    let report = du(&a, &["data/sub"]);
    assert_eq!(report["paths"][0]["path"], "data/sub");
    assert_eq!(report["paths"][0]["whole"], true);
    assert_eq!(number(&report, "/total/files"), 2);
    assert_eq!(number(&report, "/total/logical_bytes"), 405_000);
    let report = du(&a, &["data/sub/large.bin", "data/zeros.bin"]);
    assert_eq!(report["paths"][0]["path"], "data");
    assert_eq!(report["paths"][0]["whole"], false);
    assert_eq!(number(&report, "/total/logical_bytes"), 700_000);
}

#[test]
fn small_files_of_one_frame_share_it_by_their_sizes() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    for n in 0..20_u8 {
        a.write(format!("many/{n:02}.bin"), &data::bytes(u64::from(n), 3_000));
    }
    take(&a, "many");
    let all = number(&du(&a, &["many"]), "/total/stored_bytes");
    let one = number(&du(&a, &["many/07.bin"]), "/total/stored_bytes");
    assert!((3_000..3_100).contains(&one), "{one}");
    assert!(all.abs_diff(20 * one) <= 20, "{all} against {one}");
}

#[test]
fn a_new_clone_measures_the_same_and_fetches_no_content() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    let b = a.clone_as("b");
    let (here, there) = (du(&a, &[]), du(&b, &[]));
    assert_eq!(here["remote"], "");
    assert_eq!(there["remote"], "origin");
    assert_eq!(there["paths"], here["paths"]);
    assert!(number(&there, "/requests/received") < 30_000);
    assert!(!b.has("data") && !b.has("copy.bin"));
    // The trees are here now.
    assert_eq!(du(&b, &["data"])["remote"], "");
}

#[test]
fn an_older_revision_has_its_own_sizes() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    a.write("copy.bin", b"short now");
    take(&a, "copy.bin");
    assert_eq!(number(&du(&a, &["copy.bin"]), "/total/logical_bytes"), 9);
    let report = du(&a, &["--rev", "HEAD~1", "copy.bin"]);
    assert_eq!(number(&report, "/total/logical_bytes"), 400_000);
    assert_eq!(report["rev"], "HEAD~1");
}

#[test]
fn what_is_not_pushed_yet_is_measured_on_the_machine_that_has_it() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    a.write("x.bin", &data::bytes(1, 9_000));
    take(&a, "x.bin");
    let report = du(&a, &[]);
    assert!((9_001..9_200).contains(&number(&report, "/total/stored_bytes")));
    a.clone_as("b").haul(&["du"]).fails_with(4).says("x.bin");
}

#[test]
fn the_table_has_a_line_for_each_path_and_one_for_all() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    let answer = a.haul(&["du"]).ok();
    let lines: Vec<Vec<&str>> =
        answer.stdout().lines().map(|line| line.split("  ").collect()).collect();
    let last: Vec<&str> = lines.iter().filter_map(|line| line.last().copied()).collect();
    assert_eq!(last, ["path", "copy.bin", "data", "(total)"], "{answer}");
    answer.prints("390.6 KiB").says("2 paths, 4 files, 1.1 MiB: ");
    assert_eq!(a.haul(&["du", "copy.bin"]).ok().stdout().lines().count(), 2);
}

#[test]
fn a_path_that_is_not_tracked_and_one_inside_a_file_are_refused() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    a.haul(&["du", "other"]).fails_with(1).says("`other` is not tracked");
    a.haul(&["du", "data/other"]).fails_with(1).says("none of the given paths");
    a.haul(&["du", "copy.bin/part"]).fails_with(1).says("none of the given paths");
    a.haul(&["du", "--rev", "nowhere"]).fails_with(1).says("nowhere");
}

#[test]
fn outside_of_a_repository_there_is_nothing_to_measure() {
    let world = World::new();
    world.folder("any").haul(&["du"]).fails_with(1).says("repository");
}
