//! Lines of `.gitattributes` that hand files to haul: reading, adding and removing them.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::git::{filter_pattern, stays_in_git};
use crate::ops::error::OpError;
use crate::ops::init::write;
use crate::ops::select::{is_glob, resolve};
use crate::path::{RepoPath, show};
use crate::repo::Repo;

/// The longest file of attributes that is edited, in bytes.
pub(super) const LIMIT: u64 = 16 << 20;
/// What a line says of its pattern.
const WORDS: &str = "filter=haul merge=haul -text";
/// The file that is edited: one for the whole repository.
pub(super) const FILE: &str = ".gitattributes";

/// A line that hands files to haul.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    /// The pattern, without quotes.
    pub(crate) pattern: Vec<u8>,
    /// The line as it stands.
    line: Vec<u8>,
}

/// Reads the file that is edited.
pub(super) fn read(repo: &Repo) -> Result<Vec<u8>, OpError> {
    let file = RepoPath::new_settings_file(FILE.as_bytes());
    let text = repo.door().read_small(&file, LIMIT)?.unwrap_or_default();
    if text.len() as u64 > LIMIT {
        return Err(OpError::refused(
            "`.gitattributes` is too long to be edited",
            format!("add lines such as `*.bin {WORDS}` to it yourself"),
        ));
    }
    Ok(text)
}

/// Lists the lines of `.gitattributes` at the root that hand files to haul.
pub(super) fn rules(repo: &Repo) -> Result<Vec<Rule>, OpError> {
    let text = read(repo)?;
    Ok(text.split(|byte| *byte == b'\n').filter_map(rule_of).collect())
}

fn rule_of(line: &[u8]) -> Option<Rule> {
    filter_pattern(line).map(|pattern| Rule { pattern, line: line.to_vec() })
}

/// Writes a pattern as Git reads it back.
fn quoted(pattern: &[u8]) -> String {
    let plain = |byte: &u8| byte.is_ascii_graphic() && *byte != b'"';
    if pattern.iter().all(plain) && !pattern.starts_with(b"#") {
        return String::from_utf8_lossy(pattern).into_owned();
    }
    let mut out = String::from("\"");
    for byte in pattern {
        match byte {
            b'"' | b'\\' => out.extend(['\\', char::from(*byte)]),
            b' '..=b'~' => out.push(char::from(*byte)),
            other => {
                let (high, middle, low) = (other >> 6, other >> 3 & 7, other & 7);
                out.push('\\');
                out.extend([high, middle, low].map(|digit| char::from(b'0' + digit)));
            }
        }
    }
    out.push('"');
    out
}

/// Turns what a user typed into a pattern from the root: a file or folder that is there means itself,
/// anything else is a pattern as in `.gitattributes` of the current folder.
pub(super) fn pattern_of(repo: &Repo, word: &OsStr) -> Result<Vec<u8>, OpError> {
    let bytes = word.as_bytes();
    if !is_glob(bytes) || repo.cwd().join(word).symlink_metadata().is_ok() {
        let path = resolve(repo, OsStr::from_bytes(bytes.strip_suffix(b"/").unwrap_or(bytes)))?;
        let stamp = repo.door().stamp(&path)?;
        if let Some(stamp) = stamp {
            return Ok(literal(&path, stamp.kind == crate::fs::FileKind::Directory));
        }
        if bytes.contains(&b'/') || path.pointer_path().is_ok_and(|p| is_there(repo, &p)) {
            return Ok(literal(&path, bytes.ends_with(b"/")));
        }
    }
    if bytes.starts_with(b"!") || bytes.starts_with(b"[attr]") || bytes.is_empty() {
        return Err(OpError::refused(
            format!("`{}` is no pattern that Git allows in `.gitattributes`", show(bytes)),
            "name files, or use a pattern such as `*.bin`",
        ));
    }
    if bytes.ends_with(b"/") {
        return Err(OpError::refused(
            format!("`{0}` would match nothing: Git gives no attributes to folders", show(bytes)),
            format!("use `{}**` for all in them", show(bytes)),
        ));
    }
    let below = repo.cwd().strip_prefix(repo.git().root()).unwrap_or(std::path::Path::new(""));
    if below.as_os_str().is_empty() {
        return Ok(bytes.to_vec());
    }
    let folder = literal(&RepoPath::new(below.as_os_str().as_bytes())?, false);
    let rest = bytes.strip_prefix(b"/").unwrap_or(bytes);
    let middle: &[u8] = if bytes.contains(&b'/') { b"/" } else { b"/**/" };
    Ok([folder.as_slice(), middle, rest].concat())
}

