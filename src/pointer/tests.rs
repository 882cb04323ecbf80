//! Behaviour of pointers beyond the golden files.

use super::golden::{GOOD, good};
use super::{
    MAX_POINTER, Pointer, PointerError, PointerKind, Root, looks_like_pointer, merge_pointers,
    merge_roots,
};
use crate::hash::{NodeId, Oid};
use crate::path::hostile_cases::{cases, pointer_text};
use proptest::prelude::*;

const HASH: &str = "d8f1a6b2c3e4f5061728394a5b6c7d8e9fa0b1c2d3e4f5061728394a5b6c7d8e";

#[test]
fn every_hostile_pointer_meets_its_expectation() {
    let mut seen = 0;
    for case in cases().into_iter().filter(|case| case.carrier == "pointer") {
        let text = pointer_text(case.value, HASH, 11);
        let parsed = Pointer::parse(&text);
        match case.value {
            // The text is sound; that it lies shows when the content is read.
            "{size=real+1}"
            | "{size=real-1}"
            | "{hash=of other content}"
            | "{pointer of a pointer}"
            | "{unknown key}" => {
                assert_eq!(parsed.expect("is sound").to_bytes(), text, "{case:?}");
            }
            "{version line missing}" | "{empty file}" => {
                assert_eq!(parsed, Err(PointerError::NotAPointer));
                assert!(!looks_like_pointer(&text));
            }
            "{real data that starts like a pointer, 10 MiB}" => {
                assert!(matches!(parsed, Err(PointerError::TooLong { .. })));
                assert!(!looks_like_pointer(&text));
            }
            "{version=999}" => assert!(matches!(parsed, Err(PointerError::Newer { line: 1, .. }))),
            _ => {
                assert!(parsed.is_err(), "{case:?}");
                assert!(case.expect == "reject" || case.value == "{CRLF line ends}", "{case:?}");
            }
        }
        seen += 1;
    }
    assert!(seen >= 37, "only {seen} cases are left");
}

fn file(oid: Oid, size: u64, profile: Option<&str>) -> PointerKind {
    let root = profile.map(|profile| Root { profile: profile.to_owned(), id: NodeId([7; 32]) });
    PointerKind::File { oid, size, root, executable: false }
}

#[test]
fn kinds_that_contradict_themselves_make_no_pointer() {
    let oid = Oid([1; 32]);
    let root = NodeId([7; 32]);
    for kind in [
        file(oid, 0, None),
        file(Oid::EMPTY, 1, None),
        file(Oid::EMPTY, 0, Some("m64.1")),
        file(Oid([0; 32]), 1, None),
        file(oid, 1 << 63, None),
        file(oid, 1 << 20, Some("b3k")),
        file(oid, 1 << 20, Some("")),
        file(oid, 1 << 20, Some("a b")),
        PointerKind::Dir { files: 0, root, size: 1 },
        PointerKind::Dir { files: 1 << 63, root, size: 1 },
        PointerKind::Dir { files: 1, root, size: 1 << 63 },
        PointerKind::Dir { files: 1, root: NodeId([0; 32]), size: 1 },
    ] {
        let made = Pointer::new(kind.clone());
        assert!(matches!(made, Err(PointerError::Invalid { .. })), "{kind:?}");
    }
    assert!(Pointer::new(file(Oid::EMPTY, 0, None)).is_ok());
}

#[test]
fn a_further_key_must_have_its_form_and_room() {
    let pointer = good("file-tree");
    for (key, value) in
        [("size", "1"), ("haul", "1"), ("A", "1"), ("a", ""), ("a", "x\n"), ("a", " x")]
    {
        assert!(pointer.clone().with_extra(key, value).is_err(), "{key} {value:?}");
    }
    let long = "x".repeat(1000);
    let full = ["a", "b", "c"].iter().try_fold(pointer, |p, key| p.with_extra(key, &long));
    let full = full.expect("three fit");
    assert!(full.to_bytes().len() <= MAX_POINTER);
    assert!(matches!(full.with_extra("d", &long), Err(PointerError::TooLong { .. })));
}

