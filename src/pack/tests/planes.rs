//! Which codec real kinds of content get, and every byte of the planes' payload.

use proptest::prelude::*;

use super::hostile::frame;
use super::samples::*;
use crate::pack::plane_coder::Effort;
use crate::pack::planes::Width;
use crate::pack::probe::share_as_planes;
use crate::pack::{CODEC_PLANES, CODEC_STORED, FrameError, decode_frame};

/// Numbers spread as trained weights are, around zero: the sum of twelve even ones.
fn normal(count: usize) -> impl Iterator<Item = f64> {
    let mut random = noise(7, count * 24);
    random.truncate(count * 24);
    (0..count).map(move |n| {
        let parts = random[n * 24..][..24].as_chunks::<2>().0;
        let sum: f64 = parts.iter().map(|b| f64::from(u16::from_le_bytes(*b)) / 65_536.0).sum();
        // The sum alone has few low bits; a little of another draw fills them.
        (sum - 6.0) * 0.02 * (1.0 + f64::from(u16::from_le_bytes(parts[0])) / 1e9)
    })
}

#[expect(clippy::cast_possible_truncation, reason = "weights are kept in few bits on purpose")]
fn f32_weights(count: usize) -> Vec<u8> {
    normal(count).flat_map(|w| (w as f32).to_le_bytes()).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "weights are kept in few bits on purpose")]
fn bf16_weights(count: usize) -> Vec<u8> {
    normal(count).flat_map(|w| (w as f32).to_le_bytes().into_iter().skip(2)).collect()
}

fn counters(count: u64) -> Vec<u8> {
    (0..count).flat_map(|n| (1_700_000_000_000 + 3 * n).to_le_bytes()).collect()
}

/// Encodes one chunk, proves that it decodes, and returns its codec and its share of the raw bytes.
fn share(raw: &[u8]) -> (u8, f64) {
    let encoded = data_frame(&[raw]);
    let back = decode_frame(&mut Codecs::new(), PackKind::Data, encoded.bytes()).unwrap();
    assert!(back.raw == raw);
    let len = |bytes: &[u8]| f64::from(u32::try_from(bytes.len()).unwrap());
    (encoded.codec(), len(encoded.bytes()) / len(raw))
}

#[test]
fn float32_weights_take_at_most_084_of_their_bytes_at_any_phase() {
    let raw = f32_weights(16_384);
    for phase in 0..4 {
        let (codec, share) = share(&raw[phase..]);
        assert_eq!(codec, CODEC_PLANES);
        assert!(share <= 0.84, "phase {phase}: {share}");
    }
}

#[test]
fn bf16_weights_take_at_most_069_of_their_bytes() {
    for phase in 0..2 {
        let (codec, share) = share(&bf16_weights(32_768)[phase..]);
        assert_eq!(codec, CODEC_PLANES);
        assert!(share <= 0.69, "{share}");
    }
}

#[test]
fn float64_weights_are_found_too() {
    let raw: Vec<u8> = normal(8192).flat_map(f64::to_le_bytes).collect();
    let (codec, share) = share(&raw);
    assert_eq!(codec, CODEC_PLANES);
    assert!(share <= 0.93, "{share}");
}

#[test]
fn what_weights_take_is_known_from_a_sample_within_a_hundredth() {
    for raw in [f32_weights(16_384), bf16_weights(32_768)] {
        let sampled = share_as_planes(&raw).unwrap();
        let (_, share) = share(&raw);
        assert!((sampled / share - 1.0).abs() < 0.01, "{sampled} {share}");
    }
    assert_eq!(share_as_planes(&counters(8192)), None);
    assert_eq!(share_as_planes(b"id,name,value\n1,one,1.0\n".repeat(4000).as_slice()), None);
}

#[test]
fn a_payload_proves_no_other_content_than_the_one_that_it_decodes_to() {
    let mut codecs = Codecs::new();
    let raw = &f32_weights(1024)[..4095];
    let payload = codecs.planes_of(raw, Width::Four, Effort::Quick).to_vec();
    assert!(codecs.planes_decode_to(&payload, raw).unwrap());
    assert!(!codecs.planes_decode_to(&payload, &raw[..4094]).is_ok_and(|same| same));
    let (mut decoded, mut other) = (Vec::new(), payload.clone());
    for at in 0..payload.len() {
        other[at] ^= 1;
        let back = codecs.unpack(CODEC_PLANES, &other, raw.len(), &mut decoded).is_ok();
        let proved = codecs.planes_decode_to(&other, raw).unwrap_or(false);
        assert_eq!(proved, back && decoded == raw, "byte {at}");
        other[at] ^= 1;
    }
}

