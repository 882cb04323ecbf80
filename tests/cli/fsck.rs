//! `haul fsck`: every damaged byte is found, named down to file and commit, and healed from wherever
//! there is good content; nothing is deleted.

use rustix::process::Signal;

use crate::harness::{Output, Remote, Repo, Tree, World, data};
use crate::push::{ready, take};

/// A repository with a folder and a file, pushed.
pub(crate) fn pushed<'a>(world: &'a World, remote: &Remote) -> Repo<'a> {
    let a = ready(world, "a", remote);
    a.write("d/x.bin", &data::bytes(1, 300_000));
    a.write("d/t.csv", &data::csv(2, 4000));
    a.write("one.bin", &data::bytes(3, 200_000));
    a.haul(&["add", "d", "one.bin"]).ok();
    a.git(&["add", "-A"]).ok();
    a.commit("content");
    a.haul(&["push"]).ok();
    a
}

/// One of which a folder of the local state holds something: `packs`, `unpushed` or `parts`.
fn holding<'a>(world: &'a World, remote: &Remote, folder: &str) -> Repo<'a> {
    let a = pushed(world, remote);
    if folder == "unpushed" {
        unpushed(&a);
    }
    if folder != "parts" {
        return a;
    }
    let b = a.clone_as("b");
    b.haul(&["pull"]).ok();
    b
}

/// Adds a folder that is not pushed.
pub(crate) fn unpushed(a: &Repo) {
    a.write("e/1.bin", &data::bytes(7, 200_000));
    a.write("e/2.bin", &data::bytes(8, 200_000));
    take(a, "e");
}

/// The largest file below a folder of the local state.
pub(crate) fn largest(folder: &Remote) -> String {
    let keys = folder.keys("").into_iter();
    keys.max_by_key(|key| folder.bytes(key)).expect("is one")
}

pub(crate) fn state(a: &Repo, folder: &str) -> Remote {
    Remote::at(a.path(".git/haul").join(folder))
}

#[track_caller]
pub(crate) fn finding(output: &Output, state: &str) -> serde_json::Value {
    let report = output.json();
    let findings = report.get("findings").and_then(|rows| rows.as_array()).expect("is a list");
    let found = findings.iter().find(|row| row.get("state").is_some_and(|s| s == state));
    found.cloned().unwrap_or_else(|| panic!("nothing is {state}\n{output}"))
}

/// Requires that a clone gets exactly what the repository has.
#[track_caller]
pub(crate) fn clone_is_right(a: &Repo, name: &str) {
    let b = a.clone_as(name);
    b.haul(&["pull"]).ok();
    b.tree().assert_same(&a.tree());
}

#[test]
fn what_is_sound_is_said_to_be_with_figures() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    unpushed(&a);
    for arguments in [&["fsck"][..], &["fsck", "--quick"], &["fsck", "--sample", "50%"]] {
        a.haul(arguments).ok().says("all sound");
    }
    let report = a.haul(&["fsck", "--json"]).ok().json();
    assert_eq!(report["findings"].as_array().map(Vec::len), Some(0));
    assert_eq!(report["remote"], "origin");
    assert_eq!(report["there"]["bytes"], remote.bytes(""), "{report}");
    let clone = a.clone_as("b");
    clone.haul(&["pull", "d", "one.bin"]).ok();
    clone.haul(&["fsck", "--local"]).ok().says("all sound");
}

#[test]
fn a_flipped_byte_on_this_machine_is_named_with_file_and_commit() {
    for (folder, file) in [("packs", "d/x.bin"), ("unpushed", "e/1.bin"), ("parts", "d/x.bin")] {
        let world = World::new();
        let remote = world.remote("r");
        let a = holding(&world, &remote, folder);
        let (packs, all) = (state(&a, folder), a.tree_of(".git/haul"));
        let key = largest(&packs);
        // In the first frame or in one behind it.
        for at in [60, 90_000] {
            packs.flip(&key, at);
            let output = a.haul(&["fsck", "--local", "--json"]).fails_with(4);
            let found = finding(&output, "damaged");
            assert!(found["at"].as_str().is_some_and(|at| at.ends_with(&key)), "{found}");
            let commit = a.git(&["rev-parse", "HEAD"]).ok().stdout().trim().to_owned();
            let needs = found["needed_by"].to_string();
            assert!(needs.contains(&commit) && needs.contains("main"), "{needs}");
            assert!(needs.contains(file.split('/').next().expect("has a folder")), "{needs}");
            packs.flip(&key, at);
        }
        // Looking changes nothing.
        let content = |tree: Tree| tree.without("index.redb").without("stat.redb");
        content(a.tree_of(".git/haul")).assert_same(&content(all));
        a.haul(&["fsck", "--local"]).ok();
    }
}

