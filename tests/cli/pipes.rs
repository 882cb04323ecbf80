//! Readers that go away, and colours: what is written where nobody, or no person, reads it.

use crate::foreign::others;
use crate::harness::World;

/// Words of verbs that print a lot.
const PRINTING: [&[&str]; 12] = [
    &["ls", "-r"],
    &["status"],
    &["diff", "HEAD~1", "HEAD"],
    &["diff", "--markdown", "HEAD~1", "HEAD"],
    &["log"],
    &["du"],
    &["cat", "HEAD:model.bin"],
    &["config"],
    &["remote", "list"],
    &["check-ignore", "model.bin"],
    &["doctor"],
    &["completions", "bash"],
];

#[test]
fn a_reader_that_goes_away_ends_any_verb_quietly() {
    let world = World::new();
    let a = others(&world);
    for verb in PRINTING {
        for flags in [&[][..], &["--json"], &["--progress", "json"]] {
            let arguments = [verb, flags].concat();
            let own_form = verb.contains(&"--markdown") || verb.starts_with(&["cat"]);
            if own_form && flags.contains(&"--json") {
                continue;
            }
            let output = a.haul_unread(&arguments).ok();
            for word in ["error", "warning", "panicked", "pipe"] {
                assert!(!output.stderr().contains(word), "{output}");
            }
        }
    }
    // What was wrong is still said, and nothing else.
    let wrong = a.haul_unread(&["ls", "no/where", "--json"]).fails_with(1).says("error: ");
    assert!(!wrong.stderr().contains("warning"), "{wrong}");
    a.haul_unread(&["ls", "--no-such-flag", "--json"]).fails_with(2);
}

#[test]
fn a_head_that_took_enough_ends_a_listing_quietly() {
    let world = World::new();
    let a = world.repo("a");
    a.haul(&["init"]).ok();
    for n in 0..3_000 {
        a.write(format!("many/a-rather-long-name-of-a-file-{n:04}"), b"small");
    }
    a.haul(&["add", "many"]).ok();
    a.commit("many");
    let words = "set -o pipefail; haul ls -r many | head -1";
    let output = a.run("bash", &["-c", words]).ok();
    assert_eq!((output.stdout().lines().count(), output.stderr()), (1, ""), "{output}");
}

#[test]
fn a_stderr_that_nobody_reads_changes_nothing() {
    let world = World::new();
    let a = others(&world);
    for (number, flags) in
        [&[][..], &["--progress", "json"], &["-vvv"], &["--progress", "plain"]].iter().enumerate()
    {
        let b = a.clone_as(&format!("b{number}"));
        b.haul_unheard(&[&["pull"], *flags].concat()).ok();
        b.tree_of("data").assert_same(&a.tree_of("data"));
        b.haul_unheard(&[&["ls", "no/where"], *flags].concat()).fails_with(1);
        b.haul_unheard(&[&["ls", "--no-such-flag"], *flags].concat()).fails_with(2);
    }
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let world = World::new();
    let any = world.folder("any");
    let coloured = |line: &str, variables: &[(&str, &str)]| {
        let variables = [&[("NO_COLOR", "")], variables].concat();
        let output = any.haul_on_terminal_with(line, &variables).fails_with(1);
        assert!(output.stdout().contains("is not in a Git repository"), "{output}");
        output.stdout().contains("\u{1b}[1;31merror:")
    };
    assert!(coloured("haul status", &[]));
    assert!(coloured("haul status", &[("CLICOLOR", "1")]));
    for plain in [("NO_COLOR", "1"), ("CLICOLOR", "0"), ("TERM", "dumb")] {
        assert!(!coloured("haul status", &[plain]), "{plain:?}");
    }
    assert!(!coloured("haul status --color never", &[]));
    assert!(coloured("haul status --color always", &[("NO_COLOR", "1")]));
    // No terminal, no colours, unless somebody insists.
    let piped = |arguments: &[&str], variables: &[(&str, &str)]| {
        let variables = [&[("NO_COLOR", "")], variables].concat();
        any.haul_with(arguments, &variables).fails_with(1).stderr().contains('\u{1b}')
    };
    assert!(!piped(&["status"], &[]));
    assert!(piped(&["status"], &[("CLICOLOR_FORCE", "1")]));
    assert!(!piped(&["status"], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    assert!(piped(&["status", "--color", "always"], &[]));
    assert!(!piped(&["status", "--color", "never"], &[("CLICOLOR_FORCE", "1")]));
}

#[test]
fn a_dumb_terminal_gets_lines_and_no_bars() {
    let world = World::new();
    let a = others(&world);
    let b = a.clone_as("b");
    let output = b.haul_on_terminal_with("haul pull", &[("TERM", "dumb")]).ok();
    assert!(!output.stdout().contains('\u{1b}'), "{output}");
}
