//! The two small texts of a remote: `format` and `repos/<id>`.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::hash::Digest;
use crate::hash::RemoteId;
use crate::hash::RepoId;

use super::error::TextError;

const MAX_LEN: usize = 4096;
const MAX_VALUE: usize = 1000;
const MAX_KEY: usize = 32;
/// The key whose value proves all others.
const CHECK: &str = "check";

/// What `format` says: which remote this is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteFormat {
    /// The identity of the remote.
    pub id: RemoteId,
    /// Keys that this build does not know, kept.
    pub other: BTreeMap<String, String>,
    /// Whether the text has a check of itself; those of early versions have none.
    checked: bool,
}

/// What `repos/<id>` says: a repository that keeps its data on this remote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The identity of the repository.
    pub id: RepoId,
    /// Where its Git repository may be found; a hint.
    pub url: Option<String>,
    /// Keys that this build does not know, kept.
    pub other: BTreeMap<String, String>,
}

impl RemoteFormat {
    const KIND: &str = "haul-remote";

    /// Makes the text of a new remote.
    pub fn new(id: RemoteId) -> Self {
        Self { id, other: BTreeMap::new(), checked: true }
    }

    /// Reads the text; exactly one form is accepted.
    pub fn parse(bytes: &[u8]) -> Result<Self, TextError> {
        let mut other = parse(Self::KIND, bytes)?;
        let said = other.remove(CHECK);
        let checked = said.is_some();
        if said.is_some_and(|said| check(Self::KIND, &other).as_ref() != Ok(&said)) {
            return Err(malformed(Self::KIND, "its lines are not what `check` says"));
        }
        let id = other.remove("id").and_then(|id| id.parse().ok());
        let id = id.ok_or(malformed(Self::KIND, "it has no valid `id`"))?;
        Ok(Self { id, other, checked })
    }

    /// Says whether it was such a text once, of whatever version and in whatever state.
    pub fn resembles(bytes: &[u8]) -> bool {
        bytes.starts_with(Self::KIND.as_bytes())
    }

    /// Writes the text; fails if a key or value has another form than is allowed.
    pub fn print(&self) -> Result<String, TextError> {
        let mut keys = self.other.clone();
        keys.insert("id".into(), self.id.to_string());
        if self.checked {
            keys.insert(CHECK.into(), check(Self::KIND, &keys)?);
        }
        print(Self::KIND, &keys)
    }
}

impl Registration {
    const KIND: &str = "haul-repo";

    /// Makes the text of a repository.
    pub fn new(id: RepoId, url: Option<String>) -> Self {
        Self { id, url, other: BTreeMap::new() }
    }

    /// Reads the text; exactly one form is accepted.
    pub fn parse(bytes: &[u8]) -> Result<Self, TextError> {
        let mut other = parse(Self::KIND, bytes)?;
        let id = other.remove("id").and_then(|id| id.parse().ok());
        let id = id.ok_or(malformed(Self::KIND, "it has no valid `id`"))?;
        let url = other.remove("url");
        Ok(Self { id, url, other })
    }

    /// Writes the text; fails if a key or value has another form than is allowed.
    pub fn print(&self) -> Result<String, TextError> {
        let mut keys = self.other.clone();
        keys.insert("id".into(), self.id.to_string());
        keys.extend(self.url.clone().map(|url| ("url".into(), url)));
        print(Self::KIND, &keys)
    }
}

pub(super) fn malformed(kind: &'static str, reason: &'static str) -> TextError {
    TextError::Malformed { kind, reason }
}

fn parse(kind: &'static str, bytes: &[u8]) -> Result<BTreeMap<String, String>, TextError> {
    if bytes.len() > MAX_LEN {
        return Err(malformed(kind, "it is longer than 4096 bytes"));
    }
    let text = str::from_utf8(bytes).map_err(|_| malformed(kind, "it is not UTF-8"))?;
    let body = text.strip_suffix('\n').ok_or(malformed(kind, "its last line does not end"))?;
    let mut lines = body.split('\n');
    let version = lines.next().and_then(|line| line.strip_prefix(kind)?.strip_prefix(' '));
    let version = version.ok_or(malformed(kind, "its first line is another"))?;
    if version != "1" {
        if version.is_empty() || !version.bytes().all(|b| b.is_ascii_digit()) {
            return Err(malformed(kind, "its version is not a number"));
        }
        return Err(TextError::Newer { kind, version: version.chars().take(20).collect() });
    }
    let mut keys = BTreeMap::new();
    for line in lines {
        let pair = line.split_once(' ').filter(|(key, value)| is_pair(key, value));
        let (key, value) = pair.ok_or(malformed(kind, "a line is not a key and a value"))?;
        if keys.last_key_value().is_some_and(|(last, _): (&String, _)| last.as_str() >= key) {
            return Err(malformed(kind, "its keys are not in order"));
        }
        keys.insert(key.to_owned(), value.to_owned());
    }
    Ok(keys)
}

fn print(kind: &'static str, keys: &BTreeMap<String, String>) -> Result<String, TextError> {
    let mut out = format!("{kind} 1\n");
    for (key, value) in keys {
        if !is_pair(key, value) {
            return Err(malformed(kind, "a line is not a key and a value"));
        }
        writeln!(out, "{key} {value}").map_err(|_| malformed(kind, "it cannot be written"))?;
    }
    if out.len() > MAX_LEN {
        return Err(malformed(kind, "it is longer than 4096 bytes"));
    }
    Ok(out)
}

