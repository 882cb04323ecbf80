//! A folder behind `ssh` that is gone, full or littered.

use std::fs::File;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::harness::{Output, Remote, Repo, World, data, skipped};
use crate::server::Server;

/// A repository whose remote lies behind the `sshd` of the tests, and the folder as it is here.
fn scene(world: &World) -> Option<(Server, Repo<'_>, Remote)> {
    let server = Server::find("sshd")?;
    let a = server.repo(world, "a");
    let (_, host) = server.url().split_once("://").map(|(s, r)| (s.to_owned(), r.to_owned()))?;
    let folder = host.split_once('/').map(|(_, path)| PathBuf::from(format!("/{path}")))?;
    a.write("x.bin", &data::bytes(1, 300_000));
    a.haul(&["add", "x.bin"]).ok();
    a.commit("data");
    Some((server, a, Remote::at(folder)))
}

#[test]
fn a_folder_that_went_away_is_no_empty_remote_and_is_not_made_again() {
    let world = World::new();
    let Some((server, a, remote)) = scene(&world) else { return };
    assert!(remote.path().is_dir(), "adding the remote made it");
    server.haul(&a, &["push"]).ok();
    let b = a.clone_as("b");
    let away = remote.path().with_extension("away");
    std::fs::rename(remote.path(), &away).expect("moves");
    for (repo, verb) in [(&a, "verify"), (&a, "push"), (&b, "pull"), (&b, "push")] {
        server.haul(repo, &[verb]).fails_with(3).says("is not there").says("disk is mounted");
    }
    assert!(!remote.path().exists(), "nobody makes it");
    std::fs::rename(&away, remote.path()).expect("moves");
    server.haul(&a, &["verify"]).ok();
    server.haul(&b, &["pull"]).ok();
    assert!(b.read("x.bin") == data::bytes(1, 300_000));
}

#[test]
fn what_writes_that_died_left_goes_when_it_is_old() {
    let world = World::new();
    let Some((server, a, remote)) = scene(&world) else { return };
    server.haul(&a, &["push"]).ok();
    let pack = remote.keys("p/").remove(0);
    let nonce = "0123456789abcdef0123456789abcdef";
    let names = [format!("{pack}#{nonce}"), format!("{pack}#other"), format!("format#{nonce}")];
    for name in &names {
        remote.write(name, b"half a pack");
    }
    let left = || names.iter().filter(|name| remote.keys("").contains(name)).count();
    server.haul(&a, &["gc", "--yes"]).ok();
    assert_eq!(left(), 3, "a young one may be under way");
    let old = SystemTime::now() - Duration::from_secs(20 * 24 * 3600);
    for name in &names {
        let file = File::options().append(true).open(remote.path().join(name));
        file.expect("is there").set_modified(old).expect("sets the time");
    }
    let report = server.haul(&a, &["gc", "--yes", "--json"]).ok().json();
    assert_eq!(report["removed"]["leftovers"], 2, "{report}");
    assert_eq!(left(), 1, "what is not ours stays");
    server.haul(&a, &["verify"]).ok();
}

/// The program that answers behind `ssh`, to be called without any `ssh`.
fn file_server() -> Option<PathBuf> {
    let known = ["/usr/lib/openssh", "/usr/libexec/openssh", "/usr/lib/ssh", "/usr/libexec"];
    let found = known.iter().map(|folder| PathBuf::from(folder).join("sftp-server"));
    let found = found.into_iter().find(|program| program.exists());
    if found.is_none() {
        skipped("no sftp-server is installed: apt-get install openssh-sftp-server");
    }
    found
}

/// A repository whose remote is served by a file server that is called in place of `ssh`.
struct Direct<'w> {
    ssh: Repo<'w>,
    program: PathBuf,
    a: Repo<'w>,
    remote: Remote,
}

impl<'w> Direct<'w> {
    fn new(world: &'w World) -> Option<Self> {
        let program = file_server()?;
        let direct = Self {
            ssh: world.folder("bin"),
            program,
            a: world.repo("a"),
            remote: world.remote("r"),
        };
        direct.first("");
        direct.a.haul(&["init"]).ok();
        let url = format!("sftp://host{}", direct.remote.path().display());
        direct.haul(&["remote", "add", "origin", &url]).ok();
        Some(direct)
    }

    /// What a shell does before it becomes the server.
    fn first(&self, what: &str) {
        let script =
            format!("#!/bin/sh\ntrap '' XFSZ\n{what}\nexec '{}'\n", self.program.display());
        self.ssh.script("ssh", &script);
    }

