//! Ranges of commits, remotes and settings against real repositories.

use super::testing::{World, open_in};
use super::{Content, GitError, ObjectId, PointerBlob};

fn id(text: &str) -> ObjectId {
    text.parse().unwrap()
}

fn texts(found: &[PointerBlob]) -> Vec<&[u8]> {
    let text = |file: &PointerBlob| match &file.content {
        Content::Whole(bytes) => bytes.clone().leak() as &[u8],
        Content::TooLarge(_) => b"too large",
    };
    found.iter().map(text).collect()
}

#[test]
fn a_range_brings_only_what_is_new_in_it_with_the_commit_that_brought_it() {
    let world = World::new();
    world.write("a.haul", "1");
    world.write("same.haul", "same");
    let first = world.commit();
    world.write("a.haul", "2");
    let second = world.commit();
    world.write("a.haul", "3");
    world.write("other.txt", "x");
    let third = world.commit();
    for git in world.both() {
        let all = git.new_pointers(&[id(&third)], &[]).unwrap();
        assert_eq!(texts(&all), [b"1".as_slice(), b"same", b"2", b"3"]);
        let new = git.new_pointers(&[id(&third)], &[id(&first)]).unwrap();
        assert_eq!(texts(&new), [b"2", b"3"]);
        let commits: Vec<String> = new.iter().map(|file| file.commit.to_string()).collect();
        assert_eq!(commits, [second.clone(), third.clone()]);
        assert!(git.new_pointers(&[id(&first)], &[id(&third)]).unwrap().is_empty());
        assert!(git.new_pointers(&[], &[id(&third)]).unwrap().is_empty());
    }
}

#[test]
fn a_merge_counts_only_for_what_none_of_its_parents_has() {
    let world = World::new();
    world.write("a.haul", "base");
    world.commit();
    world.git(&["checkout", "-q", "-b", "side"]);
    world.write("a.haul", "side, later undone");
    world.commit();
    world.write("a.haul", "base");
    world.write("side.haul", "of side");
    let side = world.commit();
    world.git(&["checkout", "-q", "main"]);
    world.write("main.haul", "of main");
    let main = world.commit();
    world.git(&["merge", "-q", "--no-commit", "side"]);
    world.write("evil.haul", "of the merge");
    world.write("side.haul", "mended in the merge");
    let merge = world.commit();
    for git in world.both() {
        let new = git.new_pointers(&[id(&merge)], &[id(&main)]).unwrap();
        let mut found = texts(&new);
        found.sort_unstable();
        let expected: [&[u8]; 5] =
            [b"base", b"mended in the merge", b"of side", b"of the merge", b"side, later undone"];
        assert_eq!(found, expected);
        let new = git.new_pointers(&[id(&merge)], &[id(&main), id(&side)]).unwrap();
        assert_eq!(texts(&new), [b"of the merge".as_slice(), b"mended in the merge"]);
    }
}

#[test]
fn commits_that_only_the_remote_has_are_passed_over_and_an_unknown_tip_is_an_error() {
    let world = World::new();
    world.write("a.haul", "1");
    let head = world.commit();
    let absent = id("0123456789012345678901234567890123456789");
    for git in world.both() {
        assert_eq!(git.new_pointers(&[id(&head)], &[absent]).unwrap().len(), 1);
        assert!(git.new_pointers(&[id(&head)], &[absent, id(&head)]).unwrap().is_empty());
        let error = git.new_pointers(&[absent], &[]).unwrap_err();
        assert!(matches!(error, GitError::Command { .. }), "{error:?}");
    }
}

#[test]
fn a_shallow_clone_gives_the_whole_tree_of_its_oldest_commit() {
    let world = World::new();
    world.write("a.haul", "1");
    world.commit();
    world.write("b.haul", "2");
    world.commit();
    let clone = world.beside("clone");
    let from = format!("file://{}", world.root.display());
    world.git(&["clone", "-q", "--depth=1", &from, clone.to_str().unwrap()]);
    let git = open_in(&clone).unwrap();
    let head = git.head().unwrap().unwrap();
    assert_eq!(git.new_pointers(&[head.0], &[]).unwrap().len(), 2);
}

#[test]
fn a_partial_clone_fetches_the_pointers_it_lacks() {
    let world = World::new();
    world.git(&["config", "uploadpack.allowFilter", "true"]);
    world.git(&["config", "uploadpack.allowAnySHA1InWant", "true"]);
    world.write("a.haul", "1");
    world.write("b.haul", "2");
    let first = world.commit();
    world.git(&["rm", "-q", "a.haul", "b.haul"]);
    world.commit();
    let clone = world.beside("clone");
    let from = format!("file://{}", world.root.display());
    world.git(&["clone", "-q", "--filter=blob:none", &from, clone.to_str().unwrap()]);
    let git = open_in(&clone).unwrap();
    let absent = git.library(|library| {
        let found = library.odb()?.exists(library.revparse_single("HEAD~1:a.haul")?.id());
        Ok(found)
    });
    assert_ne!(absent, Some(true), "the clone must lack it for this test to say anything");
    let found = git.pointers_at(&first).unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(found[1].content, Content::Whole(b"2".into()));
}