/// Returns the first 16 digits of the hash of the text without its own check.
fn check(kind: &'static str, keys: &BTreeMap<String, String>) -> Result<String, TextError> {
    let mut hash = Digest::of(print(kind, keys)?.as_bytes()).to_string();
    hash.truncate(16);
    Ok(hash)
}

fn is_pair(key: &str, value: &str) -> bool {
    let letters = key.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    letters
        && key.starts_with(|c: char| c.is_ascii_lowercase())
        && key.len() <= MAX_KEY
        && (1..=MAX_VALUE).contains(&value.len())
        && !value.chars().any(char::is_control)
        && !value.starts_with(' ')
        && !value.ends_with(' ')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FORMAT: &str = "haul-remote 1\nid 000102030405060708090a0b0c0d0e0f\n";

    #[test]
    fn a_format_text_reads_and_prints_the_same() {
        let early = RemoteFormat::parse(FORMAT.as_bytes()).unwrap();
        assert_eq!(early.id.0[15], 15);
        assert_eq!(early.print().unwrap(), FORMAT);
        let format = RemoteFormat::new(early.id);
        let text = format.print().unwrap();
        let check = &Digest::of(FORMAT.as_bytes()).to_string()[..16];
        assert_eq!(text, FORMAT.replace("id ", &format!("check {check}\nid ")));
        assert_eq!(RemoteFormat::parse(text.as_bytes()), Ok(format));
    }

    #[test]
    fn no_other_byte_makes_another_identity_of_a_checked_text() {
        let format = RemoteFormat::new(RemoteId([7; 16]));
        let text = format.print().unwrap().into_bytes();
        for at in 0..text.len() {
            for byte in 0..=u8::MAX {
                let mut other = text.clone();
                other[at] = byte;
                if let Ok(read) = RemoteFormat::parse(&other) {
                    assert_eq!(read.id, format.id, "byte {at} is {byte}");
                }
            }
        }
    }

    #[test]
    fn a_registration_may_have_a_url_and_keeps_what_it_does_not_know() {
        let id = RepoId([7; 16]);
        let mut repo = Registration::new(id, Some("https://example.com/a b.git".into()));
        repo.other.insert("future".into(), "value".into());
        let text = repo.print().unwrap();
        assert_eq!(
            text,
            format!("haul-repo 1\nfuture value\nid {id}\nurl https://example.com/a b.git\n")
        );
        assert_eq!(Registration::parse(text.as_bytes()), Ok(repo));
        let bare = Registration::new(id, None);
        assert_eq!(Registration::parse(bare.print().unwrap().as_bytes()), Ok(bare));
    }

    #[test]
    fn a_newer_version_says_so() {
        let newer = FORMAT.replace(" 1\n", " 2\n");
        let error = RemoteFormat::parse(newer.as_bytes()).unwrap_err();
        assert!(error.to_string().contains("a newer haul is needed"));
        assert!(error.to_string().contains("version 2"));
    }

    #[test]
    fn every_other_form_is_refused() {
        let id = "id 000102030405060708090a0b0c0d0e0f";
        let cases = [
            String::new(),
            "haul-remote 1".into(),
            "haul-remote 1\n".into(),
            "haul-repo 1\n".to_owned() + id + "\n",
            format!("haul-remote 1\n{id}"),
            format!("haul-remote 1\n{id}\n\n"),
            format!("haul-remote 1\r\n{id}\r\n"),
            format!("haul-remote  1\n{id}\n"),
            format!("haul-remote one\n{id}\n"),
            format!("\u{feff}haul-remote 1\n{id}\n"),
            format!("haul-remote 1\n{}\n", id.to_uppercase()),
            format!("haul-remote 1\n{id}\n{id}\n"),
            format!("haul-remote 1\n{id}\na b\n"),
            format!("haul-remote 1\n{id} \n"),
            format!("haul-remote 1\n{id}\nkey\n"),
            format!("haul-remote 1\n{id}\nkey \n"),
            format!("haul-remote 1\n{id}\nx {}\n", "a".repeat(1001)),
        ];
        for text in cases {
            assert!(RemoteFormat::parse(text.as_bytes()).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_value_that_would_break_the_text_is_not_printed() {
        let repo = |url: &str| Registration::new(RepoId([0; 16]), Some(url.into())).print();
        for url in ["", " a", "a ", "a\nb", "a\u{0}b"] {
            assert!(repo(url).is_err(), "{url:?}");
        }
        assert!(repo("a").is_ok());
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_prints_the_same(
            key in "[a-z0-9 -]{0,4}", value in "[ -~\n\t]{0,6}", tail in "[a-z \n]{0,4}"
        ) {
            let text = format!("{FORMAT}{key} {value}\n{tail}");
            if let Ok(format) = RemoteFormat::parse(text.as_bytes()) {
                prop_assert_eq!(format.print().unwrap(), text);
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(RemoteFormat::parse(&bytes).is_err());
            prop_assert!(Registration::parse(&bytes).is_err());
        }
    }
}
