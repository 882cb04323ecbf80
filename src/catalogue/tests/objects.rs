use proptest::prelude::*;

use super::samples::*;
use crate::catalogue::{ObjectError, UnknownSection};
use crate::hash::CatalogueId;
use crate::hash::Digest;

fn bytes_of(object: Object) -> Vec<u8> {
    object.encode().unwrap().1
}

/// Makes the trailer fit again after the bytes before it were changed.
pub(super) fn rehash(bytes: &mut [u8]) {
    let at = bytes.len() - 36;
    let hash = Digest::of(&bytes[..at]);
    bytes[at..at + 32].copy_from_slice(&hash.0);
}

fn is_newer(result: Result<Object, ObjectError>) -> bool {
    result.unwrap_err().to_string().contains("a newer haul is needed")
}

#[test]
fn tables_are_sorted_on_writing_and_rows_move_along() {
    let object = push_record(1, 1, &[9, 3, 5], &[8, 2]);
    let read = Object::parse(&bytes_of(object)).unwrap();
    assert_eq!(read.locs.iter().map(|l| l.key).collect::<Vec<_>>(), [key(3), key(5), key(9)]);
    assert_eq!(read.packs, [pack_record(2), pack_record(8)]);
    for hook in &read.hooks {
        assert_eq!(read.packs[hook.pack_row as usize].pack.0[0], hook.chunk[0]);
    }
}

#[test]
fn sources_of_a_run_follow_its_push_records() {
    let names: Vec<_> = (1..4).map(|n| push_record(0, n, &[1], &[1]).encode().unwrap().0).collect();
    let mut run = Object::new(ObjectKind::Run, 0, REPO, [0; 16]);
    run.covers = names.iter().map(|name| cover(name, 5)).collect();
    run.locs = (0..3).map(|row: u8| loc(1, row, row.into())).collect();
    let read = Object::parse(&bytes_of(run)).unwrap();
    for loc in &read.locs {
        let source = read.covers[loc.source as usize].push_record;
        assert_eq!(source, names[usize::from(loc.pack.0[0])].id);
    }
}

#[test]
fn sections_that_are_not_known_are_kept() {
    let mut object = push_record(1, 1, &[3], &[2]);
    object.unknown = vec![
        UnknownSection { tag: *b"SIGN", record_size: 4, bytes: vec![1; 8] },
        UnknownSection { tag: *b"AAAA", record_size: 1, bytes: vec![] },
    ];
    let bytes = bytes_of(object.clone());
    let read = Object::parse(&bytes).unwrap();
    object.unknown.reverse();
    assert_eq!(read.unknown, object.unknown);
    assert_eq!(bytes_of(read), bytes);
}

