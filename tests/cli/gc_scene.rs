//! What tests of `haul gc` begin with: a remote with history, some of it needed by nobody.

use std::fs::File;
use std::time::Duration;

use crate::harness::{Output, Remote, Repo, Tree, World, data};
use crate::push::{ready, take};

pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Condemns and removes at once.
pub(crate) const NOW: [&str; 4] = ["gc", "--yes", "--grace", "0"];

pub(crate) fn gc(repo: &Repo, arguments: &[&str]) -> Output {
    gc_with(repo, arguments, "")
}

/// Runs gc with a crash point.
pub(crate) fn gc_with(repo: &Repo, arguments: &[&str], point: &str) -> Output {
    let all: Vec<&str> = ["gc"].into_iter().chain(arguments.iter().copied()).collect();
    repo.haul_with(&all, &[("HAUL_FAILPOINT", point)])
}

pub(crate) fn state(output: &Output) -> String {
    let report = output.json();
    report.get("state").and_then(|state| state.as_str()).expect("has a state").to_owned()
}

/// Makes everything below a prefix of the remote older.
pub(crate) fn age(remote: &Remote, prefix: &str, by: Duration) {
    for key in remote.keys(prefix) {
        let file = File::options().append(true).open(remote.path().join(key)).expect("is there");
        let now = file.metadata().and_then(|m| m.modified()).expect("has a time");
        file.set_modified(now - by).expect("sets the time");
    }
}

/// Forgets what only reflogs and `ORIG_HEAD` name.
pub(crate) fn forget(repo: &Repo) {
    repo.git(&["update-ref", "-d", "ORIG_HEAD"]).ok();
    repo.git(&["reflog", "expire", "--expire=now", "--all"]).ok();
}

/// Commits that have to stay, each with its files.
#[derive(Default)]
pub(crate) struct History {
    commits: Vec<(String, Tree)>,
}

impl History {
    /// Takes in what is committed now.
    pub(crate) fn note(&mut self, repo: &Repo) {
        let commit = repo.git(&["rev-parse", "HEAD"]).ok().stdout().trim().to_owned();
        self.commits.push((commit, repo.tree()));
    }

    /// Requires that a new clone gets every commit, byte for byte.
    pub(crate) fn restores(&self, repo: &Repo, name: &str) {
        let clone = repo.clone_as(name);
        for (commit, tree) in &self.commits {
            clone.git(&["checkout", "--quiet", "--detach", commit]).ok();
            clone.haul(&["pull"]).ok();
            clone.tree().assert_same(tree);
            clone.haul(&["verify", commit]).ok();
        }
        clone.remove("");
    }
}

/// A repository, its remote, and the commits that have to stay.
pub(crate) struct Scene<'w> {
    pub(crate) remote: Remote,
    pub(crate) a: Repo<'w>,
    pub(crate) history: History,
}

/// Two commits that stay and one that was taken back, all pushed long ago; what was taken back shares
/// a pack with nothing that stays.
pub(crate) fn scene(world: &World) -> Scene<'_> {
    let remote = world.remote("r");
    let a = ready(world, "a", &remote);
    let history = fill(&a, &remote);
    Scene { remote, a, history }
}

/// As [`scene`], in a repository that is there.
pub(crate) fn fill(a: &Repo, remote: &Remote) -> History {
    let mut history = History::default();
    a.write("d/x.bin", &data::bytes(1, 400_000));
    a.write("d/y.bin", &data::bytes(2, 60_000));
    take(a, "d");
    a.haul(&["push"]).ok();
    history.note(a);
    bring_back(a);
    a.haul(&["push"]).ok();
    a.git(&["reset", "--quiet", "--hard", "HEAD~1"]).ok();
    a.remove("big.bin");
    forget(a);
    a.write("d/x.bin", &data::bytes(4, 400_000));
    take(a, "d");
    a.haul(&["push"]).ok();
    history.note(a);
    age(remote, "", 20 * DAY);
    history
}

/// Pushes something and takes it back, all of it long ago.
pub(crate) fn push_in_vain(a: &Repo, remote: &Remote, seed: u64) {
    a.write("other.bin", &data::bytes(seed, 100_000));
    take(a, "other.bin");
    a.haul(&["push"]).ok();
    a.git(&["reset", "--quiet", "--hard", "HEAD~1"]).ok();
    a.remove("other.bin");
    forget(a);
    age(remote, "", 20 * DAY);
}

/// Makes a Git repository that a repository and clones of these names share.
pub(crate) fn share<'w, const N: usize>(a: &Repo<'w>, names: [&str; N]) -> [Repo<'w>; N] {
    a.commit_nothing();
    let upstream = a.clone_as("upstream");
    let url = upstream.path("").to_str().expect("is text").to_owned();
    a.git(&["remote", "add", "origin", &url]).ok();
    names.map(|name| {
        let clone = upstream.clone_as(name);
        clone.git(&["remote", "set-url", "origin", &url]).ok();
        clone
    })
}

/// Adds what is taken back in the [`scene`], and commits it.
pub(crate) fn bring_back(a: &Repo) {
    a.write("big.bin", &data::bytes(3, 3_000_000));
    take(a, "big.bin");
}

/// A table, or that with a row changed in each of its chunks: every one of them is a delta.
pub(crate) fn edited(version: u64) -> Vec<u8> {
    let rows = (0..version).flat_map(|_| (0..20_000).step_by(500));
    rows.fold(data::csv(1, 20_000), |table, row| data::edit_csv(&table, 2, row..row + 1))
}
