//! What a person sees while `haul` works, what a log keeps of it, and the line that closes each verb.

use crate::harness::{Output, Repo, World, data, screen};
use crate::push::{ready, take};

/// Long enough to be drawn while it runs.
const LARGE: usize = 24 << 20;

/// A repository with a first version pushed, so that the remote is known, and a second added.
fn before_a_push(world: &World) -> Repo<'_> {
    let a = ready(world, "a", &world.remote("r"));
    for version in 1..=2 {
        a.write("x.bin", &data::bytes(version, 300_000));
        take(&a, "x.bin");
        if version == 1 {
            a.haul(&["push"]).ok();
        }
    }
    a
}

/// Requires that bars for some tasks were drawn, and that only `last` is left to be read.
#[track_caller]
fn drew(output: &Output, tasks: &[&str], last: &[&str]) {
    let written = output.stdout();
    for task in tasks {
        assert!(written.contains(&format!("{task} [")), "no bar `{task}`\n{output}");
    }
    let told = ["MiB/s, ", " left"].iter().all(|words| written.contains(words));
    assert!(told, "neither speed nor time\n{output}");
    assert!(written.contains("\u{1b}["), "the cursor never moved\n{output}");
    let lines = screen(written);
    assert_eq!(lines.len(), last.len(), "{lines:#?}");
    for (line, beginning) in lines.iter().zip(last) {
        assert!(line.starts_with(beginning), "expected `{beginning}`: {lines:#?}");
    }
    assert!(lines.last().is_some_and(|line| line.ends_with(" s")), "{lines:#?}");
}

#[test]
fn a_terminal_shows_bars_that_leave_nothing_behind() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    a.write("x.bin", &data::bytes(1, LARGE));
    let added = a.haul_on_terminal_with("haul add x.bin", &[]).ok();
    drew(&added, &["adding"], &["added     x.bin", "added 1 file, 24.0 MiB: 24.0 MiB new"]);
    // What is new is seen while it is found out.
    assert!(added.stdout().contains(" left, 0 B new") || added.stdout().contains("MiB new\u{1b}"));
    a.commit("x");
    let pushed = a.haul_on_terminal_with("haul push", &[]).ok();
    drew(&pushed, &["sending"], &["pushed 1 root to `origin`: 24.0 MiB sent"]);
    let b = a.clone_as("b");
    let pulled = b.haul_on_terminal_with("haul pull", &[]).ok();
    // Too long for one line of this terminal.
    let last = ["fetched 1 file, 24.0 MiB from `origin`: 24.0 MiB", "file, 24.0 MiB: 0 removed"];
    drew(&pulled, &["fetching", "placing"], &last);
}

#[test]
fn a_bar_fits_into_the_line() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    a.write("x.bin", &data::bytes(1, LARGE));
    let added = a.haul_on_terminal_with("haul add x.bin", &[]).ok();
    // Lines that wrap are cleared by going up first.
    assert!(!added.stdout().contains("\u{1b}[1A\r\u{1b}[2K\u{1b}[1B"), "{added}");
}

#[test]
fn a_task_that_takes_longer_prints_a_line_every_few_seconds_where_there_is_no_terminal() {
    let world = World::new();
    let a = before_a_push(&world);
    let mut push = a.pause_haul(&["push"], "remote.put.before");
    push.hear("sending: ", 2);
    push.hear("/s", 1);
    push.let_go().ok().says("pushed 2 roots");
}

#[test]
fn progress_is_quiet_if_asked_to_be() {
    let world = World::new();
    let a = before_a_push(&world);
    let output = a.haul(&["push", "--quiet"]).ok();
    assert_eq!((output.stdout(), output.stderr()), ("", ""));
}

/// Every verb in an order that gives each something to do, and what its closing line begins with.
const VERBS: [(&[&str], &str); 10] = [
    (&["init"], "set up haul in "),
    (&["remote", "add", "origin", "../r"], "added the remote `origin`: "),
    (&["add", "d"], "added 3 files, 878.9 KiB: 878.9 KiB new, 0 B reused, "),
    (&["status"], "3 files, 878.9 KiB tracked: no path differs"),
    (&["push"], "pushed 1 root to `origin`: "),
    (&["verify"], "verified 1 pointer on `origin`: 2 packs, "),
    (&["fetch"], "fetched 3 files, 878.9 KiB from `origin`: "),
    (&["checkout"], "placed 3 files, 878.9 KiB: 0 removed, 0 moved, 0 unchanged"),
    (&["pull"], "fetched 3 files, 878.9 KiB: 0 B received, 878.9 KiB reused; placed 0 files"),
    (&["remote", "list"], "1 remote"),
];

/// Runs every verb with some flags; from `fetch` on in a clone.
fn every_verb(flags: &[&str], check: impl Fn(&[&str], &str, &Output)) {
    let world = World::new();
    let a = world.repo("a");
    for file in 0..3 {
        a.write(format!("d/{file}"), &data::bytes(file, 300_000));
    }
    let mut clone = None;
    for (verb, closing) in VERBS {
        let here = clone.as_ref().unwrap_or(&a);
        let output = here.haul(&[verb, flags].concat()).ok();
        check(verb, closing, &output);
        if *verb == ["add", "d"] {
            a.commit("d");
        }
        if *verb == ["verify"] {
            clone = Some(a.clone_as("b"));
        }
    }
}

