//! `--dry-run`: what each verb that acts says it would do, held against what it does then.

use crate::harness::{Output, Repo, World, data};
use crate::help::VERBS;
use crate::push::{ready, requests, sent};
use crate::scene::{number, save, shared};

/// Verbs that act and have no `--dry-run`, each with the reason.
const WITHOUT: [(&str, &str); 8] = [
    ("remote", "its verbs change one setting; `remote sync`, which moves data, has it"),
    ("hooks", "its verbs that act have it"),
    ("evict", "a plan without `--yes`"),
    ("gc", "a plan without `--yes`"),
    ("fsck", "looks only without `--repair`"),
    ("config", "changes the one setting that is named"),
    ("man", "writes pages into the folder that is named"),
    ("demo", "works in a temporary folder"),
];

/// Verbs that only look.
const LOOK: [&str; 11] = [
    "status",
    "diff",
    "log",
    "ls",
    "cat",
    "check-ignore",
    "verify",
    "ci",
    "du",
    "doctor",
    "completions",
];

#[test]
fn each_verb_that_acts_can_be_asked_for_a_plan() {
    let world = World::new();
    let any = world.folder("any");
    for verb in VERBS {
        let excused = LOOK.contains(&verb) || WITHOUT.iter().any(|(name, _)| *name == verb);
        let help = any.haul(&[verb, "--help"]).ok();
        assert_eq!(help.stdout().contains("--dry-run"), !excused, "{help}");
    }
    for verb in [["remote", "sync"], ["hooks", "install"], ["hooks", "uninstall"]] {
        any.haul(&[verb[0], verb[1], "--help"]).ok().prints("--dry-run");
    }
}

/// Requires that a plan kept what it said: exactly as many requests for content, or not more in all.
fn kept(plan: &Output, done: &Output) {
    let (planned, made) = (number(plan, "/requests"), requests(done));
    assert!(made <= planned, "{made} requests were made of {planned} planned\n{plan}\n{done}");
    assert!(planned <= 2 * made + 10, "{planned} requests were planned for {made}");
}

fn push_as_planned(repo: &Repo, further: &[&str]) -> (Output, Output) {
    let before = repo.tree();
    let plan = repo.haul(&[&["push", "--dry-run", "--json"], further].concat()).ok();
    repo.tree().assert_same(&before);
    let done = repo.haul(&[&["push", "--json"], further].concat()).ok();
    kept(&plan, &done);
    assert!(sent(&done) <= number(&plan, "/bytes"), "{plan}\n{done}");
    assert!(number(&done, "/packs") <= number(&plan, "/packs"), "{plan}\n{done}");
    assert_eq!(number(&plan, "/new_bytes"), number(&done, "/new_bytes"), "{plan}\n{done}");
    assert_eq!(number(&plan, "/logical_bytes"), number(&done, "/logical_bytes"));
    assert_eq!(number(&plan, "/reused_roots"), number(&done, "/reused_roots"));
    (plan, done)
}

#[test]
fn a_push_sends_no_more_than_its_plan_says_in_no_more_requests() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    for name in 0..20 {
        a.write(format!("data/{name}.bin"), &data::bytes(name, 200_000));
    }
    save(&a, &["data"], "first");
    let (plan, done) = push_as_planned(&a, &[]);
    assert_eq!((number(&plan, "/files"), number(&plan, "/packs")), (20, 2), "{plan}");
    assert_eq!(number(&plan, "/bytes"), sent(&done));
    // Nothing is new.
    assert_eq!(number(&push_as_planned(&a, &[]).0, "/bytes"), 0);
    // A part is new.
    a.write("data/3.bin", &data::bytes(100, 200_000));
    a.write("few.txt", b"few");
    a.write("large.bin", &data::bytes(7, 8 << 20));
    save(&a, &["data", "few.txt", "large.bin"], "second");
    let (plan, _) = push_as_planned(&a, &[]);
    assert_eq!(number(&plan, "/roots") - number(&plan, "/reused_roots"), 3);
    // A clone whose cache is empty stores all of it, and finds out what the remote has.
    let b = a.clone_as("b");
    for name in 0..20 {
        b.write(format!("data/{name}.bin"), &data::bytes(name, 200_000));
    }
    b.write("data/new.bin", &data::bytes(101, 200_000));
    b.write("large.bin", &[&data::bytes(7, 8 << 20)[..], b"appended"].concat());
    save(&b, &["data", "large.bin"], "third");
    let (plan, done) = push_as_planned(&b, &[]);
    assert!(number(&plan, "/bytes") < 2 << 20, "{plan}");
    assert!(sent(&done) < 1 << 20, "{done}");
    a.haul(&["push", "--dry-run"]).ok().says("would push").says("0 B new").says("requests");
}

