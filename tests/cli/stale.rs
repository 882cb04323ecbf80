//! Placements and catalogue entries that no longer hold, or never did: other copies are found, and
//! nothing sound is put aside for them.

use haul::catalogue::{Entry, Object, ObjectKind, SOURCE_BASELINE};
use haul::hash::RepoId;

use crate::harness::{Remote, Repo, World, data};
use crate::push::{ready, send};

/// Two pushes of the same content by repositories that know nothing of each other: whatever they
/// share lies twice, in packs of two names.
fn twice(world: &World) -> (Remote, Remote, Repo<'_>) {
    let (remote, other) = (world.remote("r"), world.remote("other"));
    let a = ready(world, "a", &remote);
    let b = ready(world, "b", &other);
    for repo in [&a, &b] {
        // Several levels: a manifest, and a recipe below it.
        repo.write("d/x.bin", &data::bytes(1, 500_000));
        repo.write("d/y.bin", b"a file of one chunk, too long to stand in the manifest itself");
        send(repo, "d");
    }
    (remote, other, a)
}

/// Puts objects of one remote into another.
fn copy(from: &Remote, to: &Remote, prefix: &str) {
    for key in from.keys(prefix) {
        let path = to.path().join(&key);
        std::fs::create_dir_all(path.parent().expect("has a folder")).expect("makes it");
        std::fs::write(path, from.read(&key)).expect("copies an object");
    }
}

#[test]
fn content_of_two_pushes_is_found_in_the_other_when_any_pack_of_one_is_gone() {
    let world = World::new();
    let (remote, other, a) = twice(&world);
    for prefix in ["p/", "m/", "i/"] {
        copy(&other, &remote, prefix);
    }
    let packs = [remote.keys("p/"), remote.keys("m/")].concat();
    assert_eq!(packs.len(), 4);
    for (i, key) in packs.iter().enumerate() {
        let bytes = remote.read(key);
        remote.remove(key);
        let b = a.clone_as(&format!("gone{i}"));
        b.haul(&["pull"]).ok();
        b.tree().assert_same(&a.tree());
        // Of the right name, and not what it was.
        remote.write(key, &vec![7; bytes.len()]);
        let b = a.clone_as(&format!("bad{i}"));
        b.haul(&["pull"]).ok();
        b.tree().assert_same(&a.tree());
        remote.write(key, &bytes);
    }
}

#[test]
fn chunks_that_moved_are_found_by_the_node_that_a_baseline_lists() {
    let world = World::new();
    let (remote, other, a) = twice(&world);
    // In the other repository the recipe is a root of its own.
    let c = ready(&world, "c", &world.remote("third"));
    c.write("x.bin", &a.read("d/x.bin"));
    send(&c, "x.bin");
    let third = world.remote("third");
    let record = third.keys("i/u-").remove(0);
    let Entry::Object(name) = Entry::parse(record.trim_start_matches("i/")) else {
        panic!("{record} is no name");
    };
    let record = Object::parse_named(&name, &third.read(&record)).expect("is sound");
    let mut baseline = Object::new(ObjectKind::Baseline, 1, RepoId([9; 16]), [1; 16]);
    baseline.locs = record.locs;
    for loc in &mut baseline.locs {
        loc.source = SOURCE_BASELINE;
    }
    baseline.packs = record.packs;
    let (name, bytes) = baseline.encode().expect("is sound");
    for prefix in ["p/", "m/"] {
        copy(&third, &remote, prefix);
    }
    // As a repack would: the chunks lie elsewhere now, and the old pack is gone.
    let old = remote.keys("p/");
    let kept = third.keys("p/");
    let gone: Vec<&String> = old.iter().filter(|key| !kept.contains(key)).collect();
    let b = a.clone_as("reader");
    // The manifest, and a placement of the time before.
    b.haul(&["fetch", "d/y.bin"]).ok();
    remote.write(&format!("i/{name}"), &bytes);
    for key in gone {
        remote.remove(key);
    }
    drop(other);
    b.haul(&["pull", "d/x.bin"]).ok();
    assert_eq!(b.read("d/x.bin"), a.read("d/x.bin"));
}

#[test]
fn what_no_listing_leads_to_is_named_with_its_path() {
    for prefix in ["p/", "m/"] {
        let world = World::new();
        let remote = world.remote("r");
        let a = ready(&world, "a", &remote);
        a.write("d/x.bin", &data::bytes(1, 500_000));
        send(&a, "d");
        let key = remote.keys(prefix).remove(0);
        remote.remove(&key);
        let pack = key.rsplit('/').next().expect("has a name").to_owned();
        let b = a.clone_as("b");
        let answer = b.haul(&["pull"]).fails_with(4);
        answer.says(&pack).says("`d`").says("haul verify");
    }
}
