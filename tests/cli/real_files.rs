//! Files that were not made for a test: of the Rust toolchain, of Git, tables and checkpoints in
//! versions, and a folder of ten thousand.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{Repo, World, data, skipped};

/// Bytes of a chunk, on average.
const CHUNK: u64 = 64 << 10;

fn with_remote(world: &World) -> Repo<'_> {
    let a = world.repo("a");
    a.haul(&["init"]).ok();
    a.haul(&["remote", "add", "origin", "../shared"]).ok();
    a
}

#[track_caller]
fn round_trip(a: &Repo, path: &str) {
    a.haul(&["add", path]).ok();
    a.haul(&["status", "--exit-code"]).ok();
    a.commit("data");
    a.haul(&["push"]).ok();
    let b = a.clone_as("b");
    b.haul(&["pull"]).ok();
    a.tree().assert_same(&b.tree());
    b.haul(&["verify"]).ok();
}

fn output_of(program: &str, arguments: &[&str]) -> PathBuf {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("`{program}`: {error}"));
    PathBuf::from(String::from_utf8(output.stdout).expect("is UTF-8").trim())
}

/// Copies up to `count` files that are not links, the largest first, each of at most `limit` bytes.
fn copy_largest(from: &Path, to: &Repo, count: usize, limit: u64) {
    let mut files = Vec::new();
    let mut folders = vec![from.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.expect("is listed").path();
            let metadata = path.symlink_metadata().expect("is there");
            if metadata.is_dir() {
                folders.push(path);
            } else if metadata.is_file() && metadata.len() <= limit {
                files.push((metadata.len(), path));
            }
        }
    }
    assert!(files.len() > 3, "`{}` has {} files", from.display(), files.len());
    files.sort();
    for (_, path) in files.iter().rev().take(count) {
        let name = path.strip_prefix(from).expect("lies below");
        let target = to.path("set").join(name);
        std::fs::create_dir_all(target.parent().expect("has one")).expect("makes folders");
        std::fs::copy(path, &target).expect("copies");
    }
}

#[test]
fn libraries_of_the_rust_toolchain_come_back() {
    let world = World::new();
    let a = with_remote(&world);
    let sysroot = output_of("rustc", &["--print", "sysroot"]).join("lib");
    copy_largest(&sysroot, &a, 40, 30 << 20);
    round_trip(&a, "set");
}

#[test]
fn the_installation_of_git_comes_back() {
    let world = World::new();
    let a = with_remote(&world);
    let programs = output_of("git", &["--exec-path"]);
    a.mkdir("set");
    a.run("cp", &["-a", "--", programs.to_str().expect("is UTF-8"), "set"]).ok();
    // Hard links or copies of one program under a hundred names are stored once.
    round_trip(&a, "set");
    let stored = world.remote("shared").bytes("");
    assert!(stored < 40 << 20, "{stored} bytes are stored");
}

/// Makes a file's versions with the script in `fixtures/`; nothing where there is no Python.
fn versions(world: &World, kind: &str) -> Option<PathBuf> {
    let folder = world.path("made");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/make_data.py");
    let arguments = [script, kind, folder.to_str().expect("is UTF-8"), "--bytes", "24M"];
    let Ok(output) = Command::new("python3").args(arguments).output() else {
        skipped("there is no `python3`");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(folder)
}

/// Adds, commits and pushes three versions; returns the bytes that the later two cost, and checks
/// that a clone gets each of them back.
fn three_versions(world: &World, kind: &str) -> Option<(u64, [u64; 2])> {
    let made = versions(world, kind)?;
    let a = with_remote(world);
    let name = format!("x.{kind}");
    let mut stored = Vec::new();
    let mut bytes = Vec::new();
    for version in 1..=3 {
        bytes.push(std::fs::read(made.join(format!("v{version}.{kind}"))).expect("was made"));
        a.write(&name, bytes.last().expect("is there"));
        a.haul(&["add", &name]).ok();
        a.commit("version");
        a.git(&["tag", &format!("v{version}")]).ok();
        a.haul(&["push"]).ok();
        stored.push(world.remote("shared").bytes(""));
    }
    let b = a.clone_as("b");
    for (version, bytes) in bytes.iter().enumerate() {
        b.git(&["checkout", "--quiet", &format!("v{}", version + 1)]).ok();
        b.haul(&["pull"]).ok();
        assert!(b.read(&name) == *bytes, "version {} came back otherwise", version + 1);
    }
    let [first, second, third] = stored.as_slice() else { panic!("three versions were stored") };
    let size = bytes.first().map_or(0, |bytes| bytes.len() as u64);
    Some((size, [second - first, third - second]))
}

#[test]
fn versions_of_a_table_come_back_and_cost_what_changed() {
    let world = World::new();
    let Some((size, [bursts, appended])) = three_versions(&world, "csv") else { return };
    // 0.6 % of a large file. Here the 20 bursts weigh more than all else: each stores the chunk anew
    // in which it lies, of which a quarter remains after compression.
    assert!(bursts <= size * 6 / 1000 + 20 * CHUNK / 4, "{bursts} of {size}");
    // 2 % of rows come at the end and compress as well; the chunk before them is stored anew.
    assert!(appended <= size * 2 / 100 / 4 + CHUNK, "{appended} of {size}");
}

#[test]
fn versions_of_a_checkpoint_come_back_and_cost_what_changed() {
    let world = World::new();
    let Some((size, [tenth, header])) = three_versions(&world, "safetensors") else { return };
    assert!(tenth <= size * 105 / 1000, "{tenth} of {size}");
    // 0.2 % of a large file; here the one chunk that holds the header is more.
    assert!(header <= size * 2 / 1000 + CHUNK, "{header} of {size}");
}

#[test]
fn a_folder_of_ten_thousand_files_comes_back_in_few_packs() {
    let world = World::new();
    let a = with_remote(&world);
    for n in 0..10_000_u64 {
        let length = usize::try_from(n * 7919 % 6000).expect("is small");
        a.write(format!("set/{:02}/{n}.json", n % 97), &data::bytes(n, length));
    }
    round_trip(&a, "set");
    let keys = world.remote("shared").keys("");
    assert!(keys.len() < 12, "{keys:?}");
}
