use crate::harness::World;

const VERBS: [&str; 35] = [
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
    "completions",
    "man",
    "demo",
];

#[test]
fn the_help_of_every_verb_shows_an_example() {
    let world = World::new();
    for verb in VERBS {
        let help = world.folder("any").haul(&[verb, "--help"]).ok();
        assert!(help.stdout().contains(&format!("haul {verb}")), "{help}");
        assert!(help.stdout().contains("Example"), "{help}");
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
    assert_eq!(version.stdout(), format!("haul {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_reader_that_went_away_is_no_error() {
    let world = World::new();
    let output = world.folder("any").haul_unread(&["--help"]).ok();
    assert_eq!(output.stderr(), "", "{output}");
}
