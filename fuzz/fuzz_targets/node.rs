//! A node that is accepted, of a recipe or a manifest, has one encoding, and so has a placement.
#![no_main]

use haul::manifest::FileEntry;
use haul::node::{Entry, Node, decode_placement, encode_placement, node_len};
use haul::recipe::ChunkEntry;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    try_node::<ChunkEntry>(input);
    try_node::<FileEntry>(input);
    if let Some((children, placement)) = input.split_first() {
        try_placement(placement, usize::from(*children));
    }
});

/// Takes the front of the input for a node and the rest for its placement.
fn try_node<E: Entry>(input: &[u8]) {
    let Ok((node, len)) = Node::<E>::decode(input) else { return };
    let (bytes, placement) = input.split_at(len);
    assert_eq!(node_len(input).unwrap(), len);
    assert_eq!(node.encode(), bytes);
    assert!(node.size() <= haul::node::MAX_TOTAL);
    try_placement(placement, node.children().len());
}

fn try_placement(bytes: &[u8], children: usize) {
    let Ok(locs) = decode_placement(bytes, children) else { return };
    assert_eq!(locs.len(), children);
    assert_eq!(encode_placement(&locs).unwrap(), bytes);
}
