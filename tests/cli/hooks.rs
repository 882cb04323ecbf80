//! Getting Git to call haul, beside whatever it calls already.

use crate::harness::{Output, Remote, Repo, World, data, skipped};
use crate::scene::save;

const MOMENTS: [&str; 5] =
    ["pre-commit", "pre-push", "post-checkout", "post-merge", "post-rewrite"];

fn ready(world: &World) -> Repo<'_> {
    let a = world.repo("a");
    a.haul(&["init", "--no-hooks"]).ok();
    a.commit("init");
    a
}

/// Writes a program that says its name and arguments, and repeats what it is told.
fn program(repo: &Repo<'_>, name: &str, word: &str, end: &str) {
    let text = format!("#!/bin/sh\necho \"{word} $0 $*\" >&2\ncat >&2\n{end}\n");
    repo.script(name, &text);
}

fn states(report: &Output) -> Vec<String> {
    let json = report.json();
    let rows = json.get("hooks").and_then(|rows| rows.as_array()).expect("has rows");
    let text =
        |row: &serde_json::Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    rows.iter().map(|row| format!("{} {}", text(row, "name"), text(row, "state"))).collect()
}

fn all(state: &str) -> Vec<String> {
    MOMENTS.iter().map(|name| format!("{name} {state}")).collect()
}

#[test]
fn init_installs_them_and_says_so_and_again_changes_nothing() {
    let world = World::new();
    let a = world.repo("a");
    a.haul(&["init"]).ok().says("5 Git hooks");
    let before = a.tree_of(".git/hooks");
    assert_eq!(states(&a.haul(&["hooks", "status", "--json"]).ok()), all("installed"));
    a.haul(&["init"]).ok().says("nothing to do");
    a.haul(&["hooks", "install"]).ok().says("0 changed");
    before.assert_same(&a.tree_of(".git/hooks"));
}

#[test]
fn init_without_hooks_installs_none_and_status_answers_no() {
    let world = World::new();
    let a = ready(&world);
    assert!(!a.has(".git/hooks/pre-push"));
    assert_eq!(states(&a.haul(&["hooks", "status", "--json"]).fails_with(1)), all("absent"));
    a.haul(&["hooks", "install"]).ok().says("5 changed");
    a.haul(&["hooks", "status"]).ok();
}

#[test]
fn hooks_that_were_there_are_called_first_with_all_they_had_and_come_back() {
    let world = World::new();
    let a = ready(&world);
    world.folder("hub.git").git(&["init", "--quiet", "--bare"]).ok();
    a.git(&["remote", "add", "origin", "../hub.git"]).ok();
    for name in MOMENTS {
        program(&a, &format!(".git/hooks/{name}"), "own", "");
    }
    let before = a.tree_of(".git/hooks");
    a.haul(&["hooks", "install"]).ok();
    a.haul(&["hooks", "status"]).ok();
    let pushed = a.git_hooked(&["push", "origin", "main"]).ok();
    pushed
        .says("own")
        .says("origin ../hub.git")
        .says("refs/heads/main refs/heads/main".split(' ').next().expect("is one"));
    a.git_hooked(&["commit", "--allow-empty", "-m", "x"]).ok().says("own .git/hooks/pre-commit");
    a.git_hooked(&["checkout", "-b", "other"]).ok().says("own .git/hooks/post-checkout");
    // Switched off is haul, nobody else.
    a.git(&["checkout", "main"]).ok().says("own");
    a.haul(&["hooks", "uninstall"]).ok();
    before.assert_same(&a.tree_of(".git/hooks"));
}

#[test]
fn a_hook_that_was_there_and_refuses_has_the_first_word() {
    let world = World::new();
    let a = ready(&world);
    program(&a, ".git/hooks/pre-commit", "own", "exit 7");
    program(&a, ".git/hooks/post-checkout", "own", "exit 7");
    a.haul(&["hooks", "install"]).ok();
    a.git_hooked(&["commit", "--allow-empty", "-m", "x"]).fails_with(1).says("own");
    a.git_hooked(&["checkout", "-b", "other"]).fails_with(1).says("own");
    assert_eq!(a.git(&["branch", "--show-current"]).ok().stdout(), "other\n");
}

#[test]
fn an_install_that_died_half_way_is_finished_by_the_next() {
    let world = World::new();
    let a = ready(&world);
    program(&a, ".git/hooks/pre-commit", "own", "");
    a.haul_with(&["hooks", "install"], &[("HAUL_FAILPOINT", "fs.move.renamed")]).dies();
    a.haul(&["hooks", "install"]).ok();
    a.git_hooked(&["commit", "--allow-empty", "-m", "x"]).ok().says("own");
    a.haul(&["hooks", "uninstall"]).ok();
    assert!(a.text(".git/hooks/pre-commit").contains("own"));
}

