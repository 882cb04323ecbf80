//! Which storage a remote's text means. Nothing is opened, asked or run here.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Component, Path, PathBuf};

use crate::hint::Hint;

/// Longest text of a remote, in bytes.
const MAX_TEXT: usize = 4096;

/// Schemes that are understood, but not built in.
const KNOWN: [&str; 11] =
    ["s3", "s3a", "gs", "gcs", "az", "azure", "abfs", "abfss", "http", "https", "sftp"];

/// Why a text names no remote; secrets in it are never shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpecError {
    /// A kind of storage that this build has no code for.
    #[error("this build reaches folder remotes only, not `{remote}`")]
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
    /// Not the text of a folder.
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
                "use a folder, for example a mounted share: `haul remote add NAME /path`".into()
            }
            Self::UnknownScheme { .. } => {
                "write `./` before the path of a folder that has a colon in its name".into()
            }
            Self::Invalid { .. } => {
                "give the path of a folder, for example `/srv/data` or `../data`".into()
            }
        })
    }
}

/// Storage by its address: for now a folder, absolute and in normal form.
///
/// Two specs are equal if they mean the same address; that text is what a user accepts. Links are
/// not resolved for that, since where they lead may change.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RemoteSpec {
    folder: PathBuf,
    text: String,
}

impl RemoteSpec {
    /// Reads `text`: a path, relative to the absolute folder `base`, or a `file:///` URL.
    ///
    /// `.`, `..`, double and trailing slashes are resolved by text alone.
    pub fn parse(text: &str, base: &Path) -> Result<Self, SpecError> {
        let invalid = |why| SpecError::Invalid { remote: redact(text), why };
        if text.is_empty() {
            return Err(invalid("it is empty"));
        }
        if text.len() > MAX_TEXT {
            return Err(invalid("it is longer than 4096 bytes"));
        }
        let path = match scheme(text) {
            None => text.to_owned(),
            Some(scheme) if scheme == "file" => file_url_path(text).map_err(invalid)?,
            Some(scheme) if KNOWN.contains(&scheme.as_str()) && text.contains("://") => {
                return Err(SpecError::NotBuilt { remote: redact(text) });
            }
            Some(scheme) => return Err(SpecError::UnknownScheme { scheme: shown(&scheme) }),
        };
        if path.chars().any(char::is_control) {
            return Err(invalid("it has control characters"));
        }
        if path == "~" || path.starts_with("~/") {
            return Err(invalid("`~` is not replaced here"));
        }
        let folder = normal(&base.join(path)).ok_or_else(|| invalid("its base is not absolute"))?;
        let text = folder.to_str().ok_or_else(|| invalid("it is not UTF-8"))?.to_owned();
        Ok(Self { folder, text })
    }

    /// Returns the normal form: what equality and acceptance compare.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the absolute path of the folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns true if the folder lies in the worktree `root`, or is it, wherever links lead.
    ///
    /// Reads the file system. False in doubt, and false below any `.git`: what a repository says
    /// must not make haul write there.
    pub fn is_inside(&self, root: &Path) -> bool {
        let (Some(folder), Some(root)) = (resolved(&self.folder), resolved(root)) else {
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
        RemoteSpec::parse(text, Path::new("/home/ann/repo"))
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
        let error = parse("https://ann:hunter2@example.org/a?sig=hunter2#hunter2").unwrap_err();
        assert_eq!(error, SpecError::NotBuilt { remote: "https://example.org/a".into() });
        assert!(error.to_string().starts_with("this build reaches folder remotes only"));
        assert!(error.hint().is_some());
        for other in ["s3://b/p", "gs://b", "AZ://c", "http://h", "sftp://h/p"] {
            assert!(matches!(parse(other), Err(SpecError::NotBuilt { .. })), "{other}");
        }
    }

    #[test]
    fn what_runs_programs_elsewhere_is_refused() {
        for odd in ["ext::sh -c touch", "ssh://-oProxyCommand=x/y", "fd::7", "ann@host:path", ":"] {
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
        assert!(RemoteSpec::parse("x", Path::new("relative")).is_err());
    }

    #[test]
    fn a_link_out_of_the_worktree_is_not_inside_it() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("repo");
        std::fs::create_dir_all(root.join("sub")).unwrap();
        std::os::unix::fs::symlink(dir.path(), root.join("out")).unwrap();
        std::os::unix::fs::symlink("nowhere", root.join("dangling")).unwrap();
        let inside = |text: &str| RemoteSpec::parse(text, &root).unwrap().is_inside(&root);
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
                prop_assert!(spec.folder().is_absolute());
                let again = RemoteSpec::parse(spec.text(), Path::new("/elsewhere")).unwrap();
                prop_assert_eq!(again, spec);
            }
        }
    }
}
