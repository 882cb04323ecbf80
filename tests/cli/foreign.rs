//! `get`, `import` and `update`: data of another Git repository, without its history.

use crate::harness::{Output, Repo, World, data};
use crate::scene::{assert_clean, number, pulls, save, shared, states};

/// A repository of others, with data of two versions, that serves one commit and files one by one.
pub(crate) fn others(world: &World) -> Repo<'_> {
    let a = shared(world);
    a.write("data/train/x.bin", &data::bytes(1, 200_000));
    a.write("data/train/run", b"#!/bin/sh\n");
    a.set_executable("data/train/run", true);
    a.link("x.bin", "data/train/link");
    a.write("data/val/y.bin", &data::bytes(2, 200_000));
    a.write("model.bin", &data::bytes(3, 300_000));
    save(&a, &["data", "model.bin"], "one");
    a.git(&["tag", "v1"]).ok();
    a.write("model.bin", &data::bytes(4, 300_000));
    save(&a, &["model.bin"], "two");
    a.haul(&["push", "--all"]).ok();
    a.git(&["config", "uploadpack.allowFilter", "true"]).ok();
    a
}

pub(crate) fn url(repo: &Repo) -> String {
    format!("file://{}", repo.path("").display())
}

/// A repository with a remote of its own, `own`, which has nothing of the others.
pub(crate) fn ours(world: &World) -> Repo<'_> {
    let b = world.repo("b");
    b.haul(&["init"]).ok();
    b.haul(&["remote", "add", "own", world.remote("own").path().to_str().expect("is UTF-8")]).ok();
    b.git(&["add", "-A"]).ok();
    b.commit("settings");
    b
}

/// Requires that data and pointers agree, whatever was committed.
pub(crate) fn assert_clean_data(repo: &Repo) {
    assert_eq!(states(repo), Vec::<String>::new());
}

fn head(repo: &Repo) -> String {
    repo.git(&["rev-parse", "HEAD"]).ok().stdout().trim().to_owned()
}

/// Requires that nothing temporary stayed behind.
fn assert_tidy(world: &World, folder: &Repo) {
    let names = folder.tree();
    assert!(names.paths().iter().all(|path| !path.contains("haul-")), "{:?}", names.paths());
    let temp = world.path("b/.git/haul/tmp");
    assert!(!temp.exists() || temp.read_dir().expect("is read").next().is_none());
}

#[test]
fn a_file_a_folder_and_a_part_of_one_are_copied_without_a_repository_around() {
    let world = World::new();
    let a = others(&world);
    let out = world.folder("out");
    let report = out.haul(&["get", &url(&a), "model.bin", "--json"]).ok();
    assert_eq!(out.read("model.bin"), data::bytes(4, 300_000));
    assert_eq!(report.json()["commit"], head(&a).as_str());
    assert!(number(&report, "/requests/received") < 330_000, "{report}");
    out.haul(&["get", &url(&a), "model.bin", "--rev", "v1", "-o", "sub/old.bin"]).ok();
    assert_eq!(out.read("sub/old.bin"), data::bytes(3, 300_000));
    out.haul(&["get", &url(&a), "data/train/"]).ok();
    out.tree_of("train").assert_same(&a.tree_of("data/train"));
    out.haul(&["get", &url(&a), "data/val/y.bin", "-o", "y"]).ok();
    assert_eq!(out.read("y"), data::bytes(2, 200_000));
    // A folder is the address as well, and so is what is above tracked paths.
    out.haul(&["get", "../a", "data", "--rev", &head(&a)]).ok();
    out.tree_of("data").assert_same(&a.tree_of("data"));
    out.haul(&["get", &url(&a), ".", "-o", "all"]).ok();
    assert_eq!(out.read("all/model.bin"), a.read("model.bin"));
    assert!(!out.has("all/haul.toml"));
    assert_tidy(&world, &out);
}

