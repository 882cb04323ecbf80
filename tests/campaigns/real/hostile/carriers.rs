//! The ways in which a row can come to somebody, and the commands that meet it.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use haul::hash::NodeId;

use super::table::{Case, cases, expand, pointer_text};
use super::yard::{Verdict, Yard};
use crate::harness::{Output, Repo, data};
use crate::real::forge::{CONTENT, file, leaf, plant, point};

/// How a row comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// As an entry of a tree.
    Tree,
    /// As the name of a pointer in a commit.
    Commit,
    /// As an argument of `add`.
    Argument,
    /// As several entries of one tree.
    Set,
    /// As a link or pipe in the place of tracked data.
    Obstacle,
    /// As the text of a pointer.
    Pointer,
    /// As `haul.toml`.
    Settings,
}

/// One row in one way.
pub(super) struct Trial {
    case: Case,
    way: Way,
}

impl fmt::Debug for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value: String = self.case.value.chars().take(80).collect();
        write!(f, "{:?} `{value}` ({})", self.way, self.case.expect)
    }
}

/// One command, and what its answer means.
pub(super) struct Line {
    pub(super) words: Vec<OsString>,
    pub(super) verdict: Box<dyn Fn(&Output) -> Verdict>,
}

/// Verbs that meet what lies in the repository. Those that a build does not have say so with exit
/// code 2, which counts for nothing.
const VERBS: [&[&str]; 14] = [
    &["status"],
    &["status", "--json"],
    &["checkout", "--dry-run"],
    &["push"],
    &["fetch"],
    &["checkout"],
    &["pull"],
    &["verify"],
    &["du", "--json"],
    &["fsck"],
    &["evict"],
    &["gc"],
    &["checkout", "--force"],
    &["add", "-u"],
];

/// Returns every row in every way.
pub(super) fn trials() -> Vec<Trial> {
    let mut out = Vec::new();
    for case in cases() {
        let ways: &[Way] = match case.carrier {
            // No argument has a zero byte or as many, and an argument that climbs is resolved first.
            "path" if case.bytes().contains(&0) => &[Way::Tree],
            "path" if case.category == "traversal" => &[Way::Tree, Way::Commit],
            "path" if case.bytes().len() > 100_000 => &[Way::Tree, Way::Commit],
            "path" => &[Way::Tree, Way::Commit, Way::Argument],
            "path-set" if case.category == "collision" => &[Way::Set],
            "path-set" if case.value.contains(" | ") => &[Way::Obstacle],
            "pointer" => &[Way::Pointer],
            "config" => &[Way::Settings],
            // Broken trees and races have tests of their own.
            _ => &[],
        };
        out.extend(ways.iter().map(|way| Trial { case, way: *way }));
    }
    out
}

fn words(line: &[&str]) -> Vec<OsString> {
    line.iter().map(OsString::from).collect()
}

fn unasked(line: &[&str]) -> Line {
    Line { words: words(line), verdict: Box::new(|_| Verdict::Unasked) }
}

/// Every verb, of which nothing is asked but to stay inside.
fn all_verbs() -> Vec<Line> {
    VERBS.iter().map(|line| unasked(line)).collect()
}

/// What becomes of a name that is to end up at `place`, by what the row expects.
fn judge(expect: &'static str, place: PathBuf) -> Box<dyn Fn(&Output) -> Verdict> {
    Box::new(move |output| {
        let there = fs::read(&place).is_ok_and(|bytes| bytes == CONTENT);
        let kept = output.status() == Some(0) && there;
        match expect {
            "reject" if kept => Verdict::LetIn,
            "reject" => Verdict::Refused,
            _ if kept => Verdict::Kept,
            "escape-output" | "reject-or-warn" => Verdict::Refused,
            _ => Verdict::LegalRefused,
        }
    })
}

impl Trial {
    /// Puts the row into the yard; returns the commands to run.
    pub(super) fn lay(&self, yard: &Yard) -> Vec<Line> {
        let a = yard.repo();
        match self.way {
            Way::Tree => self.tree(&a),
            Way::Commit => self.commit(&a),
            Way::Argument => self.argument(&a),
            Way::Set => {
                let mut paths: Vec<Vec<u8>> = self.case.value.split(" | ").map(expand).collect();
                paths.sort();
                forged(&a, &paths);
                all_verbs()
            }
            Way::Obstacle => self.obstacle(&a),
            Way::Pointer => {
                let content = data::bytes(1, 1000);
                a.write("f", &content);
                save(&a, "f");
                a.haul(&["push"]).ok();
                a.remove("f");
                let hash = blake3::hash(&content).to_hex();
                a.write("f.haul", &pointer_text(self.case.value, &hash, 1000));
                all_verbs()
            }
            Way::Settings => {
                a.write("f", CONTENT);
                save(&a, "f");
                a.remove("f");
                a.remove(".git/haul");
                a.write(
                    "haul.toml",
                    &[b"version = 1\n", &expand(self.case.value)[..], b"\n"].concat(),
                );
                all_verbs()
            }
        }
    }

