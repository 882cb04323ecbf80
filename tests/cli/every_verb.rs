//! Every verb in every bad situation: never a defect, and where it fails, an answer that says what to do.
//!
//! Which exit code is right for which verb is said in `bad_input`; here no cell of the matrix is left out.

use crate::bad_input::shared_start;
use crate::hard_times::{as_nobody, set_mode};
use crate::harness::{Output, Repo, World, data};
use crate::help::VERBS;
use crate::push::{ready, take};

/// Verbs that are about no repository.
const ANYWHERE: [&str; 4] = ["completions", "man", "demo", "doctor"];

/// Words that are right where `x.bin` and `data` are tracked, and `../other` is a repository that has both.
fn words(verb: &str) -> Vec<Vec<&'static str>> {
    let one = |words: &[&'static str]| vec![words.to_vec()];
    match verb {
        "init" | "status" | "du" | "config" | "push" | "fetch" | "pull" | "checkout" | "verify"
        | "fsck" | "gc" | "merge" | "uninstall" | "diff" | "log" | "ls" | "update" | "doctor" => {
            one(&[])
        }
        "clone" => one(&["../other", "copy"]),
        "remote" => vec![
            vec!["list"],
            vec!["test"],
            vec!["index"],
            vec!["default", "origin"],
            vec!["accept", "origin"],
            vec!["sync", "origin", "second"],
            vec!["add", "third", "../third"],
            vec!["remove", "third"],
        ],
        "add" => vec![vec!["x.bin"], vec!["-u"]],
        "track" => vec![vec![], vec!["*.dat"], vec!["--above", "1M"]],
        "untrack" | "rm" | "check-ignore" => one(&["x.bin"]),
        "mv" => vec![vec!["x.bin", "y.bin"], vec!["data/a.bin", "a.bin"]],
        "cat" => one(&["HEAD:x.bin"]),
        "export" => one(&["HEAD:data", "out"]),
        "get" => one(&["../other", "x.bin", "-o", "got.bin"]),
        "import" => one(&["../other", "x.bin", "imported.bin"]),
        "ci" => one(&["key"]),
        "evict" => vec![vec!["--all"], vec!["--all", "--yes"]],
        "hooks" => vec![vec!["status"], vec!["install"], vec!["uninstall"]],
        "completions" => one(&["bash"]),
        // Both write where they are told to, and the demo takes its time.
        "man" | "demo" => one(&["--help"]),
        other => panic!("no words for the verb `{other}`"),
    }
}

