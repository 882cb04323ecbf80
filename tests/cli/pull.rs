use crate::harness::{Remote, Repo, World, data};
use crate::push::{ready, take};
use crate::scene::{asked_nothing, assert_clean, number, save, shared, states};

#[test]
fn a_fresh_clone_pulls_everything_without_init() {
    let world = World::new();
    let a = shared(&world);
    a.write("d/one", &data::bytes(1, 300_000));
    a.write("d/run", b"#!/bin/sh\n");
    a.set_executable("d/run", true);
    a.link("one", "d/link");
    a.mkdir("d/empty");
    a.write("f", &data::csv(1, 5000));
    a.write("empty", b"");
    a.mkdir("nothing");
    save(&a, &["d", "f", "empty", "nothing"], "data");
    a.haul(&["push"]).ok();
    let b = a.clone_as("b");
    let output = b.haul(&["pull", "--json"]).ok();
    assert!(!output.stderr().contains("hook"), "{output}");
    b.tree().assert_same(&a.tree());
    assert_clean(&b);
}

#[test]
fn a_pull_of_what_is_here_asks_the_remote_nothing() {
    let world = World::new();
    let a = shared(&world);
    a.write("d/one", &data::bytes(1, 300_000));
    a.write("f", b"2");
    save(&a, &["d", "f"], "data");
    a.haul(&["push"]).ok();
    asked_nothing(&a.haul(&["pull", "--json"]).ok().json()["fetch"]["requests"]);
    let b = a.clone_as("b");
    b.haul(&["pull"]).ok();
    let again = b.haul(&["pull", "--json"]).ok();
    asked_nothing(&again.json()["fetch"]["requests"]);
    asked_nothing(&b.haul(&["fetch", "--json"]).ok().json()["requests"]);
    assert_eq!(number(&again, "/checkout/written"), 0);
}

#[test]
fn only_the_named_files_are_fetched_and_placed() {
    let world = World::new();
    let a = shared(&world);
    for n in 0..40 {
        a.write(format!("d/part{}/{n:02}.bin", n % 4), &data::bytes(n, 60_000));
    }
    a.write("d/[odd]*.bin", &data::bytes(99, 60_000));
    a.write("other", &data::bytes(98, 60_000));
    save(&a, &["d", "other"], "data");
    a.haul(&["push"]).ok();
    let cases: [(&[&str], &[&str]); 5] = [
        (&["d/part1/01.bin"], &["d/part1/01.bin"]),
        (&["d/part*/0[23].bin"], &["d/part2/02.bin", "d/part3/03.bin"]),
        (&["d/**/3?.bin", "d/[odd]*.bin"], &[]),
        (&["d/part0"], &[]),
        (&["other.haul"], &["other"]),
    ];
    for (n, (paths, expected)) in cases.into_iter().enumerate() {
        let b = a.clone_as(&format!("b{n}"));
        let report = b.haul(&[&["pull", "--json"], paths].concat()).ok();
        let placed: Vec<String> = b
            .tree()
            .without(".gitignore")
            .paths()
            .into_iter()
            .filter(|p| b.path(p).is_file() && !a.git(&["ls-files", p]).stdout().contains(*p))
            .map(str::to_owned)
            .collect();
        let wanted = match paths[0] {
            "d/part0" => 10,
            "d/**/3?.bin" => 11,
            _ => expected.len(),
        };
        assert_eq!(placed.len(), wanted, "{paths:?}: {placed:?}");
        assert!(expected.iter().all(|p| placed.iter().any(|q| q == p)), "{paths:?}: {placed:?}");
        for path in &placed {
            assert_eq!(b.read(path), a.read(path), "{path}");
        }
        let received = number(&report, "/fetch/requests/received");
        assert!(received < 60_000 * wanted as u64 + (512 << 10), "{paths:?}: {received}");
        assert!(states(&b).iter().all(|s| s.starts_with("missing") || s.starts_with("unknown")));
    }
}

#[test]
fn paths_that_are_not_there_are_an_error() {
    let world = World::new();
    let a = shared(&world);
    a.write("d/x", b"1");
    save(&a, &["d"], "data");
    a.haul(&["push"]).ok();
    let b = a.clone_as("b");
    for verb in ["fetch", "pull", "checkout"] {
        a.haul(&[verb, "d/no-such"]).fails_with(1).says("hint");
        a.haul(&[verb, "no-such"]).fails_with(1).says("no-such").says("hint");
        a.haul(&[verb, "d/*.txt"]).fails_with(1).says("hint");
    }
    b.haul(&["pull", "d/no-such"]).fails_with(1).says("hint");
}

#[test]
fn an_older_revision_can_be_pulled() {
    let world = World::new();
    let a = shared(&world);
    a.write("d/x", &data::bytes(1, 200_000));
    save(&a, &["d"], "one");
    a.haul(&["push"]).ok();
    a.write("d/x", &data::bytes(2, 200_000));
    save(&a, &["d"], "two");
    a.haul(&["push"]).ok();
    let b = a.clone_as("b");
    b.haul(&["pull"]).ok();
    b.haul(&["pull", "--rev", "HEAD~1"]).ok();
    assert_eq!(b.read("d/x"), data::bytes(1, 200_000));
    b.haul(&["pull"]).ok();
    assert_eq!(b.read("d/x"), data::bytes(2, 200_000));
    assert_clean(&b);
    b.git(&["checkout", "--quiet", "HEAD~1"]).ok();
    b.haul(&["pull"]).ok();
    assert_eq!(b.read("d/x"), data::bytes(1, 200_000));
    assert_clean(&b);
}

