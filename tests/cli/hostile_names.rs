//! No verb prints a name as it came, however it comes to print it.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::harness::{Repo, World};
use crate::scene::shared;

const NAMES: [&[u8]; 6] = [
    b"title\x1b]0;x\x07",
    b"turned\xe2\x80\xae.exe",
    b"c1\xc2\x9b31m",
    b"zero\xe2\x80\x8bwidth",
    b"raw\x9b\xff",
    b"back\x08\x08",
];

fn raw(name: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(name))
}

/// Every way to have names printed.
const LINES: [&[&str]; 20] = [
    &["status"],
    &["status", "--json"],
    &["status", "--porcelain"],
    &["add", "-u", "--dry-run"],
    &["add", "-u", "--json"],
    &["push", "--dry-run"],
    &["push", "--progress", "json"],
    &["push", "--json"],
    &["fetch", "--dry-run"],
    &["fetch", "--all", "--json"],
    &["checkout", "--dry-run"],
    &["checkout", "--json"],
    &["checkout", "--progress", "plain"],
    &["pull"],
    &["pull", "--progress", "json"],
    &["verify"],
    &["verify", "--json"],
    &["du"],
    &["du", "--json"],
    &["add", "-u"],
];

fn look(a: &Repo<'_>, when: &str, failed: &mut Vec<String>) {
    for line in LINES {
        let output = a.haul(line);
        if output.flaw().is_some() {
            failed.push(format!("{when}: {:?}\n{output}", output.flaw()));
        }
    }
}

#[test]
fn no_verb_prints_a_deceptive_name_as_it_is() {
    let world = World::new();
    let a = shared(&world);
    for name in NAMES {
        a.write(raw(name), name);
        a.write(Path::new("set").join(raw(name)), name);
        a.haul(&[OsStr::new("add"), OsStr::new("--"), raw(name).as_os_str()]).ok();
    }
    a.write("set/two\nlines", b"x");
    a.haul(&["add", "set"]).ok();
    a.git(&["add", "-A"]).ok();
    a.commit("names");
    let mut failed = Vec::new();
    look(&a, "sound", &mut failed);
    for name in NAMES {
        a.write(raw(name), b"changed");
        a.write(Path::new("set").join(raw(name)), b"changed");
    }
    look(&a, "changed", &mut failed);
    a.git(&["checkout", "--quiet", "--", "."]).ok();
    for name in NAMES {
        a.write(raw(&[name, b".haul"].concat()), b"bad");
    }
    look(&a, "bad pointers", &mut failed);
    a.git(&["checkout", "--quiet", "--", "."]).ok();
    for gone in ["set", ".git/haul/packs", ".git/haul/index.redb"] {
        a.remove(gone);
    }
    let remote = world.remote("r");
    for key in remote.keys("p/") {
        remote.remove(&key);
    }
    look(&a, "lost", &mut failed);
    assert!(failed.is_empty(), "{} cases:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn arguments_are_not_printed_as_they_are_either() {
    let world = World::new();
    let a = shared(&world);
    for name in NAMES {
        let option = [b"--", name].concat();
        let lines: [&[&[u8]]; 7] = [
            &[name],
            &[b"add", &option],
            &[b"add", b"--", name],
            &[b"pull", b"--remote", name],
            &[b"verify", name],
            &[b"remote", b"add", name, b"x"],
            &[b"push", b"--jobs", name],
        ];
        for line in lines {
            let words: Vec<OsString> =
                line.iter().map(|word| OsStr::from_bytes(word).to_owned()).collect();
            let output = a.haul(&words);
            assert_eq!(output.flaw(), None, "{output}");
        }
    }
}
