use crate::harness::{Output, Repo, World};

pub(crate) const VERBS: [&str; 36] = [
    "init",
    "clone",
    "remote",
    "add",
    "track",
    "untrack",
    "rm",
    "mv",
    "status",
    "diff",
    "log",
    "ls",
    "cat",
    "export",
    "get",
    "import",
    "update",
    "check-ignore",
    "push",
    "fetch",
    "checkout",
    "pull",
    "verify",
    "ci",
    "fsck",
    "du",
    "evict",
    "gc",
    "merge",
    "hooks",
    "uninstall",
    "config",
    "doctor",
    "completions",
    "man",
    "demo",
];

/// The help of a verb and of all verbs below it, as they name each other.
fn help_of(any: &Repo, words: &[&str]) -> Vec<Output> {
    let help = any.haul(&[words, &["--help"]].concat()).ok();
    let below = help.stdout().lines().skip_while(|line| *line != "Commands:").skip(1);
    let below = below.take_while(|line| !line.is_empty());
    let names: Vec<String> =
        below.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect();
    let more = names.iter().flat_map(|name| help_of(any, &[words, &[name.as_str()]].concat()));
    let more: Vec<Output> = more.collect();
    std::iter::once(help).chain(more).collect()
}

#[test]
fn the_help_of_every_verb_shows_two_examples() {
    let world = World::new();
    let any = world.folder("any");
    let all = help_of(&any, &[]);
    assert!(all.len() > VERBS.len() + 10, "with verbs of verbs");
    for help in all {
        let examples = help.stdout().lines().skip_while(|line| *line != "Examples:").skip(1);
        let examples = examples.take_while(|line| line.starts_with("  "));
        assert!(examples.filter(|line| line.contains("haul ")).count() >= 2, "{help}");
        assert_eq!(help.stderr(), "", "{help}");
    }
}

#[test]
fn the_help_names_every_verb_and_no_other() {
    let world = World::new();
    let help = world.folder("any").haul(&["--help"]).ok();
    let verbs = help.stdout().lines().skip_while(|line| *line != "Commands:").skip(1);
    let verbs = verbs.take_while(|line| !line.is_empty());
    let verbs: Vec<&str> = verbs.filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(verbs, VERBS);
}

#[test]
fn the_version_is_that_of_the_package() {
    let world = World::new();
    let version = world.folder("any").haul(&["--version"]).ok();
    let start = format!("haul {} (commit ", env!("CARGO_PKG_VERSION"));
    assert!(version.stdout().starts_with(&start), "{version}");
    // What a person, or a bug report, needs to know of what this build can read.
    assert!(version.stdout().contains("pointer 1, node 1, pack 1, catalogue 1"), "{version}");
}

#[test]
fn a_reader_that_went_away_is_no_error() {
    let world = World::new();
    let output = world.folder("any").haul_unread(&["--help"]).ok();
    assert_eq!(output.stderr(), "", "{output}");
}
