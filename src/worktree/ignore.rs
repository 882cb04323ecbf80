//! The rules of `.haulignore` files, which are those of Git's ignore files: the last line that matches
//! counts, a file nearer to the path counts more, and what lies in an excluded folder is excluded.
//!
//! A pulled folder may hold such files, so what they can cost is bounded: they are kept as they are, and
//! together have a limit, above which they are refused by name.

use std::collections::BTreeSet;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::fs::{Dir, FileKind, IoResultExt};
use crate::path::RepoPath;
use crate::worktree::door::Door;
use crate::worktree::error::WorktreeError;
use crate::worktree::wildcards::{matches, plain_len};

/// The name of files with rules.
pub(super) const NAME: &[u8] = b".haulignore";
/// Largest file with rules, in bytes.
const LARGEST: u64 = 64 << 10;
/// Most bytes of rules that may hold for one path, from all folders above it.
const FOR_ONE_PATH: u64 = 128 << 10;
/// Most bytes of rules of all folders that are looked at together. In memory a line may take up to nine
/// times of itself.
const TOGETHER: u64 = 8 << 20;

/// The rules that hold in one folder.
#[derive(Clone, Default)]
pub(super) struct Rules {
    nearest: Option<Arc<Level>>,
    /// Bytes of all files that were read since the rules above.
    read: Arc<AtomicU64>,
}

/// One file with rules.
struct Level {
    /// The folder whose file this is; empty for the root of the worktree.
    folder: Vec<u8>,
    text: Vec<u8>,
    lines: Vec<Line>,
    above: Option<Arc<Level>>,
    /// Bytes of this file and of all above it.
    bytes: u64,
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
                // What is not there has no rules, and may be excluded.
                Err(e) if e.is_missing() || e.is_link() => {}
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
        let mut text = Vec::new();
        file.take(LARGEST + 1).read_to_end(&mut text).at("read", &shown)?;
        let refused =
            |why: &str| Err(WorktreeError::Rules { path: shown.clone(), why: why.to_owned() });
        let own = text.len() as u64;
        let bytes = own + self.nearest.as_ref().map_or(0, |above| above.bytes);
        if own > LARGEST {
            return refused("it is longer than 64 KiB");
        }
        if bytes > FOR_ONE_PATH {
            return refused("with those of the folders above they are longer than 128 KiB");
        }
        if self.read.fetch_add(own, Ordering::Relaxed) + own > TOGETHER {
            return refused("with those of the folders around they are longer than 8 MiB");
        }
        let (folder, above, lines) = (folder.to_vec(), self.nearest.clone(), lines(&text));
        let level = Level { folder, text, lines, above, bytes };
        Ok(Self { nearest: Some(Arc::new(level)), read: Arc::clone(&self.read) })
    }

    /// Says whether a path directly in this folder, or the folder's own path, is excluded.
    pub(super) fn excludes(&self, path: &[u8], is_dir: bool) -> bool {
        let mut next = &self.nearest;
        while let Some(level) = next {
            let rest = match level.folder.as_slice() {
                b"" => Some(path),
                folder => path.strip_prefix(folder).and_then(|rest| rest.strip_prefix(b"/")),
            };
            match rest.and_then(|rest| level.last(rest, is_dir)) {
                Some(line) => return !line.takes_back,
                None => next = &level.above,
            }
        }
        false
    }
}

impl Level {
    /// Finds the last line that matches a path below the folder.
    fn last(&self, path: &[u8], is_dir: bool) -> Option<&Line> {
        let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
        let fits = |line: &&Line| {
            let pattern = self.text.get(line.start as usize..line.end as usize);
            let pattern = pattern.unwrap_or_default();
            (is_dir || !line.folders_only)
                && if line.is_path { fits_path(pattern, path) } else { fits_name(pattern, name) }
        };
        self.lines.iter().rev().find(fits)
    }
}

/// One line of a file that says something.
struct Line {
    /// Where its pattern lies in the text, without what the others here tell.
    start: u32,
    end: u32,
    /// Whether it began with `!`.
    takes_back: bool,
    /// Whether it ended with `/`.
    folders_only: bool,
    /// Whether a slash is left in it: then it is about whole paths, and else about names.
    is_path: bool,
}

