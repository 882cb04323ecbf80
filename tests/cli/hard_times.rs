//! Adding while something goes wrong: no permission, no space, a locked index, a file that
//! changes, an interruption. Nothing is lost or half-written, and the same command completes.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, geteuid, kill_process};

use crate::harness::{Output, Remote, Repo, Small, World, data, skipped};

fn initialised(world: &World) -> Repo<'_> {
    let a = world.repo("a");
    a.haul(&["init"]).ok();
    a.haul(&["remote", "add", "origin", "../shared"]).ok();
    a.commit("init");
    a
}

fn pulled_copy<'w>(a: &Repo<'w>) -> Repo<'w> {
    a.commit("data");
    a.haul(&["push"]).ok();
    let b = a.clone_as("b");
    b.haul(&["pull"]).ok();
    b
}

/// Runs `haul` as a user whom permissions bind, which they do not for root.
pub(crate) fn as_nobody(world: &World, repo: &Repo, arguments: &[&str]) -> Option<Output> {
    if !geteuid().is_root() {
        return Some(repo.haul(arguments));
    }
    if Command::new("setpriv").arg("--version").output().is_err() {
        skipped("there is no `setpriv` to run as another user");
        return None;
    }
    let haul = world.copy_of_haul();
    let everything = world.path("");
    repo.run("chown", &["-R", "65534:65534", everything.to_str().expect("is UTF-8")]).ok();
    let own =
        ["--reuid=65534", "--regid=65534", "--clear-groups", haul.to_str().expect("is UTF-8")];
    Some(repo.run("setpriv", &[&own[..], arguments].concat()))
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("changes the mode");
}

#[test]
fn a_file_or_folder_that_cannot_be_read_is_named_and_nothing_changes() {
    let world = World::new();
    let a = initialised(&world);
    a.write("set/fine", b"fine");
    a.write("set/secret", b"secret");
    a.write("set/closed/inner", b"inner");
    let before = a.tree();
    for (path, mode, words) in
        [("set/secret", 0o644, "set/secret`"), ("set/closed", 0o755, "set/closed`")]
    {
        set_mode(&a.path(path), 0);
        let Some(output) = as_nobody(&world, &a, &["add", "set"]) else { return };
        output.fails_with(1).says(words).says("permission").says("hint: ");
        set_mode(&a.path(path), mode);
        before.assert_same(&a.tree());
    }
    let Some(output) = as_nobody(&world, &a, &["add", "set"]) else { return };
    output.ok();
    assert!(a.has("set.haul"));
}

/// A disk that refuses says nothing about what lies on it.
#[test]
fn a_pack_that_cannot_be_read_is_no_damage_and_is_not_put_aside() {
    let world = World::new();
    let a = initialised(&world);
    a.write("x.bin", &data::bytes(1, 100_000));
    a.haul(&["add", "x.bin"]).ok();
    let packs = Remote::at(a.path(".git/haul/unpushed"));
    let all = packs.keys("");
    for key in &all {
        set_mode(&packs.path().join(key), 0);
        for arguments in [&["fsck", "--local"][..], &["fsck", "--quick"], &["fsck", "--repair"]] {
            let Some(output) = as_nobody(&world, &a, arguments) else { return };
            output.fails_with(1).prints(key).prints("ermission denied").says("1 not read");
            assert_eq!((packs.keys(""), a.has(".git/haul/quarantine")), (all.clone(), false));
        }
        set_mode(&packs.path().join(key), 0o644);
    }
    let Some(output) = as_nobody(&world, &a, &["fsck", "--local"]) else { return };
    output.ok();
}