#[test]
fn what_somebody_put_in_our_place_is_left_alone_and_the_line_to_add_is_shown() {
    let world = World::new();
    let a = ready(&world);
    program(&a, ".git/hooks/pre-push", "first", "");
    a.haul(&["hooks", "install"]).ok();
    program(&a, ".git/hooks/pre-push", "second", "");
    let before = a.tree_of(".git/hooks");
    a.haul(&["hooks", "install"]).fails_with(1).says("haul hook pre-push \"$@\"");
    before.assert_same(&a.tree_of(".git/hooks"));
    // Added by hand it counts.
    a.write(".git/hooks/pre-push", b"#!/bin/sh\nhaul hook pre-push \"$@\"\n");
    a.haul(&["hooks", "status"]).ok();
}

#[test]
fn husky_gets_files_of_its_own_and_keeps_those_it_has() {
    let world = World::new();
    let a = ready(&world);
    a.mkdir(".husky/_");
    a.write(".husky/_/.gitignore", b"*\n");
    // As husky does it: the hook runs the file of the same name one folder up.
    for name in MOMENTS {
        let text = "#!/bin/sh\ns=\"$(dirname \"$(dirname \"$0\")\")/$(basename \"$0\")\"\n\
                    [ -f \"$s\" ] || exit 0\nsh -e \"$s\" \"$@\"\n";
        a.script(&format!(".husky/_/{name}"), text);
    }
    a.write(".husky/pre-commit", b"echo lint >&2\n");
    a.git(&["config", "core.hooksPath", ".husky/_"]).ok();
    let before = a.tree_of(".husky/_");
    let report = a.haul(&["hooks", "install", "--json"]).fails_with(1);
    assert_eq!(states(&report)[..2], ["pre-commit by-hand", "pre-push installed"]);
    before.assert_same(&a.tree_of(".husky/_"));
    assert_eq!(a.text(".husky/pre-commit"), "echo lint >&2\n");
    a.write(".husky/pre-commit", b"echo lint >&2\nhaul hook pre-commit \"$@\"\n");
    a.haul(&["hooks", "status"]).ok();
    a.write("x.haul", b"<<<<<<< ours\n");
    a.git(&["add", "x.haul"]).ok();
    a.git_hooked(&["commit", "-m", "x"]).fails_with(1).says("lint").says("x.haul");
    // What is committed names no folder of this machine.
    assert!(!a.text(".husky/pre-push").contains("target"), "{}", a.text(".husky/pre-push"));
}

#[test]
fn lefthook_and_overcommit_keep_their_hooks_and_their_lists_are_read() {
    let world = World::new();
    let a = ready(&world);
    program(&a, ".git/hooks/pre-push", "call_lefthook run", "");
    program(&a, ".git/hooks/pre-commit", "Overcommit", "");
    let before = a.read(".git/hooks/pre-push");
    let report = a.haul(&["hooks", "install"]).fails_with(1);
    report.says("lefthook.yml").says("use_stdin: true").says("overcommit");
    assert_eq!(a.read(".git/hooks/pre-push"), before);
    let list =
        "pre-push:\n  commands:\n    haul: { run: \"haul hook pre-push {0}\", use_stdin: true }\n";
    a.write("lefthook.yml", list.as_bytes());
    let report = a.haul(&["hooks", "status", "--json"]).fails_with(1);
    assert!(states(&report).contains(&"pre-push installed".to_owned()));
}

#[test]
fn the_pre_commit_framework_calls_ours_where_it_calls_older_hooks() {
    let world = World::new();
    let a = ready(&world);
    let text = "#!/bin/sh\n# File generated by pre-commit: https://pre-commit.com\n\
                if [ -x \"$0.legacy\" ]; then \"$0.legacy\" \"$@\" || exit 1; fi\necho checked >&2\n";
    a.script(".git/hooks/pre-commit", text);
    a.haul(&["hooks", "install"]).ok();
    assert_eq!(a.text(".git/hooks/pre-commit"), text);
    a.write("x.haul", b"<<<<<<< ours\n");
    a.git(&["add", "x.haul"]).ok();
    a.git_hooked(&["commit", "-m", "x"]).fails_with(1).says("x.haul");
    a.haul(&["hooks", "uninstall"]).ok();
    assert!(!a.has(".git/hooks/pre-commit.legacy"));
    a.git_hooked(&["commit", "-m", "x"]).ok().says("checked");
}

