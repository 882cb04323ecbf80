//! The index is changed as a whole, whatever its kind and whoever else works on it.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use super::discover::Surroundings;
use super::testing::{World, isolated, open_in};
use super::{Git, GitError};

/// What the index holds, with the names of the content.
fn listed(world: &World) -> Vec<String> {
    world.git(&["ls-files", "-s"]).lines().map(str::to_owned).collect()
}

/// Stages a new and a changed file, and looks at the result with `git` alone.
fn works(world: &World) {
    for number in 0..30 {
        world.write(format!("folder/{number}"), "x");
    }
    world.write("old.haul", "1");
    world.commit();
    world.write("old.haul", "2");
    world.write("new.haul", "3");
    world.open().stage(&[b"old.haul", b"new.haul"]).unwrap();
    assert_eq!(world.git(&["status", "--porcelain"]), "A  new.haul\nM  old.haul");
    assert_eq!(listed(world).len(), 32);
    world.git(&["fsck", "--strict"]);
    world.git(&["commit", "-q", "-m", "staged"]);
    assert_eq!(world.git(&["status", "--porcelain"]), "");
    assert!(nothing_left(&world.root.join(".git")));
}

/// Says whether no lock, copy or owner of a lock is left in a Git folder.
fn nothing_left(git_dir: &Path) -> bool {
    let names = std::fs::read_dir(git_dir).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names = names.map(|name| name.into_string().unwrap());
    !names.any(|name| name == "index.lock" || name.starts_with("haul-"))
}

#[test]
fn every_kind_of_index_is_changed() {
    works(&World::new());
    works(&World::with(&["--object-format=sha256"]));
    for settings in [
        &[("index.version", "4")][..],
        &[("core.splitIndex", "true"), ("splitIndex.maxPercentChange", "100")],
        &[("core.splitIndex", "true"), ("splitIndex.maxPercentChange", "0")],
        &[("core.untrackedCache", "true")],
        &[("feature.manyFiles", "true"), ("index.skipHash", "true")],
    ] {
        let world = World::new();
        for (key, value) in settings {
            world.git(&["config", key, value]);
        }
        works(&world);
    }
}

#[test]
fn a_sparse_index_stays_sparse() {
    let world = World::new();
    world.write("outside/deep/file", "x");
    world.write("inside/file", "x");
    world.commit();
    world.git(&["sparse-checkout", "set", "--cone", "--sparse-index", "inside"]);
    let is_sparse = || world.git(&["ls-files", "--sparse"]).lines().any(|path| path == "outside/");
    assert!(is_sparse());
    world.write("inside/new.haul", "1");
    world.open().stage(&[b"inside/new.haul"]).unwrap();
    assert_eq!(world.git(&["status", "--porcelain"]), "A  inside/new.haul");
    assert!(is_sparse());
}

#[test]
fn the_index_of_a_linked_worktree_and_that_of_a_hook_are_the_ones_that_change() {
    let world = World::new();
    world.commit();
    let beside = world.beside("linked");
    world.git(&["worktree", "add", "-q", beside.to_str().unwrap()]);
    std::os::unix::fs::symlink("any", beside.join("there.haul")).unwrap();
    open_in(&beside).unwrap().stage(&[b"there.haul"]).unwrap();
    assert_eq!(World::git_in(&beside, &["diff", "--cached", "--name-only"]), "there.haul");
    assert_eq!(listed(&world), [""; 0]);

    world.write("here.haul", "1");
    let own = world.beside("an index");
    let mut variables = isolated();
    variables.push(("GIT_INDEX_FILE".into(), Some(own.clone().into())));
    let git = Git::discover(&world.root, Surroundings::Heed, variables).unwrap();
    git.stage(&[b"here.haul"]).unwrap();
    assert_eq!(git.pointers().unwrap().len(), 1);
    assert!(own.is_file());
    assert_eq!(listed(&world), [""; 0]);
}

#[test]
fn an_index_that_is_a_link_stays_one() {
    let world = World::new();
    world.commit();
    let (index, real) = (world.root.join(".git/index"), world.beside("real"));
    std::fs::copy(&index, &real).unwrap();
    std::fs::remove_file(&index).unwrap();
    std::os::unix::fs::symlink(&real, &index).unwrap();
    world.write("a.haul", "1");
    world.open().stage(&[b"a.haul"]).unwrap();
    assert_eq!(listed(&world).len(), 1);
    assert_eq!(std::fs::read_link(&index).unwrap(), real);
}

