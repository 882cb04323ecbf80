//! `gc --repack`: on a machine without the data, and beside pushes and other gcs.

use crate::gc_scene::{DAY, History, age, forget, gc, share};
use crate::harness::{World, data};
use crate::push::{ready, take};

#[test]
fn a_machine_that_has_only_the_trees_can_repack() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    a.write("d/kept.bin", &data::bytes(1, 20_000));
    a.write("d/big.bin", &data::bytes(2, 3_000_000));
    take(&a, "d");
    a.haul(&["push"]).ok();
    // In a pack of its own, all of which is needed.
    a.write("d/new.bin", &data::bytes(3, 20_000));
    a.remove("d/big.bin");
    a.haul(&["add", "d"]).ok();
    a.haul(&["push"]).ok();
    a.git(&["commit", "--quiet", "--amend", "--message", "the only one"]).ok();
    forget(&a);
    let mut history = History::default();
    history.note(&a);
    age(&remote, "", 20 * DAY);
    let b = a.clone_as("b");
    for _ in 0..2 {
        gc(&b, &["--yes", "--repack", "--grace", "0", "--repo", "../a"]).ok();
    }
    assert!(remote.bytes("p/") < 500_000, "{} bytes are left", remote.bytes("p/"));
    history.restores(&a, "c");
}

#[test]
fn what_was_published_while_a_repack_ran_is_found_afterwards() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    let [b, c] = share(&a, ["b", "c"]);
    let publish = || a.git(&["push", "--quiet", "origin", "HEAD:refs/heads/theirs"]).ok();
    a.write("d/kept.bin", &data::bytes(1, 20_000));
    a.write("d/big.bin", &data::bytes(2, 3_000_000));
    take(&a, "d");
    a.haul(&["push"]).ok();
    a.remove("d/big.bin");
    a.haul(&["add", "d"]).ok();
    a.haul(&["push"]).ok();
    a.git(&["commit", "--quiet", "--amend", "--message", "the only one"]).ok();
    forget(&a);
    publish();
    age(&remote, "", 20 * DAY);
    let arguments = ["gc", "--yes", "--repack"];
    let repack = b.pause_haul(&arguments, "push.before-record");
    a.write("new.bin", &data::bytes(7, 300_000));
    take(&a, "new.bin");
    a.haul(&["push"]).ok();
    publish();
    let mut history = History::default();
    history.note(&a);
    // Long enough for another gc to count on Git for it.
    age(&remote, "", 20 * DAY);
    gc(&c, &["--yes", "--grace", "0"]).ok();
    history.restores(&a, "d");
    repack.let_go().ok();
    history.restores(&a, "e");
}
