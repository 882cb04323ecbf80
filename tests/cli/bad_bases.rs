//! Bases that are damaged, missing or not what they should be: said with object, file and revision,
//! nothing written, and healed by a good copy.

use crate::deltas::{differences, second, table, version, weights};
use crate::harness::{Output, Remote, Repo, World};
use crate::push::{ready, take};

/// Two versions of weights on a remote, and the packs of each: all of the second are differences.
fn moved<'a>(world: &'a World, remote: &Remote) -> (Repo<'a>, String, String) {
    let a = ready(world, "a", remote);
    let base = version(&a, remote, "w.bin", &weights(0));
    let new = version(&a, remote, "w.bin", &weights(1));
    let [(base, new)] = [(base.first().cloned(), new.first().cloned())];
    (a, base.expect("is one"), new.expect("is one"))
}

fn name(key: &str) -> &str {
    key.rsplit('/').next().expect("has a name")
}

/// Damages every frame of a pack, and nothing of its tables.
fn spoil(remote: &Remote, key: &str) {
    let mut bytes = remote.read(key);
    let end = bytes.len() * 9 / 10;
    bytes.iter_mut().take(end).skip(600).step_by(20_000).for_each(|byte| *byte ^= 0xff);
    remote.write(key, &bytes);
}

#[track_caller]
fn refused(output: Output, repo: &Repo, words: &[&str]) {
    let output = output.fails_with(4);
    for word in words {
        assert!(output.stderr().contains(word), "`{word}` is not said\n{output}");
    }
    assert!(!output.stderr().contains("panicked"), "{output}");
    assert!(!repo.has("w.bin"), "nothing is written");
}

#[test]
fn a_base_that_is_damaged_missing_or_short_is_named_and_another_remote_heals_it() {
    for how in ["damaged", "missing", "short"] {
        let world = World::new();
        let (remote, other) = (world.remote("r"), world.remote("s"));
        let (a, base, _) = moved(&world, &remote);
        second(&a, &other);
        a.git(&["add", "-A"]).ok();
        a.commit("settings");
        a.haul(&["push", "--remote", "other"]).ok();
        let good = remote.read(&base);
        match how {
            "damaged" => spoil(&remote, &base),
            "missing" => remote.remove(&base),
            _ => remote.write(&base, &good[..1000]),
        }
        let verify = a.haul(&["verify", "HEAD"]);
        if how != "damaged" {
            verify.fails_with(4).prints("w.bin").prints(name(&base));
        }
        let b = a.clone_as("b");
        refused(b.haul(&["pull"]), &b, &["w.bin", name(&base), "hint: "]);
        refused(b.haul(&["pull", "--rev", "HEAD~1"]), &b, &["w.bin", name(&base), "`HEAD~1`"]);
        let accept = other.path().to_str().expect("is UTF-8").to_owned();
        let arguments = ["pull", "--remote", "other"];
        b.haul_with(&arguments, &[("HAUL_ACCEPT_REMOTE", &accept)]).ok();
        assert_eq!(b.read("w.bin"), weights(1), "{how}");
        // So does a good copy in the old place.
        let c = a.clone_as("c");
        refused(c.haul(&["pull"]), &c, &["w.bin", name(&base)]);
        remote.write(&base, &good);
        c.haul(&["pull"]).ok();
        assert_eq!(c.read("w.bin"), weights(1), "{how}");
    }
}

#[test]
fn a_damaged_difference_is_named_itself() {
    let world = World::new();
    let remote = world.remote("r");
    let (a, _, new) = moved(&world, &remote);
    spoil(&remote, &new);
    let b = a.clone_as("b");
    refused(b.haul(&["pull"]), &b, &["w.bin", name(&new)]);
}

#[test]
fn a_local_pack_of_bases_that_is_damaged_is_put_aside_and_fetched_again() {
    let world = World::new();
    let remote = world.remote("r");
    let (a, base, _) = moved(&world, &remote);
    let packs = Remote::at(a.path(".git/haul/packs"));
    spoil(&packs, base.strip_prefix("p/").expect("is a data pack"));
    a.remove("w.bin");
    refused(a.haul(&["checkout"]), &a, &[name(&base)]);
    let aside = Remote::at(a.path(".git/haul/quarantine")).keys("");
    assert_eq!(aside, [name(&base)]);
    a.haul(&["pull"]).ok();
    assert_eq!(a.read("w.bin"), weights(1));
}

#[test]
fn bases_that_were_evicted_are_fetched_again() {
    let world = World::new();
    let remote = world.remote("r");
    let (a, base, _) = moved(&world, &remote);
    // Of a pack that somebody deleted by hand.
    a.remove(a.path(".git/haul/packs").join(base.strip_prefix("p/").expect("is a data pack")));
    a.remove("w.bin");
    a.haul(&["pull"]).ok();
    assert_eq!(a.read("w.bin"), weights(1));
    let b = a.clone_as("b");
    b.haul(&["pull"]).ok();
    b.remove(".git/haul/parts");
    b.remove("w.bin");
    b.haul(&["pull"]).ok();
    assert_eq!(b.read("w.bin"), weights(1));
}