#[test]
fn unchanged_content_keeps_its_pointer_byte_for_byte() {
    for (name, bytes) in GOOD {
        let old = good(name);
        let same = Pointer::with_new_content(&old, old.kind().clone()).expect("is the same");
        assert_eq!(same.to_bytes(), *bytes, "{name}");
    }
    let old = good("file-tree");
    let PointerKind::File { oid, size, .. } = *old.kind() else { panic!("is a file") };
    let recut = Pointer::with_new_content(&old, file(oid, size, Some("m256.1")));
    assert_eq!(recut, Ok(old), "the root that a path has is not given up");
}

#[test]
fn changed_content_keeps_only_the_keys_that_outlive_it() {
    let old = good("keep-keys");
    let PointerKind::Dir { root, .. } = *old.kind() else { panic!("is a directory") };
    let new = PointerKind::Dir { files: 4, root, size: 12 };
    let changed = Pointer::with_new_content(&old, new.clone()).expect("is a pointer");
    assert_eq!(changed.kind(), &new);
    let keys: Vec<&str> = changed.extra().keys().map(String::as_str).collect();
    assert_eq!(keys, ["keep-licence", "keep-owner"]);
    let file = Pointer::with_new_content(&old, file(Oid([1; 32]), 5, None)).expect("is a pointer");
    assert_eq!(file.extra(), changed.extra());
}

#[test]
fn a_changed_executable_bit_keeps_root_and_keys() {
    let old = good("unknown-keys");
    let PointerKind::File { oid, size, .. } = *old.kind() else { panic!("is a file") };
    let new = PointerKind::File { oid, size, root: None, executable: true };
    let changed = Pointer::with_new_content(&old, new).expect("is a pointer");
    assert_eq!(changed.extra(), old.extra());
    let text = String::from_utf8(changed.to_bytes()).expect("is text");
    let without: String =
        text.split_inclusive('\n').filter(|line| *line != "mode exec\n").collect();
    assert_eq!(without.into_bytes(), old.to_bytes());
    assert_ne!(changed, old);
}

#[test]
fn of_two_trees_of_one_content_the_larger_tag_wins() {
    let root = |profile: &str, id| Root { profile: profile.to_owned(), id: NodeId([id; 32]) };
    let (a, b) = (root("m16.1", 1), root("m64.1", 2));
    for (left, right) in [(&a, &b), (&b, &a)] {
        assert_eq!(merge_roots(Some(left), Some(right)), Some(Some(&b)));
    }
    assert_eq!(merge_roots(Some(&a), None), Some(Some(&a)));
    assert_eq!(merge_roots(None, Some(&a)), Some(Some(&a)));
    assert_eq!(merge_roots(None, None), Some(None));
    assert_eq!(merge_roots(Some(&a), Some(&a)), Some(Some(&a)));
    assert_eq!(merge_roots(Some(&a), Some(&root("m16.1", 3))), None);
}

#[test]
fn pointers_merge_where_the_texts_alone_can_tell() {
    let new = |kind| Pointer::new(kind).expect("is a pointer");
    let base = new(file(Oid([1; 32]), 9, Some("m64.1")));
    let other = new(file(Oid([2; 32]), 9, Some("m64.1")));
    let third = new(file(Oid([3; 32]), 9, None));
    let merged = |ours: &Pointer, theirs: &Pointer| merge_pointers(Some(&base), ours, theirs);
    assert_eq!(merged(&base, &other), Some(other.clone()));
    assert_eq!(merged(&other, &base), Some(other.clone()));
    assert_eq!(merged(&other, &third), None);
    let recut = new(file(Oid([2; 32]), 9, Some("m16.1")));
    assert_eq!(merged(&recut, &other), Some(other.clone()));
    let ours = base.clone().with_extra("a", "1").expect("is a key");
    let theirs = base.clone().with_extra("b", "2").expect("is a key");
    let both = ours.clone().with_extra("b", "2").expect("is a key");
    assert_eq!(merged(&ours, &theirs), Some(both));
    let clash = base.clone().with_extra("a", "2").expect("is a key");
    assert_eq!(merged(&ours, &clash), None);
    let dir = good("dir");
    assert_eq!(merged(&other, &dir), None);
    assert_eq!(merge_pointers(None, &dir, &good("dir-empty")), None);
    assert_eq!(merge_pointers(None, &dir, &dir), Some(dir.clone()));
}

