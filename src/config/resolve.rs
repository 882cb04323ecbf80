//! Puts the layers together: the strongest valid value of every setting wins.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::access::RemoteAccess;
use super::address::{committed_problem, has_secret, is_remote_name, printable};
use super::schema::{
    DEFAULT_CACHE, DEFAULT_MAX_SIZE, DEFAULT_PROFILE, Kind, MAX_JOBS, SETTINGS, Setting, find,
    meant, variable,
};
use super::source::{Entry, Raw};
use super::value::{Changed, DeltaBase, Follow, Keep};
use super::view::View;
use super::{ConfigError, Environment, Layer, Origin, Source, Value, Warning};
use crate::cache::Link;
use crate::units::parse_size;

/// Variables that are no settings: they say something about one run.
const RUN_VARIABLES: [&str; 7] = [
    "HAUL_HASH_ONLY",
    "HAUL_SKIP",
    "HAUL_SKIP_SMUDGE",
    "HAUL_ACCEPT_REMOTE",
    "HAUL_LOG",
    "HAUL_FAILPOINT",
    "HAUL_PLANTED",
];

/// A setting given on the command line.
#[derive(Clone, Debug)]
pub struct Flag {
    /// The setting, such as `jobs`.
    pub key: &'static str,
    /// As the user typed it, such as `--jobs`.
    pub flag: String,
    /// What was given with it.
    pub value: OsString,
}

/// Everything settings are made from.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// Settings files in any order.
    pub sources: &'a [Source],
    /// What the process was started with.
    pub environment: &'a Environment,
    /// Command-line flags.
    pub flags: &'a [Flag],
}

/// The settings of one run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// `remote.default`: the remote that is used when none is named.
    pub remote_default: Option<Value<String>>,
    /// `remotes.<name>.url`: addresses by name. Show them only through [`super::redact`].
    pub remotes: BTreeMap<String, Value<String>>,
    /// How remotes are reached, by name.
    pub(super) accesses: BTreeMap<String, RemoteAccess>,
    /// `jobs`: transfers at once, 1 to 256.
    pub jobs: Value<usize>,
    /// `cache.dir`: absolute unless the folder it starts from is not.
    pub cache_dir: Option<Value<PathBuf>>,
    /// `cache.keep`: what stays in the cache of that which the remote has too.
    pub cache_keep: Value<Keep>,
    /// `cache.link`: how files of the worktree share bytes with the cache.
    pub cache_link: Value<Link>,
    /// `cache.max-size`: bytes that the cache may take.
    pub cache_max_size: Value<u64>,
    /// `add.profile`: name of the chunk profile of new paths; a name, not proven to be known.
    pub add_profile: Value<String>,
    /// `delta.base`: what new content may be stored as a delta to.
    pub delta_base: Value<DeltaBase>,
    /// `hooks.changed`: what a commit does about data that changed and was not added.
    pub hooks_changed: Value<Changed>,
    /// `hooks.follow`: what data does when Git changes pointers.
    pub hooks_follow: Value<Follow>,
    /// `hooks.max-size`: bytes of a file that a commit lets into Git; 0 for any number.
    pub hooks_max_size: Value<u64>,
    /// `transfer.limit-rate`: bytes per second over the line; 0 for no limit.
    pub limit_rate: Value<u64>,
    /// `view.<name>`: parts of what is tracked, by name.
    pub views: BTreeMap<String, View>,
    /// What was ignored or changed.
    pub warnings: Vec<Warning>,
}

impl Config {
    /// Returns the remote that is meant when none is named: the one that is set, else the only one.
    pub fn default_remote(&self) -> Option<&str> {
        let set = self.remote_default.as_ref().map(|name| name.value.as_str());
        let mut names = self.remotes.keys();
        let only = names.next().filter(|_| names.next().is_none()).map(String::as_str);
        set.or(only)
    }
}