/// What a hostile hand writes into the frame of a difference, of which the tables say nothing.
fn forgeries(pack: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let all = differences(pack);
    let put = |at: usize, bytes: &[u8]| {
        let mut out = pack.to_vec();
        for (slot, byte) in out.iter_mut().skip(at).zip(bytes) {
            *slot = *byte;
        }
        out
    };
    let (id, at, bases) = all.first().expect("has a difference").clone();
    let (other, ..) = all.last().expect("has a difference").clone();
    assert_ne!(id, other);
    let wide = u8::try_from(bases.ids.len()).expect("are few");
    vec![
        ("names itself", put(at + 16, &id.0)),
        ("names a difference", put(at + 16, &other.0)),
        ("names nothing", put(at + 16, &[7; 32])),
        ("claims 2^31 bytes", put(at + 4, &(1_u32 << 31).to_le_bytes())),
        ("payload of 2^31 bytes", put(at + 8, &(1_u32 << 31).to_le_bytes())),
        ("no base", put(at + 1, &[0])),
        ("five bases", put(at + 1, &[5])),
        ("begins behind its base", put(at + 12, &(2_u32 << 20).to_le_bytes())),
        ("begins at the last byte", put(at + 12, &((2_u32 << 20) - 1).to_le_bytes())),
        ("is said to be whole", put(at, &[2, 0])),
        ("two chunks", put(at + 2, &[2, 0])),
        ("phase 255", put(at + 16 + 32 * usize::from(wide), &[255])),
        ("width 3", put(at + 17 + 32 * usize::from(wide), &[3])),
    ]
}

#[test]
fn forged_differences_on_a_remote_are_refused_and_nothing_is_written() {
    let world = World::new();
    let remote = world.remote("r");
    let (a, _, new) = moved(&world, &remote);
    let good = remote.read(&new);
    let mut cases = forgeries(&good);
    cases.push(("sound", good.clone()));
    for (n, (what, bytes)) in cases.into_iter().enumerate() {
        remote.write(&new, &bytes);
        let b = a.clone_as(&format!("b{n}"));
        let output = b.haul(&["pull"]);
        if what == "sound" {
            output.ok();
            assert_eq!(b.read("w.bin"), weights(1));
            continue;
        }
        refused(output, &b, &["w.bin"]);
        // What was fetched from there does not stand in the way of a good copy.
        remote.write(&new, &good);
        b.haul(&["pull"]).ok();
        assert_eq!(b.read("w.bin"), weights(1), "{what}");
    }
}

#[test]
fn forged_differences_in_a_local_pack_are_refused_and_nothing_is_written() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    version(&a, &remote, "w.bin", &weights(0));
    a.write("w.bin", &weights(1));
    take(&a, "w.bin");
    let packs = Remote::at(a.path(".git/haul/unpushed"));
    let is_data = |key: &String| packs.read(key).get(5) == Some(&1);
    let key = packs.keys("").into_iter().find(is_data).expect("is one");
    let good = packs.read(&key);
    a.remove("w.bin");
    for (what, bytes) in forgeries(&good) {
        packs.write(&key, &bytes);
        a.remove(".git/haul/index.redb");
        let output = a.haul(&["checkout"]);
        assert!(matches!(output.status(), Some(1 | 4)), "{what}\n{output}");
        let output = a.haul(&["pull"]).fails_with(4);
        assert!(!a.has("w.bin") && !output.stderr().contains("panicked"), "{what}\n{output}");
        packs_back(&a, &packs, &key, &good);
    }
    a.remove(".git/haul/index.redb");
    a.haul(&["checkout"]).ok();
    assert_eq!(a.read("w.bin"), weights(1));
}

/// Puts a pack back to where it was, whatever became of it.
fn packs_back(repo: &Repo, packs: &Remote, key: &str, bytes: &[u8]) {
    repo.write(packs.path().join(key), bytes);
    if repo.has(".git/haul/quarantine") {
        repo.remove(".git/haul/quarantine");
    }
}

#[test]
fn rows_of_a_table_heal_as_well() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    let base = version(&a, &remote, "t.csv", &table(1));
    version(&a, &remote, "t.csv", &table(2));
    let good = remote.read(&base[0]);
    spoil(&remote, &base[0]);
    let b = a.clone_as("b");
    b.haul(&["pull"]).fails_with(4).says("t.csv").says(name(&base[0]));
    assert!(!b.has("t.csv"));
    remote.write(&base[0], &good);
    b.haul(&["pull"]).ok();
    assert_eq!(b.read("t.csv"), table(2));
}
