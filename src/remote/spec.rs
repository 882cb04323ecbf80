//! Which storage a remote's text means. Nothing is opened, asked or run here.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Component, Path, PathBuf};

use crate::hint::Hint;

use super::service::{Access, Cloud, Service};

/// Longest text of a remote, in bytes.
const MAX_TEXT: usize = 4096;

/// Why a text names no remote; secrets in it are never shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpecError {
    /// A kind of storage that this build has no code for.
    #[error("this build does not reach `{remote}`")]
    NotBuilt {
        /// The text, without user, password, query and fragment.
        remote: String,
    },
    /// Neither a folder nor any kind of storage.
    #[error("`{scheme}` is not a kind of remote")]
    UnknownScheme {
        /// What stands before the first colon.
        scheme: String,
    },
    /// Not the text of a remote, or with settings that do not fit it.
    #[error("`{remote}` is not a remote: {why}")]
    Invalid {
        /// The text, without user, password, query and fragment.
        remote: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

impl Hint for SpecError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotBuilt { .. } => {
                "use a folder, such as a mounted share, or an address that begins with `s3://`, `gs://`, \
                 `az://`, `https://` or `sftp://`"
                    .into()
            }
            Self::UnknownScheme { .. } => {
                "write `./` before the path of a folder that has a colon in its name".into()
            }
            Self::Invalid { .. } => {
                "give a folder such as `../data`, or an address such as `s3://bucket/path`; settings \
                 stand beside it in `haul.toml`"
                    .into()
            }
        })
    }
}

/// Storage by its address: a folder, absolute and in normal form, or a place in a service.
///
/// Two specs are equal if they mean the same address, reached in the same way; the text is what a
/// user accepts. Links are not resolved for that, since where they lead may change.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RemoteSpec {
    place: Place,
    text: String,
}

/// Where packs lie.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Place {
    Folder(PathBuf),
    Service(Box<Service>),
}

impl RemoteSpec {
    /// Reads `text`: a path, relative to the absolute folder `base`, a `file:///` URL, or the URL of a
    /// service that is reached as `access` says.
    ///
    /// `.`, `..`, double and trailing slashes are resolved by text alone.
    pub fn parse(text: &str, base: &Path, access: Access) -> Result<Self, SpecError> {
        let invalid = |why| SpecError::Invalid { remote: redact(text), why };
        if text.is_empty() {
            return Err(invalid("it is empty"));
        }
        if text.len() > MAX_TEXT {
            return Err(invalid("it is longer than 4096 bytes"));
        }
        let scheme = scheme(text);
        if let Some(scheme) = scheme.as_deref().filter(|_| text.contains("://"))
            && let Some(cloud) = Cloud::of(scheme, &redact(text))?
        {
            let service = Service::parse(cloud, text, access).map_err(invalid)?;
            let text = service.text();
            return Ok(Self { place: Place::Service(Box::new(service)), text });
        }
        let path = match scheme {
            None => text.to_owned(),
            Some(scheme) if scheme == "file" => file_url_path(text).map_err(invalid)?,
            Some(scheme) => return Err(SpecError::UnknownScheme { scheme: shown(&scheme) }),
        };
        if path.chars().any(char::is_control) {
            return Err(invalid("it has control characters"));
        }
        if path == "~" || path.starts_with("~/") {
            return Err(invalid("`~` is not replaced here"));
        }
        let (aws_tool, search) = (access.aws_tool.clone(), access.search.clone());
        if access != (Access { aws_tool, search, ..Access::default() }) {
            return Err(invalid("a folder has no settings besides `url`"));
        }
        let folder = normal(&base.join(path)).ok_or_else(|| invalid("its base is not absolute"))?;
        let text = folder.to_str().ok_or_else(|| invalid("it is not UTF-8"))?.to_owned();
        Ok(Self { place: Place::Folder(folder), text })
    }

