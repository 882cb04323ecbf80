use crate::harness::World;
use crate::push::ready;

#[test]
fn wrong_usage_exits_with_2_and_prints_nothing_on_stdout() {
    let world = World::new();
    let any = world.folder("any");
    let wrong: [&[&str]; 8] = [
        &[],
        &["no-such-verb"],
        &["add"],
        &["add", "x", "--no-such-flag"],
        &["remote"],
        &["push", "--jobs", "0"],
        &["fetch", "--all", "--rev", "HEAD"],
        &["status", "--porcelain", "--json", "--progress", "loud"],
    ];
    for arguments in wrong {
        let output = any.haul(arguments).fails_with(2);
        assert!(!output.stderr().is_empty(), "{output}");
        if !arguments.contains(&"--json") {
            assert_eq!(output.stdout(), "", "{output}");
        }
    }
}

#[test]
fn wrong_usage_with_json_is_one_document() {
    let world = World::new();
    let output = world.folder("any").haul(&["add", "--json"]).fails_with(2).says("error:");
    let document = output.json();
    assert_eq!(document["haul"], 1);
    assert_eq!(document["error"]["exit"], 2);
    assert!(document["error"]["message"].as_str().is_some_and(|text| text.contains("<PATH>")));
}

#[test]
fn outside_a_repository_the_error_says_so_and_what_to_do() {
    let world = World::new();
    let any = world.folder("any");
    any.haul(&["status"]).fails_with(1).says("error: ").says("  hint: ");
    let document = any.haul(&["status", "--json"]).fails_with(1).says("error: ").json();
    assert_eq!(document["verb"], "status");
    assert_eq!(document["error"]["exit"], 1);
    assert!(document["error"]["hint"].is_string(), "{document}");
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let world = World::new();
    let output = world.folder("any").haul(&["-C", "no\nwhere", "status"]).fails_with(1);
    output.says("could not change to the folder `no\\nwhere`").says(" cause: ");
}

#[test]
fn the_folder_to_run_in_can_be_given() {
    let world = World::new();
    world.repo("a").haul(&["init"]).ok();
    world.folder("").haul(&["-C", "a", "status"]).ok();
}

#[test]
fn a_trace_file_has_commands_and_requests_and_no_secret() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    a.write("x.bin", b"content");
    a.haul(&["add", "--trace-file", "../add.log", "x.bin"]).ok();
    let text = std::fs::read_to_string(world.path("add.log")).expect("was written");
    for words in ["begins", "verb=\"add\"", "git", "ends"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    a.commit("x");
    let push = a.haul(&["push", "--trace-file", "../push.log"]).ok();
    assert!(!push.stderr().contains("request"), "{push}");
    let text = std::fs::read_to_string(world.path("push.log")).expect("was written");
    assert!(
        text.contains("request") && text.contains("listing") && text.contains("key=\"i/"),
        "{text}"
    );
    // A password in an address, in a setting of the user, or in that of Git's remote.
    let secret = "hunter2";
    let url = format!("https://me:{secret}@127.0.0.1:9/x");
    a.git(&["remote", "add", "elsewhere", &url]).ok();
    let set = [("HAUL_REMOTES_WEB_PASSWORD", secret), ("AWS_SECRET_ACCESS_KEY", secret)];
    for arguments in [
        &["remote", "add", "web", "https://127.0.0.1:9/x", "--user", "me", "--allow-http"][..],
        &["remote", "add", "web2", &url],
        &["remote", "test", "web"],
        &["fetch", "--remote", "web"],
        &["gc", "--repo", &url],
    ] {
        let with = [&["--trace-file", "../secret.log"][..], arguments].concat();
        drop(a.haul_with(&with, &set));
        let text = std::fs::read_to_string(world.path("secret.log")).expect("was written");
        assert!(text.contains("begins") && !text.contains(secret), "{text}");
    }
    a.haul(&["status", "--trace-file", "no/where"]).fails_with(1).says("no/where").says("hint: ");
}

#[test]
fn names_that_were_mistyped_are_guessed() {
    let world = World::new();
    let a = ready(&world, "a", &world.remote("r"));
    a.write("data/train.csv", b"content");
    a.haul(&["add", "data/train.csv"]).ok();
    a.commit("data");
    let meant = "did you mean `data/train.csv`?";
    for verb in ["status", "rm", "untrack", "ls", "pull", "du"] {
        a.haul(&[verb, "data/trian.csv"]).fails_with(1).says(meant);
    }
    a.haul(&["mv", "data/tran.csv", "x"]).fails_with(1).says(meant);
    a.haul(&["cat", "data/tran.csv"]).fails_with(1).says(meant);
    a.haul(&["push", "--remote", "orgin"]).fails_with(1).says("did you mean `origin`?");
    a.haul(&["remote", "test", "nothing-like-it"]).fails_with(1).says("haul remote list");
}

#[test]
fn what_uninstall_would_take_back_is_shown_and_left() {
    let world = World::new();
    let a = world.repo("a");
    a.haul(&["init"]).ok();
    let before = a.tree();
    let plan = a.haul(&["uninstall", "--dry-run", "--json"]).ok().json();
    assert_eq!(
        (plan["dry_run"].as_bool(), plan["merge_driver"].as_bool()),
        (Some(true), Some(true))
    );
    a.haul(&["uninstall", "--dry-run"]).ok().says("would take back 5 Git hooks, the merge driver");
    a.tree().assert_same(&before);
    a.haul(&["hooks", "status"]).ok();
    a.haul(&["uninstall"]).ok().says("`haul.toml`");
}
