use crate::harness::{Output, Repo, World, data};
use crate::scene::{number, save, shared};

/// Tracked data of two versions, tagged `v1` and `v2`, all of it pushed.
fn scene(world: &World) -> Repo<'_> {
    let a = shared(world);
    for n in 0..8 {
        a.write(format!("data/train/{n}.bin"), &data::bytes(n, 80_000));
        a.write(format!("data/val/{n}.bin"), &data::bytes(20 + n, 80_000));
    }
    a.write("model.bin", &data::bytes(40, 300_000));
    let view = "\n[view.ci]\ninclude = [\"data/train/**\"]\n";
    a.write("haul.toml", (a.text("haul.toml") + view).as_bytes());
    save(&a, &["data", "model.bin"], "one");
    a.git(&["tag", "v1"]).ok();
    a.write("data/train/3.bin", &data::bytes(60, 80_000));
    save(&a, &["data"], "two");
    a.git(&["tag", "v2"]).ok();
    a.haul(&["push", "--all"]).ok();
    a
}

/// Clones as a CI service does: the one commit, on no branch.
fn shallow<'a>(a: &Repo<'a>, world: &'a World, name: &str, rev: &str) -> Repo<'a> {
    let job = world.repo(name);
    let url = format!("file://{}", a.path("").display());
    job.git(&["remote", "add", "origin", &url]).ok();
    job.git(&["fetch", "--quiet", "--depth", "1", "origin", rev]).ok();
    job.git(&["checkout", "--quiet", "--detach", "FETCH_HEAD"]).ok();
    job
}

/// Runs haul as a job does: no home, no settings of anybody, nobody to answer.
fn job(repo: &Repo, world: &World, arguments: &[&str]) -> Output {
    let accept = format!("HAUL_ACCEPT_REMOTE={}", world.path("r").display());
    let gone = ["HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"];
    let mut words = vec!["-u", "GIT_CONFIG_GLOBAL"];
    for name in gone {
        words.extend(["-u", name]);
    }
    words.extend(["CI=true", &accept, "haul"]);
    words.extend(arguments);
    repo.run("env", &words)
}

fn key(repo: &Repo, arguments: &[&str]) -> String {
    let printed = repo.haul(&[&["ci", "key"], arguments].concat()).ok();
    let key = printed.stdout().trim_end().to_owned();
    assert!(key.starts_with("haul-") && key.len() == 37, "{printed}");
    key
}

#[test]
fn a_job_in_a_shallow_clone_without_a_home_gets_exactly_what_its_commit_names() {
    let world = World::new();
    let a = scene(&world);
    let own = shallow(&a, &world, "job", "v1");
    job(&own, &world, &["verify", "HEAD"]).ok();
    job(&own, &world, &["verify"]).ok();
    let report = job(&own, &world, &["pull", "--json", "data/train", "data/**/7.bin"]).ok();
    assert_eq!(number(&report, "/checkout/written"), 9);
    assert_eq!(own.read("data/train/3.bin"), data::bytes(3, 80_000));
    assert!(!own.has("model.bin"));
    assert_eq!(job(&own, &world, &["status", "--porcelain"]).ok().stdout().lines().count(), 8);
}

#[test]
fn a_job_can_pull_another_revision_once_git_has_it() {
    let world = World::new();
    let a = scene(&world);
    let own = shallow(&a, &world, "job", "v2");
    let words = ["pull", "--rev", "v1", "data/train/3.bin"];
    job(&own, &world, &words).fails_with(1).says("`v1`").says("git fetch");
    job(&own, &world, &["verify", "v1"]).fails_with(1).says("`v1`").says("git fetch");
    own.git(&["fetch", "--quiet", "--depth", "1", "origin", "tag", "v1"]).ok();
    job(&own, &world, &words).ok();
    assert_eq!(own.read("data/train/3.bin"), data::bytes(3, 80_000));
    job(&own, &world, &["pull", "--rev", "HEAD", "data/train/3.bin"]).ok();
    assert_eq!(own.read("data/train/3.bin"), data::bytes(60, 80_000));
}

#[test]
fn a_job_that_has_not_accepted_the_remote_is_told_the_variable_to_set() {
    let world = World::new();
    let a = scene(&world);
    let own = shallow(&a, &world, "job", "v1");
    let url = world.path("r").display().to_string();
    let output =
        own.run("env", &["-u", "HOME", "-u", "XDG_CONFIG_HOME", "CI=true", "haul", "pull"]);
    output.fails_with(1).says(&format!("HAUL_ACCEPT_REMOTE={url}"));
}