/// Cuts a file into lines. There is none that is wrong: what Git cannot make sense of matches nothing.
fn lines(text: &[u8]) -> Vec<Line> {
    let mut out = Vec::new();
    let mut next = if text.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    while let Some(rest) = text.get(next..).filter(|rest| !rest.is_empty()) {
        let line = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let mut start = next;
        next += line.len() + 1;
        if line.starts_with(b"#") {
            continue;
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = line.split(|byte| *byte == 0).next().unwrap_or_default();
        let mut pattern = without_blanks(line);
        let takes_back = pattern.starts_with(b"!");
        if let Some(rest) = pattern.strip_prefix(b"!") {
            (pattern, start) = (rest, start + 1);
        }
        let folders_only = pattern.ends_with(b"/");
        pattern = pattern.strip_suffix(b"/").unwrap_or(pattern);
        let is_path = pattern.contains(&b'/');
        if let Some(rest) = pattern.strip_prefix(b"/") {
            (pattern, start) = (rest, start + 1);
        }
        // A file is never long enough for these to fail.
        if let (Ok(start), Ok(end), false) =
            (u32::try_from(start), u32::try_from(start + pattern.len()), pattern.is_empty())
        {
            out.push(Line { start, end, takes_back, folders_only, is_path });
        }
    }
    out
}

/// Cuts off blanks at the end that no `\` stands before.
fn without_blanks(line: &[u8]) -> &[u8] {
    let (mut end, mut bytes) = (0, line.iter().enumerate());
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b' ' => {}
            b'\\' if bytes.next().is_none() => return line,
            b'\\' => end = at + 2,
            _ => end = at + 1,
        }
    }
    line.get(..end).unwrap_or(line)
}

fn fits_name(pattern: &[u8], name: &[u8]) -> bool {
    match pattern.split_first() {
        Some((b'*', end)) if plain_len(end) == end.len() => name.ends_with(end),
        _ if plain_len(pattern) == pattern.len() => pattern == name,
        _ => matches(pattern, name),
    }
}

/// What stands before the first wildcard is compared first, and the rest is matched as if it began there.
fn fits_path(pattern: &[u8], path: &[u8]) -> bool {
    let (plain, wild) = pattern.split_at(plain_len(pattern).min(pattern.len()));
    path.strip_prefix(plain).is_some_and(|rest| match wild {
        [] => rest.is_empty(),
        _ => matches(wild, rest),
    })
}

/// Which files with rules count below a folder that is looked at.
#[derive(Clone, Copy, Debug)]
pub enum RulesBelow<'d> {
    /// Those that lie there.
    Standing,
    /// Those of the folder that is about to take its place, or of none if that is a file, and of those that lie
    /// there the ones that are not kept.
    Coming(Option<&'d Dir>),
}

impl RulesBelow<'_> {
    /// Adds the rules of a folder whose path below the one that is looked at is `rest`.
    pub(super) fn enter(
        self,
        above: &Rules,
        (dir, folder): (&Dir, &[u8]),
        rest: &[u8],
        kept: &Kept,
    ) -> Result<Rules, WorktreeError> {
        let Self::Coming(coming) = self else { return above.enter(dir, folder) };
        match coming.map(|coming| coming.descend(rest)) {
            Some(Ok(new)) if new.stamp(NAME)?.is_some() => return above.enter(&new, folder),
            Some(Err(e)) if !e.is_missing() && !e.is_no_folder() && !e.is_link() => {
                return Err(e.into());
            }
            Some(Ok(_) | Err(_)) | None => {}
        }
        if kept.has(&[folder, b"/", NAME].concat()) {
            return Ok(above.clone());
        }
        above.enter(dir, folder)
    }
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
    let is_dir = door.stamp(path)?.is_some_and(|stamp| stamp.kind == FileKind::Directory);
    is_excluded_as(door, path, is_dir)
}

/// As [`is_excluded`], of what is not there yet: a folder, or something else.
pub fn is_excluded_as(door: &Door, path: &RepoPath, is_dir: bool) -> Result<bool, WorktreeError> {
    let Some(rules) = Rules::above(door, path)? else { return Ok(true) };
    Ok(rules.excludes(path.as_bytes(), is_dir))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_as_git_cuts_it() {
        for (line, wanted) in [
            ("a  ", Some("a")),
            ("a\\  ", Some("a\\ ")),
            ("a\t", Some("a\t")),
            ("a \\", Some("a \\")),
            ("a\r", Some("a")),
            ("!/a/", Some("a")),
            ("\u{feff}a", Some("a")),
            ("a\0b", Some("a")),
            ("#a", None),
            ("/", None),
            ("!", None),
            ("  ", None),
        ] {
            let found = lines(line.as_bytes()).first().map(|l| (l.start as usize, l.end as usize));
            assert_eq!(found.and_then(|(start, end)| line.get(start..end)), wanted, "{line:?}");
        }
    }
}
