//! Names and addresses of remotes as text: what may be shown, compared and taken from a stranger.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Component, Path, PathBuf};

use url::{Host, Url, form_urlencoded};

/// Kinds of address that a committed file may name.
const SCHEMES: [&str; 12] =
    ["file", "s3", "s3a", "gs", "az", "adl", "azure", "abfs", "abfss", "http", "https", "sftp"];
/// Parts of the names of query parameters that carry a secret.
const SECRET_PARAMETERS: [&str; 8] = [
    "signature",
    "token",
    "secret",
    "password",
    "credential",
    "access_key",
    "account_key",
    "accesskey",
];

/// Tells whether a text can name a remote: a letter or digit, then up to 63 of those or `.`, `_`, `-`.
pub fn is_remote_name(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(inner)
}

/// Returns what stands before the first colon if it can be a scheme; one letter is a drive.
fn scheme(address: &str) -> Option<&str> {
    let (scheme, _) = address.split_once(':')?;
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '.' | '-');
    let fits = scheme.len() > 1
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(inner);
    fits.then_some(scheme)
}

/// Judges a decoded name of a parameter.
fn is_secret_parameter(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name == "sig" || SECRET_PARAMETERS.iter().any(|part| name.contains(part))
}

/// Judges a name as it stands in a query, where `%74oken` is `token` and `%2Credential` is no word.
fn is_encoded_secret_parameter(name: &str) -> bool {
    form_urlencoded::parse(name.as_bytes()).any(|(name, _)| is_secret_parameter(&name))
}

/// An address cut at its seams, as text: it may be no valid URL at all.
struct Seams<'a> {
    /// Scheme with `://`.
    before: &'a str,
    user: Option<&'a str>,
    password: Option<&'a str>,
    host_and_path: &'a str,
    /// After `?`.
    query: Option<&'a str>,
}

/// Tells whether an address is neither a folder nor a URL with a host, but something behind a colon:
/// `user:password@host`, `sftp:user:password@host`, `foo:///user:password@host`.
fn is_opaque(address: &str) -> bool {
    match address.split_once("://") {
        Some((scheme, rest)) if !scheme.contains('/') => {
            rest.starts_with('/') && !scheme.eq_ignore_ascii_case("file")
        }
        _ => address.split('/').next().is_some_and(|first| first.contains(':')),
    }
}

fn seams(address: &str) -> Seams<'_> {
    if is_opaque(address) {
        let colon = address.find(':').map_or(0, |at| at + 1);
        let (before, rest) = address.split_at(colon);
        // Nobody knows what such an address means: all before the last `@` may be secret.
        let (password, rest) = match rest.rsplit_once('@') {
            Some((password, rest)) => (Some(password), rest),
            None => (None, rest),
        };
        let (host_and_path, query) = match rest.split_once('?') {
            Some((main, query)) => (main, Some(query)),
            None => (rest, None),
        };
        return Seams { before, user: None, password, host_and_path, query };
    }
    let start = address.find("://").map_or(0, |at| at + 3);
    let (before, rest) = address.split_at(start);
    if start == 0 {
        // A folder: whatever it is called, it holds no secret.
        let (user, password, query) = (None, None, None);
        return Seams { before, user, password, host_and_path: rest, query };
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // A password with a bare `/` or `?` in it makes no URL, but must not be shown for that.
    let at = match authority.rfind('@') {
        None if authority.contains(':') && Url::parse(address).is_err() => rest.rfind('@'),
        at => at,
    };
    let (user, rest) = match at.and_then(|at| rest.split_at_checked(at)) {
        Some((user, host)) => (Some(user), host.strip_prefix('@').unwrap_or(host)),
        None => (None, rest),
    };
    let (user, password) = match user.and_then(|user| user.split_once(':')) {
        Some((user, password)) => (Some(user), Some(password)),
        None => (user, None),
    };
    let (host_and_path, query) = match rest.split_once('?') {
        Some((main, query)) => (main, Some(query)),
        None => (rest, None),
    };
    Seams { before, user, password, host_and_path, query }
}

/// Tells whether there is something to hide: not nothing, and not what [`redact`] leaves.
fn is_value(secret: &str) -> bool {
    !secret.is_empty() && secret != "***"
}

/// Tells whether an address holds a password or a signed or secret parameter.
pub fn has_secret(address: &str) -> bool {
    let seams = seams(address);
    let parameters = seams.query.into_iter().flat_map(|query| query.split('&'));
    let secret = parameters
        .filter_map(|parameter| parameter.split_once('='))
        .any(|(name, value)| is_encoded_secret_parameter(name) && is_value(value));
    secret || seams.password.is_some_and(is_value)
}

/// Tells whether the address of a Git repository is one of the web and names a user: that may be a token.
pub fn has_web_user(address: &str) -> bool {
    is_web(address) && seams(address).user.is_some_and(is_value)
}

fn is_web(address: &str) -> bool {
    let scheme = address.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    scheme.is_some_and(|scheme| scheme == "http" || scheme == "https")
}

/// Returns the address as it may be shown: secrets replaced by `***`, control characters escaped.
pub fn redact(address: &str) -> String {
    seams(address).shown()
}

/// Returns the address of a Git repository as it may be shown: as [`redact`] does, and of web addresses
/// without the user, in whose place tokens stand.
pub fn redact_git(address: &str) -> String {
    let seams = seams(address);
    match seams.user {
        Some(_) if is_web(address) => Seams { user: None, password: Some("***"), ..seams }.shown(),
        Some(_) | None => seams.shown(),
    }
}

