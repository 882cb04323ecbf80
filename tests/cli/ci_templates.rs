//! The templates of `docs/ci.md`: their shell steps run here, against a Git repository and a folder.

use std::path::{Path, PathBuf};

use crate::harness::{Output, Repo, World, data};
use crate::scene::{save, shared};

fn template(name: &str) -> (PathBuf, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    let text = std::fs::read_to_string(&path).expect("is there");
    (path, text)
}

/// What stands behind `- name:` and `run: |` of each step that has both.
fn run_steps(text: &str) -> Vec<(String, String)> {
    let mut steps: Vec<(String, String)> = Vec::new();
    let (mut name, mut margin) = (String::new(), None);
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        if let (Some(own), Some(step)) = (margin, steps.last_mut())
            && indent > own
        {
            step.1 += line.get(own + 2..).unwrap_or_default();
            step.1.push('\n');
            continue;
        }
        margin = None;
        if let Some(own) = line.trim_start().strip_prefix("- name: ") {
            own.clone_into(&mut name);
        } else if line.trim_start() == "run: |" {
            steps.push((name.clone(), String::new()));
            margin = Some(indent);
        }
    }
    steps
}

/// The lines below `KEY:` of a job, without their hyphens or split at their colons.
fn below<'t>(text: &'t str, job: &str, key: &str) -> Vec<&'t str> {
    let job = text.lines().skip_while(|line| *line != format!("{job}:")).skip(1);
    let job = job.take_while(|line| line.is_empty() || line.starts_with(' '));
    let part = job.skip_while(|line| *line != format!("  {key}:")).skip(1);
    let part = part.take_while(|line| line.starts_with("    "));
    part.map(|line| line.trim_start().trim_start_matches("- ")).collect()
}

fn scene(world: &World) -> Repo<'_> {
    let a = shared(world);
    for n in 0..4 {
        a.write(format!("data/train/{n}.bin"), &data::bytes(n, 80_000));
        a.write(format!("data/val set/{n}.bin"), &data::bytes(20 + n, 80_000));
    }
    let view = "\n[view.ci]\ninclude = [\"data/train/**\"]\n";
    a.write("haul.toml", (a.text("haul.toml") + view).as_bytes());
    save(&a, &["data"], "one");
    a.haul(&["push"]).ok();
    a.git(&["clone", "--quiet", "--bare", ".", "../bare.git"]).ok();
    a
}

fn bare(world: &World) -> String {
    format!("file://{}", world.path("bare.git").display())
}

fn depth_one<'a>(world: &'a World, name: &str) -> Repo<'a> {
    let folder = world.folder("");
    folder.git(&["clone", "--quiet", "--depth", "1", &bare(world), name]).ok();
    world.folder(name)
}

/// Runs the steps of the action; returns what it says to the service.
fn act(repo: &Repo, world: &World, want: &[(&str, &str)]) -> String {
    let (path, text) = template("action.yml");
    let action = path.parent().expect("lies in a folder").display().to_string();
    let temp = world.path("runner").display().to_string();
    std::fs::create_dir_all(&temp).expect("makes a folder");
    let file = |name: &str| format!("{temp}/{name}");
    let (output, environment) = (file("output"), file("environment"));
    std::fs::write(&output, b"").expect("writes");
    for (name, script) in run_steps(&text) {
        if name.starts_with("Prove") && !want.contains(&("verify", "true")) {
            continue;
        }
        let mut words: Vec<String> = vec!["-u".into(), "HOME".into(), "CI=true".into()];
        // Every input is there, empty if it was not given.
        for input in ["WANT_VIEW", "WANT_PATHS", "WANT_REV", "WANT_MAX_BYTES"] {
            let given = want.iter().find(|(name, _)| *name == input).map_or("", |(_, value)| value);
            words.push(format!("{input}={given}"));
        }
        words.push(format!("HAUL_ACCEPT_REMOTE={}", world.path("r").display()));
        for (name, value) in [
            ("GITHUB_ACTION_PATH", &action),
            ("RUNNER_TEMP", &temp),
            ("GITHUB_OUTPUT", &output),
            ("GITHUB_ENV", &environment),
            ("GITHUB_PATH", &file("path")),
        ] {
            words.push(format!("{name}={value}"));
        }
        words.extend(
            std::fs::read_to_string(&environment)
                .iter()
                .flat_map(|t| t.lines().map(str::to_owned).collect::<Vec<_>>()),
        );
        words.extend(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", &script].map(Into::into),
        );
        repo.run("env", &words).ok();
    }
    std::fs::read_to_string(output).expect("is there")
}

