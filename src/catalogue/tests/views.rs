use super::samples::*;
use crate::catalogue::{Feature, FeatureClass, LONE_LIMIT, Need, ViewError, consolidate};

fn run_of(fake: &Fake, names: &[Name], generation: u32) -> Object {
    let mut run = Object::new(ObjectKind::Run, generation, REPO, [0xaa; 16]);
    for (row, name) in (0..).zip(names) {
        let object = &fake.objects.iter().find(|(n, _)| n == name).unwrap().1;
        run.covers.push(cover(name, 100 + u64::from(row)));
        run.locs.extend(object.locs.iter().map(|l| LocRecord { source: row, ..*l }));
        run.packs.extend_from_slice(&object.packs);
    }
    run
}

fn places(view: &View, k: u8) -> Vec<PackId> {
    view.locs(key(k)).iter().map(|l| l.record.pack).collect()
}

#[test]
fn an_empty_catalogue_has_generation_zero_and_lists_nothing() {
    let view = Fake::default().view();
    assert_eq!(view.generation(), 0);
    assert!(!view.packs_listed(pack(1)) && !view.may_rely_on(pack(1)));
    assert!(view.missing(Need::Rely).is_empty());
}

#[test]
fn places_come_newest_first() {
    let mut fake = Fake::default();
    fake.put(push_record(0, 1, &[7], &[1]), 50);
    fake.put(push_record(0, 2, &[7], &[2]), 70);
    fake.put(push_record(0, 3, &[7], &[3]), 60);
    fake.put(push_record(0, 4, &[8], &[4]), 90);
    assert_eq!(places(&fake.view(), 7), [pack(2), pack(3), pack(1)]);
    assert_eq!(places(&fake.view(), 9), []);
}

#[test]
fn a_push_record_alone_and_in_a_run_counts_once() {
    let mut fake = Fake::default();
    let a = fake.put(push_record(0, 1, &[7], &[1]), 50);
    let b = fake.put(push_record(0, 2, &[7], &[2]), 60);
    assert_eq!(fake.view().lone_push_records(), 2);
    let run = run_of(&fake, &[a, b], 0);
    let run = fake.put(run, 70);
    let view = fake.view();
    assert_eq!(view.lone_push_records(), 0);
    assert_eq!(places(&view, 7).len(), 2);
    assert!(view.packs_listed(pack(1)) && view.packs_listed(pack(2)));
    assert_eq!(fake.view_with(&[run]).missing(Need::Rely), []);
    assert_eq!(places(&fake.view_with(&[run]), 7).len(), 2, "the run alone is enough");
}

#[test]
fn covered_push_records_count_no_more() {
    let mut fake = Fake::default();
    let old = fake.put(push_record(0, 1, &[7], &[1]), 10);
    fake.put(push_record(0, 2, &[8], &[2]), 60);
    let new = fake.put(baseline(1, &[&old], &[(7, 3)], &[1]), 90);
    let view = fake.view();
    assert_eq!(view.generation(), 1);
    assert_eq!(places(&view, 7), [pack(3)]);
    assert!(!view.packs_listed(pack(1)), "only the covered push record lists it");
    assert!(view.packs_listed(pack(2)) && view.packs_listed(pack(3)));
    assert_eq!(fake.view_with(&[new]).missing(Need::Read).len(), 1);
    assert_eq!(view.lone_push_records(), 1);
}

#[test]
fn a_root_of_a_push_that_had_not_seen_the_newest_baseline_is_not_current() {
    let mut fake = Fake::default();
    let old = fake.put(push_record(0, 1, &[7], &[1]), 95);
    fake.put(push_record(1, 2, &[8], &[2]), 96);
    let current =
        |fake: &Fake, k| fake.view().current_locs(key(k)).map(|l| l.pack).collect::<Vec<_>>();
    fake.put(baseline(1, &[], &[(9, 3)], &[]), 90);
    assert_eq!(places(&fake.view(), 7), [pack(1)], "readers still find it");
    assert_eq!(current(&fake, 7), []);
    assert_eq!((current(&fake, 8), current(&fake, 9)), (vec![pack(2)], vec![pack(3)]));
    let mut run = run_of(&fake, &[old], 0);
    run.nonce = [0xbb; 16];
    fake.put(run, 97);
    assert_eq!(current(&fake, 7), [], "nor in a run");
}

