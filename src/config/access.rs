//! How remotes are reached: the settings `remotes.<name>.…` besides the address.

use std::fmt;

use super::address::{committed_problem, is_remote_name, printable};
use super::resolve::{shown, text, wrong};
use super::source::{Entry, Raw};
use super::{Config, ConfigError, Layer, Origin, Value, Warning};

/// Longest text of such a setting, in bytes.
const MAX_TEXT: usize = 1024;

/// A password of a setting; never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(pub String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// How one remote is reached; what is not set is left to the cloud's own defaults and variables.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RemoteAccess {
    /// `endpoint`: the server, if it is not the cloud's own.
    pub endpoint: Option<Value<String>>,
    /// `region`: the region that requests are signed for.
    pub region: Option<Value<String>>,
    /// `account`: the Azure storage account.
    pub account: Option<Value<String>>,
    /// `profile`: the profile of Amazon's own program whose keys are used.
    pub profile: Option<Value<String>>,
    /// `user`: whose password is sent to a web server.
    pub user: Option<Value<String>>,
    /// `password`: what is sent for that user.
    pub password: Option<Value<Password>>,
    /// `path-style`: whether the bucket stands in the path.
    pub path_style: Option<Value<bool>>,
    /// `allow-http`: whether requests may go out unencrypted.
    pub allow_http: Option<Value<bool>>,
    /// `anonymous`: whether requests go out unsigned.
    pub anonymous: Option<Value<bool>>,
    /// Settings of this remote that this build does not know, with where they stand. A remote with
    /// such a setting is not used: a misspelt `endpoint` would send data elsewhere.
    pub unknown: Vec<Value<String>>,
}

impl RemoteAccess {
    /// Says whether a commit chose the server.
    pub fn is_committed(&self) -> bool {
        self.endpoint.as_ref().is_some_and(|value| value.origin.layer() == Layer::Repo)
    }
}

/// Takes the names of remote and setting out of a key.
fn parts(entry: &Entry) -> Result<(&str, &str), ConfigError> {
    match entry.key.as_slice() {
        [_, remote, setting] if is_remote_name(remote) => Ok((remote, setting)),
        _ => Err(wrong(entry, "a setting of a remote with a usable name")),
    }
}

impl Config {
    /// Returns how a remote is reached.
    pub fn access(&self, remote: &str) -> RemoteAccess {
        self.accesses.get(remote).cloned().unwrap_or_default()
    }

    /// Takes a text: `endpoint`, `region`, `account`, `profile`, `user` or `password`.
    pub(super) fn set_access_text(&mut self, entry: &Entry) -> Result<(), ConfigError> {
        let fits = |text: &&str| text.len() <= MAX_TEXT && !text.chars().any(char::is_control);
        let value = text(entry).filter(fits).ok_or_else(|| wrong(entry, "a line of text"))?;
        let (value, origin) = (value.to_owned(), entry.origin.clone());
        let (remote, setting) = parts(entry)?;
        if origin.layer() == Layer::Repo
            && setting == "endpoint"
            && let Some(why) = committed_problem(&value)
        {
            self.warnings.push(Warning::Address { name: shown(&entry.key), origin, why });
            self.note_unknown(entry);
            return Ok(());
        }
        let access = self.accesses.entry(remote.to_owned()).or_default();
        let place = match setting {
            "endpoint" => &mut access.endpoint,
            "region" => &mut access.region,
            "account" => &mut access.account,
            "profile" => &mut access.profile,
            "user" => &mut access.user,
            _ => {
                access.password = Some(Value { value: Password(value), origin });
                return Ok(());
            }
        };
        *place = Some(Value { value, origin });
        Ok(())
    }

