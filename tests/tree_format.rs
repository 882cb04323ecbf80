//! Holds nodes and placements to the golden files in `fixtures/formats/v1/tree`.
//!
//! `cargo test --test tree_format -- --ignored` writes the files anew from the rules below; they
//! may only ever be added to.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::num::NonZeroU8;
use std::path::PathBuf;

use haul::hash::{ChunkId, NodeId, Oid, PackId};
use haul::manifest::{Content, EntryKind, FileEntry};
use haul::node::{
    BaseLoc, Built, Entry, Kind, Loc, Node, PackRef, build, decode_placement, encode_placement,
    node_len,
};
use haul::recipe::ChunkEntry;

fn path(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "fixtures/formats/v1/tree", name].iter().collect()
}

fn numbered(n: u64) -> FileEntry {
    let content = Content::Chunk { oid: Oid::of(&n.to_le_bytes()), size: 100 + n };
    FileEntry { path: format!("f{n:05}").into_bytes(), kind: EntryKind::File, content }
}

fn chunk(n: u64) -> ChunkEntry {
    ChunkEntry { id: ChunkId::of(&n.to_le_bytes()), size: 40_000 + n }
}

fn forms() -> Vec<FileEntry> {
    let entry =
        |path: &str, kind, content| FileEntry { path: path.as_bytes().to_vec(), kind, content };
    let inline = |path, kind, bytes: &[u8]| entry(path, kind, Content::Inline(bytes.to_vec()));
    let oid = Oid::of(b"content");
    let root = NodeId::of(b"recipe root");
    let tree = Content::Tree { oid, size: 200_000, profile_code: NonZeroU8::MIN, root };
    vec![
        inline("a empty file", EntryKind::File, b""),
        inline("b inline", EntryKind::File, &[0xa5; 48]),
        inline("c run.sh", EntryKind::Executable, b"#!/bin/sh\n"),
        inline("d link", EntryKind::Symlink, b"../elsewhere"),
        inline("e empty dir", EntryKind::EmptyDir, b""),
        entry("f chunk", EntryKind::File, Content::Chunk { oid, size: 49 }),
        entry("g tree/x", EntryKind::File, tree.clone()),
        entry("g tree/y", EntryKind::Executable, tree),
        inline("\u{fc}/n\u{ed}", EntryKind::File, b"\0\n"),
    ]
}

struct Golden {
    name: &'static str,
    built: Built,
}

fn goldens() -> Vec<Golden> {
    let manifest = |count: u64| build((0..count).map(numbered)).unwrap();
    let recipe = |count: u64| build((0..count).map(chunk)).unwrap();
    vec![
        Golden { name: "manifest-0", built: manifest(0) },
        Golden { name: "manifest-forms", built: build(forms()).unwrap() },
        Golden { name: "manifest-384", built: manifest(384) },
        Golden { name: "manifest-385", built: manifest(385) },
        Golden { name: "manifest-10000", built: manifest(10_000) },
        Golden { name: "recipe-2", built: recipe(2) },
        Golden { name: "recipe-1000", built: recipe(1000) },
    ]
}

fn ids_text(goldens: &[Golden]) -> String {
    let mut text = "name\tlevel\tcount\tsize\tnodes\troot\n".to_owned();
    for Golden { name, built: Built { summary: s, nodes } } in goldens {
        let (level, count, size, root) = (s.level, s.count, s.size, s.root);
        writeln!(text, "{name}\t{level}\t{count}\t{size}\t{}\t{root}", nodes.len()).unwrap();
    }
    text
}

/// The largest tree is held by its root alone.
fn has_file(golden: &Golden) -> bool {
    golden.name != "manifest-10000"
}

fn joined(built: &Built) -> Vec<u8> {
    built.nodes.iter().flat_map(|node| node.bytes.clone()).collect()
}