#[test]
fn untracked_files_in_a_tracked_folder_survive_a_pull() {
    let world = World::new();
    let a = shared(&world);
    a.write("d/x", b"1");
    save(&a, &["d"], "one");
    a.write("d/y", b"2");
    save(&a, &["d"], "two");
    a.haul(&["push"]).ok();
    let b = a.clone_as("b");
    b.write("d/mine", b"mine");
    b.haul(&["pull"]).ok();
    assert_eq!(b.tree_of("d").paths(), ["mine", "x", "y"]);
    b.write("d/y", b"Y");
    b.remove("d/x");
    b.haul(&["pull"]).fails_with(1).says("`d/y`");
    assert_eq!(b.tree_of("d").paths(), ["mine", "y"]);
}

#[test]
fn a_same_size_change_right_after_a_pull_is_seen() {
    let world = World::new();
    let a = shared(&world);
    a.write("d/x", &data::bytes(1, 100));
    save(&a, &["d"], "one");
    a.haul(&["push"]).ok();
    let b = a.clone_as("b");
    let mine = data::bytes(2, 100);
    for round in 0..30 {
        b.haul(&["pull", "--force"]).ok();
        b.write("d/x", &mine);
        assert_eq!(states(&b), ["modified d/x"], "round {round}");
        if round % 2 == 0 {
            b.haul(&["pull"]).fails_with(1).says("`d/x`");
        }
        assert_eq!(b.read("d/x"), mine, "round {round}");
    }
}

#[test]
fn nobody_pushed_it_is_said_before_anything_changes() {
    let world = World::new();
    let a = shared(&world);
    a.write("first", b"1");
    save(&a, &["first"], "one");
    a.haul(&["push"]).ok();
    a.write("d/x", &data::bytes(1, 200_000));
    save(&a, &["d"], "two");
    let b = a.clone_as("b");
    let before = b.tree();
    b.haul(&["pull"]).fails_with(4).says("`d`").says("haul push");
    b.tree().assert_same(&before);
    b.haul(&["pull", "first"]).ok();
}

#[test]
fn more_than_allowed_is_refused_before_it_is_fetched() {
    let world = World::new();
    let a = shared(&world);
    a.write("f", &data::bytes(1, 200_000));
    save(&a, &["f"], "one");
    a.haul(&["push"]).ok();
    let b = a.clone_as("b");
    b.haul(&["pull", "--max-bytes", "100k"]).fails_with(1).says("--max-bytes");
    assert!(!b.has("f"));
    b.haul(&["pull", "--max-bytes", "1M"]).ok();
}

#[test]
fn fetch_leaves_the_worktree_as_it_is() {
    let world = World::new();
    let a = shared(&world);
    a.write("f", &data::bytes(1, 200_000));
    save(&a, &["f"], "one");
    a.git(&["tag", "v1"]).ok();
    a.write("f", &data::bytes(2, 200_000));
    save(&a, &["f"], "two");
    a.haul(&["push", "--all"]).ok();
    let b = a.clone_as("b");
    let before = b.tree();
    b.haul(&["fetch", "--all"]).ok();
    b.tree().assert_same(&before);
    world.folder("").remove("r");
    b.haul(&["checkout"]).ok();
    assert_eq!(b.read("f"), data::bytes(2, 200_000));
    b.git(&["checkout", "--quiet", "v1"]).ok();
    b.haul(&["pull"]).ok();
    assert_eq!(b.read("f"), data::bytes(1, 200_000));
}

#[test]
fn what_the_catalogue_had_last_time_is_fetched_without_listing_it_again() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    a.write("d/x.bin", &data::bytes(1, 300_000));
    a.write("d/y.bin", &data::bytes(2, 300_000));
    take(&a, "d");
    a.haul(&["push"]).ok();
    let b = a.clone_as("b");
    let lists = |path: &str| {
        let report = b.haul(&["fetch", path, "--json"]).ok().json();
        report["requests"]["list"].as_u64().expect("is counted")
    };
    assert_eq!(lists("d/x.bin"), 1);
    assert_eq!(lists("d/y.bin"), 0);
    a.write("z.bin", &data::bytes(3, 300_000));
    take(&a, "z.bin");
    a.haul(&["push"]).ok();
    b.git(&["pull", "--quiet"]).ok();
    assert_eq!(lists("z.bin"), 1);
    b.haul(&["pull"]).ok();
    b.tree().assert_same(&a.tree());
}

/// Deletes what of the cache can be made again, as people do who lack room.
fn forget(repo: &Repo, more: &[&str]) {
    for name in [&["packs", "parts", "index.redb"], more].concat() {
        let path = format!(".git/haul/{name}");
        if repo.has(&path) {
            repo.remove(&path);
        }
    }
}