#[test]
fn verify_is_a_gate_that_names_who_forgot_to_push() {
    let world = World::new();
    let a = scene(&world);
    a.write("model.bin", &data::bytes(41, 300_000));
    a.haul(&["add", "model.bin"]).ok();
    a.git(&["-c", "user.name=Ada Lovelace", "commit", "--quiet", "-m", "model"]).ok();
    let brought = a.git(&["rev-parse", "HEAD"]).ok().stdout()[..12].to_owned();
    a.commit_nothing();
    let b = a.clone_as("b");
    let pull = b.haul(&["pull"]).fails_with(4).says("`model.bin`").says(&brought);
    pull.says("by Ada Lovelace").says("ask Ada Lovelace to run `haul push`");
    let verify = b.haul(&["verify", "HEAD"]).fails_with(4).prints("model.bin");
    verify.says("Ada Lovelace").says(&brought);
    let own = shallow(&a, &world, "job", "main");
    let output = job(&own, &world, &["pull"]).fails_with(4).says("ask whoever committed");
    assert!(!output.stderr().contains("Ada"), "{output}");
    a.haul(&["push"]).ok();
    b.haul(&["verify", "HEAD"]).ok();
    b.haul(&["pull"]).ok();
}

#[test]
fn a_key_changes_with_the_data_that_is_asked_for_and_with_nothing_else() {
    let world = World::new();
    let a = scene(&world);
    let whole = key(&a, &[]);
    assert_eq!(key(&a, &["--rev", "v2"]), whole);
    assert_ne!(key(&a, &["--rev", "v1"]), whole);
    let model = key(&a, &["model.bin"]);
    assert_eq!(key(&a, &["--rev", "v1", "model.bin"]), model);
    a.write("readme", b"new");
    a.write("other.bin", &data::bytes(50, 1000));
    save(&a, &["other.bin", "readme"], "other");
    assert_ne!(key(&a, &[]), whole);
    assert_eq!(key(&a, &["model.bin"]), model);
    // Where it is asked from does not matter, nor does how the data was cut.
    a.mkdir("sub");
    assert_eq!(key(&a, &["-C", "sub", "../model.bin"]), model);
    let json = a.haul(&["ci", "key", "--json", "model.bin"]).ok().json();
    assert_eq!(json["key"], model.as_str());
    assert_eq!((&json["prefix"], &json["paths"]), (&"haul-".into(), &1.into()));
}

#[test]
fn the_key_of_a_part_follows_its_folder_or_where_exact_its_files() {
    let world = World::new();
    let a = scene(&world);
    let val = |repo: &Repo, more: &[&str]| key(repo, &[more, &["data/val"]].concat());
    let b = a.clone_as("b");
    let exact = val(&b, &["--exact"]);
    assert_eq!(val(&b, &["--exact", "--rev", "v1"]), exact);
    assert_ne!(val(&b, &[]), val(&b, &["--rev", "v1"]));
    assert_eq!(val(&a, &["--exact"]), exact);
    assert_eq!(val(&a, &[]), val(&b, &[]));
    assert_ne!(key(&b, &["--exact", "--view", "ci"]), exact);
    assert_ne!(key(&b, &["--view", "ci"]), key(&b, &["data/val"]));
    let settings = b.text("haul.toml").replace("data/train/**", "data/train/1*");
    let before = key(&b, &["--view", "ci"]);
    b.write("haul.toml", settings.as_bytes());
    assert_ne!(key(&b, &["--view", "ci"]), before);
}

#[test]
fn a_key_needs_no_remote_and_no_data() {
    let world = World::new();
    let a = scene(&world);
    let b = a.clone_as("b");
    std::fs::rename(world.path("r"), world.path("gone")).expect("renames");
    assert_eq!(key(&b, &["--view", "ci"]), key(&a, &["--view", "ci"]));
    assert_eq!(key(&b, &[]), key(&a, &[]));
    b.haul(&["ci", "key", "--rev", "nothing"]).fails_with(1).says("`nothing`");
    b.haul(&["ci", "key", "--view", "nothing"]).fails_with(1).says("`ci`");
    b.haul(&["ci", "key", "--exact", "data/val"]).fails_with(3);
}

#[test]
fn one_job_warms_the_cache_and_others_fetch_only_what_is_new() {
    let world = World::new();
    let a = scene(&world);
    let cache = world.path("job-cache").display().to_string();
    let pull = |repo: &Repo, cache: &str| {
        repo.haul_with(&["pull", "--json"], &[("HAUL_CACHE_DIR", cache)]).ok()
    };
    let first = shallow(&a, &world, "first", "v1");
    let cold = number(&pull(&first, &cache), "/fetch/requests/received");
    // A service keeps the folder, and puts a copy of it where the next job runs.
    let copy = world.path("copy").display().to_string();
    a.run("cp", &["-r", &cache, &copy]).ok();
    std::fs::remove_dir_all(&cache).expect("removes");
    let same = shallow(&a, &world, "same", "v1");
    let warm = pull(&same, &copy);
    assert_eq!(number(&warm, "/fetch/fetched_bytes"), 0, "{warm}");
    assert!(number(&warm, "/fetch/requests/received") < 20_000, "{warm}");
    let newer = shallow(&a, &world, "newer", "v2");
    let newer_pull = pull(&newer, &copy);
    assert_eq!(number(&newer_pull, "/fetch/fetched_bytes"), 80_000, "{newer_pull}");
    assert!(number(&newer_pull, "/fetch/requests/received") < 110_000, "{newer_pull} {cold}");
    assert_eq!(newer.read("data/train/3.bin"), data::bytes(60, 80_000));
    same.tree_of("data").assert_same(&first.tree_of("data"));
}
