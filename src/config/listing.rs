//! Settings as they are shown and assigned one by one: each with its value as written and its origin.

use std::collections::BTreeMap;

use toml_edit::{Item, Table, TableLike, value};

use super::edit::{EditError, parse};
use super::schema::{Kind, SETTINGS, find, meant, variable};
use super::source::Raw;
use super::{Config, ConfigError, Environment, Files, Layer, Origin, Source, redact, resolve};
use crate::config::Given;

/// What is shown in place of a secret.
const SET: &str = "(set)";

/// A setting that is set somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assigned {
    /// The value as it was written, without secrets.
    pub value: String,
    /// Where it was set; of several places the one that counts.
    pub origin: Origin,
}

/// Finds what is set, by the full names of settings. `config` was made from the same files.
pub fn assigned(
    files: &Files,
    environment: &Environment,
    config: &Config,
) -> Result<BTreeMap<String, Assigned>, ConfigError> {
    let mut out = BTreeMap::new();
    let layers =
        [(Layer::User, &files.user), (Layer::Repo, &files.repo), (Layer::Local, &files.local)];
    for (layer, path) in layers {
        let Some(path) = path else { continue };
        let Some(text) = Files::read(layer, path)? else { continue };
        for entry in (Source { layer, path: path.clone(), text }).entries()? {
            let known = find(&entry.key);
            if known.is_some_and(|setting| setting.committed || layer != Layer::Repo) {
                let value = shown(&entry.key, &entry.raw);
                out.insert(entry.key.join("."), Assigned { value, origin: entry.origin });
            }
        }
    }
    for setting in SETTINGS.iter().filter(|setting| !setting.name.contains('<')) {
        let name = variable(setting.name);
        if let Some(value) = environment.variables.get(&name) {
            let value = value.to_string_lossy().into_owned();
            out.insert(setting.name.to_owned(), Assigned { value, origin: Origin::Variable(name) });
        }
    }
    // What a committed file must not say was left out there, and variables can name remotes too.
    out.retain(|name, _| !(name.starts_with("remotes.") && name.rsplit('.').next() == Some("url")));
    for (name, url) in &config.remotes {
        let (value, origin) = (redact(&url.value), url.origin.clone());
        out.insert(format!("remotes.{name}.url"), Assigned { value, origin });
    }
    Ok(out)
}

fn shown(key: &[String], raw: &Raw) -> String {
    match raw {
        _ if is_secret(key) => SET.to_owned(),
        Raw::Text(text) => redact(text),
        Raw::Number(number) => number.to_string(),
        Raw::Switch(switch) => switch.to_string(),
        Raw::List(list) => list.join(", "),
        Raw::Foreign(_) | Raw::Other => SET.to_owned(),
    }
}

fn is_secret(key: &[String]) -> bool {
    find(key).is_some_and(|setting| setting.kind == Kind::Secret)
}

/// Returns a value that was given for a setting as it may be shown.
pub fn shown_value(name: &str, value: &str) -> String {
    if is_secret(&parts(name)) { SET.to_owned() } else { redact(value) }
}

/// Says what a setting is that is not set, in words; nothing if there is no such setting.
pub fn default_of(name: &str) -> Option<&'static str> {
    find(&parts(name)).map(|setting| setting.default)
}

/// Finds the setting that an unknown name was probably meant to be.
pub fn nearest_setting(name: &str) -> Option<String> {
    meant(&parts(name))
}

fn parts(name: &str) -> Vec<String> {
    name.split('.').map(str::to_owned).collect()
}

/// Sets a setting in the text of a file, or takes it out; comments and order stay.
pub fn assign(text: &str, name: &str, new: Option<&str>) -> Result<String, EditError> {
    let key = parts(name);
    let setting = find(&key);
    let not_a_table = || EditError::NotATable { name: setting.map_or("remotes", |s| s.name) };
    let mut document = parse(text)?;
    let Some((last, above)) = key.split_last() else { return Ok(text.to_owned()) };
    let mut table: &mut dyn TableLike = document.as_table_mut();
    for part in above {
        let made = || {
            let mut table = Table::new();
            table.set_implicit(true);
            Item::Table(table)
        };
        let item = table.entry(part).or_insert_with(made);
        table = item.as_table_like_mut().ok_or_else(not_a_table)?;
    }
    match new {
        None => drop(table.remove(last)),
        Some(text) => {
            let number = text.parse::<i64>().ok();
            let item = match (setting.map(|setting| setting.kind), number, text.parse::<bool>()) {
                (Some(Kind::Number { .. }), Some(number), _) => value(number),
                (Some(Kind::Switch), _, Ok(switch)) => value(switch),
                _ => value(text),
            };
            match (table.get_mut(last).and_then(Item::as_value_mut), item.into_value()) {
                // Keeps the comment behind the old value.
                (Some(old), Ok(mut new)) => {
                    *new.decor_mut() = old.decor().clone();
                    *old = new;
                }
                (_, Ok(new)) => drop(table.insert(last, Item::Value(new))),
                (_, Err(_)) => {}
            }
        }
    }
    Ok(document.to_string())
}

/// Reads a file of settings as if it were the only one; returns why something in it has no effect.
pub fn problems(source: Source, environment: &Environment) -> Result<Vec<String>, ConfigError> {
    let environment = Environment { variables: BTreeMap::new(), ..environment.clone() };
    let given = Given { sources: &[source], environment: &environment, flags: &[] };
    Ok(resolve(&given)?.warnings.iter().map(ToString::to_string).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_set_in_its_table_and_comments_stay() {
        let text = "# mine\nversion = 1\njobs = 3 # few\n";
        let set = |text: &str, name, value| assign(text, name, value).unwrap();
        assert_eq!(set(text, "jobs", Some("9")), "# mine\nversion = 1\njobs = 9 # few\n");
        assert_eq!(set("", "cache.max-size", Some("20G")), "[cache]\nmax-size = \"20G\"\n");
        let two = set("[cache]\nmax-size = \"20G\"\n", "cache.keep", Some("unpushed"));
        assert_eq!(two, "[cache]\nmax-size = \"20G\"\nkeep = \"unpushed\"\n");
        assert_eq!(set(&two, "cache.keep", None), "[cache]\nmax-size = \"20G\"\n");
        assert!(assign("cache = 3\n", "cache.keep", Some("recent")).is_err());
        assert!(assign("jobs = = 3\n", "jobs", Some("3")).is_err());
    }
}
