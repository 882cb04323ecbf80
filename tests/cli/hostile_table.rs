//! Every row of `fixtures/hostile/cases.tsv` against the program: nothing outside the worktree, nothing
//! in `.git`, nothing run, no panic, bounded time and memory, and the exit code that is documented.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;

use haul::hash::NodeId;

use crate::forge::{CONTENT, around, clear, file, leaf, plant, point};
use crate::harness::{Output, Repo, Tree, World, data};
use crate::hostile::table::{Case, cases, expand, pointer_text};
use crate::scene::{save, shared, states};

/// Runs `haul` with 10 s of processor time and 1 GiB of addresses at most.
pub(crate) fn bounded(repo: &Repo<'_>, arguments: &[&OsStr]) -> Output {
    let limits = "ulimit -t 10; ulimit -v 1048576; exec timeout 60 haul \"$@\"";
    let own = [OsStr::new("-c"), OsStr::new(limits), OsStr::new("haul")];
    repo.run("sh", &[&own[..], arguments].concat())
}

pub(crate) fn words<'a>(line: &'a [&str]) -> Vec<&'a OsStr> {
    line.iter().map(OsStr::new).collect()
}

pub(crate) fn rows(carrier: &str) -> Vec<Case> {
    let rows: Vec<Case> = cases().into_iter().filter(|case| case.carrier == carrier).collect();
    assert!(!rows.is_empty(), "the table has lost its rows of {carrier}");
    rows
}

#[test]
fn every_carrier_of_the_table_has_a_runner_and_its_rows_are_all_there() {
    let mut counts = std::collections::BTreeMap::new();
    for case in cases() {
        *counts.entry(case.carrier).or_insert(0) += 1;
    }
    let counts: Vec<(&str, i32)> = counts.into_iter().collect();
    let known =
        [("config", 22), ("manifest", 14), ("path", 106), ("path-set", 11), ("pointer", 37)];
    assert_eq!(counts, known, "a new carrier needs a runner here, a new row its count");
}

#[test]
fn every_path_of_the_table_as_a_manifest_entry_is_refused_or_stays_inside() {
    let world = World::new();
    let a = shared(&world);
    let cases: Vec<(Case, Vec<u8>)> =
        rows("path").into_iter().map(|case| (case, leaf(&[file(&case.bytes())]))).collect();
    let mut nodes: Vec<(NodeId, Vec<u8>)> =
        cases.iter().map(|(_, node)| (NodeId::of(node), node.clone())).collect();
    nodes.sort();
    nodes.dedup();
    plant(&a, &nodes);
    let mut failed = Vec::new();
    for (case, node) in &cases {
        clear(&a);
        point(&a, NodeId::of(node), 1, CONTENT.len() as u64);
        let before = around(&world);
        let output = bounded(&a, &words(&["checkout"]));
        let placed = fs::read(a.path("d").join(Path::new(OsStr::from_bytes(&case.bytes()))));
        let restored = output.status() == Some(0) && placed.is_ok_and(|bytes| bytes == CONTENT);
        let refused = output.status() == Some(4) && !a.has("d");
        // Two slashes in a row make one of the terminal tricks no path at all.
        let good = match case.expect {
            "reject" => refused,
            "escape-output" => restored || refused,
            _ => restored,
        };
        let outside = before.differences(&around(&world));
        if !good || output.flaw().is_some() || !outside.is_empty() {
            failed.push(format!("{case:?}: {:?} {outside:?}\n{output}", output.flaw()));
        }
    }
    assert!(failed.is_empty(), "{} cases:\n{}", failed.len(), failed.join("\n"));
}

/// Commits a tree of one entry, whatever its name: Git itself would refuse most of them.
fn commit_entry(a: &Repo<'_>, name: &[u8], blob: &str) -> String {
    let id: Vec<u8> = (0..blob.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&blob[at..at + 2], 16).expect("digits"))
        .collect();
    a.write("tree", &[b"100644 ", name, b"\0", &id].concat());
    let hash = ["hash-object", "-w", "--literally", "-t", "tree", "tree"];
    let tree = a.git(&hash).ok().stdout().trim().to_owned();
    a.remove("tree");
    a.git(&["commit-tree", "-m", "forged", &tree]).ok().stdout().trim().to_owned()
}