#[test]
fn a_push_of_a_plan_that_cannot_be_made_says_why() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    a.write("x.bin", b"some content");
    save(&a, &["x.bin"], "x");
    a.haul(&["push"]).ok();
    std::fs::remove_dir_all(remote.path()).expect("is removed");
    a.haul(&["push", "--dry-run"]).fails_with(3).says("hint: ");
}

#[test]
fn fetch_pull_and_export_ask_for_content_as_often_as_they_planned() {
    let world = World::new();
    let a = shared(&world);
    for name in 0..30 {
        a.write(format!("data/{name:02}.bin"), &data::bytes(name, 300_000));
    }
    a.write("x.bin", &data::bytes(50, 9 << 20));
    save(&a, &["data", "x.bin"], "data");
    a.haul(&["push"]).ok();
    for (name, verb, further) in [
        ("b", "fetch", &[][..]),
        ("c", "pull", &[]),
        ("d", "export", &["HEAD:data", "out"]),
        ("e", "fetch", &["data/03.bin", "data/17.bin"]),
    ] {
        let repo = a.clone_as(name);
        let words = [&[verb, "--json"][..], further].concat();
        let plan = repo.haul(&[&words[..], &["--dry-run"]].concat()).ok();
        assert!(!repo.has("x.bin") && !repo.has("out"));
        let done = repo.haul(&words).ok();
        let at = if verb == "pull" { "/fetch" } else { "" };
        let planned = number(&plan, "/requests");
        let (get, list) = (format!("{at}/requests/get"), format!("{at}/requests/list"));
        assert_eq!((number(&done, &get), number(&done, &list)), (planned, 0), "{plan}\n{done}");
        let received = number(&done, &format!("{at}/requests/received"));
        assert_eq!(received, number(&plan, "/receive_bytes"), "{plan}\n{done}");
        assert!(planned > 0, "{plan}");
        // All is here by now.
        let again = repo.haul(&["fetch", "--dry-run", "--json", "data/03.bin"]).ok();
        assert_eq!(number(&again, "/requests"), 0, "{again}");
    }
}

#[test]
fn a_sync_copies_what_its_plan_says_in_no_more_requests() {
    let world = World::new();
    let a = shared(&world);
    let s = world.remote("s");
    a.haul(&["remote", "add", "s", s.path().to_str().expect("is UTF-8")]).ok();
    a.haul(&["remote", "default", "r"]).ok();
    for version in 0..3 {
        a.write("data/x.bin", &data::bytes(version, 9 << 20));
        save(&a, &["data"], "data");
        a.haul(&["push"]).ok();
        let words = ["remote", "sync", "r", "s", "--json"];
        let plan = a.haul(&[&words[..], &["--dry-run"]].concat()).ok();
        let done = a.haul(&words).ok();
        kept(&plan, &done);
        for figure in ["/roots", "/reused_roots", "/packs", "/bytes"] {
            assert_eq!(number(&plan, figure), number(&done, figure), "{figure}\n{plan}\n{done}");
        }
        assert_eq!(number(&a.haul(&[&words[..], &["--dry-run"]].concat()).ok(), "/bytes"), 0);
    }
    a.haul(&["remote", "sync", "r", "s", "--dry-run"]).ok().says("would copy 0 roots");
}

#[test]
fn init_and_hooks_say_what_they_would_set_up_and_set_nothing_up() {
    let world = World::new();
    let a = world.repo("a");
    let before = (a.tree(), a.text(".git/config"));
    let plan = a.haul(&["init", "--dry-run", "--json"]).ok().json();
    assert_eq!(plan["created"], serde_json::json!(["haul.toml", ".gitattributes"]));
    a.haul(&["init", "--dry-run"]).ok().says("would set up haul").says("5 Git hooks");
    a.haul(&["init", "--dry-run", "--no-hooks"]).ok().says("`haul.toml`, `.gitattributes`");
    a.tree().assert_same(&before.0);
    assert!(!a.has(".git/hooks/pre-push"));
    assert_eq!(a.text(".git/config"), before.1);
    a.haul(&["init", "--no-hooks"]).ok();
    a.haul(&["init", "--no-hooks", "--dry-run"]).ok().says("is set up already");
    a.haul(&["hooks", "install", "--dry-run"]).ok().says("0 of 5").says("5 would change");
    assert!(!a.has(".git/hooks/pre-push"));
    a.haul(&["hooks", "install"]).ok();
    a.haul(&["hooks", "uninstall", "--dry-run"]).ok().says("5 of 5").says("5 would change");
    assert!(a.has(".git/hooks/pre-push"));
}

