//! What a committed `haul.toml` may not do: every row of the table with the carrier `config`.

use std::fs;

use crate::harness::{Tree, World, data};
use crate::hostile::table::expand;
use crate::hostile_table::{bounded, git_files, rows, words};
use crate::scene::{save, shared};

#[test]
fn every_setting_of_the_table_is_ignored_or_asked_about() {
    let world = World::new();
    let a = shared(&world);
    a.write("f", &data::bytes(1, 1000));
    save(&a, &["f"], "one");
    fs::create_dir(world.path("canary-escape")).expect("is made");
    // With nothing here, every verb that needs content needs the remote.
    a.remove(".git/haul");
    a.remove("f");
    let mut failed = Vec::new();
    for case in rows("config") {
        let text = [&b"version = 1\n"[..], &expand(case.value), b"\n"].concat();
        a.write("haul.toml", &text);
        let before = (Tree::of(&world.path("")).without("a"), git_files(&a));
        for verb in ["status", "push", "pull", "verify", "du"] {
            let output = bounded(&a, &words(&[verb]));
            let said = output.stderr();
            let good = match case.expect {
                "reject" => output.status() == Some(1) && said.contains("hint: "),
                "ignore-and-warn" => said.contains("warning: "),
                // What asks nobody's storage has nothing to ask the user.
                _ if verb == "status" => output.status() == Some(0),
                _ => output.status() == Some(1) && said.contains("hint: "),
            };
            if !good || output.flaw().is_some() || said.contains("pass@") {
                failed.push(format!("{case:?}: {:?}\n{output}", output.flaw()));
            }
        }
        let outside = before.0.differences(&Tree::of(&world.path("")).without("a"));
        let same = outside.is_empty() && before.1 == git_files(&a) && !a.has("canary-exec");
        assert!(same, "{case:?}: {outside:?}");
    }
    assert!(failed.is_empty(), "{} cases:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn a_remote_over_a_link_in_the_repository_is_never_used() {
    let world = World::new();
    let a = shared(&world);
    let outside = world.folder("outside");
    a.write("f", &data::bytes(1, 1000));
    save(&a, &["f"], "one");
    a.remove(".git/haul");
    a.remove("f");
    a.link("../outside", "way");
    for url in ["way", "way/deeper", "way/../way"] {
        let text = format!("version = 1\n[remotes.r]\nurl = \"{url}\"\n");
        a.write("haul.toml", text.as_bytes());
        for verb in ["push", "pull", "verify"] {
            // Nor if the user once agreed to the address: the link can be turned elsewhere.
            let agreed = a.path("way").display().to_string();
            let agreed = format!("{agreed},{agreed}/deeper");
            let output = a.haul_with(&[verb], &[("HAUL_ACCEPT_REMOTE", &agreed)]);
            output.fails_with(1).says("symbolic link").says("hint: ");
        }
        a.haul(&["remote", "accept", "r"]).fails_with(1).says("symbolic link");
    }
    assert_eq!(outside.tree().paths(), Vec::<&str>::new());
}
