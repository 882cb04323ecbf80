//! Trees that no haul writes: nodes and packs made by hand, and pointers to them.

use std::fs;

use haul::hash::NodeId;
use haul::wire::put_varint;

use crate::harness::{Repo, Tree, World};

/// What every file of a forged tree holds.
pub(crate) const CONTENT: &[u8] = b"canary content";

/// Writes the bytes of a node.
pub(crate) fn node(kind: u8, level: u8, entries: u32, body: &[u8]) -> Vec<u8> {
    let mut out = vec![1, kind, level, 0];
    out.extend(entries.to_le_bytes());
    out.extend(u32::try_from(body.len()).expect("is short").to_le_bytes());
    out.extend(body);
    out
}

/// A leaf entry of a manifest: form and kind in one byte, a size, and what follows it.
pub(crate) fn entry(path: &[u8], code: u8, size: u64, rest: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put_varint(&mut out, path.len() as u64);
    out.extend(path);
    out.push(code);
    put_varint(&mut out, size);
    out.extend(rest);
    out
}

/// A leaf entry of a plain file.
pub(crate) fn file(path: &[u8]) -> Vec<u8> {
    entry(path, 0, CONTENT.len() as u64, CONTENT)
}

/// A manifest of one node.
pub(crate) fn leaf(entries: &[Vec<u8>]) -> Vec<u8> {
    node(2, 0, u32::try_from(entries.len()).expect("are few"), &entries.concat())
}

/// Puts nodes into a pack of the repository as if `add` had made them; nothing is checked.
pub(crate) fn plant(repo: &Repo<'_>, nodes: &[(NodeId, Vec<u8>)]) {
    let mut pack = b"HAUL\x01\x02\0\0".to_vec();
    pack.extend(*b"a nonce of 16 by");
    let (mut frames, mut objects) = (Vec::new(), Vec::new());
    for (id, bytes) in nodes {
        let raw = [bytes.as_slice(), &[0]].concat();
        let len = u32::try_from(raw.len()).expect("is short").to_le_bytes();
        let frame = [&[0, 0, 1, 0], &len[..], &len, &raw].concat();
        frames.extend(u32::try_from(frame.len()).expect("is short").to_le_bytes());
        frames.extend(len);
        frames.extend([1, 0, 0, 0]);
        objects.extend(id.0);
        objects.extend(u32::try_from(bytes.len()).expect("is short").to_le_bytes());
        pack.extend(frame);
    }
    let count = u32::try_from(nodes.len()).expect("are few").to_le_bytes();
    let footer = [frames, objects, count.to_vec(), count.to_vec()].concat();
    pack.extend(&footer);
    pack.extend(blake3::hash(&footer).as_bytes());
    pack.extend(b"LUAH");
    let name = blake3::hash(&pack).to_hex()[..32].to_owned();
    let index = repo.path(".git/haul/index.redb");
    if index.exists() {
        fs::remove_file(index).expect("is removed");
    }
    repo.write(format!(".git/haul/unpushed/{}/{name}", &name[..2]), &pack);
}

/// Writes a pointer to a forged tree, and stages it.
pub(crate) fn point(repo: &Repo<'_>, root: NodeId, files: u64, size: u64) {
    let text = format!("haul 1\nkind dir\nfiles {files}\nroot p1:{root}\nsize {size}\n");
    repo.write("d.haul", text.as_bytes());
    repo.git(&["add", "-f", "d.haul"]).ok();
}

/// Forgets the tree that was placed last.
pub(crate) fn clear(repo: &Repo<'_>) {
    if repo.has("d") {
        fs::remove_dir_all(repo.path("d")).expect("is removed");
    }
    let stat = repo.path(".git/haul/stat.redb");
    if stat.exists() {
        fs::remove_file(stat).expect("is removed");
    }
}

/// Everything but Git's and haul's own state.
pub(crate) fn around(world: &World) -> Tree {
    Tree::of(&world.path("")).without("a/.git/haul").without("a/d").without("a/.git/index")
}

/// Says whether a temporary file was left behind.
pub(crate) fn is_temp(tree: &Tree) -> bool {
    tree.paths().iter().any(|path| path.contains(".haul-tmp-"))
}
