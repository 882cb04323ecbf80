//! Deltas to a base: golden files with their hostile twins, round trips, and arbitrary bytes.

use proptest::prelude::*;

use super::golden::{elements, fixture};
use super::hostile::pack_around;
use super::samples::*;
use crate::pack::{
    Bases, CODEC_PLANES_DIFFERENCE, CODEC_PLANES_XOR, CODEC_ZSTD_BASE, Candidate, FrameError,
    MAX_CHUNK, decode_delta_frame, decode_frame, encode_delta_frames,
};

/// Encodes a chunk beside a base that consists of these chunks.
fn encoded(raw: &[u8], base: &[Vec<u8>], skip: u32) -> EncodedFrame {
    let ids = base.iter().map(|chunk| ChunkId::of(chunk)).collect();
    let (bases, base) = (Bases { ids, skip }, base.concat());
    let candidate = Candidate { id: ChunkId::of(raw), raw, bases: &bases, base: &base };
    encode_delta_frames(&mut Codecs::new(), &[candidate]).unwrap().remove(0)
}

fn decoded(frame: &[u8], base: &[u8]) -> Result<Vec<u8>, FrameError> {
    decode_delta_frame(&mut Codecs::new(), frame, base).map(|frame| frame.raw)
}

fn edited(rows: usize) -> Vec<u8> {
    String::from_utf8(text(rows)).unwrap().replace("row 40,", "another row,").into_bytes()
}

/// Numbers of which each lies a few steps above that of [`elements`].
fn moved(width: u8) -> Vec<u8> {
    let mut bytes = elements(width);
    for (n, number) in bytes.chunks_exact_mut(usize::from(width)).enumerate() {
        let mut wide = [0; 8];
        wide[..number.len()].copy_from_slice(number);
        let next = u64::from_le_bytes(wide).wrapping_add(1 + n as u64 % 5).to_le_bytes();
        number.copy_from_slice(&next[..number.len()]);
    }
    bytes
}

/// Numbers of which the two lowest bits were flipped.
fn flipped(width: u8) -> Vec<u8> {
    let mut bytes = elements(width);
    bytes.iter_mut().step_by(width.into()).for_each(|byte| *byte ^= 3);
    bytes
}

/// Name, codec, chunk, base and where it begins, of each good fixture.
type Good = (&'static str, u8, Vec<u8>, Vec<Vec<u8>>, u32);

fn good() -> Vec<Good> {
    let base = text(400);
    let three = vec![base[..2000].to_vec(), base[2000..5000].to_vec(), base[5000..].to_vec()];
    let cut = |bytes: Vec<u8>| bytes[1..].to_vec();
    let short = elements(4)[..1500].to_vec();
    vec![
        ("delta-text.pack", CODEC_ZSTD_BASE, edited(400), vec![base], 0),
        ("delta-text-3.pack", CODEC_ZSTD_BASE, edited(400), three, 0),
        ("delta-xor.pack", CODEC_PLANES_XOR, flipped(4), vec![elements(4)], 0),
        ("delta-phase.pack", CODEC_PLANES_DIFFERENCE, cut(moved(4)), vec![elements(4)], 1),
        ("delta-wide.pack", CODEC_PLANES_DIFFERENCE, moved(8), vec![elements(8)], 0),
        ("delta-short.pack", CODEC_PLANES_DIFFERENCE, moved(4), vec![short], 0),
    ]
}

fn good_pack((_, _, raw, base, skip): &Good) -> Vec<u8> {
    pack_of(PackKind::Data, &[encoded(raw, base, *skip)]).1
}

/// A frame with a base, put together by hand, whatever it says.
fn frame((codec, n_bases): (u8, u8), skip: u32, raw_len: u32, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![codec, n_bases, 1, 0];
    for n in [raw_len, u32::try_from(payload.len()).unwrap(), skip] {
        out.extend_from_slice(&n.to_le_bytes());
    }
    (0..n_bases).for_each(|_| out.extend_from_slice(ChunkId::of(b"base").as_bytes()));
    out.extend_from_slice(payload);
    out
}

/// Planes of `hello` in numbers of two bytes, with a base of zeros.
fn planes(width: u8) -> Vec<u8> {
    let mut out = vec![width];
    [[0, 2, 0, 0, 0]; 2].iter().for_each(|head| out.extend_from_slice(head));
    out.extend_from_slice(b"hlelo");
    out
}

/// Name, bytes and a part of the message of each fixture that is refused, with the base given.
fn bad() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let with_phase = |phase: u8, width: u8| [&[phase][..], &planes(width)].concat();
    let (xor, step) = ((18, 1), (19, 1));
    let mut two = frame(xor, 0, 5, &planes(2));
    two[2] = 2;
    let zeros = zstd::bulk::Compressor::default().compress(&[0; 100]).unwrap();
    let frames = vec![
        ("base", frame((17, 1), 0, 5, &[0; 4]), "does not begin as a zstd frame"),
        ("bomb", frame((17, 1), 0, 5, &zeros), "declares another"),
        ("text-skip", frame((17, 1), 1, 5, &zeros), "does not begin where"),
        ("no-base", frame((18, 0), 0, 5, &planes(2)), "number of bases"),
        ("five-bases", frame((18, 5), 0, 5, &planes(2)), "number of bases"),
        ("plain-base", frame((2, 1), 0, 5, &planes(2)), "number of bases"),
        ("huge", frame(xor, 0, 1 << 31, &planes(2)), "larger than a frame"),
        ("skip", frame(xor, 4, 5, &planes(2)), "ends before it begins"),
        ("skip-huge", frame(xor, MAX_CHUNK, 5, &planes(2)), "begins behind the first"),
        ("phase", frame(step, 0, 5, &with_phase(2, 2)), "begin behind the first"),
        ("width", frame(step, 0, 5, &with_phase(0, 3)), "begin behind the first"),
        ("no-phase", frame(step, 0, 5, &[]), "ends too early"),
        ("wrong-id", frame(xor, 0, 5, &planes(2)), "hashes to"),
        ("two-chunks", two, "holds more than one chunk"),
    ];
    let pack = |frame: &[u8]| pack_around(PackKind::Data, [1; 32], 5, frame);
    frames.into_iter().map(|(name, frame, why)| (name, pack(&frame), why)).collect()
}