#[test]
fn a_run_holds_push_records_of_the_newest_generation_only() {
    let mut fake = Fake::default();
    fake.put(baseline(2, &[], &[], &[]), 90);
    let old = fake.put(push_record(1, 200, &[200], &[200]), 95);
    let older_run = run_of(&fake, &[old], 1);
    fake.put(older_run, 96);
    fake.put(push_record(1, 201, &[201], &[201]), 97);
    for n in 1..u8::try_from(LONE_LIMIT).unwrap() {
        fake.put(push_record(2, n, &[n], &[n]), 100);
    }
    assert_eq!(consolidate(&fake.view(), REPO, [1; 16]), None, "one of them is older");
    fake.put(push_record(2, 100, &[100], &[100]), 101);
    let run = consolidate(&fake.view(), REPO, [1; 16]).unwrap();
    assert_eq!((run.generation, run.covers.len()), (2, LONE_LIMIT));
    assert!(!run.packs.iter().any(|row| row.pack == pack(200) || row.pack == pack(201)));
}

#[test]
fn what_any_listed_baseline_condemns_must_not_be_relied_on() {
    let mut fake = Fake::default();
    let old = fake.put(baseline(1, &[], &[], &[5]), 10);
    let new = fake.put(baseline(2, &[], &[(7, 5), (8, 6)], &[]), 20);
    let view = fake.view();
    assert_eq!(view.newest_baselines(), [new]);
    assert!(view.packs_listed(pack(5)) && view.condemned(pack(5)) && !view.may_rely_on(pack(5)));
    assert!(view.may_rely_on(pack(6)));
    let unread = fake.view_with(&[new]);
    assert!(!unread.may_rely_on(pack(6)), "an unread baseline might condemn it");
    assert_eq!(unread.missing(Need::Read), []);
    assert_eq!(unread.missing(Need::Rely).iter().map(|m| m.0).collect::<Vec<_>>(), [old]);
}

#[test]
fn of_two_newest_baselines_only_what_both_say_is_trusted() {
    let mut fake = Fake::default();
    let a = fake.put(push_record(0, 1, &[7], &[1]), 10);
    let b = fake.put(push_record(0, 2, &[8], &[2]), 11);
    fake.put(baseline(1, &[&a, &b], &[(7, 3), (9, 4)], &[]), 20);
    fake.put(Object { nonce: [9; 16], ..baseline(1, &[&a], &[(7, 3)], &[2]) }, 21);
    let view = fake.view();
    assert_eq!(view.newest_baselines().len(), 2);
    assert!(view.is_covered(a.id) && !view.is_covered(b.id));
    assert!(view.packs_listed(pack(3)) && !view.packs_listed(pack(4)));
    assert!(!view.packs_listed(pack(1)));
    assert!(view.packs_listed(pack(2)) && !view.may_rely_on(pack(2)));
    assert_eq!(places(&view, 7), [pack(3)]);
    let current = |k| view.current_locs(key(k)).map(|l| l.pack).collect::<Vec<_>>();
    assert_eq!((current(7), current(9)), (vec![pack(3)], vec![]));
}

