//! A day with haul, from `init` to a pull of what others did, in which each command can be struck.

mod scenes;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::PathBuf;

use crate::harness::{Output, Repo, Tree, World};

pub(crate) use scenes::play;

/// Commands of a story that are struck.
pub(crate) const COMMANDS: u64 = 13;

/// A command of the story, about to be run.
pub(crate) struct Scene<'s> {
    /// Counts up from 0.
    pub(crate) number: usize,
    pub(crate) world: &'s World,
    pub(crate) repo: &'s Repo<'s>,
    pub(crate) arguments: &'s [&'s str],
    /// The user's files before.
    pub(crate) before: Tree,
    /// Files that the command may place instead of those before.
    pub(crate) target: Option<&'s Tree>,
}

impl Scene<'_> {
    /// Requires that each of the user's files is as it was before, or as it is to be.
    ///
    /// What haul and Git write beside them is not looked at.
    pub(crate) fn check_files(&self) -> Result<(), String> {
        let line = self.arguments.join(" ");
        let now = users(self.repo.tree());
        let mut wrong: BTreeMap<String, String> = differences(&now, &self.before);
        if let Some(target) = self.target {
            let other = differences(&now, target);
            wrong.retain(|path, _| other.contains_key(path));
        }
        match wrong.into_values().next() {
            Some(line_of) => Err(format!("after `haul {line}`: {line_of}")),
            None => Ok(()),
        }
    }

    /// Requires that nothing stands in the way of the next `git`.
    pub(crate) fn check_lock(&self) -> Result<(), String> {
        let line = self.arguments.join(" ");
        let left = self.repo.has(".git/index.lock");
        if left { Err(format!("after `haul {line}`: `.git/index.lock` is left")) } else { Ok(()) }
    }

    /// Requires that each pointer in the worktree leads to content, here or on the remote: a copy of
    /// the repository without the data pulls all of it.
    pub(crate) fn check_pointers(&self) -> Result<(), String> {
        let pointers: Vec<PathBuf> = std::fs::read_dir(self.repo.path(""))
            .map_err(|error| error.to_string())?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|ending| ending == "haul"))
            .collect();
        if pointers.is_empty() {
            return Ok(());
        }
        let copy = self.world.folder("copy");
        let (from, to) = (self.repo.path("."), copy.path("."));
        let words = [OsStr::new("-a"), from.as_os_str(), to.as_os_str()];
        copy.run("cp", &words).ok();
        for pointer in pointers {
            let data = pointer.with_extension("");
            let data = copy.path(data.file_name().expect("has a name"));
            drop(std::fs::remove_dir_all(&data));
            drop(std::fs::remove_file(&data));
        }
        // What stood in the worktree must not be taken for what is stored; and what may be committed
        // counts as well as what is staged.
        for file in ["haul/stat.redb", "index.lock"] {
            drop(std::fs::remove_file(copy.path(".git").join(file)));
        }
        copy.git(&["add", "--all"]).ok();
        let pulled = copy.haul(&["pull"]);
        copy.remove("");
        if pulled.status() == Some(0) {
            return Ok(());
        }
        let line = self.arguments.join(" ");
        Err(format!("a pointer without its content in the midst of `haul {line}`: {pulled}"))
    }

    /// Runs the command untouched.
    pub(crate) fn run(&self) -> Output {
        self.repo.haul(self.arguments)
    }
}

/// Leaves out what is not the user's data.
fn users(tree: Tree) -> Tree {
    let paths: Vec<String> = tree.paths().into_iter().map(str::to_owned).collect();
    paths.into_iter().fold(tree, |tree, path| {
        let name = path.rsplit('/').next().unwrap_or_default();
        let own =
            name.starts_with(".haul-tmp") || name.starts_with("haul-") || name.starts_with(".git");
        let pointer = name == "haul.toml" || name.strip_suffix(".haul").is_some();
        if own || pointer { tree.without(&path) } else { tree }
    })
}

fn differences(one: &Tree, other: &Tree) -> BTreeMap<String, String> {
    let lines = one.differences(other).into_iter();
    lines.filter_map(|line| Some((line.split('`').nth(1)?.to_owned(), line.clone()))).collect()
}

/// What becomes of each command of a story.
pub(crate) trait Strike {
    /// Runs the command, struck or not, and again until it has ended well.
    fn strike(&mut self, scene: &Scene<'_>) -> Result<(), String>;
}
