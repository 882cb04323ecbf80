//! What a user does to files without telling anybody.

use std::fs;
use std::path::PathBuf;

use crate::harness::data;
use crate::real::random::Random;
use crate::real::verbs::actor::Actor;
use crate::real::verbs::model::Shared;

/// Single files that may be tracked, and files of folders that may.
const PATHS: &[&str] =
    &["t.csv", "w.bin", "sub/x.bin", "d/one", "d/two.csv", "d/n/three", "sub/e/four", "sub/e/five"];

impl Actor<'_> {
    /// Writes, changes or deletes a file.
    pub(crate) fn edit(&mut self, random: &mut Random, shared: &mut Shared) {
        let mut paths: Vec<String> = PATHS.iter().map(|path| (*path).to_owned()).collect();
        // What is there is taken more often, also below a name that it got by a move.
        let there: Vec<String> = self.disk().into_keys().collect();
        paths.extend(there.iter().cloned());
        paths.extend(there);
        let path = random.pick(&paths).clone();
        let above = PathBuf::from(&path);
        let in_the_way = above.ancestors().skip(1).any(|folder| self.repo.path(folder).is_file());
        if in_the_way || self.repo.path(&path).is_dir() {
            return;
        }
        let old = fs::read(self.repo.path(&path)).unwrap_or_default();
        let seed = shared.number();
        let what = if old.is_empty() { 6 + random.below(2) } else { random.below(10) };
        shared.note(format!("{}: edit {path} by way {what}", self.name));
        match what {
            0 => {
                self.repo.remove(&path);
                // An empty folder counts in a manifest, and is not in the map.
                let above = above.parent().filter(|folder| folder.ends_with("n"));
                if let Some(folder) = above {
                    drop(fs::remove_dir(self.repo.path(folder)));
                }
            }
            1 => {
                let executable = random.chance(50);
                self.repo.set_executable(&path, executable);
            }
            2 => {
                self.repo.write(&path, &[old, data::bytes(seed, 1 + random.below(9_000))].concat());
            }
            3 => self.repo.write(&path, old.get(..random.below(old.len())).unwrap_or_default()),
            4 | 5 => self.repo.write(&path, &changed(old, random)),
            6 => self.repo.write(&path, &data::csv(seed % 5, random.below(4_000))),
            _ => self.repo.write(&path, &data::bytes(seed % 7, random.below(220_000))),
        }
    }
}

/// Changes some bytes all over.
fn changed(mut bytes: Vec<u8>, random: &mut Random) -> Vec<u8> {
    for _ in 0..=random.below(20) {
        let at = random.below(bytes.len());
        if let Some(byte) = bytes.get_mut(at) {
            *byte = byte.wrapping_add(1);
        }
    }
    bytes
}
