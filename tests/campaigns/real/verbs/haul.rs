//! Steps with `haul` that leave the worktree's files as they are.

use std::collections::BTreeSet;
use std::fs;

use crate::harness::Output;
use crate::real::random::Random;
use crate::real::verbs::actor::Actor;
use crate::real::verbs::model::{Files, Pointers, Shared, Unit, below, join};

/// Paths that may be tracked.
const UNITS: &[&str] = &["t.csv", "w.bin", "d", "sub/x.bin", "sub/e", "moved"];
const BASES: &[&str] = &["never", "cached", "worth-it"];
/// Sets of files of the local state that may be deleted together.
const CACHES: &[&[&str]] = &[
    &["packs", "parts", "index.redb"],
    &["index.redb"],
    &["stat.redb"],
    &["parts", "index.redb"],
    &["packs", "parts", "index.redb", "stat.redb"],
];

impl Actor<'_> {
    /// Adds a path, or all that changed.
    pub(crate) fn add(&mut self, random: &mut Random, shared: &mut Shared) {
        let base = [("HAUL_DELTA_BASE", *random.pick(BASES))];
        if random.chance(40) {
            let output = self.haul(&["add", "-u"], &base, shared);
            return self.added(output, &["add -u"], shared);
        }
        let mut units: Vec<String> = UNITS.iter().map(|unit| (*unit).to_owned()).collect();
        units.extend(self.pointers.keys().cloned());
        let unit = random.pick(&units).clone();
        let nested =
            |other: &String| *other != unit && (below(other, &unit) || below(&unit, other));
        if self.pointers.keys().any(nested) {
            return;
        }
        let output = self.haul(&["add", &unit], &base, shared);
        if self.repo.has(&unit) {
            self.added(output, &[&unit], shared);
        } else {
            output.fails_with(1);
        }
    }

    /// Requires that an `add` did its work, and takes over what it acknowledged.
    pub(crate) fn added(&mut self, output: Output, units: &[&str], shared: &mut Shared) {
        output.ok();
        let disk = self.disk();
        let units: Vec<String> = match units {
            ["add -u"] => self.pointers.keys().cloned().collect(),
            units => units.iter().map(|unit| (*unit).to_owned()).collect(),
        };
        for unit in units {
            let Some(content) = self.unit_on(&disk, &unit) else { continue };
            self.check_pointer(&unit, &content);
            shared.saved.extend(content.files.values().map(|(hash, _)| *hash));
            self.rebase(&unit, &content);
            self.held.insert(content.clone());
            self.added.insert(content.clone());
            self.pointers.insert(unit, content);
        }
    }

    fn check_pointer(&self, unit: &str, content: &Unit) {
        let text = self.repo.text(format!("{unit}.haul"));
        let line = if content.folder {
            format!("files {}\n", content.files.len())
        } else {
            let (hash, _) = content.files.get("").expect("is a file");
            format!("oid b3:{}\n", hash.to_hex())
        };
        assert!(text.contains(&line), "the pointer of `{unit}` has no line `{line}`:\n{text}");
    }

    /// Compares what `status` says of content with what is there.
    pub(crate) fn status(&mut self, shared: &mut Shared) {
        let output = self.haul(&["status", "--porcelain"], &[], shared).ok();
        let disk = self.disk();
        let unknown: Vec<&String> = self
            .pointers
            .iter()
            .filter(|(_, c)| c.folder && !self.held.contains(*c))
            .map(|(u, _)| u)
            .collect();
        let known = |path: &String| !unknown.iter().any(|unit| below(path, unit));
        let rows = output.stdout().lines().filter(|line| line.starts_with('w'));
        let rows = rows.filter_map(|line| Some(line.split_once('\t')?.1.to_owned()));
        let said: BTreeSet<String> = rows.filter(known).collect();
        let differs =
            self.pointers.iter().flat_map(|(unit, content)| self.differs(&disk, unit, content));
        let real: BTreeSet<String> = differs.filter(known).collect();
        assert_eq!(said, real, "`status` and the files\n{output}");
    }

    fn differs(&self, disk: &Files, unit: &str, content: &Unit) -> Vec<String> {
        let Some(there) = self.unit_on(disk, unit) else { return vec![unit.to_owned()] };
        let names: BTreeSet<&String> = there.files.keys().chain(content.files.keys()).collect();
        let differs =
            names.into_iter().filter(|name| there.files.get(*name) != content.files.get(*name));
        differs.map(|name| join(unit, name)).collect()
    }

    /// Pushes content, and mostly proves that it is there.
    pub(crate) fn push(&mut self, random: &mut Random, shared: &mut Shared) {
        if self.push_now(shared)
            && random.chance(60)
            && self.repo.git(&["diff", "--cached", "--quiet"]).status() == Some(0)
        {
            self.haul(&["verify"], &[], shared).ok();
        }
    }

    /// Pushes content; says whether that worked, which it must if all of it is to be had.
    pub(crate) fn push_now(&mut self, shared: &mut Shared) -> bool {
        let history = self.history(shared);
        let units = history.iter().flat_map(|(_, pointers)| pointers.values());
        let complete = self.all_to_be_had(units.chain(self.pointers.values()), shared);
        let output = self.haul(&["push"], &[], shared);
        if output.status() != Some(0) {
            assert!(!complete, "all content was to be had\n{output}");
            output.fails_with(4);
            return false;
        }
        let hub = self.hub();
        let head = self.head();
        for (id, pointers) in history {
            if id == head || !hub.contains(&id) {
                shared.remote.extend(pointers.into_values());
            }
        }
        shared.remote.extend(self.pointers.values().cloned());
        true
    }

    /// Says whether all units are here or on the remote.
    pub(crate) fn all_to_be_had<'u>(
        &self,
        mut units: impl Iterator<Item = &'u Unit>,
        shared: &Shared,
    ) -> bool {
        units.all(|unit| {
            self.held.contains(unit) || self.added.contains(unit) || shared.remote.contains(unit)
        })
    }

    /// Fetches what the worktree or a commit wants.
    pub(crate) fn fetch(&mut self, random: &mut Random, shared: &mut Shared) {
        let history = self.history(shared);
        let (id, pointers) = random.pick(&history).clone();
        let revision = random.chance(40);
        let wanted: Pointers = if revision { pointers } else { self.pointers.clone() };
        let complete = self.all_to_be_had(wanted.values(), shared);
        let before = self.disk();
        let arguments = if revision { vec!["fetch", "--rev", &id] } else { vec!["fetch"] };
        let output = self.haul(&arguments, &[], shared);
        assert_eq!(self.disk(), before, "a fetch changed files\n{output}");
        if output.status() == Some(0) {
            self.held.extend(wanted.into_values());
        } else {
            assert!(!complete, "all content was to be had\n{output}");
            output.fails_with(4);
        }
    }

    /// Deletes what may be deleted of the local state.
    pub(crate) fn delete_caches(&mut self, random: &mut Random, shared: &mut Shared) {
        let names = *random.pick(CACHES);
        shared.note(format!("{}: delete {}", self.name, names.join(" ")));
        for name in names {
            let path = self.repo.path(format!(".git/haul/{name}"));
            let gone =
                if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            let absent = |e: &std::io::Error| e.kind() == std::io::ErrorKind::NotFound;
            assert!(gone.as_ref().err().is_none_or(absent), "cannot delete: {gone:?}");
        }
        if names.contains(&"parts") {
            self.held.clear();
            self.thinned = true;
        }
        self.forgot |= names.contains(&"stat.redb");
    }
}
