//! The push protocol against what others may do to the remote meanwhile: gc condemns packs, objects
//! vanish. Baselines are made by hand here.

use std::os::unix::fs::MetadataExt;

use haul::catalogue::{Name, Object, ObjectKind};
use haul::hash::{PackId, RepoId};

use crate::harness::{Remote, Repo, World, data};
use crate::push::{ready, send, sent, take};
use crate::scene::pulls;

/// Writes a baseline that condemns packs and covers nothing.
fn condemn(remote: &Remote, generation: u32, nonce: u8, packs: &[String]) -> Name {
    let mut baseline = Object::new(ObjectKind::Baseline, generation, RepoId([9; 16]), [nonce; 16]);
    baseline.victims = packs.iter().map(|key| pack_of(key)).collect();
    let (name, bytes) = baseline.encode().expect("is sound");
    remote.write(&format!("i/{name}"), &bytes);
    name
}

fn pack_of(key: &str) -> PackId {
    key.rsplit('/').next().and_then(|name| name.parse().ok()).expect("is a pack")
}

fn pushed<'a>(world: &'a World, remote: &Remote) -> Repo<'a> {
    let a = ready(world, "a", remote);
    a.write("d/x.bin", &data::bytes(1, 500_000));
    a.write("d/y.bin", &data::bytes(2, 500_000));
    send(&a, "d");
    a
}

#[test]
fn a_condemned_pack_is_not_relied_on_but_written_afresh() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    let old = [remote.keys("p/"), remote.keys("m/")].concat();
    condemn(&remote, 1, 1, &old);
    a.write("d/z.bin", &data::bytes(3, 500_000));
    send(&a, "d");
    // Now gc may delete what it condemned.
    for key in &old {
        remote.remove(key);
    }
    a.haul(&["verify"]).ok();
    pulls(&a, "b");
}

/// A clone with the frames of one file, out of a pack that holds those of another too.
fn with_frames_only<'a>(a: &Repo<'a>, remote: &Remote) -> Repo<'a> {
    let b = a.clone_as("b");
    b.haul(&["fetch", "d/x.bin"]).ok();
    let packs = remote.keys("p/");
    let [pack] = packs.as_slice() else { panic!("both files lie in one pack: {packs:?}") };
    let part = b.path(pack.replacen("p/", ".git/haul/parts/", 1));
    let held = part.metadata().expect("its frames are kept").blocks() * 512;
    assert!((500_000..600_000).contains(&held), "{held} bytes of the pack are here");
    assert!(remote.bytes("p/") > 1_000_000);
    assert!(!b.has(".git/haul/packs"), "no pack is here whole");
    b
}

#[test]
fn a_condemned_pack_of_which_only_frames_are_here_is_fetched_first() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    let b = with_frames_only(&a, &remote);
    let old = [remote.keys("p/"), remote.keys("m/")].concat();
    condemn(&remote, 1, 1, &old);
    let push = b.haul(&["push", "--json"]).ok();
    let received = push.json()["requests"]["received"].as_u64().expect("is counted");
    assert!((500_000..600_000).contains(&received), "what is absent came, and only that\n{push}");
    assert!(sent(&push) > 1_000_000, "both files were sent\n{push}");
    for key in &old {
        remote.remove(key);
    }
    b.haul(&["verify"]).ok();
    pulls(&a, "c");
}

#[test]
fn a_pack_that_vanished_is_written_afresh_from_the_frames_that_are_here() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    let b = with_frames_only(&a, &remote);
    let key = remote.keys("p/").remove(0);
    remote.remove(&key);
    b.write("e/x.bin", &data::bytes(1, 500_000));
    send(&b, "e");
    assert!(!remote.keys("p/").contains(&key), "no half of a pack was sent under its name");
    let c = b.clone_as("c");
    c.haul(&["pull", "e"]).ok();
    assert_eq!(c.read("e/x.bin"), data::bytes(1, 500_000));
    // The other file lay in that pack alone.
    b.haul(&["verify"]).fails_with(4).prints("d").prints(&pack_of(&key).to_string());
}

#[test]
fn a_catalogue_object_that_vanishes_between_listing_and_reading_makes_the_reader_list_again() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    let b = a.clone_as("b");
    let pull = b.pause_haul(&["fetch", "--json"], "remote.list.after");
    // Somebody puts the record into another object, as consolidation does, and removes it.
    let key = remote.keys("i/u-").remove(0);
    let mut object = Object::parse(&remote.read(&key)).expect("is sound");
    object.nonce = [7; 16];
    let (other, bytes) = object.encode().expect("is sound");
    assert_ne!(format!("i/{other}"), key);
    remote.write(&format!("i/{other}"), &bytes);
    remote.remove(&key);
    let report = pull.let_go().ok().json();
    assert_eq!(report["requests"]["list"], 2, "{report}");
    b.haul(&["checkout"]).ok();
    b.tree().assert_same(&a.tree());
}