/// Puts layers together.
///
/// Unknown settings, and those that a committed file must not touch, become warnings. A value that
/// its setting does not take is an error, wherever it stands.
pub fn resolve(given: &Given<'_>) -> Result<Config, ConfigError> {
    let default = |value| Value { value, origin: Origin::Default };
    let most = usize::try_from(MAX_JOBS).unwrap_or(1);
    let jobs = given.environment.cores.saturating_mul(4).clamp(1, most);
    let mut config = Config {
        remote_default: None,
        remotes: BTreeMap::new(),
        accesses: BTreeMap::new(),
        jobs: Value { value: jobs, origin: Origin::Default },
        cache_dir: None,
        cache_keep: Value { value: Keep::Recent, origin: Origin::Default },
        cache_link: Value { value: Link::Reflink, origin: Origin::Default },
        cache_max_size: Value { value: DEFAULT_CACHE, origin: Origin::Default },
        add_profile: default(DEFAULT_PROFILE.to_owned()),
        delta_base: Value { value: DeltaBase::Cached, origin: Origin::Default },
        hooks_changed: Value { value: Changed::Warn, origin: Origin::Default },
        hooks_follow: Value { value: Follow::Cached, origin: Origin::Default },
        hooks_max_size: Value { value: DEFAULT_MAX_SIZE, origin: Origin::Default },
        limit_rate: Value { value: 0, origin: Origin::Default },
        views: BTreeMap::new(),
        warnings: Vec::new(),
    };
    let mut sources: Vec<&Source> = given.sources.iter().collect();
    sources.sort_by_key(|source| source.layer);
    for source in sources {
        for entry in source.entries()? {
            config.apply(entry, given.environment)?;
        }
    }
    for (name, value) in &given.environment.variables {
        if let Some(entry) = config.variable_entry(name, value) {
            config.apply(entry, given.environment)?;
        }
    }
    for flag in given.flags {
        let key = flag.key.split('.').map(str::to_owned).collect();
        let origin = Origin::Flag(flag.flag.clone());
        config.apply(Entry { key, raw: raw(&flag.value), origin }, given.environment)?;
    }
    Ok(config)
}

fn raw(value: &OsString) -> Raw {
    value.to_str().map_or_else(|| Raw::Foreign(value.clone()), |text| Raw::Text(text.to_owned()))
}

pub(super) fn wrong(entry: &Entry, expected: &'static str) -> ConfigError {
    ConfigError::Value { name: shown(&entry.key), expected, origin: entry.origin.clone() }
}

pub(super) fn shown(key: &[String]) -> String {
    printable(&key.join("."))
}

pub(super) fn text(entry: &Entry) -> Option<&str> {
    match &entry.raw {
        Raw::Text(text) if !text.is_empty() => Some(text),
        Raw::Text(_)
        | Raw::Number(_)
        | Raw::Switch(_)
        | Raw::List(_)
        | Raw::Foreign(_)
        | Raw::Other => None,
    }
}

impl Config {
    fn apply(&mut self, entry: Entry, environment: &Environment) -> Result<(), ConfigError> {
        let Some(setting) = find(&entry.key) else {
            let meant = meant(&entry.key).map(|name| printable(&name));
            let name = shown(&entry.key);
            self.note_unknown(&entry);
            self.warnings.push(Warning::Unknown { name, origin: entry.origin, meant });
            return Ok(());
        };
        if entry.origin.layer() == Layer::Repo && !setting.committed {
            let name = shown(&entry.key);
            self.warnings.push(Warning::NotCommitted { name, origin: entry.origin });
            return Ok(());
        }
        match setting.kind {
            Kind::RemoteName => self.set_default_remote(entry),
            Kind::Address => self.set_address(&entry),
            Kind::Access | Kind::Secret => self.set_access_text(&entry),
            Kind::Switch => self.set_access_switch(&entry),
            Kind::Number { min, max } => self.set_jobs(entry, setting, min, max),
            Kind::Path => self.set_cache_dir(entry, environment),
            Kind::Profile => self.set_profile(entry),
            Kind::Base => self.set_delta_base(entry),
            Kind::Size => self.set_size(entry, setting),
            Kind::Keep => self.set_cache_keep(entry),
            Kind::Link => {
                let value = text(&entry).and_then(Link::by_name);
                let wanted = "`reflink`, `hardlink`, `symlink` or `copy`";
                let value = value.ok_or_else(|| wrong(&entry, wanted))?;
                self.cache_link = Value { value, origin: entry.origin };
                Ok(())
            }
            Kind::Patterns => self.set_patterns(&entry),
            Kind::Changed => {
                let value = text(&entry).and_then(Changed::by_name);
                let value = value.ok_or_else(|| wrong(&entry, "`warn`, `fail` or `add`"))?;
                self.hooks_changed = Value { value, origin: entry.origin };
                Ok(())
            }
            Kind::Follow => {
                let value = text(&entry).and_then(Follow::by_name);
                let value = value.ok_or_else(|| wrong(&entry, "`off`, `cached` or `fetch`"))?;
                self.hooks_follow = Value { value, origin: entry.origin };
                Ok(())
            }
        }
    }

