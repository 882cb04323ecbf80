use super::*;
use crate::hash::{ChunkId, NodeId};
use crate::node::testing::{Missing, Store, each_cut_is_refused};
use crate::node::{
    EditError, Entry, EntryError, MAX_CHUNK, MIN_CHUNK, Node, NodeError, ReadError, Splice,
    build as build_tree,
};
use crate::wire::put_varint;
use proptest::prelude::*;
use std::collections::HashSet;

fn chunk(n: u64) -> ChunkEntry {
    ChunkEntry { id: ChunkId::of(&n.to_le_bytes()), size: MIN_CHUNK + n % 1000 }
}

fn chunks(range: std::ops::Range<u64>) -> Vec<ChunkEntry> {
    range.map(chunk).collect()
}

fn stored(entries: &[ChunkEntry]) -> (Store, NodeId) {
    let store = Store::default();
    let (shape, nodes) = build(entries.iter().copied()).unwrap();
    store.put_all(nodes);
    (store, shape.root().unwrap())
}

fn all(store: &Store, shape: Shape) -> Vec<ChunkEntry> {
    match shape {
        Shape::Empty => Vec::new(),
        Shape::Chunk(entry) => vec![entry],
        Shape::Tree(summary) => Chunks::all(summary.root, summary.size, store.source())
            .map(|found| found.unwrap().entry)
            .collect(),
    }
}

fn spliced(entries: &[ChunkEntry], changes: &[Splice<ChunkEntry>], plan: &[Plan]) -> usize {
    let (store, root) = stored(entries);
    let mut made = HashSet::new();
    let shape = splice(root, store.source(), changes.to_vec(), |node| {
        made.insert(node.id);
        store.put(node);
        Ok(())
    })
    .unwrap();
    let mut expected = entries.to_vec();
    for (range, new) in plan.iter().rev() {
        expected.splice(range.clone(), new.iter().copied());
    }
    let (scratch, nodes) = build(expected.iter().copied()).unwrap();
    assert_eq!(shape, scratch);
    assert_eq!(all(&store, shape), expected);
    let needed: HashSet<NodeId> = nodes.iter().map(|node| node.id).collect();
    assert!(made.is_subset(&needed), "a node was made that the new tree does not hold");
    made.len()
}

type Plan = (std::ops::Range<usize>, Vec<ChunkEntry>);

fn run(entries: &[ChunkEntry], plan: &[Plan]) -> usize {
    let changes: Vec<_> = plan
        .iter()
        .map(|(range, new)| Splice::new(range.start as u64..range.end as u64, new.clone()))
        .collect();
    spliced(entries, &changes, plan)
}

#[test]
fn a_file_of_no_chunk_or_of_one_has_no_node() {
    assert_eq!(build([]).unwrap(), (Shape::Empty, Vec::new()));
    assert_eq!(build([chunk(3)]).unwrap(), (Shape::Chunk(chunk(3)), Vec::new()));
    let (shape, nodes) = build(chunks(0..2)).unwrap();
    assert_eq!(shape.root(), Some(nodes[0].id));
    assert!(build_tree([chunk(1)]).is_err());
}

#[test]
fn nodes_come_children_first_and_the_root_last() {
    let (shape, nodes) = build(chunks(0..2000)).unwrap();
    let mut seen = HashSet::new();
    for node in &nodes {
        for child in &node.children {
            if let crate::node::Child::Node { id, .. } = child {
                assert!(seen.contains(id));
            }
        }
        seen.insert(node.id);
    }
    assert_eq!(shape.root(), nodes.last().map(|node| node.id));
}

#[test]
fn a_range_of_bytes_gives_the_chunks_that_hold_it_and_reads_two_nodes() {
    let entries = chunks(0..5000);
    let (store, root) = stored(&entries);
    let size = entries.iter().map(|e| e.size).sum();
    let mut offset = 0;
    for entry in &entries[..3000] {
        offset += entry.size;
    }
    let found: Vec<_> =
        Chunks::range(root, size, offset..offset + 1, store.source()).map(Result::unwrap).collect();
    assert_eq!(found, [ChunkAt { offset, entry: entries[3000] }]);
    assert_eq!(store.take_reads(), 2);
    let found: Vec<_> = Chunks::range(root, size, offset - 1..offset + 1, store.source())
        .map(|found| found.unwrap().entry)
        .collect();
    assert_eq!(found, entries[2999..=3000]);
    assert_eq!(Chunks::range(root, size, 5..5, store.source()).count(), 0);
}

