//! The remotes that a user has accepted: the text of `accepted.toml` in the user's settings folder.

use std::collections::BTreeSet;
use std::path::Path;

use toml_edit::Document;

use super::address::normalise;
use super::source::{Problem, VERSION, problem};
use super::{ConfigError, Layer, Origin};

/// Addresses a user agreed to, in the form of [`normalise`]; sorted, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    addresses: BTreeSet<String>,
}

impl Accepted {
    /// Reads the text of the file at `path`; an empty text is an empty list.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let document = Document::parse(text).map_err(|error| {
            let Problem { line, message } = problem(&error, text);
            ConfigError::Syntax { path: path.to_path_buf(), line, message }
        })?;
        match document.get("version").and_then(toml_edit::Item::as_integer) {
            Some(found) if found > VERSION => {
                return Err(ConfigError::TooNew { path: path.to_path_buf(), found });
            }
            _ => {}
        }
        let wrong = || ConfigError::Value {
            name: "accepted".to_owned(),
            expected: "a list of addresses",
            origin: Origin::File { layer: Layer::User, path: path.to_path_buf(), line: 1 },
        };
        let Some(item) = document.get("accepted") else { return Ok(Self::default()) };
        let list = item.as_array().ok_or_else(wrong)?;
        let addresses: Option<BTreeSet<String>> =
            list.iter().map(|value| value.as_str().map(str::to_owned)).collect();
        Ok(Self { addresses: addresses.ok_or_else(wrong)? })
    }

    /// Writes the text of the file.
    pub fn print(&self) -> String {
        let mut out = String::from(
            "# Remotes that you accepted with `haul remote accept`.\nversion = 1\naccepted = [\n",
        );
        for address in &self.addresses {
            out.push_str("    ");
            out.push_str(&toml_edit::Value::from(address.as_str()).to_string());
            out.push_str(",\n");
        }
        out.push_str("]\n");
        out
    }

    /// Adds a remote; false if it was accepted before. Relative folders start from `root`.
    pub fn insert(&mut self, address: &str, root: &Path) -> bool {
        self.addresses.insert(normalise(address, root))
    }

    /// Takes a remote back; false if it was not accepted.
    pub fn remove(&mut self, address: &str, root: &Path) -> bool {
        self.addresses.remove(&normalise(address, root))
    }

    /// Returns the accepted addresses, sorted.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        self.addresses.iter().map(String::as_str)
    }
}

/// Tells whether the user accepted a remote: in the list, or for this run in the comma-separated
/// value of `HAUL_ACCEPT_REMOTE`. Relative folders start from `root`.
pub fn is_accepted(
    accepted: &Accepted,
    variable: Option<&str>,
    address: &str,
    root: &Path,
) -> bool {
    let wanted = normalise(address, root);
    let mut given =
        variable.into_iter().flat_map(|list| list.split(',')).filter(|one| !one.trim().is_empty());
    accepted.addresses.contains(&wanted) || given.any(|one| normalise(one, root) == wanted)
}
