//! Checkouts that cannot have everything: Git's command ends well, soon, and nothing is hidden.

use crate::filter::{assert_settled, held, save, tracking};
use crate::harness::{Output, World, data};
use crate::scene::states;

/// Counts what was asked of remotes.
fn requests(out: &Output) -> usize {
    let asks = |line: &&str| line.contains("remote=") && !line.contains("WARN");
    out.stderr().lines().filter(asks).count()
}

#[test]
fn many_files_that_nobody_pushed_cost_no_request_each() {
    let world = World::new();
    let a = tracking(&world);
    a.write("x.bin", &data::bytes(1, 100_000));
    save(&a, "x");
    a.haul(&["push"]).ok();
    for seed in 0..40 {
        a.write(format!("d/{seed}.bin"), &data::bytes(seed + 2, 1000));
    }
    save(&a, "d");
    let b = a.clone_as("b");
    b.haul(&["init"]).ok();
    b.remove("x.bin");
    b.remove("d");
    let url = world.remote("r").path().to_str().expect("is UTF-8").to_owned();
    let variables = [("HAUL_ACCEPT_REMOTE", url.as_str()), ("HAUL_LOG", "haul::remote=debug")];
    let out = b.git_with(&["checkout", "."], &variables).ok();
    let out = out.says("`d/0.bin` and 39 more files hold their pointers").says("neither on this");
    assert_eq!(b.read("x.bin"), data::bytes(1, 100_000));
    let asked = requests(&out);
    assert!((1..20).contains(&asked), "{asked} requests: {out}");
}

#[test]
fn a_checkout_waits_for_another_haul_and_says_so() {
    let world = World::new();
    let a = tracking(&world);
    a.write("x.bin", &data::bytes(1, 100_000));
    save(&a, "x");
    a.remove("x.bin");
    let push = a.pause_haul(&["push"], "push.before-record");
    let mut checkout = a.pause_git(&["checkout", "--", "x.bin"], "repo.said");
    checkout.hear("another haul is at work", 1);
    push.let_go().ok();
    checkout.let_go().ok();
    assert_eq!(a.read("x.bin"), data::bytes(1, 100_000));
    assert_settled(&a);
}

#[test]
fn an_index_that_cannot_be_opened_leaves_pointers_and_git_goes_on() {
    let world = World::new();
    let a = tracking(&world);
    for name in ["x.bin", "y.bin"] {
        a.write(name, &data::bytes(1, 100_000));
    }
    save(&a, "x");
    for name in ["x.bin", "y.bin", ".git/haul/index.redb"] {
        a.remove(name);
    }
    a.mkdir(".git/haul/index.redb/in/the/way");
    a.git(&["checkout", "--", "."]).ok().says("`x.bin` and 1 more files hold their pointers");
    assert_eq!(a.text("x.bin"), held(&a, "HEAD", "x.bin"));
    a.remove(".git/haul/index.redb");
    a.haul(&["pull"]).ok();
    assert_eq!(a.read("y.bin"), data::bytes(1, 100_000));
}

#[test]
fn the_pointer_of_a_folder_is_none_of_a_file() {
    let world = World::new();
    let a = tracking(&world);
    a.write("d/one", &data::bytes(1, 1000));
    a.haul(&["add", "d"]).ok();
    save(&a, "d");
    let pointer = a.text("d.haul");
    a.write("x.bin", pointer.as_bytes());
    a.git(&["add", "x.bin"]).fails_with(128).says("`x.bin` cannot be taken in").says("a folder");
    // As a hostile commit has it.
    let id = a.git(&["hash-object", "-w", "d.haul"]).ok().stdout().trim().to_owned();
    a.git(&["update-index", "--add", "--cacheinfo", &format!("100644,{id},x.bin")]).ok();
    assert_eq!(states(&a), ["pointer-damaged x.bin"]);
    a.haul(&["pull"]).fails_with(1).says("x.bin");
}

#[test]
fn a_clone_that_got_no_content_says_how_it_goes_on() {
    let world = World::new();
    let a = tracking(&world);
    a.write("x.bin", &data::bytes(1, 100_000));
    save(&a, "x");
    a.haul(&["push"]).ok();
    let top = world.folder(".");
    let remote = world.remote("r").path().to_owned();
    let away = world.path("away");
    std::fs::rename(&remote, &away).expect("is there");
    let next = "haul -C 'c d' pull";
    let url = remote.to_str().expect("is UTF-8");
    let variables = [("HAUL_ACCEPT_REMOTE", url)];
    let clone = ["clone", "a", "c d"];
    top.haul_with(&clone, &variables).fails_with(3).says(next);
    std::fs::rename(&away, &remote).expect("is there");
    top.haul_with(&clone, &variables).fails_with(1).says("a clone of `a` already").says(next);
    top.haul_with(&["-C", "c d", "pull"], &variables).ok();
    assert_eq!(world.folder("c d").read("x.bin"), data::bytes(1, 100_000));
    let little = ["clone", "--max-bytes", "10", "a", "e"];
    top.haul_with(&little, &variables).fails_with(1).says("haul -C e pull").says("with paths");
    // Of another repository nothing is said but what Git says.
    world.repo("f");
    top.haul(&["clone", "a", "f"]).fails_with(1).says("already exists");
}
