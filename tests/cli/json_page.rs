//! `docs/reference/json.md` lists the fields that documents have, as the program prints them.
//!
//! `HAUL_WRITE_REFERENCE=1 cargo test --test cli json_page` writes it anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use crate::harness::{Repo, World, data};
use crate::push::{ready, send};

const HEAD: &str = "# JSON documents\n\n\
    With `--json` every command prints one document on stdout. Each has `haul`, the version of its form (1), `verb`, \
    `dry_run` for a plan, and the fields below, or `error` with `message`, `exit`, `causes` and `hint`. `[]` stands for \
    each element of a list, and a field with several kinds may be absent. Fields may be added; none changes its meaning. A \
    path that is not UTF-8 has `path_base64` too.\n\n\
    This page is written by a test (`tests/cli/json_page.rs`).\n";

/// Fields with the kinds of value that they were seen with, by document.
type Documents = BTreeMap<String, BTreeMap<String, BTreeSet<&'static str>>>;

fn collect(value: &Value, path: &str, out: &mut BTreeMap<String, BTreeSet<&'static str>>) {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "yes or no",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(all) => {
            for one in all {
                collect(one, &format!("{path}[]"), out);
            }
            "list"
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                let dot = if path.is_empty() { "" } else { "." };
                collect(value, &format!("{path}{dot}{name}"), out);
            }
            return;
        }
    };
    out.entry(path.to_owned()).or_default().insert(kind);
}

fn ask(repo: &Repo, arguments: &[&str], documents: &mut Documents) {
    let output = repo.haul(&[arguments, &["--json"]].concat());
    let mut document = output.json();
    let fields = document.as_object_mut().expect("is an object");
    let verb = fields.remove("verb").expect("names the verb");
    let plan = fields.remove("dry_run").is_some_and(|plan| plan == true);
    drop(fields.remove("haul"));
    assert!(!fields.contains_key("error"), "{output}");
    let plan = if plan { " (a plan)" } else { "" };
    let title = format!("haul {}{plan}", verb.as_str().expect("is text"));
    collect(&document, "", documents.entry(title).or_default());
}

/// What is planned only: the repository, and the words.
const PLANS: [(&str, &[&str]); 22] = [
    ("a", &["add", "data", "--dry-run"]),
    ("a", &["rm", "one.csv", "--dry-run"]),
    ("a", &["mv", "one.csv", "two.csv", "--dry-run"]),
    ("a", &["untrack", "one.csv", "--dry-run"]),
    ("a", &["push", "--dry-run"]),
    ("a", &["fetch", "--dry-run"]),
    ("a", &["checkout", "one.csv", "--dry-run"]),
    ("b", &["pull", "--dry-run"]),
    ("a", &["uninstall", "--dry-run"]),
    ("a", &["init", "--dry-run"]),
    ("a", &["hooks", "install", "--dry-run"]),
    ("a", &["hooks", "uninstall", "--dry-run"]),
    ("a", &["track", "*.bin", "--dry-run"]),
    ("a", &["merge", "--dry-run"]),
    ("b", &["get", "../a", "one.csv", "-o", "../got.csv", "--dry-run"]),
    ("b", &["import", "../a", "one.csv", "imported.csv", "--dry-run"]),
    ("b", &["clone", "../a", "../cloned", "--dry-run"]),
    ("a", &["export", "HEAD:data", "out", "--dry-run"]),
    ("a", &["status"]),
    ("a", &["diff", "HEAD~1", "HEAD"]),
    ("a", &["log"]),
    ("a", &["ls", "-r"]),
];

/// What is done, one after the other.
const ACTS: [(&str, &[&str]); 47] = [
    ("a", &["init"]),
    ("a", &["remote", "list"]),
    ("a", &["remote", "add", "second", "../r2"]),
    ("a", &["remote", "default", "second"]),
    ("a", &["remote", "default", "origin"]),
    ("a", &["remote", "test"]),
    ("a", &["remote", "index"]),
    ("a", &["remote", "accept", "second"]),
    ("a", &["remote", "sync", "origin", "second", "--dry-run"]),
    ("a", &["remote", "sync", "origin", "second"]),
    ("a", &["remote", "remove", "second"]),
    ("a", &["check-ignore", "data/x.bin", "no"]),
    ("a", &["add", "data"]),
    ("a", &["push"]),
    ("a", &["verify"]),
    ("a", &["fsck"]),
    ("a", &["du"]),
    ("a", &["evict"]),
    ("a", &["evict", "--yes"]),
    ("a", &["gc"]),
    ("a", &["merge"]),
    ("a", &["hooks", "status"]),
    ("a", &["hooks", "install"]),
    ("a", &["config"]),
    ("a", &["ci", "key"]),
    ("a", &["track"]),
    ("a", &["doctor"]),
    ("a", &["completions", "bash"]),
    ("a", &["man", "../pages"]),
    ("b", &["fetch", "one.csv"]),
    ("b", &["checkout", "one.csv"]),
    ("b", &["pull"]),
    ("b", &["get", "../a", "one.csv", "-o", "../got.csv"]),
    ("b", &["import", "../a", "one.csv", "imported.csv"]),
    ("b", &["update", "--dry-run"]),
    ("b", &["update"]),
    ("b", &["update", "--rev", "gone", "--dry-run"]),
    ("b", &["update", "--rev", "gone"]),
    ("b", &["update", "--rev", "before", "--dry-run"]),
    ("b", &["update", "--rev", "before"]),
    ("b", &["clone", "../a", "../cloned", "--no-pull"]),
    ("b", &["clone", "../a", "../pulled"]),
    ("b", &["export", "HEAD:data", "../out"]),
    ("b", &["mv", "one.csv", "two.csv"]),
    ("b", &["untrack", "data/y.txt"]),
    ("b", &["rm", "--force", "two.csv"]),
    ("b", &["uninstall"]),
];

fn documents() -> Documents {
    let world = World::new();
    let (remote, mut found) = (world.remote("r"), Documents::new());
    let a = ready(&world, "a", &remote);
    a.write("data/x.bin", &data::bytes(1, 200_000));
    a.write("data/y.txt", b"y");
    send(&a, "data");
    a.git(&["tag", "before"]).ok();
    a.write("one.csv", &data::csv(1, 3000));
    send(&a, "one.csv");
    a.write("data/x.bin", &data::bytes(2, 200_000));
    a.write("data/new", b"new");
    let b = a.clone_as("b");
    b.haul(&["remote", "accept", "origin"]).ok();
    for (name, words) in PLANS.iter().chain(&ACTS) {
        ask(if *name == "b" { &b } else { &a }, words, &mut found);
    }
    found
}

#[test]
fn the_page_of_documents_lists_the_fields_that_are_printed() {
    let mut page = HEAD.to_owned();
    for (title, fields) in documents() {
        writeln!(page, "\n## {title}\n").expect("is written");
        for (field, kinds) in fields {
            let kinds: Vec<&str> = kinds.into_iter().collect();
            writeln!(page, "- `{field}`: {}", kinds.join(", ")).expect("is written");
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/json.md");
    if std::env::var_os("HAUL_WRITE_REFERENCE").is_some() {
        std::fs::write(&path, &page).expect("is written");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    let lines = || found.lines().zip(page.lines());
    let first = lines().find(|(one, other)| one != other);
    assert!(
        found == page,
        "`docs/reference/json.md` is out of date ({first:?}); run `HAUL_WRITE_REFERENCE=1 cargo test --test cli \
         json_page` and commit it"
    );
}
