use super::*;
use crate::hash::NodeId;
use crate::node::testing::Store;
use crate::node::{Cursor, Expectation, Kind, Scope, build};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

type Paths = BTreeMap<Vec<u8>, FileEntry>;

fn file(path: &[u8], version: u64, kind: EntryKind) -> FileEntry {
    let content = match kind {
        EntryKind::EmptyDir => Content::Inline(Vec::new()),
        EntryKind::File | EntryKind::Executable | EntryKind::Symlink => {
            Content::Inline(format!("version {version}").into_bytes())
        }
    };
    FileEntry { path: path.to_vec(), kind, content }
}

fn store(store: &Store, paths: &Paths) -> NodeId {
    let built = build(paths.values().cloned()).unwrap();
    store.put_all(built.nodes);
    built.summary.root
}

/// Merges through the trees and reads the result back.
fn merged(base: Option<&Paths>, ours: &Paths, theirs: &Paths) -> (Paths, Merge) {
    let place = Store::default();
    let base = base.map(|base| store(&place, base));
    let (our_root, their_root) = (store(&place, ours), store(&place, theirs));
    let merge = merge(base, our_root, their_root, place.source()).unwrap();
    let sink = |node| {
        place.put(node);
        Ok(())
    };
    let root = edit(our_root, place.source(), &merge.edits, sink).unwrap().root;
    let expectation = Expectation::root(Kind::Manifest);
    let entries = Cursor::new(root, expectation, Scope::All, place.source());
    (
        entries.map(|e: Result<FileEntry, _>| e.unwrap()).map(|e| (e.path.clone(), e)).collect(),
        merge,
    )
}

fn numbered(count: u64) -> Paths {
    (0..count)
        .map(|n| format!("f{n:06}").into_bytes())
        .map(|path| (path.clone(), file(&path, 0, EntryKind::File)))
        .collect()
}

fn put(paths: &mut Paths, path: &str, version: u64, kind: EntryKind) {
    paths.insert(path.into(), file(path.as_bytes(), version, kind));
}

/// The paths of clashes.
fn clashing(merge: &Merge) -> Vec<String> {
    merge.clashes.iter().map(|c| String::from_utf8(c.path.clone()).unwrap()).collect()
}

#[test]
fn changes_of_different_files_merge_and_of_the_same_clash_with_both_versions() {
    let base = numbered(1000);
    let (mut ours, mut theirs) = (base.clone(), base.clone());
    put(&mut ours, "f000001", 1, EntryKind::File);
    put(&mut ours, "new-a", 1, EntryKind::File);
    put(&mut ours, "f000500", 1, EntryKind::File);
    theirs.remove(b"f000002".as_slice());
    put(&mut theirs, "new-b", 1, EntryKind::File);
    put(&mut theirs, "f000500", 2, EntryKind::File);
    let (paths, merge) = merged(Some(&base), &ours, &theirs);
    assert_eq!(clashing(&merge), ["f000500"]);
    let clash = &merge.clashes[0];
    let of = |paths: &Paths| paths.get(b"f000500".as_slice()).cloned();
    assert_eq!((&clash.base, &clash.ours, &clash.theirs), (&of(&base), &of(&ours), &of(&theirs)));
    let mut expected = ours.clone();
    expected.remove(b"f000002".as_slice());
    put(&mut expected, "new-b", 1, EntryKind::File);
    assert_eq!(paths, expected);
}

#[test]
fn a_new_mode_and_a_new_content_merge_and_other_kinds_do_not() {
    let mut base = numbered(3);
    put(&mut base, "run", 0, EntryKind::File);
    let (mut ours, mut theirs) = (base.clone(), base.clone());
    put(&mut ours, "run", 1, EntryKind::File);
    put(&mut theirs, "run", 0, EntryKind::Executable);
    let (paths, merge) = merged(Some(&base), &ours, &theirs);
    assert!(merge.clashes.is_empty());
    assert_eq!(paths[b"run".as_slice()], file(b"run", 1, EntryKind::Executable));
    put(&mut theirs, "run", 0, EntryKind::Symlink);
    assert_eq!(clashing(&merged(Some(&base), &ours, &theirs).1), ["run"]);
}

