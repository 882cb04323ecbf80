use super::*;
use crate::hash::{ChunkId, NodeId, Oid};
use crate::node::testing::{Missing, Store, each_cut_is_refused};
use crate::node::{
    Builder, Cursor, EditError, Entry, Expectation, Kind, Node, NodeError, ReadError, Scope,
    Summary, build, get,
};
use crate::wire::put_varint;
use proptest::prelude::*;
use std::collections::{BTreeMap, HashSet};
use std::num::NonZeroU8;

type Paths = BTreeMap<Vec<u8>, FileEntry>;

fn chunked(path: impl Into<Vec<u8>>, version: u64) -> FileEntry {
    let content = Content::Chunk { oid: Oid::of(&version.to_le_bytes()), size: 100 + version % 7 };
    FileEntry { path: path.into(), kind: EntryKind::File, content }
}

fn inline(path: &str, kind: EntryKind, bytes: &[u8]) -> FileEntry {
    FileEntry { path: path.into(), kind, content: Content::Inline(bytes.to_vec()) }
}

fn numbered(count: u64) -> Paths {
    (0..count).map(|n| chunked(format!("f{n:05}"), n)).map(|e| (e.path.clone(), e)).collect()
}

fn scratch(paths: &Paths) -> (Summary, HashSet<NodeId>) {
    let built = build(paths.values().cloned()).unwrap();
    (built.summary, built.nodes.iter().map(|node| node.id).collect())
}

fn stored(paths: &Paths) -> (Store, NodeId) {
    let store = Store::default();
    let built = build(paths.values().cloned()).unwrap();
    store.put_all(built.nodes);
    (store, built.summary.root)
}

fn walk(store: &Store, root: NodeId, scope: Scope) -> Result<Vec<FileEntry>, ReadError<Missing>> {
    let expectation = Expectation::root(Kind::Manifest);
    Cursor::new(root, expectation, scope, store.source()).collect()
}

fn under(store: &Store, root: NodeId, dir: &str) -> Vec<String> {
    let found = walk(store, root, Scope::Under(dir.into())).unwrap();
    found.into_iter().map(|e| String::from_utf8(e.path).unwrap()).collect()
}

/// Edits the stored tree and the map alike; returns the new root and the nodes made.
fn edited(store: &Store, root: NodeId, edits: &[Edit]) -> (Summary, HashSet<NodeId>) {
    let mut made = HashSet::new();
    let summary = edit(root, store.source(), edits, |node| {
        assert!(!store.holds(node.id) || made.contains(&node.id), "not a new node");
        made.insert(node.id);
        store.put(node);
        Ok(())
    });
    (summary.unwrap(), made)
}

fn apply(paths: &mut Paths, edits: &[Edit]) {
    for edit in edits {
        match edit {
            Edit::Put(entry) => drop(paths.insert(entry.path.clone(), entry.clone())),
            Edit::Remove(path) => drop(paths.remove(path)),
        }
    }
}

#[test]
fn a_thousand_random_edits_of_ten_thousand_paths_give_the_tree_built_from_scratch() {
    let mut paths = numbered(10_000);
    let (store, mut root) = stored(&paths);
    let mut random = blake3::Hasher::new().update(b"edits").finalize_xof();
    for step in 0..1000_u64 {
        let mut bytes = [0; 8];
        random.fill(&mut bytes);
        let number = u64::from_le_bytes(bytes);
        let path = format!("f{:05}", number % 10_000);
        let edit = match number >> 62 {
            0 => Edit::Remove(path.into_bytes()),
            1 => Edit::Put(chunked(format!("{path}-{step}"), step)),
            _ => Edit::Put(chunked(path, step + 1_000_000)),
        };
        apply(&mut paths, std::slice::from_ref(&edit));
        root = edit_root(&store, root, edit);
        if step % 50 == 0 || step == 999 {
            assert_eq!(root, scratch(&paths).0.root, "after step {step}");
        }
    }
    assert!(walk(&store, root, Scope::All).unwrap().iter().eq(paths.values()));
}

fn edit_root(store: &Store, root: NodeId, change: Edit) -> NodeId {
    let sink = |node| {
        store.put(node);
        Ok(())
    };
    edit(root, store.source(), &[change], sink).unwrap().root
}

