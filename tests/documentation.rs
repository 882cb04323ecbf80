//! Runs what the README, the tutorial and the pages of tasks show, and follows the links between pages.
//!
//! In a fenced `console` block a line with `$ ` is a command; the lines below it stand for lines
//! that it prints, `…` for anything. A command ends with exit code 0, or N if it ends with
//! `# exits with N`. All blocks of a page are one story in one temporary world. The comment
//! `<!-- test: as NAME -->` before a block lets another user run it, who has a home of their own.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and makes plain files"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A command of a page, and what the page shows of it.
#[derive(Debug, PartialEq, Eq)]
struct Step {
    line: usize,
    user: String,
    command: String,
    exit: i32,
    shown: Vec<String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn steps(page: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let (mut user, mut inside) = ("you".to_owned(), false);
    for (number, line) in page.lines().enumerate() {
        if let Some(told) = line.strip_prefix("<!-- test: ") {
            let told = told.trim_end_matches("-->").trim();
            told.strip_prefix("as ").unwrap_or(told).clone_into(&mut user);
        } else if line == "```console" {
            inside = true;
        } else if line == "```" {
            if inside {
                "you".clone_into(&mut user);
            }
            inside = false;
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| inside) {
            let (command, exit) = match command.split_once("# exits with ") {
                Some((command, exit)) => (command.trim_end(), exit.parse().unwrap()),
                None => (command, 0),
            };
            let (command, user, shown) = (command.to_owned(), user.clone(), Vec::new());
            steps.push(Step { line: number + 1, user, command, exit, shown });
        } else if inside {
            steps.last_mut().unwrap().shown.push(line.to_owned());
        }
    }
    steps
}

/// Says whether `line` is what `shown` stands for.
fn matches(shown: &str, line: &str) -> bool {
    let mut rest = line;
    for (number, part) in shown.split('…').enumerate() {
        match rest.find(part) {
            Some(at) if number > 0 || at == 0 => rest = rest.get(at + part.len()..).unwrap(),
            _ => return false,
        }
    }
    rest.is_empty() || shown.ends_with('…')
}

/// A temporary folder in which users with homes of their own run commands.
struct World {
    folder: tempfile::TempDir,
    at: PathBuf,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("haul-docs-").tempdir().unwrap();
        let at = folder.path().canonicalize().unwrap();
        Self { folder, at }
    }

    fn home(&self, user: &str) -> PathBuf {
        let home = self.folder.path().join("homes").join(user);
        if !home.exists() {
            std::fs::create_dir_all(&home).unwrap();
            let settings = "[user]\n\tname = Test\n\temail = test@example.com\n\
                [init]\n\tdefaultBranch = main\n";
            std::fs::write(home.join(".gitconfig"), settings).unwrap();
        }
        home
    }

    /// Runs a command where the last one ended; returns its exit code and all it printed.
    fn run(&mut self, user: &str, command: &str) -> (Option<i32>, String) {
        let home = self.home(user);
        let end = self.folder.path().join("end");
        let own = Path::new(env!("CARGO_BIN_EXE_haul")).parent().unwrap();
        let users = std::env::var_os("PATH").unwrap_or_default();
        let all = [own.to_owned()].into_iter().chain(std::env::split_paths(&users));
        let script = format!("exec 2>&1\ntrap 'pwd >\"$END\"' EXIT\n{command}\n");
        let mut shell = Command::new("bash");
        shell.args(["-c", &script]).current_dir(&self.at).env_clear();
        shell.env("PATH", std::env::join_paths(all).unwrap());
        shell.env("HOME", &home).env("END", &end).env("TMPDIR", self.folder.path());
        shell.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CEILING_DIRECTORIES", self.folder.path());
        shell.env("LC_ALL", "C.UTF-8").env("NO_COLOR", "1");
        let output = shell.output().unwrap();
        self.at = PathBuf::from(std::fs::read_to_string(end).unwrap().trim_end());
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    }
}

#[test]
fn every_command_of_the_readme_does_what_is_shown() {
    run_page(&root().join("README.md"));
}

#[test]
fn every_command_of_the_tutorial_does_what_is_shown() {
    run_page(&root().join("docs/tutorial.md"));
}

#[test]
fn every_command_of_the_pages_of_tasks_does_what_is_shown() {
    let (_, pages) = markdown(&root().join("docs/tasks"));
    assert!(pages.len() >= 4, "{pages:?}");
    for page in pages {
        run_page(&page);
    }
}

/// Runs a page in a world of its own.
fn run_page(path: &Path) {
    let page = std::fs::read_to_string(path).unwrap();
    let name = path.strip_prefix(root()).unwrap().display();
    let mut world = World::new();
    let steps = steps(&page);
    assert!(!steps.is_empty(), "{name} shows no command");
    for step in steps.iter().filter(|step| step.user != "set-up") {
        let (exit, printed) = world.run(&step.user, &step.command);
        let at = format!("{name}:{}: `{}`", step.line, step.command);
        assert!(exit == Some(step.exit), "{at} ended with {exit:?}\n{printed}");
        for shown in &step.shown {
            let found = printed.lines().any(|line| matches(shown, line));
            assert!(found, "{at} does not print `{shown}` but\n{printed}");
        }
    }
}

