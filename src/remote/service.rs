//! Which service on the network an address means, and how it is reached. Nothing is asked here.

use std::ffi::OsString;
use std::fmt;

use url::{Host, Url};

use super::spec::SpecError;
#[cfg(feature = "network")]
use super::upload::Parts;

/// Longest name of a bucket.
const MAX_BUCKET: usize = 255;

/// Longest name of a region or an account: what stands between two dots of a host.
const MAX_NAME: usize = 63;

/// Schemes that are understood, but have no code in any build.
const FOREIGN: [&str; 6] = ["ssh", "abfs", "abfss", "adl", "ftp", "webdav"];

/// How a service is reached, besides its address: settings of the remote.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Access {
    /// The server, if it is not the cloud's own.
    pub endpoint: Option<String>,
    /// The region that requests are signed for.
    pub region: Option<String>,
    /// The Azure storage account.
    pub account: Option<String>,
    /// Whose password is sent to a web server, or who signs in by `ssh`.
    pub user: Option<String>,
    /// The password that goes with it.
    pub password: Option<Secret>,
    /// Whether the bucket stands in the path, and not in the name of the host.
    pub path_style: Option<bool>,
    /// Whether requests may go out unencrypted.
    pub allow_http: Option<bool>,
    /// Whether requests go out unsigned.
    pub anonymous: Option<bool>,
    /// Where keys of an S3 service come from if no variable has them.
    pub aws_tool: Option<AwsTool>,
    /// What programs are looked for in, in place of `PATH`.
    pub search: Option<OsString>,
}

/// Amazon's own program, which knows the profiles of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct AwsTool {
    /// The profile; nothing leaves the choice to the program.
    pub profile: Option<String>,
    /// What the program is looked for in, in place of `PATH`.
    pub search: Option<OsString>,
}

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A kind of service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Cloud {
    /// Amazon S3, and every server that speaks its language.
    S3,
    /// Google Cloud Storage.
    Google,
    /// Azure Blob Storage.
    Azure,
    /// A web server: read, and written if it speaks `WebDAV`.
    Web,
    /// A folder behind `ssh`.
    Sftp,
}

/// A place in a service.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Service {
    pub(super) cloud: Cloud,
    /// The bucket or container; of a web server its URL without a path; behind `ssh` the host, and its
    /// port if that is said.
    pub(super) bucket: String,
    /// What stands before all keys, without slashes at its ends; of a web server as in its URL.
    pub(super) prefix: String,
    pub(super) access: Access,
}

impl Cloud {
    /// Finds the kind of service that a scheme means; fails for one that this build cannot reach.
    pub(super) fn of(scheme: &str, shown: &str) -> Result<Option<Self>, SpecError> {
        let (cloud, built) = match scheme {
            "s3" | "s3a" => (Self::S3, cfg!(feature = "s3")),
            "gs" | "gcs" => (Self::Google, cfg!(feature = "gcs")),
            "az" | "azure" => (Self::Azure, cfg!(feature = "azure")),
            "http" | "https" => (Self::Web, cfg!(feature = "http")),
            "sftp" => (Self::Sftp, cfg!(feature = "sftp")),
            other if FOREIGN.contains(&other) => {
                return Err(SpecError::NotBuilt { remote: shown.to_owned() });
            }
            _ => return Ok(None),
        };
        if built { Ok(Some(cloud)) } else { Err(SpecError::NotBuilt { remote: shown.to_owned() }) }
    }

    fn scheme(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Google => "gs",
            Self::Azure => "az",
            Self::Web => "https",
            Self::Sftp => "sftp",
        }
    }
}

impl Service {
    /// Reads what stands behind the scheme of `address`; `Err` says what is wrong with it.
    pub(super) fn parse(cloud: Cloud, address: &str, access: Access) -> Result<Self, &'static str> {
        access.check(cloud)?;
        if cloud == Cloud::Web {
            let url = web_url(address, "a web address is `https://host/path`")?;
            access.check_http(&url)?;
            let prefix = url.path().trim_matches('/').to_owned();
            let bucket = url.origin().ascii_serialization();
            return Ok(Self { cloud, bucket, prefix, access });
        }
        let (_, rest) = address.split_once("://").ok_or("it is no URL")?;
        if rest.contains(['?', '#', '@', '\\']) {
            return Err("settings and users do not stand in the address");
        }
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let (bucket, port) = match bucket.split_once(':') {
            Some((host, port)) if cloud == Cloud::Sftp => (host, Some(port)),
            _ => (bucket, None),
        };
        if port.is_some_and(|port| port.parse::<u16>().map_or(true, |port| port == 0)) {
            return Err("what stands behind its host is no port");
        }
        let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        // Azure's containers of its own begin so, `$web` for one. A host is handed to a program.
        let first = |c: char| c.is_ascii_alphanumeric() || (c == '$' && cloud != Cloud::Sftp);
        let named = bucket.starts_with(first)
            && bucket.len() <= MAX_BUCKET
            && bucket.chars().skip(1).all(letter);
        if !named {
            return Err("its bucket or host is no name of letters, digits, `.`, `_` and `-`");
        }
        let parts: Vec<&str> = prefix.split('/').filter(|part| !part.is_empty()).collect();
        let odd = |part: &&str| matches!(*part, "." | "..") || part.chars().any(is_odd);
        if parts.iter().any(odd) {
            return Err("its path has `.`, `..`, control characters, `%` or `*`");
        }
        if cloud == Cloud::Sftp && parts.is_empty() {
            return Err("its folder is missing: `sftp://host/folder`, or `sftp://host/~/folder`");
        }
        // One port has one text.
        let port = port.and_then(|port| port.parse::<u16>().ok());
        let bucket = port.map_or(bucket.to_owned(), |port| format!("{bucket}:{port}"));
        Ok(Self { cloud, bucket, prefix: parts.join("/"), access })
    }

    /// Returns the address in normal form, with what decides who is asked.
    pub(super) fn text(&self) -> String {
        let Self { cloud, bucket, prefix, access } = self;
        let slash = if prefix.is_empty() { "" } else { "/" };
        if *cloud == Cloud::Web {
            return format!("{bucket}{slash}{prefix}");
        }
        let mut text = format!("{}://{bucket}{slash}{prefix}", cloud.scheme());
        let known = [("account", &access.account), ("endpoint", &access.endpoint)];
        let mut mark = "?";
        for (name, value) in known {
            if let Some(value) = value {
                text.extend([mark, name, "="]);
                // As a parameter, so that it cannot hold another one, which may not count.
                for c in value.trim_end_matches('/').chars() {
                    match c {
                        '%' => text.push_str("%25"),
                        '&' => text.push_str("%26"),
                        '+' => text.push_str("%2B"),
                        '#' => text.push_str("%23"),
                        c => text.push(c),
                    }
                }
                mark = "&";
            }
        }
        text
    }

    /// Says whether it takes large objects in parts.
    #[cfg(feature = "network")]
    pub(super) fn parts(&self) -> Parts {
        match self.cloud {
            Cloud::S3 | Cloud::Google | Cloud::Azure => Parts::Taken,
            Cloud::Web | Cloud::Sftp => Parts::Refused,
        }
    }

    /// Says whether the address, and not only its owner's name there, is the repository's choice.
    pub(super) fn is_own_server(&self) -> bool {
        matches!(self.cloud, Cloud::Web | Cloud::Sftp) || self.access.endpoint.is_some()
    }
}

