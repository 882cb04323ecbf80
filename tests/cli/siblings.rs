//! Which sibling of a new file its content is stored as a delta to: by the number in its name, or in
//! the folders above it.

use crate::former::{added, assert_small, round_trip, trained, weights};
use crate::harness::{Repo, World, data};
use crate::push::{ready, send, take};

/// Removes every pack from the cache; what is pushed can be fetched again.
fn evict(repo: &Repo) {
    std::fs::remove_dir_all(repo.path(".git/haul/packs")).expect("is there");
}

#[test]
fn the_next_checkpoint_is_a_delta_to_the_newest_before_it() {
    let world = World::new();
    let repo = ready(&world, "a", &world.remote("r"));
    let first = weights();
    let second = trained(&first, 1);
    repo.write("model-0100.safetensors", &first);
    repo.write("model-0300.safetensors", &data::safetensors(&[9], 8, 330_000));
    take(&repo, "model-0100.safetensors");
    take(&repo, "model-0300.safetensors");
    repo.write("model-0200.safetensors", &second);
    assert_small(added(&repo, &["model-0200.safetensors"], &[]), first.len());
    round_trip(&repo, "clone");
}

#[test]
fn a_new_checkpoint_in_a_tracked_folder_is_a_delta_to_the_one_before_it() {
    let world = World::new();
    let repo = ready(&world, "a", &world.remote("r"));
    let first = data::safetensors(&[1], 4, 200_000);
    repo.write("run/step-9.safetensors", &first);
    take(&repo, "run");
    repo.write("run/step-10.safetensors", &trained(&first, 1));
    assert_small(added(&repo, &["run"], &[]), first.len());
    // A delta to a delta is none: the first one serves again.
    repo.write("run/step-11.safetensors", &trained(&trained(&first, 1), 2));
    assert_small(added(&repo, &["run"], &[]), first.len());
    round_trip(&repo, "clone");
}

#[test]
fn checkpoints_that_are_added_together_are_deltas_to_each_other() {
    let world = World::new();
    let repo = ready(&world, "a", &world.remote("r"));
    let first = weights();
    let mut next = first.clone();
    let mut more = 0;
    repo.write("run/step-8.safetensors", &first);
    for (i, seed) in [(9, 1), (10, 2), (11, 4)] {
        next = trained(&next, seed);
        more += next.len();
        repo.write(format!("run/step-{i}.safetensors"), &next);
    }
    let stored = added(&repo, &["run"], &[]);
    assert!(stored.1 * 10 > more as u64 * 9, "{stored:?} of {more}");
    assert!(stored.0 < (first.len() + more / 10) as u64, "{stored:?} of {} + {more}", first.len());
    round_trip(&repo, "clone");
    let again = added(&repo, &["run"], &[]);
    assert_eq!(again, (0, 0));
}

#[test]
fn a_sibling_whose_packs_were_removed_serves_from_the_worktree() {
    let world = World::new();
    let repo = ready(&world, "a", &world.remote("r"));
    let first = weights();
    repo.write("model-1.bin", &first);
    send(&repo, "model-1.bin");
    evict(&repo);
    repo.write("model-2.bin", &trained(&first, 1));
    assert_small(added(&repo, &["model-2.bin"], &[]), first.len());
    // Bytes that are not those any more serve for nothing, and harm nothing.
    repo.write("model-1.bin", &data::bytes(1, first.len()));
    repo.write("model-3.bin", &trained(&first, 3));
    repo.haul(&["add", "model-3.bin"]).ok();
    repo.write("model-1.bin", &first);
    round_trip(&repo, "clone");
}

#[test]
fn a_sibling_that_was_changed_in_the_worktree_is_no_base() {
    let world = World::new();
    let remote = world.remote("r");
    let repo = ready(&world, "a", &remote);
    let first = weights();
    repo.write("model-1.bin", &first);
    send(&repo, "model-1.bin");
    for key in remote.keys("p/") {
        repo.remove(format!(".git/haul/packs/{}", key.trim_start_matches("p/")));
    }
    repo.write("model-1.bin", &trained(&first, 8));
    repo.write("model-2.bin", &trained(&first, 1));
    assert_eq!(added(&repo, &["model-2.bin"], &[]).1, 0);
    repo.write("model-1.bin", &first);
    round_trip(&repo, "clone");
}

