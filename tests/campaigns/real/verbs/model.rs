//! What should be where.

use std::collections::{BTreeMap, HashMap, HashSet};

/// A file's content and whether it is executable.
pub(crate) type File = (blake3::Hash, bool);
/// Files by path.
pub(crate) type Files = BTreeMap<String, File>;

/// What one pointer stands for; paths are relative to it, the one of a single file is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Unit {
    pub(crate) folder: bool,
    pub(crate) files: Files,
}

/// The pointers of a commit or a worktree, by the path that each tracks.
pub(crate) type Pointers = BTreeMap<String, Unit>;

/// Returns the path of a file in a unit.
pub(crate) fn join(unit: &str, name: &str) -> String {
    if name.is_empty() { unit.to_owned() } else { format!("{unit}/{name}") }
}

/// Says whether a path is a unit's or lies in it.
pub(crate) fn below(path: &str, unit: &str) -> bool {
    path.strip_prefix(unit).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Returns all files of some pointers by their whole paths.
pub(crate) fn expand(pointers: &Pointers) -> Files {
    let files = pointers.iter().flat_map(|(unit, content)| {
        content.files.iter().map(move |(name, file)| (join(unit, name), *file))
    });
    files.collect()
}

/// What the clones share, and what is told at the end.
#[derive(Default)]
pub(crate) struct Shared {
    pub(crate) commits: HashMap<String, Pointers>,
    /// Content that a successful `add` acknowledged, here or there.
    pub(crate) saved: HashSet<blake3::Hash>,
    /// What a successful push sent.
    pub(crate) remote: HashSet<Unit>,
    pub(crate) steps: Vec<String>,
    pub(crate) counts: Counts,
    /// Numbers of fresh clones and of contents.
    pub(crate) next: u64,
}

impl Shared {
    /// Returns a number that was not given before.
    pub(crate) fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Notes a step for the report of a miss.
    pub(crate) fn note(&mut self, step: impl Into<String>) {
        self.steps.push(step.into());
    }
}

/// What happened in some cases.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) commands: u64,
    pub(crate) refused: u64,
    pub(crate) clones: u64,
}

impl Counts {
    /// Adds those of another case.
    pub(crate) fn add(&mut self, other: &Self) {
        self.commands += other.commands;
        self.refused += other.refused;
        self.clones += other.clones;
    }
}
