//! `haul push`: what it sends, what it asks, what it says when it cannot.

use crate::harness::{Output, Remote, Repo, World, data};

/// A repository with a remote and nothing tracked.
pub(crate) fn ready<'a>(world: &'a World, name: &str, remote: &Remote) -> Repo<'a> {
    let a = world.repo(name);
    a.haul(&["init"]).ok();
    a.haul(&["remote".as_ref(), "add".as_ref(), "origin".as_ref(), remote.as_arg()]).ok();
    a
}

/// Adds and commits.
pub(crate) fn take(repo: &Repo, path: &str) {
    repo.haul(&["add", path]).ok();
    repo.commit(path);
}

/// Adds, commits and pushes.
pub(crate) fn send(repo: &Repo, path: &str) {
    take(repo, path);
    repo.haul(&["push"]).ok();
}

/// A repository whose `x.bin` is on the remote.
pub(crate) fn pushed<'a>(world: &'a World, remote: &Remote) -> Repo<'a> {
    let a = ready(world, "a", remote);
    a.write("x.bin", &data::bytes(1, 300_000));
    send(&a, "x.bin");
    a
}

/// A repository whose Git remote is an empty one.
fn with_hub<'a>(world: &'a World, remote: &Remote) -> Repo<'a> {
    world.folder("hub.git").git(&["init", "--quiet", "--bare"]).ok();
    let a = ready(world, "a", remote);
    a.git(&["remote", "add", "origin", "../hub.git"]).ok();
    a
}

/// Requests that a command reports with `--json`.
pub(crate) fn requests(output: &Output) -> u64 {
    let report = output.json();
    let one = |name: &str| {
        let found = report.pointer(&format!("/requests/{name}"));
        found.and_then(serde_json::Value::as_u64).expect("is counted")
    };
    one("list") + one("get") + one("put") + one("head")
}

/// Bytes that a push reports to have sent.
pub(crate) fn sent(output: &Output) -> u64 {
    let report = output.json();
    report.get("sent_bytes").and_then(serde_json::Value::as_u64).expect("is counted")
}

#[test]
fn a_push_of_nothing_new_asks_three_times_at_most_and_six_times_cold() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    let warm = a.haul(&["push", "--json"]).ok();
    assert!(requests(&warm) <= 3, "{warm}");
    let b = a.clone_as("b");
    b.commit_nothing();
    let cold = b.haul(&["push", "--json"]).ok();
    assert!(requests(&cold) <= 6, "{cold}");
}

#[test]
fn roots_that_git_does_not_have_yet_get_a_push_record_even_if_nothing_is_sent() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    let (records, packs) = (remote.keys("i/u-").len(), remote.keys("p/").len());
    let again = a.haul(&["push", "--json"]).ok();
    assert_eq!(sent(&again), 0);
    assert_eq!(remote.keys("i/u-").len(), records + 1);
    assert_eq!(remote.keys("p/").len(), packs);
    assert_eq!(remote.keys("repos/").len(), 1);
}

#[test]
fn objects_on_the_remote_follow_bytes_and_not_files() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    for file in 0..500u64 {
        a.write(format!("d/{file:03}"), &data::bytes(file, 300));
    }
    send(&a, "d");
    // One pack of data, one of nodes, `format`, the repository, the push record.
    assert_eq!(remote.keys("").len(), 5);
}

#[test]
fn a_missing_remote_folder_ends_with_exit_code_3() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    a.write("x.bin", &data::bytes(1, 3000));
    take(&a, "x.bin");
    std::fs::remove_dir_all(remote.path()).expect("removes the remote");
    a.haul(&["push"]).fails_with(3).says("no such folder");
    a.haul(&["verify"]).fails_with(3);
    assert!(!remote.path().exists(), "an unmounted disk is not written below");
    std::fs::create_dir(remote.path()).expect("mounts it again");
    a.haul(&["push"]).ok();
    a.haul(&["verify"]).ok();
}

#[test]
fn data_that_nobody_pushed_is_named_with_what_to_do() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    a.write("dir/x.bin", &data::bytes(1, 300_000));
    take(&a, "dir/x.bin");
    let b = a.clone_as("b");
    b.haul(&["pull"]).fails_with(4).says("dir/x.bin").says("haul push");
    assert!(!b.has("dir/x.bin"));
}