    fn set_default_remote(&mut self, entry: Entry) -> Result<(), ConfigError> {
        let name = text(&entry).filter(|name| is_remote_name(name));
        let value = name.ok_or_else(|| wrong(&entry, "the name of a remote"))?.to_owned();
        self.remote_default = Some(Value { value, origin: entry.origin });
        Ok(())
    }

    fn set_address(&mut self, entry: &Entry) -> Result<(), ConfigError> {
        let [_, remote, _] = entry.key.as_slice() else { return Ok(()) };
        if !is_remote_name(remote) {
            return Err(wrong(entry, "a setting of a remote with a usable name"));
        }
        let value = text(entry).ok_or_else(|| wrong(entry, "a URL or a folder"))?.to_owned();
        let (name, origin) = (shown(&entry.key), entry.origin.clone());
        if origin.layer() == Layer::Repo
            && let Some(why) = committed_problem(&value)
        {
            self.warnings.push(Warning::Address { name, origin, why });
            return Ok(());
        }
        if has_secret(&value) {
            self.warnings.push(Warning::Secret { name, origin: origin.clone() });
        }
        self.remotes.insert(remote.clone(), Value { value, origin });
        Ok(())
    }

    fn set_jobs(
        &mut self,
        entry: Entry,
        setting: &Setting,
        min: i64,
        max: i64,
    ) -> Result<(), ConfigError> {
        let number = match &entry.raw {
            Raw::Number(number) => Some(*number),
            Raw::Text(text) => text.trim().parse().ok(),
            Raw::Switch(_) | Raw::List(_) | Raw::Foreign(_) | Raw::Other => None,
        };
        let given = number.ok_or_else(|| wrong(&entry, "a whole number"))?;
        let used = given.clamp(min, max);
        let origin = entry.origin;
        if used != given {
            let name = setting.name.to_owned();
            self.warnings.push(Warning::Clamped { name, origin: origin.clone(), given, used });
        }
        self.jobs = Value { value: usize::try_from(used).unwrap_or(1), origin };
        Ok(())
    }

    fn set_cache_dir(
        &mut self,
        entry: Entry,
        environment: &Environment,
    ) -> Result<(), ConfigError> {
        let given = match &entry.raw {
            Raw::Text(text) if !text.is_empty() => PathBuf::from(text),
            Raw::Foreign(path) => PathBuf::from(path),
            Raw::Text(_) | Raw::Number(_) | Raw::Switch(_) | Raw::List(_) | Raw::Other => {
                return Err(wrong(&entry, "a folder"));
            }
        };
        let from = match &entry.origin {
            Origin::File { path, .. } => path.parent().unwrap_or(Path::new("")),
            Origin::Default | Origin::Variable(_) | Origin::Flag(_) => &environment.cwd,
        };
        let value = match given.strip_prefix("~") {
            Ok(rest) => {
                let home = environment.home.as_deref();
                home.ok_or_else(|| wrong(&entry, "a folder (there is no home)"))?.join(rest)
            }
            Err(_) => from.join(given),
        };
        self.cache_dir = Some(Value { value, origin: entry.origin });
        Ok(())
    }