#[test]
fn one_changed_chunk_in_a_large_file_rewrites_a_handful_of_nodes() {
    let entries = chunks(0..150_000);
    let (store, root) = stored(&entries);
    let mut made = Vec::new();
    let change = Splice::new(70_000..70_001, vec![chunk(1_000_000)]);
    let shape = splice(root, store.source(), vec![change], |node| {
        made.push(node);
        Ok(())
    })
    .unwrap();
    assert!(matches!(shape, Shape::Tree(summary) if summary.level == 2));
    assert!(made.len() <= 9, "{} nodes made", made.len());
    assert!(store.take_reads() <= 20);
    let mut expected = entries;
    expected[70_000] = chunk(1_000_000);
    assert_eq!(shape, build(expected).unwrap().0);
}

#[test]
fn a_tree_grows_and_shrinks_by_levels() {
    let large = chunks(0..100_000);
    assert_eq!(run(&large, &[(0..99_999, vec![])]), 0);
    run(&large, &[(1..100_000, vec![])]);
    run(&large, &[(0..100_000, vec![])]);
    run(&large, &[(300..99_990, vec![])]);
    run(&large, &[(0..99_900, vec![])]);
    run(&large, &[(50_000..50_000, chunks(200_000..300_000))]);
    run(&chunks(0..2), &[(1..1, chunks(100..100_000))]);
    run(&large, &[(0..0, chunks(200_000..200_001)), (100_000..100_000, chunks(300_000..301_000))]);
    // Whole nodes go at the front, so that what is left hangs under one old node.
    for left in [100, 200, 400, 1000, 70_000] {
        run(&large, &[(0..100_000 - left, vec![])]);
        run(&large, &[(left..100_000, vec![])]);
    }
}

