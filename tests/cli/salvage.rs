//! What becomes of the sound rest of a damaged pack that is nowhere else, and of objects of a remote that
//! nothing can take the place of.

use crate::fsck::{clone_is_right, finding, largest, pushed, state, unpushed};
use crate::gc_scene::{fill, gc};
use crate::harness::{Remote, Repo, World, data};
use crate::push::{ready, take};

/// A byte of a pack's nonce: its name is wrong then, and each object in it whole.
const NONCE: usize = 20;

fn smallest(folder: &Remote) -> String {
    let keys = folder.keys("").into_iter();
    keys.min_by_key(|key| folder.bytes(key)).expect("is one")
}

/// Removes everything that can be fetched, or made, again.
fn forget(a: &Repo) {
    for name in ["packs", "parts", "index.redb", "stat.redb"] {
        if a.has(format!(".git/haul/{name}")) {
            a.remove(format!(".git/haul/{name}"));
        }
    }
}

#[test]
fn what_a_damaged_pack_still_gives_is_no_second_copy_and_is_saved() {
    for kind in ["data", "nodes"] {
        let world = World::new();
        let remote = world.remote("r");
        let a = pushed(&world, &remote);
        unpushed(&a);
        let packs = state(&a, "unpushed");
        let key = if kind == "data" { largest(&packs) } else { smallest(&packs) };
        packs.flip(&key, NONCE);
        a.remove("e");
        let found = finding(&a.haul(&["fsck", "--local", "--json"]).fails_with(4), "damaged");
        assert_eq!(found["copies"].as_array().map(Vec::len), Some(0), "{found}");
        let told = a.haul(&["fsck", "--local"]).fails_with(4);
        told.prints("good copy: none is known").prints("next: run `haul fsck --repair`");
        a.haul(&["fsck", "--local", "--repair"]).ok();
        assert!(!packs.keys("").contains(&key));
        // Nothing of it hangs on what anybody may remove.
        forget(&a);
        a.haul(&["checkout", "e"]).ok();
        assert_eq!(a.read("e/2.bin"), data::bytes(8, 200_000), "{kind}");
        a.haul(&["push"]).ok();
        a.haul(&["pull"]).ok();
        clone_is_right(&a, "b");
    }
}

#[test]
fn a_good_copy_of_what_was_not_pushed_is_named_where_there_is_one() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    unpushed(&a);
    let packs = state(&a, "unpushed");
    packs.flip(&largest(&packs), NONCE);
    a.haul(&["fsck", "--local"]).fails_with(4).prints("good copy: worktree file `e/1.bin`");
}

#[test]
fn who_meets_damage_in_what_was_not_pushed_loses_nothing_but_that() {
    for verb in [&["checkout", "e"][..], &["push"]] {
        let world = World::new();
        let remote = world.remote("r");
        let a = pushed(&world, &remote);
        unpushed(&a);
        let packs = state(&a, "unpushed");
        packs.flip(&largest(&packs), 60);
        a.remove("e");
        a.remove(".git/haul/stat.redb");
        let commit = a.git(&["rev-parse", "--short=12", "HEAD"]).ok().stdout().trim().to_owned();
        let before = remote.keys("i");
        let met = a.haul(verb).fails_with(4).says("haul fsck --repair");
        met.says(&format!("commit {commit}"));
        assert_eq!(remote.keys("i"), before);
        let [aside] = &state(&a, "quarantine").keys("")[..] else {
            panic!("one pack is put aside")
        };
        assert!(!remote.keys("").iter().any(|key| key.ends_with(aside)), "{aside} was not sent");
        // One of both files was hit, and the other one is as it was.
        a.haul(&["fsck", "--local", "--repair"]);
        let whole = |name: &str| a.haul(&["checkout", name]).status() == Some(0) && a.has(name);
        let there: Vec<bool> = ["e/1.bin", "e/2.bin"].map(whole).into();
        assert_eq!(there.iter().filter(|there| **there).count(), 1, "{verb:?}");
        // The file comes back from elsewhere, and all is well again.
        a.write("e/1.bin", &data::bytes(7, 200_000));
        a.write("e/2.bin", &data::bytes(8, 200_000));
        a.haul(&["fsck", "--local", "--repair"]);
        a.haul(&["add", "e"]).ok();
        a.haul(&["push"]).ok();
        clone_is_right(&a, "b");
        a.haul(&["fsck"]).ok().says("all sound");
    }
}

#[test]
fn a_pipe_or_a_link_in_place_of_a_pack_is_damage_and_holds_nobody_up() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    let packs = state(&a, "packs");
    for what in ["pipe", "link"] {
        let key = largest(&packs);
        let path = packs.path().join(&key);
        packs.remove(&key);
        match what {
            "pipe" => drop(a.run("mkfifo", &[&path]).ok()),
            _ => std::os::unix::fs::symlink("/dev/zero", &path).expect("makes a link"),
        }
        a.haul(&["fsck", "--local"]).fails_with(4).prints(&key).prints("no regular file");
        a.haul(&["fsck", "--repair"]).ok();
        a.haul(&["fsck"]).ok().says("all sound");
    }
}

#[test]
fn a_damaged_format_is_put_back_by_who_knows_the_remote() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    let stranger = a.clone_as("b");
    let good = remote.read("format");
    for damage in ["flipped", "gone"] {
        match damage {
            "gone" => remote.remove("format"),
            _ => remote.flip("format", 3),
        }
        let told = stranger.haul(&["fsck", "--repair"]).fails_with(4);
        told.prints("in a clone that has used the remote");
        a.haul(&["fsck", "--remote"]).fails_with(4).prints("format");
        a.haul(&["fsck", "--repair"]).ok().prints("repaired");
        assert_eq!(remote.read("format"), good, "{damage}");
        a.haul(&["fsck"]).ok().says("all sound");
    }
    clone_is_right(&a, "c");
}

#[test]
fn another_remote_in_the_place_of_one_that_is_known_is_left_alone() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    let other = String::from_utf8(remote.read("format")).expect("is text");
    let id = other.lines().find_map(|line| line.strip_prefix("id ")).expect("has an id");
    let turned: String = id.chars().rev().collect();
    // As early versions wrote it, without a check of itself.
    let other = format!("haul-remote 1\nid {turned}\n");
    remote.write("format", other.as_bytes());
    a.haul(&["fsck", "--repair"]).fails_with(4).prints("does not name the remote");
    assert_eq!(remote.read("format"), other.as_bytes());
}

#[test]
fn damaged_runs_and_baselines_are_put_back_from_a_good_copy() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    for kind in ["i/b-", "i/r-"] {
        if kind == "i/b-" {
            fill(&a, &remote);
            gc(&a, &["--yes"]).ok();
        } else {
            for version in 0..33 {
                a.write("x.bin", &data::bytes(version, 1000));
                take(&a, "x.bin");
                a.haul(&["push"]).ok();
            }
        }
        let key = remote.keys(kind).pop().expect("is one");
        let good = remote.read(&key);
        a.haul(&["fsck"]).ok();
        remote.flip(&key, 600);
        let stranger = a.clone_as(&format!("b{}", kind.len() + good.len()));
        stranger.haul(&["pull"]).fails_with(4).says("haul fsck --repair");
        stranger.haul(&["fsck", "--repair"]).fails_with(4).prints("in a clone that has used");
        a.haul(&["fsck", "--repair"]).ok().prints("repaired");
        assert_eq!(remote.read(&key), good);
        a.haul(&["fsck"]).ok().says("all sound");
        stranger.haul(&["pull"]).ok();
        stranger.remove("");
    }
}