    fn set_profile(&mut self, entry: Entry) -> Result<(), ConfigError> {
        let fits = |name: &&str| {
            let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.';
            name.len() <= 16
                && name.starts_with(|c: char| c.is_ascii_lowercase())
                && name.chars().all(inner)
        };
        let name = text(&entry).filter(fits);
        let value = name.ok_or_else(|| wrong(&entry, "the name of a chunk profile"))?.to_owned();
        self.add_profile = Value { value, origin: entry.origin };
        Ok(())
    }

    fn set_delta_base(&mut self, entry: Entry) -> Result<(), ConfigError> {
        let value = text(&entry).and_then(DeltaBase::by_name);
        let value = value.ok_or_else(|| wrong(&entry, "`never`, `cached` or `worth-it`"))?;
        self.delta_base = Value { value, origin: entry.origin };
        Ok(())
    }

    fn set_size(&mut self, entry: Entry, setting: &Setting) -> Result<(), ConfigError> {
        let value = match &entry.raw {
            Raw::Number(number) => u64::try_from(*number).ok(),
            Raw::Text(text) => parse_size(text).ok(),
            Raw::Switch(_) | Raw::List(_) | Raw::Foreign(_) | Raw::Other => None,
        };
        let value = value.ok_or_else(|| wrong(&entry, "a size such as `500M` or `20G`"))?;
        let value = Value { value, origin: entry.origin };
        match setting.name {
            "hooks.max-size" => self.hooks_max_size = value,
            "transfer.limit-rate" => self.limit_rate = value,
            _ => self.cache_max_size = value,
        }
        Ok(())
    }

    fn set_cache_keep(&mut self, entry: Entry) -> Result<(), ConfigError> {
        let value = text(&entry).and_then(Keep::by_name);
        let value = value.ok_or_else(|| wrong(&entry, "`recent` or `unpushed`"))?;
        self.cache_keep = Value { value, origin: entry.origin };
        Ok(())
    }

    /// Finds the setting that a variable sets; warns of one that looks misspelt.
    fn variable_entry(&mut self, name: &str, value: &OsString) -> Option<Entry> {
        let origin = Origin::Variable(name.to_owned());
        let plain = || SETTINGS.iter().filter(|setting| !setting.name.contains('<'));
        if let Some(setting) = plain().find(|setting| variable(setting.name) == name) {
            let key = setting.name.split('.').map(str::to_owned).collect();
            return Some(Entry { key, raw: raw(value), origin });
        }
        if let Some(key) = self.remote_key(name) {
            return Some(Entry { key, raw: raw(value), origin });
        }
        let known = plain().map(|setting| variable(setting.name));
        let known = known.chain(RUN_VARIABLES.map(str::to_owned));
        let meant = crate::hint::nearest(name, known).filter(|meant| meant != name);
        if meant.is_some() {
            self.warnings.push(Warning::Unknown { name: printable(name), origin, meant });
        }
        None
    }

    /// The setting of a remote that `HAUL_REMOTES_MY_DATA_URL` sets.
    fn remote_key(&self, name: &str) -> Option<Vec<String>> {
        let rest = name.strip_prefix("HAUL_REMOTES_")?;
        let settings =
            SETTINGS.iter().filter_map(|setting| setting.name.split_once("remotes.<name>."));
        let (remote, setting) = settings
            .filter_map(|(_, last)| {
                let end = variable(last).replacen("HAUL", "", 1);
                Some((rest.strip_suffix(end.as_str())?, last))
            })
            .find(|(remote, _)| !remote.is_empty())?;
        Some(vec!["remotes".to_owned(), self.remote_of(remote), setting.to_owned()])
    }

    /// The remote that `MY_DATA` in a variable means: a known one, else `my_data`.
    fn remote_of(&self, part: &str) -> String {
        let same = |name: &&String| variable(name).strip_prefix("HAUL_") == Some(part);
        self.remotes.keys().find(same).cloned().unwrap_or_else(|| part.to_ascii_lowercase())
    }
}
