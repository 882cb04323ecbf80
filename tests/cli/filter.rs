//! Git hands files to haul: `git add` stores pointers, `git checkout` brings content back.

use crate::harness::{Output, Repo, World, data};
use crate::scene::{shared, states};

/// Makes a repository `a` with a remote `r` that hands `*.bin` to haul.
pub(crate) fn tracking(world: &World) -> Repo<'_> {
    let a = shared(world);
    a.haul(&["track", "*.bin"]).ok();
    a.commit("track");
    a
}

/// Commits everything.
pub(crate) fn save(repo: &Repo<'_>, message: &str) {
    repo.git(&["add", "-A"]).ok();
    repo.commit(message);
}

/// What Git holds of a path.
pub(crate) fn held(repo: &Repo<'_>, rev: &str, path: &str) -> String {
    repo.git(&["cat-file", "blob", &format!("{rev}:{path}")]).ok().stdout().to_owned()
}

/// Requires that Git sees no change.
#[track_caller]
pub(crate) fn assert_settled(repo: &Repo<'_>) {
    let status = repo.git(&["status", "--porcelain"]).ok();
    assert_eq!(status.stdout(), "", "Git sees changes");
}

/// Clones with plain `git` and these variables.
fn clone_with<'w>(world: &'w World, a: &Repo<'w>, name: &str, env: &[(&str, &str)]) -> Repo<'w> {
    let from = a.path("");
    let arguments = ["clone", "--quiet", from.to_str().expect("is UTF-8"), name];
    world.folder(".").git_with(&arguments, env).ok();
    world.folder(name)
}

#[test]
fn git_add_stores_a_pointer_and_keeps_the_file() {
    let world = World::new();
    let a = tracking(&world);
    let content = data::bytes(1, 300_000);
    a.write("x.bin", &content);
    save(&a, "x");
    let pointer = held(&a, "HEAD", "x.bin");
    assert!(pointer.starts_with("haul 1\nkind file\n"), "{pointer}");
    assert!(pointer.contains(&format!("oid b3:{}", blake3::hash(&content).to_hex())), "{pointer}");
    assert!(pointer.contains("size 300000\n"), "{pointer}");
    assert_eq!(a.read("x.bin"), content);
    assert_settled(&a);
    assert!(!a.path(".git/haul/spool").read_dir().is_ok_and(|mut d| d.next().is_some()));
    assert!(a.path(".git/haul/unpushed").read_dir().expect("is there").next().is_some());
}

#[test]
fn versions_come_back_with_git_checkout() {
    let world = World::new();
    let a = tracking(&world);
    for (seed, len) in [(1, 300_000), (2, 0), (3, 10), (4, 9_000_000)] {
        a.write("x.bin", &data::bytes(seed, len));
        a.write("sub/y z.bin", &data::bytes(seed + 10, len / 2));
        save(&a, &format!("v{seed}"));
        a.git(&["tag", &format!("v{seed}")]).ok();
    }
    for (seed, len) in [(1, 300_000), (4, 9_000_000), (2, 0), (3, 10)] {
        a.git(&["checkout", "--quiet", &format!("v{seed}")]).ok();
        assert_eq!(a.read("x.bin"), data::bytes(seed, len), "v{seed}");
        assert_eq!(a.read("sub/y z.bin"), data::bytes(seed + 10, len / 2), "v{seed}");
        assert_settled(&a);
    }
}

#[test]
fn a_clone_gets_the_content_from_the_remote_in_one_batch() {
    let world = World::new();
    let a = tracking(&world);
    for seed in 0..20 {
        a.write(format!("d/{seed}.bin"), &data::bytes(seed, 20_000));
    }
    save(&a, "d");
    a.haul(&["push"]).ok();
    a.haul(&["init", "--global"]).ok();
    let remote = world.remote("r");
    let url = remote.path().to_str().expect("is UTF-8").to_owned();
    let b = clone_with(&world, &a, "b", &[("HAUL_ACCEPT_REMOTE", &url)]);
    b.tree().assert_same(&a.tree());
    assert_settled(&b);
}