#[test]
fn track_says_which_files_a_pattern_would_take_and_writes_no_line() {
    let world = World::new();
    let a = shared(&world);
    a.write("one.bin", &data::bytes(1, 1000));
    a.write("sub/two.bin", &data::bytes(2, 500));
    a.write("three.txt", b"text");
    a.write("own.bin", &data::bytes(3, 70_000));
    save(&a, &["own.bin"], "own");
    let before = (a.tree(), a.git(&["status", "--porcelain"]).ok().stdout().to_owned());
    let plan = a.haul(&["track", "--dry-run", "--json", "*.bin", "sub/**"]).ok();
    assert_eq!((number(&plan, "/files"), number(&plan, "/bytes")), (2, 1500), "{plan}");
    assert_eq!(plan.json()["converted"][0]["path"], "own.bin", "{plan}");
    let all = a.haul(&["track", "--dry-run", "*"]).ok();
    all.says("would write 1 new pattern, for 3 files, 1.5 KiB");
    a.haul(&["track", "--dry-run", ".gitignore"]).fails_with(1).says("stays in Git in any case");
    let told = a.haul(&["track", "--dry-run", "*.txt"]).ok();
    told.says("would write 1 new pattern, for 1 file, 4 B");
    a.tree().assert_same(&before.0);
    assert_eq!(a.git(&["status", "--porcelain"]).ok().stdout(), before.1);
    a.haul(&["track", "*.bin"]).ok().says("1 new pattern");
}

#[test]
fn merge_says_what_would_merge_and_what_is_in_conflict_and_writes_nothing() {
    let world = World::new();
    let a = shared(&world);
    for name in 0..20 {
        a.write(format!("dir/{name}"), &data::bytes(name, 5000));
    }
    save(&a, &["dir"], "start");
    a.git(&["branch", "base"]).ok();
    for (branch, own) in [("one", 100), ("two", 101), ("three", 102)] {
        a.git_hooked(&["checkout", "--quiet", "-b", branch, "base"]).ok();
        a.write(format!("dir/{own}"), &data::bytes(own, 6000));
        let shared = if branch == "three" { "dir/1" } else { "dir/0" };
        a.write(shared, &data::bytes(own, 5000));
        save(&a, &["dir"], branch);
    }
    // As a forge leaves it: conflicts in pointers, which nobody merged.
    a.git(&["config", "--remove-section", "merge.haul"]).ok();
    for (other, code, conflicts) in [("one", 0, 0), ("two", 1, 1)] {
        a.git_hooked(&["merge", "--quiet", "--no-edit", other]).fails_with(1);
        let before = (a.tree(), a.git(&["ls-files", "-s"]).ok().stdout().to_owned());
        let plan = a.haul(&["merge", "--dry-run", "--json"]).fails_with(code);
        let words = a.haul(&["merge", "--dry-run"]).fails_with(code);
        words.says("would merge");
        a.tree().assert_same(&before.0);
        assert_eq!(a.git(&["ls-files", "-s"]).ok().stdout(), before.1);
        let done = a.haul(&["merge", "--json"]).fails_with(code);
        assert_eq!(plan.json()["pointers"], done.json()["pointers"], "{plan}\n{done}");
        let clashes = plan.json()["pointers"][0]["clashes"].as_array().map(Vec::len);
        assert_eq!(clashes, Some(conflicts), "{plan}");
        if code == 0 {
            assert_eq!((number(&plan, "/files"), number(&plan, "/bytes")), (2, 11_000), "{plan}");
            a.commit("merged");
        }
    }
}