#[test]
fn the_set_up_of_the_readme_is_two_commands() {
    let page = std::fs::read_to_string(root().join("README.md")).unwrap();
    let steps = steps(&page);
    let set_up = steps.iter().filter(|step| step.user == "set-up");
    let commands: Vec<&str> = set_up.map(|step| step.command.as_str()).collect();
    assert_eq!(commands, ["cargo run --release -- demo", "cargo test"]);
}

/// All pages that people read: Markdown at the root and below `docs` and `fixtures`.
fn pages() -> Vec<PathBuf> {
    let mut folders = vec![root().join("docs"), root().join("fixtures")];
    let mut pages: Vec<PathBuf> = markdown(root()).1;
    while let Some(folder) = folders.pop() {
        let (inner, found) = markdown(&folder);
        folders.extend(inner);
        pages.extend(found);
    }
    pages
}

/// The folders in a folder, and the pages in it.
fn markdown(folder: &Path) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    (
        folders,
        files.into_iter().filter(|path| path.extension().is_some_and(|e| e == "md")).collect(),
    )
}

#[test]
fn every_link_leads_to_a_file() {
    let pages = pages();
    assert!(pages.len() > 15, "{pages:?}");
    let mut broken = Vec::new();
    for page in pages {
        let text = std::fs::read_to_string(&page).unwrap();
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        for (target, _) in targets.filter(|(target, _)| !target.contains("://")) {
            let file = target.split('#').next().unwrap_or(target);
            if !file.is_empty() && !page.parent().unwrap().join(file).exists() {
                broken.push(format!("{}: {target}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

/// Source files that a page names must be there, or the page speaks of code that is gone.
#[test]
fn every_source_that_a_page_names_exists() {
    let mut gone = Vec::new();
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        for quoted in text.split('`').skip(1).step_by(2) {
            let ours = ["src/", "tests/", "fixtures/", "docs/", "fuzz/"];
            let path = quoted.trim_end_matches('/');
            if ours.iter().any(|folder| quoted.starts_with(folder))
                && !quoted.contains(['*', '<', '…', ' ', '{'])
                && !root().join(path).exists()
            {
                gone.push(format!("{}: {quoted}", page.display()));
            }
        }
    }
    assert!(gone.is_empty(), "{gone:#?}");
}

/// The names of all tests, and of all campaigns as they are called.
fn names_of_tests() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut folders = vec![root().join("tests"), root().join("src")];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let (inner, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
        folders.extend(inner);
        for file in files.iter().filter(|path| path.extension().is_some_and(|e| e == "rs")) {
            let text = std::fs::read_to_string(file).unwrap();
            let tests = text.split("#[test]").skip(1).filter_map(|rest| rest.split_once("fn "));
            names.extend(tests.filter_map(|(_, rest)| Some(rest.split_once('(')?.0.to_owned())));
            let in_campaigns = file.components().any(|part| part.as_os_str() == "campaigns");
            let campaigns = text.split("name: \"").skip(1).filter(|_| in_campaigns);
            let called = |rest: &str| Some(format!("campaigns -- {}", rest.split_once('"')?.0));
            names.extend(campaigns.filter_map(called));
        }
    }
    names
}

/// A table whose last column is called `test` promises that each of its rows is tried.
#[test]
fn every_test_that_a_table_names_exists() {
    let tests = names_of_tests();
    let (mut rows, mut wrong) = (0, Vec::new());
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        let mut inside = false;
        for line in text.lines() {
            inside = line.ends_with("| test |") || (inside && line.starts_with('|'));
            if !inside || line.ends_with("| test |") || line.starts_with("|---") {
                continue;
            }
            rows += 1;
            let cell = line.trim_end_matches(" |").rsplit_once("| ").map_or("", |(_, cell)| cell);
            let named: Vec<&str> = cell.split('`').skip(1).step_by(2).collect();
            if named.is_empty() || !named.iter().all(|name| tests.contains(*name)) {
                wrong.push(format!("{}: {line}", page.display()));
            }
        }
    }
    assert!(rows > 30, "{rows}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_direct_dependency_has_its_reason() {
    let page = root().join("docs/adr/0010-direct-dependencies.md");
    let page = std::fs::read_to_string(page).unwrap();
    let package = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let (_, rest) = package.split_once("\n[dependencies]\n").unwrap();
    let (list, _) = rest.split_once("\n[").unwrap();
    let names: Vec<&str> =
        list.lines().filter_map(|line| Some(line.split_once(" = ")?.0)).collect();
    assert!(names.len() > 10, "{names:?}");
    let rows: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("| ")).collect();
    for name in names {
        assert!(rows.iter().any(|row| row.starts_with(&format!("{name} |"))), "`{name}`");
    }
}

#[test]
fn a_page_is_read_as_it_is_meant() {
    let page = "text\n<!-- test: as other -->\n```console\n$ a && b    # exits with 3\nout …\n```\n\
        ```text\n$ not this\n```\n```console\n$ c\n```\n";
    let found = steps(page);
    let step = |line, user: &str, command: &str, exit, shown: &[&str]| Step {
        line,
        user: user.to_owned(),
        command: command.to_owned(),
        exit,
        shown: shown.iter().map(|line| (*line).to_owned()).collect(),
    };
    assert_eq!(found, [step(4, "other", "a && b", 3, &["out …"]), step(11, "you", "c", 0, &[])]);
    assert!(matches("a … c", "a b c") && matches("a…", "a") && matches("x", "x"));
    assert!(!matches("a … c", "a b c d") && !matches("b", "a b") && !matches("a", "a b"));
}