#[test]
fn every_path_of_the_table_as_the_target_of_a_pointer_is_refused_or_stays_inside() {
    let world = World::new();
    let a = shared(&world);
    a.write("f", CONTENT);
    save(&a, &["f"], "one");
    let blob = a.git(&["rev-parse", "HEAD:f.haul"]).ok().stdout().trim().to_owned();
    let mut failed = Vec::new();
    for case in rows("path") {
        let bytes = case.bytes();
        if bytes.contains(&0) {
            continue; // An entry of a tree ends at its first NUL.
        }
        let commit = commit_entry(&a, &[&bytes[..], b".haul"].concat(), &blob);
        let before = (Tree::of(&world.path("")).without("a/.git"), git_files(&a));
        let output = bounded(&a, &words(&["checkout", "--rev", &commit]));
        let place = a.path(Path::new(OsStr::from_bytes(&bytes)));
        // `a/.haul` is the name of no pointer.
        let no_pointer = bytes.ends_with(b"/");
        let good = match case.expect {
            "reject" if no_pointer => output.status() == Some(0),
            // What nobody may track stops nobody who did not name it.
            "reject" => output.status() == Some(0) && output.stderr().contains("warning: "),
            // Two slashes in a row make one of the terminal tricks no path at all.
            "escape-output" if output.stderr().contains("is passed over") => true,
            // The repository has a `.gitignore` of its own, which is not overwritten.
            "escape-output" | "reject-or-warn" if output.status() == Some(1) => true,
            _ => output.status() == Some(0) && fs::read(&place).is_ok_and(|b| b == CONTENT),
        };
        let wrote = output.status() == Some(0) && case.expect != "reject";
        if wrote {
            let top = bytes.split(|b| *b == b'/').next().expect("has a part");
            let top = a.path(Path::new(OsStr::from_bytes(top)));
            drop(fs::remove_dir_all(&top).or_else(|_| fs::remove_file(&top)));
        }
        let after = (Tree::of(&world.path("")).without("a/.git"), git_files(&a));
        let same = before.0.differences(&after.0).is_empty() && before.1 == after.1;
        if !good || !same || output.flaw().is_some() {
            failed.push(format!("{case:?}: {:?}, same: {same}\n{output}", output.flaw()));
        }
    }
    assert!(failed.is_empty(), "{} cases:\n{}", failed.len(), failed.join("\n"));
}

/// What of `.git` runs programs or steers Git.
pub(crate) fn git_files(a: &Repo<'_>) -> (Tree, Vec<u8>) {
    (Tree::of(&a.path(".git/hooks")), a.read(".git/config"))
}

/// Makes a file at a path that may be none; says whether it is there now.
fn make(repo: &Repo<'_>, path: &Path) -> bool {
    let first = path.components().next().map(|part| part.as_os_str().to_ascii_lowercase());
    if path.is_absolute() || first.is_some_and(|first| first == ".git") {
        return false;
    }
    let place = repo.path(path);
    place.parent().is_some_and(|folder| fs::create_dir_all(folder).is_ok())
        && fs::write(&place, CONTENT).is_ok()
}

