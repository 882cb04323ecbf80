//! Files of which unchanged bytes are taken from the version that lies in their place.

use std::io::{Read, Write};

use crate::harness::{Disk, Remote, Repo, World, data, shares_blocks};
use crate::scene::{assert_clean, number, save, shared};

const MIB: usize = 1 << 20;

/// Commits each of some versions of `x.bin`, tagged `v0`, `v1` and so on, from a number on.
fn versions(repo: &Repo<'_>, versions: &[Vec<u8>], from: usize) {
    for (n, bytes) in (from..).zip(versions) {
        repo.write("x.bin", bytes);
        save(repo, &["x.bin"], "a version");
        repo.git(&["tag", &format!("v{n}")]).ok();
    }
}

/// Versions that differ as edits do: at the same place, moved by an insertion, cut off, all new.
fn edited() -> Vec<Vec<u8>> {
    let first = data::bytes(1, 20 * MIB);
    let (head, rest) = first.split_at(9 * MIB);
    let (_, tail) = rest.split_at(1000);
    let changed = [head, &data::bytes(2, 1000), tail].concat();
    let (head, tail) = changed.split_at(12 * MIB);
    let moved = [&data::bytes(3, 3333), head, &data::bytes(4, 77), tail].concat();
    let (shorter, _) = moved.split_at(13 * MIB);
    let (shorter, new) = (shorter.to_vec(), data::bytes(5, 9 * MIB));
    vec![first, changed, moved, shorter, new]
}

#[test]
fn any_version_follows_any_other_one() {
    let world = World::new();
    let a = shared(&world);
    let all = edited();
    versions(&a, &all, 0);
    for n in [3, 0, 2, 4, 1, 0, 1, 3, 2, 0, 4, 3] {
        a.git(&["checkout", "--quiet", &format!("v{n}")]).ok();
        let report = a.haul(&["checkout", "--json"]).ok();
        assert_eq!(number(&report, "/bytes"), all[n].len() as u64);
        assert!(a.read("x.bin") == all[n], "version {n}");
        assert_clean(&a);
    }
}

#[test]
fn on_a_file_system_with_reflinks_what_did_not_change_shares_its_blocks() {
    let outside = World::new();
    let Some(disk) = Disk::make(&outside, ("xfs", &["-q", "-m", "reflink=1"])) else { return };
    let world = World::new_in(disk.place());
    let a = shared(&world);
    // Else whole files of the cache would be shared.
    a.haul(&["config", "cache.link", "copy"]).ok();
    let all = edited();
    versions(&a, &all, 0);
    for (from, to, shares) in
        [(4, 0, false), (0, 1, true), (1, 0, true), (0, 2, false), (2, 3, true), (3, 2, true)]
    {
        a.git(&["checkout", "--quiet", &format!("v{from}")]).ok();
        a.haul(&["checkout"]).ok();
        std::fs::hard_link(a.path("x.bin"), world.path("old")).expect("gets a second name");
        a.git(&["checkout", "--quiet", &format!("v{to}")]).ok();
        a.haul(&["checkout"]).ok();
        assert!(a.read("x.bin") == all[to], "{to} after {from}");
        assert!(std::fs::read(world.path("old")).expect("is there") == all[from]);
        let found = shares_blocks(&a.path("x.bin")).unwrap_or(shares);
        assert_eq!(found, shares, "{to} after {from}");
        std::fs::remove_file(world.path("old")).expect("goes");
        assert_clean(&a);
    }
}

#[test]
fn what_did_not_change_is_not_read_from_the_cache() {
    let world = World::new();
    let a = shared(&world);
    let all = edited();
    // Deltas would need what they are to.
    let settings = a.text("haul.toml");
    a.write("haul.toml", format!("{settings}\n[delta]\nbase = \"never\"\n").as_bytes());
    versions(&a, &all[..1], 0);
    let packs = Remote::at(a.path(".git/haul/unpushed"));
    let old = packs.keys("");
    versions(&a, &all[1..3], 1);
    a.git(&["checkout", "--quiet", "v0"]).ok();
    a.haul(&["checkout"]).ok();
    for key in old.iter().filter(|key| packs.read(key).len() > MIB) {
        packs.write(key, &vec![0; packs.read(key).len()]);
    }
    a.git(&["checkout", "--quiet", "v1"]).ok();
    a.haul(&["checkout"]).ok();
    assert!(a.read("x.bin") == all[1]);
    a.git(&["checkout", "--quiet", "v2"]).ok();
    a.haul(&["checkout"]).ok();
    assert!(a.read("x.bin") == all[2]);
    // Without the version in its place there is nothing but the cache.
    a.remove("x.bin");
    a.haul(&["checkout"]).fails_with(4).says("damaged");
}

#[test]
fn without_what_haul_remembers_the_file_is_right_all_the_same() {
    let world = World::new();
    let a = shared(&world);
    let all = edited();
    versions(&a, &all[..3], 0);
    a.remove(".git/haul/stat.redb");
    a.git(&["checkout", "--quiet", "v0"]).ok();
    a.haul(&["checkout"]).ok();
    assert!(a.read("x.bin") == all[0]);
    assert_clean(&a);
}

#[test]
fn a_changed_large_file_is_neither_replaced_nor_taken_for_a_former_version() {
    let world = World::new();
    let a = shared(&world);
    let all = edited();
    versions(&a, &all[..2], 0);
    let mut own = all[1].clone();
    own[5 * MIB] ^= 1;
    a.write("x.bin", &own);
    a.git(&["checkout", "--quiet", "v0"]).ok();
    a.haul(&["checkout"]).fails_with(1).says("would be overwritten");
    assert!(a.read("x.bin") == own);
    a.haul(&["checkout", "--force"]).ok();
    assert!(a.read("x.bin") == all[0]);
}

#[test]
fn what_was_recorded_while_an_add_goes_on_is_stored_once() {
    const PIECE: usize = 64 * MIB;
    /// More packs than wait until the index knows of them.
    const PIECES: u64 = 18;
    let world = World::new();
    let a = shared(&world);
    // The second file has what the first one begins with.
    let files = [("x.bin", (0..PIECES).collect::<Vec<u64>>()), ("y.bin", vec![0, 1, PIECES])];
    for (name, seeds) in &files {
        let mut file = std::fs::File::create(a.path(name)).expect("creates");
        for seed in seeds {
            file.write_all(&data::bytes(*seed, PIECE)).expect("writes");
        }
    }
    let report = a.haul(&["add", "x.bin", "y.bin", "--json"]).ok();
    let (pieces, new) = (PIECES * PIECE as u64, number(&report, "/new_bytes"));
    let end = PIECE as u64 + (1 << 20);
    assert!((pieces + PIECE as u64..pieces + end).contains(&new), "{new}");
    assert_eq!(number(&report, "/bytes"), pieces + 3 * PIECE as u64);
    a.remove("x.bin");
    a.remove("y.bin");
    a.haul(&["checkout"]).ok();
    for (name, seeds) in &files {
        let mut file = std::fs::File::open(a.path(name)).expect("opens");
        let mut piece = vec![0; PIECE];
        for seed in seeds {
            file.read_exact(&mut piece).expect("reads");
            assert!(piece == data::bytes(*seed, PIECE), "{name}, piece {seed}");
        }
        assert_eq!(file.read(&mut piece).expect("reads"), 0, "{name} goes on");
    }
}