#[test]
fn changes_that_overlap_or_lie_behind_the_end_are_refused() {
    let (store, root) = stored(&chunks(0..10));
    for ranges in [[3..5, 4..6], [1..2, 9..11], [5..6, 1..2]] {
        let changes = ranges.map(|range| Splice::new(range, vec![])).to_vec();
        let result = splice(root, store.source(), changes, |_| Ok(()));
        assert!(matches!(result, Err(EditError::Range { count: 10 })));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn splices_give_what_a_build_from_scratch_gives(
        count in 2_u64..4000,
        cuts in proptest::collection::vec((any::<prop::sample::Index>(), 0_usize..600, 0_u64..600), 1..6),
        small in any::<bool>(),
    ) {
        let entries = chunks(0..count);
        let mut plan: Vec<Plan> = Vec::new();
        let mut starts: Vec<_> = cuts.iter().map(|(i, gone, new)| (i.index(entries.len() + 1), *gone, *new)).collect();
        starts.sort_unstable();
        let mut from = 0;
        for (number, (start, gone, new)) in starts.into_iter().enumerate() {
            let (gone, new) = if small { (gone % 3, new % 3) } else { (gone, new) };
            let start = start.max(from);
            let end = (start + gone).min(entries.len());
            let fresh = 10_000 * (number as u64 + 1);
            plan.push((start..end, chunks(fresh..fresh + new)));
            from = end;
        }
        run(&entries, &plan);
    }

    #[test]
    fn arbitrary_bytes_never_panic_and_what_is_accepted_has_one_form(
        level in 0_u8..10, n in 0_u32..4, body in proptest::collection::vec(any::<u8>(), 0..160)
    ) {
        let mut bytes = vec![1, 1, level, 0];
        bytes.extend(n.to_le_bytes());
        bytes.extend(u32::try_from(body.len()).unwrap().to_le_bytes());
        bytes.extend(body);
        if let Ok((node, len)) = Node::<ChunkEntry>::decode(&bytes) {
            prop_assert_eq!(node.encode(), &bytes[..len]);
        }
    }

    #[test]
    fn a_damaged_node_is_refused_or_has_one_form(at in any::<prop::sample::Index>(), byte: u8) {
        let (_, nodes) = build(chunks(0..600)).unwrap();
        for mut bytes in nodes.into_iter().map(|node| node.bytes) {
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if let Ok((node, len)) = Node::<ChunkEntry>::decode(&bytes) {
                prop_assert_eq!(node.encode(), &bytes[..len]);
            }
        }
    }
}

fn node_bytes(kind: u8, level: u8, entries: &[Vec<u8>]) -> Vec<u8> {
    let body = entries.concat();
    let mut bytes = vec![1, kind, level, 0];
    bytes.extend(u32::try_from(entries.len()).unwrap().to_le_bytes());
    bytes.extend(u32::try_from(body.len()).unwrap().to_le_bytes());
    bytes.extend(body);
    bytes
}

fn raw_chunk(size: u64) -> Vec<u8> {
    let mut out = vec![7; 32];
    put_varint(&mut out, size);
    out
}

fn raw_inner(id: NodeId, size: u64, count: u64) -> Vec<u8> {
    let mut out = id.as_bytes().to_vec();
    put_varint(&mut out, size);
    put_varint(&mut out, count);
    out
}

fn decode(bytes: &[u8]) -> Result<Node<ChunkEntry>, NodeError> {
    Node::decode(bytes).map(|(node, _)| node)
}

fn refusal(store: &Store, root: NodeId, size: u64) -> NodeError {
    let error = Chunks::all(root, size, store.source()).find_map(Result::err).unwrap();
    match error {
        ReadError::Node { source, .. } => source,
        ReadError::Source { id, source: Missing } => panic!("{id} is missing"),
    }
}

#[test]
fn sizes_that_no_chunk_has_are_refused() {
    for size in [0, MAX_CHUNK + 1, 1 << 63, u64::MAX] {
        let result = decode(&node_bytes(1, 0, &[raw_chunk(size)]));
        assert!(matches!(result, Err(NodeError::Entry { source: EntryError::Rule(_), .. })));
    }
    assert!(decode(&node_bytes(1, 0, &[raw_chunk(MAX_CHUNK)])).is_ok());
}

#[test]
fn sums_that_overflow_are_refused() {
    let id = NodeId([1; 32]);
    let half = raw_inner(id, 1 << 62, 1);
    assert!(decode(&node_bytes(1, 1, std::slice::from_ref(&half))).is_ok());
    let sum = decode(&node_bytes(1, 1, &[half.clone(), half]));
    assert_eq!(sum, Err(NodeError::Total("sizes")));
    let huge = raw_inner(id, u64::MAX, 1);
    assert!(decode(&node_bytes(1, 1, &[huge.clone(), huge])).is_err());
}

#[test]
fn headers_that_lie_are_refused_before_anything_is_allocated() {
    let good = node_bytes(1, 0, &[raw_chunk(5), raw_chunk(6)]);
    assert!(decode(&good).is_ok());
    let with = |at: usize, bytes: &[u8]| {
        let mut bad = good.clone();
        bad[at..at + bytes.len()].copy_from_slice(bytes);
        decode(&bad).unwrap_err()
    };
    assert_eq!(with(0, &[2]), NodeError::Version { found: 2 });
    assert_eq!(with(1, &[3]), NodeError::Kind { found: 3 });
    assert!(matches!(with(1, &[2]), NodeError::OtherKind { .. }));
    assert_eq!(with(2, &[8]), NodeError::Level { found: 8 });
    assert_eq!(with(3, &[1]), NodeError::Reserved);
    assert_eq!(with(4, &[255; 4]), NodeError::Entries { found: u32::MAX });
    assert_eq!(with(4, &385_u32.to_le_bytes()), NodeError::Entries { found: 385 });
    assert_eq!(with(4, &[0; 4]), NodeError::Entries { found: 0 });
    assert!(matches!(with(4, &384_u32.to_le_bytes()), NodeError::Entry { index: 2, .. }));
    assert_eq!(with(4, &[1]), NodeError::LeftOver);
    assert!(matches!(with(8, &[255; 4]), NodeError::Length { .. }));
    each_cut_is_refused(&good, decode);
}

#[test]
fn a_recipe_whose_parts_do_not_add_up_is_refused() {
    let store = Store::default();
    let leaf = store.put_bytes(&node_bytes(1, 0, &[raw_chunk(6000), raw_chunk(6001)]));
    let size = 12_001;
    let over = |entries: &[Vec<u8>], level| store.put_bytes(&node_bytes(1, level, entries));
    let good = over(&[raw_inner(leaf, size, 2), raw_inner(leaf, size, 2)], 1);
    assert_eq!(Chunks::all(good, 2 * size, store.source()).flatten().count(), 4);
    assert_eq!(refusal(&store, good, 2 * size + 1), NodeError::Parent("size"));

    let other = over(&[raw_inner(leaf, size, 2), raw_inner(leaf, size + 1, 2)], 1);
    assert_eq!(refusal(&store, other, 2 * size + 1), NodeError::Parent("size"));
    let count = over(&[raw_inner(leaf, size, 2), raw_inner(leaf, size, 3)], 1);
    assert_eq!(refusal(&store, count, 2 * size), NodeError::Parent("number of entries"));
    let level = over(&[raw_inner(leaf, size, 2), raw_inner(leaf, size, 2)], 2);
    assert_eq!(refusal(&store, level, 2 * size), NodeError::Parent("level"));
    let lone = over(&[raw_inner(leaf, size, 2)], 1);
    assert_eq!(refusal(&store, lone, size), NodeError::LoneChild);
    let one = store.put_bytes(&node_bytes(1, 0, &[raw_chunk(5)]));
    assert_eq!(refusal(&store, one, 5), NodeError::TooFew { found: 1 });
    assert!(decode(&node_bytes(1, 1, &[raw_inner(leaf, 0, 0)])).is_err());
    assert!(decode(&node_bytes(1, 1, &[raw_inner(leaf, 1, 2)])).is_err());
}

#[test]
fn a_node_under_a_wrong_name_or_inside_itself_is_refused() {
    let store = Store::default();
    let own = NodeId([9; 32]);
    let half = 2 * MIN_CHUNK;
    let inner = node_bytes(1, 7, &[raw_inner(own, half, 2), raw_inner(own, half, 2)]);
    store.put_as(own, &inner);
    assert!(matches!(refusal(&store, own, 2 * half), NodeError::Id { .. }));
    // Hashes forbid a true cycle; a chain of nodes ends because levels fall by one.
    let top = store.put_bytes(&inner);
    assert!(matches!(refusal(&store, top, 2 * half), NodeError::Id { .. }));
    let deep = (0..10_000).fold(top, |below, _| {
        let child = raw_inner(below, 2 * half, 4);
        store.put_bytes(&node_bytes(1, 7, &[child.clone(), child]))
    });
    assert_eq!(refusal(&store, deep, 4 * half), NodeError::Parent("level"));
}

#[test]
fn a_root_of_more_chunks_than_its_bytes_can_have_is_refused() {
    let store = Store::default();
    let leaf = |sizes: &[u64]| {
        let entries: Vec<_> = sizes.iter().map(|size| raw_chunk(*size)).collect();
        store.put_bytes(&node_bytes(1, 0, &entries))
    };
    let short = leaf(&[MIN_CHUNK, MIN_CHUNK, 1]);
    assert_eq!(Chunks::all(short, 2 * MIN_CHUNK + 1, store.source()).flatten().count(), 3);
    let size = MIN_CHUNK - 1;
    assert_eq!(refusal(&store, leaf(&[1, size - 1]), size), NodeError::TooMany { found: 2, size });
    for profile in crate::chunk::Profile::ALL {
        assert!(profile.min() as u64 >= MIN_CHUNK);
    }
}

#[test]
fn only_the_shortest_form_of_a_size_is_accepted() {
    let mut long = vec![7; 32];
    long.extend([0x85, 0x00]);
    assert!(decode(&node_bytes(1, 0, &[long])).is_err());
    assert_eq!(chunk(4).key(), b"");
}
