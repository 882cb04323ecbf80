//! The door against real repositories of many shapes.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use super::discover::Surroundings;
use super::testing::{World, isolated, open_in};
use super::{Content, Git, GitError, IndexEntry, ObjectId};
use crate::hint::Hint as _;

/// Names that break tools which quote, split or guess.
const ODD: [&[u8]; 8] = [
    b"new\nline.haul",
    b"\xff\xfe not utf8.haul",
    b"two  spaces.haul",
    b"-dash.haul",
    b":(glob)magic*.haul",
    b"tab\tquote\".haul",
    b"deep/\xc3\x28/d.haul",
    b"[ab].haul",
];

fn name(path: &[u8]) -> &OsStr {
    OsStr::from_bytes(path)
}

fn odd_world() -> World {
    let world = World::new();
    for path in ODD {
        world.write(name(path), path);
    }
    world.write("plain.txt", "x");
    world
}

fn paths<'a>(entries: impl IntoIterator<Item = &'a IndexEntry>) -> BTreeSet<&'a [u8]> {
    entries.into_iter().map(|entry| entry.path.as_slice()).collect()
}

fn id(text: &str) -> ObjectId {
    text.parse().unwrap()
}

#[test]
fn a_repository_is_found_from_a_folder_in_it() {
    let world = World::new();
    world.write("a/b/c", "");
    for git in [open_in(&world.root.join("a/b")).unwrap(), world.open().without_library()] {
        assert_eq!(git.root(), world.root);
        assert_eq!(git.git_dir(), world.root.join(".git"));
        assert_eq!(git.common_dir(), world.root.join(".git"));
    }
}

#[test]
fn a_folder_outside_of_git_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    for start in [folder.path().to_path_buf(), folder.path().join("absent")] {
        let error = open_in(&start).unwrap_err();
        assert!(matches!(error, GitError::NotARepository { .. }), "{error:?}");
        assert!(error.hint().unwrap().contains("git init"));
    }
}

#[test]
fn a_bare_repository_is_refused_but_its_worktrees_are_not() {
    let world = World::new();
    world.write("a.haul", "1");
    world.commit();
    let (bare, tree) = (world.beside("bare"), world.beside("tree"));
    world.git(&["clone", "-q", "--bare", ".", bare.to_str().unwrap()]);
    let error = open_in(&bare).unwrap_err();
    assert!(matches!(error, GitError::Bare { .. }), "{error:?}");
    World::git_in(&bare, &["worktree", "add", "-q", tree.to_str().unwrap(), "main"]);
    let git = open_in(&tree).unwrap();
    assert_eq!((git.root(), git.common_dir()), (tree.as_path(), bare.as_path()));
    assert_eq!(git.pointers_at("HEAD").unwrap().len(), 1);
}

#[test]
fn linked_worktrees_share_the_common_folder_and_have_their_own_index() {
    let world = World::new();
    world.write("a.haul", "1");
    world.commit();
    let tree = world.beside("tree");
    world.git(&["worktree", "add", "-q", "-b", "other", tree.to_str().unwrap()]);
    let git = open_in(&tree).unwrap();
    assert_eq!(git.root(), tree);
    assert_eq!(git.common_dir(), world.root.join(".git"));
    assert_eq!(git.git_dir(), world.root.join(".git/worktrees/tree"));
    assert_eq!(git.branch().unwrap().as_deref(), Some("other"));
    std::fs::copy(tree.join("a.haul"), tree.join("b.haul")).unwrap();
    git.stage(&[b"b.haul"]).unwrap();
    assert_eq!(git.pointers().unwrap().len(), 2);
    assert_eq!(world.open().pointers().unwrap().len(), 1);
}

#[test]
fn a_submodule_is_a_repository_of_its_own() {
    let (world, inner) = (World::new(), World::new());
    inner.write("in.haul", "1");
    inner.commit();
    let from = inner.root.to_str().unwrap();
    world.git(&["-c", "protocol.file.allow=always", "submodule", "add", "-q", from, "sub"]);
    let git = open_in(&world.root.join("sub")).unwrap();
    assert_eq!(git.root(), world.root.join("sub"));
    assert_eq!(git.common_dir(), world.root.join(".git/modules/sub"));
    assert_eq!(paths(&git.pointers().unwrap()), BTreeSet::from([b"in.haul".as_slice()]));
    assert!(world.open().pointers().unwrap().is_empty());
}

