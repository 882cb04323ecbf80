//! Changes the text of a settings file and keeps its comments and order.

use toml_edit::{DocumentMut, Item, Table, TableLike, value};

use super::address::{has_secret, is_remote_name, printable};
use super::source::{Problem, problem};
use crate::hint::Hint;

/// Why the text of a settings file was not changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// Not TOML.
    #[error("could not change the settings: line {line}: {message}")]
    Syntax {
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// `remote` or `remotes` is set to something that is not a table.
    #[error("could not change the settings: `{name}` is not a table")]
    NotATable {
        /// The key.
        name: &'static str,
    },
    /// Not a name.
    #[error("`{name}` cannot name a remote")]
    Name {
        /// As given, control characters escaped.
        name: String,
    },
    /// The address would publish a password.
    #[error("could not add the remote `{name}`: its address contains a password")]
    Secret {
        /// The remote.
        name: String,
    },
    /// The name is taken.
    #[error("could not add the remote `{name}`: there is one of that name with another address")]
    Exists {
        /// The remote.
        name: String,
    },
    /// The file has no such remote.
    #[error("there is no remote `{name}` in this file")]
    NoSuchRemote {
        /// The remote.
        name: String,
    },
}

impl Hint for EditError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Syntax { .. } | Self::NotATable { .. } => {
                Some("correct the file by hand, then run the command again".to_owned())
            }
            Self::Name { .. } => Some(
                "use a letter or digit, then letters, digits, `.`, `_` or `-`, 64 at most"
                    .to_owned(),
            ),
            Self::Secret { .. } => {
                Some("leave it out; haul finds keys where the cloud's own tools keep them".into())
            }
            Self::Exists { name } => {
                Some(format!("run `haul remote remove {name}` first, or choose another name"))
            }
            Self::NoSuchRemote { .. } => Some("run `haul remote list` to see them".to_owned()),
        }
    }
}

/// Returns the text of a first `haul.toml`.
pub fn first_file() -> String {
    "# Settings of haul for everybody who clones this repository.\nversion = 1\n".to_owned()
}

/// What a further setting of a remote is set to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingValue {
    /// A line of text.
    Text(String),
    /// `true` or `false`.
    Switch(bool),
}

/// Adds `[remotes.NAME]` with its address and further settings by name; returns the same text if it
/// is there already.
pub fn add_remote(
    text: &str,
    name: &str,
    address: &str,
    settings: &[(&str, SettingValue)],
) -> Result<String, EditError> {
    check_name(name)?;
    if has_secret(address) {
        return Err(EditError::Secret { name: name.to_owned() });
    }
    let mut document = parse(text)?;
    let remotes = table(&mut document, "remotes")?;
    let remote = remotes.entry(name).or_insert_with(|| Item::Table(Table::new()));
    let remote = remote.as_table_like_mut().ok_or(EditError::NotATable { name: "remotes" })?;
    match remote.get("url") {
        Some(url) if url.as_str() == Some(address) && has_all(remote, settings) => {
            return Ok(text.to_owned());
        }
        Some(_) => return Err(EditError::Exists { name: name.to_owned() }),
        None => drop(remote.insert("url", value(address))),
    }
    for (setting, given) in settings {
        let item = match given {
            SettingValue::Text(text) => value(text.as_str()),
            SettingValue::Switch(switch) => value(*switch),
        };
        drop(remote.insert(setting, item));
    }
    Ok(document.to_string())
}

fn has_all(remote: &dyn TableLike, settings: &[(&str, SettingValue)]) -> bool {
    settings.iter().all(|(name, given)| match given {
        SettingValue::Text(text) => remote.get(name).and_then(Item::as_str) == Some(text.as_str()),
        SettingValue::Switch(switch) => remote.get(name).and_then(Item::as_bool) == Some(*switch),
    })
}

/// Takes out `[remotes.NAME]`, and `remote.default` if it names it.
pub fn remove_remote(text: &str, name: &str) -> Result<String, EditError> {
    check_name(name)?;
    let mut document = parse(text)?;
    let remotes = table(&mut document, "remotes")?;
    if remotes.remove(name).is_none() {
        return Err(EditError::NoSuchRemote { name: name.to_owned() });
    }
    remove_if_empty(&mut document, "remotes");
    let remote = table(&mut document, "remote")?;
    if remote.get("default").and_then(Item::as_str) == Some(name) {
        remote.remove("default");
    }
    remove_if_empty(&mut document, "remote");
    Ok(document.to_string())
}

/// Sets `remote.default`.
pub fn set_default_remote(text: &str, name: &str) -> Result<String, EditError> {
    check_name(name)?;
    let mut document = parse(text)?;
    let remote = table(&mut document, "remote")?;
    match remote.get_mut("default").and_then(Item::as_value_mut) {
        // Keeps the comment behind the old value.
        Some(old) => {
            let decor = old.decor().clone();
            *old = name.into();
            *old.decor_mut() = decor;
        }
        None => drop(remote.insert("default", value(name))),
    }
    if let Some(remote) = document.get_mut("remote").and_then(Item::as_table_mut) {
        remote.set_implicit(false);
    }
    Ok(document.to_string())
}

fn check_name(name: &str) -> Result<(), EditError> {
    if is_remote_name(name) { Ok(()) } else { Err(EditError::Name { name: printable(name) }) }
}

pub(super) fn parse(text: &str) -> Result<DocumentMut, EditError> {
    text.parse().map_err(|error| {
        let Problem { line, message } = problem(&error, text);
        EditError::Syntax { line, message }
    })
}

/// Finds a table at the top, or makes one that shows only once it holds a value.
fn table<'a>(
    document: &'a mut DocumentMut,
    name: &'static str,
) -> Result<&'a mut dyn TableLike, EditError> {
    let made = || {
        let mut table = Table::new();
        table.set_implicit(true);
        Item::Table(table)
    };
    let item = document.as_table_mut().entry(name).or_insert_with(made);
    item.as_table_like_mut().ok_or(EditError::NotATable { name })
}

fn remove_if_empty(document: &mut DocumentMut, name: &str) {
    if document.get(name).and_then(Item::as_table_like).is_some_and(TableLike::is_empty) {
        document.as_table_mut().remove(name);
    }
}
