//! The files under `fixtures/formats/v1/catalogue` must read, now and in all later releases, and are
//! written back byte for byte.

use std::path::PathBuf;

use super::objects::rehash;
use super::samples::*;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/formats/v1/catalogue")
}

/// Two push records that share a root, the run of both, and a baseline that replaces one of them; and
/// one of which a root needs a condemned pack.
fn good() -> Vec<(&'static str, Object)> {
    let first = push_record(0, 1, &[7, 3], &[1]);
    let second = push_record(0, 2, &[7], &[2, 4]);
    let names = [&first, &second].map(|object| object.clone().encode().unwrap().0);
    let mut run = Object::new(ObjectKind::Run, 0, REPO, [3; 16]);
    run.covers = vec![cover(&names[0], 1_700_000_000_000), cover(&names[1], 1_700_000_001_000)];
    run.locs = vec![loc(7, 1, 0), loc(3, 1, 0), loc(7, 2, 1)];
    run.packs = [1, 2, 4].map(pack_record).into();
    let gc = baseline(1, &[&names[0]], &[(3, 1), (7, 2)], &[4]);
    let mut weak = baseline(2, &[], &[(3, 1), (7, 2)], &[4]);
    weak.locs[1].source = SOURCE_CONDEMNED;
    vec![
        ("push-1.bin", first),
        ("push-2.bin", second),
        ("run.bin", run),
        ("baseline.bin", gc),
        ("baseline-condemned.bin", weak),
    ]
}

fn bad() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let bytes = good().remove(0).1.encode().unwrap().1;
    let change = |at: usize, value: u8| {
        let mut bytes = bytes.clone();
        bytes[at] = value;
        rehash(&mut bytes);
        bytes
    };
    let mut unhashed = bytes.clone();
    unhashed[600] ^= 1;
    vec![
        ("bad-version.bin", change(4, 2), "a newer haul is needed"),
        ("bad-kind.bin", change(5, 4), "a newer haul is needed"),
        ("bad-count.bin", change(62, 0xff), "larger than the object"),
        ("bad-order.bin", change(512, 0x99), "ascending"),
        ("bad-fill.bin", change(511, 1), "fill"),
        ("bad-row.bin", change(512 + 2 * 44 + 32 + 8, 1), "row that does not exist"),
        ("bad-hash.bin", unhashed, "hash"),
    ]
}

#[test]
fn golden_objects_read_and_are_written_the_same() {
    for (file, object) in good() {
        let bytes = std::fs::read(folder().join(file)).unwrap();
        let read = Object::parse(&bytes).unwrap();
        let (name, again) = read.encode().unwrap();
        assert!(again == bytes, "{file} is written back differently");
        assert_eq!(object.encode().unwrap(), (name, bytes), "{file} is made differently now");
    }
}

#[test]
fn hostile_twins_are_refused_with_their_reason() {
    for (file, made, reason) in bad() {
        let bytes = std::fs::read(folder().join(file)).unwrap();
        assert!(made == bytes, "{file} is made differently now");
        let text = Object::parse(&bytes).unwrap_err().to_string();
        assert!(text.contains(reason), "{file}: {text}");
    }
}

#[test]
#[ignore = "writes the fixtures of a format version that is not released yet"]
#[expect(clippy::disallowed_methods, reason = "fixtures are written by hand, once")]
fn write_fixtures() {
    std::fs::create_dir_all(folder()).unwrap();
    for (file, object) in good() {
        std::fs::write(folder().join(file), object.encode().unwrap().1).unwrap();
    }
    for (file, bytes, _) in bad() {
        std::fs::write(folder().join(file), bytes).unwrap();
    }
}
