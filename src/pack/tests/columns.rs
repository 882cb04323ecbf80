//! What becomes of text tables, and every byte of the columns' payload.

use proptest::prelude::*;

use super::hostile::frame;
use super::samples::*;
use crate::pack::{CODEC_COLUMNS, CODEC_ZSTD, FrameError, decode_frame};

/// Rows with an id, a time, a user, two words, numbers of unequal length, and a random token.
pub(super) fn table(rows: u32, separator: char) -> String {
    const WORDS: [&str; 7] = ["Accra", "Berlin", "", "Lyon", "Osaka", "Perth", "Porto"];
    let random = noise(4, rows as usize * 16);
    let mut time = 1_700_000_000;
    let rows = random.as_chunks::<16>().0.iter().zip(97_500u32..).map(|(draw, id)| {
        let [a, b] = [0, 8].map(|at| u64::from_le_bytes(draw[at..at + 8].try_into().unwrap()));
        time += b % 5;
        let price = b / 40 % 20_000;
        let fields = [
            id.to_string(),
            time.to_string(),
            format!("u{:07}", b / 800_000 % 2_000_000),
            WORDS[(b / 5 % 7) as usize].to_owned(),
            format!("{}.{:02}", price / 100, price % 100),
            format!("2026-11-{:02}", 1 + b / 999 % 28),
            format!("{a:016x}"),
        ];
        fields.join(&separator.to_string()) + "\n"
    });
    rows.collect()
}

/// Encodes one chunk, proves that it decodes, and returns its codec and its length.
fn coded(raw: &[u8]) -> (u8, usize) {
    let encoded = data_frame(&[raw]);
    let back = decode_frame(&mut Codecs::new(), PackKind::Data, encoded.bytes()).unwrap();
    assert!(back.raw == raw);
    (encoded.codec(), encoded.bytes().len())
}

#[test]
fn tables_take_a_third_of_their_bytes_wherever_a_chunk_begins() {
    let table = table(1200, ',');
    for cut in [0, 1, 30, 66] {
        let raw = &table.as_bytes()[cut..table.len() - cut];
        let (codec, len) = coded(raw);
        assert_eq!(codec, CODEC_COLUMNS);
        assert!(len * 3 < raw.len(), "{len} of {}", raw.len());
    }
}

#[test]
fn any_of_five_bytes_separates_and_rows_may_end_as_on_windows() {
    for separator in [',', '\t', ';', '|', ' '] {
        assert_eq!(coded(table(400, separator).as_bytes()).0, CODEC_COLUMNS, "{separator:?}");
    }
    assert_eq!(coded(table(400, ',').replace('\n', "\r\n").as_bytes()).0, CODEC_COLUMNS);
}

#[test]
fn text_that_is_no_table_goes_through_zstd() {
    let table = table(600, ',');
    let quoted = table.replacen("Osaka", "\"Osaka, Japan\"", 40);
    assert_eq!(coded(quoted.as_bytes()).0, CODEC_ZSTD);
    let shorter_row = table[..20_000].to_owned() + "1,2\n" + &table[20_000..];
    assert_eq!(coded(shorter_row.as_bytes()).0, CODEC_ZSTD);
    let long_field = table.replace("Osaka", &"Osaka".repeat(60));
    assert_eq!(coded(long_field.as_bytes()).0, CODEC_ZSTD);
    assert_eq!(
        coded("no separators here\n".replace(' ', "-").repeat(500).as_bytes()).0,
        CODEC_ZSTD
    );
}

#[test]
fn chunks_that_share_a_frame_and_nodes_never_have_columns() {
    let table = table(400, ',');
    assert_ne!(data_frame(&[table.as_bytes(), b"another"]).codec(), CODEC_COLUMNS);
    assert_ne!(node_frame(&node(table.as_bytes()), b"").codec(), CODEC_COLUMNS);
    let (payload, raw) = by_hand();
    let len = u32::try_from(raw.len()).unwrap();
    for (kind, n_objects) in [(PackKind::Data, 2), (PackKind::Nodes, 1)] {
        let bytes = frame(3, n_objects, len, &payload);
        let error = decode_frame(&mut Codecs::new(), kind, &bytes).unwrap_err();
        assert!(error.to_string().contains("columns of more than one chunk"), "{error}");
    }
}

/// The payload of a table: what every one begins with, and its columns.
fn payload(columns: u8, rows: u32, edges: [&[u8]; 2], body: &[&[u8]]) -> Vec<u8> {
    let mut out = vec![b',', columns];
    out.extend_from_slice(&rows.to_le_bytes());
    for edge in edges {
        out.extend_from_slice(&u32::try_from(edge.len()).unwrap().to_le_bytes());
    }
    [&[&out[..], &edges.concat()], body].concat().concat()
}

fn zstd_stream(raw: &[u8]) -> Vec<u8> {
    let coded = zstd::bulk::Compressor::default().compress(raw).unwrap();
    [&[1][..], &u32::try_from(coded.len()).unwrap().to_le_bytes(), &coded].concat()
}

const EQUAL: &[u8] = b"\x00\x01\x00ab";
const STEPS: &[u8] = b"\x04\x09\0\0\0\0\0\0\0\x00\x00\x01";