#[test]
fn damage_on_this_machine_is_put_aside_and_healed_from_worktree_or_remote() {
    for folder in ["packs", "unpushed", "parts"] {
        for at in [60, 90_000] {
            let world = World::new();
            let remote = world.remote("r");
            let a = holding(&world, &remote, folder);
            let packs = state(&a, folder);
            packs.flip(&largest(&packs), at);
            let output = a.haul(&["fsck", "--local", "--repair", "--json"]).ok();
            finding(&output, "repaired");
            assert_eq!(state(&a, "quarantine").keys("").len(), 1, "{folder}");
            a.haul(&["fsck"]).ok().says("all sound");
            if folder != "parts" {
                a.haul(&["push"]).ok();
                clone_is_right(&a, "c");
            }
        }
    }
}

#[test]
fn a_damaged_node_pack_that_was_not_pushed_is_made_again_from_the_worktree() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    unpushed(&a);
    let packs = state(&a, "unpushed");
    let nodes = packs.keys("").into_iter().min_by_key(|key| packs.bytes(key)).expect("is one");
    packs.flip(&nodes, 60);
    a.haul(&["fsck"]).fails_with(4).prints("worktree file `e/");
    a.haul(&["fsck", "--repair"]).ok();
    a.haul(&["fsck"]).ok().says("all sound");
    a.haul(&["push"]).ok();
    clone_is_right(&a, "b");
}

#[test]
fn what_nobody_has_stays_where_it_is_and_is_found_again() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    unpushed(&a);
    let packs = state(&a, "unpushed");
    let key = largest(&packs);
    packs.flip(&key, 60);
    a.remove("e");
    for _ in 0..2 {
        let output = a.haul(&["fsck", "--repair", "--json"]).fails_with(4);
        let next = finding(&output, "damaged")["next"].to_string();
        assert!(next.contains("put the files back"), "{next}");
        assert!(packs.keys("").contains(&key));
    }
    // Once it is gone for good, that is no reason to be content.
    packs.remove(&key);
    a.haul(&["fsck"]).fails_with(4).prints("its file is gone");
}

#[test]
fn a_flipped_byte_on_a_remote_is_healed_with_new_packs_and_nothing_is_overwritten() {
    for prefix in ["p/", "m/"] {
        for source in ["cache", "worktree", "other"] {
            let world = World::new();
            let (remote, other) = (world.remote("r"), world.remote("o"));
            let mut a = pushed(&world, &remote);
            if source == "other" {
                let add = ["remote".as_ref(), "add".as_ref(), "o".as_ref(), other.as_arg()];
                a.haul(&add).ok();
                a.haul(&["remote", "default", "origin"]).ok();
                a.haul(&["push", "--remote", "o"]).ok();
                a.git(&["add", "-A"]).ok();
                a.commit("settings");
            }
            let key = remote.keys(prefix).into_iter().max_by_key(|key| remote.bytes(key));
            let key = key.expect("is one");
            if source != "cache" {
                a = a.clone_as("b");
                if source == "worktree" {
                    a.haul(&["pull"]).ok();
                    for folder in ["packs", "parts", "index.redb"] {
                        if a.has(format!(".git/haul/{folder}")) {
                            a.remove(format!(".git/haul/{folder}"));
                        }
                    }
                }
            }
            remote.flip(&key, 60);
            let damaged = remote.read(&key);
            let before = remote.keys("");
            a.haul(&["fsck", "--remote"]).fails_with(4).prints(&key).prints("needed by: ");
            a.haul(&["fsck", "--repair"]).ok().prints(&key).prints("repaired");
            assert_eq!(remote.read(&key), damaged, "{prefix} {source}");
            let after = remote.keys("");
            assert!(before.iter().all(|key| after.contains(key)), "{prefix} {source}");
            a.haul(&["fsck", "--remote"]).ok();
            let c = a.clone_as("c");
            c.haul(&["pull"]).ok();
            assert_eq!(c.read("d/x.bin"), data::bytes(1, 300_000));
            assert_eq!(c.read("d/t.csv"), data::csv(2, 4000));
            assert_eq!(c.read("one.bin"), data::bytes(3, 200_000));
        }
    }
}

#[test]
fn missing_shorter_and_longer_packs_are_found_without_reading_any() {
    for (how, prefix) in [("missing", "p/"), ("shorter", "m/"), ("longer", "p/")] {
        let world = World::new();
        let remote = world.remote("r");
        let a = pushed(&world, &remote);
        let key = remote.keys(prefix).remove(0);
        let bytes = remote.read(&key);
        match how {
            "missing" => remote.remove(&key),
            "shorter" => remote.write(&key, &bytes[..bytes.len() - 1]),
            _ => remote.write(&key, &[&bytes[..], b"x"].concat()),
        }
        let output = a.haul(&["fsck", "--quick", "--remote", "--json"]).fails_with(4);
        let found = finding(&output, "damaged");
        assert_eq!(found["at"], key.as_str());
        assert!(found["needed_by"].to_string().contains("one.bin"), "{how}: {found}");
        a.haul(&["fsck", "--repair"]).ok();
        clone_is_right(&a, "b");
    }
}

