//! What new content is stored as a delta to: the path's previous version, the file it was before
//! it got its name, its sibling; as `delta.base` allows.

use crate::harness::{Remote, Repo, World, data};
use crate::push::{ready, send, take};

/// Rows of a table of some 3.6 MB.
const ROWS: usize = 100_000;

/// Replaces every `step`th line of a table: in nearly every chunk something is another.
fn scattered(table: &[u8], step: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(table.len());
    for (i, line) in table.split_inclusive(|b| *b == b'\n').enumerate() {
        if i % step == step - 1 {
            out.extend(format!("{i},2025-01-01,changed,1.00\n").bytes());
        } else {
            out.extend(line);
        }
    }
    out
}

/// Changes every 97th weight a little.
pub(crate) fn trained(weights: &[u8], seed: u8) -> Vec<u8> {
    let mut out = weights.to_vec();
    for value in out.chunks_exact_mut(4).skip(1000).step_by(97) {
        if let Some(low) = value.first_mut() {
            *low ^= seed;
        }
    }
    out
}

/// Weights of some 10 MB: a file that is not read whole.
pub(crate) fn weights() -> Vec<u8> {
    data::safetensors(&[1], 8, 330_000)
}

/// Bytes that an add wrote, and bytes of chunks that it stored as a delta.
pub(crate) fn added(repo: &Repo, arguments: &[&str], variables: &[(&str, &str)]) -> (u64, u64) {
    let report = repo.haul_with(&[&["add", "--json"], arguments].concat(), variables).ok().json();
    let number =
        |field: &str| report.get(field).and_then(serde_json::Value::as_u64).expect("is a number");
    assert!(number("delta_bytes") <= number("new_bytes"), "{report}");
    (number("stored_bytes"), number("delta_bytes"))
}

#[track_caller]
pub(crate) fn assert_small(stored: (u64, u64), of: usize) {
    assert!(stored.0 * 10 < of as u64, "{stored:?} of {of}");
    assert!(stored.1 * 2 > of as u64, "{stored:?} of {of}");
}

/// Pushes everything and finds it again, byte for byte, in a clone that never saw it.
#[track_caller]
pub(crate) fn round_trip(repo: &Repo, name: &str) {
    repo.commit("round trip");
    repo.haul(&["push"]).ok();
    repo.haul(&["verify"]).ok();
    let clone = repo.clone_as(name);
    clone.haul(&["pull"]).ok();
    clone.tree().assert_same(&repo.tree());
    clone.haul(&["status"]).ok().says("no path differs");
}

#[test]
fn an_edited_table_is_stored_as_a_delta_unless_the_setting_says_never() {
    let world = World::new();
    let old = data::csv(1, ROWS);
    let new = scattered(&old, 500);
    let mut plain = 0;
    for (setting, name) in [("never", "a"), ("cached", "b"), ("worth-it", "c")] {
        let remote = world.remote(&format!("remote-{name}"));
        let repo = ready(&world, name, &remote);
        repo.write("t.csv", &old);
        take(&repo, "t.csv");
        repo.write("t.csv", &new);
        let stored = added(&repo, &["t.csv"], &[("HAUL_DELTA_BASE", setting)]);
        if setting == "never" {
            assert_eq!(stored.1, 0);
            assert!(stored.0 * 6 > new.len() as u64, "{stored:?}");
            plain = stored.0;
        } else {
            assert_small(stored, new.len());
            assert!(stored.0 * 4 < plain, "{stored:?} and {plain}");
        }
        round_trip(&repo, &format!("clone-{name}"));
    }
}

#[test]
fn without_a_setting_what_is_here_serves_and_a_wrong_setting_is_refused() {
    let world = World::new();
    let repo = ready(&world, "a", &world.remote("r"));
    let old = data::csv(1, ROWS);
    repo.write("t.csv", &old);
    take(&repo, "t.csv");
    repo.write("t.csv", &scattered(&old, 500));
    let wrong = repo.haul_with(&["add", "t.csv"], &[("HAUL_DELTA_BASE", "always")]);
    wrong.fails_with(1).says("worth-it");
    let settings = repo.text("haul.toml");
    repo.write("haul.toml", format!("{settings}[delta]\nbase = \"never\"\n").as_bytes());
    assert_small(added(&repo, &["t.csv"], &[("HAUL_DELTA_BASE", "cached")]), old.len());
    repo.write("t.csv", &scattered(&old, 400));
    assert_eq!(added(&repo, &["t.csv"], &[]).1, 0);
    repo.write("haul.toml", settings.as_bytes());
    repo.write("t.csv", &scattered(&old, 300));
    assert_small(added(&repo, &["t.csv"], &[]), old.len());
    let line = repo.haul(&["add", "t.csv"]).ok();
    line.says("nothing changed");
}

