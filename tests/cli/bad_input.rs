//! Each looking and changing verb in each bad situation: the exit code of the table, and what to do.

use std::fmt::Write;

use crate::hard_times::{as_nobody, set_mode};
use crate::harness::{Output, Repo, World, data};
use crate::push::{ready, take};

/// Verbs with arguments that are right in a repository that tracks `x.bin` and `data`.
const RIGHT: [&[&str]; 13] = [
    &["diff", "HEAD~1", "HEAD"],
    &["log", "data"],
    &["ls", "HEAD:data"],
    &["cat", "HEAD:x.bin"],
    &["export", "HEAD:data", "out"],
    &["untrack", "x.bin"],
    &["rm", "x.bin"],
    &["mv", "x.bin", "y.bin"],
    &["checkout", "HEAD~1", "--", "data"],
    &["check-ignore", "data/a.bin"],
    &["status"],
    &["du"],
    &["config"],
];

/// Requires an answer in three parts, or in none.
#[track_caller]
fn helps(output: &Output, code: i32) {
    assert_eq!(output.status(), Some(code), "{output}");
    // What succeeds may print any bytes.
    if code != 0 {
        assert_eq!(output.flaw(), None, "{output}");
        assert!(output.stderr().contains("error: "), "{output}");
        assert!(output.stderr().contains("  hint: "), "{output}");
    }
}

/// A repository with two commits of data, not pushed anywhere, and no remote.
fn tracking<'a>(world: &'a World, name: &str) -> Repo<'a> {
    let a = world.repo(name);
    a.haul(&["init"]).ok();
    a.write("data/a.bin", &data::bytes(1, 200_000));
    a.write("x.bin", &data::bytes(2, 1000));
    take(&a, "x.bin");
    take(&a, "data");
    a.write("data/a.bin", &data::bytes(3, 200_000));
    take(&a, "data");
    a
}

#[test]
fn outside_of_a_repository_every_verb_says_so() {
    let world = World::new();
    let any = world.folder("any");
    for arguments in RIGHT {
        let output = any.haul(arguments);
        helps(&output, 1);
        output.says("is not in a Git repository");
    }
}

#[test]
fn where_nothing_is_set_up_or_committed_what_is_named_is_not_tracked() {
    let world = World::new();
    let (bare, empty) = (world.repo("bare"), world.repo("empty"));
    empty.haul(&["init"]).ok();
    for repo in [&bare, &empty] {
        for arguments in RIGHT {
            let fine = ["status", "du", "config"].contains(&arguments[0]);
            if arguments[0] == "check-ignore" {
                // The answer is no, and no failure.
                repo.haul(arguments).fails_with(1);
                continue;
            }
            helps(&repo.haul(arguments), i32::from(!fine));
        }
        for arguments in [&["diff"][..], &["log"], &["ls"]] {
            let output = repo.haul(arguments).ok();
            assert_eq!(output.stdout(), "", "{output}");
        }
    }
}

#[test]
fn paths_that_are_unknown_or_outside_are_named() {
    let world = World::new();
    let a = tracking(&world, "a");
    let before = a.tree();
    for verb in [
        &["diff"][..],
        &["log"],
        &["ls"],
        &["cat"],
        &["untrack"],
        &["rm"],
        &["status"],
        &["du"],
        &["checkout", "HEAD", "--"],
    ] {
        for (path, words) in [
            ("no/where", "`no/where`"),
            ("../any", "`../any`"),
            ("/", "`/`"),
            ("nul\u{1b}[2J", "\\x1b"),
        ] {
            let output = a.haul(&[verb, &[path]].concat());
            helps(&output, 1);
            output.says(words);
        }
    }
    helps(&a.haul(&["export", "no/where", "out"]), 1);
    helps(&a.haul(&["mv", "no/where", "y.bin"]), 1);
    a.tree().assert_same(&before);
}