#[test]
fn a_baseline_between_record_and_listing_makes_the_push_start_over() {
    for prefix in ["p/", "m/"] {
        let world = World::new();
        let remote = world.remote("r");
        let a = pushed(&world, &remote);
        a.write("d/z.bin", &data::bytes(3, 500_000));
        take(&a, "d");
        let stop = world.path("stop");
        let point = format!("push.after-record=wait:{}", stop.display());
        let victims = std::thread::scope(|scope| {
            let push = scope.spawn(|| a.haul_with(&["push"], &[("HAUL_FAILPOINT", &point)]).ok());
            while !stop.exists() {
                assert!(!push.is_finished(), "the push did not stop");
                std::thread::yield_now();
            }
            // What it relies on and what it has just sent.
            let victims = remote.keys(prefix);
            condemn(&remote, 1, 1, &victims);
            std::fs::remove_file(&stop).expect("lets it go on");
            push.join().expect("pushes");
            victims
        });
        for key in &victims {
            remote.remove(key);
        }
        let answer = a.haul(&["verify"]);
        assert!(answer.stdout().is_empty(), "{prefix}: {:?}\n{answer}", remote.keys("i/"));
        pulls(&a, "b");
    }
}

/// Requires that a push relies on nothing that one of these baselines condemns: generation, nonce, and
/// whether it condemns all.
#[track_caller]
fn condemned_by(baselines: [(u32, u8, bool); 2]) {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    let old = remote.keys("p/");
    for (generation, nonce, all) in baselines {
        condemn(&remote, generation, nonce, if all { &old } else { &[] });
    }
    a.write("d/z.bin", &data::bytes(3, 1000));
    send(&a, "d");
    for key in &old {
        remote.remove(key);
    }
    pulls(&a, "b");
}

#[test]
fn of_two_newest_baselines_each_can_condemn() {
    condemned_by([(1, 1, false), (1, 2, true)]);
}

#[test]
fn an_older_baseline_still_condemns() {
    condemned_by([(1, 1, true), (2, 2, false)]);
}

#[test]
fn a_pack_that_vanished_is_sent_again_from_the_cache() {
    for prefix in ["p/", "m/", "i/"] {
        let world = World::new();
        let remote = world.remote("r");
        let a = pushed(&world, &remote);
        for key in remote.keys(prefix) {
            remote.remove(&key);
        }
        a.write("d/z.bin", &data::bytes(3, 1000));
        send(&a, "d");
        a.haul(&["verify"]).ok();
        pulls(&a, "b");
    }
}

#[test]
fn a_pack_that_vanished_everywhere_is_named_and_an_add_mends_it() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    let key = remote.keys("p/").remove(0);
    remote.remove(&key);
    a.remove(key.replacen("p/", ".git/haul/packs/", 1));
    a.write("d/z.bin", &data::bytes(3, 1000));
    take(&a, "d");
    let pack = pack_of(&key).to_string();
    let records = remote.keys("i/").len();
    a.haul(&["push"]).fails_with(4).says(&pack).says("`d`").says("haul add");
    assert_eq!(remote.keys("i/").len(), records, "no record names what is not there");
    a.haul(&["add", "d"]).ok();
    a.haul(&["push"]).ok();
    pulls(&a, "b");
}

#[test]
fn a_file_out_of_many_costs_few_waves_and_few_bytes() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    a.mkdir("d");
    for file in 0..100_000u32 {
        let path = a.path(format!("d/{file:06}"));
        std::fs::write(path, format!("{file:064}")).expect("writes a file");
    }
    a.haul(&["add", "d"]).ok();
    a.commit("many");
    a.haul(&["push"]).ok();
    let b = a.clone_as("b");
    let report = b.haul(&["pull", "d/054321", "--json"]).ok().json();
    assert_eq!(b.text("d/054321"), format!("{:064}", 54321));
    assert_eq!(b.tree_of("d").paths().len(), 1, "nothing else is placed");
    let requests = &report["fetch"]["requests"];
    let figure = |name: &str| requests[name].as_u64().expect("is counted");
    // The catalogue is not part of what was asked for, but is small here.
    assert!(figure("waves") <= 6, "{requests}");
    assert!(figure("received") <= 64 + (512 << 10), "{requests}");
}