#[test]
fn a_folder_that_cannot_be_written_is_named_and_nothing_changes() {
    let world = World::new();
    let a = initialised(&world);
    a.write("deep/x.bin", b"x");
    let before = a.tree();
    // Belongs to nobody before the mode is taken, or nobody would not be bound by it.
    if as_nobody(&world, &a, &["--version"]).is_none() {
        return;
    }
    set_mode(&a.path("deep"), 0o555);
    let Some(output) = as_nobody(&world, &a, &["add", "deep/x.bin"]) else { return };
    set_mode(&a.path("deep"), 0o755);
    output.fails_with(1).says("deep`").says("hint: ");
    before.assert_same(&a.tree());
    let Some(output) = as_nobody(&world, &a, &["add", "deep/x.bin"]) else { return };
    output.ok();
}

#[test]
fn a_git_folder_that_cannot_be_written_keeps_the_data_and_the_same_command_completes() {
    let world = World::new();
    let a = initialised(&world);
    a.write("x.bin", b"x");
    if as_nobody(&world, &a, &["--version"]).is_none() {
        return;
    }
    set_mode(&a.path(".git"), 0o555);
    let Some(output) = as_nobody(&world, &a, &["add", "x.bin"]) else { return };
    set_mode(&a.path(".git"), 0o755);
    output.fails_with(1).says("ermission denied").says("hint: ");
    assert_eq!(a.read("x.bin"), b"x");
    let Some(output) = as_nobody(&world, &a, &["add", "x.bin"]) else { return };
    output.ok();
    assert!(a.has("x.bin.haul"));
}

#[test]
fn a_full_disk_loses_nothing_and_the_same_command_completes_once_there_is_space() {
    let world = World::new();
    let Some(_small) = Small::mount(world.path("small")) else { return };
    let a = world.repo("small/a");
    a.haul(&["init"]).ok();
    let shared = world.remote("shared");
    a.haul(&[OsStr::new("remote"), OsStr::new("add"), OsStr::new("origin"), shared.as_arg()]).ok();
    a.commit("init");
    a.write("x.bin", &data::bytes(1, 7 << 20));
    a.write("set/y.bin", &data::bytes(2, 1 << 20));
    let before = a.tree();
    let statvfs = rustix::fs::statvfs(a.path("")).expect("is mounted");
    let free = statvfs.f_bavail * statvfs.f_frsize;
    let filler = world.path("small/filler");
    let mut refused = 0;
    for left in
        [0, 4 << 10, 64 << 10, 256 << 10, 1 << 20, 1600 << 10, 2 << 20, 5 << 20, 8 << 20, 9 << 20]
    {
        fs::write(&filler, vec![0; usize::try_from(free - left).expect("is small")])
            .expect("fills");
        let output = a.haul(&["add", "x.bin", "set"]);
        fs::remove_file(&filler).expect("makes space");
        if output.status() == Some(0) {
            break;
        }
        output.fails_with(1).says("disk space").says("hint: ");
        before.assert_same(&a.tree());
        assert_eq!(files_below(&a.path(".git/haul/tmp")), 0, "{left}: no temporary file is left");
        refused += 1;
    }
    assert!(refused >= 5, "the disk was full {refused} times only");
    a.haul(&["add", "x.bin", "set"]).ok();
    a.haul(&["status", "--exit-code"]).ok();
    assert!(bytes_below(&a.path(".git/haul/unpushed")) < 9 << 20, "no pack lies there twice");
    let b = pulled_copy(&a);
    b.tree().assert_same(&a.tree());
}

fn below(folder: &Path) -> Vec<fs::Metadata> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.expect("is listed").path();
            let metadata = match path.symlink_metadata() {
                // Whoever works there took it away since.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                found => found.expect("is there"),
            };
            if metadata.is_dir() {
                folders.push(path);
            } else {
                found.push(metadata);
            }
        }
    }
    found
}

fn files_below(folder: &Path) -> usize {
    below(folder).len()
}

fn bytes_below(folder: &Path) -> u64 {
    below(folder).iter().map(fs::Metadata::len).sum()
}

