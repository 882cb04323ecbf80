//! The rules of `.haulignore` files, which are those of Git's ignore files: the last line that matches
//! counts, a file nearer to the path counts more, and what lies in an excluded folder is excluded.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::fs::{Dir, FileKind, IoResultExt};
use crate::path::RepoPath;
use crate::worktree::door::Door;
use crate::worktree::error::WorktreeError;

/// The name of files with rules.
pub(super) const NAME: &[u8] = b".haulignore";
/// Largest file with rules, in bytes.
const LIMIT: u64 = 1 << 20;

/// The rules that hold in one folder.
#[derive(Clone, Default)]
pub(super) struct Rules(Option<Arc<Level>>);

struct Level {
    /// The folder whose file this is; empty for the root of the worktree.
    folder: Vec<u8>,
    rules: Gitignore,
    above: Rules,
}

impl Rules {
    /// Reads the rules above a path; nothing if they exclude a folder that it lies in.
    pub(super) fn above(door: &Door, path: &RepoPath) -> Result<Option<Self>, WorktreeError> {
        let mut rules = Self::default().enter(door.root(), b"")?;
        let folders: Vec<RepoPath> =
            std::iter::successors(path.parent(), RepoPath::parent).collect();
        for folder in folders.into_iter().rev() {
            if rules.excludes(folder.as_bytes(), true) {
                return Ok(None);
            }
            match door.root().descend(folder.as_bytes()) {
                Ok(dir) => rules = rules.enter(&dir, folder.as_bytes())?,
                // What is not there has no rules.
                Err(e) if e.is_missing() || e.is_link() => break,
                Err(e) => return Err(e.into()),
            }
        }
        Ok(Some(rules))
    }

    /// Adds the rules that a folder has, if it has any.
    pub(super) fn enter(&self, dir: &Dir, folder: &[u8]) -> Result<Self, WorktreeError> {
        if dir.stamp(NAME)?.is_none_or(|stamp| stamp.kind != FileKind::File) {
            return Ok(self.clone());
        }
        let (file, _) = dir.open_file(NAME)?;
        let shown = dir.path_of(NAME);
        let mut bytes = Vec::new();
        file.take(LIMIT + 1).read_to_end(&mut bytes).at("read", &shown)?;
        let refused = |why: String| WorktreeError::Rules { path: shown.clone(), why };
        if bytes.len() as u64 > LIMIT {
            return Err(refused("it is longer than 1 MiB".to_owned()));
        }
        let text = std::str::from_utf8(&bytes).map_err(|e| refused(format!("not UTF-8: {e}")))?;
        let mut builder = GitignoreBuilder::new("");
        for line in text.lines() {
            builder.add_line(None, &literal_braces(line)).map_err(|e| refused(e.to_string()))?;
        }
        let rules = builder.build().map_err(|e| refused(e.to_string()))?;
        Ok(Self(Some(Arc::new(Level { folder: folder.to_vec(), rules, above: self.clone() }))))
    }

    /// Says whether a path directly in this folder, or the folder's own path, is excluded.
    pub(super) fn excludes(&self, path: &[u8], is_dir: bool) -> bool {
        let mut next = &self.0;
        while let Some(level) = next {
            let rest = match level.folder.as_slice() {
                b"" => Some(path),
                folder => path.strip_prefix(folder).and_then(|rest| rest.strip_prefix(b"/")),
            };
            let found = rest.map(|rest| level.rules.matched(OsStr::from_bytes(rest), is_dir));
            match found {
                Some(found) if found.is_ignore() => return true,
                Some(found) if found.is_whitelist() => return false,
                Some(_) | None => next = &level.above.0,
            }
        }
        false
    }
}

/// Escapes braces, which mean something to the matcher and nothing to Git.
fn literal_braces(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let (mut escaped, mut class) = (false, None);
    for (at, character) in line.char_indices() {
        match (character, class) {
            ('[', None) if !escaped => class = Some(at),
            // Right behind the opening, or behind its negation, it is one of the class.
            (']', Some(from)) if !matches!(line.get(from..at), Some("[" | "[!" | "[^")) => {
                class = None;
            }
            ('{' | '}', None) if !escaped => out.push('\\'),
            _ => {}
        }
        escaped = character == '\\' && !escaped;
        out.push(character);
    }
    out
}

/// Paths that stay tracked whatever the rules say, because a manifest has them.
#[derive(Clone, Debug)]
pub enum Kept {
    /// These, given as whole paths.
    Some(BTreeSet<Vec<u8>>),
    /// Every path: no rule counts, and none is read.
    All,
}

impl Default for Kept {
    /// No path.
    fn default() -> Self {
        Self::Some(BTreeSet::new())
    }
}

impl Kept {
    /// Takes whole paths.
    pub fn new(paths: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Self::Some(paths.into_iter().collect())
    }

    /// Says whether the path is one of them.
    pub(super) fn has(&self, path: &[u8]) -> bool {
        match self {
            Self::Some(paths) => paths.contains(path),
            Self::All => true,
        }
    }

    /// Says whether the path is one of them, or a folder that holds one.
    pub(super) fn needs(&self, path: &[u8]) -> bool {
        let Self::Some(paths) = self else { return true };
        let below = [path, b"/"].concat();
        let holds = |next: &Vec<u8>| next.starts_with(&below);
        self.has(path) || paths.range(below.clone()..).next().is_some_and(holds)
    }
}

/// Says whether the rules of `.haulignore` files exclude a path, or a folder that it lies in.
pub fn is_excluded(door: &Door, path: &RepoPath) -> Result<bool, WorktreeError> {
    let Some(rules) = Rules::above(door, path)? else { return Ok(true) };
    let is_dir = door.stamp(path)?.is_some_and(|stamp| stamp.kind == FileKind::Directory);
    Ok(rules.excludes(path.as_bytes(), is_dir))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_are_characters_as_any_other() {
        for (line, wanted) in [
            ("{a,b}.x", r"\{a,b\}.x"),
            (r"\{a", r"\{a"),
            (r"\\{a", r"\\\{a"),
            ("[{]", "[{]"),
            ("[]{]}", r"[]{]\}"),
            ("[!]}]", "[!]}]"),
            (r"\[{", r"\[\{"),
        ] {
            assert_eq!(literal_braces(line), wanted);
        }
    }
}