#[test]
fn revisions_that_are_unknown_are_named() {
    let world = World::new();
    let a = tracking(&world, "a");
    for arguments in [
        &["diff", "v9", "HEAD"][..],
        &["diff", "HEAD..v9"],
        &["log", "--rev", "v9"],
        &["ls", "v9:data"],
        &["cat", "v9:x.bin"],
        &["export", "v9:data", "out"],
        &["checkout", "v9", "--", "data"],
        &["du", "--rev", "v9"],
    ] {
        let output = a.haul(arguments);
        helps(&output, 1);
        output.says("v9");
    }
}

#[test]
fn on_a_detached_head_everything_works() {
    let world = World::new();
    let a = tracking(&world, "a");
    a.git(&["checkout", "-q", "--detach"]).ok();
    for arguments in RIGHT {
        helps(&a.haul(arguments), 0);
        a.git(&["reset", "-q", "--hard"]).ok();
        a.haul(&["checkout", "--force"]).ok();
    }
}

#[test]
fn without_a_remote_a_clone_says_what_it_lacks() {
    let world = World::new();
    let b = tracking(&world, "a").clone_as("b");
    for (arguments, code) in [
        (&["diff", "HEAD~1", "HEAD"][..], 1),
        (&["log", "data"], 1),
        (&["ls", "HEAD:data"], 1),
        (&["cat", "HEAD:x.bin"], 1),
        (&["export", "HEAD:data", "out"], 1),
        (&["untrack", "x.bin"], 1),
        (&["ls"], 0),
        (&["rm", "x.bin"], 0),
        (&["mv", "data", "y"], 0),
    ] {
        helps(&b.haul(arguments), code);
    }
    b.haul(&["cat", "HEAD:x.bin"]).fails_with(1).says("no remote is set up");
}

#[test]
fn content_that_nobody_pushed_is_missing_and_a_remote_that_is_gone_is_out_of_reach() {
    let world = World::new();
    let remote = world.remote("r");
    let a = ready(&world, "a", &remote);
    a.write("data/a.bin", &data::bytes(1, 200_000));
    a.write("x.bin", &data::bytes(2, 1000));
    take(&a, "x.bin");
    take(&a, "data");
    let b = a.clone_as("b");
    let wants: [&[&str]; 5] = [
        &["diff", "HEAD~1", "HEAD"],
        &["log", "data"],
        &["ls", "HEAD:data"],
        &["cat", "HEAD:x.bin"],
        &["export", "HEAD:data", "out"],
    ];
    for arguments in wants {
        helps(&b.haul(arguments), 4);
    }
    std::fs::remove_dir_all(remote.path()).expect("is removed");
    for arguments in wants {
        helps(&b.haul(arguments), 3);
    }
}

#[test]
fn each_verb_answers_with_one_document_for_programs_also_when_it_fails() {
    let world = World::new();
    let a = tracking(&world, "a");
    for arguments in RIGHT {
        if arguments[0] == "cat" {
            continue;
        }
        let mut with_json = arguments.to_vec();
        with_json.insert(1, "--json");
        let report = a.haul(&with_json).ok().json();
        assert_eq!((&report["haul"], &report["verb"]), (&1.into(), &arguments[0].into()));
        a.git(&["reset", "-q", "--hard"]).ok();
        a.haul(&["checkout", "--force"]).ok();
    }
    let report = a.haul(&["ls", "--json", "none"]).fails_with(1).json();
    assert_eq!(report["error"]["exit"], 1);
}

/// Makes commits until the ids of two begin with the same four digits; returns these.
pub(crate) fn shared_start(repo: &Repo) -> String {
    let mut stream = String::new();
    for number in 0..2000 {
        let who = "Test <test@example.com> 1700000000 +0000";
        let text = format!("{number}");
        let (mark, len) = (number + 1, text.len());
        write!(
            stream,
            "commit refs/heads/many\nmark :{mark}\ncommitter {who}\ndata {len}\n{text}\n\n"
        )
        .expect("is written");
    }
    repo.write(".git/stream", stream.as_bytes());
    repo.run("sh", &["-c", "git fast-import --quiet < .git/stream"]).ok();
    let log = repo.git(&["log", "--format=%H", "many"]).ok();
    let mut seen = std::collections::BTreeSet::new();
    let twice = log.stdout().lines().map(|id| &id[..4]).find(|start| !seen.insert(*start));
    twice.expect("two of 2,000 ids share four digits").to_owned()
}