#[test]
fn a_locked_index_keeps_pointer_and_data_and_names_the_command() {
    let world = World::new();
    let a = initialised(&world);
    a.write("se t/x's.bin", &data::bytes(1, 200_000));
    a.write(".git/index.lock", b"");
    let start = Instant::now();
    let output = a.haul(&["add", "se t/x's.bin"]).fails_with(1).says("index.lock").says("hint: ");
    let took = start.elapsed();
    assert!(took > Duration::from_secs(4) && took < Duration::from_secs(60), "{took:?}");
    assert!(a.has("se t/x's.bin.haul"));
    assert_eq!(a.text("se t/.gitignore"), "/x's.bin\n");

    let (_, command) = output.stderr().split_once("`git ").expect("names a command");
    let command = command.rsplit_once('`').expect("ends").0;
    a.remove(".git/index.lock");
    // From anywhere.
    world.folder("any").run("sh", &["-c", &format!("git {command}")]).ok();
    let staged = a.git(&["diff", "--cached", "--name-only"]).ok();
    assert_eq!(staged.stdout(), "se t/.gitignore\nse t/x's.bin.haul\n");
    a.haul(&["status", "--exit-code"]).ok();
    pulled_copy(&a).tree().assert_same(&a.tree());
}

#[test]
fn after_a_locked_index_the_same_command_completes() {
    let world = World::new();
    let a = initialised(&world);
    a.write("x.bin", &data::bytes(1, 200_000));
    a.write(".git/index.lock", b"");
    a.haul(&["add", "x.bin"]).fails_with(1);
    a.remove(".git/index.lock");
    a.haul(&["add", "x.bin"]).ok();
    let staged = a.git(&["diff", "--cached", "--name-only"]).ok();
    assert_eq!(staged.stdout(), ".gitignore\nx.bin.haul\n");
}

#[test]
fn an_index_that_is_locked_for_a_moment_is_waited_for() {
    let world = World::new();
    let a = initialised(&world);
    a.write("x.bin", b"x");
    a.write(".git/index.lock", b"");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_secs(1));
            a.remove(".git/index.lock");
        });
        a.haul(&["add", "x.bin"]).ok();
    });
    a.git(&["diff", "--cached", "--name-only"]).ok().prints("x.bin.haul");
}

/// Changes a file again and again while `work` runs, for at most `time`.
fn while_changing<R>(path: &Path, time: Duration, work: impl FnOnce() -> R) -> R {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let file = File::options().write(true).open(path).expect("is there");
            let length = file.metadata().expect("is there").len();
            let start = Instant::now();
            for round in 0_u64.. {
                if stop.load(Ordering::Relaxed) || start.elapsed() > time {
                    break;
                }
                let at = round.wrapping_mul(0x9e37_79b9_7f4a_7c15) % (length - 8);
                file.write_all_at(&round.to_le_bytes(), at).expect("writes");
                std::thread::sleep(Duration::from_micros(300));
            }
        });
        let result = work();
        stop.store(true, Ordering::Relaxed);
        result
    })
}

#[test]
fn a_large_file_that_keeps_changing_is_refused_and_nothing_changes() {
    // A busy machine may give the one that changes it no turn for as long as an add takes.
    assert!((0..5).any(|_| is_refused_while_it_changes()), "no add of five saw a change");
}

/// Adds a large file that keeps changing; says whether that was refused.
fn is_refused_while_it_changes() -> bool {
    let world = World::new();
    let a = initialised(&world);
    a.write("x.bin", &data::bytes(1, 40 << 20));
    let before = a.tree().without("x.bin");
    let forever = Duration::from_secs(300);
    let output = while_changing(&a.path("x.bin"), forever, || a.haul(&["add", "x.bin"]));
    if output.status() == Some(0) {
        return false;
    }
    output.fails_with(1).says("x.bin` kept changing").says("hint: ").says("haul add");
    before.assert_same(&a.tree().without("x.bin"));
    a.haul(&["add", "x.bin"]).ok();
    let oid = blake3::hash(&a.read("x.bin")).to_hex();
    assert!(a.text("x.bin.haul").contains(&format!("\noid b3:{oid}\n")));
    pulled_copy(&a).tree().assert_same(&a.tree());
    true
}