fn is_there(repo: &Repo, path: &RepoPath) -> bool {
    repo.door().stamp(path).is_ok_and(|stamp| stamp.is_some())
}

/// The pattern of one path, or of all that a folder holds.
pub(super) fn literal(path: &RepoPath, is_folder: bool) -> Vec<u8> {
    let mut out = vec![b'/'];
    for byte in path.as_bytes() {
        if matches!(byte, b'*' | b'?' | b'[' | b'\\') {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    if is_folder {
        out.extend(b"/**");
    }
    out
}

/// Returns those patterns that have no line, each once. Refuses one that names what stays in Git.
pub(super) fn new_of(repo: &Repo, patterns: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, OpError> {
    let own = |pattern: &&Vec<u8>| stays_in_git(pattern.strip_prefix(b"/").unwrap_or(pattern));
    if let Some(own) = patterns.iter().find(own) {
        return Err(OpError::refused(
            format!("nothing was changed: what `{}` names stays in Git in any case", show(own)),
            "use a pattern for data, such as `*.bin` or `data/**`",
        ));
    }
    let known = rules(repo)?;
    let mut new: Vec<Vec<u8>> = Vec::new();
    for pattern in patterns {
        if known.iter().all(|rule| rule.pattern != *pattern) && !new.contains(pattern) {
            new.push(pattern.clone());
        }
    }
    Ok(new)
}

/// Returns a file of attributes with lines for patterns at its end, where they win over those before.
pub(super) fn with_lines(old: &[u8], patterns: &[Vec<u8>]) -> Vec<u8> {
    let mut text = old.to_vec();
    if !text.is_empty() && !text.ends_with(b"\n") {
        text.push(b'\n');
    }
    text.extend(
        patterns.iter().flat_map(|pattern| format!("{} {WORDS}\n", quoted(pattern)).into_bytes()),
    );
    text
}

/// Lines that were added, and not staged yet.
pub(super) struct Addition {
    old: Vec<u8>,
    new: Vec<Vec<u8>>,
}

impl Addition {
    /// Adds lines for patterns that have none.
    pub(super) fn write(repo: &Repo, patterns: &[Vec<u8>]) -> Result<Self, OpError> {
        let (old, new) = (read(repo)?, new_of(repo, patterns)?);
        if !new.is_empty() {
            write(repo, FILE, &with_lines(&old, &new))?;
        }
        Ok(Self { old, new })
    }

    /// Takes them away.
    pub(super) fn undo(&self, repo: &Repo) -> Result<(), OpError> {
        if self.new.is_empty() { Ok(()) } else { write(repo, FILE, &self.old) }
    }

    /// Stages the file; returns the new patterns.
    pub(super) fn stage(self, repo: &Repo) -> Result<Vec<Vec<u8>>, OpError> {
        if !self.new.is_empty() {
            repo.git().stage(&[FILE.as_bytes()])?;
        }
        Ok(self.new)
    }
}

/// Returns a file of attributes without the lines of rules.
pub(super) fn without(text: &[u8], gone: &[Rule]) -> Vec<u8> {
    let lines = text.split_inclusive(|byte| *byte == b'\n');
    let stays = |line: &&[u8]| {
        gone.iter().all(|rule| line.strip_suffix(b"\n").unwrap_or(line) != rule.line)
    };
    lines.filter(stays).flatten().copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_read_as_it_was_written() {
        for pattern in ["*.bin", "/a b", "/a\"b", "#x", "/\\*", "/a\\\\ b", "/\u{e9}\n\t", "a#b"] {
            let line = format!("{} {WORDS}", quoted(pattern.as_bytes()));
            let rule = rule_of(line.as_bytes()).expect(&line);
            assert_eq!(rule.pattern, pattern.as_bytes(), "{line}");
        }
    }

    #[test]
    fn lines_of_others_are_no_rules() {
        for line in ["", "*.bin", "# *.bin filter=haul", "*.bin filter=lfs", "*.bin -filter", "\"x"]
        {
            assert!(rule_of(line.as_bytes()).is_none(), "{line}");
        }
    }
}
