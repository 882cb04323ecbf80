use super::samples::*;
use crate::pack::{Footer, FrameEntry, FrameError, Header, ObjectPlace, decode_frame};

/// A frame put together by hand, whatever it says.
pub(super) fn frame(codec: u8, n_objects: u16, raw_len: u32, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![codec, 0];
    out.extend_from_slice(&n_objects.to_le_bytes());
    out.extend_from_slice(&raw_len.to_le_bytes());
    out.extend_from_slice(&u32::try_from(payload.len()).unwrap().to_le_bytes());
    out.extend_from_slice(payload);
    out
}

/// A pack of one frame and one object, whose footer agrees with whatever the frame says.
pub(super) fn pack_around(kind: PackKind, id: [u8; 32], len: u32, frame: &[u8]) -> Vec<u8> {
    let raw_len = u32::from_le_bytes(frame[4..8].try_into().unwrap());
    let frame_len = u32::try_from(frame.len()).unwrap();
    let entry = FrameEntry {
        offset: 24,
        frame_len,
        raw_len,
        n_objects: 1,
        codec: frame[0],
        n_bases: frame[1],
    };
    let object = ObjectPlace { id, offset: 24, frame_len, skip: 0, len, has_base: false };
    let footer = Footer { frames: vec![entry], objects: vec![object] };
    let header = Header { kind, nonce: *b"a fixed nonce 16" }.encode();
    [&header[..], frame, &footer.encode()].concat()
}

fn decode(bytes: &[u8]) -> Result<Vec<u8>, FrameError> {
    decode_frame(&mut Codecs::new(), PackKind::Data, bytes).map(|f| f.raw)
}

fn zstd_of(raw: &[u8]) -> Vec<u8> {
    zstd::bulk::Compressor::default().compress(raw).unwrap()
}

/// A zstd frame without a content size: header, then one run-length block of `len` zeros.
fn unsized_zeros(window: u8, len: u32) -> Vec<u8> {
    let block = (len << 3 | 0b011).to_le_bytes();
    [&[0x28, 0xb5, 0x2f, 0xfd, 0, window][..], &block[..3], &[0]].concat()
}

#[test]
fn a_frame_without_a_content_size_is_read_if_the_length_is_met() {
    assert_eq!(decode(&frame(1, 1, 1000, &unsized_zeros(0x38, 1000))), Ok(vec![0; 1000]));
}

#[test]
fn a_bomb_is_not_decoded_beyond_the_declared_length() {
    assert!(decode(&frame(1, 1, 100, &zstd_of(&vec![0; 1 << 20]))).is_err());
    assert!(decode(&frame(1, 1, 100, &unsized_zeros(0x38, 100_000))).is_err());
    assert!(decode(&frame(1, 1, 100, &unsized_zeros(0x38, 99))).is_err());
    assert!(decode(&frame(1, 1, 100, &unsized_zeros(0x38, 101))).is_err());
}

#[test]
fn a_declared_length_above_the_limits_is_refused_before_memory_is_taken() {
    let payload = zstd_of(&[0; 100]);
    for (n_objects, raw_len) in
        [(1, u32::MAX), (1, (2 << 20) + 1), (2, (256 << 10) + 1), (0, 100), (101, 100), (1, 0)]
    {
        let refused = decode(&frame(1, n_objects, raw_len, &payload));
        assert!(matches!(refused, Err(FrameError::Malformed(_))), "{n_objects} {raw_len}");
    }
    let mut codecs = Codecs::new();
    for (n_objects, raw_len) in [(1, (8 << 20) + 1), (2, 100), (1, 11)] {
        let bytes = frame(1, n_objects, raw_len, &payload);
        assert!(decode_frame(&mut codecs, PackKind::Nodes, &bytes).is_err());
    }
}

#[test]
fn a_large_window_is_refused() {
    // Exponent 13 is 8 MiB, the largest content of any frame; 21 would be 2 GiB.
    assert!(decode(&frame(1, 1, 1000, &unsized_zeros(13 << 3, 1000))).is_ok());
    assert!(decode(&frame(1, 1, 1000, &unsized_zeros(13 << 3 | 1, 1000))).is_err());
    assert!(decode(&frame(1, 1, 1000, &unsized_zeros(21 << 3, 1000))).is_err());
}

#[test]
fn anything_but_one_plain_zstd_frame_is_refused() {
    let good = zstd_of(&[0; 100]);
    let skippable = [&[0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0][..], b"skip"].concat();
    let mut checksum = zstd::bulk::Compressor::default();
    checksum.include_checksum(true).unwrap();
    let checksum = checksum.compress(&[0; 100]).unwrap();
    let cases = [
        ("skippable only", skippable.clone()),
        ("skippable first", [&skippable[..], &good].concat()),
        ("skippable last", [&good[..], &skippable].concat()),
        ("two frames", [zstd_of(&[0; 50]), zstd_of(&[0; 50])].concat()),
        ("a byte behind", [&good[..], &[0]].concat()),
        ("nothing", vec![]),
        ("a checksum", checksum),
    ];
    for (what, payload) in cases {
        assert!(decode(&frame(1, 1, 100, &payload)).is_err(), "{what}");
    }
    assert!(decode(&frame(1, 1, 100, &good)).is_ok());
}