fn locs() -> Vec<Loc> {
    let pack = |n| PackRef::Pack(PackId([n; 16]));
    let loc = |pack, offset, skip, bases| Loc { pack, offset, frame_len: 1000, skip, bases };
    let base = |n, skip| BaseLoc { pack: pack(n), offset: 5000, frame_len: 300, skip };
    vec![
        loc(pack(1), 24, 0, vec![]),
        loc(pack(1), 1024, 0, vec![]),
        loc(pack(1), 1024, 700, vec![]),
        loc(pack(1), 9000, 0, vec![]),
        loc(pack(2), 24, 0, vec![base(1, 0)]),
        loc(pack(2), 1024, 9, vec![base(1, 77), base(3, 0), base(2, 1), base(3, 5)]),
        loc(pack(2), 1024, 9, vec![base(1, 77)]),
        loc(PackRef::This, 24, 0, vec![]),
        loc(PackRef::This, 1024, 0, vec![]),
    ]
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        write!(out, "{byte:02x}").unwrap();
        out
    })
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |c: u8| char::from(c).to_digit(16).unwrap();
    let pairs = text.as_bytes().as_chunks::<2>().0;
    pairs.iter().map(|[a, b]| u8::try_from(digit(*a) * 16 + digit(*b)).unwrap()).collect()
}

fn put(bytes: &[u8], at: usize, new: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    out.splice(at..at + new.len(), new.iter().copied());
    out
}

/// Writes a leaf of empty files without any check of their paths.
fn leaf_of(names: &[&str]) -> Vec<u8> {
    let mut body = Vec::new();
    for name in names {
        let path = name.as_bytes().to_vec();
        FileEntry { path, kind: EntryKind::File, content: Content::Inline(vec![]) }
            .encode(&mut body);
    }
    let mut bytes = vec![1, 2, 0, 0];
    bytes.extend(u32::try_from(names.len()).unwrap().to_le_bytes());
    bytes.extend(u32::try_from(body.len()).unwrap().to_le_bytes());
    bytes.extend(body);
    bytes
}

/// Nodes that are wrong in one place, with a part of the message that says why.
fn refused_nodes() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let recipe = build((0..2).map(chunk)).unwrap().nodes.remove(0).bytes;
    let file = leaf_of(&["a"]);
    let last = recipe.len() - 3;
    vec![
        ("version", put(&recipe, 0, &[2]), "a newer haul is needed"),
        ("kind", put(&recipe, 1, &[3]), "a newer haul is needed"),
        ("level", put(&recipe, 2, &[8]), "level 8"),
        ("reserved", put(&recipe, 3, &[1]), "not zero"),
        ("count-lies", put(&recipe, 4, &[255; 4]), "4294967295 entries"),
        ("count-385", put(&recipe, 4, &[0x81, 1, 0, 0]), "385 entries"),
        ("count-high", put(&recipe, 4, &[3]), "end in the middle"),
        ("count-low", put(&recipe, 4, &[1]), "left over"),
        ("length-lies", put(&recipe, 8, &[255; 4]), "above the limit"),
        ("cut", recipe.get(..recipe.len() - 1).unwrap().to_vec(), "end in the middle"),
        ("chunk-of-0", put(&recipe, last, &[0, 0, 0]), "1 byte to 2 MiB"),
        ("long-number", put(&recipe, last, &[0x85, 0x80, 0]), "shortest form"),
        ("type-device", put(&file, 14, &[4]), "a newer haul is needed"),
        ("type-form-3", put(&file, 14, &[0x30]), "a newer haul is needed"),
        ("keys-fall", leaf_of(&["b", "a"]), "does not come after"),
        ("keys-equal", leaf_of(&["a", "a"]), "does not come after"),
        ("file-is-directory", leaf_of(&["a", "a-b", "a/b"]), "a directory of `a/b`"),
        ("dot-dot", leaf_of(&["a/../b"]), "`.` or `..`"),
        ("slash-first", leaf_of(&["/a"]), "empty"),
    ]
}

fn refused_text() -> String {
    let mut text = "name\tnode in hex\tpart of the message\n".to_owned();
    for (name, bytes, message) in refused_nodes() {
        writeln!(text, "{name}\t{}\t{message}", hex(&bytes)).unwrap();
    }
    text
}