#[test]
fn a_file_that_was_renamed_and_edited_is_a_delta_to_what_it_was() {
    let world = World::new();
    let repo = ready(&world, "a", &world.remote("r"));
    let old = data::csv(1, ROWS);
    repo.write("a.csv", &old);
    repo.write("other.csv", &data::csv(2, ROWS));
    take(&repo, "a.csv");
    take(&repo, "other.csv");
    repo.remove("a.csv");
    repo.write("b.csv", &scattered(&old, 500));
    assert_small(added(&repo, &["b.csv"], &[]), old.len());
    repo.git(&["rm", "-q", "a.csv.haul"]).ok();
    round_trip(&repo, "clone");
}

#[test]
fn after_its_pointer_was_moved_a_file_is_a_delta_to_what_that_names() {
    let world = World::new();
    let repo = ready(&world, "a", &world.remote("r"));
    let old = data::csv(1, ROWS);
    repo.write("a.csv", &old);
    take(&repo, "a.csv");
    repo.git(&["mv", "a.csv.haul", "b.bin.haul"]).ok();
    repo.remove("a.csv");
    repo.write("b.bin", &scattered(&old, 500));
    assert_small(added(&repo, &["b.bin"], &[]), old.len());
    round_trip(&repo, "clone");
}

#[test]
fn a_file_that_moved_inside_a_tracked_folder_is_a_delta_to_what_it_was() {
    let world = World::new();
    let repo = ready(&world, "a", &world.remote("r"));
    let (one, two) = (data::csv(1, ROWS), data::csv(2, ROWS));
    repo.write("data/x/one.csv", &one);
    repo.write("data/x/two.csv", &two);
    repo.write("data/stays.csv", &data::csv(3, ROWS));
    take(&repo, "data");
    repo.remove("data/x/one.csv");
    repo.remove("data/x/two.csv");
    // One keeps its name in another folder, the other its folder under another name.
    repo.write("data/y/one.csv", &scattered(&one, 500));
    repo.write("data/x/renamed.csv", &scattered(&two, 500));
    assert_small(added(&repo, &["data"], &[]), one.len() + two.len());
    round_trip(&repo, "clone");
}

/// A clone that has the pointer of a table and nothing else, and in its place an edited table.
fn fresh<'a>(world: &'a World, remote: &Remote) -> (Repo<'a>, usize) {
    let repo = ready(world, "origin", remote);
    let old = data::csv(1, ROWS);
    repo.write("t.csv", &old);
    repo.write("data/t.csv", &data::csv(2, ROWS));
    take(&repo, "t.csv");
    send(&repo, "data");
    let clone = repo.clone_as("fresh");
    clone.write("t.csv", &scattered(&old, 500));
    clone.write("data/t.csv", &scattered(&data::csv(2, ROWS), 500));
    (clone, 2 * old.len())
}

#[test]
fn a_fresh_clone_fetches_the_bases_that_are_worth_it_and_stores_little() {
    let world = World::new();
    let remote = world.remote("r");
    let (repo, size) = fresh(&world, &remote);
    let report = repo.haul_with(&["add", "--json", "t.csv", "data"], &[WORTH_IT]).ok().json();
    let stored = report["stored_bytes"].as_u64().expect("is a number");
    assert!(stored * 10 < size as u64, "{report}");
    round_trip(&repo, "clone");
}

#[test]
fn a_whole_checkpoint_is_fetched_where_all_of_the_next_one_is_compared_with_it() {
    let world = World::new();
    let remote = world.remote("r");
    let origin = ready(&world, "origin", &remote);
    let first = weights();
    origin.write("model-1.bin", &first);
    send(&origin, "model-1.bin");
    let repo = origin.clone_as("fresh");
    repo.write("model-2.bin", &trained(&first, 1));
    assert_small(added(&repo, &["model-2.bin"], &[WORTH_IT]), first.len());
    repo.haul(&["pull"]).ok();
    round_trip(&repo, "clone");
}

#[test]
fn of_a_file_that_is_stored_whole_only_new_chunks_are_sent() {
    let world = World::new();
    let remote = world.remote("r");
    let origin = ready(&world, "origin", &remote);
    let mut bytes = data::bytes(1, 900_000);
    origin.write("t.bin", &bytes);
    send(&origin, "t.bin");
    let repo = origin.clone_as("fresh");
    bytes[450_000] ^= 1;
    repo.write("t.bin", &bytes);
    let (stored, _) = added(&repo, &["--push", "t.bin"], &[WORTH_IT]);
    assert!(stored < 250_000, "{stored}");
    round_trip(&repo, "clone");
}

