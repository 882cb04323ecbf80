//! Trees and pointers that somebody made by hand to get out of the worktree, against the program.

#[path = "../support/hostile.rs"]
pub(crate) mod table;

use std::fs;

use haul::hash::NodeId;
use haul::wire::put_varint;

use crate::forge::{CONTENT, around, clear, entry, file, is_temp, leaf, node, plant, point};
use crate::harness::{World, data};
use crate::scene::{save, shared, states};
use table::{cases, expand};

/// The broken trees that a row of the table means; what the format cannot say has no tree.
///
/// Entries hold sizes and no offsets, so that chunks which overlap or leave a gap are ones of a
/// wrong sum; a node that names itself or stands for another is one whose hash is not its name.
fn trees_of(row: &str) -> &'static [&'static str] {
    match row {
        "{entries=2^32 declared, 1 present}" => &["entries=2^32"],
        "{chunks overlap}" | "{sum of chunk sizes != file size}" => &["recipe sum"],
        "{gap between chunks}" => &["recipe gap"],
        "{chunk size 0}" => &["chunk size 0"],
        "{chunk size 2^63}" => &["chunk size 2^63"],
        "{manifest refers to itself}" => &["names itself"],
        "{manifest tree 10,000 deep}" => &["too deep", "level does not fall"],
        "{entry type=device node}" => &["device node"],
        // The one bit that an entry can have is tried by itself, further down.
        "{mode=0777}" | "{mode=04755}" => &["further bits"],
        "{manifest hash mismatch}" | "{manifest of another repository}" => &["hash mismatch"],
        "{manifest truncated at every length}" => &["cut at 0", "cut at 5", "cut at 20"],
        _ => panic!("nobody knows how to build {row}"),
    }
}

/// A tree that is wrong in one place: what, its root, and the files and bytes that a pointer claims.
type Broken = (String, Vec<u8>, u64, u64);

fn sound_tree() -> Vec<u8> {
    leaf(&[file(b"x")])
}

/// A node with one child, which holds one file.
fn inner(level: u8, child: NodeId) -> Vec<u8> {
    let mut body = vec![1, b'x'];
    body.extend(child.0);
    put_varint(&mut body, CONTENT.len() as u64);
    put_varint(&mut body, 1);
    node(2, level, 1, &body)
}

/// Returns the broken trees, and further nodes that they name.
fn broken_trees() -> (Vec<Broken>, Vec<Vec<u8>>) {
    let size = CONTENT.len() as u64;
    let chunk = |size: u64| {
        let mut out = [7; 32].to_vec();
        put_varint(&mut out, size);
        out
    };
    let sound = sound_tree();
    let recipes = [
        node(1, 0, 2, &[chunk(60_000), chunk(60_001)].concat()),
        node(1, 0, 2, &[chunk(0), chunk(100_000)].concat()),
        node(1, 0, 2, &[chunk(1 << 63), chunk(5)].concat()),
        node(1, 0, 2, &[chunk(60_000), chunk(39_999)].concat()),
    ];
    let tree = |recipe: &[u8]| {
        let rest = [&[9; 32][..], &[1], &NodeId::of(recipe).0].concat();
        leaf(&[entry(b"x", 32, 100_000, &rest)])
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
        ("further bits".into(), leaf(&[entry(b"x", 0x41, size, CONTENT)]), 1, size),
        ("recipe gap".into(), tree(&recipes[3]), 1, 100_000),
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
        broken.push((format!("cut at {end}"), sound.iter().take(end).copied().collect(), 1, size));
    }
    let mut others = recipes.to_vec();
    others.push(inner(1, NodeId::of(&sound)));
    (broken, others)
}

#[test]
fn every_broken_tree_is_refused_and_nothing_is_written() {
    let world = World::new();
    let a = shared(&world);
    let (size, sound) = (CONTENT.len() as u64, sound_tree());
    let (mut broken, others) = broken_trees();
    let mut nodes: Vec<(NodeId, Vec<u8>)> =
        broken.iter().map(|(_, node, ..)| (NodeId::of(node), node.clone())).collect();
    nodes.extend(others.into_iter().map(|node| (NodeId::of(&node), node)));
    nodes.push((NodeId::of(b"another"), leaf(&[file(b"y")])));
    let itself = NodeId::of(b"itself");
    nodes.push((itself, inner(1, itself)));
    broken.push(("names itself".into(), b"itself".to_vec(), 1, size));
    nodes.retain(|(_, bytes)| !bytes.is_empty());
    broken.push(("hash mismatch".into(), b"another".to_vec(), 1, size));
    for row in cases().iter().filter(|case| case.carrier == "manifest") {
        for name in trees_of(row.value) {
            assert!(broken.iter().any(|(what, ..)| what == name), "{name} of {row:?} is not tried");
        }
    }
    nodes.push((NodeId::of(&sound), sound.clone()));
    // One pack each: a node that is cut short may make its whole pack unusable.
    for planted in &nodes {
        plant(&a, std::slice::from_ref(planted));
    }
    point(&a, NodeId::of(&sound), 1, size);
    a.haul(&["checkout"]).ok();
    assert_eq!(a.read("d/x"), CONTENT, "the sound tree that all others were made from");
    let mut failed = Vec::new();
    for (what, node, files, size) in broken {
        clear(&a);
        point(&a, NodeId::of(&node), files, size);
        let before = around(&world);
        let output = a.haul(&["checkout"]);
        let text = output.to_string();
        // What looks as if a newer haul had made it is for the user to settle.
        let newer = ["device node", "further bits"].contains(&what.as_str());
        let told = text.contains("error: ") && text.contains("hint: ");
        let absent = what.starts_with("cut") && text.contains("content is missing");
        let exit = if newer || absent { 1 } else { 4 };
        let refused = output.status() == Some(exit) && (told || absent);
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

#[test]
fn what_no_haul_stores_in_the_manifest_of_a_folder_stops_an_add_to_it() {
    let world = World::new();
    let a = shared(&world);
    let tree = leaf(&[file(b".gitattributes")]);
    plant(&a, &[(NodeId::of(&tree), tree.clone())]);
    point(&a, NodeId::of(&tree), 1, CONTENT.len() as u64);
    a.write("d/x.bin", &data::bytes(1, 200_000));
    let pointer = a.text("d.haul");
    a.haul(&["add", "d"]).fails_with(4).says("manifest of `d` is refused").says("hint: ");
    assert_eq!(a.text("d.haul"), pointer);
}