fn placement_text() -> String {
    let good = encode_placement(&locs()).unwrap();
    let n = locs().len();
    // The table names four packs: 1, 2, 3 and the pack of the node itself.
    let first = 1 + 4 * 16;
    let changed = |at, byte| hex(&put(&good, at, &[byte]));
    let rows = [
        ("all-flags", n, hex(&good), "ok"),
        ("no-children", 0, "00".to_owned(), "ok"),
        ("too-many-packs", 0, "8110".to_owned(), "refused"),
        ("unused-pack", 0, format!("01{}", "07".repeat(16)), "refused"),
        ("unknown-flag", n, changed(first, 0x23), "refused"),
        ("no-first-pack", n, changed(first, 0x02), "refused"),
        ("unknown-pack", n, changed(first + 1, 9), "refused"),
        ("frame-of-0", 1, format!("01{}031800", "01".repeat(16)), "refused"),
        ("frame-beyond-pack", 1, format!("01{}03ffffff1f02", "01".repeat(16)), "refused"),
        ("one-child-less", n - 1, hex(&good), "refused"),
        ("one-child-more", n + 1, hex(&good), "refused"),
    ];
    let mut text = "name\tchildren\tplacement in hex\tresult\n".to_owned();
    for (name, children, hex, result) in rows {
        writeln!(text, "{name}\t{children}\t{hex}\t{result}").unwrap();
    }
    text
}

fn re_encode<E: Entry>(bytes: &[u8]) -> (NodeId, Vec<u8>) {
    let (node, len) = Node::<E>::decode(bytes).unwrap();
    assert_eq!(len, node_len(bytes).unwrap());
    (node.id(), node.encode())
}

#[test]
fn golden_nodes_read_and_are_written_back_byte_for_byte() {
    let goldens = goldens();
    assert_eq!(std::fs::read_to_string(path("ids.tsv")).unwrap(), ids_text(&goldens));
    for golden in goldens.iter().filter(|golden| has_file(golden)) {
        let bytes = std::fs::read(path(&format!("{}.nodes", golden.name))).unwrap();
        let mut rest = bytes.as_slice();
        let mut ids = Vec::new();
        while !rest.is_empty() {
            let recipe = rest.get(1) == Some(&Kind::Recipe.code());
            let (id, again) =
                if recipe { re_encode::<ChunkEntry>(rest) } else { re_encode::<FileEntry>(rest) };
            rest = rest.strip_prefix(again.as_slice()).unwrap();
            ids.push(id);
        }
        let built: Vec<NodeId> = golden.built.nodes.iter().map(|node| node.id).collect();
        assert_eq!(ids, built, "{}", golden.name);
        assert_eq!(joined(&golden.built), bytes, "{}", golden.name);
    }
}

#[test]
fn hostile_twins_are_refused_with_their_reason() {
    let text = std::fs::read_to_string(path("refused.tsv")).unwrap();
    assert_eq!(text, refused_text());
    for line in text.lines().skip(1) {
        let [name, node, reason] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let bytes = unhex(node);
        let error = if bytes.get(1) == Some(&Kind::Manifest.code()) {
            Node::<FileEntry>::decode(&bytes).err()
        } else {
            Node::<ChunkEntry>::decode(&bytes).err()
        };
        let message = error.unwrap().to_string();
        assert!(message.contains(reason), "{name}: {message}");
    }
}

#[test]
fn golden_placements_read_and_are_written_back_byte_for_byte() {
    let text = std::fs::read_to_string(path("placements.tsv")).unwrap();
    assert_eq!(text, placement_text());
    for line in text.lines().skip(1) {
        let [name, children, bytes, result] =
            line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let bytes = unhex(bytes);
        let read = decode_placement(&bytes, children.parse().unwrap());
        assert_eq!(read.is_ok(), result == "ok", "{name}: {read:?}");
        if let Ok(locs) = read {
            assert_eq!(encode_placement(&locs).unwrap(), bytes, "{name}");
        }
        if name == "all-flags" {
            assert_eq!(decode_placement(&bytes, locs().len()).unwrap(), locs());
        }
    }
}

#[test]
#[ignore = "writes the golden files; only for an addition to the format"]
#[expect(clippy::disallowed_methods, reason = "fixtures of this repository, not user data")]
fn write_the_golden_files() {
    let goldens = goldens();
    std::fs::create_dir_all(path("")).unwrap();
    std::fs::write(path("ids.tsv"), ids_text(&goldens)).unwrap();
    std::fs::write(path("refused.tsv"), refused_text()).unwrap();
    std::fs::write(path("placements.tsv"), placement_text()).unwrap();
    for golden in goldens.iter().filter(|golden| has_file(golden)) {
        std::fs::write(path(&format!("{}.nodes", golden.name)), joined(&golden.built)).unwrap();
    }
}