#[test]
fn a_revision_that_may_mean_several_commits_is_told_with_them() {
    let world = World::new();
    let a = tracking(&world, "a");
    let short = shared_start(&a);
    for arguments in [
        &["diff", &short, "HEAD"][..],
        &["log", "--rev", &short],
        &["ls", &format!("{short}:data")],
        &["cat", &format!("{short}:x.bin")],
        &["export", &format!("{short}:data"), "out"],
        &["checkout", "--rev", &format!("{short}~1"), "data"],
        &["checkout", &short, "--", "data"],
        &["du", "--rev", &short],
        &["fetch", "--rev", &short],
        &["verify", &short],
    ] {
        let output = a.haul(arguments);
        helps(&output, 1);
        output.says("may mean any of").says("write more of the id");
    }
}

#[test]
fn a_worktree_that_cannot_be_written_is_looked_at_and_not_half_changed() {
    let world = World::new();
    let a = tracking(&world, "a");
    a.write("data/b.bin", b"new");
    if as_nobody(&world, &a, &["--version"]).is_none() {
        return;
    }
    let before = a.tree();
    for folder in ["data", ""] {
        set_mode(&a.path(folder), 0o555);
    }
    for arguments in RIGHT {
        let looks = ["diff", "log", "ls", "cat", "check-ignore", "status", "du", "config"]
            .contains(&arguments[0]);
        let Some(output) = as_nobody(&world, &a, arguments) else { return };
        if looks {
            helps(&output, 0);
        } else {
            helps(&output, 1);
        }
    }
    for arguments in [&["add", "data"][..], &["rm", "data/a.bin"], &["mv", "data/a.bin", "data/c"]]
    {
        let Some(output) = as_nobody(&world, &a, arguments) else { return };
        helps(&output, 1);
        output.says("ermission denied");
    }
    for folder in ["", "data"] {
        set_mode(&a.path(folder), 0o755);
    }
    a.tree().assert_same(&before);
}

/// The verbs that move, prove or set up, in each situation where something that they need is not there.
#[test]
fn verbs_that_move_data_say_what_is_missing() {
    let world = World::new();
    let (plain, bare) = (world.folder("plain"), world.repo("bare"));
    let empty = world.repo("empty");
    empty.haul(&["init"]).ok();
    let a = tracking(&world, "b");
    // Not a repository, not set up, nothing committed, no remote.
    let table: [(&[&str], [i32; 4]); 17] = [
        (&["add", "none"], [1, 1, 1, 1]),
        (&["remote", "list"], [1, 0, 0, 0]),
        (&["remote", "test"], [1, 1, 1, 1]),
        (&["push"], [1, 1, 1, 1]),
        (&["fetch"], [1, 0, 0, 0]),
        (&["checkout"], [1, 0, 0, 0]),
        (&["pull"], [1, 0, 0, 0]),
        (&["verify"], [1, 1, 1, 1]),
        (&["fsck", "--local"], [1, 0, 0, 0]),
        (&["evict"], [1, 1, 0, 0]),
        (&["gc"], [1, 1, 1, 1]),
        (&["hooks", "status"], [1, 1, 0, 0]),
        (&["merge"], [1, 1, 0, 0]),
        (&["doctor", "--offline"], [1, 0, 0, 0]),
        (&["merge-driver", "o", "a", "b", "p"], [1, 1, 1, 1]),
        (&["uninstall"], [1, 0, 0, 0]),
        (&["init"], [1, 0, 0, 0]),
    ];
    let mut wrong = Vec::new();
    for (arguments, codes) in table {
        for (repo, code) in [&plain, &bare, &empty, &a].into_iter().zip(codes) {
            let output = repo.haul(arguments);
            let told =
                ["doctor", "hooks"].contains(&arguments[0]) || output.stderr().contains("  hint: ");
            if output.status() != Some(code) || output.flaw().is_some() || code != 0 && !told {
                wrong.push(format!("{output}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
