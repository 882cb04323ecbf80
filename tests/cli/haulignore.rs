//! `.haulignore`: what in tracked folders is nobody's, by the rules of Git's ignore files.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::harness::{Repo, World, data};
use crate::push::{ready, send, take};
use crate::scene::states;

/// The paths of a tracked folder, as its manifest says.
fn listed(repo: &Repo, folder: &str) -> BTreeSet<String> {
    let report = repo.haul(&["ls", "-r", "--json", folder]).ok().json();
    let rows = report.get("entries").and_then(|all| all.as_array()).expect("is a list");
    let path =
        |row: &serde_json::Value| row.get("path").and_then(|path| path.as_str().map(str::to_owned));
    rows.iter().map(|row| path(row).expect("is text")).collect()
}

#[test]
fn the_rules_are_those_of_git() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    let rules = "# a comment\n*.tmp\n!keep.tmp\n/data/top\nbuild/\nlogs/**/*.log\n\\#odd\n[ab]?.x\ntrail \\ \n{a,b}.y\n";
    let inner = "*.txt\n!/sub/yes.txt\nempty\n";
    let names = [
        "a.tmp",
        "keep.tmp",
        "sub/b.tmp",
        "sub/keep.tmp",
        "top",
        "sub/top",
        "build/x",
        "sub/build/y",
        "buildx",
        "logs/1.log",
        "logs/a/b/2.log",
        "logs/2.txt",
        "#odd",
        "a1.x",
        "c1.x",
        "no.txt",
        "sub/yes.txt",
        "sub/no.txt",
        "sub/deep/yes.txt",
        "sub/.haulignore",
        "sub/own.csv",
        "trail  ",
        "Build/x",
        "a/sub/yes.txt",
    ];
    for name in names {
        a.write(format!("data/{name}"), name.as_bytes());
    }
    a.write(".haulignore", rules.as_bytes());
    a.write("data/.haulignore", inner.as_bytes());
    a.write("data/sub/.haulignore", b"own.*\n!*.tmp\n");
    take(&a, "data");
    // Git, asked about the same files with the same rules.
    let git = world.repo("git");
    for (place, text) in [(".gitignore", rules), ("data/.gitignore", inner)] {
        git.write(place, text.as_bytes());
    }
    git.write("data/sub/.gitignore", b"own.*\n!*.tmp\n");
    for name in names.iter().filter(|name| !name.ends_with(".haulignore")) {
        git.write(format!("data/{name}"), name.as_bytes());
    }
    git.git(&["add", "-A"]).ok();
    let by_git = git.git(&["-c", "core.quotepath=off", "ls-files", "-z", "data"]).ok();
    let by_git: BTreeSet<String> = by_git
        .stdout()
        .split('\0')
        .filter(|name| !name.is_empty())
        .map(|name| name.replace(".gitignore", ".haulignore"))
        .collect();
    assert_eq!(listed(&a, "data"), by_git);
    assert!(by_git.contains("data/sub/b.tmp") && !by_git.contains("data/a.tmp"), "{by_git:?}");
}

#[test]
fn what_is_excluded_is_neither_untracked_nor_added_nor_removed() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    a.write(".haulignore", b"*.cache\nscratch/\n");
    a.git(&["add", ".haulignore"]).ok();
    a.write("data/x.bin", &data::bytes(1, 100_000));
    a.write("data/x.cache", b"made by a tool");
    a.write("data/scratch/y", b"made by a tool");
    send(&a, "data");
    assert_eq!(states(&a), Vec::<String>::new());
    assert_eq!(listed(&a, "data"), BTreeSet::from(["data/x.bin".to_owned()]));
    a.haul(&["add", "-u"]).ok().says("nothing changed");
    a.haul(&["add", "data/x.cache"]).fails_with(1).says("`.haulignore` excludes it");
    a.haul(&["add", "data/*.cache"]).fails_with(1).says("matches nothing that can be tracked");
    a.haul(&["add", "data/scratch"]).fails_with(1).says("`.haulignore` excludes it");
    a.write("alone.cache", b"x");
    a.haul(&["add", "alone.cache"]).fails_with(1).says("`.haulignore` excludes it");
    let b = a.clone_as("b");
    b.write("data/z.cache", b"made by a tool");
    b.haul(&["pull"]).ok();
    assert_eq!(b.text("data/z.cache"), "made by a tool");
    assert_eq!(states(&b), Vec::<String>::new());
    // As with `git rm`, what was never tracked is left.
    a.haul(&["rm", "data"]).ok();
    assert!(a.has("data/x.cache") && a.has("data/scratch/y") && !a.has("data/x.bin"));
}

