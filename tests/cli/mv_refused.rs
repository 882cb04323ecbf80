//! Moves whose data the system does not let go: nothing stays behind that Git would commit.

use crate::harness::{Repo, Small, World, data};
use crate::push::{ready, take};

fn scene(world: &World) -> Repo<'_> {
    let a = ready(world, "a", &world.remote("r"));
    for (seed, name) in [(1, "f"), (2, "d/a"), (3, "d/b"), (4, "e/x")] {
        a.write(name, &data::bytes(seed, 70_000));
    }
    for path in ["f", "d", "e"] {
        take(&a, path);
    }
    a.haul(&["status"]).ok();
    a
}

/// What Git would commit of the pointers.
fn changed(a: &Repo) -> String {
    a.git(&["status", "--porcelain", "--untracked-files=all"]).ok().stdout().to_owned()
}

#[test]
fn a_pointer_is_taken_back_if_its_data_could_not_be_moved() {
    let world = World::new();
    let a = scene(&world);
    let before = a.tree();
    for (from, to) in [("f", "g"), ("f", "d/f"), ("d/a", "out"), ("d/a", "e/a")] {
        let paused = a.pause_haul(&["mv", from, to], "mv.before-rename");
        // Somebody was quicker.
        a.write(to, b"mine");
        paused.let_go().fails_with(1).says("could not move something to").says("hint: ");
        assert_eq!(a.read(to), b"mine");
        std::fs::remove_file(a.path(to)).expect("is there");
        a.tree().assert_same(&before);
        assert!(!changed(&a).contains(".haul"), "{from} {to}: {}", changed(&a));
        a.haul(&["status", "--exit-code"]).ok();
    }
    // What it was is known, so that the data follows.
    a.haul(&["mv", "f", "d/f"]).ok();
    a.haul(&["status", "--exit-code"]).ok();
}

#[test]
fn a_goal_on_another_file_system_is_refused_before_anything_with_what_to_do() {
    let world = World::new();
    let a = scene(&world);
    let Some(_other) = Small::mount(a.path("mnt")) else { return };
    let before = a.tree();
    for (from, to) in [("d", "mnt/d"), ("d", "mnt"), ("f", "mnt/new/f"), ("d/a", "mnt/a")] {
        for dry in [&["--dry-run"][..], &[]] {
            let refused = a.haul(&[&["mv"], dry, &[from, to]].concat()).fails_with(1);
            let refused = refused.says("that is on another file system").says("  hint: copy it");
            refused.says(&format!("`haul rm {from}`"));
        }
    }
    a.tree().assert_same(&before);
    assert_eq!(changed(&a), "");
    // What the hint says works.
    let wanted = a.tree_of("d");
    a.run("cp", &["-a", "d", "mnt/d"]).ok();
    a.haul(&["add", "mnt/d"]).ok();
    a.haul(&["rm", "d"]).ok();
    assert!(!a.has("d") && !a.has("d.haul"));
    a.tree_of("mnt/d").assert_same(&wanted);
    a.haul(&["status", "--exit-code"]).ok();
    // Inside of it, and without data, paths move as ever.
    a.haul(&["mv", "mnt/d", "mnt/e"]).ok();
    a.remove("f");
    a.haul(&["mv", "f", "mnt/f"]).ok();
}
