use super::*;
use crate::hash::{ChunkId, NodeId, Oid};
use crate::node::testing::{Missing, Store};
use crate::node::{
    Builder, Cursor, EditError, Expectation, Kind, NodeError, ReadError, Scope, Summary, build, get,
};
use proptest::prelude::*;
use std::collections::{BTreeMap, HashSet};

type Paths = BTreeMap<Vec<u8>, FileEntry>;

pub(super) fn chunked(path: impl Into<Vec<u8>>, version: u64) -> FileEntry {
    let content = Content::Chunk { oid: Oid::of(&version.to_le_bytes()), size: 100 + version % 7 };
    FileEntry { path: path.into(), kind: EntryKind::File, content }
}

pub(super) fn inline(path: &str, kind: EntryKind, bytes: &[u8]) -> FileEntry {
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

pub(super) fn walk(
    store: &Store,
    root: NodeId,
    scope: Scope,
) -> Result<Vec<FileEntry>, ReadError<Missing>> {
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
    let paths = numbered(120_000);
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
