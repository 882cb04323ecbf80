//! More than one remote: who serves what the default one cannot, and how all of them get everything.

use crate::harness::{Remote, Repo, World, data};
use crate::scene::{number, save, shared};

/// A repository with the remotes `r`, which is the default, and `s`.
fn two(world: &World) -> (Repo<'_>, Remote, Remote) {
    let a = shared(world);
    let s = world.remote("s");
    a.haul(&["remote", "add", "s", s.path().to_str().expect("is UTF-8")]).ok();
    a.haul(&["remote", "default", "r"]).ok();
    a.write("big.bin", &data::bytes(1, 2 << 20));
    a.write("many/x.bin", &data::bytes(2, 9000));
    a.write("many/y.bin", &data::bytes(3, 9000));
    save(&a, &["big.bin", "many"], "data");
    (a, world.remote("r"), s)
}

fn has_all(b: &Repo<'_>) {
    assert!(b.read("big.bin") == data::bytes(1, 2 << 20));
    assert!(b.read("many/y.bin") == data::bytes(3, 9000));
}

#[test]
fn what_the_default_remote_never_got_comes_from_another_and_that_is_said_once() {
    let world = World::new();
    let (a, _, _) = two(&world);
    a.haul(&["push", "--remote", "s"]).ok();
    let b = a.clone_as("b");
    let pulled = b.haul(&["pull"]).ok().says("asking remote `s` instead");
    assert_eq!(pulled.stderr().matches("instead").count(), 1, "{pulled}");
    has_all(&b);
    // A remote that was named is meant.
    let c = a.clone_as("c");
    c.haul(&["pull", "--remote", "r"]).fails_with(4);
    assert!(!c.has("big.bin"));
}

#[test]
fn each_root_comes_from_the_remote_that_lists_it() {
    let world = World::new();
    let (a, _, _) = two(&world);
    a.haul(&["push", "big.bin"]).ok();
    a.haul(&["push", "--remote", "s", "many"]).ok();
    let b = a.clone_as("b");
    let plan = b.haul(&["fetch", "--dry-run", "--json"]).ok().json();
    assert_eq!(plan["remote"], "r, s");
    b.haul(&["pull"]).ok();
    has_all(&b);
}

#[test]
fn a_remote_that_is_gone_or_damaged_is_replaced_by_one_that_is_not() {
    let world = World::new();
    let (a, r, s) = two(&world);
    a.haul(&["push"]).ok();
    a.haul(&["push", "--remote", "s"]).ok();
    let one = a.clone_as("one");
    for key in r.keys("p/") {
        r.flip(&key, 100);
    }
    one.haul(&["pull"]).ok().says("asking remote `s` instead");
    has_all(&one);
    for key in r.keys("p/") {
        r.remove(&key);
    }
    for word in ["HEAD:big.bin", "HEAD:many/x.bin"] {
        let cat = a.clone_as(&format!("cat{}", word.len())).haul(&["cat", word]).ok();
        cat.says("asking remote `s` instead");
    }
    let out = a.clone_as("export");
    out.haul(&["export", "HEAD:many", "out"]).ok().says("asking remote `s` instead");
    assert!(out.read("out/y.bin") == data::bytes(3, 9000));
    std::fs::rename(r.path(), world.path("away")).expect("moves");
    let two = a.clone_as("two");
    two.haul(&["ls", "HEAD:many"]).ok().says("asking remote `s` instead");
    two.haul(&["pull"]).ok().says("asking remote `s` instead");
    has_all(&two);
    // Where nobody has it, both are named.
    for key in s.keys("p/") {
        s.remove(&key);
    }
    let refused = a.clone_as("three").haul(&["pull"]).fails_with(4);
    refused.says("is not there").says("error: ");
}

#[test]
fn a_remote_that_was_not_accepted_is_not_turned_to() {
    let world = World::new();
    let (a, _, _) = two(&world);
    a.haul(&["push", "--remote", "s"]).ok();
    let b = a.clone_as("b");
    let r = world.path("r");
    let only = [
        ("HOME", "/nowhere"),
        ("XDG_CONFIG_HOME", "/nowhere"),
        ("HAUL_ACCEPT_REMOTE", r.to_str().expect("is UTF-8")),
    ];
    let refused = b.haul_with(&["pull"], &only).fails_with(4);
    assert!(!refused.stderr().contains("instead"), "{refused}");
    assert_eq!(number(&b.haul(&["pull", "--json"]).ok(), "/fetch/files"), 3);
}
