//! `haul doctor`: what haul relies on, tried.

use std::os::unix::fs::PermissionsExt;

use crate::harness::{Output, Repo, World, data};
use crate::push::{ready, send};

/// The checks of a report, as `outcome what`.
fn checks(output: &Output) -> Vec<String> {
    let json = output.json();
    let checks = json.get("checks").and_then(|all| all.as_array()).expect("is a list");
    let text = |check: &serde_json::Value, key: &str| {
        check.get(key).and_then(|value| value.as_str()).expect("is text").to_owned()
    };
    checks.iter().map(|c| format!("{} {}", text(c, "outcome"), text(c, "what"))).collect()
}

fn asked(repo: &Repo, arguments: &[&str]) -> Output {
    repo.haul(&[&["doctor", "--json"], arguments].concat())
}

#[test]
fn a_sound_repository_passes_and_nothing_is_left_behind() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    a.write("x.bin", &data::bytes(1, 100_000));
    send(&a, "x.bin");
    let before = (a.tree(), remote.keys(""));
    let output = asked(&a, &[]).ok();
    let found = checks(&output);
    for what in
        ["haul", "git", "repository", "pointers", "hooks", "merge", "index", "reach", "identity"]
    {
        assert!(found.contains(&format!("works {what}")), "{what}: {found:?}");
    }
    assert!(found.iter().any(|check| check.ends_with(" links")), "{found:?}");
    assert_eq!(output.json()["sound"], true);
    a.tree().assert_same(&before.0);
    assert_eq!(remote.keys(""), before.1);
    let text = a.haul(&["doctor"]).ok().prints("ok    git").says("0 failures");
    assert!(text.stdout().contains("pre-commit, pre-push"), "{}", text.stdout());
    let found = checks(&asked(&a, &["--write"]).ok());
    assert!(found.contains(&"works write".to_owned()), "{found:?}");
    assert_eq!(remote.keys(""), before.1);
}

#[test]
fn a_hook_that_no_longer_reaches_haul_is_found_by_calling_it() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    let hook = a.text(".git/hooks/pre-push");
    let line = hook.lines().find(|line| line.starts_with("haul=")).expect("names haul");
    // haul was moved, and what `PATH` has of that name is something else.
    let broken = hook.replace(line, "haul='/nowhere/haul'");
    a.script(".git/hooks/pre-push", &broken);
    a.script("bin/haul", "#!/bin/sh\nexit 0\n");
    let path = format!("{}:/usr/bin:/bin", a.path("bin").display());
    let output = a.haul_with(&["doctor", "--json"], &[("PATH", path.as_str())]).fails_with(1);
    assert!(checks(&output).contains(&"fails hooks".to_owned()), "{}", output.stdout());
    output.prints("haul hooks install");
    a.haul(&["hooks", "uninstall"]).ok();
    let output = asked(&a, &[]).ok();
    assert!(checks(&output).contains(&"lacks hooks".to_owned()), "{}", output.stdout());
}

#[test]
fn what_stood_before_a_hook_of_ours_is_not_run() {
    let world = World::new();
    let a = world.repo("a");
    a.write(".git/hooks/pre-push", b"#!/bin/sh\ntouch ran\nexit 1\n");
    a.set_executable(".git/hooks/pre-push", true);
    a.haul(&["init"]).ok();
    asked(&a, &["--offline"]).ok();
    assert!(!a.has("ran") && !a.has(".git/hooks/ran"));
}

#[test]
fn a_merge_driver_that_cannot_run_is_a_failure() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    a.git(&["config", "merge.haul.driver", "/nowhere/haul merge-driver %O %A %B %P"]).ok();
    let output = asked(&a, &[]).fails_with(1);
    assert!(checks(&output).contains(&"fails merge".to_owned()), "{}", output.stdout());
    a.git(&["config", "--remove-section", "merge.haul"]).ok();
    let output = asked(&a, &[]).ok();
    assert!(checks(&output).contains(&"lacks merge".to_owned()), "{}", output.stdout());
}

#[test]
fn a_remote_that_is_gone_fails_and_offline_is_not_asked() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    std::fs::rename(remote.path(), world.path("away")).expect("can be moved");
    let output = asked(&a, &[]).fails_with(1);
    assert!(checks(&output).contains(&"fails remote".to_owned()), "{}", output.stdout());
    asked(&a, &["--offline"]).ok();
    a.haul(&["doctor", "--offline", "--write"]).fails_with(2);
}

#[test]
fn outside_of_a_repository_and_before_init_it_says_what_to_do() {
    let world = World::new();
    let folder = world.folder("plain");
    folder.haul(&["doctor"]).fails_with(1).prints("FAIL  repository").prints("ok    git");
    let a = world.repo("a");
    a.haul(&["doctor"]).ok().prints("warn  repository").prints("haul init");
}

#[test]
fn a_pointer_that_cannot_be_used_and_a_cache_that_cannot_be_written_fail() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    a.write("bad.haul", b"haul 1\nnonsense\n");
    a.git(&["add", "-f", "bad.haul"]).ok();
    let output = asked(&a, &["--offline"]).fails_with(1);
    assert!(checks(&output).contains(&"fails pointers".to_owned()), "{}", output.stdout());
    if rustix::process::geteuid().is_root() {
        return;
    }
    let packs = a.path(".git/haul/packs");
    std::fs::set_permissions(&packs, std::fs::Permissions::from_mode(0o500)).expect("can be set");
    let output = asked(&a, &["--offline"]).fails_with(1);
    std::fs::set_permissions(&packs, std::fs::Permissions::from_mode(0o700)).expect("can be set");
    assert!(checks(&output).contains(&"fails disk".to_owned()), "{}", output.stdout());
}