    fn haul(&self, words: &[&str]) -> Output {
        let own = std::env::var("PATH").expect("is set");
        let path = format!("{}:{own}", self.ssh.path("").display());
        self.a.haul_with(words, &[("PATH", path.as_str())])
    }

    /// Pushes a version of `x.bin` and takes it back, then another one, all of it long ago.
    fn push_twice(&self) {
        let git = |words: &[&str]| drop(self.a.git(words).ok());
        for seed in 1..=2 {
            self.a.write("x.bin", &data::bytes(seed, 300_000));
            self.a.haul(&["add", "x.bin"]).ok();
            self.a.commit("data");
            self.haul(&["push"]).ok();
            if seed == 1 {
                git(&["update-ref", "-d", "HEAD"]);
            }
        }
        git(&["reflog", "expire", "--expire=now", "--all"]);
        for key in self.remote.keys("") {
            self.age(&key);
        }
    }

    /// Makes a file of the remote old.
    fn age(&self, key: &str) {
        let old = SystemTime::now() - Duration::from_secs(20 * 24 * 3600);
        let file = File::options().append(true).open(self.remote.path().join(key));
        file.expect("is there").set_modified(old).expect("sets the time");
    }
}

#[test]
fn a_write_that_fails_leaves_nothing_beside() {
    let world = World::new();
    let Some(direct) = Direct::new(&world) else { return };
    direct.a.write("x.bin", &data::bytes(1, 3 << 20));
    direct.a.haul(&["add", "x.bin"]).ok();
    direct.a.commit("data");
    // No file of more than some 100 kB.
    direct.first("ulimit -f 200");
    direct.haul(&["push"]).fails_with(3).says("hint: ");
    let keys = direct.remote.keys("").into_iter();
    let beside: Vec<String> = keys.filter(|key| key.contains('#')).collect();
    assert_eq!(beside, [""; 0]);
    direct.first("");
    direct.haul(&["push"]).ok();
    direct.haul(&["verify"]).ok();
}

#[test]
fn gc_removes_nothing_of_others_who_use_the_same_folder() {
    let world = World::new();
    let Some(direct) = Direct::new(&world) else { return };
    direct.push_twice();
    let pack = direct.remote.keys("p/").remove(0);
    let own = format!("{pack}#0123456789abcdef0123456789abcdef");
    let others = ["thesis/data/deep/er/run#1", "thesis/draft#12", "draft#1", "p/draft#1"];
    for name in others.into_iter().chain([own.as_str()]) {
        let path = direct.remote.path().join(name);
        std::fs::create_dir_all(path.parent().expect("has one")).expect("makes a folder");
        direct.remote.write(name, b"precious");
        direct.age(name);
    }
    let report = direct.haul(&["gc", "--yes", "--grace", "0", "--json"]).ok().json();
    assert_eq!((&report["state"], &report["removed"]["leftovers"]), (&"removed".into(), &1.into()));
    for name in others {
        assert!(direct.remote.path().join(name).exists(), "{name}");
    }
    direct.haul(&["verify"]).ok();
}

#[test]
fn unfinished_writes_that_cannot_be_looked_for_hold_up_no_gc() {
    let world = World::new();
    let Some(direct) = Direct::new(&world) else { return };
    direct.push_twice();
    direct.haul(&["remote", "index"]).ok();
    // More than one folder of haul's can have.
    for number in 0..100_010 {
        File::create(direct.remote.path().join(format!("other-{number}"))).expect("makes a file");
    }
    let gc = direct.haul(&["gc", "--yes", "--grace", "0", "--json"]).ok();
    assert_eq!(gc.json()["state"], "removed", "{gc}");
    gc.says("files that unfinished writes left stay where they are");
    let lease = direct.remote.keys("gc/lease");
    assert!(lease.is_empty(), "nobody is removing any more: {lease:?}");
    let index = String::from_utf8(direct.remote.read("index")).expect("is text");
    let listed: Vec<_> = direct.remote.keys("i/");
    assert!(listed.iter().all(|key| index.contains(&key["i/".len()..])), "{index}, {listed:?}");
    assert!(direct.haul(&["gc", "undo", "--json"]).ok().json()["too_late"] == false);
    // Nothing is left to do but that.
    direct.haul(&["gc", "--yes"]).ok().says("files that unfinished writes left");
}