    fn tree(&self, a: &Repo<'_>) -> Vec<Line> {
        let bytes = self.case.bytes();
        forged(a, std::slice::from_ref(&bytes));
        let place = a.path("d").join(Path::new(OsStr::from_bytes(&bytes)));
        let mut lines = all_verbs();
        let verdict = judge(self.case.expect, place);
        lines.insert(5, Line { words: words(&["checkout"]), verdict });
        lines
    }

    /// Commits a tree of one pointer, whatever its name: Git itself would refuse most of them.
    fn commit(&self, a: &Repo<'_>) -> Vec<Line> {
        a.write("f", CONTENT);
        save(a, "f");
        let bytes = self.case.bytes();
        let blob = a.git(&["rev-parse", "HEAD:f.haul"]).ok().stdout().trim().to_owned();
        let digits = |at: usize| blob.get(at..at + 2).expect("has digits").to_owned();
        let id: Vec<u8> = (0..blob.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&digits(at), 16).expect("are digits"))
            .collect();
        a.write("tree", &[b"100644 ", &bytes[..], b".haul\0", &id].concat());
        let hash = ["hash-object", "-w", "--literally", "-t", "tree", "tree"];
        let tree = a.git(&hash).ok().stdout().trim().to_owned();
        a.remove("tree");
        let commit = a.git(&["commit-tree", "-m", "x", &tree]).ok().stdout().trim().to_owned();
        let place = a.path(Path::new(OsStr::from_bytes(&bytes)));
        // `a/.haul` is the name of no pointer.
        let expect = if bytes.ends_with(b"/") { "escape-output" } else { self.case.expect };
        let first =
            Line { words: words(&["checkout", "--rev", &commit]), verdict: judge(expect, place) };
        let others = [
            &["fetch", "--rev", &commit][..],
            &["pull", "--rev", &commit],
            &["verify", &commit],
            &["du", "--rev", &commit],
        ];
        [first].into_iter().chain(others.map(unasked)).collect()
    }

    fn argument(&self, a: &Repo<'_>) -> Vec<Line> {
        let bytes = self.case.bytes();
        let path = Path::new(OsStr::from_bytes(&bytes)).to_owned();
        let place = a.path(&path);
        let first = path.components().next().map(|part| part.as_os_str().to_ascii_lowercase());
        if !path.is_absolute() && first.is_some_and(|first| first != ".git") {
            let made = place.parent().is_some_and(|folder| fs::create_dir_all(folder).is_ok());
            drop(made.then(|| fs::write(&place, CONTENT)));
        }
        let pointer = a.path(Path::new(OsStr::from_bytes(&[&bytes[..], b".haul"].concat())));
        let expect = self.case.expect;
        let verdict = move |output: &Output| {
            let added = output.status() == Some(0) && pointer.is_file();
            match expect {
                "reject" if added => Verdict::LetIn,
                "reject" => Verdict::Refused,
                _ if added => Verdict::Kept,
                "escape-output" => Verdict::Refused,
                _ => Verdict::LegalRefused,
            }
        };
        let words = vec![OsString::from("add"), OsString::from("--"), path.into_os_string()];
        [Line { words, verdict: Box::new(verdict) }].into_iter().chain(all_verbs()).collect()
    }

    /// Something that Git or the user put there stands where tracked data belongs.
    fn obstacle(&self, a: &Repo<'_>) -> Vec<Line> {
        let (other, managed) = self.case.value.split_once(" | ").expect("are two");
        let managed = managed.trim_end_matches(" (managed)");
        let other = other.trim_end_matches(" (symlink in Git)");
        let top = managed.split('/').next().expect("has a part");
        a.write(managed, CONTENT);
        save(a, top);
        a.remove(top);
        if let Some((name, to)) = other.split_once(" -> ") {
            a.link(to, name);
            a.git(&["add", "-f", name]).ok();
        } else {
            a.run("mkfifo", &[top]).ok();
        }
        a.remove(".git/haul/stat.redb");
        all_verbs()
    }
}

fn save(a: &Repo<'_>, path: &str) {
    a.haul(&["add", "--", path]).ok();
    a.git(&["add", "-A"]).ok();
    a.commit("data");
}

/// Plants a tree with these paths and points `d` to it.
fn forged(a: &Repo<'_>, paths: &[Vec<u8>]) {
    let tree = leaf(&paths.iter().map(|path| file(path)).collect::<Vec<_>>());
    plant(a, &[(NodeId::of(&tree), tree.clone())]);
    let files = paths.len() as u64;
    point(a, NodeId::of(&tree), files, files * CONTENT.len() as u64);
}
