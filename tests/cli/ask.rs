//! Questions that a person at a terminal is asked.

use crate::harness::{Repo, World, data};

/// A clone, in the hands of somebody who has not accepted its remote.
fn strangers_clone(world: &World) -> Repo<'_> {
    let a = world.repo("a");
    a.write("x.bin", &data::bytes(1, 5000));
    a.haul(&["init"]).ok();
    a.haul(&["remote", "add", "origin", "../shared"]).ok();
    a.haul(&["add", "x.bin"]).ok();
    a.commit("data");
    a.haul(&["push"]).ok();
    std::fs::remove_dir_all(world.home().join(".config")).expect("forgets what was accepted");
    a.clone_as("b")
}

#[test]
fn pull_asks_on_a_terminal_before_it_uses_a_remote_outside_the_repository() {
    let world = World::new();
    let b = strangers_clone(&world);
    b.haul_on_terminal("haul pull", "n")
        .fails_with(1)
        .prints("[y/N]")
        .prints("remote accept origin");
    assert!(!b.has("x.bin"));
    b.haul_on_terminal("haul pull", "y").ok().prints("[y/N]");
    assert_eq!(b.read("x.bin"), data::bytes(1, 5000));
    // The answer is kept: nobody is asked again, terminal or not.
    b.remove("x.bin");
    b.haul(&["pull"]).ok();
}

#[test]
fn ctrl_c_is_an_answer_too() {
    let world = World::new();
    let b = strangers_clone(&world);
    let output = b.haul_on_terminal_stopped_after("haul pull", "[y/N]").fails_with(130);
    output.prints("error: interrupted");
    assert!(!b.has("x.bin"));
    b.haul_on_terminal("haul pull", "y").ok().prints("[y/N]");
    assert_eq!(b.read("x.bin"), data::bytes(1, 5000));
}

#[test]
fn pull_without_a_terminal_names_the_command_that_accepts() {
    let world = World::new();
    let b = strangers_clone(&world);
    b.haul(&["pull"]).fails_with(1).says("haul remote accept origin");
    b.haul(&["pull", "--json"]).fails_with(1);
    assert!(!b.has("x.bin"));
}

#[test]
fn get_import_and_update_ask_on_a_terminal_before_they_use_a_remote_of_others() {
    let world = World::new();
    let a = world.repo("a");
    a.write("x.bin", &data::bytes(1, 5000));
    a.haul(&["init"]).ok();
    let remote = world.remote("shared");
    a.haul(&["remote", "add", "origin", remote.path().to_str().expect("is UTF-8")]).ok();
    a.haul(&["add", "x.bin"]).ok();
    a.commit("data");
    a.haul(&["push"]).ok();
    let forget = || {
        std::fs::remove_dir_all(world.home().join(".config")).expect("forgets what was accepted");
    };
    forget();
    let out = world.folder("out");
    let url = format!("file://{}", a.path("").display());
    let get = format!("haul get {url} x.bin");
    let refused = out.haul_on_terminal(&get, "n").fails_with(1);
    refused.prints("[y/N]").prints("HAUL_ACCEPT_REMOTE=");
    assert!(!out.has("x.bin"));
    out.haul_on_terminal(&get, "y").ok().prints("[y/N]");
    assert_eq!(out.read("x.bin"), data::bytes(1, 5000));
    // The answer is kept.
    out.haul(&["get", &url, "x.bin", "-o", "y.bin"]).ok();
    let b = world.repo("b");
    b.haul(&["init", "--no-hooks"]).ok();
    forget();
    b.haul_on_terminal(&format!("haul import {url} x.bin"), "y").ok().prints("[y/N]");
    a.write("x.bin", &data::bytes(2, 5000));
    a.haul(&["add", "x.bin"]).ok();
    a.commit("more");
    a.haul(&["push"]).ok();
    forget();
    b.haul(&["update"]).fails_with(1).says("HAUL_ACCEPT_REMOTE=");
    b.haul_on_terminal("haul update", "y").ok().prints("[y/N]");
    assert_eq!(b.read("x.bin"), data::bytes(2, 5000));
}
