//! Remotes in the settings: added, listed, removed, made the default, accepted.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use serde::Serialize;

use crate::config::{
    Accepted, Environment, Files, Layer, SettingValue, add_remote, has_secret, is_remote_name,
    redact, remove_remote, set_default_remote,
};
use crate::fs::write_durably;
use crate::hint::Hint;
use crate::ops::error::OpError;
use crate::ops::init::write;
use crate::ops::open::{accepted, accepted_list, spec_of};
use crate::progress::Job;
use crate::remote::{Access, Create, Remote, RemoteSpec};
use crate::repo::Repo;
use crate::transfer::settle;

/// What a change did.
#[derive(Clone, Debug, Serialize)]
pub struct RemoteReport {
    /// The remote's name.
    pub name: String,
    /// Its address, without secrets.
    pub url: String,
    /// Files that were changed.
    pub changed: Vec<String>,
}

/// One remote.
#[derive(Clone, Debug, Serialize)]
pub struct RemoteRow {
    /// Its name.
    pub name: String,
    /// Its address, without secrets.
    pub url: String,
    /// Whether it is used when none is named.
    pub default: bool,
    /// Whether it may be used without asking.
    pub accepted: bool,
    /// Where it was set.
    pub origin: String,
}

/// How a new remote is reached, as it is written into `haul.toml`.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct AddRemoteOptions {
    /// The server, if it is not the cloud's own.
    pub endpoint: Option<String>,
    /// The region that requests are signed for.
    pub region: Option<String>,
    /// The Azure storage account.
    pub account: Option<String>,
    /// Whose password is sent to a web server.
    pub user: Option<String>,
    /// Whether the bucket stands in the path, and not in the name of the host.
    pub path_style: Option<bool>,
    /// Whether requests may go out unencrypted.
    pub allow_http: Option<bool>,
    /// Whether requests go out unsigned.
    pub anonymous: Option<bool>,
}

impl AddRemoteOptions {
    fn settings(&self) -> Vec<(&'static str, SettingValue)> {
        let texts = [
            ("endpoint", &self.endpoint),
            ("region", &self.region),
            ("account", &self.account),
            ("user", &self.user),
        ];
        let switches = [
            ("path-style", self.path_style),
            ("allow-http", self.allow_http),
            ("anonymous", self.anonymous),
        ];
        let text = |(name, value): (&'static str, &Option<String>)| {
            Some((name, SettingValue::Text(value.clone()?)))
        };
        let switch = |(name, value): (&'static str, Option<bool>)| {
            Some((name, SettingValue::Switch(value?)))
        };
        texts.into_iter().filter_map(text).chain(switches.into_iter().filter_map(switch)).collect()
    }

    fn access(&self) -> Access {
        let Self { endpoint, region, account, user, path_style, allow_http, anonymous } =
            self.clone();
        Access {
            endpoint,
            region,
            account,
            user,
            password: None,
            path_style,
            allow_http,
            anonymous,
            aws_tool: None,
            search: None,
        }
    }
}

/// Adds a remote to `haul.toml`, accepts it for this user, and makes its folder if it is missing, also
/// behind `ssh` if that answers. Other services are not asked for anything.
pub fn add(
    repo: &Repo,
    (name, url): (&str, &OsStr),
    options: &AddRemoteOptions,
    job: &Job,
) -> Result<RemoteReport, OpError> {
    repo.require_initialised()?;
    if !is_remote_name(name) {
        return Err(OpError::refused(
            format!("`{}` cannot name a remote", name.escape_debug()),
            "use up to 64 letters, digits, `.`, `_` or `-`, a letter or digit first",
        ));
    }
    let Some(url) = url.to_str() else {
        return Err(OpError::refused("the address is not UTF-8", "use another folder"));
    };
    if has_secret(url) || options.endpoint.as_deref().is_some_and(has_secret) {
        return Err(OpError::refused(
            format!("the address `{}` holds a password or key", redact(url)),
            "leave it out: credentials come from the environment, never from a committed file",
        ));
    }
    let url = from_root(repo, url);
    let spec = RemoteSpec::parse(&url, repo.git().root(), options.access())?;
    let text = read(repo)?;
    let new = add_remote(&text, name, &url, &options.settings()).map_err(|e| edit(&e))?;
    let opened = Remote::open(&spec, Create::Yes)?;
    job.note(&format!("remote `{name}` is `{}`", opened.label()));
    save(repo, &new)?;
    remember(repo.environment(), spec.text(), repo.git().root())?;
    if let Err(e) = opened.make_behind_ssh() {
        job.warn(&format!(
            "the folder of remote `{name}` has to be made by hand if it is new: {e}"
        ));
    }
    Ok(RemoteReport {
        name: name.to_owned(),
        url: spec.to_string(),
        changed: vec![FILE.to_owned()],
    })
}

