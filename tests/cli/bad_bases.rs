//! Bases that are damaged, missing or not what they should be: said with object, file and revision,
//! nothing written, and healed by a good copy.

use crate::deltas::{deltas, second, table, version, weights};
use crate::harness::{Output, Remote, Repo, World, data};
use crate::push::{ready, send, take};

/// Two versions of weights on a remote, and the packs of each: all of the second are deltas.
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

/// Requires that damage is said with object, file and commit, and that nothing is written.
#[track_caller]
fn refused(output: Output, repo: &Repo, rev: &str, words: &[&str]) {
    let output = output.fails_with(4);
    let commit = format!("commit {} ", short(repo, rev));
    for word in [&["w.bin", &commit, rev, "hint: "], words].concat() {
        assert!(output.stderr().contains(word), "`{word}` is not said\n{output}");
    }
    let is_object = |word: &str| word.len() == 64 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let mut words = output.stderr().split(|c: char| !c.is_ascii_alphanumeric());
    assert!(words.any(is_object), "no object is named\n{output}");
    assert!(!output.stderr().contains("panicked"), "{output}");
    assert!(!repo.has("w.bin"), "something is written");
}

/// The name of a commit as messages have it.
fn short(repo: &Repo, rev: &str) -> String {
    repo.git(&["rev-parse", "--short=12", rev]).ok().stdout().trim().to_owned()
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
        // Nobody else has it, for now.
        let away = world.path("away");
        std::fs::rename(other.path(), &away).expect("is moved");
        let b = a.clone_as("b");
        refused(b.haul(&["pull"]), &b, "HEAD", &[name(&base)]);
        refused(b.haul(&["fetch"]), &b, "HEAD", &[name(&base)]);
        refused(b.haul(&["pull", "--rev", "HEAD~1"]), &b, "HEAD~1", &[name(&base)]);
        std::fs::rename(&away, other.path()).expect("is moved back");
        b.haul(&["pull"]).ok().says("remote `other` instead");
        assert_eq!(b.read("w.bin"), weights(1), "{how}");
        // So does a good copy in the old place.
        std::fs::rename(other.path(), &away).expect("is moved");
        let c = a.clone_as("c");
        refused(c.haul(&["pull"]), &c, "HEAD", &[name(&base)]);
        remote.write(&base, &good);
        c.haul(&["pull"]).ok();
        assert_eq!(c.read("w.bin"), weights(1), "{how}");
    }
}

#[test]
fn a_damaged_delta_is_named_itself() {
    let world = World::new();
    let remote = world.remote("r");
    let (a, _, new) = moved(&world, &remote);
    spoil(&remote, &new);
    let b = a.clone_as("b");
    refused(b.haul(&["pull"]), &b, "HEAD", &[name(&new)]);
}

#[test]
fn a_local_pack_of_bases_that_is_damaged_is_put_aside_and_fetched_again() {
    let world = World::new();
    let remote = world.remote("r");
    let (a, base, _) = moved(&world, &remote);
    let packs = Remote::at(a.path(".git/haul/packs"));
    spoil(&packs, base.strip_prefix("p/").expect("is a data pack"));
    a.remove("w.bin");
    refused(a.haul(&["checkout"]), &a, "HEAD", &[name(&base)]);
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
    // Of all packs, behind the back of the index: each run finds one, and says so.
    let b = a.clone_as("b");
    b.haul(&["pull"]).ok();
    for (repo, place) in [(&a, ".git/haul/packs"), (&b, ".git/haul/parts")] {
        repo.remove(place);
        repo.remove("w.bin");
        repo.haul(&["checkout"]).fails_with(1).says("haul pull");
        repo.haul(&["pull"]).ok();
        assert_eq!(repo.read("w.bin"), weights(1));
    }
}

#[test]
fn the_newest_commit_with_the_pointer_is_named() {
    let world = World::new();
    let remote = world.remote("r");
    let (a, base, _) = moved(&world, &remote);
    remote.remove(&base);
    // The pointer of an older commit, in the worktree and in the index.
    let b = a.clone_as("b");
    b.git(&["checkout", "HEAD~1", "--", "w.bin.haul"]).ok();
    let output = b.haul(&["pull"]).fails_with(4);
    let words = format!("that is of commit {}\n", short(&b, "HEAD~1"));
    assert!(output.stderr().contains(&words), "{output}");
    // One that is added and not committed.
    a.write("w.bin", &weights(2));
    a.haul(&["add", "w.bin"]).ok();
    let unpushed = Remote::at(a.path(".git/haul/unpushed"));
    unpushed.keys("").iter().for_each(|key| unpushed.remove(key));
    a.remove("w.bin");
    let output = a.haul(&["checkout"]).fails_with(4).says("w.bin");
    assert!(output.stderr().contains("in no commit yet"), "{output}");
}

#[test]
fn a_file_inside_a_folder_is_named() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    a.write("d/other.bin", &data::bytes(1, 300_000));
    version_of(&a, "d/w.bin", 0);
    let base = remote.keys("p/");
    version_of(&a, "d/w.bin", 1);
    for key in &base {
        remote.remove(key);
    }
    let b = a.clone_as("b");
    let words = format!("that is of `d/w.bin` in commit {} (`HEAD`)", short(&b, "HEAD"));
    b.haul(&["pull", "d/w.bin"]).fails_with(4).says(&words);
    assert!(!b.has("d"));
    let packs = Remote::at(a.path(".git/haul/packs"));
    for key in &base {
        spoil(&packs, key.strip_prefix("p/").expect("is a data pack"));
    }
    a.remove("d");
    a.haul(&["pull", "d/w.bin"]).fails_with(4).says("`d/w.bin`").says(&short(&b, "HEAD"));
}

/// Stores, commits and pushes one more version of weights in a tracked folder `d`.
fn version_of(repo: &Repo, name: &str, step: u16) {
    repo.write(name, &weights(step));
    send(repo, "d");
}

/// What a hostile hand writes into the frame of a delta, of which the tables say nothing.
fn forgeries(pack: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let all = deltas(pack);
    let put = |at: usize, bytes: &[u8]| {
        let mut out = pack.to_vec();
        for (slot, byte) in out.iter_mut().skip(at).zip(bytes) {
            *slot = *byte;
        }
        out
    };
    let (id, at, bases) = all.first().expect("has a delta").clone();
    let (other, ..) = all.last().expect("has a delta").clone();
    assert_ne!(id, other);
    let len = pack.get(at + 4..).and_then(|bytes| bytes.first_chunk()).expect("is a header");
    let len = u32::from_le_bytes(*len);
    let wide = u8::try_from(bases.ids.len()).expect("are few");
    vec![
        ("names itself", put(at + 16, &id.0)),
        ("names a delta", put(at + 16, &other.0)),
        ("names nothing", put(at + 16, &[7; 32])),
        ("a length that does not divide", put(at + 4, &(len ^ 1).to_le_bytes())),
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
fn forged_deltas_on_a_remote_are_refused_and_nothing_is_written() {
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
        refused(output, &b, "HEAD", &[]);
        // What was fetched from there does not stand in the way of a good copy.
        remote.write(&new, &good);
        b.haul(&["pull"]).ok();
        assert_eq!(b.read("w.bin"), weights(1), "{what}");
    }
}

#[test]
fn forged_deltas_in_a_local_pack_are_refused_and_nothing_is_written() {
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
        refused(a.haul(&["pull"]), &a, "HEAD", &[]);
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
