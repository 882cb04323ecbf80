//! Chunks that are stored as a delta to those of a file's former version: what that saves, and
//! that everything that touches chunks knows their bases.

use std::collections::BTreeSet;

use haul::chunk::{Profile, cut};
use haul::hash::{ChunkId, PackKind};
use haul::pack::{Bases, Footer, TRAILER_LEN};
use rustix::process::Signal;

use crate::harness::{Output, Remote, Repo, World, data};
use crate::push::{ready, send, sent, take};
use crate::scene::number;

/// A table, and the same with one row edited in each stretch of a thousand.
pub(crate) fn table(seed: u64) -> Vec<u8> {
    let table = data::csv(1, 75_000);
    if seed == 1 {
        return table;
    }
    let other = data::csv(seed, 75_000);
    let rows = |bytes: &[u8]| -> Vec<Vec<u8>> {
        bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
    };
    let others = rows(&other);
    let edited = rows(&table).into_iter().zip(others).enumerate();
    edited.flat_map(|(n, (old, new))| if n % 1000 == 500 { new } else { old }).collect()
}

/// Two megabytes of bfloat16 weights behind a header of five bytes; each step moves every value.
pub(crate) fn weights(step: u16) -> Vec<u8> {
    let mut out = b"head:".to_vec();
    for (n, noise) in data::bytes(7, 2 << 20).chunks_exact(2).enumerate() {
        let noise = u16::from_le_bytes(noise.try_into().expect("are two bytes"));
        let value = 0x3c00 | noise & 0x83ff;
        let moved = value.wrapping_add(step * (1 + u16::try_from(n % 3).expect("is small")));
        out.extend(moved.to_le_bytes());
    }
    out
}

/// The deltas in a pack: each chunk, where its frame begins, and its bases.
pub(crate) fn deltas(pack: &[u8]) -> Vec<(ChunkId, usize, Bases)> {
    let trailer = pack.last_chunk::<{ TRAILER_LEN as usize }>().expect("has a trailer");
    let len = Footer::tail_len(trailer, pack.len() as u64).expect("is sound") as usize;
    let tail = pack.get(pack.len() - len..).expect("is that long");
    let footer = Footer::parse(PackKind::Data, tail, pack.len() as u64).expect("is sound");
    let with_base = footer.objects.iter().filter(|object| object.has_base);
    let read = |at: usize| Bases::of_frame(pack.get(at..).expect("is inside")).expect("is sound");
    with_base
        .map(|object| {
            let at = object.offset as usize;
            (ChunkId(object.id), at, read(at).expect("names its base"))
        })
        .collect()
}

/// Stores, commits and pushes a version; returns the data packs that it brought to the remote.
pub(crate) fn version(repo: &Repo, remote: &Remote, name: &str, bytes: &[u8]) -> Vec<String> {
    let before = remote.keys("p/");
    repo.write(name, bytes);
    send(repo, name);
    let mut new = remote.keys("p/");
    new.retain(|key| !before.contains(key));
    new
}

/// Sets up a second remote, `other`, beside the default one.
pub(crate) fn second(repo: &Repo, other: &Remote) {
    repo.haul(&["remote".as_ref(), "add".as_ref(), "other".as_ref(), other.as_arg()]).ok();
    repo.haul(&["remote", "default", "origin"]).ok();
}

fn fetched(output: &Output) -> (u64, u64) {
    (number(output, "/fetch/requests/waves"), number(output, "/fetch/requests/received"))
}

