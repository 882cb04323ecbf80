//! What a push does not send because it is there already.

use crate::harness::{World, data};
use crate::push::{ready, send, sent, take};

#[test]
fn content_met_twice_in_one_push_is_sent_once() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    let one = data::bytes(1, 2_000_000);
    a.write("x.bin", &one);
    a.write("y.bin", &[one.clone(), data::bytes(2, 100_000)].concat());
    a.haul(&["add", "x.bin", "y.bin"]).ok();
    a.commit("both");
    let report = a.haul(&["push", "--json"]).ok();
    assert!(sent(&report) < 2_400_000, "{report}");
}

#[test]
fn a_new_version_of_a_pushed_file_costs_what_is_new_in_it() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    let old = data::bytes(1, 4_000_000);
    a.write("x.bin", &old);
    send(&a, "x.bin");
    a.write("x.bin", &[&old[..2_000_000], b"inserted", &old[2_000_000..]].concat());
    take(&a, "x.bin");
    let report = a.haul(&["push", "--json"]).ok();
    assert!(sent(&report) < 300_000, "{report}");
    let b = a.clone_as("b");
    b.haul(&["pull"]).ok();
    assert_eq!(b.read("x.bin"), a.read("x.bin"));
}

#[test]
fn a_fresh_clone_that_never_pulled_sends_only_what_the_remote_lacks() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    let old = data::bytes(1, 64 << 20);
    a.write("x.bin", &old);
    send(&a, "x.bin");
    let b = a.clone_as("b");
    let new = [&old[..32 << 20], b"inserted", &old[32 << 20..]].concat();
    b.write("x.bin", &new);
    take(&b, "x.bin");
    let report = b.haul(&["push", "--json"]).ok();
    assert!(sent(&report) < 2 << 20, "{report}");
    b.haul(&["verify"]).ok();
    let c = b.clone_as("c");
    c.haul(&["pull"]).ok();
    assert!(c.read("x.bin") == new, "the pulled file differs");
}

#[test]
fn known_content_under_a_new_path_is_found_by_its_hooks() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    let old = data::bytes(1, 32 << 20);
    a.write("x.bin", &old);
    send(&a, "x.bin");
    let b = a.clone_as("b");
    let new = [&old[..], b"appended"].concat();
    b.write("elsewhere/y.bin", &new);
    take(&b, "elsewhere/y.bin");
    let report = b.haul(&["push", "--json"]).ok();
    assert!(sent(&report) < 2 << 20, "{report}");
    let c = b.clone_as("c");
    c.haul(&["pull", "elsewhere"]).ok();
    assert!(c.read("elsewhere/y.bin") == new, "the pulled file differs");
}

#[test]
fn chunks_of_a_root_that_is_not_pushed_stay_on_this_machine() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    let (one, two) = (data::bytes(1, 8 << 20), data::bytes(2, 8 << 20));
    a.write("one.bin", &one);
    a.write("two.bin", &two);
    a.haul(&["add", "one.bin", "two.bin"]).ok();
    a.commit("both");
    a.haul(&["push"]).ok();
    // Both contents in one pack; only one of them is pushed, and the remote knows both.
    let b = a.clone_as("b");
    b.write("one.bin", &[&one[..], b"more"].concat());
    b.write("two.bin", &[&two[..], b"more"].concat());
    b.haul(&["add", "one.bin", "two.bin"]).ok();
    b.commit("more");
    b.haul(&["push", "one.bin"]).ok();
    // The remote loses what nobody has relied on from here.
    std::fs::remove_dir_all(remote.path().join("p")).expect("loses all data");
    b.remove("two.bin");
    b.haul(&["checkout", "two.bin"]).ok();
    assert!(b.read("two.bin") == [&two[..], b"more"].concat(), "the kept file differs");
}

#[test]
fn chunks_that_only_a_former_remote_holds_are_stored_again() {
    let world = World::new();
    let (former, new) = (world.remote("former"), world.remote("new"));
    let a = ready(&world, "a", &former);
    let old = data::bytes(1, 8 << 20);
    a.write("d/x.bin", &old);
    a.write("d/one.bin", &data::bytes(2, 60_000));
    send(&a, "d");
    // A clone that never pulled knows the old chunks only as those of the remote.
    let b = a.clone_as("b");
    b.write("d/x.bin", &[&old[..], b"appended"].concat());
    b.write("d/one.bin", &data::bytes(2, 60_000));
    send(&b, "d");
    let add = ["remote".as_ref(), "add".as_ref(), "new".as_ref(), new.as_arg()];
    b.haul(&add).ok();
    b.haul(&["remote", "default", "new"]).ok();
    std::fs::remove_dir_all(former.path()).expect("is gone");
    // One file as it was, of which the stat cache knows, and one with chunks of it.
    b.write("y.bin", &old[..4 << 20]);
    b.haul(&["add", "d", "y.bin"]).ok();
    b.commit("for the new remote");
    b.haul(&["push", "--all"]).ok();
    b.haul(&["verify"]).ok();
    let again = b.haul(&["add", "d", "--json"]).ok().json();
    assert_eq!(again["new_bytes"], 0, "{again}");
}

#[test]
fn chunks_found_in_a_pack_of_which_only_frames_are_here_can_be_placed_again() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    let old = data::bytes(1, 2_000_000);
    a.write("d/x.bin", &data::bytes(2, 300_000));
    a.write("d/y.bin", &old);
    send(&a, "d");
    let b = a.clone_as("b");
    b.haul(&["pull", "d/x.bin"]).ok();
    let new = [&old[..], b"appended"].concat();
    b.write("d/y.bin", &new);
    take(&b, "d");
    let report = b.haul(&["push", "--json"]).ok();
    assert!(sent(&report) < 300_000, "{report}");
    b.remove("d");
    b.haul(&["pull"]).ok();
    assert_eq!(b.read("d/x.bin"), a.read("d/x.bin"));
    assert_eq!(b.read("d/y.bin"), new);
}