#[test]
fn nothing_is_replaced_where_nothing_changes() {
    let world = World::new();
    world.write("a.haul", "1");
    // Long before the index, or Git would write its stamp anew.
    let file = std::fs::File::options().append(true).open(world.root.join("a.haul")).unwrap();
    file.set_modified(UNIX_EPOCH + Duration::from_secs(1_600_000_000)).unwrap();
    world.commit();
    let before = world.root.join(".git/index").metadata().unwrap().ino();
    world.open().stage(&[b"a.haul"]).unwrap();
    assert_eq!(world.root.join(".git/index").metadata().unwrap().ino(), before);
}

#[test]
fn the_index_of_a_shared_repository_stays_shared() {
    let world = World::with(&["--shared=group"]);
    world.write("a.haul", "1");
    world.open().stage(&[b"a.haul"]).unwrap();
    let mode = world.root.join(".git/index").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o060, 0o060);
}

/// Git takes a file for unchanged whose stamp is in the index, unless the index is no younger: a
/// copy of the index that looks younger would hide what changed in that moment.
#[test]
fn a_file_that_changed_in_the_moment_of_the_last_index_is_not_taken_for_clean() {
    let world = World::new();
    world.git(&["config", "core.trustctime", "false"]);
    world.write("file", "one");
    let at = UNIX_EPOCH + Duration::from_secs(1_600_000_000);
    let stamp = |name: &str| {
        let file = std::fs::File::options().append(true).open(world.root.join(name)).unwrap();
        file.set_modified(at).unwrap();
    };
    stamp("file");
    world.git(&["add", "file"]);
    stamp(".git/index");
    world.write("file", "two");
    stamp("file");
    world.write("a.haul", "1");
    world.open().stage(&[b"a.haul"]).unwrap();
    assert_eq!(world.git(&["status", "--porcelain"]), "A  a.haul\nAM file");
}

#[test]
fn the_lock_of_a_haul_that_died_is_no_obstacle() {
    let world = World::new();
    world.write("a.haul", "1");
    let lock = world.root.join(".git/index.lock");
    std::os::unix::fs::symlink("/moved/since/.git/haul/tmp/haul-gone", &lock).unwrap();
    world.open().stage(&[b"a.haul"]).unwrap();
    assert_eq!(listed(&world).len(), 1);
    // Also where nothing is left to do.
    std::os::unix::fs::symlink("/moved/since/.git/haul/tmp/haul-gone", &lock).unwrap();
    world.open().stage(&[b"a.haul"]).unwrap();
    assert!(nothing_left(&world.root.join(".git")));
}

#[test]
fn an_index_on_another_file_system_is_left_to_git() {
    let world = World::new();
    let Ok(other) = tempfile::tempdir_in("/dev/shm") else { return };
    let git = world.open().with_temp(other.path().to_owned());
    world.write("a.haul", "1");
    git.stage(&[b"a.haul"]).unwrap();
    assert_eq!(listed(&world).len(), 1);
    world.write(".git/index.lock", "");
    world.write("b.haul", "1");
    assert!(matches!(git.stage(&[b"b.haul"]), Err(GitError::Locked { .. })));
    std::fs::remove_file(world.root.join(".git/index.lock")).unwrap();
    assert_eq!(std::fs::read_dir(other.path()).unwrap().count(), 0);
}

#[test]
fn what_git_stages_at_the_same_time_is_kept_and_so_is_ours() {
    let world = World::new();
    let rounds = 25;
    for number in 0..rounds {
        world.write(format!("theirs-{number}"), "x");
        world.write(format!("{number}.haul"), "x");
    }
    let mut git = world.open();
    git.index_wait = Duration::from_secs(60);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..rounds {
                let name = format!("theirs-{number}");
                // haul holds the lock for a moment each time, which Git does not wait for.
                let add = || World::try_git_in(&world.root, &["add", &name]);
                while !add() {}
            }
        });
        for number in 0..rounds {
            git.stage(&[format!("{number}.haul").as_bytes()]).unwrap();
        }
    });
    assert_eq!(listed(&world).len(), 2 * rounds);
}