#[test]
fn add_and_push_say_how_much_is_a_delta() {
    let world = World::new();
    let repo = ready(&world, "a", &world.remote("r"));
    let old = data::csv(1, ROWS);
    repo.write("t.csv", &old);
    take(&repo, "t.csv");
    let number = |report: &serde_json::Value, field: &str| report[field].as_u64().expect("is one");
    let first = repo.haul(&["push", "--json"]).ok().json();
    assert_eq!(number(&first, "logical_bytes"), old.len() as u64, "{first}");
    assert_eq!(number(&first, "new_bytes"), old.len() as u64, "{first}");
    assert_eq!(number(&first, "delta_bytes"), 0, "{first}");
    let new = scattered(&old, 20_000);
    repo.write("t.csv", &new);
    let add = repo.haul(&["add", "t.csv"]).ok();
    add.says("new (of them ").says(" as deltas), ");
    repo.commit("edited");
    let second = repo.haul(&["push", "--json"]).ok().json();
    let (of, delta) = (number(&second, "new_bytes"), number(&second, "delta_bytes"));
    // Git's remote has neither version yet: both are pushed, and the first is there.
    let both = (old.len() + new.len()) as u64;
    assert_eq!(number(&second, "logical_bytes"), both, "{second}");
    assert!(0 < delta && delta <= of && of < 1_000_000, "{second}");
    assert!(number(&second, "sent_bytes") * 10 < of, "{second}");
    let room = repo.haul(&["du", "--json"]).ok().json();
    assert_eq!(room["total"]["delta_bytes"], delta, "{room}");
    // Nothing is new: nothing is said of it.
    let third = repo.haul(&["push", "--json"]).ok().json();
    assert_eq!((number(&third, "new_bytes"), number(&third, "delta_bytes")), (0, 0), "{third}");
}

#[test]
fn a_fresh_clone_stores_all_where_only_what_is_here_may_serve() {
    let world = World::new();
    let remote = world.remote("r");
    let (repo, size) = fresh(&world, &remote);
    let stored = added(&repo, &["t.csv", "data"], &[]);
    assert!(stored.0 * 6 > size as u64 && stored.1 == 0, "{stored:?}");
    round_trip(&repo, "clone");
}

#[test]
fn chunks_that_only_the_remote_has_are_not_stored_again() {
    let world = World::new();
    let remote = world.remote("r");
    let repo = ready(&world, "origin", &remote);
    let old = data::bytes(1, 12_000_000);
    repo.write("x.bin", &old);
    send(&repo, "x.bin");
    let clone = repo.clone_as("fresh");
    let mut new = old;
    new[3_000_000..3_000_008].copy_from_slice(b"replaced");
    clone.write("x.bin", &new);
    let (stored, _) = added(&clone, &["x.bin"], &[WORTH_IT]);
    assert!(stored < 200_000, "{stored}");
    // What could be compared takes more bytes than what is new.
    assert!(!has_fetched(&clone, &remote, "p/"));
    round_trip(&clone, "clone");
    // A delta stays one: nothing that the remote has is stored, whatever it needs.
    let third = repo.clone_as("third");
    third.git(&["pull", "-q", "../fresh"]).ok();
    new.splice(9_000_000..9_000_000, *b"again");
    third.write("x.bin", &new);
    let (stored, _) = added(&third, &["x.bin"], &[WORTH_IT]);
    assert!(stored < 200_000, "{stored}");
    round_trip(&third, "last");
}

#[test]
fn a_remote_that_cannot_be_asked_for_bases_is_a_warning() {
    let world = World::new();
    let remote = world.remote("r");
    let (repo, size) = fresh(&world, &remote);
    let away = world.path("away");
    std::fs::rename(remote.path(), &away).expect("moves");
    let output = repo.haul_with(&["add", "--json", "t.csv", "data"], &[WORTH_IT]).ok();
    let output = output.says("no bases are fetched");
    let stored = output.json()["stored_bytes"].as_u64().expect("is a number");
    assert!(stored * 6 > size as u64, "{stored}");
    std::fs::rename(away, remote.path()).expect("moves");
    round_trip(&repo, "clone");
}

#[test]
fn a_file_that_is_only_as_large_as_one_on_the_remote_fetches_none_of_it() {
    let world = World::new();
    let remote = world.remote("r");
    let (repo, _) = fresh(&world, &remote);
    repo.write("unlike.csv", &data::csv(7, ROWS));
    repo.remove("t.csv");
    repo.haul_with(&["add", "unlike.csv"], &[WORTH_IT]).ok();
    repo.write("data/u.csv", &data::csv(8, ROWS));
    repo.remove("data/t.csv");
    repo.haul_with(&["add", "data"], &[WORTH_IT]).ok();
    assert!(!has_fetched(&repo, &remote, "p/"));
    assert!(has_fetched(&repo, &remote, "m/"));
    // One that has something in common with it was edited and renamed.
    let edited = scattered(&data::csv(1, ROWS), 20_000);
    repo.write("renamed.csv", &edited);
    let stored = added(&repo, &["renamed.csv"], &[WORTH_IT]).0;
    assert!(stored * 20 < edited.len() as u64, "{stored}");
    assert!(has_fetched(&repo, &remote, "p/"));
}

const WORTH_IT: (&str, &str) = ("HAUL_DELTA_BASE", "worth-it");

/// Says whether a part of a pack that the remote has under a prefix lies in the cache.
fn has_fetched(repo: &Repo, remote: &Remote, prefix: &str) -> bool {
    let names = remote.keys(prefix);
    let names = names.iter().filter_map(|key| key.rsplit('/').next());
    let parts = Remote::at(repo.path(".git/haul/parts")).keys("");
    names.into_iter().any(|name| parts.iter().any(|part| part.ends_with(name)))
}