/// Writes one version of a file and of a folder, large and small, adds them and pushes.
fn publish(repo: &Repo, seed: u64) {
    for (n, name, size) in
        [(0, "f", 300_000), (1, "small", 100), (2, "d/x", 200_000), (3, "d/tiny", 30)]
    {
        repo.write(name, &data::bytes(10 * seed + n, size));
    }
    save(repo, &["f", "small", "d"], "a version");
    repo.haul(&["push"]).ok();
}

#[test]
fn what_a_commit_names_and_the_remote_has_is_no_unsaved_work_after_the_cache_was_deleted() {
    for more in [&[][..], &["stat.redb"]] {
        let world = World::new();
        let a = shared(&world);
        publish(&a, 1);
        let b = a.clone_as("b");
        b.haul(&["pull"]).ok();
        publish(&a, 2);
        forget(&b, more);
        b.git(&["pull", "--quiet"]).ok();
        let plan = b.haul(&["pull", "--dry-run", "--json"]).ok().json();
        assert_eq!(plan["checkout"]["refused"], serde_json::json!([]), "{plan}");
        b.haul(&["pull"]).ok();
        b.tree().assert_same(&a.tree());
        assert_clean(&b);
    }
}

#[test]
fn what_no_commit_names_or_the_remote_lost_stays_unsaved_after_the_cache_was_deleted() {
    let world = World::new();
    let a = shared(&world);
    publish(&a, 1);
    let remote = Remote::at(world.path("r"));
    let first = remote.keys("p/");
    let b = a.clone_as("b");
    b.haul(&["pull"]).ok();
    publish(&a, 2);
    b.git(&["pull", "--quiet"]).ok();
    for (name, bytes) in [("f", data::bytes(10, 300_000)), ("d/x", data::bytes(12, 200_000))] {
        b.write(name, &data::bytes(77, 1000));
        forget(&b, &[]);
        let plan = b.haul(&["pull", "--dry-run"]).ok();
        assert!(plan.stdout().contains(&format!("changed   {name}\n")), "{plan}");
        b.haul(&["pull"]).fails_with(1).says(&format!("`{name}` would be overwritten"));
        assert_eq!(b.read(name), data::bytes(77, 1000));
        b.write(name, &bytes);
    }
    // The bytes of the first version are nowhere else now.
    for key in &first {
        remote.remove(key);
    }
    forget(&b, &[]);
    let before = b.tree();
    b.haul(&["pull"]).fails_with(1).says("`f`").says("`d/x`").says("would be overwritten");
    b.tree().assert_same(&before);
}

/// After a power cut, a pack of the cache may be holes.
#[test]
fn a_pull_fetches_again_what_turns_out_to_be_damaged_here() {
    let world = World::new();
    let a = shared(&world);
    publish(&a, 1);
    let b = a.clone_as("b");
    b.haul(&["pull"]).ok();
    let parts = Remote::at(b.path(".git/haul/parts"));
    let all = parts.keys("");
    assert!(!all.is_empty());
    for key in &all {
        parts.write(key, &vec![0; parts.read(key).len()]);
    }
    for name in ["f", "small", "d/x", "d/tiny"] {
        b.remove(name);
    }
    let report = b.haul(&["pull", "--json"]).ok();
    assert_eq!(number(&report, "/checkout/written"), 4);
    assert!(number(&report, "/fetch/fetched_bytes") > 0);
    b.tree().assert_same(&a.tree());
    asked_nothing(&b.haul(&["pull", "--json"]).ok().json()["fetch"]["requests"]);
}

#[test]
fn a_pull_that_fetches_again_leaves_what_the_worktree_has() {
    let world = World::new();
    let a = shared(&world);
    for n in 0..8 {
        a.write(format!("d/{n}"), &data::bytes(n, 100_000));
    }
    save(&a, &["d"], "data");
    a.haul(&["push"]).ok();
    let b = a.clone_as("b");
    b.haul(&["pull"]).ok();
    b.haul(&["evict", "--all", "--yes"]).ok();
    a.write("d/1", &data::bytes(100, 100_000));
    save(&a, &["d"], "one changed");
    a.haul(&["push"]).ok();
    b.git(&["pull", "--quiet"]).ok();
    b.haul(&["pull"]).ok();
    let parts = Remote::at(b.path(".git/haul/parts"));
    for key in parts.keys("") {
        parts.write(&key, &vec![0; parts.read(&key).len()]);
    }
    b.remove("d/1");
    let report = b.haul(&["pull", "--max-bytes", "200K", "--json"]).ok();
    assert_eq!(number(&report, "/fetch/fetched_bytes"), 100_000, "{report}");
    b.tree().assert_same(&a.tree());
}

#[test]
fn a_remote_that_is_not_set_up_is_an_error_also_if_everything_is_here() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    a.write("x.bin", b"x");
    take(&a, "x.bin");
    for verb in ["pull", "fetch"] {
        a.haul(&[verb, "--remote", "nosuch"]).fails_with(1).says("nosuch").says("`origin`");
    }
}