fn kinds() -> impl Strategy<Value = PointerKind> {
    let root = prop::option::of(("[a-z][a-z0-9.]{0,15}", any::<[u8; 32]>()));
    let numbers = (0..=u64::MAX >> 1, 1..=u64::MAX >> 1);
    prop_oneof![
        (any::<[u8; 32]>(), numbers.clone(), root, any::<bool>()).prop_map(
            |(oid, (_, size), root, executable)| PointerKind::File {
                oid: Oid(oid),
                size,
                root: root.map(|(profile, id)| Root { profile, id: NodeId(id) }),
                executable,
            }
        ),
        (any::<[u8; 32]>(), numbers).prop_map(|(root, (size, files))| PointerKind::Dir {
            files,
            root: NodeId(root),
            size
        }),
    ]
}

/// Pointers with small damage, to come near the border of what is accepted.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let start = prop::sample::select(GOOD).prop_map(|(_, bytes)| bytes.to_vec());
    let bytes = prop::sample::select(&b"\n\r 0123456789abcxyz-.:\0\xff"[..]);
    let damage = prop::collection::vec((any::<prop::sample::Index>(), bytes, 0..3), 0..4);
    (start, damage).prop_map(|(mut text, damage)| {
        for (at, byte, how) in damage {
            match (at.index(text.len()), how) {
                (at, 0) => text[at] = byte,
                (at, 1) => text.insert(at, byte),
                (at, _) => drop(text.remove(at)),
            }
        }
        text
    })
}

proptest! {
    #[test]
    fn a_pointer_reads_back_as_written(
        kind in kinds(),
        extra in prop::collection::btree_map("[a-z][a-z0-9-]{0,31}", "[^\\pC ]([^\\pC]{0,40}[^\\pC ])?", 0..5),
    ) {
        let made = extra.iter().try_fold(Pointer::new(kind), |pointer, (key, value)| {
            Some(pointer.and_then(|pointer| pointer.with_extra(key, value)))
        });
        if let Some(Ok(pointer)) = made {
            let bytes = pointer.to_bytes();
            prop_assert!(looks_like_pointer(&bytes));
            prop_assert_eq!(Pointer::parse(&bytes), Ok(pointer));
        }
    }

    #[test]
    fn whatever_is_accepted_is_its_one_encoding(text in damaged()) {
        if let Ok(pointer) = Pointer::parse(&text) {
            prop_assert_eq!(pointer.to_bytes(), text);
        }
    }

    #[test]
    fn no_bytes_make_the_reader_fall(bytes: Vec<u8>, tail: String) {
        prop_assert!(Pointer::parse(&bytes).is_err());
        let text = format!("haul 1\nkind file\n{tail}").into_bytes();
        if let Ok(pointer) = Pointer::parse(&text) {
            prop_assert_eq!(pointer.to_bytes(), text);
        }
    }

    #[test]
    fn merging_does_not_depend_on_the_side(a in prop::sample::select(GOOD), b in prop::sample::select(GOOD)) {
        let (a, b) = (good(a.0), good(b.0));
        prop_assert_eq!(merge_pointers(None, &a, &b), merge_pointers(None, &b, &a));
    }
}