#[test]
fn rows_edited_all_over_a_table_store_little_and_every_version_comes_back() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    version(&a, &remote, "t.csv", &table(1));
    let (one, first) = (a.clone_as("one"), remote.bytes("p/"));
    let one = one.haul(&["pull", "--json"]).ok();
    a.write("t.csv", &table(2));
    let add = a.haul(&["add", "t.csv", "--json"]).ok();
    assert!(number(&add, "/stored_bytes") < first / 20, "{first} bytes before\n{add}");
    a.commit("two");
    let push = a.haul(&["push", "--json"]).ok();
    assert!(sent(&push) < first / 20, "{push}");
    a.haul(&["verify"]).ok();
    // A clone of the second version alone needs the first as its base, and no wave more for that.
    let b = a.clone_as("b");
    let pull = b.haul(&["pull", "--json"]).ok();
    assert_eq!(b.read("t.csv"), table(2));
    assert_eq!(fetched(&pull).0, fetched(&one).0, "{one}\n{pull}");
    assert!(fetched(&pull).1 < fetched(&one).1 + first / 10, "{one}\n{pull}");
    b.git(&["checkout", "--quiet", "HEAD~1"]).ok();
    let back = b.haul(&["pull", "--json"]).ok();
    assert_eq!(b.read("t.csv"), table(1));
    assert!(fetched(&back).1 < first / 10, "the bases were here: {back}");
    b.git(&["checkout", "--quiet", "main"]).ok();
    b.haul(&["checkout"]).ok();
    assert_eq!(b.read("t.csv"), table(2));
}

#[test]
fn weights_of_which_every_value_moved_are_stored_as_steps() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    version(&a, &remote, "w.bin", &weights(0));
    let first = remote.bytes("p/");
    let packs = version(&a, &remote, "w.bin", &weights(1));
    let second = remote.bytes("p/") - first;
    assert!(second < first / 2, "{first} bytes, then {second}");
    let codecs: BTreeSet<u8> = packs
        .iter()
        .map(|key| remote.read(key))
        .flat_map(|pack| {
            deltas(&pack).into_iter().map(move |(_, at, _)| pack.get(at).copied().unwrap_or(0))
        })
        .collect();
    assert!(codecs.contains(&19), "codecs of deltas: {codecs:?}");
    let b = a.clone_as("b");
    b.haul(&["pull"]).ok();
    assert_eq!(b.read("w.bin"), weights(1));
}

#[test]
fn a_base_is_never_a_delta_and_later_versions_go_back_to_the_first() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    let versions = [table(1), table(2), table(3), table(4)];
    let mut sizes = Vec::new();
    for bytes in &versions {
        version(&a, &remote, "t.csv", bytes);
        sizes.push(remote.bytes("p/"));
    }
    let packs: Vec<Vec<u8>> = remote.keys("p/").iter().map(|key| remote.read(key)).collect();
    let all: Vec<_> = packs.iter().flat_map(|pack| deltas(pack)).collect();
    let made: BTreeSet<ChunkId> = all.iter().map(|(id, ..)| *id).collect();
    let bases: BTreeSet<ChunkId> = all.iter().flat_map(|(.., b)| b.ids.clone()).collect();
    assert!(made.len() > 60, "{} deltas", made.len());
    assert!(made.is_disjoint(&bases), "a delta serves as base");
    assert!(sizes.iter().max().expect("are some") < &(sizes[0] * 6 / 5), "{sizes:?}");
    for (n, bytes) in versions.iter().enumerate() {
        let clone = a.clone_as(&format!("c{n}"));
        let back = format!("HEAD~{}", versions.len() - 1 - n);
        clone.git(&["checkout", "--quiet", &back]).ok();
        clone.haul(&["pull"]).ok();
        assert_eq!(&clone.read("t.csv"), bytes, "version {n}");
    }
}

#[test]
fn a_part_of_a_folder_brings_the_bases_of_that_part_only() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    a.write("d/t.csv", &table(1));
    a.write("d/w.bin", &weights(0));
    send(&a, "d");
    a.write("d/t.csv", &table(2));
    a.write("d/w.bin", &weights(1));
    send(&a, "d");
    let b = a.clone_as("b");
    let pull = b.haul(&["pull", "d/t.csv", "--json"]).ok();
    assert_eq!(b.read("d/t.csv"), table(2));
    assert!(!b.has("d/w.bin"));
    assert!(fetched(&pull).1 < 1_700_000, "{pull}");
    b.haul(&["pull"]).ok();
    b.tree_of("d").assert_same(&a.tree_of("d"));
}