#[test]
fn without_the_remote_a_clone_holds_pointers_and_pull_brings_the_content() {
    let world = World::new();
    let a = tracking(&world);
    a.write("x.bin", &data::bytes(1, 100_000));
    a.write("y.bin", &data::bytes(2, 100));
    save(&a, "x");
    a.haul(&["push"]).ok();
    let b = a.clone_as("b");
    assert_eq!(b.text("x.bin"), held(&a, "HEAD", "x.bin"));
    // Git does not call haul there yet.
    b.haul(&["status"]).status();
    b.haul(&["pull"]).says("haul init");
    b.haul(&["init"]).ok();
    b.haul(&["pull"]).ok();
    b.tree().assert_same(&a.tree());
    assert_settled(&b);
}

#[test]
fn git_push_sends_what_filtered_paths_of_every_commit_name() {
    let world = World::new();
    world.folder("hub.git").git(&["init", "--quiet", "--bare"]).ok();
    let a = tracking(&world);
    a.git(&["remote", "add", "origin", "../hub.git"]).ok();
    for seed in [1, 2] {
        a.write("x.bin", &data::bytes(seed, 100_000));
        save(&a, "x");
    }
    let pushed: Output = a.git_hooked(&["push", "origin", "main"]).ok();
    pushed.says("pushed 2 roots");
    for folder in ["unpushed", "packs", "parts"] {
        drop(std::fs::remove_dir_all(a.path(format!(".git/haul/{folder}"))));
    }
    drop(std::fs::remove_file(a.path(".git/haul/index.redb")));
    a.git(&["checkout", "--quiet", "HEAD~1"]).ok();
    assert_eq!(a.read("x.bin"), data::bytes(1, 100_000));
}

#[test]
fn a_change_is_seen_and_the_same_content_gets_the_same_pointer() {
    let world = World::new();
    let a = tracking(&world);
    a.write("x.bin", &data::bytes(1, 300_000));
    save(&a, "one");
    let first = held(&a, "HEAD", "x.bin");
    a.write("x.bin", &data::bytes(2, 300_000));
    assert_eq!(a.git(&["status", "--porcelain"]).ok().stdout(), " M x.bin\n");
    save(&a, "two");
    // Another default cuts new paths only.
    a.haul(&["config", "add.profile", "m16.1"]).ok();
    a.write("x.bin", &data::bytes(1, 300_000));
    a.git(&["add", "x.bin"]).ok();
    a.commit("three");
    assert_eq!(held(&a, "HEAD", "x.bin"), first);
}

#[test]
fn what_a_killed_filter_promised_is_taken_in_later() {
    let world = World::new();
    let a = tracking(&world);
    a.write("x.bin", &data::bytes(1, 50_000));
    // Git has its answers; the filter dies before it takes anything in.
    let added = a.git_with(&["add", "x.bin"], &[("HAUL_FAILPOINT", "filter.answered")]);
    added.status();
    assert!(!a.path(".git/haul/unpushed").exists(), "nothing was taken in");
    a.commit("x");
    assert!(held(&a, "HEAD", "x.bin").starts_with("haul 1\n"));
    a.haul(&["push"]).ok();
    a.haul(&["verify", "HEAD"]).ok();
    let left = a.path(".git/haul/spool").read_dir().expect("is there").count();
    assert_eq!(left, 0);
}

#[test]
fn skipping_leaves_pointers_which_git_add_takes_as_they_are() {
    let world = World::new();
    let a = tracking(&world);
    a.write("x.bin", &data::bytes(1, 100_000));
    save(&a, "x");
    let pointer = held(&a, "HEAD", "x.bin");
    a.remove("x.bin");
    a.git_with(&["checkout", "x.bin"], &[("HAUL_SKIP_SMUDGE", "1")]).ok();
    assert_eq!(a.text("x.bin"), pointer);
    assert_settled(&a);
    a.write("y.bin", pointer.as_bytes());
    a.git(&["add", "y.bin"]).ok();
    assert_eq!(a.git(&["cat-file", "blob", ":y.bin"]).ok().stdout(), pointer);
    a.git(&["rm", "-f", "--quiet", "y.bin"]).ok();
    assert_eq!(states(&a), ["pointer-text x.bin"]);
    a.haul(&["pull"]).ok();
    assert_eq!(a.read("x.bin"), data::bytes(1, 100_000));
    assert_settled(&a);
}

