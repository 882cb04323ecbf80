//! Settings of strangers: a committed `haul.toml` sets harmless things only, and edits keep it sound.
#![no_main]

use haul::config::{
    Config, Environment, Given, Layer, Source, add_remote, has_secret, is_remote_name, redact,
    remove_remote, resolve, set_default_remote,
};
use libfuzzer_sys::fuzz_target;
use std::path::PathBuf;

fuzz_target!(|input: &str| {
    let Some(config) = read(input, Layer::Repo) else { return };
    assert!(config.cache_dir.is_none(), "a committed file must not say where to write");
    assert!((1..=256).contains(&config.jobs.value));
    for (name, url) in &config.remotes {
        assert!(is_remote_name(name));
        assert!(!has_secret(&redact(&url.value)));
    }
    for warning in &config.warnings {
        assert!(!warning.to_string().contains(|c: char| c.is_control()));
    }
    drop(read(input, Layer::User));

    let Ok(added) = add_remote(input, "fuzz", "/mnt/fuzz", &[]) else { return };
    let with = read(&added, Layer::Repo).expect("an edited file can be read");
    assert_eq!(with.remotes.get("fuzz").map(|url| url.value.as_str()), Some("/mnt/fuzz"));
    assert_eq!(add_remote(&added, "fuzz", "/mnt/fuzz", &[]).unwrap(), added);
    let chosen = set_default_remote(&added, "fuzz").expect("a known remote can be the default");
    assert_eq!(read(&chosen, Layer::Repo).expect("reads").default_remote(), Some("fuzz"));
    let removed = remove_remote(&chosen, "fuzz").expect("a known remote can be removed");
    assert!(!read(&removed, Layer::Repo).expect("reads").remotes.contains_key("fuzz"));
});

fn read(text: &str, layer: Layer) -> Option<Config> {
    let path = PathBuf::from("/repo/haul.toml");
    let sources = [Source { layer, path, text: text.to_owned() }];
    let environment = Environment { cores: 2, ..Environment::default() };
    resolve(&Given { sources: &sources, environment: &environment, flags: &[] }).ok()
}