    /// Takes true or false: `path-style`, `allow-http` or `anonymous`.
    pub(super) fn set_access_switch(&mut self, entry: &Entry) -> Result<(), ConfigError> {
        let value = match &entry.raw {
            Raw::Switch(value) => Some(*value),
            Raw::Text(text) => text.trim().parse().ok(),
            Raw::Number(_) | Raw::List(_) | Raw::Foreign(_) | Raw::Other => None,
        };
        let value = value.ok_or_else(|| wrong(entry, "`true` or `false`"))?;
        let (remote, setting) = parts(entry)?;
        let access = self.accesses.entry(remote.to_owned()).or_default();
        let place = match setting {
            "path-style" => &mut access.path_style,
            "allow-http" => &mut access.allow_http,
            _ => &mut access.anonymous,
        };
        *place = Some(Value { value, origin: entry.origin.clone() });
        Ok(())
    }

    /// Notes a setting of a remote that cannot be followed.
    pub(super) fn note_unknown(&mut self, entry: &Entry) {
        if let [first, remote, setting, ..] = entry.key.as_slice()
            && first == "remotes"
            && matches!(entry.origin, Origin::File { .. })
        {
            let value = Value { value: printable(setting), origin: entry.origin.clone() };
            self.accesses.entry(remote.clone()).or_default().unknown.push(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::path::PathBuf;

    use super::*;
    use crate::config::{Environment, Given, Source, resolve};

    fn config(layer: Layer, text: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let text = format!("version = 1\n{text}");
        let sources = [Source { layer, path: PathBuf::from("/r/haul.toml"), text }];
        let variables = variables.iter().map(|(n, v)| (OsString::from(n), OsString::from(v)));
        let environment = Environment::from_variables(variables, PathBuf::from("/r"), 1);
        resolve(&Given { sources: &sources, environment: &environment, flags: &[] })
    }

    #[test]
    fn settings_and_variables_of_a_remote_are_read() {
        let text =
            "[remotes.my-data]\nurl = \"s3://b\"\nendpoint = \"https://h\"\nanonymous = true\n";
        let variables = [
            ("HAUL_REMOTES_MY_DATA_PATH_STYLE", "false"),
            ("HAUL_REMOTES_MY_DATA_PASSWORD", "hunter2"),
            ("HAUL_REMOTES_MY_DATA_REGION", "eu"),
        ];
        let access = config(Layer::Repo, text, &variables).unwrap().access("my-data");
        assert_eq!(access.endpoint.as_ref().unwrap().value, "https://h");
        assert!(access.is_committed());
        assert!(access.anonymous.as_ref().unwrap().value);
        assert!(!access.path_style.as_ref().unwrap().value);
        assert_eq!(access.region.as_ref().unwrap().value, "eu");
        assert_eq!(access.password.as_ref().unwrap().value.0, "hunter2");
        assert!(!format!("{access:?}").contains("hunter2"));
    }

    #[test]
    fn a_setting_that_cannot_be_followed_is_noted_with_the_remote() {
        let text = "[remotes.a]\nurl = \"s3://b\"\nendpont = \"https://h\"\n";
        let unknown = config(Layer::Repo, text, &[]).unwrap().access("a").unknown;
        assert_eq!(unknown[0].value, "endpont");
        for evil in ["http://169.254.169.254", "https://u:hunter2@h"] {
            let text = format!("[remotes.a]\nendpoint = \"{evil}\"\n");
            let config = config(Layer::Repo, &text, &[]).unwrap();
            let access = config.access("a");
            assert!(access.endpoint.is_none() && access.unknown.len() == 1, "{evil}");
            assert!(config.warnings.iter().all(|w| !w.to_string().contains("hunter2")));
        }
    }

    #[test]
    fn a_committed_password_is_not_taken() {
        let text = "[remotes.a]\npassword = \"hunter2\"\n";
        let committed = config(Layer::Repo, text, &[]).unwrap();
        assert!(committed.access("a").password.is_none());
        assert!(config(Layer::Local, text, &[]).unwrap().access("a").password.is_some());
    }

    #[test]
    fn a_value_of_another_kind_is_an_error() {
        for text in ["endpoint = 1", "allow-http = \"perhaps\"", "region = \"a\\nb\""] {
            let text = format!("[remotes.a]\n{text}\n");
            assert!(config(Layer::Repo, &text, &[]).is_err(), "{text}");
        }
    }
}
