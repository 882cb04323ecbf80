//! Steps with `haul` that place files.

use std::collections::HashSet;

use crate::harness::{Output, Tree};
use crate::real::random::Random;
use crate::real::verbs::actor::Actor;
use crate::real::verbs::model::{File, Files, Pointers, Shared, below, expand};

/// A placing that is judged.
struct Placing {
    wanted: Pointers,
    /// Everything that is tracked was asked for, not some of it.
    all: bool,
    force: bool,
    /// All content is where this verb looks for it.
    complete: bool,
    before: Files,
}

impl Placing {
    /// Returns what the user changed or made since haul added or placed it.
    fn changed(&self, base: &Files) -> Files {
        let changed = self.before.iter().filter(|(path, file)| base.get(*path) != Some(file));
        changed.map(|(path, file)| (path.clone(), *file)).collect()
    }

    /// Returns what of it stands where something else is to be.
    fn in_the_way(&self, changed: &Files, targets: &Files) -> Files {
        let blocks = |path: &str, file: &File| match targets.get(path) {
            Some(target) => target != file,
            None => self.aside_for(path, targets),
        };
        let found = changed.iter().filter(|(path, file)| blocks(path, file));
        found.map(|(path, file)| (path.clone(), *file)).collect()
    }

    /// Says whether a file is where a folder is to be, or in a folder that is to be a file.
    fn aside_for(&self, path: &str, targets: &Files) -> bool {
        let folder = |unit: &String| self.wanted.get(unit).is_some_and(|unit| unit.folder);
        targets.keys().any(|target| target != path && (below(target, path) || below(path, target)))
            || self.wanted.keys().any(|unit| unit == path && folder(unit))
    }
}