/// What is wrong, and how to make it so.
type Breaks = (&'static str, fn(&mut Object));

#[test]
fn what_a_reader_would_refuse_is_not_written() {
    let good = || push_record(1, 1, &[3, 4], &[2]);
    assert!(good().encode().is_ok());
    let broken: [Breaks; 10] = [
        ("a key twice", |o| o.locs[1].key = o.locs[0].key),
        ("a pack twice", |o| o.packs.push(o.packs[0])),
        ("a row that is not there", |o| o.hooks[0].pack_row = 1),
        ("a source in a push record", |o| o.locs[0].source = 1),
        ("covers in a push record", |o| {
            o.covers.push(CoverRecord {
                push_record: CatalogueId([0; 8]),
                stored_ms: 0,
                repo: REPO,
            });
        }),
        ("victims in a push record", |o| o.victims.push(pack(1))),
        ("victims in a run", |o| {
            o.kind = ObjectKind::Run;
            o.locs.clear();
            o.victims.push(pack(1));
        }),
        ("a source without its row", |o| o.kind = ObjectKind::Run),
        ("a baseline with sources", |o| o.kind = ObjectKind::Baseline),
        ("a known table as unknown", |o| {
            o.unknown.push(UnknownSection { tag: *b"VICT", record_size: 16, bytes: vec![0; 16] });
        }),
    ];
    for (what, breaks) in broken {
        let mut object = good();
        breaks(&mut object);
        assert!(object.encode().is_err(), "{what}");
    }
    let mut object = good();
    object.unknown = (0..30u8)
        .map(|n| UnknownSection { tag: [b'a', b'a', b'a', n], record_size: 1, bytes: vec![0] })
        .collect();
    assert!(object.encode().is_err(), "too many sections");
}

#[test]
fn fields_of_newer_releases_are_refused_by_name() {
    let good = bytes_of(push_record(1, 1, &[3], &[2]));
    for at in [4, 5, 12] {
        let mut bytes = good.clone();
        bytes[at] = 9;
        rehash(&mut bytes);
        assert!(is_newer(Object::parse(&bytes)), "byte {at}");
    }
    let pack_kind = 512 + 44 + 28;
    let mut bytes = good.clone();
    bytes[pack_kind] = 3;
    rehash(&mut bytes);
    assert!(is_newer(Object::parse(&bytes)));
    bytes[pack_kind] = 1;
    bytes[pack_kind + 1] = 1;
    rehash(&mut bytes);
    assert!(Object::parse(&bytes).is_err());
}

#[test]
fn counts_that_do_not_meet_the_size_are_refused() {
    let good = bytes_of(push_record(1, 1, &[3], &[2]));
    // The count of the first section lies at byte 56, its record size at 52.
    for (at, value) in [(56, 2), (56, 0), (63, 0xff), (52, 43), (55, 0xff)] {
        let mut bytes = good.clone();
        bytes[at] = value;
        rehash(&mut bytes);
        assert!(Object::parse(&bytes).is_err(), "byte {at} = {value}");
    }
}

#[test]
fn a_bit_flipped_or_a_byte_missing_anywhere_is_found() {
    let object = push_record(1, 1, &[3, 4], &[2]);
    let (name, bytes) = object.encode().unwrap();
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1;
        assert!(Object::parse(&flipped).is_err(), "byte {at}");
        assert!(Object::parse(&bytes[..at]).is_err(), "cut to {at}");
    }
    assert!(Object::parse_named(&name, &bytes).is_ok());
    for other in [
        Name { kind: ObjectKind::Run, ..name },
        Name { generation: 2, ..name },
        Name { locs: 3, ..name },
        Name { id: CatalogueId([0; 8]), ..name },
    ] {
        assert!(Object::parse_named(&other, &bytes).is_err(), "{other}");
    }
}

proptest! {
    #[test]
    fn any_object_reads_back(
        keys in proptest::collection::vec(any::<u8>(), 0..20),
        packs in proptest::collection::btree_set(any::<u8>(), 0..20),
        generation: u32,
    ) {
        let keys: std::collections::BTreeSet<_> = keys.into_iter().collect();
        let keys: Vec<_> = keys.into_iter().rev().collect();
        let packs: Vec<_> = packs.into_iter().rev().collect();
        let (name, bytes) = push_record(generation, 1, &keys, &packs).encode().unwrap();
        let read = Object::parse_named(&name, &bytes).unwrap();
        prop_assert_eq!(read.locs.len(), keys.len());
        prop_assert_eq!(read.encode().unwrap(), (name, bytes));
    }

    #[test]
    fn whatever_is_accepted_has_one_encoding(changes in proptest::collection::vec((0usize..700, any::<u8>()), 1..4)) {
        let mut object = push_record(1, 1, &[3, 4], &[2, 5]);
        object.unknown = vec![UnknownSection { tag: *b"ZZZZ", record_size: 2, bytes: vec![7; 4] }];
        let mut bytes = bytes_of(object);
        for (at, value) in changes {
            let at = at % (bytes.len() - 36);
            bytes[at] = value;
        }
        rehash(&mut bytes);
        if let Ok(read) = Object::parse(&bytes) {
            prop_assert_eq!(bytes_of(read), bytes);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(mut bytes in proptest::collection::vec(any::<u8>(), 36..700), header: bool) {
        if header {
            let good = bytes_of(push_record(1, 1, &[3], &[2]));
            let n = bytes.len().min(64);
            bytes[..n].copy_from_slice(&good[..n]);
            rehash(&mut bytes);
            let end = bytes.len() - 4;
            bytes[end..].copy_from_slice(b"IUAH");
        }
        prop_assert!(Object::parse(&bytes).is_err());
    }
}