#[test]
fn what_is_tracked_already_stays_so_though_a_rule_excludes_it() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    a.write("data/old.log", b"old");
    a.write("data/sub/old.log", b"old");
    a.write("data/x", b"x");
    a.mkdir("data/empty");
    send(&a, "data");
    a.write(".haulignore", b"*.log\nsub/\n");
    a.write("data/empty/new.log", b"new");
    a.write("data/new.log", b"new");
    a.write("data/sub/new.log", b"new");
    assert_eq!(states(&a), Vec::<String>::new());
    a.write("data/sub/old.log", b"changed");
    assert_eq!(states(&a), ["modified data/sub/old.log"]);
    take(&a, "data");
    let all = ["data/empty", "data/old.log", "data/sub/old.log", "data/x"].map(str::to_owned);
    assert_eq!(listed(&a, "data"), BTreeSet::from(all));
    // Untracked once, it stays away.
    a.haul(&["untrack", "data/old.log"]).ok();
    assert_eq!(states(&a), Vec::<String>::new());
    a.haul(&["add", "data"]).ok();
    assert!(a.has("data/old.log") && !listed(&a, "data").contains("data/old.log"));
}

#[test]
fn check_ignore_tells_what_is_excluded() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    a.write(".haulignore", b"*.tmp\n");
    a.write("data/x", b"x");
    take(&a, "data");
    a.haul(&["check-ignore", "data/a.tmp"]).fails_with(1);
    let report = a.haul(&["check-ignore", "--json", "data/a.tmp", "data/x"]).ok().json();
    assert_eq!(report["paths"][0]["excluded"], true);
    assert!(report["paths"][0]["pointer"].is_null());
    assert_eq!(report["paths"][1]["excluded"], false);
}

#[test]
fn more_rules_than_anybody_needs_are_refused_by_name() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    a.write("data/x", b"x");
    let rules = |bytes: usize| "[a-z]*[a-z]*.tmp\n".repeat(bytes / 17).into_bytes();
    a.write("data/.haulignore", &rules(80_000));
    let output = a.haul(&["add", "data"]).fails_with(1);
    output.says("data/.haulignore").says("64 KiB").says("take rules out of it");
    a.write("data/.haulignore", &rules(60_000));
    a.write("data/sub/.haulignore", &rules(60_000));
    a.write("data/sub/sub/.haulignore", &rules(60_000));
    a.haul(&["add", "data"]).fails_with(1).says("data/sub/sub/.haulignore").says("128 KiB");
    a.remove("data/sub");
    for name in 0..140 {
        a.write(format!("data/{name}/.haulignore"), &rules(60_000));
    }
    a.haul(&["add", "data"]).fails_with(1).says("/.haulignore").says("8 MiB");
    a.write(".haulignore", b"x\n");
    a.haul(&["add", ".haulignore"]).fails_with(1).says("git add .haulignore");
}

#[test]
fn rules_of_many_folders_take_little_memory() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    // Patterns of which each is another, as many as may be.
    for folder in 0..60 {
        let rules = (0..4000).map(|n| format!("*[{n}-x]*{folder}*.tmp") + "\n");
        let rules = rules.collect::<String>().into_bytes();
        a.write(format!("d/{folder}/.haulignore"), rules.get(..60_000).expect("is longer"));
        a.write(format!("d/{folder}/file"), b"x");
    }
    let limited = "ulimit -v 600000; exec \"$0\" \"$@\"";
    let haul = env!("CARGO_BIN_EXE_haul");
    a.run("sh", &["-c", limited, haul, "add", "d"]).ok();
    a.run("sh", &["-c", limited, haul, "status"]).ok();
    assert_eq!(listed(&a, "d").len(), 120);
}