/// One column of each kind, put together without our coder, and what they say.
pub(super) fn by_hand() -> (Vec<u8>, Vec<u8>) {
    let planes = b"\x02\x03\x02x\x00abAB";
    let listed = [b"\x01\x00\x00\x04", &zstd_stream(b"pear")[..]].concat();
    let body = [EQUAL, &listed, planes, b"\x03\x01\x02hi\x00\x00\x01\x00", STEPS, b"\x00\x00"];
    let raw = b"head\na,,axA,,9,\nb,pear,bxB,hi,10,\ntail".to_vec();
    (payload(6, 2, [b"head\n", b"tail"], &body), raw)
}

fn decode(payload: &[u8], raw_len: usize) -> Result<Vec<u8>, FrameError> {
    let bytes = frame(3, 1, u32::try_from(raw_len).unwrap(), payload);
    decode_frame(&mut Codecs::new(), PackKind::Data, &bytes).map(|frame| frame.raw)
}

#[test]
fn each_kind_of_column_reads_as_the_format_says() {
    let (payload, raw) = by_hand();
    assert_eq!(String::from_utf8(decode(&payload, raw.len()).unwrap()), String::from_utf8(raw));
}

/// What a decoder must refuse: name, payload, raw length, part of the message.
pub(super) fn refused() -> Vec<(&'static str, Vec<u8>, u32, &'static str)> {
    let plain = |body: &[&[u8]]| payload(2, 2, [b"", b""], body);
    let good = plain(&[EQUAL, EQUAL]);
    let changed = |at: usize, value: u8| {
        let mut bytes = good.clone();
        bytes[at] = value;
        bytes
    };
    let bomb = [&[0, 1][..], &zstd_stream(&vec![0; 1 << 10])].concat();
    let long = [&[0, 1, 1][..], &u32::MAX.to_le_bytes()].concat();
    let most = b"\x04\xff\xff\xc0\x6f\xf2\x86\x23\x00\x02\x01";
    vec![
        ("separator", changed(0, b'\n'), 8, "unknown shape"),
        ("one-column", changed(1, 1), 8, "unknown shape"),
        ("65-columns", changed(1, 65), 8, "unknown shape"),
        ("no-rows", changed(2, 0), 8, "does not fit its content"),
        ("rows-huge", changed(5, 0xff), 8, "does not fit its content"),
        ("head-huge", changed(9, 0xff), 8, "ends too early"),
        ("kind-5", changed(14, 5), 8, "unknown kind"),
        ("mode-3", changed(16, 3), 8, "unknown mode"),
        ("fields-long", changed(15, 5), 8, "longer than its content"),
        ("fields-short", good.clone(), 9, "do not add up to its content"),
        ("byte-behind", [&good[..], b"?"].concat(), 8, "do not add up to its payload"),
        ("cut", good[..good.len() - 1].to_vec(), 8, "ends too early"),
        ("lengths", plain(&[b"\x01\x02\xff\x00", EQUAL]), 8, "longer than its content"),
        ("plane-bit", plain(&[b"\x02\x01\x03xx", EQUAL]), 8, "constant planes"),
        ("entry", plain(&[b"\x03\x00\x01a\x02\x01", EQUAL]), 8, "unknown entry"),
        ("number-first", plain(&[b"\x04\0\0\0\0\0\0\0\x01\x02\x00", EQUAL]), 38, "too large"),
        ("number-last", plain(&[most, EQUAL]), 38, "too large"),
        ("numbers-long", plain(&[STEPS, EQUAL]), 8, "longer than its content"),
        ("stream-huge", plain(&[&long, EQUAL]), 8, "impossible length"),
        ("zstd-bomb", plain(&[&bomb, EQUAL]), 8, "content length"),
    ]
}

#[test]
fn payloads_of_columns_that_break_a_rule_are_refused() {
    for (name, payload, raw_len, reason) in refused() {
        let error = decode(&payload, raw_len as usize).unwrap_err().to_string();
        assert!(error.contains(reason), "{name}: {error}");
    }
}

/// Rows of a table that a user may have: each field short, of one of some kinds.
fn rows() -> impl Strategy<Value = String> {
    let field = prop_oneof!["[a-c]{0,2}", "[0-9]{1,4}", "[a-z ]{0,40}", "2026-0[1-9]"];
    let row = proptest::collection::vec(field, 4);
    proptest::collection::vec(row, 150..400)
        .prop_map(|rows| rows.iter().map(|row| row.join(",") + "\n").collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_table_reads_back(rows in rows(), first in 0usize..60, number: u32) {
        let numbered: Vec<String> =
            rows.lines().zip(number..).map(|(row, n)| format!("{n},{row}\n")).collect();
        let numbered = numbered.concat();
        for table in [&rows, &numbered] {
            coded(&table.as_bytes()[first..]);
        }
    }

    #[test]
    fn any_payload_of_columns_is_refused_or_gives_its_length(
        raw_len in 1usize..90, columns in 2u8..4, rows in 1u32..5,
        body in proptest::collection::vec(prop_oneof![0u8..6, any::<u8>()], 0..60)
    ) {
        if let Ok(raw) = decode(&payload(columns, rows, [b"", b""], &[&body]), raw_len) {
            prop_assert_eq!(raw.len(), raw_len);
        }
    }

    #[test]
    fn a_changed_byte_of_columns_never_gives_another_length(at: prop::sample::Index, value: u8) {
        let (good, raw) = by_hand();
        let long = table(300, ',');
        let encoded = data_frame(&[long.as_bytes()]).bytes()[12..].to_vec();
        for (mut payload, len) in [(good, raw.len()), (encoded, long.len())] {
            let at = at.index(payload.len());
            payload[at] = value;
            if let Ok(raw) = decode(&payload, len) {
                prop_assert_eq!(raw.len(), len);
            }
        }
    }
}