#[test]
fn committed_hooks_are_left_alone_and_a_folder_outside_too() {
    let world = World::new();
    let a = ready(&world);
    program(&a, ".githooks/pre-push", "team", "");
    a.git(&["add", ".githooks"]).ok();
    a.commit("hooks");
    a.git(&["config", "core.hooksPath", ".githooks"]).ok();
    a.haul(&["hooks", "install"]).fails_with(1).says(".githooks/pre-push` is committed");
    assert!(a.text(".githooks/pre-push").contains("team"));
    a.haul(&["hooks", "uninstall"]).ok();
    assert_eq!(a.git(&["status", "--porcelain"]).ok().stdout(), "");
    let outside = world.folder("outside");
    a.git(&["config", "core.hooksPath", outside.path("").to_str().expect("is text")]).ok();
    a.haul(&["hooks", "install"]).fails_with(1).says("core.hooksPath");
    assert!(outside.tree().paths().is_empty());
}

#[test]
fn a_folder_that_cannot_be_written_is_named_and_init_goes_on() {
    let world = World::new();
    let a = world.repo("a");
    a.remove(".git/hooks");
    a.write(".git/hooks", b"no folder");
    a.haul(&["init"]).ok().says("Git will not call haul").says(".git/hooks");
    assert!(a.has("haul.toml"));
    a.haul(&["hooks", "install"]).fails_with(1).says(".git/hooks").says("hint");
}

#[test]
fn in_a_linked_worktree_and_a_submodule_they_lie_where_git_looks() {
    let world = World::new();
    let a = ready(&world);
    a.git(&["worktree", "add", "--quiet", "../side"]).ok();
    let side = world.folder("side");
    side.haul(&["hooks", "install"]).ok();
    a.haul(&["hooks", "status"]).ok();
    let outer = world.repo("outer");
    let allow = ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "../a", "sub"];
    outer.git(&allow).ok();
    let sub = world.folder("outer/sub");
    sub.haul(&["hooks", "install"]).ok();
    sub.write("x.haul", b"<<<<<<< ours\n");
    sub.git(&["add", "x.haul"]).ok();
    sub.git_hooked(&["commit", "-m", "x"]).fails_with(1).says("x.haul");
}

#[test]
fn git_lfs_goes_on_beside_them() {
    let world = World::new();
    let a = ready(&world);
    if a.git(&["lfs", "version"]).status() != Some(0) {
        return skipped("git-lfs is not installed");
    }
    a.git(&["lfs", "install", "--local"]).ok();
    let before = a.tree_of(".git/hooks");
    a.haul(&["hooks", "install"]).ok();
    assert!(a.text(".git/hooks/pre-push.before-haul").contains("git lfs"));
    world.folder("hub.git").git(&["init", "--quiet", "--bare"]).ok();
    a.git(&["remote", "add", "origin", "../hub.git"]).ok();
    let remote = world.remote("r");
    a.haul(&["remote".as_ref(), "add".as_ref(), "r".as_ref(), remote.as_arg()]).ok();
    a.write("x.bin", &data::bytes(1, 100_000));
    save(&a, &["x.bin"], "one");
    a.git_hooked(&["push", "origin", "main"]).ok().says("pushed 1 root");
    a.haul(&["hooks", "uninstall"]).ok();
    before.assert_same(&a.tree_of(".git/hooks"));
}

#[test]
fn repositories_that_libgit2_cannot_open_have_them_too() {
    let world = World::new();
    for shape in ["--object-format=sha256", "--ref-format=reftable"] {
        let name = shape.trim_start_matches('-').split('=').next().expect("has a name");
        let (a, hub) = (world.folder(name), world.folder(&format!("{name}.git")));
        a.git(&["init", "--quiet", shape]).ok();
        hub.git(&["init", "--quiet", "--bare", shape]).ok();
        a.haul(&["init"]).ok();
        let remote = Remote::at(world.path(format!("{name}-r")));
        a.haul(&["remote".as_ref(), "add".as_ref(), "r".as_ref(), remote.as_arg()]).ok();
        a.git(&["remote", "add", "origin", &format!("../{name}.git")]).ok();
        a.write("x.bin", &data::bytes(1, 100_000));
        save(&a, &["x.bin"], "one");
        a.git_hooked(&["push", "origin", "HEAD:main"]).ok().says("pushed 1 root");
        a.write("x.bin", &data::bytes(2, 100_000));
        save(&a, &["x.bin"], "two");
        a.git_hooked(&["checkout", "--quiet", "HEAD~1"]).ok();
        assert_eq!(a.read("x.bin"), data::bytes(1, 100_000), "{shape}");
        a.write("y.haul", b"<<<<<<< ours\n");
        a.git(&["add", "y.haul"]).ok();
        a.git_hooked(&["commit", "-m", "x"]).fails_with(1).says("y.haul");
    }
}

#[test]
fn the_list_for_the_pre_commit_framework_has_all_of_them() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/.pre-commit-hooks.yaml");
    let list = std::fs::read_to_string(path).expect("is there");
    for name in MOMENTS {
        for line in [
            format!("- id: haul-{name}"),
            format!("  entry: haul hook {name}"),
            format!("  stages: [{name}]"),
        ] {
            assert!(list.lines().any(|found| found == line), "{line}");
        }
    }
}
