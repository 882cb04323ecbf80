use crate::harness::World;

#[test]
fn init_writes_and_stages_the_settings() {
    let world = World::new();
    let a = world.repo("a");
    let report = a.haul(&["init", "--json"]).ok().json();
    assert_eq!(report["verb"], "init");
    assert!(report["created"].as_array().is_some_and(|names| names.contains(&"haul.toml".into())));
    assert!(a.text("haul.toml").contains("version = 1"));
    a.git(&["diff", "--cached", "--name-only"]).ok().prints("haul.toml");
}

#[test]
fn init_again_changes_nothing() {
    let world = World::new();
    let a = world.repo("a");
    a.haul(&["init"]).ok();
    let before = a.tree();
    let report = a.haul(&["init", "--json"]).ok().json();
    before.assert_same(&a.tree());
    assert_eq!(report["created"], serde_json::json!([]));
    assert_eq!(report["changed"], serde_json::json!([]));
}

#[test]
fn init_outside_a_repository_says_what_to_do() {
    let world = World::new();
    let any = world.folder("any");
    any.haul(&["init"]).fails_with(1).says("error: ").says("git init");
    assert!(any.tree().paths().is_empty());
}

#[test]
fn an_init_that_died_half_way_is_finished_by_the_next() {
    let world = World::new();
    let a = world.repo("a");
    a.haul_with(&["init"], &[("HAUL_FAILPOINT", "fs.durable.written")]).dies();
    assert!(!a.has("haul.toml"));
    a.haul(&["init"]).ok();
    assert!(a.has("haul.toml"));
}
