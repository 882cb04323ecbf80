//! `haul config` and `check-ignore`: what is set and where, what is tracked and by what.

use serde_json::Value;

use crate::harness::{Repo, World, data};
use crate::push::{ready, take};

/// Value and origin of a setting.
fn setting(repo: &Repo, name: &str) -> (Value, String) {
    let report = repo.haul(&["config", "--json"]).ok().json();
    let rows = report.get("settings").and_then(Value::as_array).expect("is a list");
    let row = rows.iter().find(|row| row["name"] == name).expect("is listed");
    (row["value"].clone(), row["origin"].as_str().expect("is text").to_owned())
}

#[test]
fn a_value_is_known_with_the_place_where_it_was_set() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    assert_eq!(setting(&a, "jobs"), (Value::Null, "default".to_owned()));
    a.haul(&["config", "jobs"]).fails_with(1).says("`jobs` is not set").says("four per core");
    a.haul(&["config", "--user", "jobs", "5"]).ok();
    assert_eq!(a.haul(&["config", "jobs"]).ok().stdout(), "5\n");
    let (value, origin) = setting(&a, "jobs");
    assert_eq!(value, "5");
    assert!(origin.ends_with("haul/config.toml:1"), "{origin}");
    a.haul(&["config", "--shared", "jobs", "6"]).ok();
    assert!(setting(&a, "jobs").1.contains("haul.toml:"));
    a.haul(&["config", "jobs", "7"]).ok();
    assert_eq!(setting(&a, "jobs").0, "7");
    assert!(setting(&a, "jobs").1.contains(".git/haul/config.toml:"));
    let output = a.haul_with(&["config", "jobs"], &[("HAUL_JOBS", "8")]).ok();
    assert_eq!(output.stdout(), "8\n");
    a.haul_with(&["config", "jobs", "9"], &[("HAUL_JOBS", "8")]).ok().says("HAUL_JOBS overrides");
    a.haul(&["config", "--unset", "jobs"]).ok();
    assert_eq!(setting(&a, "jobs").0, "6");
    assert!(setting(&a, "remotes.origin.url").1.contains("haul.toml:"));
    // Another repository has the user's value.
    let b = world.repo("b");
    assert_eq!(b.haul(&["config", "jobs"]).ok().stdout(), "5\n");
}

#[test]
fn what_is_shared_is_staged_and_keeps_its_comments() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    a.commit("init");
    a.haul(&["config", "--shared", "delta.base", "worth-it"]).ok();
    let text = a.text("haul.toml");
    assert!(text.starts_with("# Settings of haul"), "{text}");
    assert!(text.contains("[delta]\nbase = \"worth-it\"\n"), "{text}");
    a.git(&["diff", "--cached", "--name-only"]).ok().prints("haul.toml");
    a.haul(&["config"]).ok().prints("delta.base\tworth-it\t");
}

#[test]
fn what_a_setting_does_not_take_or_a_file_may_not_hold_changes_nothing() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    let before = a.text("haul.toml");
    for (arguments, words) in [
        (&["job", "3"][..], "did you mean `jobs`?"),
        (&["no.such.thing", "3"], "run `haul config` to see"),
        (&["jobs", "many"], "nothing was changed: `jobs` takes a whole number"),
        (&["jobs", "9999"], "out of range"),
        (&["cache.keep", "all"], "`cache.keep`"),
        (&["--shared", "cache.dir", "/tmp"], "cannot be set by a committed file"),
        (&["job"], "did you mean `jobs`?"),
    ] {
        a.haul(&[&["config"], arguments].concat()).fails_with(1).says(words);
    }
    a.haul(&["config", "--unset"]).fails_with(2);
    assert_eq!(a.text("haul.toml"), before);
    assert!(!a.has(".git/haul/config.toml"));
}

#[test]
fn passwords_are_not_shown() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    a.write(".git/haul/config.toml", b"[remotes.x]\nurl = \"https://me:secret@host/data\"\n");
    let output = a.haul(&["config"]).ok();
    assert!(!output.stdout().contains("secret"), "{output}");
    output.prints("remotes.x.url\t");
}

#[test]
fn check_ignore_says_by_which_pointer_a_path_is_tracked() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    a.write("data/a.bin", &data::bytes(1, 100));
    a.write("notes.txt", b"plain");
    take(&a, "data");
    let output = a.haul(&["check-ignore", "data", "data/deep/none", "notes.txt"]).ok();
    assert_eq!(output.stdout(), "data\tdata\ndata/deep/none\tdata\n");
    a.haul(&["check-ignore", "notes.txt", "datax"]).fails_with(1);
    a.write(".gitignore", b"");
    a.haul(&["check-ignore", "data"]).ok().says("Git does not ignore `data`");
    let report = a.haul(&["check-ignore", "--json", "data/a.bin"]).ok().json();
    assert_eq!(report["paths"][0]["pointer"]["path"], "data");
    assert_eq!(report["paths"][0]["ignored"], false);
}

#[test]
fn a_password_is_kept_for_this_clone_alone_and_never_shown() {
    let world = World::new();
    let a = world.repo("a");
    a.haul(&["init"]).ok();
    a.haul(&["remote", "add", "origin", "https://example.org/data", "--user", "ann"]).ok();
    let name = "remotes.origin.password";
    for json in [&[][..], &["--json"]] {
        let set = a.haul(&[&["config", name, "true-hunter2"], json].concat()).ok();
        let listed = a.haul(&[&["config"], json].concat()).ok().prints("(set)");
        for output in [set, listed] {
            let told = output.to_string().replace(&format!("{name} true-hunter2"), "");
            assert!(!told.contains("hunter2"), "{told}");
        }
    }
    a.haul(&["config", "--shared", name, "hunter2"]).fails_with(1);
    assert!(!a.text("haul.toml").contains("hunter2"));
    a.haul(&["config", "remotes.origin.allow-http", "true"]).ok();
    a.haul(&["config", "remotes.origin.allow-http"]).ok().prints("true");
}