#[test]
fn what_cannot_be_got_is_named_and_nothing_is_written() {
    let world = World::new();
    let a = others(&world);
    let plain = world.repo("plain");
    plain.commit_nothing();
    let out = world.folder("out");
    out.write("there", b"mine");
    let get = |words: &[&str]| out.haul(&[&["get"], words].concat()).fails_with(1);
    get(&[&url(&a), "nothing.bin"]).says("nothing.bin").says("not tracked");
    get(&[&url(&a), "model.bin", "--rev", "v9"]).says("`v9`").says("git ls-remote");
    get(&[&url(&a), "model.bin", "--rev=-v9"]).says("-v9");
    get(&[&url(&a), "model.bin", "--rev", "main:x"]).says("`main:x`");
    get(&[&url(&a), "model.bin", "-o", "there"]).says("`").says("is there already");
    get(&[&url(&plain), "model.bin"]).says("no `haul.toml`");
    get(&["../no-such", "model.bin"]).says("no-such");
    get(&["ext::touch% evil", "model.bin"]).says("not allowed");
    get(&["--", "--upload-pack=touch evil", "model.bin"]);
    get(&[&url(&a), "model.bin", "--max-bytes", "1k"]);
    assert_eq!(out.tree().paths(), ["there"]);
    assert_eq!(out.read("there"), b"mine");
}

#[test]
fn a_remote_of_others_is_used_only_by_who_accepts_it() {
    let world = World::new();
    let a = others(&world);
    let out = world.folder("out");
    std::fs::remove_file(world.home().join(".config/haul/accepted.toml")).expect("removes");
    let remote = world.path("r").display().to_string();
    let words = ["get", &url(&a), "model.bin"];
    let refused = out.haul(&words).fails_with(1).says(&format!("HAUL_ACCEPT_REMOTE={remote}"));
    assert!(!refused.stderr().contains("remote accept"), "{refused}");
    // What belongs to the remotes around says nothing about those of others.
    let own = [("HAUL_REMOTES_R_URL", remote.as_str())];
    out.haul_with(&words, &own).fails_with(1);
    out.haul_with(&words, &[("HAUL_ACCEPT_REMOTE", remote.as_str())]).ok();
    assert_eq!(out.read("model.bin"), a.read("model.bin"));
}

#[test]
fn a_remote_that_is_a_folder_beside_a_worktree_cannot_be_reached_and_says_so() {
    let world = World::new();
    let a = others(&world);
    a.write("haul.toml", b"version = 1\n[remotes.r]\nurl = \"../r\"\n");
    save(&a, &["model.bin"], "relative");
    let out = world.folder("out");
    let output = out.haul(&["get", &url(&a), "model.bin"]).fails_with(1);
    output.says("`../r`").says("haul export");
}

#[test]
fn a_server_that_sends_whole_commits_only_is_good_enough() {
    let world = World::new();
    let a = others(&world);
    a.git(&["config", "uploadpack.allowFilter", "false"]).ok();
    let out = world.folder("out");
    out.haul(&["get", &url(&a), "data/val"]).ok();
    out.tree_of("val").assert_same(&a.tree_of("data/val"));
}

#[test]
fn data_of_a_repository_with_long_hashes_is_got_as_well() {
    let world = World::new();
    let a = world.folder("a");
    a.git(&["init", "--quiet", "--object-format=sha256"]).ok();
    a.haul(&["init"]).ok();
    a.haul(&["remote", "add", "r", world.remote("r").path().to_str().expect("is UTF-8")]).ok();
    a.write("x.bin", &data::bytes(1, 100_000));
    save(&a, &["x.bin"], "data");
    a.haul(&["push"]).ok();
    let out = world.folder("out");
    out.haul(&["get", &url(&a), "x.bin", "--rev", &head(&a)]).ok();
    assert_eq!(out.read("x.bin"), a.read("x.bin"));
}

#[test]
fn imported_data_is_tracked_with_its_origin_and_pushed_to_ones_own_remote() {
    let world = World::new();
    let a = others(&world);
    let b = ours(&world);
    let report = b.haul(&["import", &url(&a), "data/train", "in/train", "--rev", "v1", "--json"]);
    let commit = a.git(&["rev-parse", "v1"]).ok().stdout().trim().to_owned();
    assert_eq!(report.ok().json()["commit"], commit.as_str());
    b.haul(&["import", &url(&a), "model.bin"]).ok();
    let pointer = b.text("in/train.haul");
    for line in [
        &format!("from {}", url(&a)),
        &format!("from-commit {commit}"),
        "from-path data/train",
        "from-rev v1",
    ] {
        assert!(pointer.lines().any(|own| own == line), "{pointer}");
    }
    assert!(!b.text("model.bin.haul").contains("from-rev"));
    b.commit("imports");
    b.haul(&["push"]).ok();
    assert_clean(&b);
    // Nobody needs the others any more.
    std::fs::remove_dir_all(world.path("r")).expect("removes");
    std::fs::remove_dir_all(world.path("a")).expect("removes");
    pulls(&b, "c");
    assert_tidy(&world, &b);
}

