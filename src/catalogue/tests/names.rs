use proptest::prelude::*;

use super::samples::*;
use crate::catalogue::{Entry, Feature, FeatureClass, is_hook};
use crate::hash::CatalogueId;
use crate::hash::ChunkId;

#[test]
fn a_name_carries_kind_generation_locs_and_id() {
    let name = Name {
        kind: ObjectKind::PushRecord,
        generation: 0x1f,
        locs: 2,
        id: CatalogueId([0xa0, 1, 2, 3, 4, 5, 6, 7]),
    };
    let text = "u-0000001f-00000002-a001020304050607";
    assert_eq!(name.to_string(), text);
    assert_eq!(Entry::parse(text), Entry::Object(name));
}

#[test]
fn features_name_the_class_of_work_that_must_know_them() {
    for (text, class) in [
        ("f-read-enc1", FeatureClass::Read),
        ("f-write-enc1", FeatureClass::Write),
        ("f-gc-enc1", FeatureClass::Gc),
    ] {
        let feature = Feature { class, name: "enc1".into() };
        assert_eq!(feature.to_string(), text);
        assert_eq!(Entry::parse(text), Entry::Feature(feature));
    }
}

#[test]
fn every_other_name_is_unknown_and_kept() {
    for text in [
        "",
        "u",
        "x-0000001f-00000002-a001020304050607",
        "u-0000001F-00000002-a001020304050607",
        "u-1f-00000002-a001020304050607",
        "u-0000001f-00000002-a0010203040506",
        "u-0000001f-00000002-a001020304050607-",
        "u-+000001f-00000002-a001020304050607",
        "f-read-",
        "f-read-Enc",
        "f-sing-enc1",
        "f-read-a23456789012345678901234567890123",
    ] {
        assert_eq!(Entry::parse(text), Entry::Unknown(text.into()), "{text}");
    }
}

#[test]
fn one_chunk_in_128_is_a_hook_by_its_id() {
    let hooks = (0..=255u8).filter(|&first| {
        let mut id = [0x55; 32];
        id[0] = first;
        is_hook(ChunkId(id))
    });
    assert_eq!(hooks.collect::<Vec<_>>(), [0x00, 0x80]);
}

proptest! {
    #[test]
    fn every_name_prints_as_it_was_read(
        text in "([urbx]-[0-9a-f]{7,8}-[0-9a-f]{8}-[0-9a-f]{15,16})|(f-(read|write|gc)-[a-z0-9.]{0,33})|.{0,40}"
    ) {
        prop_assert_eq!(Entry::parse(&text).to_string(), text);
    }
}
