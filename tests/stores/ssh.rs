//! A folder behind `ssh` that is gone, full or littered.

use std::fs::File;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::harness::{Remote, Repo, World, data, skipped};
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

#[test]
fn a_write_that_fails_leaves_nothing_beside() {
    let Some(program) = file_server() else { return };
    let world = World::new();
    let ssh = world.folder("bin");
    let room = |limit: &str| {
        let script = format!("#!/bin/sh\ntrap '' XFSZ\n{limit}\nexec '{}'\n", program.display());
        ssh.write("ssh", script.as_bytes());
        ssh.run("chmod", &["755", "ssh"]).ok();
    };
    room("");
    let path = format!("{}:{}", ssh.path("").display(), std::env::var("PATH").expect("is set"));
    let variables = [("PATH", path.as_str())];
    let remote = world.remote("r");
    let a = world.repo("a");
    a.haul(&["init"]).ok();
    let url = format!("sftp://host{}", remote.path().display());
    a.haul_with(&["remote", "add", "origin", &url], &variables).ok();
    a.write("x.bin", &data::bytes(1, 3 << 20));
    a.haul(&["add", "x.bin"]).ok();
    a.commit("data");
    // No file of more than some 100 kB.
    room("ulimit -f 200");
    a.haul_with(&["push"], &variables).fails_with(3).says("hint: ");
    let beside: Vec<String> = remote.keys("").into_iter().filter(|k| k.contains('#')).collect();
    assert_eq!(beside, [""; 0]);
    room("");
    a.haul_with(&["push"], &variables).ok();
    a.haul_with(&["verify"], &variables).ok();
}