/// What trainers write into the folder of a checkpoint.
fn checkpoint(repo: &Repo, folder: &str, model: &[u8], optimizer: &[u8]) {
    repo.write(format!("{folder}/model-00001-of-00002.safetensors"), model);
    repo.write(format!("{folder}/model-00002-of-00002.safetensors"), optimizer);
    repo.write(format!("{folder}/trainer_state.json"), folder.as_bytes());
}

#[test]
fn a_checkpoint_in_a_folder_of_its_own_is_a_delta_to_the_one_of_the_nearest_lower_number() {
    let (first, other) = (data::safetensors(&[1], 4, 200_000), data::safetensors(&[2], 4, 200_000));
    let wrong = data::safetensors(&[9], 4, 200_000);
    // One tracked folder of them all, each folder tracked by itself, and each file.
    let folders = [500, 2000, 1000].map(|step| format!("out/checkpoint-{step}"));
    let files = |folder: &String| {
        [1, 2].map(|part| format!("{folder}/model-0000{part}-of-00002.safetensors")).to_vec()
    };
    let layouts = [
        vec![vec!["out".to_owned()]; 3],
        folders.iter().map(|folder| vec![folder.clone()]).collect(),
        folders.iter().map(files).collect(),
    ];
    for layout in layouts {
        let world = World::new();
        let repo = ready(&world, "a", &world.remote("r"));
        let add = |step: usize| {
            let paths: Vec<&str> = layout[step].iter().map(String::as_str).collect();
            added(&repo, &paths, &[])
        };
        checkpoint(&repo, "out/checkpoint-500", &first, &other);
        add(0);
        checkpoint(&repo, "out/checkpoint-2000", &wrong, &wrong[..1_000_000]);
        add(1);
        repo.commit("two");
        checkpoint(&repo, "out/checkpoint-1000", &trained(&first, 1), &trained(&other, 2));
        assert_small(add(2), first.len() + other.len());
        repo.commit("three");
        repo.haul(&["push"]).ok();
        let clone = repo.clone_as("clone");
        clone.haul(&["pull"]).ok();
        let name = "out/checkpoint-1000/model-00001-of-00002.safetensors";
        assert_eq!(clone.read(name), repo.read(name), "{layout:?}");
    }
}

#[test]
fn a_folder_of_a_checkpoint_that_is_only_on_the_remote_is_fetched_where_it_is_worth_it() {
    let world = World::new();
    let remote = world.remote("r");
    let repo = ready(&world, "a", &remote);
    let (first, other) = (data::safetensors(&[1], 4, 200_000), data::safetensors(&[2], 4, 200_000));
    checkpoint(&repo, "checkpoint-500", &first, &other);
    send(&repo, "checkpoint-500");
    for (name, setting, small) in [("b", "cached", false), ("c", "worth-it", true)] {
        let clone = repo.clone_as(name);
        checkpoint(&clone, "checkpoint-1000", &trained(&first, 1), &trained(&other, 2));
        let stored = added(&clone, &["checkpoint-1000"], &[("HAUL_DELTA_BASE", setting)]);
        assert_eq!(stored.1 > 0, small, "{setting}: {stored:?}");
        if small {
            assert_small(stored, first.len() + other.len());
        }
    }
}

#[test]
fn checkpoints_in_folders_that_are_added_together_are_deltas_to_each_other() {
    let world = World::new();
    let repo = ready(&world, "a", &world.remote("r"));
    let first = weights();
    let next = trained(&first, 1);
    repo.write("checkpoint-9/model.bin", &first);
    repo.write("checkpoint-10/model.bin", &next);
    let stored = added(&repo, &["checkpoint-9", "checkpoint-10"], &[]);
    assert!(stored.1 * 10 > next.len() as u64 * 9, "{stored:?} of {}", next.len());
    round_trip(&repo, "clone");
}