#[test]
fn interrupted_transfers_of_deltas_complete_when_they_are_run_again() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    version(&a, &remote, "w.bin", &weights(0));
    a.write("w.bin", &weights(1));
    take(&a, "w.bin");
    for point in ["remote.put.after", "push.before-record", "push.after-record"] {
        a.haul_with(&["push"], &[("HAUL_FAILPOINT", point)]).dies();
        let b = a.clone_as(&format!("b-{point}"));
        b.git(&["checkout", "--quiet", "HEAD~1"]).ok();
        b.haul(&["pull"]).ok();
        assert_eq!(b.read("w.bin"), weights(0), "{point}");
    }
    a.haul(&["push"]).ok();
    a.haul(&["verify"]).ok();
    let c = a.clone_as("c");
    for _ in 0..3 {
        c.haul_with(&["pull"], &[("HAUL_FAILPOINT", "fs.sparse.write")]).dies();
        let mut fetch = c.pause_haul(&["fetch"], "fs.sparse.write");
        fetch.interrupt(Signal::INT);
        // What stands in the last write of all is done when it is let go.
        let ended = fetch.let_go();
        assert!(matches!(ended.status(), Some(0 | 130)), "{ended}");
        assert!(!c.has("w.bin"));
        if ended.status() == Some(0) {
            break;
        }
    }
    c.haul(&["pull"]).ok();
    assert_eq!(c.read("w.bin"), weights(1));
}

#[test]
fn an_index_that_is_made_again_from_packs_knows_the_bases() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    version(&a, &remote, "t.csv", &table(1));
    a.write("t.csv", &table(2));
    take(&a, "t.csv");
    a.remove(".git/haul/index.redb");
    a.remove("t.csv");
    a.haul(&["checkout"]).ok();
    assert_eq!(a.read("t.csv"), table(2));
    a.remove(".git/haul/stat.redb");
    let again = a.haul(&["add", "t.csv", "--json"]).ok();
    assert_eq!(number(&again, "/stored_bytes"), 0, "{again}");
    a.remove(".git/haul/index.redb");
    a.haul(&["push"]).ok();
    let b = a.clone_as("b");
    b.haul(&["pull"]).ok();
    assert_eq!(b.read("t.csv"), table(2));
}

#[test]
fn a_push_to_a_second_remote_carries_the_bases_along() {
    let world = World::new();
    let (remote, other) = (world.remote("r"), world.remote("s"));
    let a = ready(&world, "a", &remote);
    version(&a, &remote, "w.bin", &weights(0));
    version(&a, &remote, "w.bin", &weights(1));
    second(&a, &other);
    a.git(&["add", "-A"]).ok();
    a.commit("settings");
    a.haul(&["push", "--remote", "other"]).ok();
    a.haul(&["verify", "--remote", "other"]).ok();
    std::fs::rename(remote.path(), world.path("away")).expect("is moved");
    let b = a.clone_as("b");
    let accept = other.path().to_str().expect("is UTF-8").to_owned();
    let arguments = ["pull", "--remote", "other"];
    b.haul_with(&arguments, &[("HAUL_ACCEPT_REMOTE", &accept)]).ok();
    assert_eq!(b.read("w.bin"), weights(1));
}

