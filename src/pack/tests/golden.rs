//! The files under `fixtures/formats/v1/pack` must read, now and in all later releases.
//!
//! A fixture of a released version never changes. The
//! files are compared with what this build writes, except where zstd chooses the bytes.

use std::path::PathBuf;

use super::hostile::{frame, pack_around};
use super::samples::*;

fn fixture(name: &str) -> Vec<u8> {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/formats/v1/pack").join(name);
    std::fs::read(path).unwrap()
}

fn golden_node() -> Vec<u8> {
    node(&noise(9, 200))
}

/// Name, pack id and frames of each good fixture.
fn good() -> Vec<(&'static str, PackKind, Vec<EncodedFrame>)> {
    let small: Vec<_> = [&b"a"[..], b"bc", b"def"].to_vec();
    vec![
        (
            "stored.pack",
            PackKind::Data,
            vec![data_frame(&[&noise(1, 300)]), data_frame(&[&noise(2, 500)])],
        ),
        ("batch.pack", PackKind::Data, vec![data_frame(&small)]),
        ("zstd.pack", PackKind::Data, vec![data_frame(&[&text(200)])]),
        ("nodes.pack", PackKind::Nodes, vec![node_frame(&golden_node(), &[0; 3])]),
    ]
}

/// Name and bytes of each fixture that must be refused, and a part of the message.
fn bad() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let hello = ChunkId::of(b"hello").0;
    let planes = frame(2, 1, 5, &[2, 0, 2, 0, 0, 0, 0, 2, 0, 0, 0, b'h', b'l', b'e', b'l', b'o']);
    let mut based = frame(17, 1, 5, b"\0\0\0\0");
    based.truncate(12);
    based[1] = 1;
    based.extend_from_slice(&[0; 4]);
    based.extend_from_slice(&ChunkId::of(b"base").0);
    based.extend_from_slice(b"\0\0\0\0");
    let bomb = zstd::bulk::Compressor::default().compress(&vec![0; 1 << 20]).unwrap();
    let wrong = pack_around(PackKind::Data, [1; 32], 5, &frame(0, 1, 5, b"hello"));
    vec![
        ("bad-planes.pack", pack_around(PackKind::Data, hello, 5, &planes), "codec 2"),
        ("bad-base.pack", pack_around(PackKind::Data, hello, 5, &based), "codec 17"),
        (
            "bad-bomb.pack",
            pack_around(PackKind::Data, [1; 32], 100, &frame(1, 1, 100, &bomb)),
            "declares another",
        ),
        ("bad-id.pack", wrong.clone(), "hashes to"),
        ("bad-truncated.pack", wrong[..wrong.len() - 1].to_vec(), "does not end as a pack"),
    ]
}

#[test]
fn golden_packs_read_and_are_written_the_same() {
    for (name, kind, frames) in good() {
        let bytes = fixture(name);
        let summary = verify_content(&bytes).unwrap();
        let (written, again) = pack_of(kind, &frames);
        let ids =
            |s: &PackSummary| s.objects.iter().map(|o| (o.id, o.len, o.skip)).collect::<Vec<_>>();
        assert_eq!(ids(&summary), ids(&written), "{name}");
        if frames.iter().all(|f| f.codec() == crate::pack::CODEC_STORED) {
            assert!(again == bytes, "{name} is written differently now");
        }
    }
}

#[test]
fn hostile_twins_are_refused_with_their_reason() {
    for (name, made, reason) in bad() {
        let bytes = fixture(name);
        if !name.contains("bomb") {
            assert!(made == bytes, "{name} is made differently now");
        }
        let error = verify_content(&bytes).unwrap_err();
        let text = std::error::Error::source(&error).unwrap().to_string();
        assert!(text.contains(reason), "{name}: {text}");
        if name == "bad-planes.pack" || name == "bad-base.pack" {
            assert!(text.contains("a newer haul is needed"), "{text}");
        }
    }
}

#[test]
#[ignore = "writes the fixtures of a format version that is not released yet"]
#[expect(clippy::disallowed_methods, reason = "fixtures are written by hand, once")]
fn write_fixtures() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/formats/v1/pack");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, kind, frames) in good() {
        std::fs::write(folder.join(name), pack_of(kind, &frames).1).unwrap();
    }
    for (name, bytes, _) in bad() {
        std::fs::write(folder.join(name), bytes).unwrap();
    }
}
