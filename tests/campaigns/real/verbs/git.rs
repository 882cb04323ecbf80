//! Steps with plain `git`.

use std::collections::HashSet;

use crate::real::random::Random;
use crate::real::verbs::actor::Actor;
use crate::real::verbs::model::{Pointers, Shared, below};

/// Branches that clones switch between.
const BRANCHES: &[&str] = &["main", "dev", "other"];
/// Names that a tracked path may get; the folders above some need not exist.
const NAMES: &[&str] = &["t.csv", "w.bin", "d", "moved", "sub/moved", "sub/x.bin", "sub/e"];

impl Actor<'_> {
    fn words(&self, arguments: &[&str]) -> Vec<String> {
        let output = self.repo.git(arguments).ok();
        output.stdout().split_whitespace().map(str::to_owned).collect()
    }

    fn says_yes(&self, arguments: &[&str], shared: &mut Shared) -> bool {
        let status = self.repo.git(arguments).status();
        shared.note(format!("{}: git {} -> {status:?}", self.name, arguments.join(" ")));
        status == Some(0)
    }

    /// Returns the commit that is checked out.
    pub(crate) fn head(&self) -> String {
        self.words(&["rev-parse", "HEAD"]).concat()
    }

    fn branch(&self) -> String {
        self.words(&["rev-parse", "--abbrev-ref", "HEAD"]).concat()
    }

    fn is_clean(&self) -> bool {
        self.words(&["status", "--porcelain", "--untracked-files=no"]).is_empty()
    }

    /// Takes the pointers as Git placed them.
    pub(crate) fn follow_head(&mut self, shared: &Shared) {
        let commit = shared.commits.get(&self.head());
        self.pointers = commit.expect("every commit was made here").clone();
    }

    /// Commits what is staged, and ignore files that haul changed.
    pub(crate) fn commit(&mut self, shared: &mut Shared) {
        self.repo.git(&["add", "--update"]).ok();
        self.repo.git(&["add", "--", ":(glob)**/.gitignore"]);
        if self.is_clean() {
            return;
        }
        self.repo.commit("step");
        shared.note(format!("{}: git commit", self.name));
        shared.commits.insert(self.head(), self.pointers.clone());
    }

    /// Pushes the branch; if somebody else was first, takes theirs and drops what was committed here.
    pub(crate) fn git_push(&mut self, shared: &mut Shared) {
        let branch = self.branch();
        if !self.says_yes(&["push", "--quiet", "origin", "HEAD"], shared) {
            self.repo.git(&["fetch", "--quiet"]).ok();
            self.repo.git(&["reset", "--quiet", "--hard", &format!("origin/{branch}")]).ok();
            self.follow_head(shared);
        }
    }

    /// Follows what others pushed, where nothing has to be merged.
    pub(crate) fn git_pull(&mut self, shared: &mut Shared) {
        self.repo.git(&["fetch", "--quiet"]).ok();
        let upstream = format!("origin/{}", self.branch());
        if self.is_clean() && self.says_yes(&["merge", "--quiet", "--ff-only", &upstream], shared) {
            self.follow_head(shared);
        }
    }

    /// Goes to another branch, made if there is none.
    pub(crate) fn switch(&mut self, random: &mut Random, shared: &mut Shared) {
        if !self.is_clean() {
            return;
        }
        let branch = *random.pick(BRANCHES);
        let went = self.says_yes(&["checkout", "--quiet", branch], shared)
            || self.says_yes(&["checkout", "--quiet", "-b", branch], shared);
        if went {
            self.follow_head(shared);
        }
    }

    /// Renames a pointer, and leaves its data where it is.
    pub(crate) fn git_move(&mut self, random: &mut Random, shared: &mut Shared) {
        let units: Vec<String> = self.pointers.keys().cloned().collect();
        if units.is_empty() {
            return;
        }
        let (from, to) = (random.pick(&units).clone(), *random.pick(NAMES));
        let nested = |unit: &String| below(unit, to) || below(to, unit);
        if units.iter().any(nested) || self.repo.has(to) || self.repo.path("sub").is_file() {
            return;
        }
        if to.starts_with("sub/") {
            self.repo.mkdir("sub");
        }
        if self.says_yes(&["mv", &format!("{from}.haul"), &format!("{to}.haul")], shared) {
            let unit = self.pointers.remove(&from).expect("is tracked");
            self.pointers.insert(to.to_owned(), unit);
        }
    }

    /// Removes a pointer.
    pub(crate) fn git_remove(&mut self, random: &mut Random, shared: &mut Shared) {
        let units: Vec<String> = self.pointers.keys().cloned().collect();
        if units.is_empty() {
            return;
        }
        let unit = random.pick(&units).clone();
        if self.says_yes(&["rm", "--quiet", "--force", &format!("{unit}.haul")], shared) {
            self.pointers.remove(&unit);
        }
    }

    /// Returns the pointers of every commit that can be reached from here.
    pub(crate) fn history(&self, shared: &Shared) -> Vec<(String, Pointers)> {
        let ids = self.words(&["rev-list", "HEAD"]);
        ids.into_iter()
            .filter_map(|id| Some((id.clone(), shared.commits.get(&id)?.clone())))
            .collect()
    }

    /// Returns every commit that the hub has.
    pub(crate) fn hub(&self) -> HashSet<String> {
        let output = self.world.git(&self.world.path("hub.git"), &["rev-list", "--all"]).ok();
        output.stdout().split_whitespace().map(str::to_owned).collect()
    }
}