#[test]
fn a_damaged_local_pack_is_not_sent_and_an_add_mends_it() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    a.write("x.bin", &data::bytes(1, 300_000));
    take(&a, "x.bin");
    let packs = Remote::at(a.path(".git/haul/unpushed"));
    let largest = packs.keys("").into_iter().max_by_key(|key| packs.bytes(key)).expect("is one");
    packs.flip(&largest, 1000);
    a.haul(&["push"]).fails_with(4).says("x.bin").says("haul add");
    assert!(remote.keys("i/u-").is_empty(), "no record names a damaged pack");
    a.haul(&["add", "x.bin"]).ok();
    a.haul(&["push"]).ok();
    let b = a.clone_as("b");
    b.haul(&["pull"]).ok();
    assert_eq!(b.read("x.bin"), a.read("x.bin"));
}

#[test]
fn a_push_that_died_half_way_does_not_send_the_same_packs_again() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    a.write("x.bin", &data::bytes(1, 150 << 20));
    take(&a, "x.bin");
    // The first two writes are `format` and a pack.
    let one = [("HAUL_FAILPOINT", "remote.put.after:3"), ("HAUL_JOBS", "1")];
    a.haul_with(&["push"], &one).dies();
    let packs = || remote.bytes("p/") + remote.bytes("m/");
    let there = packs();
    assert!(there > 0 && remote.keys("i/").is_empty());
    let again = a.haul(&["push", "--json"]).ok();
    assert_eq!(there + sent(&again), packs(), "{again}");
    a.haul(&["verify"]).ok();
}

#[test]
fn a_second_remote_gets_everything_and_the_packs_stay_until_the_default_has_them() {
    let world = World::new();
    let (first, second) = (world.remote("r"), world.remote("s"));
    let a = ready(&world, "a", &first);
    a.haul(&["remote".as_ref(), "add".as_ref(), "other".as_ref(), second.as_arg()]).ok();
    a.haul(&["remote", "default", "origin"]).ok();
    a.write("x.bin", &data::bytes(1, 300_000));
    take(&a, "x.bin");
    a.haul(&["push", "--remote", "other"]).ok();
    a.haul(&["verify", "--remote", "other"]).ok();
    let kept = Remote::at(a.path(".git/haul/unpushed")).keys("").len();
    assert_eq!(kept, 2, "data and nodes");
    a.haul(&["push"]).ok();
    assert_eq!(Remote::at(a.path(".git/haul/unpushed")).keys("").len(), 0);
    // Pushed, but still here: another remote can have it.
    a.write("y.bin", &[data::bytes(1, 300_000), data::bytes(2, 100_000)].concat());
    send(&a, "y.bin");
    a.haul(&["push", "--remote", "other"]).ok();
    a.haul(&["verify", "--remote", "other"]).ok();
}

#[test]
fn a_git_remote_that_cannot_be_reached_is_warned_about_and_all_is_pushed() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    a.git(&["remote", "add", "origin", "/no/such/repository"]).ok();
    a.write("x.bin", &data::bytes(1, 300_000));
    take(&a, "x.bin");
    a.haul(&["push"]).ok().says("could not ask the Git remote `origin`");
    let c = a.clone_as("c");
    c.haul(&["pull"]).ok();
    assert_eq!(c.read("x.bin"), a.read("x.bin"));
}

#[test]
fn after_33_pushes_a_run_holds_their_records_and_every_version_still_pulls() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    for version in 0..34 {
        a.write("x.bin", &data::bytes(version, 1000));
        send(&a, "x.bin");
    }
    assert_eq!((remote.keys("i/r-").len(), remote.keys("i/u-").len()), (1, 34));
    let b = a.clone_as("b");
    let cold = b.haul(&["fetch", "--rev", "HEAD~33", "--json"]).ok();
    // The listing, `format`, the run, the content, and each record: those that the run holds are not
    // left out yet. All of the catalogue comes in one wave.
    assert!(requests(&cold) <= 4 + 34, "{cold}");
    assert!(cold.json()["requests"]["waves"].as_u64().is_some_and(|waves| waves <= 3), "{cold}");
    b.git(&["checkout", "--quiet", "HEAD~33"]).ok();
    b.haul(&["pull"]).ok();
    assert_eq!(b.read("x.bin"), data::bytes(0, 1000));
    b.git(&["checkout", "--quiet", "main"]).ok();
    b.haul(&["pull"]).ok();
    assert_eq!(b.read("x.bin"), data::bytes(33, 1000));
}