#[test]
fn a_changed_value_reads_and_writes_one_node_per_level() {
    let paths = numbered(99_999);
    let (store, root) = stored(&paths);
    for path in ["f00000", "f50000", "f99998"] {
        let (summary, made) = edited(&store, root, &[Edit::Put(chunked(path, 5_000_000))]);
        assert_eq!((summary.level, made.len(), store.take_reads()), (2, 3, 3));
        let changes: Vec<_> =
            diff(root, summary.root, store.source()).map(Result::unwrap).collect();
        let old = paths[path.as_bytes()].clone();
        assert_eq!(changes, [Change::Modified { old, new: chunked(path, 5_000_000) }]);
        assert_eq!(store.take_reads(), 6);
    }
    let (_, made) = edited(&store, root, &[Edit::Put(chunked("f50000x", 1))]);
    assert!(made.len() <= 6 && store.take_reads() <= 20);
    let same = [Edit::Put(paths[&b"f00007"[..]].clone()), Edit::Remove(b"f00007x".to_vec())];
    let (summary, made) = edited(&store, root, &same);
    assert_eq!((summary.root, made.len()), (root, 0));
}

#[test]
fn a_manifest_can_lose_all_paths_and_get_them_back() {
    let paths = numbered(1000);
    let (store, root) = stored(&paths);
    let all: Vec<_> = paths.keys().cloned().map(Edit::Remove).collect();
    let (empty, _) = edited(&store, root, &all);
    assert_eq!((empty.count, empty.level), (0, 0));
    assert_eq!(empty, build::<FileEntry>([]).unwrap().summary);
    let back: Vec<_> = paths.values().cloned().map(Edit::Put).collect();
    let sink = |_| Ok(());
    assert_eq!(edit(empty.root, store.source(), &back, sink).unwrap().root, root);
}

#[test]
fn an_edit_never_leaves_a_path_that_is_file_and_directory() {
    // Enough names between `a` and `a/b` that they lie in different nodes.
    let mut paths: Paths = (0..2000)
        .map(|n| chunked(format!("a-{n:04}"), n))
        .chain([chunked("a", 1), chunked("d/x/y", 2), chunked("d/z", 3)])
        .map(|e| (e.path.clone(), e))
        .collect();
    let (store, root) = stored(&paths);
    let try_edit = |edits: &[Edit]| edit(root, store.source(), edits, |_| Ok(()));
    let put = |path: &str| Edit::Put(chunked(path, 9));
    let gone = |path: &str| Edit::Remove(path.into());
    let clashes: [&[Edit]; 5] = [
        &[put("a/b")],
        &[put("a/b/c/d")],
        &[put("d")],
        &[put("d/x"), gone("d/z")],
        &[put("e"), put("e-"), put("e/f")],
    ];
    for edits in clashes {
        let error = try_edit(edits).unwrap_err();
        let nested =
            matches!(error, ManifestEditError::Tree(EditError::Entries(NodeError::Nested { .. })));
        assert!(nested, "{error}");
    }
    let swap = [gone("a"), put("a/b"), put("a/c"), put("d"), gone("d/x/y"), gone("d/z")];
    apply(&mut paths, &swap);
    assert_eq!(try_edit(&swap).unwrap(), scratch(&paths).0);
    assert!(matches!(try_edit(&[put("b"), put("a")]), Err(ManifestEditError::Order)));
    assert!(try_edit(&[put("../x")]).is_err());
}

#[test]
fn a_walk_below_a_directory_reads_only_nodes_that_can_hold_it() {
    let mut paths = numbered(20_000);
    for name in ["f05000/a", "f05000/b/c", "f05000-x", "f050000"] {
        paths.insert(name.into(), chunked(name, 1));
    }
    paths.remove(&b"f05000"[..]);
    let (store, root) = stored(&paths);
    assert_eq!(under(&store, root, "f05000"), ["f05000/a", "f05000/b/c"]);
    assert!(store.take_reads() <= 3);
    assert_eq!(under(&store, root, "f05000/b"), ["f05000/b/c"]);
    assert_eq!(under(&store, root, "f19999"), ["f19999"]);
    assert_eq!(under(&store, root, "zzz"), Vec::<String>::new());
    assert_eq!(under(&store, root, "").len(), paths.len());
    store.take_reads();
    let expectation = Expectation::root(Kind::Manifest).with_count(paths.len() as u64);
    let find = |key: &[u8]| get::<FileEntry, _, _>(root, &expectation, key, store.source());
    assert_eq!(find(b"f05000/a"), Ok(Some(paths[&b"f05000/a"[..]].clone())));
    assert_eq!(store.take_reads(), 2);
    assert_eq!(find(b"f05000"), Ok(None));
    assert_eq!(find(b"zzz"), Ok(None));
}