#[test]
fn a_file_on_one_side_and_a_folder_on_the_other_clash_and_an_empty_folder_gives_way() {
    let base = numbered(3);
    let side = |path: &str, kind| {
        let mut paths = base.clone();
        put(&mut paths, path, 1, kind);
        paths
    };
    let (file, folder) = (side("d", EntryKind::File), side("d/x", EntryKind::File));
    let empty = side("d", EntryKind::EmptyDir);
    let (paths, merge) = merged(Some(&base), &file, &folder);
    assert_eq!((paths, clashing(&merge)), (file.clone(), vec!["d/x".to_owned()]));
    let (paths, merge) = merged(Some(&base), &folder, &file);
    assert_eq!((paths, clashing(&merge)), (folder.clone(), vec!["d".to_owned()]));
    for (ours, theirs) in [(&empty, &folder), (&folder, &empty)] {
        let (paths, merge) = merged(Some(&base), ours, theirs);
        assert_eq!((&paths, clashing(&merge)), (&folder, Vec::new()));
    }
    // Where they removed what we changed, nothing of theirs stands below it.
    let (mut ours, mut theirs) = (file.clone(), folder);
    put(&mut ours, "d", 2, EntryKind::File);
    theirs.remove(b"d".as_slice());
    let (paths, merge) = merged(Some(&file), &ours, &theirs);
    assert_eq!((paths, clashing(&merge)), (ours, vec!["d".to_owned(), "d/x".to_owned()]));
}

#[test]
fn without_a_base_what_only_one_side_has_is_taken() {
    let (mut ours, mut theirs) = (numbered(10), numbered(10));
    put(&mut ours, "a", 1, EntryKind::File);
    put(&mut theirs, "b", 1, EntryKind::File);
    put(&mut ours, "both", 1, EntryKind::File);
    put(&mut theirs, "both", 2, EntryKind::File);
    let (paths, merge) = merged(None, &ours, &theirs);
    assert_eq!(clashing(&merge), ["both"]);
    put(&mut ours, "b", 1, EntryKind::File);
    assert_eq!(paths, ours);
}

#[test]
fn of_two_cuts_of_one_content_both_sides_take_the_same() {
    let tree = |code: u8| {
        let content = Content::Tree {
            oid: crate::hash::Oid::of(b"x"),
            size: 1 << 20,
            profile_code: std::num::NonZeroU8::new(code).unwrap(),
            root: NodeId([code; 32]),
        };
        let entry = FileEntry { path: b"x".to_vec(), kind: EntryKind::File, content };
        Paths::from([(b"x".to_vec(), entry)])
    };
    let base = numbered(1);
    let (first, second) =
        (merged(Some(&base), &tree(1), &tree(2)), merged(Some(&base), &tree(2), &tree(1)));
    assert!(first.1.clashes.is_empty() && second.1.clashes.is_empty());
    assert_eq!(first.0[b"x".as_slice()], second.0[b"x".as_slice()]);
}

#[test]
fn a_merge_reads_only_what_differs() {
    let base = numbered(120_000);
    let (mut ours, mut theirs) = (base.clone(), base.clone());
    for n in 0..10 {
        put(&mut ours, &format!("f{:06}", n * 1000), 1, EntryKind::File);
        put(&mut theirs, &format!("f{:06}", 60_000 + n * 1000), 1, EntryKind::File);
    }
    let place = Store::default();
    let [base, ours, theirs] = [&base, &ours, &theirs].map(|paths| store(&place, paths));
    merge(Some(base), ours, theirs, place.source()).unwrap();
    // Per side: two roots, and two nodes per change on each of two levels.
    let reads = place.take_reads();
    assert!(reads <= 2 * (2 + 2 * 2 * 10), "{reads}");
}

