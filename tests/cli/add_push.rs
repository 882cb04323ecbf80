//! `haul add --push`: content goes to the remote while it is read, and the disk need not hold it twice.

use std::io::Write;

use crate::harness::{Remote, Repo, World, data};
use crate::push::{ready, take};
use crate::scene::{assert_clean, number};

/// More than one pack of content that does not compress.
const BIG: usize = 70 << 20;

fn unpushed(repo: &Repo) -> Remote {
    Remote::at(repo.path(".git/haul/unpushed"))
}

/// Requires that a new clone gets all that is here, and that the remote has it.
pub(crate) fn pulled(a: &Repo) {
    let b = a.clone_as("b");
    b.haul(&["pull"]).ok();
    b.tree().assert_same(&a.tree());
    assert_clean(&b);
    a.haul(&["verify"]).ok();
}

#[test]
fn added_and_sent_content_is_on_the_remote_and_not_in_the_cache() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    for n in 0..40 {
        a.write(format!("d/{n}.bin"), &data::bytes(n, 20_000));
    }
    a.write("d/empty", b"");
    a.write("lone.bin", &data::bytes(77, 40_000));
    a.write("void", b"");
    let done = a.haul(&["add", "--push", "d", "lone.bin", "void", "--json"]).ok();
    assert_eq!(number(&done, "/files"), 43, "{done}");
    assert_eq!(number(&done, "/push/roots"), 2, "{done}");
    let remote = world.remote("r");
    let packs = remote.keys("p/").len() + remote.keys("m/").len();
    assert_eq!(number(&done, "/push/packs"), packs as u64, "{done}");
    let bytes = remote.bytes("p/") + remote.bytes("m/");
    assert_eq!(number(&done, "/push/sent_bytes"), bytes, "{done}");
    a.commit("all");
    assert_clean(&a);
    assert_eq!(unpushed(&a).keys(""), Vec::<String>::new());
    let kept = Remote::at(a.path(".git/haul/packs")).bytes("");
    assert!(kept < 100_000, "only trees are kept, not {kept} bytes");
    a.haul(&["push"]).ok().says("nothing to send");
    a.haul(&["add", "d", "lone.bin"]).ok().says("nothing changed");
    pulled(&a);
}

#[test]
fn the_disk_never_holds_all_packs_of_a_large_file() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    a.write("x.bin", &data::bytes(1, BIG));
    // The first pack is gone from here once it was sent, while another is still to come.
    a.haul_with(&["add", "--push", "x.bin"], &[("HAUL_FAILPOINT", "stream.sent:2")]).dies();
    assert!(!a.has("x.bin.haul"), "no pointer before its data");
    assert!(world.remote("r").bytes("p/") > BIG as u64 - 1000, "both packs were sent");
    assert!(unpushed(&a).bytes("") < BIG as u64 - (3 << 20), "one of them is not here");
    a.haul(&["add", "--push", "x.bin"]).ok();
    a.commit("x");
    assert!(unpushed(&a).bytes("") < 500_000, "what is left are trees of the run that died");
    pulled(&a);
}

#[test]
fn however_slow_the_remote_the_disk_holds_ten_packs_at_most() {
    const PACK: u64 = 64 << 20;
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    let mut file = std::fs::File::create(a.path("x.bin")).expect("creates");
    for seed in 0..12 {
        file.write_all(&data::bytes(seed, 64 << 20)).expect("writes");
    }
    drop(file);
    // The first pack is sent, and no other one is while this is waited for.
    let add = a.pause_haul(&["add", "--push", "x.bin"], "stream.sent");
    let held = || {
        let tmp = Remote::at(a.path(".git/haul/tmp"));
        unpushed(&a).bytes("") + tmp.bytes("")
    };
    let (mut before, mut quiet) = (0, 0);
    while quiet < 10 {
        std::thread::sleep(std::time::Duration::from_millis(200));
        let now = held();
        quiet = if now == before { quiet + 1 } else { 0 };
        before = now;
    }
    assert!(before > 3 * PACK, "it goes on for a while: {before}");
    assert!(before <= 10 * PACK, "{before}");
    add.let_go().ok();
    a.commit("x");
    assert!(unpushed(&a).bytes("") == 0 && world.remote("r").bytes("p/") > 11 * PACK);
    a.haul(&["verify"]).ok();
}

#[test]
fn an_add_that_dies_after_packs_were_sent_is_healed_by_the_next() {
    for point in ["stream.sent", "push.before-record", "push.after-record", "push.before-confirm"] {
        for again in [&["add", "--push", "d"][..], &["add", "d"]] {
            let world = World::new();
            let a = ready(&world, "a", &world.remote("r"));
            a.write("d/x.bin", &data::bytes(1, 300_000));
            a.haul_with(&["add", "--push", "d"], &[("HAUL_FAILPOINT", point)]).dies();
            assert!(!a.has("d.haul"), "{point}: no pointer without its data");
            assert_eq!(a.read("d/x.bin"), data::bytes(1, 300_000));
            a.haul(again).ok();
            a.commit("d");
            a.haul(&["push"]).ok();
            pulled(&a);
        }
    }
}

#[test]
fn what_cannot_be_sent_is_not_added() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    a.write("y.bin", &data::bytes(2, 100_000));
    take(&a, "y.bin");
    a.haul(&["push"]).ok();
    std::fs::remove_dir_all(remote.path()).unwrap();
    a.write("x.bin", &data::bytes(1, 300_000));
    a.haul(&["add", "--push", "x.bin"]).fails_with(3);
    assert!(!a.has("x.bin.haul"));
    assert_eq!(a.read("x.bin"), data::bytes(1, 300_000));
}

#[test]
fn new_versions_stream_too() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    for (seed, rows) in [(1, 40_000), (2, 40_100)] {
        a.write("t.csv", &data::csv(seed, rows));
        a.write("small.csv", &data::csv(seed, 1_000));
        a.haul(&["add", "--push", "t.csv", "small.csv"]).ok();
        a.commit("version");
    }
    pulled(&a);
}
