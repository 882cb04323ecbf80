//! `haul config`: settings, each with where it was set.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::config::{
    ConfigError, Files, Layer, SETTINGS, Source, assign, assigned, default_of, first_file,
    nearest_setting, problems, shown_value,
};
use crate::fs::{make_folder, write_durably};
use crate::hint::Hint;
use crate::ops::error::OpError;
use crate::ops::init::write;
use crate::path::show;
use crate::repo::Repo;

/// Which file of settings is changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// That of this clone, which is not committed.
    #[default]
    Local,
    /// The user's own, for all repositories.
    User,
    /// `haul.toml`, for everybody.
    Shared,
}

/// A setting and its value.
#[derive(Clone, Debug, Serialize)]
pub struct ConfigRow {
    /// Its full name.
    pub name: String,
    /// Its value as it was written, without secrets; nothing if it is not set.
    pub value: Option<String>,
    /// Where it was set: a file and line, or a variable; `default` if nowhere.
    pub origin: String,
    /// What holds if it is not set, in words.
    pub default: &'static str,
}

/// Settings, sorted by name.
#[derive(Clone, Debug, Serialize)]
pub struct ConfigReport {
    /// The settings.
    pub settings: Vec<ConfigRow>,
}

/// A change of a file of settings.
#[derive(Clone, Debug, Serialize)]
pub struct ConfigChange {
    /// The setting.
    pub name: String,
    /// Its new value in the file; nothing if it was taken out.
    pub value: Option<String>,
    /// The file.
    pub file: String,
    /// Where the value that counts was set, if that is elsewhere.
    pub overridden_by: Option<String>,
}

fn files(repo: &Repo) -> Files {
    Files::of(repo.environment(), repo.git().root(), repo.git().common_dir())
}

/// Lists all settings, or the one of this name.
pub fn list(repo: &Repo, name: Option<&str>) -> Result<ConfigReport, OpError> {
    if let Some(name) = name {
        known(name)?;
    }
    let set = assigned(&files(repo), repo.environment(), repo.config())?;
    let mut rows: Vec<ConfigRow> = set
        .iter()
        .map(|(name, own)| ConfigRow {
            name: name.clone(),
            value: Some(own.value.clone()),
            origin: own.origin.to_string(),
            default: default_of(name).unwrap_or_default(),
        })
        .collect();
    let unset = SETTINGS.iter().filter(|s| !s.name.contains('<') && !set.contains_key(s.name));
    rows.extend(unset.map(|setting| ConfigRow {
        name: setting.name.to_owned(),
        value: None,
        origin: "default".to_owned(),
        default: setting.default,
    }));
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    rows.retain(|row| name.is_none_or(|name| row.name == name));
    Ok(ConfigReport { settings: rows })
}

fn known(name: &str) -> Result<&'static str, OpError> {
    default_of(name).ok_or_else(|| {
        let next = match nearest_setting(name) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "run `haul config` to see all settings".to_owned(),
        };
        OpError::refused(format!("there is no setting `{}`", show(name.as_bytes())), next)
    })
}

/// Says that a setting is not set.
pub fn not_set(name: &str) -> OpError {
    let default = default_of(name).unwrap_or_default();
    let name = show(name.as_bytes());
    OpError::refused(
        format!("`{name}` is not set; what holds then: {default}"),
        format!("set it with `haul config {name} VALUE`"),
    )
}

/// Sets a setting in one file, or takes it out of it. A value that its setting does not take, or that
/// the file may not hold, changes nothing.
pub fn set(
    repo: &Repo,
    scope: Scope,
    (name, value): (&str, Option<&str>),
) -> Result<ConfigChange, OpError> {
    known(name)?;
    let (layer, path) = place(repo, scope)?;
    let old = Files::read(layer, &path)?;
    let empty = || if scope == Scope::Shared { first_file() } else { String::new() };
    let old = old.unwrap_or_else(empty);
    let new = assign(&old, name, value).map_err(|e| {
        OpError::refused(e.to_string(), e.hint().unwrap_or_else(|| "edit it by hand".to_owned()))
    })?;
    let source = |text: &str| Source { layer, path: path.clone(), text: text.to_owned() };
    let before = problems(source(&old), repo.environment());
    let after = problems(source(&new), repo.environment()).map_err(|error| match error {
        // The place of a value that was not written would send people to a line that is not there.
        ConfigError::Value { name, expected, .. } if before.is_ok() => OpError::refused(
            format!("nothing was changed: `{name}` takes {expected}"),
            "choose another value",
        ),
        other => other.into(),
    })?;
    let before = before.unwrap_or_default();
    if let Some(why) = after.iter().find(|why| !before.contains(why)) {
        return Err(OpError::refused(
            format!("nothing was changed: {why}"),
            "choose another value, or another file with `--user`, `--shared` or neither",
        ));
    }
    if scope == Scope::Shared {
        write(repo, "haul.toml", new.as_bytes())?;
        repo.git().stage(&[b"haul.toml"])?;
    } else {
        if let Some(folder) = path.parent() {
            make_folder(folder, true)?;
        }
        write_durably(&path, new.as_bytes())?;
    }
    let (name, file) = (name.to_owned(), path.display().to_string());
    let now = assigned(&files(repo), repo.environment(), repo.config())?;
    let counts = now.get(&name).map(|own| own.origin.to_string());
    let overridden_by = counts.filter(|origin| !origin.starts_with(&file));
    let overridden_by = overridden_by.filter(|_| value.is_some());
    let value = value.map(|value| shown_value(&name, value));
    Ok(ConfigChange { name, value, file, overridden_by })
}

fn place(repo: &Repo, scope: Scope) -> Result<(Layer, PathBuf), OpError> {
    let Files { user, repo: shared, local } = files(repo);
    let (layer, path) = match scope {
        Scope::Local => (Layer::Local, local),
        Scope::User => (Layer::User, user),
        Scope::Shared => (Layer::Repo, shared),
    };
    if scope == Scope::Shared {
        repo.require_initialised()?;
    }
    let path = path.as_deref().map(Path::to_path_buf);
    let path = path.ok_or_else(|| {
        OpError::refused(
            "there is no home folder to keep settings in",
            "set HOME or XDG_CONFIG_HOME, or set it for this clone alone",
        )
    })?;
    Ok((layer, path))
}
