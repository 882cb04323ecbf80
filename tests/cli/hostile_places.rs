//! Links, pipes and sparse giants where haul expects files of its own.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::forge::{CONTENT, around, file, is_temp, leaf, plant, point};
use crate::harness::{Repo, Tree, World, data};
use crate::hostile_table::{bounded, words};
use crate::scene::{save, shared};
use haul::hash::NodeId;

/// What may stand in the place of a small file of text.
const TRICKS: [&str; 5] = ["link", "link out", "pipe", "folder", "giant"];

fn replace(repo: &Repo<'_>, name: &str, trick: &str) {
    if repo.has(name) {
        repo.remove(name);
    }
    match trick {
        "link" => symlink("target", repo.path(name)).expect("makes a link"),
        "link out" => symlink("/dev/zero", repo.path(name)).expect("makes a link"),
        "pipe" => drop(repo.run("mkfifo", &[name]).ok()),
        "folder" => repo.mkdir(name),
        _ => {
            let file = fs::File::create(repo.path(name)).expect("is made");
            file.set_len(1 << 40).expect("is sparse");
        }
    }
}

#[test]
fn whatever_stands_for_a_file_of_text_is_not_followed_waited_for_or_read_whole() {
    let world = World::new();
    let a = shared(&world);
    a.write("s/f", &data::bytes(1, 1000));
    a.write("s/g", b"new");
    save(&a, &["s/f"], "one");
    a.haul(&["push"]).ok();
    let verbs: [&[&str]; 9] = [
        &["init"],
        &["status"],
        &["push"],
        &["fetch"],
        &["checkout"],
        &["pull"],
        &["verify"],
        &["du"],
        &["add", "s/g"],
    ];
    for name in ["haul.toml", "s/f.haul", "s/.gitignore", ".gitattributes"] {
        for trick in TRICKS {
            a.git(&["checkout", "--quiet", "--", "."]).ok();
            a.git(&["clean", "--quiet", "-fd"]).ok();
            a.write("target", b"target");
            a.write("s/target", b"target");
            replace(&a, name, trick);
            for line in verbs {
                let output = bounded(&a, &words(line));
                assert_eq!(output.flaw(), None, "{name} {trick}: {output}");
                let told = output.status() == Some(0) || output.stderr().contains("hint: ");
                assert!(told, "{name} {trick}: {output}");
                assert_eq!(
                    (a.text("target"), a.text("s/target")),
                    ("target".into(), "target".into())
                );
            }
            // Nothing was put behind a dangling link either.
            a.remove(name);
            a.git(&["reset", "--quiet", "--hard"]).ok();
        }
    }
}

#[test]
fn a_remote_in_the_repository_with_links_in_it_is_not_written_through() {
    let world = World::new();
    let outside = world.folder("outside");
    for inner in ["p", "m", "i", "repos", "format"] {
        let a = world.repo(inner);
        a.haul(&["init"]).ok();
        a.write("haul.toml", b"version = 1\n[remotes.r]\nurl = \"store\"\n");
        a.mkdir("store");
        a.link("../../outside/x", format!("store/{inner}"));
        a.write("f", &data::bytes(1, 200_000));
        save(&a, &["f"], "one");
        a.haul(&["push"]).fails_with(4).says("symbolic link").says("hint: ");
        a.haul(&["pull"]);
        assert_eq!(outside.tree().paths(), Vec::<&str>::new(), "{inner}");
    }
}

#[test]
fn a_folder_that_becomes_a_link_while_it_is_scanned_is_not_followed() {
    let world = World::new();
    let a = shared(&world);
    let outside = world.folder("outside");
    outside.write("secret", b"canary");
    a.write("d/sub/f", b"data");
    let add = a.pause_haul(&["add", "d"], "worktree.listed");
    fs::rename(a.path("d/sub"), a.path("old")).expect("renames");
    a.link("../../outside", "d/sub");
    add.let_go().fails_with(1).says("d/sub").says("hint: ");
    assert!(!a.has("d.haul"));
    // As it is now it is a link like any other.
    a.haul(&["add", "d"]).ok();
    assert_eq!(outside.tree().paths(), ["secret"]);
}

/// Names of files below a folder.
fn files(folder: &Path) -> Vec<String> {
    let tree = Tree::of(folder);
    let files = tree.paths().into_iter().filter(|path| folder.join(path).is_file());
    files.map(str::to_owned).collect()
}

#[test]
fn links_and_pipes_in_a_shared_cache_are_not_followed() {
    let world = World::new();
    let a = shared(&world);
    for n in 0..40 {
        a.write(format!("s/{n}"), &data::bytes(n, 100_000));
    }
    save(&a, &["s"], "one");
    a.haul(&["push"]).ok();
    let cache = world.path("cache");
    let shared_cache = [("HAUL_CACHE_DIR", cache.to_str().expect("is UTF-8"))];
    let b = a.clone_as("b");
    b.haul_with(&["pull", "s/1"], &shared_cache).ok();
    let parts: Vec<String> =
        files(&cache).into_iter().filter(|path| path.contains("parts/")).collect();
    assert!(!parts.is_empty(), "{:?}", files(&cache));
    for (n, trick) in ["link", "pipe"].into_iter().enumerate() {
        let canary = world.path(format!("canary-{n}"));
        fs::write(&canary, CONTENT).expect("is written");
        for part in &parts {
            let path = cache.join(part);
            fs::remove_file(&path).expect("is removed");
            if trick == "link" {
                symlink(&canary, &path).expect("makes a link");
            } else {
                a.run("mkfifo", &[&path]).ok();
            }
        }
        // Some runs put aside what is no pack; in the end all is there.
        for last in [false, false, true] {
            let limits = "ulimit -t 10; exec timeout 60 haul pull";
            let line =
                format!("HAUL_CACHE_DIR='{}'; export HAUL_CACHE_DIR; {limits}", cache.display());
            if b.has("s") {
                b.remove("s");
            }
            let output = b.run("sh", &["-c", &line]);
            assert_eq!(output.flaw(), None, "{output}");
            assert!(!last || output.status() == Some(0), "{output}");
            assert_eq!(fs::read(&canary).expect("is there"), CONTENT, "{trick}");
        }
        b.tree_of("s").assert_same(&a.tree_of("s"));
    }
}

#[test]
fn a_tree_cannot_hold_names_of_our_own_temporary_files() {
    let world = World::new();
    let a = shared(&world);
    let name = b".haul-tmp-0123456789abcdef";
    for path in [name.to_vec(), [&b"x/"[..], name, b"/y"].concat()] {
        let tree = leaf(&[file(&path)]);
        plant(&a, &[(NodeId::of(&tree), tree.clone())]);
        point(&a, NodeId::of(&tree), 1, CONTENT.len() as u64);
        let before = around(&world);
        a.haul(&["checkout"]).fails_with(4).says("left half written");
        assert!(!a.has("d") && before.differences(&around(&world)).is_empty());
    }
    assert!(!is_temp(&a.tree()));
}