#[test]
fn a_damaged_push_record_is_damage_whatever_byte_it_is_and_a_good_copy_takes_its_place() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    let key = remote.keys("i/").remove(0);
    // Magic, version, kind, a table, the trailer.
    for at in [0, 4, 5, 600, remote.read(&key).len() - 1] {
        remote.flip(&key, at);
        let b = a.clone_as(&format!("b{at}"));
        b.haul(&["pull"]).fails_with(4).says("damaged");
        a.haul(&["fsck", "--remote"]).fails_with(4).prints(&key).prints("one.bin");
        // A clone has no copy of it.
        b.haul(&["fsck", "--repair"]).fails_with(4).prints("in a clone that has used the remote");
        remote.flip(&key, at);
        a.haul(&["fsck"]).ok().says("all sound");
    }
    remote.flip(&key, 4);
    a.haul(&["fsck", "--repair"]).ok().prints("repaired");
    clone_is_right(&a, "c");
    a.haul(&["fsck"]).ok().prints("no pointer needs it");
}

#[test]
fn a_lost_push_record_is_noticed_by_whoever_pushed_it() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    remote.remove(&remote.keys("i/").remove(0));
    a.haul(&["fsck", "--quick"]).fails_with(4).prints("one.bin").prints("haul fsck --repair");
    a.haul(&["fsck", "--repair"]).ok();
    clone_is_right(&a, "b");
}

#[test]
fn packs_of_the_remote_that_no_push_record_names_any_more_are_said_to_mend_it() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    a.haul(&["evict", "--all", "--yes"]).ok();
    for key in remote.keys("i/") {
        remote.remove(&key);
    }
    let before = a.tree();
    a.remove("d/x.bin");
    a.remove("one.bin");
    for look in [&["fsck", "--quick"][..], &["fsck"]] {
        let told = a.haul(look).fails_with(4).prints("next: run `haul fsck --repair`");
        told.prints("run `haul push` in the clone that has the data");
    }
    a.haul(&["fsck", "--repair"]).ok();
    a.haul(&["verify"]).ok();
    a.haul(&["pull"]).ok();
    a.tree().assert_same(&before);
}

#[test]
fn where_no_pack_is_left_the_clone_that_has_the_data_is_asked_for() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    a.haul(&["evict", "--all", "--yes"]).ok();
    a.remove("d/x.bin");
    a.remove("one.bin");
    for key in [remote.keys("i/"), remote.keys("p/"), remote.keys("m/")].concat() {
        remote.remove(&key);
    }
    let told = a.haul(&["fsck", "--quick"]).fails_with(4).prints("in the clone that has the data");
    assert!(!told.stdout().contains("--repair"), "{told}");
}

#[test]
fn an_index_that_does_not_agree_with_a_pack_is_read_again_from_it() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    // Another pack under the name of this one: the index speaks of the one that was there.
    let packs = state(&a, "packs");
    let keys = packs.keys("");
    let small = keys.iter().min_by_key(|key| packs.bytes(key)).expect("is one");
    let bytes = packs.read(&largest(&packs));
    packs.write(small, &bytes);
    a.haul(&["fsck", "--local", "--quick"]).fails_with(4).prints("the index");
    a.haul(&["fsck", "--local"])
        .fails_with(4)
        .prints(small.rsplit('/').next().expect("has a name"));
    a.haul(&["fsck", "--repair"]).ok();
    a.haul(&["fsck"]).ok().says("all sound");
}

#[test]
fn a_remote_out_of_reach_gives_3_and_what_is_here_is_told_all_the_same() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    std::fs::rename(remote.path(), world.path("away")).expect("is moved");
    let output = a.haul(&["fsck"]).fails_with(3);
    let output = output.says("the remote was not checked").says("is not there");
    assert!(output.says("the remote not looked at").stderr().lines().all(|l| !l.contains("sound")));
    a.haul(&["fsck", "--remote", "--json"]).fails_with(3);
    a.haul(&["fsck", "--local"]).ok();
    let packs = state(&a, "packs");
    packs.flip(&largest(&packs), 60);
    a.haul(&["fsck"]).fails_with(4).prints("needed by: ").prints("worktree file");
    // Healed from the worktree.
    a.haul(&["fsck", "--repair"]).fails_with(3).prints("repaired");
}

#[test]
fn an_fsck_stops_when_it_is_told_to() {
    let world = World::new();
    let remote = world.remote("r");
    let a = pushed(&world, &remote);
    let mut running = a.pause_haul(&["fsck"], "remote.list.after");
    running.interrupt(Signal::INT);
    running.let_go().fails_with(130).says("interrupted");
    a.haul(&["fsck"]).ok();
}
