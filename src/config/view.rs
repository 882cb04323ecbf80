//! Views: parts of what is tracked that have a name, so that jobs and people can ask for them.

use super::address::is_remote_name;
use super::resolve::wrong;
use super::source::{Entry, Raw};
use super::{Config, ConfigError};

/// Most patterns in one list.
const MAX_PATTERNS: usize = 256;
/// Longest pattern, in bytes.
const MAX_PATTERN: usize = 1024;

/// A part of what is tracked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// Paths and patterns from the root of the repository; everything if there is none.
    pub include: Vec<String>,
    /// What is left out of that.
    pub exclude: Vec<String>,
}

impl Config {
    /// Takes `include` or `exclude`; of several files the last that has the list counts.
    pub(super) fn set_patterns(&mut self, entry: &Entry) -> Result<(), ConfigError> {
        let [_, name, list] = entry.key.as_slice() else { return Ok(()) };
        if !is_remote_name(name) {
            return Err(wrong(entry, "a setting of a view with a usable name"));
        }
        let given = match &entry.raw {
            Raw::Text(text) => Some(vec![text.clone()]),
            Raw::List(list) => Some(list.clone()),
            Raw::Number(_) | Raw::Switch(_) | Raw::Foreign(_) | Raw::Other => None,
        };
        let fits = |text: &String| {
            (1..=MAX_PATTERN).contains(&text.len()) && !text.chars().any(char::is_control)
        };
        let patterns = given.filter(|all| all.len() <= MAX_PATTERNS && all.iter().all(fits));
        let patterns = patterns.ok_or_else(|| {
            wrong(entry, "a list of at most 256 paths and patterns of at most 1024 bytes each")
        })?;
        let view = self.views.entry(name.clone()).or_default();
        match list.as_str() {
            "exclude" => view.exclude = patterns,
            _ => view.include = patterns,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::config::{Environment, Given, Layer, Source, resolve};

    fn config(text: &str) -> Result<Config, ConfigError> {
        let text = format!("version = 1\n{text}");
        let sources = [Source { layer: Layer::Repo, path: PathBuf::from("/r/haul.toml"), text }];
        let environment = Environment::from_variables([], PathBuf::from("/r"), 1);
        resolve(&Given { sources: &sources, environment: &environment, flags: &[] })
    }

    #[test]
    fn a_committed_view_is_read_with_one_pattern_or_many() {
        let text = "[view.ci]\ninclude = [\"a/**\", \"b\"]\nexclude = \"a/x\"\n";
        let config = config(text).unwrap();
        assert!(config.warnings.is_empty(), "{:?}", config.warnings);
        assert_eq!(config.views["ci"].include, ["a/**", "b"]);
        assert_eq!(config.views["ci"].exclude, ["a/x"]);
    }

    #[test]
    fn what_is_no_list_of_patterns_is_an_error() {
        let many = format!("include = [{}]", "\"a\", ".repeat(257));
        for text in
            ["include = 1", "include = [1]", "include = [\"\"]", "exclude = \"a\\u0007\"", &many]
        {
            assert!(config(&format!("[view.ci]\n{text}\n")).is_err(), "{text}");
        }
        assert!(config("[view.\"-\"]\ninclude = \"a\"\n").is_err());
    }

    #[test]
    fn a_misspelt_list_is_a_warning() {
        let warnings = config("[view.ci]\ninclud = \"a\"\n").unwrap().warnings;
        assert!(warnings[0].to_string().contains("did you mean `view.ci.include`"), "{warnings:?}");
    }
}
