//! The process dies at each of its named crash points, in each verb that comes there; the same
//! command again completes the work, and nobody ever gets wrong bytes.

use std::collections::BTreeSet;
use std::path::Path;

use crate::harness::{Output, Remote, Repo, World, data};
use crate::push::{ready, take};
use crate::scene::pulls;

/// Every name that the sources give to a crash point.
fn points() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("is a folder") {
            let path = entry.expect("is there").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = std::fs::read_to_string(path).expect("is text");
                let calls = text.split("failpoint::hit(\"").skip(1);
                names.extend(calls.filter_map(|rest| rest.split('"').next()).map(str::to_owned));
            }
        }
    }
    // Those of gc have a campaign of their own; Git's filter, `add --push`, `remote sync`, hooks, moves and those
    // who wait, tests.
    let elsewhere =
        ["gc.", "filter.", "stream.", "sync.", "follow.", "repo.", "mv.", "git.index.waiting"];
    names.retain(|name| !elsewhere.iter().any(|verb| name.starts_with(verb)));
    names
}

/// Two versions of data: the first is everywhere, the second is about to be added.
fn scene(world: &World) -> (Repo<'_>, Repo<'_>) {
    let remote = world.remote("r");
    let a = ready(world, "a", &remote);
    a.write("table.csv", &data::bytes(1, 400_000));
    a.write("d/one", &data::bytes(2, 5_000));
    a.write("d/two", &data::bytes(3, 5_000));
    take(&a, "table.csv");
    take(&a, "d");
    a.haul(&["push"]).ok();
    let b = a.clone_as("b");
    b.haul(&["pull"]).ok();
    a.write("table.csv", &[data::bytes(1, 300_000), data::bytes(4, 200_000)].concat());
    a.write("d/three", &data::bytes(5, 60_000));
    a.remove("d/one");
    a.link("two", "d/link");
    std::fs::create_dir(a.path("d/empty")).expect("makes a folder");
    (a, b)
}

fn armed(repo: &Repo, arguments: &[&str], point: &str) -> Output {
    repo.haul_with(arguments, &[("HAUL_FAILPOINT", point)])
}

/// Dies at one point in `add`, `push`, `pull`, `evict` and two checkouts that link in turn, as far as each
/// comes there.
fn campaign(point: &str) -> bool {
    let world = World::new();
    let (a, b) = scene(&world);
    let first = armed(&a, &["add", "-u"], point);
    a.haul(&["add", "-u"]).ok();
    a.commit("second");
    let second = armed(&a, &["push"], point);
    // Whatever the push left: a clone that says it is done has exactly the right bytes.
    let early = a.clone_as("early");
    if early.haul(&["pull"]).status() == Some(0) {
        early.tree().assert_same(&a.tree());
    }
    a.haul(&["push"]).ok();
    a.haul(&["verify"]).ok();
    let report = a.haul(&["status", "--json"]).ok().json();
    let rows = report.get("pointers").and_then(|rows| rows.as_array()).expect("lists pointers");
    let pushed = rows.iter().all(|row| row.get("pushed").is_some_and(|p| p == "yes"));
    assert!(pushed, "after dying at {point}, a push does not settle: {report}");
    b.git(&["pull", "--quiet"]).ok();
    // Written again as it was, so that what stands there has to be read.
    b.write("table.csv", &data::bytes(1, 400_000));
    let third = armed(&b, &["pull"], point);
    b.haul(&["pull"]).ok();
    b.tree().assert_same(&a.tree());
    let evict = ["evict", "--max-size", "0", "--yes"];
    let fourth = armed(&b, &evict, point);
    b.haul(&evict).ok();
    b.remove("table.csv");
    b.haul(&["pull"]).ok();
    b.tree().assert_same(&a.tree());
    let link = ["checkout", "--as", "hardlink"];
    let fifth = armed(&b, &link, point);
    b.haul(&link).ok();
    b.remove("d/two");
    let sixth = armed(&b, &link, point);
    b.haul(&link).ok();
    b.tree().assert_same(&a.tree());
    [first, second, third, fourth, fifth, sixth].iter().any(|output| output.status().is_none())
}

#[test]
fn after_a_crash_at_any_point_the_same_command_completes_the_work() {
    let points = points();
    assert!(points.len() > 15, "the sources were not read right: {points:?}");
    let missed: Vec<&String> = points
        .iter()
        .filter(|name| {
            let deaths = (1..=3).filter(|count| campaign(&format!("{name}:{count}"))).count();
            deaths == 0
        })
        .collect();
    assert!(missed.is_empty(), "no verb ever came to {missed:?}");
}

#[test]
fn packs_that_the_index_does_not_know_after_a_crash_are_found_and_used() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    a.write("x.bin", &data::bytes(1, 3_000_000));
    // Makes the index. What an `add` writes is on disk before the index is told of it.
    a.haul(&["status"]).ok();
    let unpushed = Remote::at(a.path(".git/haul/unpushed"));
    let died = (1..=9).find(|count| {
        armed(&a, &["add", "x.bin"], &format!("index.before-commit:{count}")).dies();
        !unpushed.keys("").is_empty()
    });
    assert!(died.is_some() && !a.has("x.bin.haul"));
    let left = unpushed.bytes("");
    assert!(left > 3_000_000, "{left} bytes are kept");
    let again = a.haul(&["add", "x.bin", "--json"]).ok().json();
    assert_eq!(again["reused_bytes"], 3_000_000, "{again}");
    assert!(unpushed.bytes("") < left + 10_000, "the content was stored again");
    a.commit("x");
    a.haul(&["push"]).ok();
    a.haul(&["verify"]).ok();
    pulls(&a, "b");
}

#[test]
fn nodes_that_a_fetch_wrote_and_died_before_the_index_knew_are_fetched_again() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    // A manifest and, below it, a recipe: nodes of two waves.
    a.write("d/large", &data::bytes(1, 300_000));
    a.write("d/small", &data::bytes(2, 5_000));
    take(&a, "d");
    a.haul(&["push"]).ok();
    for count in 1..=9 {
        let b = a.clone_as(&format!("b{count}"));
        let died = armed(&b, &["fetch"], &format!("index.before-commit:{count}")).status();
        b.haul(&["fetch"]).ok();
        b.haul(&["checkout"]).ok();
        b.tree().assert_same(&a.tree());
        if died.is_some() {
            assert!(count > 2, "no two waves were recorded");
            return;
        }
    }
}

#[test]
fn a_pull_that_dies_fetches_only_what_it_had_not_got() {
    const SIZE: u64 = 200 << 20;
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    a.write("x.bin", &data::bytes(1, usize::try_from(SIZE).expect("fits")));
    take(&a, "x.bin");
    a.haul(&["push"]).ok();
    let b = a.clone_as("b");
    // Of 25 answers with 8 MiB each, one after the other.
    let point = [("HAUL_FAILPOINT", "remote.get.after:22")];
    b.haul_with(&["pull", "--jobs", "1"], &point).dies();
    let again = b.haul(&["pull", "--json"]).ok().json();
    let received = again["fetch"]["requests"]["received"].as_u64().expect("is said");
    assert!(received <= SIZE - (64 << 20), "{received} bytes received again");
    assert!(b.read("x.bin") == a.read("x.bin"));
}