#[test]
fn names_that_are_no_text_are_matched_too() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    a.write(".haulignore", b"*.tmp\n");
    a.write("data/x", b"x");
    a.write(std::path::Path::new(OsStr::from_bytes(b"data/\xff\xfe.tmp")), b"x");
    a.write(std::path::Path::new(OsStr::from_bytes(b"data/\xff\xfe.csv")), b"x");
    take(&a, "data");
    assert_eq!(a.haul(&["ls", "-r", "data"]).ok().stdout().lines().count(), 2);
}

/// The same numbers each time.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % sides as u64).expect("is small")
    }

    fn one_of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all.get(self.throw(all.len())).expect("is one of them")
    }

    fn word(&mut self, parts: &[&str], longest: usize) -> String {
        (0..=self.throw(longest)).map(|_| self.one_of(parts)).collect()
    }
}

/// What random lines are made of.
const PARTS: &[&str] = &[
    "a",
    "b",
    "x",
    "1",
    "_",
    "*",
    "**",
    "/",
    "/",
    "/**/",
    "**/",
    "/**",
    "?",
    "[a-b]",
    "[!0-9]",
    "[^a]",
    "[[:digit:]]",
    "[[:alpha:]_]",
    "[[:punct:]]",
    "[[:no:]]",
    "[]a]",
    "[!]a]",
    r"[\]{]",
    "[a-",
    "[",
    "]",
    "{a,b}",
    "{",
    r"\",
    r"\*",
    r"\a",
    " ",
    r"\ ",
    "\t",
    "!",
    "#",
    "***",
    "a**/",
    "[b/]",
    "-",
    "[--0]",
    "[1-2]",
    "[:a:]",
];
/// What random paths are made of.
const NAMES: &[&str] = &[
    "a", "b", "x", "1", "_", "ab", "b1", "1a", "a]", "{", "q]y", "a b", "a ", "a\t", "-", "*",
    "!a", "#a",
];

#[test]
fn rules_of_all_kinds_are_followed_as_git_follows_them() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    a.write("tracked", b"x");
    take(&a, "tracked");
    let mut dice = Dice(7);
    let mut paths = vec!["tracked".to_owned()];
    let mut files = Vec::new();
    for number in 0..300 {
        let folder = format!("f{number}");
        let mut rules = String::new();
        for _ in 0..=dice.throw(2) {
            let end = dice.one_of(&["\n", "\n", "\n", "\n", "/\n", " \n", "\r\n"]);
            rules += &(dice.word(PARTS, 4) + end);
        }
        a.write(format!("{folder}/.haulignore"), rules.as_bytes());
        a.write(format!("{folder}/.gitignore"), rules.as_bytes());
        files.push(rules);
        for _ in 0..25 {
            let mut path = folder.clone();
            for _ in 0..=dice.throw(3) {
                path = path + "/" + dice.one_of(NAMES);
            }
            if dice.throw(3) == 0 {
                a.mkdir(&path);
            }
            paths.push(path);
        }
    }
    let words = ["check-ignore", "--json"].into_iter().chain(paths.iter().map(String::as_str));
    let report = a.haul(&words.collect::<Vec<_>>()).json();
    let rows = report["paths"].as_array().expect("is a list");
    let mut excluded = 0;
    for (row, path) in rows.iter().zip(&paths).skip(1) {
        let number = path[1..].split('/').next().and_then(|number| number.parse::<usize>().ok());
        let rules = &files[number.expect("is a number")];
        assert_eq!(row["excluded"], row["ignored"], "`{path}` by {rules:?}: haul, then git");
        excluded += usize::from(row["ignored"] == true);
    }
    assert!((1000..6000).contains(&excluded), "{excluded}");
}
