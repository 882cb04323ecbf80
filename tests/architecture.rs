//! Keeps the shape of `src`: rows of modules, size of files, and who may print or be async.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Top-level modules from the lowest row to the highest; each uses lower rows only.
const ROWS: &[&[&str]] = &[
    &["units", "hint", "wire"],
    &["progress"],
    &["fs"],
    &["hash"],
    &["chunk", "path", "node"],
    &["recipe", "manifest", "pack", "pointer", "catalogue"],
    &["cache", "remote", "git"],
    &["intake", "transfer", "worktree", "config"],
    &["repo"],
    &["ops"],
    &["cli"],
];

/// The crate's roots, which name every module.
const ROOTS: [&str; 3] = ["main", "lib", "bin"];

const LONGEST_FILE: usize = 400;

/// A source file: its path below `src` with `/` between parts, its module, its text.
struct Source {
    file: String,
    module: String,
    text: String,
}

impl Source {
    /// The lines that are code, with their numbers; notes may name anything.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate().map(|(index, line)| (index + 1, line));
        lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    /// Where the code contains any of `words` as whole words.
    fn places_of(&self, words: &[&str]) -> Vec<String> {
        let hits = self.code().filter(|(_, line)| words.iter().any(|word| has_word(line, word)));
        hits.map(|(number, line)| format!("{}:{number}: {}", self.file, line.trim())).collect()
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                sources.push(source(&root, &path));
            }
        }
    }
    sources
}

fn source(root: &Path, path: &PathBuf) -> Source {
    let below = path.strip_prefix(root).unwrap();
    let parts: Vec<_> = below.iter().map(|part| part.to_str().unwrap()).collect();
    let module = parts.first().unwrap().trim_end_matches(".rs").to_owned();
    Source { file: parts.join("/"), module, text: std::fs::read_to_string(path).unwrap() }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).unwrap_or_default();
        let behind = line.get(at + word.len()..).unwrap_or_default();
        !before.ends_with(is_word) && !behind.starts_with(is_word)
    })
}

/// The modules that a line names as `crate::module`; `{` for an import of several at once.
fn crate_paths(line: &str) -> Vec<&str> {
    let rests = line.match_indices("crate::").filter_map(|(at, found)| {
        let inner = !line.get(..at).unwrap_or_default().ends_with(is_word);
        inner.then_some(line.get(at + found.len()..)?)
    });
    let names = rests.map(|rest| match rest.find(|c| !is_word(c)) {
        Some(0) => rest.get(..1).unwrap_or_default(),
        Some(end) => rest.get(..end).unwrap_or_default(),
        None => rest,
    });
    names.collect()
}

fn row_of(module: &str) -> Option<usize> {
    ROWS.iter().position(|row| row.contains(&module))
}

/// What is wrong with a use of `used` by `own`, if anything.
fn is_wrong(own: &str, used: &str) -> bool {
    match (row_of(own), row_of(used)) {
        (Some(own_row), Some(row)) => used != own && row >= own_row,
        _ => used == "{" || used == "*",
    }
}

fn assert_none(wrong: &[String], rule: &str) {
    assert!(wrong.is_empty(), "{rule}:\n{}", wrong.join("\n"));
}

#[test]
fn modules_use_only_lower_rows() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| !ROOTS.contains(&source.module.as_str())) {
        for (number, line) in source.code() {
            for used in crate_paths(line).into_iter().filter(|used| is_wrong(&source.module, used))
            {
                wrong.push(format!("{}:{number} uses crate::{used}", source.file));
            }
        }
    }
    assert_none(&wrong, "a module may use lower rows only, one per import");
}

#[test]
fn every_module_has_its_row_and_every_row_its_modules() {
    let sources = sources();
    let found: BTreeSet<_> = sources.iter().map(|source| source.module.as_str()).collect();
    let rows = ROWS.iter().flat_map(|row| row.iter().copied());
    let expected: BTreeSet<_> = rows.chain(ROOTS).collect();
    assert_eq!(found, expected);
}

#[test]
fn no_source_file_is_longer_than_the_limit() {
    let lengths = sources().into_iter().map(|source| (source.text.lines().count(), source.file));
    let long: Vec<_> = lengths
        .filter(|(lines, _)| *lines > LONGEST_FILE)
        .map(|(lines, file)| format!("{file}: {lines} lines"))
        .collect();
    assert_none(&long, "split these files");
}

#[test]
fn only_the_command_line_prints_and_only_settings_read_the_environment() {
    let mut wrong = Vec::new();
    for source in sources() {
        if ["cli", "main", "bin"].contains(&source.module.as_str()) {
            continue;
        }
        wrong.extend(source.places_of(&["println!", "eprintln!", "print!", "eprint!"]));
        if source.file != "config/load.rs" {
            wrong.extend(source.places_of(&["std::env", "use std::{env"]));
        }
    }
    assert_none(&wrong, "printing and the environment belong to the edge");
}

#[test]
fn only_remotes_are_async() {
    let others = sources().into_iter().filter(|source| source.module != "remote");
    let words = ["tokio", "block_on", "async fn", "async move"];
    let wrong: Vec<_> = others.flat_map(|source| source.places_of(&words)).collect();
    assert_none(&wrong, "async code belongs to `remote`");
}

#[test]
fn only_the_door_writes_to_the_disk() {
    let others = sources().into_iter().filter(|source| {
        // The remote's module writes through the object store, the demo makes up data to add.
        !["fs", "remote"].contains(&source.module.as_str()) && !source.file.starts_with("cli/demo")
    });
    let words = ["OpenOptions", "remove_dir_all", "write_all_at", "set_len("];
    let wrong: Vec<_> = others.flat_map(|source| source.places_of(&words)).collect();
    assert_none(&wrong, "writing goes through `fs`");
}

#[test]
fn no_path_climbs_twice() {
    let wrong: Vec<_> =
        sources().iter().flat_map(|source| source.places_of(&["super::super"])).collect();
    assert_none(&wrong, "write `crate::module` instead");
}

#[test]
fn the_scanner_sees_what_it_must_see() {
    assert_eq!(crate_paths("use crate::pack::{Reader, Writer};"), ["pack"]);
    assert_eq!(crate_paths("use crate::{pack, node};"), ["{"]);
    assert_eq!(crate_paths("fn f(a: crate::fs::A, b: crate::hash)"), ["fs", "hash"]);
    assert!(crate_paths("use my_crate::pack;").is_empty());
    assert!(is_wrong("chunk", "node") && is_wrong("fs", "ops") && is_wrong("fs", "{"));
    assert!(!is_wrong("chunk", "chunk") && !is_wrong("ops", "fs"));
    assert!(has_word("    println!(\"x\")", "println!") && !has_word("eprintln!()", "println!"));
    let text = "// tokio\n    /// tokio\nuse tokio::x;\n".to_owned();
    let source = Source { file: "a.rs".to_owned(), module: "a".to_owned(), text };
    assert_eq!(source.places_of(&["tokio"]), ["a.rs:3: use tokio::x;"]);
}

#[test]
fn the_page_of_the_architecture_shows_the_same_rows() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ARCHITECTURE.md");
    let page = std::fs::read_to_string(page).unwrap();
    for (below, row) in ROWS.iter().enumerate() {
        let names: Vec<String> = row.iter().map(|module| format!("`{module}`")).collect();
        let shown = format!("| {} | {} |", below + 1, names.join(" "));
        assert!(page.contains(&shown), "docs/ARCHITECTURE.md lacks `{shown}`");
    }
}