#[test]
fn a_diff_of_trees_of_different_height_is_complete() {
    let few = numbered(100);
    let many = numbered(3000);
    let (store, root) = stored(&many);
    store.put_all(build(few.values().cloned()).unwrap().nodes);
    let small = scratch(&few).0.root;
    let added: Vec<_> = diff(small, root, store.source()).map(Result::unwrap).collect();
    assert!(added.iter().all(|change| matches!(change, Change::Added(_))));
    assert_eq!(added.len(), 2900);
    assert_eq!(diff(root, small, store.source()).count(), 2900);
    store.take_reads();
    assert_eq!(diff(root, root, store.source()).count(), 0);
    assert_eq!(store.take_reads(), 0);
}

fn step() -> impl Strategy<Value = (u32, u8)> {
    (0_u32..1500, 0_u8..8)
}

fn edits_of(steps: &[(u32, u8)]) -> Vec<Edit> {
    let sorted: BTreeMap<Vec<u8>, Edit> = steps
        .iter()
        .map(|(number, what)| {
            let path = format!("f{number:05}").into_bytes();
            let edit = match what {
                0..=3 => Edit::Remove(path.clone()),
                what => Edit::Put(chunked(path.clone(), u64::from(*what) * 10_000)),
            };
            (path, edit)
        })
        .collect();
    sorted.into_values().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn edits_give_the_tree_built_from_scratch_and_the_diff_gives_the_edits(
        skip in 1_usize..6,
        steps in proptest::collection::vec(step(), 0..40),
        run in proptest::option::of((0_u32..1200, 0_u32..700, 0_u8..8)),
    ) {
        let mut paths = numbered(1500);
        let mut kept = 0_usize;
        paths.retain(|_, _| { kept += 1; !kept.is_multiple_of(skip + 1) });
        let mut steps = steps;
        if let Some((from, len, what)) = run {
            steps.extend((from..from + len).map(|number| (number, what)));
        }
        let edits = edits_of(&steps);
        let (store, root) = stored(&paths);
        let mut after = paths.clone();
        apply(&mut after, &edits);
        let (expected, needed) = scratch(&after);
        let (summary, made) = edited(&store, root, &edits);
        prop_assert_eq!(summary, expected);
        prop_assert!(made.is_subset(&needed));
        prop_assert!(walk(&store, summary.root, Scope::All).unwrap().iter().eq(after.values()));

        let mut replayed = paths.clone();
        for change in diff(root, summary.root, store.source()) {
            match change.unwrap() {
                Change::Added(entry) => prop_assert!(replayed.insert(entry.path.clone(), entry).is_none()),
                Change::Removed(entry) => prop_assert_eq!(replayed.remove(&entry.path), Some(entry)),
                Change::Modified { old, new } => {
                    prop_assert_ne!(&old, &new);
                    prop_assert_eq!(replayed.insert(new.path.clone(), new), Some(old));
                }
            }
        }
        prop_assert_eq!(replayed, after);
    }

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
    each_cut_is_refused(bytes, |bytes| Node::<FileEntry>::decode(bytes));
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
    entries.iter().for_each(|entry| entry.encode(&mut body));
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

#[test]
fn a_builder_holds_few_entries_however_many_come() {
    let (mut most, mut total) = (0, 0);
    let mut given = 0_usize;
    let mut builder = Builder::new(|node: crate::node::BuiltNode| {
        if node.level == 0 {
            total += usize::try_from(node.count).unwrap();
        }
        most = most.max(node.children.len());
        Ok::<(), Missing>(())
    });
    for entry in numbered(5000).into_values() {
        builder.push(entry).unwrap();
        given += 1;
    }
    let summary = builder.finish().unwrap();
    assert_eq!((total, summary.count), (given, 5000));
    assert!(most <= 384);
    assert_eq!(ChunkId::from(chunked("a", 1).content.oid()).0, chunked("a", 1).content.oid().0);
}