#[test]
fn an_index_that_was_deleted_is_made_again() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    a.write("x.bin", &data::bytes(1, 300_000));
    take(&a, "x.bin");
    a.remove(".git/haul/index.redb");
    a.haul(&["push"]).ok();
    a.remove(".git/haul/index.redb");
    a.write("x.bin", &[data::bytes(1, 300_000), data::bytes(2, 1000)].concat());
    take(&a, "x.bin");
    let second = a.haul(&["push", "--json"]).ok();
    assert!(sent(&second) < 200_000, "{second}");
    let b = a.clone_as("b");
    b.haul(&["pull"]).ok();
    assert_eq!(b.read("x.bin"), a.read("x.bin"));
}

#[test]
fn two_clones_push_at_once_and_each_finds_everything() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    a.write("base.bin", &data::bytes(1, 300_000));
    send(&a, "base.bin");
    let b = a.clone_as("b");
    // The same content under one name, other content under another.
    for (repo, seed) in [(&a, 10), (&b, 20)] {
        repo.write("same.bin", &data::bytes(2, 500_000));
        repo.write("own.bin", &data::bytes(seed, 500_000));
        take(repo, "same.bin");
        take(repo, "own.bin");
    }
    std::thread::scope(|scope| {
        for repo in [&a, &b] {
            scope.spawn(|| repo.haul(&["push"]).ok());
        }
    });
    for (repo, name) in [(&a, "c"), (&b, "d")] {
        repo.haul(&["verify"]).ok();
        let clone = repo.clone_as(name);
        clone.haul(&["pull"]).ok();
        assert_eq!(clone.read("own.bin"), repo.read("own.bin"));
        assert_eq!(clone.read("same.bin"), repo.read("same.bin"));
    }
}

#[test]
fn two_commands_in_one_repository_wait_for_each_other() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    for name in ["x", "y", "z"] {
        a.write(format!("{name}.bin"), &data::bytes(7, 2_000_000));
        take(&a, &format!("{name}.bin"));
    }
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| a.haul(&["push"]).ok());
        }
    });
    a.haul(&["verify"]).ok();
}

#[test]
fn what_head_names_is_sent_though_git_has_it_and_another_version_is_staged() {
    let world = World::new();
    let remote = world.remote("r");
    let a = with_hub(&world, &remote);
    a.write("x.bin", &data::bytes(1, 100_000));
    take(&a, "x.bin");
    a.git(&["push", "--quiet", "origin", "HEAD:main"]).ok();
    a.write("x.bin", &data::bytes(2, 100_000));
    a.haul(&["add", "x.bin"]).ok();
    a.haul(&["push"]).ok();
    let b = a.clone_as("b");
    b.haul(&["pull"]).ok();
    assert_eq!(b.read("x.bin"), data::bytes(1, 100_000));
    a.commit("second");
    b.git(&["pull", "--quiet"]).ok();
    b.haul(&["pull"]).ok();
    assert_eq!(b.read("x.bin"), data::bytes(2, 100_000));
}

#[test]
fn a_broken_pointer_of_head_that_is_mended_by_now_is_in_the_way_of_no_other() {
    let world = World::new();
    let remote = world.remote("r");
    let a = with_hub(&world, &remote);
    a.write("x.bin", &data::bytes(1, 100_000));
    a.write("y.bin", &data::bytes(3, 1000));
    a.haul(&["add", "x.bin", "y.bin"]).ok();
    let sound = a.read("y.bin.haul");
    a.write("y.bin.haul", b"haul 1\n<<<<<<< ours\n");
    a.git(&["add", "-A"]).ok();
    a.commit("with a conflict");
    a.git(&["push", "--quiet", "origin", "HEAD:main"]).ok();
    a.write("y.bin.haul", &sound);
    a.write("x.bin", &data::bytes(2, 100_000));
    a.haul(&["add", "x.bin", "y.bin"]).ok();
    a.haul(&["push"]).ok();
    let b = a.clone_as("b");
    b.haul(&["pull", "x.bin"]).ok();
    assert_eq!(b.read("x.bin"), data::bytes(1, 100_000));
}