#[test]
fn counters_lose_nearly_everything() {
    let (codec, share) = share(&counters(8192));
    assert_eq!(codec, CODEC_PLANES);
    assert!(share <= 0.02, "{share}");
}

#[test]
fn noise_is_stored_and_so_is_what_was_compressed_before() {
    assert_eq!(share(&noise(1, 65_536)).0, CODEC_STORED);
    let random = noise(2, 400_000);
    // Every letter as likely as the next, so that nothing but the coder's own output is judged.
    let letters: Vec<u8> = random.iter().map(|b| b'a' + b % 16).collect();
    let compressed = zstd::bulk::Compressor::default().compress(&letters).unwrap();
    assert_eq!(share(&compressed[1000..66_536]).0, CODEC_STORED);
}

#[test]
fn chunks_that_share_a_frame_and_nodes_never_have_planes() {
    let raw = f32_weights(4096);
    assert_eq!(share(&raw).0, CODEC_PLANES);
    assert_ne!(data_frame(&[&raw, b"another"]).codec(), CODEC_PLANES);
    assert_ne!(node_frame(&node(&raw), b"").codec(), CODEC_PLANES);
    let payload = payload(2, &[(0, b"ab"), (0, b"cd")], b"e");
    assert!(decode(&payload, 5).is_ok());
    for (kind, n_objects, raw_len) in [(PackKind::Data, 2, 5), (PackKind::Nodes, 1, 13)] {
        let bytes = frame(2, n_objects, raw_len, &payload);
        let error = decode_frame(&mut Codecs::new(), kind, &bytes).unwrap_err();
        assert!(error.to_string().contains("byte planes of more than one chunk"), "{error}");
    }
}

/// A payload of codec 2: the width as it is said, and mode and body of each plane.
pub(super) fn payload(width: u8, planes: &[(u8, &[u8])], tail: &[u8]) -> Vec<u8> {
    let mut out = vec![width];
    for (mode, body) in planes {
        out.push(*mode);
        out.extend_from_slice(&u32::try_from(body.len()).unwrap().to_le_bytes());
    }
    for (_, body) in planes {
        out.extend_from_slice(body);
    }
    [&out[..], tail].concat()
}

fn decode(payload: &[u8], raw_len: u32) -> Result<Vec<u8>, FrameError> {
    decode_frame(&mut Codecs::new(), PackKind::Data, &frame(2, 1, raw_len, payload)).map(|f| f.raw)
}

fn zstd_of(raw: &[u8]) -> Vec<u8> {
    zstd::bulk::Compressor::default().compress(raw).unwrap()
}

#[test]
fn planes_are_joined_and_the_tail_is_put_behind() {
    let stored = payload(2, &[(0, b"hlo"), (0, b"el!")], b"?");
    assert_eq!(
        decode(&stored, 7).unwrap(),
        b"hello"[..5].iter().chain(b"!?").copied().collect::<Vec<_>>()
    );
    let zeros = zstd_of(&[0; 3]);
    let mixed = payload(2, &[(1, &zeros), (0, b"abc")], b"");
    assert_eq!(decode(&mixed, 6).unwrap(), b"\0a\0b\0c");
}