#[test]
fn every_verb_ends_with_one_line_of_figures_and_escapes_nothing_into_a_pipe() {
    every_verb(&[], |verb, closing, output| {
        let lines: Vec<&str> = output.stderr().lines().collect();
        let is_closing = |line: &&&str| line.starts_with(closing);
        assert_eq!(lines.iter().filter(is_closing).count(), 1, "{verb:?} `{closing}`\n{output}");
        let (line, time) = lines.last().and_then(|l| l.rsplit_once(", in ")).expect("has a time");
        assert!(line.starts_with(closing), "{verb:?}\n{output}");
        let seconds = time.strip_suffix(" s").and_then(|seconds| seconds.parse::<f64>().ok());
        assert!(seconds.is_some(), "{verb:?}\n{output}");
        for text in [output.stdout(), output.stderr()] {
            assert!(!text.contains(['\u{1b}', '\r']), "{verb:?}\n{output}");
        }
    });
}

#[test]
fn json_is_one_document_on_stdout_and_nothing_else() {
    every_verb(&["--json"], |verb, closing, output| {
        let document = output.json();
        assert_eq!(document["haul"], 1, "{verb:?}");
        assert_eq!(
            document["verb"],
            verb.join(" ").split(" origin").next().unwrap_or_default().trim_end_matches(" d"),
            "{verb:?}"
        );
        assert_eq!(output.stdout().lines().count(), 1, "{output}");
        assert!(output.stderr().contains(closing), "{verb:?}\n{output}");
    });
}

/// Parses stderr, of which each line has to be an event.
#[track_caller]
fn events(output: &Output) -> Vec<serde_json::Value> {
    let parse = |line: &str| {
        let event: serde_json::Value = serde_json::from_str(line)
            .unwrap_or_else(|error| panic!("`{line}` is no event: {error}\n{output}"));
        assert_eq!(event.get("haul").and_then(serde_json::Value::as_u64), Some(1), "{line}");
        event
    };
    output.stderr().lines().map(parse).collect()
}

#[test]
fn events_are_one_json_object_per_line() {
    every_verb(&["--progress", "json"], |verb, closing, output| {
        let events = events(output);
        if *verb == ["add", "d"] {
            let mut adds = events.iter().filter(|event| event["task"] == "add");
            assert_eq!(adds.next_back().expect("has events")["new"], 900_000, "{output}");
        }
        let last = events.last().expect("has events");
        assert_eq!(last["event"], "figures", "{verb:?}\n{output}");
        assert!(last["text"].as_str().is_some_and(|text| text.starts_with(closing)), "{output}");
        let mut running: Vec<(&str, u64)> = Vec::new();
        for event in &events {
            let task = event["task"].as_str().unwrap_or_default();
            let done = event["done"].as_u64().unwrap_or_default();
            let place = running.iter().position(|(name, _)| *name == task);
            match (event["event"].as_str().expect("is named"), place) {
                ("begin", None) => running.push((task, done)),
                ("begin" | "advance", Some(place)) => {
                    assert!(running[place].1 <= done, "{task} goes back\n{output}");
                    running[place].1 = done;
                }
                ("end", Some(place)) => drop(running.remove(place)),
                ("note" | "warning" | "figures", None) => assert!(event["text"].is_string()),
                _ => panic!("{event} comes out of order\n{output}"),
            }
        }
        assert!(running.is_empty(), "{running:?} never ended\n{output}");
    });
}

#[test]
fn a_failure_is_an_event_too() {
    let world = World::new();
    let a = world.folder("a");
    let output = a.haul(&["status", "--progress", "json"]).fails_with(1);
    let events = events(&output);
    assert_eq!(events.last().expect("has events")["event"], "error");
    output.says("is not in a Git repository");
}

#[test]
fn ctrl_c_on_a_terminal_ends_clean() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    a.write("x.bin", &data::bytes(1, 5 << 20));
    take(&a, "x.bin");
    // Other times, so that it is read.
    a.write("x.bin", &data::bytes(1, 5 << 20));
    let output = a.haul_on_terminal_stopped_at("haul status", "worktree.read").fails_with(130);
    let lines = screen(output.stdout());
    let expected = ["stopping; once more to stop at once", "error: interrupted", "  hint: run the"];
    assert!(output.stdout().contains("scanning"), "no bar stood there\n{output}");
    // The `^C` that the terminal itself writes can push the bar of that moment up and out of reach.
    let left: Vec<&String> = lines.iter().skip_while(|line| !line.contains("stopping")).collect();
    assert_eq!(left.len(), expected.len(), "{lines:#?}");
    for (line, beginning) in left.iter().zip(expected) {
        assert!(line.trim_start_matches("^C").starts_with(beginning), "{lines:#?}");
    }
}