#[test]
fn variables_of_a_hook_count_only_where_the_repository_around_is_meant() {
    let (world, other) = (World::new(), World::new());
    world.write("a.haul", "1");
    world.commit();
    let mut variables = isolated();
    variables.push(("GIT_DIR".into(), Some(other.root.join(".git").into())));
    variables.push(("GIT_INDEX_FILE".into(), Some(world.beside("nowhere").into())));
    let git = Git::discover(&world.root, Surroundings::Ignore, variables.clone()).unwrap();
    assert_eq!(git.root(), world.root);
    assert_eq!(git.pointers().unwrap().len(), 1);
    let git = Git::discover(&world.root, Surroundings::Heed, variables).unwrap();
    assert!(git.pointers().unwrap().is_empty(), "the index that the hook names is empty");
}

#[test]
fn a_repository_with_sha256_is_read_by_the_command() {
    let world = World::with(&["--object-format=sha256"]);
    let git = world.open();
    assert!(!git.has_library());
    assert_eq!(git.head().unwrap(), None);
    world.write("d/a.haul", "one");
    world.write("empty.haul", "");
    let first = world.commit();
    world.write("d/a.haul", "two");
    let second = world.commit();
    assert_eq!(first.len(), 64);
    assert_eq!(open_in(&world.root.join("d")).unwrap().root(), world.root);
    assert_eq!(git.common_dir(), world.root.join(".git"));
    assert_eq!(git.head().unwrap().unwrap().to_string(), second);
    assert_eq!(git.pointers_at(&first).unwrap()[0].content, Content::Whole(b"one".into()));
    let new = git.new_pointers(&[id(&second)], &[id(&first)]).unwrap();
    assert_eq!((new.len(), &new[0].content), (1, &Content::Whole(b"two".into())));
    assert!(git.pointers().unwrap().iter().all(|entry| !entry.intent_to_add));
    assert_eq!(git.setting("extensions.objectformat").unwrap().as_deref(), Some("sha256"));
}

#[test]
fn a_repository_without_a_commit_is_no_error() {
    let world = World::new();
    for git in world.both() {
        assert_eq!(git.head().unwrap(), None);
        assert_eq!(git.branch().unwrap().as_deref(), Some("main"));
        assert!(git.pointers().unwrap().is_empty());
        assert!(matches!(git.resolve("HEAD"), Err(GitError::UnknownRevision { .. })));
        assert_eq!(git.previous_pointers(&[b"a.haul"], 3).unwrap(), [Vec::<Vec<u8>>::new()]);
    }
}

#[test]
fn odd_names_survive_staging_listing_and_reading() {
    let world = odd_world();
    let git = world.open();
    git.stage(&ODD).unwrap();
    let entries = git.pointers().unwrap();
    assert_eq!(paths(&entries), BTreeSet::from(ODD));
    for (entry, content) in entries.iter().zip(git.index_contents(&entries, 4096).unwrap()) {
        assert_eq!(content, Content::Whole(entry.path.clone()));
    }
    let head = world.commit();
    for git in world.both() {
        let found = git.pointers_at("HEAD").unwrap();
        let read: BTreeSet<&[u8]> = found.iter().map(|file| file.path.as_slice()).collect();
        assert_eq!(read, BTreeSet::from(ODD));
        assert!(found.iter().all(|file| file.content == Content::Whole(file.path.clone())));
        assert_eq!(git.new_pointers(&[id(&head)], &[]).unwrap().len(), ODD.len());
        let versions = git.previous_pointers(&ODD, 3).unwrap();
        assert_eq!(versions, ODD.map(|path| vec![path.to_vec()]));
        for path in ODD {
            let content = git.file_at("main", path, 4096).unwrap();
            assert_eq!(content, Some(Content::Whole(path.into())));
            assert_eq!(paths(&git.tracked(&[path]).unwrap()), BTreeSet::from([path]));
        }
    }
}