/// What a decoder must refuse: name, payload, raw length, part of the message.
pub(super) fn refused() -> Vec<(&'static str, Vec<u8>, u32, &'static str)> {
    let (a, b) = (&b"abc"[..], &b"xyz"[..]);
    let zeros = |len: usize| zstd_of(&vec![0; len]);
    let twice = [zeros(50), zeros(50)].concat();
    let mut lengths = payload(2, &[(0, a), (0, b)], b"");
    lengths[2] = 0xff;
    lengths[5] = 0xff;
    let (two, plain) = (payload(2, &[(0, a), (0, b)], b""), [5; 100]);
    vec![
        ("width-3", payload(3, &[(0, b"ab"), (0, b"cd"), (0, b"ef")], b""), 6, "2, 4 or 8"),
        ("width-0", payload(0, &[], b"abcdef"), 6, "2, 4 or 8"),
        ("width-1", payload(1, &[(0, b"abcdef")], b""), 6, "2, 4 or 8"),
        (
            "short-content",
            payload(8, &[(0, &b""[..]); 8], b"abcdefg"),
            7,
            "shorter than one element",
        ),
        ("mode-2", payload(2, &[(0, a), (2, b)], b""), 6, "unknown mode"),
        ("plane-short", payload(2, &[(0, b"ab"), (0, b)], b""), 6, "impossible length"),
        ("plane-long", payload(2, &[(0, b"abcd"), (0, b)], b""), 6, "impossible length"),
        ("plane-huge", lengths, 6, "impossible length"),
        ("byte-behind", [&two[..], b"?"].concat(), 6, "do not add up"),
        ("byte-missing", two[..16].to_vec(), 6, "do not add up"),
        ("tail-missing", two.clone(), 7, "do not add up"),
        ("heads-cut", two[..8].to_vec(), 6, "ends too early"),
        ("two-frames", payload(2, &[(1, &twice), (0, &plain)], b""), 200, "content length"),
        (
            "frame-and-more",
            payload(2, &[(1, &[&zeros(100)[..], b"?"].concat()), (0, &plain)], b""),
            200,
            "exactly one zstd",
        ),
        ("zstd-short", payload(2, &[(1, &zeros(99)), (0, &plain)], b""), 200, "content length"),
        ("zstd-bomb", payload(2, &[(1, &zeros(1 << 20)), (0, &plain)], b""), 200, "content length"),
        ("zstd-empty", payload(2, &[(1, b""), (0, &plain)], b""), 200, "ends too early"),
    ]
}

#[test]
fn payloads_of_planes_that_break_a_rule_are_refused() {
    for (name, payload, raw_len, reason) in refused() {
        let error = decode(&payload, raw_len).unwrap_err().to_string();
        assert!(error.contains(reason), "{name}: {error}");
    }
}

#[test]
fn a_pair_of_zstd_frames_without_lengths_is_refused() {
    // Header without a content size, then one run of 50 zeros: together they would fill the plane.
    let block = (50u32 << 3 | 0b011).to_le_bytes();
    let one = [&[0x28, 0xb5, 0x2f, 0xfd, 0, 0x38][..], &block[..3], &[0]].concat();
    let both = [&one[..], &one].concat();
    let error = decode(&payload(2, &[(1, &both), (0, &[5; 100])], b""), 200).unwrap_err();
    assert!(error.to_string().contains("exactly one zstd"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_payload_of_planes_is_refused_or_gives_its_length(
        width in 0u8..9, raw_len in 1u32..64, bytes in proptest::collection::vec(any::<u8>(), 0..90)
    ) {
        if let Ok(raw) = decode(&[&[width][..], &bytes].concat(), raw_len) {
            prop_assert_eq!(raw.len(), raw_len as usize);
        }
    }

    #[test]
    fn a_changed_byte_of_a_payload_never_gives_another_length(at in 0usize..14_000, value: u8) {
        let encoded = data_frame(&[&f32_weights(4096)]);
        let mut bytes = encoded.bytes().to_vec();
        prop_assert_eq!(bytes[0], CODEC_PLANES);
        let at = 12 + at % (bytes.len() - 12);
        bytes[at] = value;
        if let Ok(frame) = decode_frame(&mut Codecs::new(), PackKind::Data, &bytes) {
            prop_assert_eq!(frame.raw.len(), 16_384);
        }
    }

    #[test]
    fn skewed_elements_of_any_width_and_phase_read_back(
        seed: u8, width in 0usize..3, fixed in 1usize..8, len in 1000usize..9000
    ) {
        let width = 2 << width;
        let mut raw = noise(seed, len);
        for element in raw.chunks_mut(width) {
            element.iter_mut().skip(width - fixed.min(width - 1)).for_each(|byte| *byte = seed);
        }
        share(&raw);
    }
}