    /// Returns the normal form: what equality and acceptance compare.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the absolute path if it is a folder.
    pub fn folder(&self) -> Option<&Path> {
        match &self.place {
            Place::Folder(folder) => Some(folder),
            Place::Service(_) => None,
        }
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// Says whether it is a bucket of a cloud at its own address, and so no server of strangers.
    pub fn is_known_cloud(&self) -> bool {
        matches!(&self.place, Place::Service(service) if !service.is_own_server())
    }

    /// Returns true if the folder lies in the worktree `root`, or is it, wherever links lead.
    ///
    /// Reads the file system. False in doubt, and false below any `.git`: what a repository says
    /// must not make haul write there.
    pub fn is_inside(&self, root: &Path) -> bool {
        let (Some(folder), Some(root)) = (self.folder().and_then(resolved), resolved(root)) else {
            return false;
        };
        let Ok(below) = folder.strip_prefix(&root) else { return false };
        !below.components().any(|part| part.as_os_str().eq_ignore_ascii_case(OsStr::new(".git")))
    }
}

impl fmt::Display for RemoteSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for RemoteSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RemoteSpec({})", self.text)
    }
}

/// What stands before a colon in the first segment, in lower case.
fn scheme(text: &str) -> Option<String> {
    let first = text.split('/').next().unwrap_or_default();
    first.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase())
}

/// Takes the path out of `file:///path` or `file://localhost/path`.
fn file_url_path(text: &str) -> Result<String, &'static str> {
    let (_, rest) = text.split_once(':').ok_or("it is no URL")?;
    let rest = rest.strip_prefix("//").ok_or("a `file` URL begins with `file:///`")?;
    let slash = rest.find('/').ok_or("a `file` URL begins with `file:///`")?;
    let (host, path) = rest.split_at(slash);
    if !host.is_empty() && !host.eq_ignore_ascii_case("localhost") {
        return Err("a `file` URL names no other host");
    }
    if path.contains(['?', '#']) {
        return Err("`?` and `#` are written `%3F` and `%23` in a URL");
    }
    percent_decoded(path)
}

fn percent_decoded(text: &str) -> Result<String, &'static str> {
    const WRONG: &str = "`%` in a URL is followed by two hexadecimal digits";
    let digit = |c: Option<u8>| c.and_then(|c| char::from(c).to_digit(16)).ok_or(WRONG);
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let value = digit(bytes.next())? * 16 + digit(bytes.next())?;
            out.push(u8::try_from(value).map_err(|_| WRONG)?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).map_err(|_| "it is not UTF-8")
}

/// Resolves `.` and `..` by text alone; `None` if `path` is relative.
fn normal(path: &Path) -> Option<PathBuf> {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => out.push(part),
        }
    }
    out.is_absolute().then_some(out)
}

/// Resolves the links of as much of `path` as exists; `None` if a link leads nowhere.
fn resolved(path: &Path) -> Option<PathBuf> {
    for existing in path.ancestors() {
        if let Ok(real) = existing.canonicalize() {
            let rest = path.strip_prefix(existing).ok()?;
            return Some(if rest.as_os_str().is_empty() { real } else { real.join(rest) });
        }
        // A link that cannot be followed now may be followable later, and lead anywhere.
        if existing.symlink_metadata().is_ok() {
            return None;
        }
    }
    None
}

/// Makes a text fit to be shown: no secrets, no control characters, not long.
fn redact(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        // No folder has a colon in its first segment, so there may be a password behind it.
        let hidden = scheme(text).and_then(|_| text.rsplit_once('@'));
        return hidden.map_or_else(|| shown(text), |(_, host)| shown(&format!("***@{host}")));
    };
    let rest =
        if rest.starts_with('/') { rest.rsplit('@').next().unwrap_or_default() } else { rest };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = host.rsplit('@').next().unwrap_or_default();
    shown(&format!("{scheme}://{host}{path}"))
}