impl Access {
    /// Refuses settings that mean nothing for a kind of service: they would have no effect.
    fn check(&self, cloud: Cloud) -> Result<(), &'static str> {
        let (web, own) = (cloud == Cloud::Web, matches!(cloud, Cloud::Web | Cloud::Sftp));
        if self.region.is_some() && cloud != Cloud::S3 {
            return Err("`region` is a setting of `s3://` only");
        }
        if self.path_style.is_some() && cloud != Cloud::S3 {
            return Err("`path-style` is a setting of `s3://` only");
        }
        if self.aws_tool.as_ref().is_some_and(|tool| tool.profile.is_some()) && cloud != Cloud::S3 {
            return Err("`profile` is a setting of `s3://` only");
        }
        if self.account.is_some() && cloud != Cloud::Azure {
            return Err("`account` is a setting of `az://` only");
        }
        if self.user.is_some() && !own {
            return Err("`user` is a setting of `https://` and `sftp://` only");
        }
        if self.password.is_some() && !web {
            return Err("`password` is a setting of `https://` only");
        }
        let named = |user: &String| {
            let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
            !user.is_empty() && !user.starts_with('-') && user.chars().all(letter)
        };
        if cloud == Cloud::Sftp && !self.user.as_ref().is_none_or(named) {
            return Err("`user` is no name of letters, digits, `.`, `_` and `-`");
        }
        if cloud == Cloud::Sftp && self.allow_http.is_some() {
            return Err("`allow-http` means nothing for `sftp://`");
        }
        if self.password.is_some() && self.user.is_none() {
            return Err("`password` needs `user`");
        }
        if own && (self.endpoint.is_some() || self.anonymous.is_some()) {
            return Err("`endpoint` and `anonymous` are settings of clouds only");
        }
        // Both become part of the name of a host to which keys are sent.
        let letters = |text: &str| text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
        if self
            .region
            .as_ref()
            .is_some_and(|name| !letters(name) || !(1..=MAX_NAME).contains(&name.len()))
        {
            return Err("`region` is a name of letters, digits and `-`, such as `eu-central-1`");
        }
        if self
            .account
            .as_ref()
            .is_some_and(|name| !letters(name) || !(1..=MAX_NAME).contains(&name.len()))
        {
            return Err("`account` is a name of letters and digits");
        }
        let Some(endpoint) = &self.endpoint else { return Ok(()) };
        let url = web_url(endpoint, "`endpoint` is `https://host` or `https://host:port`")?;
        self.check_http(&url)
    }

    /// Refuses plain text on the line unless the user wants it.
    fn check_http(&self, url: &Url) -> Result<(), &'static str> {
        let plain = url.scheme() == "http" && self.allow_http != Some(true);
        if plain { Err("plain http needs the setting `allow-http = true`") } else { Ok(()) }
    }
}

/// Says whether a character may not stand in a prefix: servers disagree about it.
fn is_odd(c: char) -> bool {
    c.is_control() || matches!(c, '%' | '*' | '"' | '<' | '>' | '|' | '^' | '`' | '{' | '}')
}

/// Reads the URL of a web server: no user, no query, no fragment.
fn web_url(text: &str, form: &'static str) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| form)?;
    if !matches!(url.scheme(), "http" | "https") || text.contains(":///") {
        return Err(form);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("users and passwords do not stand in an address");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("`?` and `#` do not stand in an address");
    }
    let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    match url.host() {
        Some(Host::Domain(name)) if name.is_empty() || name.starts_with('-') => Err(form),
        // URLs allow more than hosts are called, such as what separates parameters.
        Some(Host::Domain(name)) if !name.chars().all(letter) => Err(form),
        Some(Host::Domain(_) | Host::Ipv4(_) | Host::Ipv6(_)) => Ok(url),
        None => Err(form),
    }
}
