//! What most tests of the checkout side begin with, and how they look at files.

use std::os::unix::fs::MetadataExt;

use crate::harness::{Output, Repo, World};

/// Makes a repository `a` that is initialised and has the remote `r`, with both committed.
pub(crate) fn shared(world: &World) -> Repo<'_> {
    let a = world.repo("a");
    a.haul(&["init"]).ok();
    let remote = world.remote("r");
    a.haul(&["remote", "add", "r", remote.path().to_str().expect("is UTF-8")]).ok();
    a.git(&["add", "-A"]).ok();
    a.commit("settings");
    a
}

/// Adds paths and commits them.
pub(crate) fn save(repo: &Repo<'_>, paths: &[&str], message: &str) {
    repo.haul(&[&["add"], paths].concat()).ok();
    repo.git(&["add", "-A"]).ok();
    repo.commit(message);
}

/// Returns the states that `status` lists, as `state path`.
pub(crate) fn states(repo: &Repo<'_>) -> Vec<String> {
    let report = repo.haul(&["status", "--json"]).ok().json();
    let entries = report.get("entries").and_then(|e| e.as_array()).expect("has entries");
    let text = |entry: &serde_json::Value, key: &str| {
        entry.get(key).and_then(|value| value.as_str()).expect("is text").to_owned()
    };
    entries.iter().map(|e| format!("{} {}", text(e, "state"), text(e, "path"))).collect()
}

/// Requires that data, pointers and `HEAD` agree.
#[track_caller]
pub(crate) fn assert_clean(repo: &Repo<'_>) {
    assert_eq!(states(repo), Vec::<String>::new());
    let status = repo.git(&["status", "--porcelain"]).ok();
    assert_eq!(status.stdout(), "", "Git sees changes");
}

/// Returns what changes when a file is written anew.
pub(crate) fn identity(repo: &Repo<'_>, name: &str) -> (u64, i64, i64) {
    let metadata = repo.path(name).symlink_metadata().expect("is there");
    (metadata.ino(), metadata.mtime(), metadata.mtime_nsec())
}

/// Returns a number of a JSON report.
#[track_caller]
pub(crate) fn number(output: &Output, pointer: &str) -> u64 {
    let json = output.json();
    let value = json.pointer(pointer).and_then(serde_json::Value::as_u64);
    value.unwrap_or_else(|| panic!("no number at {pointer}: {json}"))
}

/// Requires that a pull or fetch asked nothing of the remote.
#[track_caller]
pub(crate) fn asked_nothing(requests: &serde_json::Value) {
    let counts = requests.as_object().expect("is an object");
    assert!(counts.values().all(|count| count == 0), "{requests}");
}

/// Requires that a new clone gets the tree of `repo`.
#[track_caller]
pub(crate) fn pulls(repo: &Repo<'_>, name: &str) {
    let clone = repo.clone_as(name);
    clone.haul(&["pull"]).ok();
    clone.tree().assert_same(&repo.tree());
}