#[test]
fn every_path_of_the_table_as_an_argument_of_add_is_refused_or_added() {
    let world = World::new();
    let mut failed = Vec::new();
    for (n, case) in rows("path").into_iter().enumerate() {
        let bytes = case.bytes();
        // No program can be given such arguments.
        if case.category == "traversal" || bytes.contains(&0) || bytes.len() > 100_000 {
            continue;
        }
        let a = world.repo(&format!("r{n}"));
        a.haul(&["init"]).ok();
        let path = Path::new(OsStr::from_bytes(&bytes));
        make(&a, path);
        let before = Tree::of(&world.path("")).without(format!("r{n}"));
        let git = git_files(&a);
        let output = bounded(&a, &[OsStr::new("add"), OsStr::new("--"), path.as_os_str()]);
        let pointer = a.path(Path::new(OsStr::from_bytes(&[&bytes[..], b".haul"].concat())));
        let added = output.status() == Some(0) && pointer.is_file();
        let refused = output.status() == Some(1)
            && output.stderr().contains("hint: ")
            && !a.has(".gitignore")
            && !pointer.exists();
        let good = match case.expect {
            "reject" => refused,
            "reject-windows" | "reject-or-warn" => added && output.stderr().contains("warning"),
            "escape-output" => added || refused,
            _ => added,
        };
        let outside = before.differences(&Tree::of(&world.path("")).without(format!("r{n}")));
        let same = outside.is_empty() && git == git_files(&a) && !a.has("canary-exec");
        if !good || !same || output.flaw().is_some() {
            failed.push(format!("{case:?}: {:?}, same: {same}\n{output}", output.flaw()));
        }
        a.remove("");
    }
    assert!(failed.is_empty(), "{} cases:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn every_pointer_of_the_table_is_refused_or_keeps_its_promise() {
    let world = World::new();
    let a = shared(&world);
    let content = data::bytes(1, 1000);
    a.write("f", &content);
    save(&a, &["f"], "one");
    a.haul(&["push"]).ok();
    let hash = blake3::hash(&content).to_hex();
    a.remove("f");
    let mut failed = Vec::new();
    for case in rows("pointer") {
        a.write("f.haul", &pointer_text(case.value, &hash, 1000));
        let before = around(&world);
        let output = bounded(&a, &words(&["pull"]));
        // A sound text that lies is found out by the content; what is no sound text is for the user.
        let (exit, state) = match case.value {
            "{unknown key}" => (0, None),
            "{size=real+1}"
            | "{size=real-1}"
            | "{hash=of other content}"
            | "{pointer of a pointer}" => (4, Some("missing f")),
            _ => (1, Some("pointer-damaged f")),
        };
        let said = output.stderr().contains("`f`") && output.stderr().contains("hint: ");
        let restored = a.has("f");
        let right = restored == (exit == 0) && (exit == 0 || said) && output.status() == Some(exit);
        let listed = states(&a) == state.map(str::to_owned).into_iter().collect::<Vec<_>>();
        if restored {
            a.remove("f");
        }
        let outside = before.differences(&around(&world));
        if !right || !listed || !outside.is_empty() || output.flaw().is_some() {
            failed.push(format!(
                "{case:?}: {:?} {outside:?} {:?}\n{output}",
                output.flaw(),
                states(&a)
            ));
        }
    }
    assert!(failed.is_empty(), "{} cases:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn every_set_of_paths_of_the_table_is_refused_or_told() {
    for case in rows("path-set") {
        match case.value.split_once(" | ") {
            _ if case.category == "collision" => colliding(&case),
            Some((link, managed)) => in_the_way(&case, link, managed),
            None => swapped_meanwhile(&case),
        }
    }
}

/// Both as entries of a manifest, and both in a folder that is added.
fn colliding(case: &Case) {
    let world = World::new();
    let a = shared(&world);
    let mut paths: Vec<Vec<u8>> = case.value.split(" | ").map(expand).collect();
    paths.sort();
    let tree = leaf(&paths.iter().map(|path| file(path)).collect::<Vec<_>>());
    plant(&a, &[(NodeId::of(&tree), tree.clone())]);
    point(&a, NodeId::of(&tree), 2, 2 * CONTENT.len() as u64);
    if case.expect == "reject" {
        bounded(&a, &words(&["checkout"])).fails_with(4).says("hint: ");
        assert!(!a.has("d"), "{case:?}");
        return;
    }
    bounded(&a, &words(&["checkout"])).ok();
    assert_eq!(a.tree_of("d").paths().len(), 2, "{case:?}");
    bounded(&a, &words(&["add", "d"])).ok().says("are one name");
}

/// Something that Git or the user put there stands where tracked data belongs.
fn in_the_way(case: &Case, other: &str, managed: &str) {
    let world = World::new();
    let a = shared(&world);
    let managed = managed.trim_end_matches(" (managed)");
    let other = other.trim_end_matches(" (symlink in Git)");
    let top = managed.split('/').next().expect("has a part");
    a.write(managed, CONTENT);
    save(&a, &[top], "data");
    a.remove(top);
    let name = if let Some((name, to)) = other.split_once(" -> ") {
        a.link(to, name);
        a.git(&["add", "-f", name]).ok();
        name
    } else {
        a.run("mkfifo", &[top]).ok();
        top
    };
    a.remove(".git/haul/stat.redb");
    a.haul(&["status"]).ok();
    let before = around(&world);
    for verb in ["checkout", "pull"] {
        let output = bounded(&a, &words(&[verb]));
        assert_eq!(output.flaw(), None, "{output}");
        output.fails_with(1).says(&format!("`{name}`")).says("hint: ");
        assert_eq!(before.differences(&around(&world)), Vec::<String>::new(), "{case:?}");
        assert!(!a.has(".git/config/config") && !world.path("canary-escape.bin").exists());
    }
    let config = a.read(".git/config");
    let forced = bounded(&a, &words(&["checkout", "--force"]));
    assert_eq!(forced.flaw(), None, "{forced}");
    assert_eq!(a.read(".git/config"), config, "{case:?}");
    assert!(!world.path("outside").exists() && !world.path("canary-escape.bin").exists());
    if case.expect == "reject-or-replace" {
        assert!(a.path(name).symlink_metadata().expect("is there").is_file(), "{case:?}");
        assert_eq!(a.read(managed), CONTENT);
    }
}

/// A folder becomes a link between check and use.
fn swapped_meanwhile(case: &Case) {
    assert!(case.value.starts_with("a/b/c.bin, then a/b replaced"), "nobody knows {case:?}");
    let world = World::new();
    let a = shared(&world);
    let outside = world.folder("outside");
    a.write("a/b/c.bin", &data::bytes(1, 100_000));
    save(&a, &["a"], "data");
    a.remove("a/b/c.bin");
    let gate = world.path("gate");
    let armed = format!("place.built=wait:{}", gate.display());
    std::thread::scope(|scope| {
        let running = scope.spawn(|| a.haul_with(&["checkout"], &[("HAUL_FAILPOINT", &armed)]));
        while !gate.exists() && !running.is_finished() {
            std::thread::yield_now();
        }
        fs::rename(a.path("a/b"), a.path("a/old")).expect("renames");
        symlink(outside.path(""), a.path("a/b")).expect("makes a link");
        fs::remove_file(&gate).expect("opens the gate");
        let output = running.join().expect("ran");
        assert_eq!(output.flaw(), None, "{output}");
        output.fails_with(1).says("a/b").says("hint: ");
    });
    assert_eq!(outside.tree().paths(), Vec::<&str>::new());
    a.haul(&["checkout"]).fails_with(1).says("`a/b`");
    a.remove("a/b");
    a.haul(&["checkout"]).ok();
    assert_eq!(a.read("a/b/c.bin"), data::bytes(1, 100_000));
}