#[test]
fn what_another_repository_has_is_planned_before_it_is_taken() {
    let world = World::new();
    let a = shared(&world);
    a.write("model.bin", &data::bytes(1, 300_000));
    save(&a, &["model.bin"], "one");
    a.haul(&["push"]).ok();
    let url = format!("file://{}", a.path("").display());
    let out = world.folder("out");
    let before = out.tree();
    let plan = out.haul(&["get", &url, "model.bin", "--dry-run", "--json", "-o", "new/m"]).ok();
    out.tree().assert_same(&before);
    let done = out.haul(&["get", &url, "model.bin", "--json", "-o", "new/m"]).ok();
    for figure in ["/files", "/bytes"] {
        assert_eq!(number(&plan, figure), number(&done, figure));
    }
    assert!(number(&plan, "/requests") <= requests(&done), "{plan}\n{done}");
    assert!(number(&plan, "/receive_bytes") <= number(&done, "/requests/received"));
    out.haul(&["clone", &url, "copy", "--dry-run"]).ok().says("1 file, 293.0 KiB tracked by haul");
    assert!(!out.has("copy"));
    let b = world.repo("b");
    b.haul(&["init"]).ok();
    let before = (b.tree(), b.git(&["status", "--porcelain"]).ok().stdout().to_owned());
    b.haul(&["import", &url, "model.bin", "--dry-run"]).ok().says("would import 1 file");
    b.tree().assert_same(&before.0);
    b.haul(&["import", &url, "model.bin"]).ok();
    b.haul(&["update", "--dry-run"]).ok().says("is what");
    a.write("model.bin", &data::bytes(2, 300_000));
    save(&a, &["model.bin"], "two");
    a.haul(&["push"]).ok();
    let pointer = b.read("model.bin.haul");
    let plan = b.haul(&["update", "--dry-run", "--json"]).ok();
    assert_eq!(plan.json()["paths"][0]["change"], "updated", "{plan}");
    assert!(number(&plan, "/paths/0/receive_bytes") > 0, "{plan}");
    assert_eq!(b.read("model.bin.haul"), pointer);
}

#[test]
fn a_budget_stops_every_verb_that_transfers_before_the_first_byte() {
    let world = World::new();
    let a = shared(&world);
    a.write("data/x.bin", &data::bytes(1, 300_000));
    save(&a, &["data"], "data");
    let remote = world.remote("r");
    a.haul(&["push", "--max-bytes", "100k"]).fails_with(1).says("--max-bytes");
    assert_eq!((remote.keys("p/"), remote.keys("i/")), (vec![], vec![]));
    a.haul(&["push", "--all-remotes", "--max-bytes", "100k"]).fails_with(1).says("--max-bytes");
    assert_eq!(remote.keys("p/"), Vec::<String>::new());
    for plan in [&["push", "--dry-run"][..], &["push", "--all-remotes", "--dry-run"]] {
        a.haul(&[plan, &["--max-bytes", "100k"]].concat()).fails_with(1).says("--max-bytes");
        a.haul(&[plan, &["--max-bytes", "400k"]].concat()).ok();
    }
    a.haul(&["push", "--max-bytes", "400k"]).ok();
    a.haul(&["push", "--max-bytes", "0"]).ok();
    let from = format!("file://{}", a.path("").display());
    let b = a.clone_as("b");
    let before = b.tree();
    let verbs: [&[&str]; 5] = [
        &["fetch"],
        &["pull"],
        &["export", "data", "out"],
        &["get", &from, "data", "-o", "got"],
        &["import", &from, "data", "imported"],
    ];
    for verb in verbs {
        b.haul(&[verb, &["--max-bytes", "100k"]].concat()).fails_with(1).says("--max-bytes");
        b.tree().assert_same(&before);
        let content = b.haul(&["fetch", "--dry-run", "--json"]).ok();
        assert!(number(&content, "/receive_bytes") >= 300_000, "{content}");
    }
    for verb in verbs {
        b.haul(&[verb, &["--max-bytes", "400k"]].concat()).ok();
    }
    a.write("data/y.bin", &data::bytes(2, 300_000));
    save(&a, &["data"], "more");
    a.haul(&["push"]).ok();
    b.git(&["add", "-A"]).ok();
    b.commit("imported");
    b.haul(&["update", "--max-bytes", "100k"]).fails_with(1).says("--max-bytes");
    assert!(!b.has("imported/y.bin"));
    b.haul(&["update", "--max-bytes", "900k"]).ok();
    let c = world.folder("c");
    c.haul(&["clone", &from, "whole", "--max-bytes", "100k"]).fails_with(1).says("--max-bytes");
    assert!(!c.has("whole/data"));
}