impl Seams<'_> {
    fn shown(&self) -> String {
        let mut out = self.before.to_owned();
        let user = self.user.map(str::to_owned);
        let userinfo: Vec<String> =
            user.into_iter().chain(self.password.map(|_| "***".to_owned())).collect();
        if !userinfo.is_empty() {
            out.push_str(&userinfo.join(":"));
            out.push('@');
        }
        out.push_str(self.host_and_path);
        for (at, parameter) in self.query.into_iter().flat_map(|q| q.split('&')).enumerate() {
            out.push(if at == 0 { '?' } else { '&' });
            match parameter.split_once('=') {
                Some((name, _)) if is_encoded_secret_parameter(name) => {
                    out.push_str(name);
                    out.push_str("=***");
                }
                _ => out.push_str(parameter),
            }
        }
        printable(&out)
    }
}

/// Escapes control characters.
pub(super) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

/// Returns the form in which addresses are compared; holds no secret.
///
/// Folders become absolute `file://` addresses, starting from `root`, without asking the disk. Of
/// URLs the letter case of the host, default ports, `.` and `..`, closing slashes, passwords, the
/// order of parameters and secret parameters do not count.
pub fn normalise(address: &str, root: &Path) -> String {
    let address = address.trim();
    if is_opaque(address) && !address.to_ascii_lowercase().starts_with("file:/") {
        return redact(address);
    }
    if scheme(address).is_none() {
        return folder(&root.join(address));
    }
    let Ok(mut url) = Url::parse(address) else { return redact(address) };
    if url.scheme() == "file"
        && let Ok(path) = url.to_file_path()
    {
        return folder(&path);
    }
    // Neither can fail in a way that matters: an address that has no such part has no secret in it.
    let _: Result<(), ()> = url.set_password(None);
    url.set_fragment(None);
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    let mut parameters: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(name, _)| !is_secret_parameter(name))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    parameters.sort();
    url.set_query(None);
    if !parameters.is_empty() {
        url.query_pairs_mut().extend_pairs(parameters);
    }
    url.as_str().trim_end_matches('/').to_owned()
}

fn folder(path: &Path) -> String {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(clean.pop()),
            part @ (Component::Prefix(_) | Component::RootDir | Component::Normal(_)) => {
                clean.push(part);
            }
        }
    }
    match Url::from_file_path(&clean) {
        Ok(url) => url.as_str().trim_end_matches('/').to_owned(),
        // Only a root that is not absolute gets here.
        Err(()) => printable(&clean.to_string_lossy()),
    }
}

/// Says why an address from a committed file must not be followed by anybody.
///
/// Folders outside of the repository and other people's servers are not refused here: those are
/// used once the user has accepted them.
pub(super) fn committed_problem(address: &str) -> Option<&'static str> {
    if address.chars().any(char::is_control) {
        return Some("it contains control characters");
    }
    if has_secret(address) {
        return Some("it contains a password, which everybody can read; take it out and change it");
    }
    let scheme = scheme(address)?.to_ascii_lowercase();
    if !SCHEMES.contains(&scheme.as_str()) {
        return Some("it is no kind of remote");
    }
    let Ok(url) = Url::parse(address) else { return Some("it is not a valid URL") };
    let inner = url.query_pairs().filter_map(|(_, value)| Url::parse(&value).ok());
    let addresses: Vec<Url> = inner.chain([url.clone()]).collect();
    if addresses.iter().any(|url| url.host_str().is_some_and(|host| host.starts_with('-'))) {
        return Some("its host looks like a command-line option");
    }
    let metadata = addresses.iter().any(is_metadata_service);
    metadata.then_some("it points to the service that hands out a cloud machine's own keys")
}

/// Tells whether a URL leads to link-local addresses or a known metadata service.
fn is_metadata_service(url: &Url) -> bool {
    let v4 = |ip: Ipv4Addr| ip.is_link_local() || ip == Ipv4Addr::new(100, 100, 100, 200);
    let v6 = |ip: Ipv6Addr| {
        let local = ip.segments().first().is_some_and(|first| first & 0xffc0 == 0xfe80);
        let amazon = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
        local || ip == amazon || ip.to_ipv4_mapped().is_some_and(v4)
    };
    let Some(host) = url.host() else { return false };
    let name = match host {
        Host::Ipv4(ip) => return v4(ip),
        Host::Ipv6(ip) => return v6(ip),
        Host::Domain(name) => name.trim_end_matches('.').to_ascii_lowercase(),
    };
    match name.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => v4(ip),
        Ok(IpAddr::V6(ip)) => v6(ip),
        Err(_) => name == "metadata" || name == "metadata.google.internal",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_web_addresses_of_git_repositories_the_user_is_not_shown_either() {
        for (address, shown) in [
            ("https://token@h/x.git", "https://***@h/x.git"),
            ("HTTP://token:x-oauth-basic@h", "HTTP://***@h"),
            ("https://u:p/w@h/p", "https://***@h/p"),
        ] {
            assert_eq!(redact_git(address), shown);
            assert!(has_web_user(address) && !has_web_user(shown));
        }
        for address in ["https://h/a@b", "ssh://git@h/x.git", "git@h:x.git", "/a/b@c"] {
            assert_eq!(redact_git(address), redact(address));
            assert!(!has_web_user(address));
        }
    }
}
