use crate::harness::World;

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