/// Words with a path that is not there, or a revision, for each verb that takes one.
fn with_path(verb: &str, path: &'static str) -> Option<Vec<&'static str>> {
    Some(match verb {
        "add" | "untrack" | "rm" | "status" | "diff" | "log" | "ls" | "cat" | "push" | "fetch"
        | "checkout" | "pull" | "du" | "evict" | "update" | "clone" | "check-ignore" => vec![path],
        "ci" => vec!["key", path],
        "mv" => vec![path, "y.bin"],
        "export" => vec![path, "out"],
        "get" | "import" => vec!["../other", path],
        _ => return None,
    })
}

/// Words with a revision, for each verb that takes one.
fn with_revision(verb: &str, rev: &str) -> Option<Vec<String>> {
    let inside = |path: &str| format!("{rev}:{path}");
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    Some(match verb {
        "diff" => words(&[rev, "HEAD"]),
        "log" | "push" | "fetch" | "pull" | "checkout" | "du" | "evict" | "update" => {
            words(&["--rev", rev])
        }
        "ci" => words(&["key", "--rev", rev]),
        "verify" => words(&[rev]),
        "get" => words(&["../other", "x.bin", "-o", "got.bin", "--rev", rev]),
        "import" => words(&["../other", "x.bin", "new.bin", "--rev", rev]),
        "clone" => words(&["../other", "--branch", rev]),
        "ls" => words(&[&inside("data")]),
        "cat" => words(&[&inside("x.bin")]),
        "export" => words(&[&inside("data"), "out"]),
        _ => return None,
    })
}

/// Runs every verb that takes a revision with this one.
fn all_with_revision(repo: &Repo, rev: &str, mut each: impl FnMut(&str, Output)) {
    for verb in VERBS {
        let Some(words) = with_revision(verb, rev) else { continue };
        let words: Vec<&str> =
            std::iter::once(verb).chain(words.iter().map(String::as_str)).collect();
        each(verb, repo.haul(&words));
    }
}

/// Requires no defect; of a failure, an answer in three parts, or a report that says what to do.
fn judge(output: &Output, wrong: &mut Vec<String>) {
    let code = output.status();
    let reports = ["doctor", "hooks", "check-ignore", "fsck"];
    // Part of an answer may be that the rest was done, and what brings it.
    let told = ["  hint: ", "`haul ", "name each with `--repo`"]
        .iter()
        .any(|words| output.stderr().contains(words))
        || reports.iter().any(|verb| output.to_string().contains(&format!("haul {verb}")));
    let fine = match code {
        Some(0) => true,
        Some(1 | 3 | 4) => told && output.flaw().is_none(),
        _ => false,
    };
    if !fine {
        wrong.push(output.to_string());
    }
}

#[track_caller]
fn none(wrong: &[String]) {
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A repository with a remote `origin` that nothing was pushed to, and `../other` beside it, which is all
/// there.
fn tracking(world: &World) -> Repo<'_> {
    let [other, a] = [("other", "o"), ("a", "r")].map(|(name, remote)| {
        let repo = ready(world, name, &world.remote(remote));
        repo.write("x.bin", &data::bytes(2, 1000));
        repo.write("data/a.bin", &data::bytes(1, 200_000));
        take(&repo, "x.bin");
        take(&repo, "data");
        repo
    });
    other.haul(&["push"]).ok();
    a
}

fn run_all(repo: &Repo, after: impl Fn()) {
    let mut wrong = Vec::new();
    for verb in VERBS {
        for words in words(verb) {
            judge(&repo.haul(&[&[verb], words.as_slice()].concat()), &mut wrong);
            after();
        }
    }
    none(&wrong);
}

#[test]
fn outside_of_a_repository() {
    let world = World::new();
    let any = world.folder("any");
    for verb in VERBS.iter().filter(|verb| !ANYWHERE.contains(verb)) {
        for words in words(verb) {
            let output = any.haul(&[&[*verb], words.as_slice()].concat());
            let mut wrong = Vec::new();
            judge(&output, &mut wrong);
            none(&wrong);
            assert_ne!(output.status(), Some(0), "{output}");
        }
    }
}

#[test]
fn where_nothing_is_set_up_and_where_nothing_is_committed() {
    let world = World::new();
    let (plain, empty) = (world.repo("plain"), world.repo("empty"));
    run_all(&plain, || ());
    empty.haul(&["init"]).ok();
    run_all(&empty, || ());
}

#[test]
fn with_paths_that_are_unknown_or_outside() {
    let world = World::new();
    let a = tracking(&world);
    let before = a.tree();
    let mut wrong = Vec::new();
    for path in ["no/where", "../outside", "/"] {
        for verb in VERBS {
            let Some(words) = with_path(verb, path) else { continue };
            let output = a.haul(&[&[verb], words.as_slice()].concat());
            judge(&output, &mut wrong);
            assert_eq!(output.status().map(|code| code > 0), Some(true), "{output}");
        }
    }
    none(&wrong);
    a.tree().assert_same(&before);
}

#[test]
fn with_revisions_that_are_unknown() {
    let world = World::new();
    let a = tracking(&world);
    a.haul(&["import", "../other", "x.bin", "imported.bin"]).ok();
    let before = a.tree();
    let mut wrong = Vec::new();
    all_with_revision(&a, "v9", |_, output| {
        judge(&output, &mut wrong);
        assert_eq!(output.status(), Some(1), "{output}");
        output.says("v9");
    });
    none(&wrong);
    a.tree().assert_same(&before);
}

/// Verbs that take a revision say so in their help.
#[test]
fn with_revisions_no_verb_that_takes_one_is_left_out() {
    let world = World::new();
    let any = world.folder("any");
    for verb in VERBS {
        let mut help = any.haul(&[verb, "--help"]).ok().stdout().to_owned();
        if verb == "ci" {
            help += any.haul(&["ci", "key", "--help"]).ok().stdout();
        }
        let usage = help.lines().find(|line| line.starts_with("Usage:")).expect("is shown");
        let takes = help.contains("--rev <") || usage.contains("REV");
        assert!(!takes || with_revision(verb, "v9").is_some(), "{verb}: {usage}");
    }
}

#[test]
fn with_revisions_that_may_mean_several_commits() {
    let world = World::new();
    let a = tracking(&world);
    a.haul(&["import", "../other", "x.bin", "imported.bin"]).ok();
    let other = world.folder("other");
    for repo in [&a, &other] {
        repo.git(&["branch", "v1"]).ok();
        repo.commit_nothing();
        repo.git(&["tag", "-a", "-m", "v1", "v1"]).ok();
    }
    let before = a.tree();
    let (mut wrong, short) = (Vec::new(), shared_start(&a));
    all_with_revision(&a, "v1", |verb, output| {
        // Git takes the branch, and has no word for the tag.
        if verb == "clone" {
            output.ok();
            return a.remove("other");
        }
        judge(&output, &mut wrong);
        let output = output.fails_with(1).says("`v1` is both a branch and a tag");
        output.says("write `heads/v1` for the branch, or `tags/v1` for the tag");
    });
    all_with_revision(&a, &short, |verb, output| {
        // Others give no commit by a part of its name.
        if ["get", "import", "clone", "update"].contains(&verb) {
            return;
        }
        judge(&output, &mut wrong);
        output.fails_with(1).says("may mean any of").says("write more of the id");
    });
    none(&wrong);
    a.tree().assert_same(&before);
    for rev in ["heads/v1", "tags/v1"] {
        a.haul(&["ls", &format!("{rev}:data")]).ok();
        a.haul(&["get", "../other", "x.bin", "-o", rev, "--rev", rev]).ok();
    }
}

#[test]
fn where_content_was_not_fetched_and_where_the_remote_went_away() {
    let world = World::new();
    let a = tracking(&world);
    a.haul(&["push"]).ok();
    let b = a.clone_as("b");
    let again = || {
        b.git(&["reset", "-q", "--hard"]).ok();
        b.git(&["clean", "-qxdf"]).ok();
        // To uninstall may have done that.
        if b.has(".git/haul") {
            b.remove(".git/haul");
        }
    };
    run_all(&b, again);
    std::fs::remove_dir_all(world.remote("r").path()).expect("is removed");
    run_all(&b, || {
        b.git(&["reset", "-q", "--hard"]).ok();
    });
}

#[test]
fn on_a_detached_head() {
    let world = World::new();
    let a = tracking(&world);
    a.git(&["checkout", "-q", "--detach"]).ok();
    run_all(&a, || {
        a.git(&["reset", "-q", "--hard"]).ok();
        a.haul(&["checkout", "--force"]).ok();
    });
}

#[test]
fn where_content_was_pushed_by_nobody_and_where_no_remote_is_set_up() {
    let world = World::new();
    let a = tracking(&world);
    let b = a.clone_as("b");
    run_all(&b, || {
        b.git(&["reset", "-q", "--hard"]).ok();
    });
    a.haul(&["remote", "remove", "origin"]).ok();
    a.git(&["add", "-A"]).ok();
    a.commit("no remote");
    let c = a.clone_as("c");
    run_all(&c, || {
        c.git(&["reset", "-q", "--hard"]).ok();
    });
}

#[test]
fn in_a_worktree_that_cannot_be_written() {
    let world = World::new();
    let a = tracking(&world);
    if as_nobody(&world, &a, &["--version"]).is_none() {
        return;
    }
    let before = a.tree();
    for folder in ["data", ""] {
        set_mode(&a.path(folder), 0o555);
    }
    let mut wrong = Vec::new();
    for verb in VERBS {
        for words in words(verb) {
            let output = as_nobody(&world, &a, &[&[verb], words.as_slice()].concat());
            judge(&output.expect("could be run before"), &mut wrong);
        }
    }
    for folder in ["", "data"] {
        set_mode(&a.path(folder), 0o755);
    }
    none(&wrong);
    a.tree().assert_same(&before);
}

#[test]
fn a_name_that_is_nearly_right_is_shown_as_it_would_be_right() {
    let world = World::new();
    let a = tracking(&world);
    a.git(&["branch", "release-one"]).ok();
    let elsewhere = ["add", "get", "import", "clone", "update"];
    for verb in VERBS {
        // What is not there may be added any day, and what others have is not known here; that a path is
        // not tracked is an answer.
        if elsewhere.contains(&verb) || verb == "check-ignore" {
            continue;
        }
        if let Some(words) = with_path(verb, "dta/a.bin") {
            a.haul(&[&[verb], words.as_slice()].concat())
                .fails_with(1)
                .says("did you mean `data/a.bin`?");
        }
    }
    all_with_revision(&a, "relase-one", |verb, output| {
        if !elsewhere.contains(&verb) {
            output.fails_with(1).says("did you mean `release-one");
        }
    });
    a.haul(&["diff", "HEAD..relase-one"]).fails_with(1).says("did you mean `HEAD..release-one`?");
    a.haul(&["diff", "relase-one~1"]).fails_with(1).says("did you mean `release-one~1`?");
}