#[test]
fn a_pack_that_only_records_of_older_generations_list_is_not_relied_on() {
    let mut fake = Fake::default();
    let old = fake.put(push_record(0, 1, &[7], &[1]), 50);
    let older_run = run_of(&fake, &[old], 0);
    fake.put(older_run, 55);
    fake.put(push_record(0, 2, &[8], &[2]), 60);
    assert!(fake.view().may_rely_on(pack(2)), "as long as there is no baseline");
    fake.put(baseline(1, &[], &[(9, 3)], &[]), 90);
    let new = fake.put(push_record(1, 4, &[7], &[4]), 95);
    let view = fake.view();
    assert!(view.packs_listed(pack(1)) && view.packs_listed(pack(2)), "readers go by them");
    assert_eq!([1, 2, 3, 4].map(|n| view.may_rely_on(pack(n))), [false, false, true, true]);
    let run = run_of(&fake, &[new], 1);
    fake.put(run, 96);
    assert!(fake.view().may_rely_on(pack(4)), "in a run of the newest generation as well");
}

#[test]
fn a_root_that_needs_a_condemned_pack_or_lies_in_two_places_is_found_and_not_relied_on() {
    let mut fake = Fake::default();
    let mut gc = baseline(1, &[], &[(7, 3), (8, 4)], &[]);
    gc.locs[0].source = SOURCE_CONDEMNED;
    fake.put(gc, 90);
    let current = |fake: &Fake| {
        [7, 8].map(|k| fake.view().current_locs(key(k)).map(|l| l.pack).collect::<Vec<_>>())
    };
    assert_eq!([7, 8].map(|k| places(&fake.view(), k)), [[pack(3)], [pack(4)]]);
    assert_eq!(current(&fake), [vec![], vec![pack(4)]]);
    fake.put(Object { nonce: [9; 16], ..baseline(1, &[], &[(7, 3), (8, 5)], &[]) }, 91);
    assert_eq!(current(&fake), [vec![], vec![]], "each of two says something else");
    fake.put(push_record(1, 6, &[7], &[6]), 92);
    assert_eq!(current(&fake), [vec![pack(6)], vec![]]);
}

#[test]
fn the_packs_of_a_run_are_not_believed_once_a_part_of_it_is_covered() {
    let mut fake = Fake::default();
    let old = fake.put(push_record(0, 1, &[7], &[1]), 10);
    let young = fake.put(push_record(0, 2, &[8], &[2]), 60);
    let run = run_of(&fake, &[old, young], 0);
    let run = fake.put(run, 70);
    let gc = fake.put(baseline(1, &[&old], &[], &[]), 90);
    let view = fake.view();
    assert!(!view.packs_listed(pack(1)), "gc may have deleted it");
    assert!(view.packs_listed(pack(2)), "the push record is still there alone");
    assert_eq!(places(&view, 7), []);
    assert_eq!(places(&view, 8), [pack(2)]);
    let alone: Vec<_> = fake.listing.drain(..2).collect();
    assert_eq!(alone.len(), 2);
    let view = fake.view_with(&[run, gc]);
    assert_eq!(places(&view, 8), [pack(2)]);
    assert!(!view.packs_listed(pack(1)) && !view.packs_listed(pack(2)));
}

#[test]
fn hooks_lead_from_chunks_to_packs_of_what_counts() {
    let mut fake = Fake::default();
    let old = fake.put(push_record(0, 1, &[7], &[1]), 10);
    fake.put(push_record(0, 2, &[8], &[9, 2]), 60);
    fake.put(baseline(1, &[&old], &[], &[]), 90);
    let hooks: Vec<_> = fake.view().hooks().collect();
    assert_eq!(hooks, [([2; 8], pack(2)), ([9; 8], pack(9))]);
}