/// What a side does to some paths of a small world, in which files stand in place of folders.
fn side() -> impl Strategy<Value = Vec<(usize, u64, u8)>> {
    proptest::collection::vec((0..NAMES.len(), 0..3_u64, 0..5_u8), 0..8)
}

const NAMES: [&str; 9] = ["a", "a/b", "a/b/c", "a/d", "b", "b/x", "c", "d", "e"];

fn nested(a: &[u8], b: &[u8]) -> bool {
    a != b
        && (a.strip_prefix(b).is_some_and(|r| r.starts_with(b"/"))
            || b.strip_prefix(a).is_some_and(|r| r.starts_with(b"/")))
}

fn play(start: &Paths, steps: &[(usize, u64, u8)]) -> Paths {
    let mut paths = start.clone();
    for (name, version, deed) in steps {
        let path = NAMES[*name].as_bytes();
        if *deed == 0 {
            paths.remove(path);
            continue;
        }
        paths.retain(|other, _| !nested(other, path));
        let kind = match deed {
            1 => EntryKind::Executable,
            2 => EntryKind::Symlink,
            3 => EntryKind::EmptyDir,
            _ => EntryKind::File,
        };
        paths.insert(path.to_vec(), file(path, *version, kind));
    }
    paths
}

proptest! {
    #[test]
    fn a_merge_is_what_a_map_gives_path_by_path(start in side(), one in side(), two in side()) {
        let base = play(&Paths::new(), &start);
        let (ours, theirs) = (play(&base, &one), play(&base, &two));
        let (paths, merge) = merged(Some(&base), &ours, &theirs);
        let clashes: BTreeSet<Vec<u8>> = merge.clashes.iter().map(|c| c.path.clone()).collect();
        for name in NAMES {
            let path = name.as_bytes();
            let [base, ours, theirs] = [&base, &ours, &theirs].map(|paths| paths.get(path));
            let found = paths.get(path);
            if clashes.contains(path) {
                prop_assert!(base != theirs, "they changed nothing at {name}");
                prop_assert_eq!(found, ours, "ours stays at {}", name);
            } else if ours == theirs || base == theirs {
                let empty = ours.is_some_and(|entry| entry.kind == EntryKind::EmptyDir);
                let filled = found.is_none() && paths.keys().any(|other| nested(other, path));
                prop_assert!(found == ours || empty && filled, "ours at {name}");
            } else if base == ours {
                let empty = theirs.is_some_and(|entry| entry.kind == EntryKind::EmptyDir);
                let filled = found.is_none() && paths.keys().any(|other| nested(other, path));
                prop_assert!(found == theirs || empty && filled, "theirs at {name}");
            } else {
                let (ours, theirs) = (ours.unwrap(), theirs.unwrap());
                let (base, found) = (base.unwrap(), found.unwrap());
                prop_assert!([ours.kind, theirs.kind].contains(&found.kind) && found.kind != base.kind);
                prop_assert!([&ours.content, &theirs.content].contains(&&found.content));
            }
        }
    }

    #[test]
    fn it_does_not_matter_which_side_is_ours_but_at_clashes(
        start in side(), one in side(), two in side()
    ) {
        let base = play(&Paths::new(), &start);
        let (ours, theirs) = (play(&base, &one), play(&base, &two));
        let ((first, there), (second, back)) =
            (merged(Some(&base), &ours, &theirs), merged(Some(&base), &theirs, &ours));
        prop_assert_eq!(there.clashes.is_empty(), back.clashes.is_empty());
        if there.clashes.is_empty() {
            prop_assert_eq!(first, second);
        }
    }

    #[test]
    fn a_side_that_did_nothing_gives_way(start in side(), one in side()) {
        let base = play(&Paths::new(), &start);
        let side = play(&base, &one);
        for (ours, theirs) in [(&base, &side), (&side, &base), (&side, &side)] {
            let (paths, merge) = merged(Some(&base), ours, theirs);
            prop_assert!(merge.clashes.is_empty());
            prop_assert_eq!(&paths, &side);
        }
    }
}