#[test]
fn a_stored_frame_is_exactly_as_long_as_its_content() {
    assert!(decode(&frame(0, 1, 5, b"hello")).is_ok());
    assert!(decode(&frame(0, 1, 4, b"hello")).is_err());
    assert!(decode(&frame(0, 1, 6, b"hello")).is_err());
    assert!(decode(&[&frame(0, 1, 5, b"hello")[..], b"x"].concat()).is_err());
}

#[test]
fn codecs_of_newer_releases_are_refused_by_name() {
    for codec in [4, 15, 20, 31, 128, 255] {
        let error = decode(&frame(codec, 1, 5, b"hello")).unwrap_err();
        assert_eq!(error, FrameError::Newer { codec });
        let text = error.to_string();
        assert!(text.contains("a newer haul is needed") && text.contains(&codec.to_string()));
    }
    let mut based = frame(0, 1, 5, b"hello");
    based[1] = 1;
    assert!(matches!(decode(&based), Err(FrameError::Malformed(_))));
}

#[test]
fn headers_of_newer_releases_are_refused_by_name() {
    let good = Header { kind: PackKind::Nodes, nonce: [1; 16] }.encode();
    assert!(Header::parse(&good).is_ok());
    for (at, what) in [(4, "version"), (5, "kind"), (6, "flags"), (7, "flags")] {
        let mut bytes = good;
        bytes[at] = 9;
        let text = Header::parse(&bytes).unwrap_err().to_string();
        assert!(text.contains(what) && text.contains("a newer haul is needed"), "{text}");
    }
}

fn small_pack() -> (PackSummary, Vec<u8>) {
    pack_of(PackKind::Data, &[data_frame(&[b"one", b"two"]), data_frame(&[&text(40)])])
}

#[test]
fn a_pack_cut_at_any_length_is_refused() {
    let (_, bytes) = small_pack();
    for len in 0..bytes.len() {
        assert!(verify_content(&bytes[..len]).is_err(), "cut to {len}");
    }
    let longer = [&bytes[..], &[0]].concat();
    assert!(verify_content(&longer).is_err());
}

#[test]
fn a_bit_flipped_anywhere_is_found() {
    let node_pack = pack_of(PackKind::Nodes, &[node_frame(&node(&text(20)), b"placement")]);
    for (summary, bytes) in [small_pack(), node_pack] {
        verify(summary.id, &bytes).unwrap();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut bytes = bytes.clone();
                bytes[at] ^= 1 << bit;
                assert!(verify(summary.id, &bytes).is_err(), "byte {at} bit {bit}");
            }
        }
    }
}

#[test]
fn damage_in_one_frame_is_named_with_its_place() {
    let (summary, mut bytes) = small_pack();
    let second = summary.objects[2];
    bytes[second.offset as usize + 40] ^= 1;
    let VerifyError::Frame { number, offset, .. } = verify(summary.id, &bytes).unwrap_err() else {
        panic!("another error");
    };
    assert_eq!((number, offset), (1, second.offset));
}

#[test]
fn an_object_listed_under_another_id_is_found() {
    let good = frame(0, 1, 5, b"hello");
    verify_content(&pack_around(PackKind::Data, ChunkId::of(b"hello").0, 5, &good)).unwrap();
    assert!(verify_content(&pack_around(PackKind::Data, [1; 32], 5, &good)).is_err());
    assert!(
        verify_content(&pack_around(PackKind::Data, ChunkId::of(b"hell").0, 4, &good)).is_err()
    );
    let node = node(b"body");
    let raw = [&node[..], b"place"].concat();
    let good = frame(0, 1, 21, &raw);
    verify_content(&pack_around(PackKind::Nodes, NodeId::of(&node).0, 16, &good)).unwrap();
    assert!(verify_content(&pack_around(PackKind::Nodes, NodeId::of(&node).0, 17, &good)).is_err());
}

#[test]
fn a_frame_that_disagrees_with_the_footer_is_found() {
    let bytes = pack_around(PackKind::Data, ChunkId::of(b"hello").0, 5, &frame(0, 1, 5, b"hello"));
    let zstd = frame(1, 1, 100, &zstd_of(&[0; 100]));
    let mut other = pack_around(PackKind::Data, ChunkId::of(&[0; 100]).0, 100, &zstd);
    verify_content(&other).unwrap();
    // The frame says two objects where the footer says one.
    other[26] = 2;
    assert!(verify_content(&other).is_err());
    let mut bytes = bytes;
    bytes[26] = 2;
    assert!(verify_content(&bytes).is_err());
}

#[test]
fn a_footer_that_lists_an_object_twice_is_refused() {
    let (_, bytes) = pack_of(PackKind::Data, &[data_frame(&[b"one", b"two"])]);
    let tail = bytes.len() - 24 - 18;
    let footer = Footer::parse(PackKind::Data, &bytes[bytes.len() - tail..], bytes.len() as u64);
    let mut footer = footer.unwrap();
    footer.objects[1].id = footer.objects[0].id;
    let refused = Footer::parse(PackKind::Data, &footer.encode(), bytes.len() as u64);
    assert!(refused.unwrap_err().to_string().contains("twice"));
}