#[test]
fn a_required_feature_stops_the_work_it_names_and_all_that_needs_more() {
    let with = |name: &str| {
        let listed = Listed { name: name.into(), size: 0, modified_ms: 0 };
        View::build([listed], []).unwrap()
    };
    let all = [FeatureClass::Read, FeatureClass::Write, FeatureClass::Gc];
    let allowed = |name: &str| all.map(|class| with(name).check_features(class, &[]).is_ok());
    assert_eq!(allowed("f-read-enc1"), [false, false, false]);
    assert_eq!(allowed("f-write-enc1"), [true, false, false]);
    assert_eq!(allowed("f-gc-enc1"), [true, true, false]);
    assert_eq!(allowed("x-future"), [true, false, false]);
    let known = [Feature { class: FeatureClass::Read, name: "enc1".into() }];
    assert!(with("f-read-enc1").check_features(FeatureClass::Gc, &known).is_ok());
    let error = with("f-read-enc1").check_features(FeatureClass::Read, &[]).unwrap_err();
    assert!(error.to_string().contains("a newer haul is needed"));
}

#[test]
fn a_listing_beyond_the_limit_is_refused() {
    let listed = |n: usize| Listed { name: format!("x{n}"), size: 0, modified_ms: 0 };
    assert!(View::build((0..100_000).map(listed), []).is_ok());
    let refused = View::build((0..100_001).map(listed), []);
    assert!(matches!(refused, Err(ViewError::TooMany { limit: 100_000, .. })));
}

/// A catalogue of `n` push records, each with a root and pack of its own and one shared root.
fn many(n: u8) -> Fake {
    let mut fake = Fake::default();
    for i in 1..=n {
        fake.put(push_record(0, i, &[i, 0xff], &[i]), u64::from(i));
    }
    fake
}

#[test]
fn enough_lone_push_records_become_a_run_that_answers_the_same() {
    let mut fake = many(31);
    assert_eq!(consolidate(&fake.view(), REPO, [1; 16]), None);
    fake.put(push_record(0, 32, &[32, 0xff], &[32]), 32);
    let before = fake.view();
    assert_eq!(before.lone_push_records(), LONE_LIMIT);
    let run = consolidate(&before, REPO, [1; 16]).unwrap();
    assert_eq!((run.covers.len(), run.packs.len(), run.locs.len()), (32, 32, 64));
    let mut alone = Fake::default();
    alone.put(run, 100);
    let after = alone.view();
    for k in (1..=32).chain([0xff]) {
        assert_eq!(places(&after, k), places(&before, k));
        assert_eq!(after.packs_listed(pack(k)), before.packs_listed(pack(k)));
    }
    let hooks = |view: &View| view.hooks().collect::<std::collections::BTreeSet<_>>();
    assert_eq!(hooks(&after), hooks(&before));
}

#[test]
fn a_run_takes_smaller_runs_in_and_leaves_much_larger_ones_alone() {
    let mut fake = many(32);
    let small = [push_record(0, 101, &[101], &[101]), push_record(0, 102, &[102], &[102])];
    let small: Vec<_> = small.map(|object| fake.put(object, 5)).into();
    let run = run_of(&fake, &small, 0);
    fake.put(run, 6);
    let mut huge = Object::new(ObjectKind::Run, 0, REPO, [3; 16]);
    let gone = push_record(0, 103, &[103], &[]).encode().unwrap().0;
    huge.covers = vec![cover(&gone, 1)];
    huge.locs = (0..60_000u32)
        .map(|n| {
            let mut record = loc(0, 1, 0);
            record.key.0[..4].copy_from_slice(&n.to_be_bytes());
            record
        })
        .collect();
    fake.put(huge, 7);
    let run = consolidate(&fake.view(), REPO, [1; 16]).unwrap();
    assert_eq!(run.covers.len(), 34);
    assert!(!run.covers.iter().any(|c| c.push_record == gone.id));
}

#[test]
fn nothing_is_put_together_before_all_that_counts_was_read() {
    let fake = many(40);
    let all: Vec<_> = fake.objects.iter().map(|(name, _)| *name).collect();
    assert!(consolidate(&fake.view_with(&all[1..]), REPO, [1; 16]).is_none());
    assert!(consolidate(&fake.view_with(&all), REPO, [1; 16]).is_some());
}