#[test]
fn whenever_an_add_of_a_changing_file_succeeds_the_pointer_names_what_is_stored() {
    let world = World::new();
    let a = initialised(&world);
    a.write("large.bin", &data::bytes(1, 24 << 20));
    a.write("set/small.bin", &data::bytes(2, 3 << 20));
    let (mut done, mut refused) = (0, 0);
    for round in 0..12 {
        let name = if round % 2 == 0 { "large.bin" } else { "set/small.bin" };
        let tracked = if round % 2 == 0 { "large.bin" } else { "set" };
        let time = Duration::from_millis(20 * round);
        let output = while_changing(&a.path(name), time, || a.haul(&["add", tracked]));
        if output.status() != Some(0) {
            output.fails_with(1).says("kept changing");
            refused += 1;
            continue;
        }
        done += 1;
        a.git(&["commit", "--quiet", "--allow-empty", "--message", "version"]).ok();
        a.haul(&["push"]).ok();
        // Pull checks every file against its oid, so a wrong byte would fail it.
        let b = a.clone_as(&format!("b{round}"));
        b.haul(&["pull"]).ok();
        if tracked == "large.bin" {
            let oid = blake3::hash(&b.read("large.bin")).to_hex();
            assert!(b.text("large.bin.haul").contains(&format!("\noid b3:{oid}\n")));
        }
        b.haul(&["verify"]).ok();
    }
    assert!(done > 0, "{done} done, {refused} refused");
}

#[test]
fn ctrl_c_during_an_add_ends_with_130_and_the_same_command_completes() {
    let world = World::new();
    let a = initialised(&world);
    a.write("big.bin", &data::bytes(1, 200 << 20));
    let before = a.tree();
    let child = a.start_haul(&["add", "big.bin"]);
    let (start, tmp) = (Instant::now(), a.path(".git/haul/tmp"));
    while bytes_below(&tmp) < 1 << 20 {
        assert!(start.elapsed() < Duration::from_secs(60), "the add never began to write");
        std::thread::sleep(Duration::from_millis(1));
    }
    let pid = Pid::from_child(&child);
    kill_process(pid, Signal::INT).expect("is running");
    let output = child.wait_with_output().expect("ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("interrupted") || said.contains("stopped"), "{said}");
    before.assert_same(&a.tree());
    assert_eq!(files_below(&tmp), 0, "no temporary file is left");
    assert_eq!(a.git(&["diff", "--cached", "--name-only"]).ok().stdout(), "");

    a.haul(&["add", "big.bin"]).ok();
    a.haul(&["status", "--exit-code"]).ok();
    let stored = bytes_below(&a.path(".git/haul/unpushed"));
    assert!(stored < 202 << 20, "{stored} bytes are kept of 200 MiB");
    let b = pulled_copy(&a);
    assert!(b.read("big.bin") == a.read("big.bin"));
}

/// Git ends as if all were well where it may not read a folder on the way.
#[test]
fn what_git_says_it_staged_and_did_not_is_no_success() {
    let world = World::new();
    let a = world.repo("a");
    let git =
        "#!/bin/sh\nPATH=$USERS_PATH\ncase \" $* \" in *' add '*) exit 0;; esac\nexec git \"$@\"\n";
    let bin = world.folder("bin");
    bin.script("git", git);
    let users = std::env::var("PATH").expect("is set");
    let path = format!("{}:{users}", bin.path("").display());
    let variables = [("PATH", path.as_str()), ("USERS_PATH", users.as_str())];
    let ended = a.haul_with(&["init"], &variables).fails_with(1);
    ended.says("Git did not stage `").says("hint: ");
    a.haul(&["init"]).ok();
    a.git(&["diff", "--cached", "--name-only"]).ok().prints(".gitattributes");
}