fn shown(text: &str) -> String {
    let text: String = text.chars().take(200).collect();
    text.escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<RemoteSpec, SpecError> {
        RemoteSpec::parse(text, Path::new("/home/ann/repo"), Access::default())
    }

    fn text(input: &str) -> String {
        parse(input).unwrap().text().to_owned()
    }

    #[test]
    fn what_may_be_a_password_is_not_shown() {
        for address in
            ["file:u:s3cret@h", "sftp:///u:s3cret@h", "sftp://u:s3cret@h/p", "u:s3cret@h"]
        {
            let error = parse(address).unwrap_err().to_string();
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn one_folder_has_one_text() {
        for same in ["/srv/data", "/srv//data/", "/srv/./x/../data", "file:///srv/data"] {
            assert_eq!(text(same), "/srv/data", "{same}");
        }
        assert_eq!(text("FILE://localhost/srv/%64ata/"), "/srv/data");
        assert_eq!(text("../shared"), "/home/ann/shared");
        assert_eq!(text("."), "/home/ann/repo");
        assert_eq!(text("/../../x"), "/x");
        assert_eq!(text("./a:b"), "/home/ann/repo/a:b");
        assert_eq!(text("file:///a%20b%25"), "/a b%");
    }

    #[test]
    fn other_storage_is_recognised_and_its_secrets_are_not_shown() {
        let error = parse("webdav://ann:hunter2@example.org/a?sig=hunter2#hunter2").unwrap_err();
        assert_eq!(error, SpecError::NotBuilt { remote: "webdav://example.org/a".into() });
        assert!(error.hint().is_some());
        let error = parse("https://ann:hunter2@example.org/a?sig=hunter2").unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }

    #[test]
    fn a_folder_takes_no_settings() {
        let access = Access { region: Some("x".into()), ..Access::default() };
        assert!(RemoteSpec::parse("data", Path::new("/home"), access).is_err());
    }

    #[test]
    fn what_runs_programs_elsewhere_is_refused() {
        for odd in
            ["ext::sh -c touch", "foo://-oProxyCommand=x/y", "fd::7", "ann@host:path", ":", "s3:x"]
        {
            let error = parse(odd).unwrap_err();
            assert!(matches!(error, SpecError::UnknownScheme { .. }), "{odd}: {error}");
        }
    }

    #[test]
    fn texts_that_name_no_folder_are_refused() {
        let long = "x".repeat(MAX_TEXT + 1);
        let odd = ["", "~/data", "a\nb", "file:x", "file://h/x", "file:///%zz", "file:///%00"];
        for odd in odd.into_iter().chain(["file:///%ff", "file:///a?b", long.as_str()]) {
            assert!(matches!(parse(odd), Err(SpecError::Invalid { .. })), "{odd}");
        }
        assert!(RemoteSpec::parse("x", Path::new("relative"), Access::default()).is_err());
    }

    #[test]
    fn a_link_out_of_the_worktree_is_not_inside_it() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("repo");
        std::fs::create_dir_all(root.join("sub")).unwrap();
        std::os::unix::fs::symlink(dir.path(), root.join("out")).unwrap();
        std::os::unix::fs::symlink("nowhere", root.join("dangling")).unwrap();
        let inside = |text: &str| {
            RemoteSpec::parse(text, &root, Access::default()).unwrap().is_inside(&root)
        };
        assert!(inside("sub") && inside("sub/new/deep") && inside("."));
        assert!(!inside("..") && !inside("out") && !inside("out/new"));
        assert!(!inside("dangling") && !inside("dangling/x"));
        assert!(!inside(".git/hooks") && !inside("sub/.GIT"));
        assert!(inside("out/repo/sub"));
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_has_a_stable_normal_form(input in "\\PC{0,40}|[a/.:%~-]{0,20}") {
            if let Ok(spec) = parse(&input) {
                prop_assert!(spec.folder().is_none_or(Path::is_absolute));
                let again = RemoteSpec::parse(spec.text(), Path::new("/elsewhere"), Access::default()).unwrap();
                prop_assert_eq!(again, spec);
            }
        }
    }
}
