//! A remote whose catalogue or `format` was cut short, emptied or lost: what each verb says, that
//! nothing is lost, and that the next step it names really helps.

use haul::catalogue::LONE_LIMIT;

use crate::harness::{Remote, Repo, World, data};
use crate::push::{ready, take};

fn pushed<'a>(world: &'a World, remote: &Remote) -> Repo<'a> {
    let a = ready(world, "a", remote);
    a.write("x.bin", &data::bytes(1, 300_000));
    take(&a, "x.bin");
    a.haul(&["push"]).ok();
    a
}

/// Cuts an object short, empties it or removes it.
fn spoil(remote: &Remote, key: &str, how: &str) {
    match how {
        "cut" => {
            let mut bytes = remote.read(key);
            bytes.truncate(bytes.len() / 2);
            remote.write(key, &bytes);
        }
        "emptied" => remote.write(key, b""),
        "lost" => remote.remove(key),
        _ => panic!("nobody knows {how}"),
    }
}

/// Requires that a new clone can have everything.
fn is_whole(a: &Repo<'_>, name: &str) {
    let clone = a.clone_as(name);
    clone.haul(&["pull"]).ok();
    clone.tree().assert_same(&a.tree());
    clone.haul(&["verify"]).ok();
}

#[test]
fn a_bad_push_record_is_named_and_moving_it_away_and_pushing_mends_it() {
    for how in ["cut", "emptied"] {
        let world = World::new();
        let remote = world.remote("r");
        let a = pushed(&world, &remote);
        let key = remote.keys("i/").remove(0);
        spoil(&remote, &key, how);
        let b = a.clone_as("b");
        for (repo, verb) in [
            (&b, "pull"),
            (&b, "fetch"),
            (&b, "verify"),
            (&b, "push"),
            (&a, "push"),
            (&a, "verify"),
        ] {
            repo.haul(&[verb]).fails_with(4).says(&format!("`{key}`")).says("move it away");
        }
        assert_eq!(a.read("x.bin"), data::bytes(1, 300_000));
        assert!(!b.has("x.bin"));
        remote.remove(&key);
        a.haul(&["push"]).ok();
        is_whole(&a, "c");
    }
}

#[test]
fn a_lost_push_record_is_missed_with_the_path_and_a_push_writes_another() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    spoil(&remote, &remote.keys("i/").remove(0), "lost");
    let b = a.clone_as("b");
    for verb in ["pull", "fetch"] {
        b.haul(&[verb]).fails_with(4).says("`x.bin`").says("haul push");
    }
    b.haul(&["verify"]).fails_with(4).says("`x.bin`");
    b.haul(&["push"]).fails_with(4).says("`x.bin`");
    a.haul(&["verify"]).fails_with(4).says("`x.bin`");
    a.haul(&["push"]).ok();
    is_whole(&a, "c");
}

#[test]
fn a_bad_or_lost_run_is_named_or_its_push_records_still_count() {
    for how in ["cut", "emptied", "lost"] {
        let world = World::new();
        let remote = world.remote("r");
        let a = ready(&world, "a", &remote);
        for round in 0..=LONE_LIMIT {
            a.write("x.bin", &data::bytes(round as u64, 2000));
            take(&a, "x.bin");
            a.haul(&["push"]).ok();
        }
        let largest = remote.keys("i/").into_iter().max_by_key(|key| remote.bytes(key));
        let run = largest.expect("lists something");
        spoil(&remote, &run, how);
        let b = a.clone_as("b");
        if how == "lost" {
            b.haul(&["pull"]).ok();
        } else {
            b.haul(&["pull"]).fails_with(4).says(&format!("`{run}`")).says("move it away");
            a.haul(&["verify"]).fails_with(4).says(&format!("`{run}`"));
            remote.remove(&run);
            a.haul(&["push"]).ok();
        }
        is_whole(&a, "c");
    }
}

#[test]
fn a_bad_or_lost_format_is_named_and_a_push_writes_it_again() {
    for how in ["cut", "emptied", "lost"] {
        let world = World::new();
        let remote = world.remote("r");
        let a = pushed(&world, &remote);
        spoil(&remote, "format", how);
        let b = a.clone_as("b");
        for verb in ["pull", "fetch", "verify"] {
            b.haul(&[verb]).fails_with(4).says("`format`").says("haul push");
        }
        // Whoever knows the remote goes on, until asked for proof.
        a.haul(&["pull"]).ok();
        a.haul(&["verify"]).fails_with(4).says("`format`").says("haul push");
        if how != "lost" {
            a.haul(&["push"]).fails_with(4).says("`format`").says("move it away");
            remote.remove("format");
        }
        a.haul(&["push"]).ok();
        a.haul(&["verify"]).ok();
        is_whole(&a, "c");
    }
}

#[test]
fn a_lost_format_is_written_again_by_a_machine_that_forgot_the_remote() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    remote.remove("format");
    a.remove(".git/haul/remote");
    a.haul(&["push"]).ok();
    is_whole(&a, "b");
    // With something new as well, from a clone that has never met the remote.
    remote.remove("format");
    let c = a.clone_as("c");
    c.write("y.bin", &data::bytes(2, 100_000));
    take(&c, "y.bin");
    c.haul(&["push"]).ok();
    c.haul(&["pull"]).ok();
    is_whole(&c, "d");
}

#[test]
fn a_remote_that_is_gone_is_out_of_reach_and_not_empty() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    let b = a.clone_as("b");
    let away = world.path("away");
    std::fs::rename(remote.path(), &away).expect("renames");
    for verb in ["pull", "fetch", "verify", "push"] {
        b.haul(&[verb]).fails_with(3).says("is not there").says("hint: ");
    }
    std::fs::rename(&away, remote.path()).expect("renames");
    is_whole(&a, "c");
}

#[test]
fn fsck_tells_a_place_that_holds_something_else_from_a_damaged_remote() {
    for (key, text) in [("format", "mp3"), ("format", ""), ("i/logo.png", "a picture")] {
        let world = World::new();
        let remote = world.remote("r");
        let a = ready(&world, "a", &remote);
        a.write("x.bin", &data::bytes(1, 100_000));
        take(&a, "x.bin");
        let folder = remote.path().join(key);
        std::fs::create_dir_all(folder.parent().expect("lies there")).expect("makes folders");
        remote.write(key, text.as_bytes());
        for options in [&["fsck"][..], &["fsck", "--quick"], &["fsck", "--repair"]] {
            let told = a.haul(options).fails_with(3).says("holds something else");
            let told = told.says(&format!("`{key}`")).says("of its own");
            assert_eq!(told.stdout(), "", "{told}");
        }
        a.haul(&["push"]).fails_with(3).says("holds something else").says(key);
        assert_eq!(remote.keys(""), [key]);
        assert_eq!(remote.read(key), text.as_bytes());
    }
}