#[test]
fn an_import_goes_where_nothing_is() {
    let world = World::new();
    let a = others(&world);
    let b = ours(&world);
    b.write("mine", b"mine");
    b.write("held", b"held");
    b.git(&["add", "held"]).ok();
    let import = |to: &str| b.haul(&["import", &url(&a), "model.bin", to]).fails_with(1);
    import("mine").says("`mine`").says("something else");
    import("held").says("Git has `held`");
    import("../out").says("outside the repository");
    b.haul(&["import", &url(&a), "model.bin"]).ok();
    import("model.bin").says("haul update");
    import("").says("the repository itself");
    assert_eq!((b.read("mine"), b.read("held")), (b"mine".to_vec(), b"held".to_vec()));
    let secret = url(&a).replace("file://", "https://me:hunter2@example.invalid");
    let output = b.haul(&["import", &secret, "model.bin", "x"]).fails_with(1).says("password");
    assert!(!output.to_string().lines().skip(1).any(|line| line.contains("hunter2")), "{output}");
    for user in ["ghp_hunter2", "hunter2:x-oauth-basic"] {
        let address = format!("https://{user}@localhost:1/x.git");
        let output = b.haul(&["import", &address, "model.bin", "x"]).fails_with(1);
        let output = output.says("https://***@localhost:1/x.git").says("committed");
        // Of `get` nothing is committed; what fails is shown without it.
        let got = b.haul(&["get", &address, "model.bin", "-o", "x"]).fails_with(1);
        let got = got.says("git ls-remote");
        for output in [output, got] {
            assert!(
                !output.to_string().lines().skip(1).any(|line| line.contains("hunter2")),
                "{output}"
            );
        }
    }
    assert_tidy(&world, &b);
}

#[test]
fn an_import_that_was_interrupted_is_completed_by_the_same_command() {
    let world = World::new();
    let a = others(&world);
    let b = ours(&world);
    let words = ["import", &url(&a), "data/train", "train"];
    let stopped = [("HAUL_FAILPOINT", "fs.durable.written")];
    b.haul_with(&words, &stopped).dies();
    b.haul(&words).ok();
    b.tree_of("train").assert_same(&a.tree_of("data/train"));
    b.haul(&["untrack", "train"]).ok();
    // As it is when nothing but the rename was done.
    b.haul(&words).ok();
    assert!(b.text("train.haul").contains("from-path data/train"));
}

/// Changes the data of the others.
pub(crate) fn go_on(a: &Repo) {
    a.write("model.bin", &data::bytes(9, 300_000));
    a.write("data/train/new.bin", &data::bytes(10, 100_000));
    a.remove("data/train/run");
    save(a, &["data", "model.bin"], "three");
    a.haul(&["push"]).ok();
}

pub(crate) fn changes(output: &Output) -> Vec<String> {
    let json = output.json();
    let rows = json.get("paths").and_then(|rows| rows.as_array()).expect("is a list");
    let text = |row: &serde_json::Value, key: &str| {
        row.get(key).and_then(|value| value.as_str()).expect("is text").to_owned()
    };
    rows.iter().map(|row| format!("{} {}", text(row, "change"), text(row, "path"))).collect()
}

