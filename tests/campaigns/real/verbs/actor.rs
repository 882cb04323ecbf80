//! One clone, what is known of it, and the choice of its next step.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::harness::{Output, Repo, World};
use crate::real::random::Random;
use crate::real::verbs::model::{Files, Pointers, Shared, Unit, below, join};

/// A clone with what should be in it.
pub(crate) struct Actor<'w> {
    pub(crate) name: String,
    pub(crate) repo: Repo<'w>,
    pub(crate) world: &'w World,
    /// What the pointers in the worktree stand for.
    pub(crate) pointers: Pointers,
    /// What haul added or placed last, by path.
    pub(crate) base: Files,
    /// What a checkout finds here without asking the remote.
    pub(crate) held: HashSet<Unit>,
    /// What was added here: it is here or on the remote.
    pub(crate) added: HashSet<Unit>,
    /// The stat cache was deleted, and with it what haul knows of the worktree.
    pub(crate) forgot: bool,
    /// Packs were deleted: haul cannot prove of everything that it can give it back.
    pub(crate) thinned: bool,
}

impl<'w> Actor<'w> {
    /// Clones the hub.
    pub(crate) fn clone(world: &'w World, name: &str, shared: &mut Shared) -> Self {
        let path = world.path(name);
        let hub = world.path("hub.git");
        let arguments = ["clone".as_ref(), "--quiet".as_ref(), hub.as_os_str(), path.as_os_str()];
        world.git(&world.path(""), &arguments).ok();
        let repo = world.folder(name);
        let mut actor = Self {
            name: name.to_owned(),
            repo,
            world,
            pointers: Pointers::new(),
            base: Files::new(),
            held: HashSet::new(),
            added: HashSet::new(),
            forgot: false,
            thinned: false,
        };
        let head = actor.head();
        shared.commits.entry(head).or_default();
        actor.follow_head(shared);
        actor
    }

    /// Does anything.
    pub(crate) fn step(&mut self, random: &mut Random, shared: &mut Shared) {
        match random.below(100) {
            0..22 => self.edit(random, shared),
            22..40 => self.add(random, shared),
            40..46 => self.status(shared),
            46..56 => self.commit(shared),
            56..64 => self.push(random, shared),
            64..68 => self.git_push(shared),
            68..71 => self.git_pull(shared),
            71..76 => self.switch(random, shared),
            76..79 => self.git_move(random, shared),
            79..81 => self.git_remove(random, shared),
            81..85 => self.fetch(random, shared),
            85..89 => self.place("checkout", random, shared),
            89..94 => self.place("pull", random, shared),
            94..96 => self.pull_revision(random, shared),
            96..98 => self.delete_caches(random, shared),
            _ => self.compare_fresh_clone(shared),
        }
    }

    /// Brings everything to its end: what is here is added, committed, pushed, and cloned.
    pub(crate) fn settle(&mut self, shared: &mut Shared) {
        let output = self.haul(&["add", "-u"], &[], shared);
        self.added(output, &["add -u"], shared);
        self.commit(shared);
        self.push_now(shared);
        self.git_push(shared);
        self.compare_fresh_clone(shared);
    }

    /// Runs `haul`, of which any end but 0, 1 and 4 is a defect, and an error without a hint too.
    pub(crate) fn haul(
        &self,
        arguments: &[&str],
        variables: &[(&str, &str)],
        shared: &mut Shared,
    ) -> Output {
        let output = self.repo.haul_with(arguments, variables);
        let status = output.status();
        let line = arguments.join(" ");
        let settings = variables.iter().map(|(key, value)| format!("{key}={value} "));
        let settings = settings.collect::<Vec<_>>().concat();
        shared.note(format!("{}: {settings}haul {line} -> {status:?}", self.name));
        shared.counts.commands += 1;
        if status != Some(0) {
            shared.counts.refused += 1;
            assert!(matches!(status, Some(1 | 4)), "no such end is expected\n{output}");
            let said = output.stderr();
            let next = said.contains("hint: ") || said.contains("`haul pull` brings it");
            assert!(next, "an error without a hint\n{output}");
        }
        output
    }

    /// Reads the user's files: all but those of Git and haul.
    pub(crate) fn disk(&self) -> Files {
        let mut out = Files::new();
        let root = self.repo.path("");
        let mut folders = vec![String::new()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(root.join(&folder)).expect("is a folder") {
                let entry = entry.expect("is listed");
                let name = entry.file_name().into_string().expect("is UTF-8");
                let path =
                    if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
                let metadata = entry.metadata().expect("is there");
                let own =
                    matches!(name.as_str(), ".git" | ".gitignore" | ".gitattributes" | "haul.toml");
                if own || Path::new(&name).extension().is_some_and(|ending| ending == "haul") {
                    continue;
                }
                if metadata.is_dir() {
                    folders.push(path);
                } else {
                    let hash = blake3::hash(&fs::read(entry.path()).expect("is readable"));
                    out.insert(path, (hash, metadata.permissions().mode() & 0o111 != 0));
                }
            }
        }
        out
    }

    /// Returns what a unit would be if it were added now.
    pub(crate) fn unit_on(&self, disk: &Files, unit: &str) -> Option<Unit> {
        let metadata = self.repo.path(unit).metadata().ok()?;
        let files = disk.iter().filter(|(path, _)| below(path, unit));
        let name = |path: &str| {
            path.get(unit.len()..).unwrap_or_default().trim_start_matches('/').to_owned()
        };
        let files = files.map(|(path, file)| (name(path), *file)).collect::<BTreeMap<_, _>>();
        Some(Unit { folder: metadata.is_dir(), files })
    }

    /// Forgets what was placed below a unit and takes what is to be there now.
    pub(crate) fn rebase(&mut self, unit: &str, content: &Unit) {
        self.base.retain(|path, _| !below(path, unit));
        self.base.extend(content.files.iter().map(|(name, file)| (join(unit, name), *file)));
    }
}
