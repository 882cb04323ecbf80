//! Trees and pointers that somebody made by hand to get out of the worktree, against the program.

#[path = "../support/hostile.rs"]
mod table;

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use haul::hash::NodeId;
use haul::wire::put_varint;

use crate::harness::{Repo, Tree, World, data};
use crate::scene::{save, shared, states};
use table::{Case, cases, expand};

const CONTENT: &[u8] = b"canary content";

fn node(kind: u8, level: u8, entries: u32, body: &[u8]) -> Vec<u8> {
    let mut out = vec![1, kind, level, 0];
    out.extend(entries.to_le_bytes());
    out.extend(u32::try_from(body.len()).expect("is short").to_le_bytes());
    out.extend(body);
    out
}

/// A leaf entry of a manifest: form and kind in one byte, a size, and what follows it.
fn entry(path: &[u8], code: u8, size: u64, rest: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put_varint(&mut out, path.len() as u64);
    out.extend(path);
    out.push(code);
    put_varint(&mut out, size);
    out.extend(rest);
    out
}

fn file(path: &[u8]) -> Vec<u8> {
    entry(path, 0, CONTENT.len() as u64, CONTENT)
}

fn leaf(entries: &[Vec<u8>]) -> Vec<u8> {
    node(2, 0, u32::try_from(entries.len()).expect("are few"), &entries.concat())
}

