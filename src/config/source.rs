//! One file of settings: its text as keys and values with their lines.

use std::path::PathBuf;

use toml_edit::{Array, Document, Item, TableLike};

use super::{ConfigError, Layer, Origin};

/// The version of settings files that this build writes and reads.
pub(super) const VERSION: i64 = 1;

/// The text of one settings file.
#[derive(Clone, Debug)]
pub struct Source {
    /// Which of the files it is.
    pub layer: Layer,
    /// Where it lies, for messages and as base of relative folders.
    pub path: PathBuf,
    /// All of it.
    pub text: String,
}

/// A value as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Raw {
    Text(String),
    Number(i64),
    Switch(bool),
    List(Vec<String>),
    /// Given by a variable or flag and not UTF-8.
    Foreign(std::ffi::OsString),
    /// Anything no setting takes yet.
    Other,
}

/// A key, in parts, with its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: Vec<String>,
    pub(super) raw: Raw,
    pub(super) origin: Origin,
}

/// Where in the text a problem lies and what it is; never the text itself.
pub(super) struct Problem {
    pub(super) line: usize,
    pub(super) message: String,
}

fn line_at(text: &str, offset: Option<usize>) -> usize {
    let before = text.as_bytes().get(..offset.unwrap_or_default()).unwrap_or_default();
    before.split(|byte| *byte == b'\n').count()
}

/// Says what is wrong in one line, without quoting the file.
pub(super) fn problem(error: &toml_edit::TomlError, text: &str) -> Problem {
    let message = error.message().lines().next().unwrap_or("not TOML").to_owned();
    Problem { line: line_at(text, error.span().map(|span| span.start)), message }
}

impl Source {
    /// Reads all entries in the order of the file, checking the version. Nested tables become keys
    /// of several parts.
    pub(super) fn entries(&self) -> Result<Vec<Entry>, ConfigError> {
        let document = Document::parse(self.text.as_str()).map_err(|error| {
            let Problem { line, message } = problem(&error, &self.text);
            ConfigError::Syntax { path: self.path.clone(), line, message }
        })?;
        self.check_version(document.get("version"))?;
        let mut entries = Vec::new();
        let mut open: Vec<(Vec<String>, &dyn TableLike)> = vec![(Vec::new(), document.as_table())];
        while let Some((above, table)) = open.pop() {
            for (name, item) in table.iter() {
                let mut key = above.clone();
                key.push(name.to_owned());
                if key == ["version"] {
                    continue;
                }
                if let Some(table) = item.as_table_like() {
                    open.push((key, table));
                    continue;
                }
                let span = table.key(name).and_then(toml_edit::Key::span).or_else(|| item.span());
                let line = line_at(&self.text, span.map(|span| span.start));
                entries.push(Entry { key, raw: raw(item), origin: self.origin(line) });
            }
        }
        entries.sort_by_key(|entry| match &entry.origin {
            Origin::File { line, .. } => *line,
            Origin::Default | Origin::Variable(_) | Origin::Flag(_) => 0,
        });
        Ok(entries)
    }

    fn origin(&self, line: usize) -> Origin {
        Origin::File { layer: self.layer, path: self.path.clone(), line }
    }

    fn check_version(&self, item: Option<&Item>) -> Result<(), ConfigError> {
        let path = || self.path.clone();
        match item.map(Item::as_integer) {
            None if self.layer == Layer::Repo => Err(ConfigError::NoVersion { path: path() }),
            None | Some(Some(VERSION)) => Ok(()),
            Some(Some(found)) if found > VERSION => {
                Err(ConfigError::TooNew { path: path(), found })
            }
            Some(_) => Err(ConfigError::Value {
                name: "version".to_owned(),
                expected: "the number 1",
                origin: self
                    .origin(line_at(&self.text, item.and_then(Item::span).map(|span| span.start))),
            }),
        }
    }
}

fn raw(item: &Item) -> Raw {
    match (item.as_str(), item.as_integer(), item.as_bool()) {
        (Some(text), _, _) => Raw::Text(text.to_owned()),
        (_, Some(number), _) => Raw::Number(number),
        (_, _, Some(value)) => Raw::Switch(value),
        _ => item.as_array().and_then(texts).map_or(Raw::Other, Raw::List),
    }
}

/// Reads a list that holds nothing but text.
fn texts(list: &Array) -> Option<Vec<String>> {
    list.iter().map(|item| item.as_str().map(str::to_owned)).collect()
}
