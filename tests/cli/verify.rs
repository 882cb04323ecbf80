//! `haul verify`: complete means that others can have everything.

use crate::harness::{Remote, Repo, World, data};
use crate::push::{ready, take};

fn pushed<'a>(world: &'a World, remote: &Remote) -> Repo<'a> {
    let a = ready(world, "a", remote);
    a.write("x.bin", &data::bytes(1, 300_000));
    take(&a, "x.bin");
    a.haul(&["push"]).ok();
    a
}

#[test]
fn what_was_pushed_is_complete_in_the_pushers_repository_and_in_a_clone() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    assert_eq!(a.haul(&["verify", "--json"]).ok().json()["complete"], true);
    let b = a.clone_as("b");
    assert_eq!(b.haul(&["verify", "--json"]).ok().json()["pointers"], 1);
}

#[test]
fn what_was_not_pushed_is_listed_with_its_path() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    a.write("y.bin", &data::bytes(2, 300_000));
    take(&a, "y.bin");
    let report = a.haul(&["verify", "--json"]).fails_with(4).json();
    assert_eq!(report["missing"][0]["path"], "y.bin");
    assert_eq!(report["complete"], false);
    a.haul(&["verify", "HEAD~1"]).ok();
}

#[test]
fn a_lost_or_shortened_pack_is_named_with_the_path_that_needs_it() {
    for (prefix, how) in [("p/", "lost"), ("m/", "lost"), ("p/", "short"), ("m/", "short")] {
        let world = World::new();
        let remote = world.remote("r");
        let a = pushed(&world, &remote);
        let key = remote.keys(prefix).remove(0);
        let bytes = remote.read(&key);
        if how == "lost" {
            remote.remove(&key);
        } else {
            remote.write(&key, &bytes[..bytes.len() / 2]);
        }
        let pack = key.rsplit('/').next().expect("has a name");
        a.haul(&["verify"]).fails_with(4).prints("x.bin").prints(pack);
        let b = a.clone_as("b");
        b.haul(&["pull"]).fails_with(4).says("x.bin").says(pack);
        assert!(!b.has("x.bin"));
    }
}

#[test]
fn a_flipped_byte_in_any_object_gives_exit_code_4_and_no_wrong_bytes() {
    for prefix in ["p/", "m/", "i/", "format"] {
        let world = World::new();
        let remote = world.remote("r");
        let a = pushed(&world, &remote);
        let key = remote.keys(prefix).remove(0);
        // In a pack the first frame, which every pull reads; elsewhere anything.
        remote.flip(&key, if prefix == "format" { 20 } else { 60 });
        let b = a.clone_as("b");
        let answer = b.haul(&["pull"]).fails_with(4);
        let name = key.rsplit('/').next().expect("has a name");
        assert!(answer.stderr().contains(name), "`{name}` is not named\n{answer}");
        assert!(!b.has("x.bin"));
    }
}

#[test]
fn lost_catalogue_objects_are_never_taken_for_completeness() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    remote.remove(&remote.keys("i/").remove(0));
    a.haul(&["verify"]).fails_with(4).says("`x.bin`");
    a.clone_as("b").haul(&["pull"]).fails_with(4).says("x.bin");
    // Everything lies here still, so the next push heals it.
    a.haul(&["push"]).ok();
    a.haul(&["verify"]).ok();
}

#[test]
fn a_remote_of_a_newer_haul_is_refused_with_that_reason() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    let text = String::from_utf8(remote.read("format")).expect("is text");
    remote.write("format", text.replacen("haul-remote 1", "haul-remote 2", 1).as_bytes());
    a.clone_as("b").haul(&["pull"]).fails_with(3).says("a newer haul is needed");
    remote.write("format", text.as_bytes());
    remote.write("i/f-write-x", b"");
    a.write("x.bin", b"other content than before");
    take(&a, "x.bin");
    a.haul(&["push"]).fails_with(3).says("a newer haul is needed");
    // Whoever only reads is not kept out.
    let c = a.clone_as("c");
    c.git(&["checkout", "--quiet", "HEAD~1"]).ok();
    c.haul(&["pull"]).ok();
    assert_eq!(c.read("x.bin"), data::bytes(1, 300_000));
    remote.write("i/f-read-x", b"");
    a.clone_as("d").haul(&["pull"]).fails_with(3).says("a newer haul is needed");
}

#[test]
fn a_damaged_pack_in_the_cache_is_put_aside_and_fetched_again() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    let packs = Remote::at(a.path(".git/haul/packs"));
    let largest = packs.keys("").into_iter().max_by_key(|key| packs.bytes(key)).expect("is one");
    packs.flip(&largest, 1000);
    a.remove("x.bin");
    a.haul(&["pull"]).fails_with(4);
    assert!(!a.has("x.bin"));
    assert_eq!(Remote::at(a.path(".git/haul/quarantine")).keys("").len(), 1);
    a.haul(&["pull"]).ok();
    assert_eq!(a.read("x.bin"), data::bytes(1, 300_000));
}

#[test]
fn pointers_of_head_are_proved_where_a_link_stands_in_place_of_their_folder() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    a.write("s/y.bin", &data::bytes(9, 100_000));
    a.haul(&["add", "s/y.bin"]).ok();
    a.commit("s");
    a.remove("s");
    a.link("elsewhere", "s");
    // It was never pushed.
    a.haul(&["verify"]).fails_with(4).prints("s/y.bin").says("haul fsck --repair");
    a.haul(&["push"]).ok();
    a.haul(&["verify"]).ok();
}

#[test]
fn a_catalogue_that_lists_nothing_beside_packs_is_not_believed() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    for key in remote.keys("i/") {
        remote.remove(&key);
    }
    let b = a.clone_as("b");
    for (repo, verb) in [(&a, "verify"), (&b, "verify"), (&b, "pull")] {
        let output = repo.haul(&[verb]).fails_with(4);
        output.says("its catalogue `i/` lists nothing").says("hint: run the same command again");
    }
    a.haul(&["push", "--all"]).ok();
    b.haul(&["pull"]).ok();
    b.haul(&["verify"]).ok();
}
