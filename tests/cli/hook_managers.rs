//! The tools that many repositories have their Git hooks from, by their own programs, which
//! `tests/hook-managers.sh` brings: haul is called beside what they call, whoever came first.

use crate::harness::{Repo, World, data, skipped};
use crate::scene::save;

/// A repository with a remote of its own and one of Git; nothing if the tool is not on the path.
fn with<'w>(world: &'w World, tool: &str) -> Option<Repo<'w>> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    if !std::env::split_paths(&folders).any(|folder| folder.join(tool).exists()) {
        skipped(&format!("{tool} is not on the path"));
        return None;
    }
    let a = world.repo("a");
    a.haul(&["init", "--no-hooks"]).ok();
    let remote = world.remote("r");
    a.haul(&["remote".as_ref(), "add".as_ref(), "r".as_ref(), remote.as_arg()]).ok();
    a.commit("init");
    world.folder("hub.git").git(&["init", "--quiet", "--bare"]).ok();
    a.git(&["remote", "add", "origin", "../hub.git"]).ok();
    Some(a)
}

/// Requires that a commit asks haul and the tool's own list, and that data goes before Git's refs.
#[track_caller]
fn assert_called(a: &Repo<'_>) {
    a.haul(&["hooks", "status"]).ok();
    a.write("broken.haul", b"<<<<<<< ours\n");
    a.git(&["add", "broken.haul"]).ok();
    a.git_hooked(&["commit", "-m", "broken"]).fails_with(1).says("broken.haul");
    a.git(&["rm", "--quiet", "--cached", "broken.haul"]).ok();
    a.remove("broken.haul");
    a.write("x.bin", &data::bytes(1, 100_000));
    save(a, &["x.bin"], "one");
    a.write("code.txt", b"two\n");
    a.git(&["add", "code.txt"]).ok();
    let commit = a.git_hooked(&["commit", "-m", "two"]).ok();
    let said = format!("{}{}", commit.stdout(), commit.stderr());
    assert!(said.contains("linted"), "{said}");
    a.git_hooked(&["push", "origin", "main"]).ok();
    a.haul(&["verify", "HEAD"]).ok();
    let hub = a.git(&["ls-remote", "origin", "main"]).ok();
    assert!(hub.stdout().contains("refs/heads/main"), "{hub}");
}

#[test]
fn husky_calls_haul_beside_what_the_team_has() {
    let world = World::new();
    let Some(a) = with(&world, "husky") else { return };
    a.write("package.json", b"{}\n");
    a.run("husky", &[""; 0]).ok();
    a.write(".husky/pre-commit", b"echo linted\n");
    a.haul(&["hooks", "install"]).fails_with(1).says("husky has it");
    a.write(".husky/pre-commit", b"echo linted\nhaul hook pre-commit \"$@\"\n");
    assert_called(&a);
    // As `npm install` does in every clone.
    a.run("husky", &[""; 0]).ok();
    a.haul(&["hooks", "status"]).ok();
}

#[test]
fn lefthook_calls_haul_as_its_list_says() {
    let world = World::new();
    let Some(a) = with(&world, "lefthook") else { return };
    let lint = "pre-commit:\n  commands:\n    lint: { run: \"echo linted\" }\n";
    let push = "pre-push:\n  commands:\n    check: { run: \"true\" }\n";
    a.write("lefthook.yml", format!("{lint}{push}").as_bytes());
    a.run("lefthook", &["install"]).ok();
    let before = a.read(".git/hooks/pre-push");
    let report = a.haul(&["hooks", "install"]).fails_with(1);
    report.says("`pre-push` in `lefthook.yml`").says("use_stdin: true");
    assert_eq!(a.read(".git/hooks/pre-push"), before);
    // The lines that were shown.
    let lint = format!("{lint}    haul: {{ run: \"haul hook pre-commit {{0}}\" }}\n");
    let push =
        format!("{push}    haul: {{ run: \"haul hook pre-push {{0}}\", use_stdin: true }}\n");
    a.write("lefthook.yml", format!("{lint}{push}").as_bytes());
    a.run("lefthook", &["install"]).ok();
    assert_called(&a);
}

#[test]
fn the_pre_commit_framework_goes_on_beside_haul_whoever_came_first() {
    let world = World::new();
    let Some(a) = with(&world, "pre-commit") else { return };
    let list = "repos:\n- repo: local\n  hooks:\n  - { id: lint, name: linted, entry: 'true', \
                language: system, always_run: true, pass_filenames: false }\n";
    a.write(".pre-commit-config.yaml", list.as_bytes());
    save_plain(&a, ".pre-commit-config.yaml");
    let install = ["install", "-t", "pre-commit", "-t", "pre-push"];
    a.run("pre-commit", &install).ok();
    a.haul(&["hooks", "install"]).ok();
    assert_called(&a);
    a.haul(&["hooks", "uninstall"]).ok();
    a.run("pre-commit", &["uninstall", "-t", "pre-commit", "-t", "pre-push"]).ok();
    a.haul(&["hooks", "install"]).ok();
    a.run("pre-commit", &install).ok();
    a.haul(&["hooks", "status"]).ok();
    a.write("y.haul", b"<<<<<<< ours\n");
    a.git(&["add", "y.haul"]).ok();
    a.git_hooked(&["commit", "-m", "x"]).fails_with(1).says("y.haul");
}

#[test]
fn the_list_of_this_repository_serves_the_pre_commit_framework() {
    let world = World::new();
    let Some(a) = with(&world, "pre-commit") else { return };
    let source = world.repo("haul");
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/.pre-commit-hooks.yaml");
    source.write(".pre-commit-hooks.yaml", &std::fs::read(own).expect("is there"));
    save_plain(&source, ".pre-commit-hooks.yaml");
    let rev = source.git(&["rev-parse", "HEAD"]).ok().stdout().trim().to_owned();
    let list = format!(
        "repos:\n- repo: ../haul\n  rev: {rev}\n  hooks: [{{ id: haul-pre-commit, name: linted }}, {{ id: \
         haul-pre-push }}]\n"
    );
    a.write(".pre-commit-config.yaml", list.as_bytes());
    save_plain(&a, ".pre-commit-config.yaml");
    a.run("pre-commit", &["install", "-t", "pre-commit", "-t", "pre-push"]).ok();
    a.haul(&["hooks", "status"]).fails_with(1).prints("pre-push      installed");
    a.write("x.haul", b"<<<<<<< ours\n");
    a.git(&["add", "x.haul"]).ok();
    let refused = a.git_hooked(&["commit", "-m", "x"]).fails_with(1);
    let said = format!("{}{}", refused.stdout(), refused.stderr());
    assert!(said.contains("linted") && said.contains("x.haul"), "{said}");
    a.git(&["rm", "--quiet", "--cached", "x.haul"]).ok();
    a.remove("x.haul");
    a.write("x.bin", &data::bytes(1, 100_000));
    save(&a, &["x.bin"], "one");
    a.git_hooked(&["push", "origin", "main"]).ok();
    a.haul(&["verify", "HEAD"]).ok();
}

fn save_plain(repo: &Repo<'_>, name: &str) {
    repo.git(&["add", name]).ok();
    repo.commit(name);
}