#[test]
fn a_path_is_tracked_if_anything_below_it_is() {
    let world = odd_world();
    world.commit();
    world.write("deeper/x.txt", "");
    let git = world.open();
    let asked: [&[u8]; 4] = [b"deep", b"deeper", b"plain.txt", b"plain"];
    let tracked = BTreeSet::from([b"deep".to_vec(), b"plain.txt".to_vec()]);
    assert_eq!(git.is_tracked(&asked).unwrap(), tracked);
    let many: Vec<String> = (0..200).map(|n| format!("absent{n}")).collect();
    let many = many.iter().map(String::as_bytes).chain(asked).collect::<Vec<_>>();
    assert_eq!(git.is_tracked(&many).unwrap(), tracked);
    assert_eq!(git.tracked(&many).unwrap().len(), 2);
    assert_eq!(git.tracked(&[]).unwrap().len(), ODD.len() + 1);
    assert!(git.is_tracked(&[]).unwrap().is_empty());
}

#[test]
fn an_intent_to_add_is_told_from_an_empty_file() {
    let world = World::new();
    world.write("empty.haul", "");
    world.write("intent.haul", "later");
    world.git(&["add", "empty.haul"]);
    world.git(&["add", "-N", "intent.haul"]);
    let entries = world.open().pointers().unwrap();
    let intents: Vec<bool> = entries.iter().map(|entry| entry.intent_to_add).collect();
    assert_eq!(intents, [false, true]);
}

#[test]
fn all_sides_of_an_unresolved_merge_are_listed() {
    let world = World::new();
    world.write("a.haul", "base");
    world.commit();
    world.git(&["branch", "other"]);
    world.write("a.haul", "ours");
    world.commit();
    world.git(&["checkout", "-q", "other"]);
    world.write("a.haul", "theirs");
    world.commit();
    let merge = std::process::Command::new("git")
        .args(["merge", "-q", "main"])
        .current_dir(&world.root)
        .envs(isolated().into_iter().filter_map(|(name, value)| Some((name, value?))))
        .output()
        .unwrap();
    assert!(!merge.status.success());
    let stages: Vec<u8> = world.open().pointers().unwrap().iter().map(|e| e.stage).collect();
    assert_eq!(stages, [1, 2, 3]);
}

#[test]
fn staging_takes_ignored_files_and_removals_and_nothing_else() {
    let world = World::new();
    world.write("gone.haul", "1");
    world.write("kept.txt", "1");
    world.commit();
    world.write(".gitignore", "*.haul\n");
    world.write("new.haul", "2");
    world.write("kept.txt", "changed");
    std::fs::remove_file(world.root.join("gone.haul")).unwrap();
    let git = world.open();
    git.stage(&[b"new.haul", b"gone.haul", b"never-was.haul"]).unwrap();
    assert_eq!(
        world.git(&["diff", "--cached", "--name-status", "--no-renames"]),
        "D\tgone.haul\nA\tnew.haul"
    );
    assert!(matches!(git.stage(&[b"."]), Err(GitError::Folder { .. })));
    git.stage(&[]).unwrap();
}

#[test]
fn a_locked_index_names_the_command_that_finishes_the_work() {
    let world = World::new();
    world.write("two words.haul", "1");
    let lock = world.root.join(".git/index.lock");
    world.write(".git/index.lock", "");
    let error = world.open().stage(&[b"two words.haul"]).unwrap_err();
    let GitError::Locked { lock: named, command } = &error else { panic!("{error:?}") };
    assert_eq!(named, &lock);
    assert!(error.to_string().contains("the data is kept"));
    std::fs::remove_file(&lock).unwrap();
    let shell = std::process::Command::new("sh").args(["-c", command]).output().unwrap();
    assert!(shell.status.success(), "{command}");
    assert_eq!(world.open().pointers().unwrap().len(), 1);
}