#[test]
fn the_steps_of_the_action_bring_what_is_asked_for() {
    let world = World::new();
    let a = scene(&world);
    let job = depth_one(&world, "job");
    let want = [("WANT_VIEW", "ci"), ("verify", "true")];
    let output = act(&job, &world, &want);
    let key = a.haul(&["ci", "key", "--view", "ci"]).ok().stdout().to_owned();
    assert_eq!(output, format!("key={key}"));
    job.tree_of("data").assert_same(&a.tree_of("data").without("val set"));
    assert!(world.path("runner/haul-cache").is_dir());
    let set = std::fs::read_to_string(world.path("runner/environment")).expect("is there");
    assert!(set.lines().any(|line| line == "HAUL_CACHE_MAX_SIZE=8G"), "{set}");
    let other = depth_one(&world, "other");
    let want =
        [("WANT_PATHS", "data/val set/1.bin\ndata/train/[23].bin"), ("WANT_MAX_BYTES", "1M")];
    act(&other, &world, &want);
    assert_eq!(other.tree_of("data").paths().len(), 5);
    assert_eq!(other.read("data/val set/1.bin"), a.read("data/val set/1.bin"));
}

#[test]
fn every_input_that_the_action_uses_is_declared_and_no_other() {
    let (_, text) = template("action.yml");
    let declared: Vec<&str> = text
        .lines()
        .skip_while(|line| *line != "inputs:")
        .skip(1)
        .take_while(|line| line.starts_with(' '))
        .filter(|line| !line.starts_with("   "))
        .map(|line| line.trim().trim_end_matches(':'))
        .collect();
    let used = |name: &&&str| text.matches(&format!("inputs.{name} ")).count() > 0;
    assert_eq!(declared.len(), 6);
    assert_eq!(declared.iter().filter(used).count(), 6, "{declared:?}");
    for part in text.split("inputs.").skip(1) {
        let name: String =
            part.chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect();
        assert!(declared.contains(&name.as_str()), "{name}");
    }
    // What a user of the action gives never becomes part of a script.
    assert!(run_steps(&text).iter().all(|(_, script)| !script.contains("${{")));
    assert_eq!(run_steps(&text).len(), 4);
}

/// Runs the lines of a job as the runner does: one shell, in a clone of depth 1, with the cache of the
/// job before.
fn pipeline(world: &World, (name, job): (&str, &str), kept: Option<&str>) -> Output {
    let (_, text) = template("docs/ci/gitlab.yml");
    let repo = depth_one(world, name);
    if let Some(kept) = kept {
        repo.run("cp", &["-r", kept, ".haul-cache"]).ok();
    }
    let folder = repo.path("").display().to_string();
    let mut words = vec!["-u".to_owned(), "HOME".to_owned(), "CI=true".to_owned()];
    words.push(format!("HAUL_ACCEPT_REMOTE={}", world.path("r").display()));
    let variables = below(&text, ".haul", "variables");
    assert!(variables.len() > 2, "{text}");
    for line in variables {
        let (name, value) = line.split_once(": ").expect("is a variable");
        let value = value.trim_matches('"').replace("$CI_PROJECT_DIR/", &folder);
        words.push(format!("{name}={value}"));
    }
    let script = below(&text, job, "script").join("\n");
    assert!(script.contains("haul"), "{text}");
    words.extend(["sh", "-ec", &script].map(str::to_owned));
    repo.run("env", &words).ok()
}

#[test]
fn the_jobs_for_gitlab_warm_the_cache_and_use_it() {
    let world = World::new();
    let a = scene(&world);
    pipeline(&world, ("warm", "warm"), None);
    assert!(!world.path("warm/data").exists());
    // The content can come from the cache alone.
    std::fs::remove_dir_all(world.path("r/p")).expect("removes");
    pipeline(&world, ("test", "test"), Some("../warm/.haul-cache"));
    world.folder("test").tree_of("data").assert_same(&a.tree_of("data").without("val set"));
}

#[test]
fn the_script_checks_out_a_commit_and_brings_its_data() {
    let world = World::new();
    let a = scene(&world);
    let (path, _) = template("docs/ci/job.sh");
    let path = path.display().to_string();
    let accept = format!("HAUL_ACCEPT_REMOTE={}", world.path("r").display());
    let cache = format!("CACHE={}", world.path("kept").display());
    let url = bare(&world);
    let words = ["-u", "HOME", &accept, &cache, "VIEW=ci", "sh", &path, &url, "main", "job"];
    world.folder("").run("env", &words).ok().prints("key haul-");
    let job = world.folder("job");
    job.tree_of("data").assert_same(&a.tree_of("data").without("val set"));
    let commit = a.git(&["rev-parse", "HEAD"]).ok().stdout().trim().to_owned();
    let words = ["-u", "HOME", &accept, "sh", &path, &url, &commit, "two", "data/val set"];
    world.folder("").run("env", &words).ok();
    world.folder("two").tree_of("data").assert_same(&a.tree_of("data").without("train"));
    // What is relative is so to the folder that the job starts in.
    let words = ["-u", "HOME", &accept, "CACHE=own", "sh", &path, "bare.git", "main", "three"];
    world.folder("").run("env", &words).ok();
    let three = world.folder("three");
    three.tree_of("data").assert_same(&a.tree_of("data"));
    assert!(world.path("own").is_dir());
    assert_eq!(three.git(&["status", "--porcelain"]).ok().stdout(), "");
}
