//! Bytes that were changed on their way here, where no hash covers them.

use crate::harness::{Remote, World, data};
use crate::push::ready;

/// How many of the last bytes of a tree are changed, each in a clone of its own: they say where content lies.
const BYTES: usize = 40;

#[test]
fn a_placement_that_was_changed_leads_no_fetch_astray_for_ever() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    for name in 1..4 {
        a.write(format!("d/{name}.bin"), &data::bytes(name, 150_000));
    }
    a.haul(&["add", "d"]).ok();
    a.commit("data");
    a.haul(&["push"]).ok();
    let mut at_once = 0;
    for number in 0..BYTES {
        let b = a.clone_as(&format!("b{number}"));
        // Brings trees, and no content.
        b.haul(&["ls", "d"]).ok();
        let parts = Remote::at(b.path(".git/haul/parts"));
        let [key] = &parts.keys("")[..] else { panic!("one pack is here in part") };
        let end = parts.read(key).iter().rposition(|byte| *byte != 0).expect("something is here");
        parts.flip(key, end - number);
        // A tree that was changed itself is found out, and put aside.
        if b.haul(&["pull"]).status() == Some(0) {
            at_once += 1;
        } else {
            b.haul(&["pull"]).ok();
        }
        b.tree().assert_same(&a.tree());
    }
    assert!(at_once > BYTES / 2, "{at_once} of {BYTES} were of a placement");
}
