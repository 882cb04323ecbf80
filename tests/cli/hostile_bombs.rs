//! A few kilobytes that stand for more than any machine has: memory and time stay bounded.

use haul::hash::NodeId;
use haul::wire::put_varint;

use crate::forge::{node, plant};
use crate::harness::{Output, Repo, World, data};
use crate::hostile_table::{bounded, words};
use crate::scene::{save, shared};

/// A recipe whose every node names one child `width` times: `width` to the power of `levels` chunks.
struct Bomb {
    root: NodeId,
    nodes: Vec<(NodeId, Vec<u8>)>,
    size: u64,
}

fn bomb(chunk: ([u8; 32], u64), width: u32, levels: u8) -> Bomb {
    let (mut id, mut size, mut count) = (chunk.0, chunk.1, 1);
    let mut nodes = Vec::new();
    for level in 0..levels {
        let mut one = id.to_vec();
        put_varint(&mut one, size);
        if level > 0 {
            put_varint(&mut one, count);
        }
        let bytes = node(1, level, width, &one.repeat(width as usize));
        (size, count) = (size * u64::from(width), count * u64::from(width));
        id = NodeId::of(&bytes).0;
        nodes.push((NodeId(id), bytes));
    }
    Bomb { root: NodeId(id), nodes, size }
}

const VERBS: [&[&str]; 9] = [
    &["status"],
    &["checkout", "--dry-run"],
    &["checkout"],
    &["push"],
    &["fetch"],
    &["pull"],
    &["du"],
    &["verify"],
    &["add", "f"],
];

/// Points `f` to a bomb and runs every verb; returns what `checkout` said.
fn try_all(a: &Repo<'_>, bomb: &Bomb) -> Output {
    plant(a, &bomb.nodes);
    let (oid, Bomb { root, size, .. }) = ("11".repeat(32), bomb);
    let text = format!("haul 1\nkind file\noid b3:{oid}\nroot m64.1:{root}\nsize {size}\n");
    a.write("f.haul", text.as_bytes());
    a.git(&["add", "-f", "f.haul"]).ok();
    a.commit("a bomb");
    let mut told = None;
    for line in VERBS {
        // What was there before is not in the way of anything but `add`.
        if line == ["add", "f"] {
            a.write("f", &data::bytes(7, 400_000));
        } else if a.has("f") {
            a.remove("f");
        }
        let output = bounded(a, &words(line));
        assert_eq!(output.flaw(), None, "{output}");
        if line == ["checkout"] {
            told = Some(output);
        } else if line == ["add", "f"] {
            output.ok();
        }
    }
    told.expect("was run")
}

#[test]
fn a_recipe_of_more_chunks_than_its_bytes_can_have_is_refused() {
    let world = World::new();
    let a = shared(&world);
    a.write("f", b"x");
    save(&a, &["f"], "one");
    let chunk = (*blake3::hash(b"x").as_bytes(), 1);
    for levels in [1, 3] {
        let output = try_all(&a, &bomb(chunk, 384, levels));
        output.fails_with(4).says("`f`").says("cannot have").says("hint: ");
    }
    try_all(&a, &bomb(chunk, 384, 7)).fails_with(1).says("are needed");
}

#[test]
fn a_file_larger_than_any_disk_is_refused_before_its_chunks_are_listed() {
    let world = World::new();
    let a = shared(&world);
    let bytes = data::bytes(1, 4096);
    a.write("f", &bytes);
    save(&a, &["f"], "one");
    let output = try_all(&a, &bomb((*blake3::hash(&bytes).as_bytes(), 4096), 300, 6));
    output.fails_with(1).says("are needed").says("hint: ");
}

#[test]
fn sizes_that_add_up_to_more_than_a_number_holds_are_not_a_defect() {
    let world = World::new();
    let a = shared(&world);
    for name in ["f", "g", "h"] {
        a.write(name, name.as_bytes());
    }
    save(&a, &["f", "g", "h"], "one");
    for name in ["f", "g", "h"] {
        let text = a.text(format!("{name}.haul"));
        let size = format!("size {}", u64::MAX >> 1);
        a.write(format!("{name}.haul"), text.replace("size 1", &size).as_bytes());
        a.remove(name);
    }
    a.git(&["commit", "--quiet", "-am", "large"]).ok();
    for line in VERBS.iter().chain([&["status", "--json"][..], &["du", "--json"]].iter()) {
        let output = bounded(&a, &words(line));
        assert_eq!(output.flaw(), None, "{output}");
    }
}