const FILE: &str = "haul.toml";

/// A relative folder is meant from the current folder, and written as seen from the root, where
/// everybody reads it.
fn from_root(repo: &Repo, url: &str) -> String {
    if url.contains("://") || Path::new(url).is_absolute() {
        return url.to_owned();
    }
    let mut whole = PathBuf::new();
    for part in repo.cwd().join(url).components() {
        match part {
            Component::ParentDir => drop(whole.pop()),
            Component::CurDir => {}
            Component::Normal(_) | Component::RootDir | Component::Prefix(_) => whole.push(part),
        }
    }
    let root = repo.git().root();
    let mut up = PathBuf::new();
    for base in root.ancestors() {
        if let Ok(rest) = whole.strip_prefix(base) {
            let relative = up.join(rest);
            let text = relative.to_string_lossy().into_owned();
            return if text.starts_with("..") { text } else { format!("./{text}") };
        }
        up.push("..");
    }
    url.to_owned()
}

/// Lists the remotes by name.
pub fn list(repo: &Repo) -> Result<Vec<RemoteRow>, OpError> {
    let config = repo.config();
    let mut out = Vec::new();
    for (name, url) in &config.remotes {
        let spec = spec_of(repo, name).ok();
        let may_use = match &spec {
            Some(spec) => accepted(repo, name, spec)?,
            None => false,
        };
        // A folder as it is written; of a service also which server is asked.
        let shown = spec.filter(|spec| spec.folder().is_none()).map(|spec| spec.to_string());
        out.push(RemoteRow {
            name: name.clone(),
            url: redact(shown.as_deref().unwrap_or(&url.value)),
            default: config.default_remote() == Some(name.as_str()),
            accepted: may_use,
            origin: url.origin.to_string(),
        });
    }
    Ok(out)
}

/// Takes a remote out of `haul.toml`; what it holds stays.
pub fn remove(repo: &Repo, name: &str) -> Result<RemoteReport, OpError> {
    let url = spec_of(repo, name).map_or_else(|_| String::new(), |spec| spec.to_string());
    let new = remove_remote(&read(repo)?, name).map_err(|e| edit(&e))?;
    save(repo, &new)?;
    Ok(RemoteReport { name: name.to_owned(), url, changed: vec![FILE.to_owned()] })
}

/// Makes a remote the one that is used when none is named.
pub fn set_default(repo: &Repo, name: &str) -> Result<RemoteReport, OpError> {
    let spec = spec_of(repo, name)?;
    let new = set_default_remote(&read(repo)?, name).map_err(|e| edit(&e))?;
    save(repo, &new)?;
    Ok(RemoteReport {
        name: name.to_owned(),
        url: spec.to_string(),
        changed: vec![FILE.to_owned()],
    })
}

/// Agrees to a remote that the repository names, for this user and this address; also to its being empty,
/// where a push found that and refused.
pub fn accept(repo: &Repo, name: &str) -> Result<RemoteReport, OpError> {
    let spec = spec_of(repo, name)?;
    // Some addresses are not for anybody to accept.
    accepted(repo, name, &spec)?;
    let changed = remember(repo.environment(), spec.text(), repo.git().root())?;
    settle(repo.layout(), &spec.to_string())?;
    Ok(RemoteReport { name: name.to_owned(), url: spec.to_string(), changed })
}

/// Agrees to a remote of a repository that is not around, for this user; `address` is that of a service or
/// an absolute folder.
pub fn accept_address(environment: &Environment, address: &str) -> Result<(), OpError> {
    remember(environment, address, Path::new("/")).map(drop)
}

/// Keeps an address, of which a relative folder is meant from `root`.
fn remember(environment: &Environment, address: &str, root: &Path) -> Result<Vec<String>, OpError> {
    let Some(path) = environment.accepted_file() else {
        return Err(OpError::refused(
            "there is no home folder to keep accepted remotes in",
            "set HOME or XDG_CONFIG_HOME, or use HAUL_ACCEPT_REMOTE",
        ));
    };
    let mut list: Accepted = accepted_list(environment)?;
    if !list.insert(address, root) {
        return Ok(Vec::new());
    }
    write_durably(&path, list.print().as_bytes())?;
    Ok(vec![path.display().to_string()])
}

fn read(repo: &Repo) -> Result<String, OpError> {
    let path = repo.git().root().join(FILE);
    Ok(Files::read(Layer::Repo, &path)?.unwrap_or_else(crate::config::first_file))
}

fn save(repo: &Repo, text: &str) -> Result<(), OpError> {
    write(repo, FILE, text.as_bytes())?;
    Ok(repo.git().stage(&[FILE.as_bytes()])?)
}

fn edit(error: &crate::config::EditError) -> OpError {
    OpError::refused(error.to_string(), error.hint().unwrap_or_else(|| "edit `haul.toml`".into()))
}