/// Puts nodes into a pack of the repository as if `add` had made them; nothing is checked.
fn plant(repo: &Repo<'_>, nodes: &[(NodeId, Vec<u8>)]) {
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

fn point(repo: &Repo<'_>, root: NodeId, files: u64, size: u64) {
    let text = format!("haul 1\nkind dir\nfiles {files}\nroot p1:{root}\nsize {size}\n");
    repo.write("d.haul", text.as_bytes());
    repo.git(&["add", "-f", "d.haul"]).ok();
}

fn clear(repo: &Repo<'_>) {
    if repo.has("d") {
        fs::remove_dir_all(repo.path("d")).expect("is removed");
    }
    let stat = repo.path(".git/haul/stat.redb");
    if stat.exists() {
        fs::remove_file(stat).expect("is removed");
    }
}

/// Everything but Git's and haul's own state.
fn around(world: &World) -> Tree {
    Tree::of(&world.path("")).without("a/.git/haul").without("a/d").without("a/.git/index")
}

fn is_temp(tree: &Tree) -> bool {
    tree.paths().iter().any(|path| path.contains(".haul-tmp-"))
}

#[test]
fn every_path_of_the_table_is_refused_or_stays_inside() {
    let world = World::new();
    let a = shared(&world);
    let cases: Vec<(Case, Vec<u8>)> = cases()
        .into_iter()
        .filter(|case| case.carrier == "path")
        .map(|case| (case, leaf(&[file(&case.bytes())])))
        .collect();
    assert!(cases.len() >= 106);
    let mut nodes: Vec<(NodeId, Vec<u8>)> =
        cases.iter().map(|(_, node)| (NodeId::of(node), node.clone())).collect();
    nodes.sort();
    nodes.dedup();
    plant(&a, &nodes);
    let mut failed = Vec::new();
    for (case, node) in &cases {
        clear(&a);
        point(&a, NodeId::of(node), 1, CONTENT.len() as u64);
        let before = around(&world);
        let output = a.haul(&["checkout"]);
        let placed =
            fs::read(a.path("d").join(Path::new(std::ffi::OsStr::from_bytes(&case.bytes()))));
        let restored = placed.is_ok_and(|bytes| bytes == CONTENT);
        let refused = output.to_string().contains("error: ") && !a.has("d");
        // Two slashes in a row make one of the terminal tricks no path at all.
        let good = match case.expect {
            "reject" => refused,
            "escape-output" => {
                (restored || refused) && !output.to_string().contains(['\x1b', '\x07', '\x08'])
            }
            _ => restored && !refused,
        };
        let outside = before.differences(&around(&world));
        if !good || !outside.is_empty() {
            failed.push(format!("{} {case:?}: {outside:?}\n{output}", case.category));
        }
    }
    assert!(failed.is_empty(), "{} cases:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn every_broken_tree_is_refused_and_nothing_is_written() {
    let world = World::new();
    let a = shared(&world);
    let size = CONTENT.len() as u64;
    let chunk = |size: u64| {
        let mut out = [7; 32].to_vec();
        put_varint(&mut out, size);
        out
    };
    let sound = leaf(&[file(b"x")]);
    let recipes = [
        node(1, 0, 2, &[chunk(60_000), chunk(60_001)].concat()),
        node(1, 0, 2, &[chunk(0), chunk(100_000)].concat()),
        node(1, 0, 2, &[chunk(1 << 63), chunk(5)].concat()),
    ];
    let tree = |recipe: &[u8]| {
        let rest = [&[9; 32][..], &[1], &NodeId::of(recipe).0].concat();
        leaf(&[entry(b"x", 32, 100_000, &rest)])
    };
    let inner = |level: u8, child: NodeId| {
        let mut body = vec![1, b'x'];
        body.extend(child.0);
        put_varint(&mut body, size);
        put_varint(&mut body, 1);
        node(2, level, 1, &body)
    };
    let same_level = inner(1, NodeId::of(&inner(1, NodeId::of(&sound))));
    let mut broken: Vec<(String, Vec<u8>, u64, u64)> = vec![
        ("entries=2^32".into(), node(2, 0, u32::MAX, &file(b"x")), 1, size),
        ("recipe sum".into(), tree(&recipes[0]), 1, 100_000),
        ("chunk size 0".into(), tree(&recipes[1]), 1, 100_000),
        ("chunk size 2^63".into(), tree(&recipes[2]), 1, 100_000),
        ("level does not fall".into(), same_level, 1, size),
        ("too deep".into(), inner(8, NodeId::of(&sound)), 1, size),
        ("device node".into(), leaf(&[entry(b"x", 4, size, CONTENT)]), 1, size),
        ("file and folder".into(), leaf(&[file(b"a"), file(b"a/b.bin")]), 2, 2 * size),
        ("not in order".into(), leaf(&[file(b"b"), file(b"a")]), 2, 2 * size),
        ("twice".into(), leaf(&[file(b"b"), file(b"b")]), 2, 2 * size),
        ("other count".into(), leaf(&[file(b"other")]), 2, size),
        ("other size".into(), leaf(&[file(b"larger")]), 1, size + 1),
        (
            "escaping link, then a file in it".into(),
            leaf(&[entry(b"l", 2, 7, b"../../o"), file(b"l/x")]),
            2,
            7 + size,
        ),
    ];
    for end in 0..sound.len() {
        broken.push((format!("cut at {end}"), sound[..end].to_vec(), 1, size));
    }
    let mut nodes: Vec<(NodeId, Vec<u8>)> =
        broken.iter().map(|(_, node, ..)| (NodeId::of(node), node.clone())).collect();
    nodes.extend(recipes.iter().map(|recipe| (NodeId::of(recipe), recipe.clone())));
    nodes.push((NodeId::of(&inner(1, NodeId::of(&sound))), inner(1, NodeId::of(&sound))));
    nodes.push((NodeId::of(b"another"), leaf(&[file(b"y")])));
    nodes.retain(|(_, bytes)| !bytes.is_empty());
    broken.push(("hash mismatch".into(), b"another".to_vec(), 1, size));
    plant(&a, &nodes);
    let mut failed = Vec::new();
    for (what, node, files, size) in broken {
        clear(&a);
        point(&a, NodeId::of(&node), files, size);
        let before = around(&world);
        let output = a.haul(&["checkout"]);
        let text = output.to_string();
        let refused = text.contains("error: ") && text.contains("exit status: 4)");
        let outside = before.differences(&around(&world));
        let partial = a.has("d") && !a.tree_of("d").paths().is_empty();
        if !refused || partial || !outside.is_empty() || text.contains("panicked") {
            failed.push(format!("{what}: {outside:?}\n{output}"));
        }
    }
    assert!(failed.is_empty(), "{} cases:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn no_file_gets_more_than_the_users_mask_allows() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    let a = shared(&world);
    let node = leaf(&[entry(b"run", 1, CONTENT.len() as u64, CONTENT), file(b"x")]);
    plant(&a, &[(NodeId::of(&node), node.clone())]);
    point(&a, NodeId::of(&node), 2, 2 * CONTENT.len() as u64);
    a.haul(&["checkout"]).ok();
    let mode = |name: &str| fs::metadata(a.path(name)).expect("is there").permissions().mode();
    fs::File::create(a.path("plain")).expect("is made");
    assert_eq!(mode("d/x"), mode("plain"));
    assert_eq!(mode("d/run") & 0o7777, mode("plain") & 0o7777 | (mode("plain") & 0o444) >> 2);
}

#[test]
fn a_link_on_the_way_is_never_written_through() {
    let world = World::new();
    let node = leaf(&[file(b"config")]);
    for (link, to) in [("d", ".git"), ("d", "../home"), ("d", "d")] {
        let a = world.repo(&format!("a-{}", to.replace(['/', '.'], "")));
        a.haul(&["init"]).ok();
        plant(&a, &[(NodeId::of(&node), node.clone())]);
        a.link(to, link);
        a.git(&["add", link]).ok();
        point(&a, NodeId::of(&node), 1, CONTENT.len() as u64);
        let config = a.read(".git/config");
        let before = a.tree();
        for verb in ["checkout", "pull"] {
            a.haul(&[verb]).fails_with(1).says("`d`");
        }
        a.tree().assert_same(&before);
        assert_eq!(a.read(".git/config"), config);
        assert!(!world.home().join("config").exists());
    }
}

#[test]
fn a_link_or_a_pipe_in_the_place_of_a_file_is_replaced_or_refused() {
    let world = World::new();
    let a = shared(&world);
    a.write("f", &data::bytes(1, 100));
    save(&a, &["f"], "one");
    a.write("canary", b"canary");
    a.remove("f");
    a.link("canary", "f");
    a.haul(&["checkout"]).fails_with(1).says("`f`");
    a.haul(&["checkout", "--force"]).ok();
    assert_eq!((a.text("canary"), a.read("f")), ("canary".to_owned(), data::bytes(1, 100)));
    a.remove("f");
    assert!(std::process::Command::new("mkfifo").arg(a.path("f")).status().is_ok());
    assert_eq!(states(&a), ["type-changed f"]);
    a.haul(&["checkout"]).fails_with(1).says("`f`");
    a.haul(&["checkout", "--force"]).ok();
    assert_eq!(a.read("f"), data::bytes(1, 100));
    assert!(!is_temp(&a.tree()));
}

#[test]
fn every_unsound_pointer_is_refused_with_the_next_step() {
    let world = World::new();
    let a = shared(&world);
    a.write("f", &data::bytes(1, 150_000));
    a.write("g", b"other");
    save(&a, &["f", "g"], "one");
    let text = a.text("f.haul");
    let with = |from: &str, to: &str| text.replacen(from, to, 1).into_bytes();
    let oid = text.lines().find(|l| l.starts_with("oid")).expect("has an oid").to_owned();
    let markers = format!("<<<<<<< HEAD\n{text}=======\n{text}>>>>>>> theirs\n");
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("newer", with("haul 1", "haul 999"), "newer haul"),
        ("conflict", markers.into_bytes(), "resolve"),
        ("over the limit", [text.as_bytes(), &[b'x'; 5000]].concat(), "git checkout"),
        ("CRLF", text.replace('\n', "\r\n").into_bytes(), "git checkout"),
        ("BOM", [b"\xef\xbb\xbf", text.as_bytes()].concat(), "git checkout"),
        ("NUL behind", [text.as_bytes(), b"\0\0"].concat(), "git checkout"),
        ("size -1", with("size 150000", "size -1"), "git checkout"),
        ("size 2^63", with("size 150000", "size 9223372036854775808"), "git checkout"),
        ("size 05", with("size 150000", "size 0150000"), "git checkout"),
        ("climbing hash", with(&oid, "oid b3:../../canary-escape"), "git checkout"),
        (
            "capitals",
            with(&oid, &oid.to_uppercase().replacen("OID B3", "oid b3", 1)),
            "git checkout",
        ),
        ("twice", with(&oid, &format!("{oid}\n{oid}")), "git checkout"),
        ("empty", Vec::new(), "git checkout"),
    ];
    a.remove("f");
    let mut failed = Vec::new();
    for (what, bytes, next) in cases {
        a.write("f.haul", &bytes);
        let before = a.tree();
        for verb in ["checkout", "pull", "fetch"] {
            let output = a.haul(&[verb]);
            let said = output.stderr();
            let good = said.contains("`f`") && said.contains("hint: ") && said.contains(next);
            let exit = output.to_string().contains("exit status: 1)");
            if !good || !exit || !before.differences(&a.tree()).is_empty() {
                failed.push(format!("{what}: {output}"));
            }
        }
    }
    assert!(failed.is_empty(), "{} cases:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn a_sound_pointer_that_lies_is_found_before_the_file_gets_its_name() {
    let world = World::new();
    let a = shared(&world);
    a.write("small", &data::bytes(1, 1000));
    a.write("large", &data::bytes(2, 200_000));
    a.write("other", &data::bytes(3, 200_000));
    save(&a, &["small", "large", "other"], "one");
    a.haul(&["push"]).ok();
    let oid = |name: &str| {
        let text = a.text(format!("{name}.haul"));
        text.lines().find(|l| l.starts_with("oid")).expect("has an oid").to_owned()
    };
    let cases = [
        ("small", "size 1000", "size 1001".to_owned()),
        ("small", "size 1000", "size 999".to_owned()),
        ("large", "size 200000", "size 200001".to_owned()),
        ("large", "size 200000", "size 199999".to_owned()),
        ("large", &oid("large"), oid("other")),
    ];
    for (n, (name, from, to)) in cases.into_iter().enumerate() {
        let text = a.text(format!("{name}.haul"));
        let b = a.clone_as(&format!("b{n}"));
        for repo in [&a, &b] {
            repo.write(format!("{name}.haul"), text.replacen(from, &to, 1).as_bytes());
            if repo.has(name) {
                repo.remove(name);
            }
            repo.haul(&["pull", name]).fails_with(4).says(name).says("hint: ");
            assert!(!repo.has(name), "{name} {to}");
            assert!(!is_temp(&repo.tree()));
            repo.git(&["checkout", "--", &format!("{name}.haul")]).ok();
        }
    }
}

#[test]
fn content_that_looks_like_a_pointer_is_restored_and_not_followed() {
    assert_eq!(expand("a\\x2fb"), b"a/b");
    let world = World::new();
    let a = shared(&world);
    a.write("f", &data::bytes(1, 100));
    save(&a, &["f"], "one");
    let pointer = a.read("f.haul");
    a.write("copy", &pointer);
    let large = [b"haul 1\n".to_vec(), data::bytes(1, 1 << 20)].concat();
    a.write("large", &large);
    save(&a, &["copy", "large"], "two");
    a.haul(&["push"]).ok();
    let b = a.clone_as("b");
    b.haul(&["pull"]).ok();
    assert_eq!((b.read("copy"), b.read("large")), (pointer, large));
}