fn bad_name(name: &str) -> String {
    if name == "base" { "bad-base.pack".into() } else { format!("bad-delta-{name}.pack") }
}

#[test]
fn golden_deltas_read_with_their_base_and_are_said_to_lack_it_without() {
    for case in good() {
        let (name, codec, raw, base, skip) = &case;
        let bytes = fixture(name);
        assert_eq!(bytes[24], *codec, "{name}");
        let chunks: Vec<&[u8]> = base.iter().map(Vec::as_slice).collect();
        let summary = verify_with(&bytes, &chunks).unwrap();
        let (id, bases) = &summary.deltas[0];
        assert_eq!((*id, bases.skip, bases.ids.len()), (ChunkId::of(raw), *skip, base.len()));
        let error = verify_with(&bytes, &[]).unwrap_err();
        assert!(matches!(&error, VerifyError::NoBase { chunks, .. } if *chunks == [*id]), "{name}");
        assert!(!error.to_string().contains("damaged"), "{error}");
        // What this build writes may differ in its bytes and must be read the same.
        verify_with(&good_pack(&case), &chunks).unwrap();
    }
    let phase = fixture("delta-phase.pack")[24 + 16 + 32];
    assert_eq!(phase, 3, "the first whole number begins three bytes in");
}

#[test]
fn hostile_deltas_are_refused_with_their_reason() {
    for (name, made, reason) in bad() {
        let bytes = fixture(&bad_name(name));
        assert!(made == bytes || made.len() != bytes.len() || name == "bomb", "{name}");
        let error = verify_with(&bytes, &[b"base"]).unwrap_err();
        let text = std::error::Error::source(&error).unwrap().to_string();
        assert!(text.contains(reason), "{name}: {text}");
    }
}

#[test]
#[ignore = "writes the fixtures of a format version that is not released yet"]
#[expect(clippy::disallowed_methods, reason = "fixtures are written by hand, once")]
fn write_delta_fixtures() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/formats/v1/pack");
    for case in good() {
        std::fs::write(folder.join(case.0), good_pack(&case)).unwrap();
    }
    for (name, bytes, _) in bad() {
        std::fs::write(folder.join(bad_name(name)), bytes).unwrap();
    }
}

