//! A tracked folder in which both writers change single files at the same time: what a command said
//! was done must stand, whatever the other one did.

use std::collections::BTreeSet;
use std::fs;

use crate::eight_processes::run::{Dice, Scene};

/// The folder.
pub(super) const BOTH: &str = "both";

/// What one writer did to it.
pub(super) struct Inside {
    writer: u64,
    made: u64,
    /// Files that are tracked, and those that are not any more, as the last command of each said.
    files: BTreeSet<String>,
    gone: BTreeSet<String>,
}

impl Inside {
    pub(super) fn new(writer: u64) -> Self {
        Self { writer, made: 0, files: BTreeSet::new(), gone: BTreeSet::new() }
    }

    /// Adds, renames or removes one file.
    pub(super) fn change(&mut self, scene: &Scene, dice: &mut Dice) {
        let old = self.files.iter().nth(usize::try_from(dice.roll(8)).expect("fits")).cloned();
        let new = format!("{BOTH}/{}-{}", self.writer, self.made);
        self.made += 1;
        let busy = &["git add"];
        match (old, dice.roll(2)) {
            (Some(old), 0) => {
                let gone = scene.expect("a", &["rm", "--force", &old], busy);
                self.note(old, gone.then_some(false));
            }
            (Some(old), _) => {
                let moved = scene.expect("a", &["mv", &old, &new], busy);
                self.note(old, moved.then_some(false));
                self.note(new, moved.then_some(true));
            }
            (None, _) => {
                fs::write(scene.root.join("a").join(&new), &new).expect("writes");
                let added = scene.expect("a", &["add", &new], busy);
                self.note(new, added.then_some(true));
            }
        }
    }

    /// Remembers whether a file is tracked now; nothing where the command was refused.
    fn note(&mut self, file: String, tracked: Option<bool>) {
        self.files.remove(&file);
        self.gone.remove(&file);
        match tracked {
            Some(true) => drop(self.files.insert(file)),
            Some(false) => drop(self.gone.insert(file)),
            None => {}
        }
    }

    /// Holds what was done against what is tracked.
    pub(super) fn compare(&self, scene: &Scene) {
        let output = scene.command(env!("CARGO_BIN_EXE_haul"), "a").args(["ls", BOTH]).output();
        let listed = String::from_utf8(output.expect("runs haul").stdout).expect("is text");
        let tracked: BTreeSet<&str> =
            listed.lines().filter_map(|line| line.split(' ').next_back()).collect();
        for file in self.files.iter().filter(|file| !tracked.contains(file.as_str())) {
            scene.miss(format!("`{file}` was added, and is not tracked"));
        }
        for file in self.gone.iter().filter(|file| tracked.contains(file.as_str())) {
            scene.miss(format!("`{file}` was removed, and is tracked"));
        }
    }
}