#[test]
fn a_lock_that_goes_away_in_time_is_waited_for() {
    let world = World::new();
    world.write("a.haul", "1");
    world.write(".git/index.lock", "");
    let lock = world.root.join(".git/index.lock");
    let mut git = world.open();
    git.index_wait = std::time::Duration::from_secs(20);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(std::time::Duration::from_millis(150));
            std::fs::remove_file(&lock).unwrap();
        });
        git.stage(&[b"a.haul"]).unwrap();
    });
    assert_eq!(git.pointers().unwrap().len(), 1);
}

#[test]
fn ignore_rules_are_told_for_odd_names_too() {
    let world = odd_world();
    world.write(".gitignore", "*.haul\n!/-dash.haul\n");
    let ignored = world.open().ignored(&ODD).unwrap();
    assert_eq!(ignored.len(), ODD.len() - 1);
    assert!(!ignored.contains(b"-dash.haul".as_slice()));
    assert!(world.open().ignored(&[b"plain.txt"]).unwrap().is_empty());
}

#[test]
fn only_small_plain_files_are_pointers() {
    let world = World::new();
    world.write("big.haul", vec![b'x'; 4097]);
    world.write("fits.haul", vec![b'x'; 4096]);
    world.write("folder.haul/file.txt", "x");
    world.write(".haul", "x");
    std::os::unix::fs::symlink("fits.haul", world.root.join("link.haul")).unwrap();
    world.commit();
    for git in world.both() {
        let found = git.pointers_at("HEAD").unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].content, Content::TooLarge(4097));
        assert_eq!(found[1].content, Content::Whole(vec![b'x'; 4096]));
        assert_eq!(git.pointers().unwrap().len(), 2);
        assert_eq!(git.file_at("HEAD", b"link.haul", 10).unwrap(), None);
        assert_eq!(git.file_at("HEAD", b"folder.haul", 10).unwrap(), None);
        assert_eq!(git.file_at("HEAD", b"fits.haul/below", 10).unwrap(), None);
        assert_eq!(git.file_at("HEAD", b"absent", 10).unwrap(), None);
    }
}

#[test]
fn revisions_are_found_and_unknown_ones_have_a_hint() {
    let world = World::new();
    let first = world.commit();
    world.git(&["tag", "-a", "-m", "t", "v1"]);
    let second = world.commit();
    world.git(&["tag", "same"]);
    world.git(&["branch", "same"]);
    world.git(&["tag", "-a", "-m", "t", "v1.0", "HEAD~1"]);
    world.git(&["branch", "v1.0"]);
    for git in world.both() {
        for rev in ["HEAD~1", "v1", &first, &first[..9]] {
            assert_eq!(git.resolve(rev).unwrap().to_string(), first);
        }
        assert_eq!(git.resolve("main").unwrap().to_string(), second);
        assert_eq!(git.resolve("same").unwrap().to_string(), second);
        for rev in ["v1.0", "v1.0~0"] {
            let error = git.resolve(rev).unwrap_err();
            assert!(matches!(error, GitError::BranchAndTag { .. }), "{rev}: {error:?}");
        }
        assert_eq!(git.resolve("tags/v1.0").unwrap().to_string(), first);
        assert_eq!(git.resolve("heads/v1.0").unwrap().to_string(), second);
        for rev in ["", "--all", "absent", "HEAD~9", "HEAD^{tree}", "a\nb", "main..v1", "@{99}"] {
            let error = git.resolve(rev).unwrap_err();
            assert!(matches!(error, GitError::UnknownRevision { .. }), "{rev}: {error:?}");
            assert!(error.hint().is_some());
        }
    }
}

#[test]
fn a_missing_object_is_named() {
    let world = World::new();
    world.write("a.haul", "1");
    world.commit();
    let object = world.git(&["rev-parse", "HEAD:a.haul"]);
    let (folder, file) = object.split_at(2);
    std::fs::remove_file(world.root.join(".git/objects").join(folder).join(file)).unwrap();
    for git in world.both() {
        let error = git.pointers_at("HEAD").unwrap_err();
        assert!(matches!(error, GitError::MissingObject { id: named } if named == id(&object)));
    }
}