#[test]
fn a_base_that_was_damaged_is_never_taken_for_the_right_one() {
    let (raw, base) = (edited(400), text(400));
    let mut pack = pack_of(PackKind::Data, &[encoded(&raw, std::slice::from_ref(&base), 0)]).1;
    verify_with(&pack, &[&base]).unwrap();
    let other = text(399);
    let damaged = |_: &Bases| Some(other.clone());
    let id = PackId::from_digest(Digest::of(&pack));
    let size = pack.len() as u64;
    let error = verify_pack(&mut Codecs::new(), id, Cursor::new(&pack), size, damaged);
    assert!(matches!(error, Err(VerifyError::Frame { .. })));
    // Damage of the pack itself goes before what is lacking.
    *pack.last_mut().unwrap() ^= 1;
    assert!(matches!(verify_with(&pack, &[]), Err(VerifyError::Pack { .. })));
}

#[test]
fn weights_that_moved_are_stored_as_steps_at_every_width_and_phase() {
    for width in [2_u8, 4, 8] {
        let (old, new) = (elements(width), moved(width));
        for cut in 0..width {
            let raw = &new[cut.into()..];
            let frame = encoded(raw, std::slice::from_ref(&old), cut.into());
            assert_eq!(frame.codec(), CODEC_PLANES_DIFFERENCE, "{width} {cut}");
            assert!(frame.bytes().len() < raw.len() / 2, "{width} {cut}");
            assert_eq!(decoded(frame.bytes(), &old).unwrap(), raw);
        }
    }
}

#[test]
fn an_empty_base_a_base_that_ends_first_and_an_empty_chunk_make_no_difference() {
    let raw = text(400);
    for (base, skip) in [(Vec::new(), 0), (raw.clone(), u32::try_from(raw.len()).unwrap())] {
        assert_eq!(encoded(&raw, &[base], skip).bases(), None);
    }
    let bases = Bases { ids: vec![ChunkId::of(b"x")], skip: 0 };
    let empty = Candidate { id: ChunkId::of(b""), raw: b"", bases: &bases, base: b"x" };
    assert!(encode_delta_frames(&mut Codecs::new(), &[empty]).is_err());
}

#[test]
fn what_a_frame_needs_is_told_by_its_first_bytes() {
    let frame = encoded(&edited(400), &[text(200), text(400)], 0);
    let bases = frame.bases().cloned();
    assert_eq!(Bases::of_frame(frame.bytes()), Ok(bases.clone()));
    let begin = &frame.bytes()[..Bases::MAX_PREFIX.min(frame.bytes().len() - 1)];
    assert_eq!(Bases::of_frame(begin), Ok(bases));
    assert!(Bases::of_frame(&frame.bytes()[..50]).is_err());
    assert_eq!(Bases::of_frame(data_frame(&[b"plain"]).bytes()), Ok(None));
    let plain = decode_frame(&mut Codecs::new(), PackKind::Data, frame.bytes());
    assert_eq!(plain, Err(FrameError::NeedsBase));
}

proptest! {
    #[test]
    fn a_chunk_comes_back_from_any_base(
        kind in 0_usize..3,
        (len, base_len) in (500_usize..3000, 0_usize..3000),
        skip in 0_u32..600,
        cut in any::<prop::sample::Index>(),
    ) {
        let raw = vec![text(400), moved(4), noise(5, 3000)].swap_remove(kind);
        let base = vec![edited(400), elements(4), noise(6, 3000)].swap_remove(kind);
        let raw = raw[..len.min(raw.len())].to_vec();
        let base = base[..base_len.min(base.len())].to_vec();
        let (head, tail) = base.split_at(cut.index(base.len() + 1));
        let frame = encoded(&raw, &[head.to_vec(), tail.to_vec()], skip);
        let back = match frame.bases() {
            Some(_) => decoded(frame.bytes(), &base),
            None => decode_frame(&mut Codecs::new(), PackKind::Data, frame.bytes()).map(|f| f.raw),
        };
        prop_assert_eq!(back.unwrap(), raw);
        // Another base gives an error or other bytes.
        drop(decoded(frame.bytes(), &noise(9, base.len())));
    }

    #[test]
    fn arbitrary_bytes_are_refused_or_decode_within_the_limits(
        head in (prop::sample::select(vec![17_u8, 18, 19]), 1_u8..5, any::<u16>(), 0_u32..20),
        payload in prop::collection::vec(any::<u8>(), 0..100),
        base in prop::collection::vec(any::<u8>(), 0..50),
    ) {
        let (codec, n_bases, raw_len, skip) = head;
        let bytes = frame((codec, n_bases), skip, raw_len.into(), &payload);
        if let Ok(raw) = decoded(&bytes, &base) {
            prop_assert_eq!(raw.len(), usize::from(raw_len));
        }
        drop(decoded(&payload, &base));
        drop(Bases::of_frame(&payload));
    }
}
