use super::tests::{chunked, inline, walk};
use super::*;
use crate::hash::{NodeId, Oid};
use crate::node::testing::{Store, each_cut_is_refused};
use crate::node::{Entry, Expectation, Kind, Node, NodeError, ReadError, Scope, build};
use crate::wire::put_varint;
use proptest::prelude::*;
use std::num::NonZeroU8;

fn forms() -> Vec<FileEntry> {
    let (oid, root) = (Oid([3; 32]), NodeId([4; 32]));
    let tree = Content::Tree { oid, size: 200_000, profile_code: NonZeroU8::MIN, root };
    vec![
        inline("a", EntryKind::File, b""),
        inline("b", EntryKind::Executable, &[5; 48]),
        inline("c", EntryKind::Symlink, b"../d"),
        inline("d", EntryKind::EmptyDir, b""),
        chunked("e", 1),
        FileEntry { path: b"f".to_vec(), kind: EntryKind::Executable, content: tree },
    ]
}

#[test]
fn every_form_reads_back_and_inline_entries_are_no_children() {
    let built = build(forms()).unwrap();
    let bytes = &built.nodes[0].bytes;
    let (node, len) = Node::<FileEntry>::decode(&[&bytes[..], b"placement"].concat()).unwrap();
    assert_eq!((len, node.id()), (bytes.len(), built.summary.root));
    assert_eq!(node.children().len(), 2);
    assert_eq!(node.children(), built.nodes[0].children);
    assert_eq!((node.count(), node.last_key()), (6, &b"f"[..]));
    each_cut_is_refused(bytes, Node::<FileEntry>::decode);
}

#[test]
fn content_in_a_form_that_its_size_or_kind_forbids_is_refused() {
    let (oid, file) = (Oid([3; 32]), EntryKind::File);
    let tree = |size| {
        let root = NodeId([4; 32]);
        Content::Tree { oid, size, profile_code: NonZeroU8::MIN, root }
    };
    let bad = [
        (file, Content::Inline(vec![1; 49])),
        (file, Content::Chunk { oid, size: 48 }),
        (file, Content::Chunk { oid, size: 0 }),
        (file, Content::Chunk { oid, size: (2 << 20) + 1 }),
        (file, tree(48)),
        (file, tree(1 << 63)),
        (EntryKind::Symlink, Content::Inline(vec![])),
        (EntryKind::Symlink, Content::Inline(vec![b'a'; 4096])),
        (EntryKind::Symlink, Content::Inline(b"a\0".to_vec())),
        (EntryKind::Symlink, Content::Chunk { oid, size: 100 }),
        (EntryKind::EmptyDir, Content::Inline(vec![1])),
        (EntryKind::EmptyDir, tree(100)),
    ];
    for (kind, content) in bad {
        let entry = FileEntry { path: b"a".to_vec(), kind, content };
        assert!(entry.check().is_err(), "{entry:?}");
        assert!(Node::<FileEntry>::decode(&leaf(&[entry])).is_err());
    }
    let limits =
        [(file, tree((1 << 63) - 1)), (EntryKind::Symlink, Content::Inline(vec![b'a'; 4095]))];
    for (kind, content) in limits {
        assert!(FileEntry { path: b"a".to_vec(), kind, content }.check().is_ok());
    }
}

/// Writes entries into a leaf without any check.
fn leaf(entries: &[FileEntry]) -> Vec<u8> {
    let mut body = Vec::new();
    for entry in entries {
        entry.encode(&mut body);
    }
    node_bytes(0, entries.len(), &body)
}

fn node_bytes(level: u8, n: usize, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![1, 2, level, 0];
    bytes.extend(u32::try_from(n).unwrap().to_le_bytes());
    bytes.extend(u32::try_from(body.len()).unwrap().to_le_bytes());
    bytes.extend(body);
    bytes
}

#[test]
fn entry_types_that_are_not_known_ask_for_a_newer_haul() {
    let good = leaf(&[inline("a", EntryKind::File, b"x")]);
    for code in [4, 15, 0x30, 0x80, 0xff] {
        let mut bytes = good.clone();
        bytes[14] = code;
        let error = Node::<FileEntry>::decode(&bytes).unwrap_err();
        assert!(error.to_string().contains("a newer haul is needed"), "{error}");
    }
}

#[test]
fn keys_that_fall_or_nest_are_refused_within_a_node_and_across_nodes() {
    let entries = |names: &[&str]| names.iter().map(|n| chunked(*n, 1)).collect::<Vec<_>>();
    for names in [&["b", "a"][..], &["a", "a"], &["a", "a/b"], &["a", "a-", "a/b"], &["a/.."]] {
        assert!(Node::<FileEntry>::decode(&leaf(&entries(names))).is_err(), "{names:?}");
        assert!(build(entries(names)).is_err());
    }
    let store = Store::default();
    let inner = |names: [&[&str]; 2]| {
        let mut body = Vec::new();
        for names in names {
            let bytes = leaf(&entries(names));
            let node = Node::<FileEntry>::decode(&bytes).unwrap().0;
            crate::node::put_key(&mut body, node.last_key());
            body.extend(store.put_bytes(&bytes).as_bytes());
            put_varint(&mut body, node.size());
            put_varint(&mut body, node.count());
        }
        store.put_bytes(&node_bytes(1, 2, &body))
    };
    assert_eq!(walk(&store, inner([&["a", "b"], &["c"]]), Scope::All).unwrap().len(), 3);
    let refused = |root| match walk(&store, root, Scope::All) {
        Err(ReadError::Node { source, .. }) => source,
        other => panic!("{other:?}"),
    };
    assert!(matches!(refused(inner([&["a", "c"], &["b", "d"]])), NodeError::Order { .. }));
    assert!(matches!(refused(inner([&["a", "b"], &["a/b", "c"]])), NodeError::Order { .. }));
    assert!(matches!(refused(inner([&["a", "a-"], &["a/b", "c"]])), NodeError::Nested { .. }));
}

#[test]
fn an_empty_manifest_is_a_root_only() {
    let empty = leaf(&[]);
    assert_eq!(empty, build::<FileEntry>([]).unwrap().nodes[0].bytes);
    let store = Store::default();
    let root = store.put_bytes(&empty);
    assert_eq!(walk(&store, root, Scope::All), Ok(Vec::new()));
    assert!(Node::<FileEntry>::decode(&node_bytes(1, 0, &[])).is_err());
    let below =
        Expectation { role: crate::node::Role::Below(0), ..Expectation::root(Kind::Manifest) };
    let node = Node::<FileEntry>::decode(&empty).unwrap().0;
    assert!(below.check(&node).is_err());
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic_and_what_is_accepted_has_one_form(
        level in 0_u8..3, n in 0_u32..3,
        body in proptest::collection::vec(prop_oneof![0_u8..5, Just(b'a'), any::<u8>()], 0..120)
    ) {
        let mut bytes = vec![1, 2, level, 0];
        bytes.extend(n.to_le_bytes());
        bytes.extend(u32::try_from(body.len()).unwrap().to_le_bytes());
        bytes.extend(body);
        if let Ok((node, len)) = Node::<FileEntry>::decode(&bytes) {
            prop_assert_eq!(node.encode(), &bytes[..len]);
        }
    }

    #[test]
    fn a_damaged_manifest_is_refused_or_has_one_form(at in any::<prop::sample::Index>(), byte: u8) {
        let mut bytes = build(forms()).unwrap().nodes.remove(0).bytes;
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok((node, len)) = Node::<FileEntry>::decode(&bytes) {
            prop_assert_eq!(node.encode(), &bytes[..len]);
        }
    }
}