#[test]
fn earlier_versions_come_newest_first_each_once() {
    let world = World::new();
    for text in ["1", "2", "1", "3"] {
        world.write("a.haul", text);
        world.commit();
    }
    world.write("b.haul", vec![b'x'; 5000]);
    world.commit();
    for git in world.both() {
        let paths: [&[u8]; 3] = [b"a.haul", b"b.haul", b"never.haul"];
        let found = git.previous_pointers(&paths, 9).unwrap();
        assert_eq!(found[0], [b"3", b"1", b"2"]);
        assert!(found[1].is_empty() && found[2].is_empty());
        assert_eq!(git.previous_pointers(&[b"a.haul"], 2).unwrap(), [[b"3", b"1"]]);
    }
}

#[test]
fn the_default_remote_is_the_followed_one_then_origin_then_the_only_one() {
    let world = World::new();
    let head = world.commit();
    let url = world.root.to_str().unwrap();
    for git in world.both() {
        world.git(&["remote", "add", "first", url]);
        assert_eq!(git.default_remote().unwrap(), "first");
        world.git(&["remote", "add", "second", url]);
        assert!(matches!(git.default_remote(), Err(GitError::NoDefaultRemote { count: 2 })));
        world.git(&["remote", "add", "origin", url]);
        assert_eq!(git.default_remote().unwrap(), "origin");
        world.git(&["config", "branch.main.remote", "second"]);
        assert_eq!(git.default_remote().unwrap(), "second");
        assert_eq!(git.remotes().unwrap().len(), 3);
        assert_eq!(git.remote_url("second").unwrap().as_deref(), Some(url));
        assert_eq!(git.remote_url("absent").unwrap(), None);
        let refs = git.remote_refs("second").unwrap();
        assert_eq!((refs[0].name.as_str(), refs[0].id), ("refs/heads/main", id(&head)));
        for name in ["first", "second", "origin"] {
            world.git(&["remote", "remove", name]);
        }
        assert!(matches!(git.default_remote(), Err(GitError::NoDefaultRemote { count: 0 })));
        assert!(git.remote_refs("--upload-pack=touch x").is_err());
    }
}

#[test]
fn settings_are_read_as_git_reads_them() {
    let world = World::new();
    world.git(&["config", "haul.text", "a b"]);
    world.git(&["config", "haul.yes", "on"]);
    for git in world.both() {
        assert_eq!(git.setting("haul.text").unwrap().as_deref(), Some("a b"));
        assert_eq!(git.setting("haul.absent").unwrap(), None);
        assert!(git.flag("haul.yes").unwrap() && !git.flag("haul.absent").unwrap());
        assert_eq!(git.path_setting("haul.text").unwrap(), Some("a b".into()));
        assert_eq!(git.run(&["config", "haul.text"], b"").unwrap(), b"a b\n");
    }
}

#[test]
fn a_failing_command_is_shown_with_its_words_and_without_passwords() {
    let world = World::new();
    let error = world.open().remote_refs("https://user:secret@localhost:1/x").unwrap_err();
    let text = error.to_string();
    assert!(text.contains("git ls-remote") && text.contains("https://***@localhost"), "{text}");
    assert!(!text.contains("secret") && !text.contains("user"), "{text}");
}

#[test]
fn the_newest_commit_with_a_content_is_found_on_any_branch() {
    let world = World::new();
    world.write("a.haul", "1");
    let first = world.commit();
    world.write("a.haul", "2");
    world.commit();
    world.write("a.haul", "1");
    let again = world.commit();
    world.git(&["checkout", "-q", "-b", "side"]);
    world.write("a.haul", "of side");
    let side = world.commit();
    world.git(&["checkout", "-q", "main"]);
    world.write("a.haul", "3");
    world.commit();
    world.write("other.haul", "1");
    let head = world.commit();
    for git in world.both() {
        let newest = |path: &[u8], content: &[u8]| {
            git.newest_with(path, content).unwrap().map(|commit| commit.to_string())
        };
        assert_eq!(newest(b"a.haul", b"3"), Some(head.clone()));
        assert_eq!(newest(b"a.haul", b"1"), Some(again.clone()));
        assert_ne!(again, first);
        assert_eq!(newest(b"a.haul", b"of side"), Some(side.clone()));
        assert_eq!(newest(b"a.haul", b"never"), None);
        assert_eq!(newest(b"gone.haul", b"1"), None);
    }
}