#[test]
fn an_update_brings_imports_to_what_their_origin_has_now() {
    let world = World::new();
    let a = others(&world);
    let b = ours(&world);
    b.haul(&["import", &url(&a), "data/train", "train"]).ok();
    b.haul(&["import", &url(&a), "model.bin"]).ok();
    b.haul(&["import", &url(&a), "model.bin", "fixed.bin", "--rev", "v1"]).ok();
    b.write("own.bin", b"own");
    b.haul(&["add", "own.bin"]).ok();
    b.commit("imports");
    b.haul(&["push"]).ok();
    let none = b.haul(&["update", "--json"]).ok();
    assert_eq!(changes(&none), ["unchanged fixed.bin", "unchanged model.bin", "unchanged train"]);
    go_on(&a);
    let some = b.haul(&["update", "--json"]).ok();
    assert_eq!(changes(&some), ["unchanged fixed.bin", "updated model.bin", "updated train"]);
    b.tree_of("train").assert_same(&a.tree_of("data/train"));
    assert_eq!(b.read("model.bin"), data::bytes(9, 300_000));
    assert!(b.text("model.bin.haul").contains(&format!("from-commit {}", head(&a))));
    b.git(&["commit", "--quiet", "-am", "update"]).ok();
    b.haul(&["push"]).ok();
    assert_clean(&b);
    b.haul(&["update", "fixed.bin", "--rev", "main"]).ok();
    assert_eq!(b.read("fixed.bin"), data::bytes(9, 300_000));
    assert!(b.text("fixed.bin.haul").contains("from-rev main"));
    b.haul(&["update", "own.bin"]).fails_with(1).says("was not imported");
    assert_tidy(&world, &b);
}

#[test]
fn an_update_never_replaces_what_was_changed_here() {
    let world = World::new();
    let a = others(&world);
    let b = ours(&world);
    b.haul(&["import", &url(&a), "data/train", "train"]).ok();
    b.commit("imports");
    go_on(&a);
    b.write("train/mine", b"mine");
    let output = b.haul(&["update"]).fails_with(1).says("`train` was changed here");
    let output = output.says("hint: move that file away");
    assert!(!output.stderr().contains("--force"), "{output}");
    b.remove("train/mine");
    b.write("train/x.bin", b"mine");
    b.haul(&["update"]).fails_with(1).says("`train` was changed here").says("checkout --force");
    assert_eq!(b.read("train/x.bin"), b"mine");
    // Added, it is one's own and no import any more.
    b.haul(&["add", "train"]).ok();
    assert!(!b.text("train.haul").contains("from"));
    b.haul(&["update", "train"]).fails_with(1).says("was not imported");
}

#[test]
fn an_update_that_was_interrupted_is_completed_by_the_same_command() {
    let world = World::new();
    let a = others(&world);
    let b = ours(&world);
    b.haul(&["import", &url(&a), "data/train", "train"]).ok();
    b.commit("imports");
    go_on(&a);
    // The new data stands there, and the pointer is still the old one.
    b.remove("train");
    b.haul(&["get", &url(&a), "data/train", "-o", "train"]).ok();
    b.haul(&["update"]).ok();
    b.tree_of("train").assert_same(&a.tree_of("data/train"));
    assert!(b.text("train.haul").contains(&format!("from-commit {}", head(&a))));
    assert_clean_data(&b);
    // Nothing stands there.
    b.commit("update");
    a.write("data/train/new.bin", &data::bytes(11, 100_000));
    save(&a, &["data"], "four");
    a.haul(&["push"]).ok();
    b.remove("train");
    b.haul(&["update"]).ok();
    b.tree_of("train").assert_same(&a.tree_of("data/train"));
}

#[test]
fn another_revision_is_followed_though_its_data_is_the_same() {
    let world = World::new();
    let a = others(&world);
    let b = ours(&world);
    a.git(&["tag", "v2"]).ok();
    b.haul(&["import", &url(&a), "model.bin", "--rev", "v2"]).ok();
    b.commit("import");
    a.commit_nothing();
    a.git(&["tag", "v3"]).ok();
    let words = ["update", "--rev", "v3", "model.bin", "--json"];
    assert_eq!(changes(&b.haul(&words).ok()), ["followed model.bin"]);
    let pointer = b.text("model.bin.haul");
    assert!(pointer.contains("from-rev v3\n"), "{pointer}");
    assert!(pointer.contains(&format!("from-commit {}\n", head(&a))), "{pointer}");
    assert_eq!(b.git(&["show", ":model.bin.haul"]).ok().stdout(), pointer);
    assert_clean_data(&b);
    assert_eq!(changes(&b.haul(&words).ok()), ["unchanged model.bin"]);
    // The plain update follows the new one.
    go_on(&a);
    a.git(&["tag", "--force", "v3"]).ok();
    assert_eq!(changes(&b.haul(&["update", "--json"]).ok()), ["updated model.bin"]);
    assert_eq!(b.read("model.bin"), a.read("model.bin"));
}