#[test]
fn data_that_nobody_pushed_costs_the_other_files_nothing() {
    let world = World::new();
    let a = tracking(&world);
    a.write("x.bin", &data::bytes(1, 100_000));
    save(&a, "x");
    a.haul(&["push"]).ok();
    a.write("y.bin", &data::bytes(2, 100_000));
    save(&a, "y");
    let b = a.clone_as("b");
    b.haul(&["init"]).ok();
    b.remove("x.bin");
    b.remove("y.bin");
    let remote = world.remote("r");
    let url = remote.path().to_str().expect("is UTF-8").to_owned();
    let commit = a.git(&["rev-parse", "HEAD"]).ok().stdout()[..10].to_owned();
    let out = b.git_with(&["checkout", "."], &[("HAUL_ACCEPT_REMOTE", &url)]).ok();
    out.says("`y.bin` holds its pointer").says(&commit).says("Test").says("haul pull");
    assert_eq!(b.read("x.bin"), data::bytes(1, 100_000));
    assert_eq!(b.text("y.bin"), held(&a, "HEAD", "y.bin"));
}

#[test]
fn a_committed_remote_that_nobody_accepted_is_not_asked_by_a_checkout() {
    let world = World::new();
    let a = tracking(&world);
    a.write("x.bin", &data::bytes(1, 100_000));
    a.write("y.bin", &data::bytes(2, 100_000));
    save(&a, "x");
    a.haul(&["push"]).ok();
    a.haul(&["init", "--global"]).ok();
    std::fs::remove_dir_all(world.home().join(".config/haul")).expect("is there");
    let b = clone_with(&world, &a, "b", &[]);
    assert_eq!(b.text("x.bin"), held(&a, "HEAD", "x.bin"));
    b.remove("x.bin");
    let out = b.git(&["checkout", "--", "x.bin", "y.bin"]).ok();
    out.says("`x.bin` holds its pointer").says("haul remote accept").says("haul pull");
    let url = world.remote("r").path().to_str().expect("is UTF-8").to_owned();
    b.haul_with(&["pull"], &[("HAUL_ACCEPT_REMOTE", &url)]).ok();
    assert_eq!(b.read("x.bin"), data::bytes(1, 100_000));
    assert_settled(&b);
}

#[test]
fn what_only_looks_like_a_pointer_is_asked_of_nobody() {
    let world = World::new();
    world.folder("hub.git").git(&["init", "--quiet", "--bare"]).ok();
    let a = tracking(&world);
    a.git(&["remote", "add", "origin", "../hub.git"]).ok();
    let oid = blake3::hash(b"nobody has this").to_hex();
    a.write("fixture.txt", format!("haul 1\nkind file\noid b3:{oid}\nsize 15\n").as_bytes());
    save(&a, "a fixture");
    a.git_hooked(&["push", "origin", "main"]).ok();
    a.haul(&["push"]).ok();
    a.haul(&["verify", "HEAD"]).ok();
    assert_eq!(states(&a), Vec::<String>::new());
}

#[test]
fn commits_are_read_with_the_attributes_that_they_had() {
    let world = World::new();
    world.folder("hub.git").git(&["init", "--quiet", "--bare"]).ok();
    let a = tracking(&world);
    a.git(&["remote", "add", "origin", "../hub.git"]).ok();
    a.write("x.bin", &data::bytes(1, 100_000));
    save(&a, "handed over");
    a.haul(&["untrack", "*.bin"]).ok();
    a.git(&["add", "--renormalize", "."]).ok();
    a.commit("held by Git");
    a.git_hooked(&["push", "origin", "main"]).ok().says("pushed 1 root");
    a.haul(&["verify", "HEAD~1"]).ok();
    assert_eq!(a.haul(&["cat", "HEAD~1:x.bin"]).ok().bytes(), data::bytes(1, 100_000));
}
