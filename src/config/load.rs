//! Reads the environment and the settings files; nothing else in the crate does.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::fs::{Links, is_not_plain, open_plain};
use crate::progress::KeptJob;

use super::{Config, ConfigError, Flag, Given, Layer, Source, resolve};

/// The longest settings file that is read, in bytes.
const FILE_LIMIT: u64 = 1 << 20;

/// What the process was started with, read once.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// The user's home folder.
    pub home: Option<PathBuf>,
    /// Where programs keep a user's settings: `$XDG_CONFIG_HOME`, else `~/.config`.
    pub config_dir: Option<PathBuf>,
    /// The current folder.
    pub cwd: PathBuf,
    /// What programs are looked for in: `PATH` without folders that are relative, as those would be
    /// taken from whatever repository a command runs in. Nothing if `PATH` has none, or is not set.
    pub search: Option<OsString>,
    /// Whether variables of Amazon's own program say that there are profiles.
    pub aws_profiles: bool,
    /// All variables whose names start with `HAUL_`.
    pub variables: BTreeMap<String, OsString>,
    /// Whether `CI` says that nobody watches.
    pub ci: bool,
    /// Cores this process may use, at least 1.
    pub cores: usize,
    /// Hears of it, and can stop it, when a repository has to wait for another command.
    pub job: KeptJob,
}

impl Environment {
    /// Reads it from the process.
    pub fn read() -> Result<Self, ConfigError> {
        let cwd = std::env::current_dir()
            .map_err(|source| ConfigError::Read { path: PathBuf::from("."), source })?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self::from_variables(std::env::vars_os(), cwd, cores))
    }

    /// Builds it from variables; those that do not matter to haul are dropped.
    pub fn from_variables(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
        cwd: PathBuf,
        cores: usize,
    ) -> Self {
        let all: BTreeMap<String, OsString> = variables
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
            .collect();
        let folder = |name: &str| all.get(name).map(PathBuf::from).filter(|p| p.is_absolute());
        let home = folder("HOME").or_else(|| folder("USERPROFILE"));
        let config_dir = folder("XDG_CONFIG_HOME")
            .or_else(|| folder("APPDATA").filter(|_| cfg!(windows)))
            .or_else(|| Some(home.as_ref()?.join(".config")));
        let search = all.get("PATH").and_then(|path| without_relative(path));
        let ci = all.get("CI").is_some_and(|value| value != "false" && value != "0");
        let aws = ["AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"];
        let aws_profiles = aws.iter().any(|name| all.contains_key(*name));
        let variables = all.into_iter().filter(|(name, _)| name.starts_with("HAUL_")).collect();
        let (cores, job) = (cores.max(1), KeptJob::default());
        Self { home, config_dir, cwd, search, aws_profiles, variables, ci, cores, job }
    }

    /// Returns a `HAUL_*` variable as text; nothing if it is unset, empty or not UTF-8.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.variables.get(name)?.to_str().filter(|text| !text.is_empty())
    }

    /// Returns where the user's own settings lie.
    pub fn user_file(&self) -> Option<PathBuf> {
        Some(self.config_dir.as_ref()?.join("haul").join("config.toml"))
    }

    /// Returns where the list of accepted remotes lies.
    pub fn accepted_file(&self) -> Option<PathBuf> {
        Some(self.config_dir.as_ref()?.join("haul").join("accepted.toml"))
    }
}

/// Where the settings files of a run lie.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// The user's own.
    pub user: Option<PathBuf>,
    /// `haul.toml` at the worktree root.
    pub repo: Option<PathBuf>,
    /// `haul/config.toml` in the Git folder that all worktrees share.
    pub local: Option<PathBuf>,
}

impl Files {
    /// Names the files of a repository.
    pub fn of(environment: &Environment, root: &Path, git_common_dir: &Path) -> Self {
        Self {
            user: environment.user_file(),
            repo: Some(root.join("haul.toml")),
            local: Some(git_common_dir.join("haul").join("config.toml")),
        }
    }

    /// Reads a file of settings; nothing if there is none.
    ///
    /// The committed file must be a plain one: a link in its place could name any file of the
    /// machine, or one that never ends.
    pub fn read(layer: Layer, path: &Path) -> Result<Option<String>, ConfigError> {
        let failed = |source| ConfigError::Read { path: path.to_path_buf(), source };
        let links = if layer == Layer::Repo { Links::Refuse } else { Links::Follow };
        let file = match open_plain(path, links) {
            Ok(file) => file,
            Err(error) if absent(&error) => return Ok(None),
            Err(error) if is_not_plain(&error) => {
                return Err(ConfigError::NotAFile { path: path.to_path_buf() });
            }
            Err(error) => return Err(failed(error)),
        };
        let mut text = String::new();
        // One byte more than the limit, so that a longer file shows.
        file.take(FILE_LIMIT + 1).read_to_string(&mut text).map_err(failed)?;
        match u64::try_from(text.len()) {
            Ok(length) if length <= FILE_LIMIT => Ok(Some(text)),
            _ => Err(ConfigError::TooLarge { path: path.to_path_buf() }),
        }
    }
}

/// Takes the relative folders out of a list of folders; nothing if there are none.
fn without_relative(path: &OsStr) -> Option<OsString> {
    let is_absolute = |folder: &PathBuf| folder.is_absolute();
    if std::env::split_paths(path).all(|folder| is_absolute(&folder)) {
        return None;
    }
    // What was split a moment ago can be joined.
    std::env::join_paths(std::env::split_paths(path).filter(is_absolute)).ok()
}

fn absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Reads the files and puts them together with variables and flags.
pub fn load(
    files: &Files,
    environment: &Environment,
    flags: &[Flag],
) -> Result<Config, ConfigError> {
    let wanted =
        [(Layer::User, &files.user), (Layer::Repo, &files.repo), (Layer::Local, &files.local)];
    let mut sources = Vec::new();
    for (layer, path) in wanted {
        let Some(path) = path else { continue };
        if let Some(text) = Files::read(layer, path)? {
            sources.push(Source { layer, path: path.clone(), text });
        }
    }
    resolve(&Given { sources: &sources, environment, flags })
}