impl Actor<'_> {
    /// Runs `checkout` or `pull`, of everything or of one path.
    pub(crate) fn place(&mut self, verb: &str, random: &mut Random, shared: &mut Shared) {
        let units: Vec<String> = self.pointers.keys().cloned().collect();
        let one = (random.chance(25) && !units.is_empty()).then(|| random.pick(&units).clone());
        let mut wanted = self.pointers.clone();
        wanted.retain(|unit, _| one.as_ref().is_none_or(|one| one == unit));
        let force = random.chance(25);
        let here = wanted.values().all(|unit| self.held.contains(unit));
        let complete = here || verb == "pull" && self.all_to_be_had(wanted.values(), shared);
        let placing = Placing { wanted, all: one.is_none(), force, complete, before: self.disk() };
        let mut arguments = vec![verb];
        arguments.extend(one.as_deref());
        arguments.extend(force.then_some("--force"));
        let output = self.haul(&arguments, &[], shared);
        self.judge(&placing, &output, shared);
    }

    /// Runs `pull --rev` for any commit.
    pub(crate) fn pull_revision(&mut self, random: &mut Random, shared: &mut Shared) {
        let history = self.history(shared);
        let (id, wanted) = random.pick(&history).clone();
        // A path that is now tracked as part of another is not what this is about.
        let nested = |unit: &String| {
            self.pointers.keys().any(|own| own != unit && (below(own, unit) || below(unit, own)))
        };
        if wanted.keys().any(nested) {
            return;
        }
        let complete = self.all_to_be_had(wanted.values(), shared);
        let placing = Placing { wanted, all: false, force: false, complete, before: self.disk() };
        let output = self.haul(&["pull", "--rev", &id], &[], shared);
        self.judge(&placing, &output, shared);
    }

    fn judge(&mut self, placing: &Placing, output: &Output, shared: &Shared) {
        let targets = expand(&placing.wanted);
        let changed = placing.changed(&self.base);
        let in_the_way = placing.in_the_way(&changed, &targets);
        let unsaved = in_the_way.values().filter(|(hash, _)| !shared.saved.contains(hash));
        let unsaved: Vec<blake3::Hash> = unsaved.map(|(hash, _)| *hash).collect();
        let after = self.disk();
        let missing = output.stdout().starts_with("missing ") || output.status() == Some(4);
        match output.status() {
            Some(0) => {
                let may = placing.force || unsaved.is_empty();
                assert!(may, "overwrote what was never added\n{output}");
                let aside = self.aside();
                assert!(unsaved.iter().all(|hash| aside.contains(hash)), "not put aside\n{output}");
                self.placed(placing, &targets, &changed, output);
            }
            _ if missing => {
                assert!(!placing.complete, "all content was to be had\n{output}");
                self.half_placed(placing, &targets, &after, output);
            }
            _ => {
                assert!(!placing.force, "refused in spite of `--force`\n{output}");
                let reason = !in_the_way.is_empty() || self.forgot;
                assert!(reason, "refused, and nothing is in the way\n{output}");
                assert_eq!(after, placing.before, "refused, and changed files\n{output}");
            }
        }
    }

    /// After exit 0: what was wanted is there, what the user made is there, and nothing else.
    fn placed(&mut self, placing: &Placing, targets: &Files, changed: &Files, output: &Output) {
        let after = self.disk();
        for (path, file) in targets {
            assert_eq!(after.get(path), Some(file), "`{path}` is not as wanted\n{output}");
        }
        let mut followed = HashSet::new();
        for (path, file) in placing.before.iter().filter(|(path, _)| !targets.contains_key(*path)) {
            let ours = changed.contains_key(path);
            let asked = placing.all || placing.wanted.keys().any(|unit| below(path, unit));
            // The data of a pointer that is gone may follow it to another name, and with it what the
            // user put into its folder.
            let vanished = !self.pointers.keys().any(|unit| below(path, unit));
            let new = |(path, found): &(&String, &File)| {
                *found == file
                    && !placing.before.contains_key(*path)
                    && !targets.contains_key(*path)
            };
            let heir = after.iter().find(new).filter(|_| vanished).map(|(path, _)| path);
            followed.extend(heir.cloned());
            let expected = match after.get(path) {
                // What is not surely here or on the remote is not removed.
                Some(found) => found == file && (ours || !asked || self.forgot || self.thinned),
                None if ours => heir.is_some() || placing.aside_for(path, targets),
                None => asked || vanished,
            };
            assert!(expected, "`{path}` was {file:?}, is {:?}\n{output}", after.get(path));
        }
        for path in after.keys() {
            let known = targets.contains_key(path) || placing.before.contains_key(path);
            assert!(known || followed.contains(path), "`{path}` came from nowhere\n{output}");
        }
        self.base.retain(|path, _| after.contains_key(path));
        for (unit, content) in &placing.wanted {
            self.rebase(unit, content);
            self.held.insert(content.clone());
        }
        if placing.all {
            self.base.retain(|path, _| targets.contains_key(path));
            self.forgot = false;
        }
    }

    /// After content was missing: each file is as it was, or as wanted, or was haul's to remove.
    fn half_placed(&mut self, placing: &Placing, targets: &Files, after: &Files, output: &Output) {
        for (path, file) in &placing.before {
            let found = after.get(path);
            let right = found.is_some() && found == targets.get(path);
            let own = self.base.get(path) == Some(file);
            let expected = found == Some(file) || own && (found.is_none() || right);
            assert!(expected, "`{path}` was {file:?}, is {found:?}\n{output}");
        }
        for (path, found) in after {
            match placing.before.get(path) {
                Some(file) if file == found => {}
                _ => {
                    assert_eq!(targets.get(path), Some(found), "`{path}` is wrong\n{output}");
                    self.base.insert(path.clone(), *found);
                }
            }
        }
        self.base.retain(|path, _| after.contains_key(path) || targets.contains_key(path));
    }

    fn aside(&self) -> HashSet<blake3::Hash> {
        let mut out = HashSet::new();
        let mut folders = vec![self.repo.path(".git/haul/aside")];
        while let Some(folder) = folders.pop() {
            let Ok(entries) = std::fs::read_dir(&folder) else { continue };
            for entry in entries {
                let path = entry.expect("is listed").path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    out.insert(blake3::hash(&std::fs::read(path).expect("is readable")));
                }
            }
        }
        out
    }

    /// Clones the hub anew; a pull there ends well if all was pushed, and then every byte is right.
    pub(crate) fn compare_fresh_clone(&mut self, shared: &mut Shared) {
        let name = format!("fresh-{}", shared.number());
        let fresh = Actor::clone(self.world, &name, shared);
        let complete = fresh.pointers.values().all(|unit| shared.remote.contains(unit));
        let output = fresh.haul(&["pull"], &[], shared);
        if output.status() == Some(0) {
            assert_eq!(fresh.disk(), expand(&fresh.pointers), "a fresh clone\n{output}");
            shared.counts.clones += 1;
        } else {
            assert!(!complete, "all content was pushed\n{output}");
            output.fails_with(4);
            let all = expand(&fresh.pointers);
            for (path, file) in fresh.disk() {
                assert_eq!(all.get(&path), Some(&file), "`{path}` is wrong");
            }
        }
        // Links and folders are not in the map, but must not come from nowhere either.
        assert!(
            Tree::of(&fresh.repo.path("")).paths().iter().all(|path| !path.contains(".haul-tmp"))
        );
        std::fs::remove_dir_all(fresh.repo.path("")).expect("removes a clone");
    }
}
