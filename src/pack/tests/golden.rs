//! The files under `fixtures/formats/v1/pack` must read, now and in all later releases.
//!
//! A fixture of a released version never changes. The
//! files are compared with what this build writes, except where zstd chooses the bytes.

use std::path::PathBuf;

use super::columns;
use super::hostile::{frame, pack_around};
use super::planes;
use super::samples::*;
use crate::pack::{CODEC_COLUMNS, CODEC_PLANES, CODEC_STORED, decode_frame};

fn fixture(name: &str) -> Vec<u8> {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/formats/v1/pack").join(name);
    std::fs::read(path).unwrap()
}

fn golden_node() -> Vec<u8> {
    node(&noise(9, 200))
}

/// Elements of `width` bytes of which only the lower half is noise, and a part of an element.
fn elements(width: u8) -> Vec<u8> {
    let width = usize::from(width);
    let mut raw = noise(3, 600 * width + width - 1);
    for element in raw.chunks_mut(width) {
        element.iter_mut().skip(width / 2).for_each(|byte| *byte = 0x3c | *byte & 1);
    }
    raw
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
        ("columns.pack", PackKind::Data, vec![data_frame(&[columns::table(300, ',').as_bytes()])]),
        ("planes-2.pack", PackKind::Data, vec![data_frame(&[&elements(2)])]),
        ("planes-4.pack", PackKind::Data, vec![data_frame(&[&elements(4)])]),
        ("planes-8.pack", PackKind::Data, vec![data_frame(&[&elements(8)])]),
        ("nodes.pack", PackKind::Nodes, vec![node_frame(&golden_node(), &[0; 3])]),
    ]
}

/// Name and bytes of each fixture that must be refused, and a part of the message.
fn bad() -> Vec<(String, Vec<u8>, &'static str)> {
    let hello = ChunkId::of(b"hello").0;
    let mut based = frame(17, 1, 5, b"\0\0\0\0");
    based.truncate(12);
    based[1] = 1;
    based.extend_from_slice(&[0; 4]);
    based.extend_from_slice(&ChunkId::of(b"base").0);
    based.extend_from_slice(b"\0\0\0\0");
    let bomb = zstd::bulk::Compressor::default().compress(&vec![0; 1 << 20]).unwrap();
    let wrong = pack_around(PackKind::Data, [1; 32], 5, &frame(0, 1, 5, b"hello"));
    let bomb = pack_around(PackKind::Data, [1; 32], 100, &frame(1, 1, 100, &bomb));
    let planes = planes::refused().into_iter().map(|(name, payload, raw_len, reason)| {
        let pack = pack_around(PackKind::Data, [1; 32], raw_len, &frame(2, 1, raw_len, &payload));
        (format!("bad-planes-{name}.pack"), pack, reason)
    });
    let columns = columns::refused().into_iter().map(|(name, payload, raw_len, reason)| {
        let pack = pack_around(PackKind::Data, [1; 32], raw_len, &frame(3, 1, raw_len, &payload));
        (format!("bad-columns-{name}.pack"), pack, reason)
    });
    let cut = wrong[..wrong.len() - 1].to_vec();
    let others = [
        (
            "bad-base.pack",
            pack_around(PackKind::Data, hello, 5, &based),
            "is a difference to other chunks",
        ),
        ("bad-bomb.pack", bomb, "declares another"),
        ("bad-id.pack", wrong, "hashes to"),
        ("bad-truncated.pack", cut, "does not end as a pack"),
    ];
    let others = others.map(|(name, bytes, reason)| (name.to_owned(), bytes, reason));
    planes.chain(columns).chain(others).collect()
}

/// A pack with a column of each kind, put together without our coder.
fn columns_by_hand() -> Vec<u8> {
    let (payload, raw) = columns::by_hand();
    let len = u32::try_from(raw.len()).unwrap();
    pack_around(PackKind::Data, ChunkId::of(&raw).0, len, &frame(3, 1, len, &payload))
}

#[test]
fn columns_put_together_by_hand_read_as_what_they_say() {
    // The zstd stream within may be made differently by another zstd, the fixture still must read.
    verify_content(&fixture("columns-by-hand.pack")).unwrap();
    verify_content(&columns_by_hand()).unwrap();
}

#[test]
fn the_golden_table_has_columns() {
    let bytes = fixture("columns.pack");
    let place = verify_content(&bytes).unwrap().objects[0];
    assert_eq!(bytes[place.offset as usize], CODEC_COLUMNS);
}

/// A pack whose planes were put together without our coder.
fn by_hand() -> Vec<u8> {
    let payload = planes::payload(2, &[(0, b"hl"), (0, b"el")], b"o");
    pack_around(PackKind::Data, ChunkId::of(b"hello").0, 5, &frame(2, 1, 5, &payload))
}

#[test]
fn planes_put_together_by_hand_read_as_what_they_say() {
    let bytes = fixture("planes-by-hand.pack");
    assert!(bytes == by_hand(), "it is made differently now");
    verify_content(&bytes).unwrap();
}

#[test]
fn golden_planes_have_the_width_of_their_elements() {
    for width in [2, 4, 8] {
        let bytes = fixture(&format!("planes-{width}.pack"));
        let place = verify_content(&bytes).unwrap().objects[0];
        let frame = &bytes[place.offset as usize..][..place.frame_len as usize];
        assert_eq!((frame[0], frame[12]), (CODEC_PLANES, width));
        let raw = decode_frame(&mut Codecs::new(), PackKind::Data, frame).unwrap().raw;
        assert!(raw == elements(width));
    }
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
        if frames.iter().all(|f| f.codec() == CODEC_STORED) {
            assert!(again == bytes, "{name} is written differently now");
        }
    }
}

#[test]
fn hostile_twins_are_refused_with_their_reason() {
    for (name, made, reason) in bad() {
        let bytes = fixture(&name);
        if !["bomb", "zstd", "frame"].iter().any(|made_by_zstd| name.contains(made_by_zstd)) {
            assert!(made == bytes, "{name} is made differently now");
        }
        let error = verify_content(&bytes).unwrap_err();
        let text = std::error::Error::source(&error).unwrap().to_string();
        assert!(text.contains(reason), "{name}: {text}");
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
    std::fs::write(folder.join("planes-by-hand.pack"), by_hand()).unwrap();
    std::fs::write(folder.join("columns-by-hand.pack"), columns_by_hand()).unwrap();
}