#[test]
fn a_file_that_is_one_chunk_of_another_is_pushed_whole() {
    let world = World::new();
    let (remote, other) = (world.remote("r"), world.remote("s"));
    let a = ready(&world, "a", &remote);
    version(&a, &remote, "w.bin", &weights(0));
    let packs = version(&a, &remote, "w.bin", &weights(1));
    let made: Vec<_> = packs.iter().flat_map(|key| deltas(&remote.read(key))).collect();
    let bytes = weights(1);
    let profile = Profile::by_code(1).expect("is the first profile");
    let mut at = 0;
    let mut chunks = cut(profile, &bytes).into_iter().filter_map(|len| {
        at += len;
        bytes.get(at - len..at)
    });
    let is_lone = |chunk: &&[u8]| {
        let id = ChunkId::of(chunk);
        made.iter().any(|(other, ..)| *other == id) && cut(profile, chunk).len() == 1
    };
    let chunk = chunks.find(is_lone).expect("some chunk stays one by itself").to_vec();
    version(&a, &remote, "copy.bin", &chunk);
    assert!(!a.text("copy.bin.haul").contains("root"), "it is one chunk");
    a.haul(&["verify"]).ok();
    let b = a.clone_as("b");
    b.haul(&["pull", "copy.bin"]).ok();
    assert_eq!(b.read("copy.bin"), chunk);
    // Who has it as a part of the other file, and pushes it to where it never was.
    let c = a.clone_as("c");
    c.haul(&["fetch", "w.bin"]).ok();
    c.write("again.bin", &chunk);
    second(&c, &other);
    take(&c, "again.bin");
    c.haul(&["push", "--remote", "other"]).ok();
    let d = c.clone_as("d");
    let accept = other.path().to_str().expect("is UTF-8").to_owned();
    let arguments = ["pull", "again.bin", "--remote", "other"];
    second(&d, &other);
    d.haul_with(&arguments, &[("HAUL_ACCEPT_REMOTE", &accept)]).ok();
    assert_eq!(d.read("again.bin"), chunk);
}

#[test]
fn an_unpushed_version_comes_back_though_the_base_of_it_was_evicted() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    version(&a, &remote, "w.bin", &weights(0));
    let b = a.clone_as("b");
    b.haul(&["pull"]).ok();
    b.write("w.bin", &weights(1));
    take(&b, "w.bin");
    for folder in ["parts", "packs"] {
        if b.has(format!(".git/haul/{folder}")) {
            b.remove(format!(".git/haul/{folder}"));
        }
    }
    b.remove(".git/haul/index.redb");
    b.remove("w.bin");
    b.haul(&["checkout"]).fails_with(1).prints("w.bin");
    let pull = b.haul(&["pull", "--json"]).ok();
    assert_eq!(b.read("w.bin"), weights(1));
    assert!(fetched(&pull).1 > 1_000_000, "{pull}");
    b.haul(&["push"]).ok();
    b.haul(&["verify"]).ok();
}

#[test]
fn a_dry_run_and_a_limit_in_bytes_count_the_bases_too() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    let base = version(&a, &remote, "w.bin", &weights(0));
    let new = version(&a, &remote, "w.bin", &weights(1));
    let b = a.clone_as("b");
    let planned = |repo: &Repo| {
        let plan = repo.haul(&["pull", "--dry-run", "--json"]).ok();
        number(&plan, "/receive_bytes")
    };
    let all = planned(&b);
    let both = remote.bytes(&base[0]) + remote.bytes(&new[0]);
    assert!((both * 9 / 10..=both).contains(&all), "{all} of {both}");
    let limit = (all - 1).to_string();
    b.haul(&["pull", "--max-bytes", &limit]).fails_with(1).says("--max-bytes");
    assert!(!b.has("w.bin"));
    let pull = b.haul(&["pull", "--json", "--max-bytes", &all.to_string()]).ok();
    assert_eq!(number(&pull, "/fetch/requests/received"), all, "{pull}");
    // Where the base is here, it is not counted.
    let c = a.clone_as("c");
    c.git(&["checkout", "--quiet", "HEAD~1"]).ok();
    c.haul(&["pull"]).ok();
    c.git(&["checkout", "--quiet", "main"]).ok();
    assert!(planned(&c) <= remote.bytes(&new[0]));
}
