//! Paths as users give them: relative to the current folder, possibly globs, possibly inside a
//! tracked directory.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};

use globset::{GlobBuilder, GlobMatcher};

use crate::fs::FileKind;
use crate::hint::nearest;
use crate::ops::error::OpError;
use crate::path::{RepoPath, show};
use crate::repo::Repo;

/// Which pointers and which of their paths a verb is about, and of which revision.
#[derive(Clone, Debug, Default)]
pub struct Select {
    /// Paths or globs, relative to the current folder; none means everything.
    pub paths: Vec<OsString>,
    /// A revision; the pointers in the worktree if absent.
    pub rev: Option<String>,
    /// The pointers of every branch and tag.
    pub all: bool,
    /// A view of the settings, that the paths are cut down to.
    pub view: Option<String>,
}

impl Select {
    /// Says whether nothing of the revision is left out.
    pub(crate) fn is_whole(&self) -> bool {
        self.paths.is_empty() && self.view.is_none()
    }
}

/// Turns an argument into a path of the repository; nothing is looked up.
pub(crate) fn resolve(repo: &Repo, argument: &OsStr) -> Result<RepoPath, OpError> {
    match resolve_or_root(repo, argument)? {
        Some(path) => Ok(path),
        None => Err(OpError::refused(
            format!("`{}` is the repository itself", show(argument.as_bytes())),
            "name files or folders inside it",
        )),
    }
}

/// As [`resolve`]; nothing stands for the root of the worktree.
pub(crate) fn resolve_or_root(repo: &Repo, argument: &OsStr) -> Result<Option<RepoPath>, OpError> {
    let outside = || {
        OpError::refused(
            format!("`{}` lies outside the repository", show(argument.as_bytes())),
            "name a path inside the worktree",
        )
    };
    let mut parts: Vec<&OsStr> = Vec::new();
    let whole = repo.cwd().join(Path::new(argument));
    for part in whole.components() {
        match part {
            Component::Normal(name) => parts.push(name),
            Component::ParentDir => {
                parts.pop().ok_or_else(outside)?;
            }
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    let absolute: std::path::PathBuf = [OsStr::new("/")].into_iter().chain(parts).collect();
    let relative = below_root(repo, &absolute).ok_or_else(outside)?;
    if relative.as_os_str().is_empty() {
        return Ok(None);
    }
    Ok(Some(RepoPath::new(relative.as_os_str().as_bytes())?))
}

/// Returns the rest of an absolute path below the worktree root, which may be named through links
/// outside of it; links inside are never followed.
fn below_root<'p>(repo: &Repo, absolute: &'p Path) -> Option<&'p Path> {
    let root = repo.git().root();
    if let Ok(rest) = absolute.strip_prefix(root) {
        return Some(rest);
    }
    let top = absolute.ancestors().find(|above| above.canonicalize().is_ok_and(|a| a == root))?;
    absolute.strip_prefix(top).ok()
}

/// Says which tracked path may be meant by one that is not tracked.
pub(crate) fn meant<'p>(
    path: &RepoPath,
    tracked: impl Iterator<Item = &'p RepoPath>,
) -> Option<String> {
    let text = str::from_utf8(path.as_bytes()).ok()?;
    // What lies inside a tracked folder is near if the folder is.
    let with_rest = |tracked: &RepoPath| {
        let tracked = str::from_utf8(tracked.as_bytes()).ok()?;
        let rest = text.split('/').skip(tracked.split('/').count());
        Some(std::iter::once(tracked).chain(rest).collect::<Vec<_>>().join("/"))
    };
    let found = nearest(text, tracked.filter_map(with_rest))?;
    Some(format!("did you mean `{}`?", show(found.as_bytes())))
}

/// Says whether a path holds characters that mean something in a glob.
pub(crate) fn is_glob(path: &[u8]) -> bool {
    path.iter().any(|b| matches!(b, b'*' | b'?' | b'[' | b'{'))
}

pub(crate) fn compile(pattern: &[u8]) -> Result<GlobMatcher, OpError> {
    let bad = |why: String| {
        OpError::refused(
            format!("`{}` is not a usable pattern: {why}", show(pattern)),
            "quote the pattern, or name the paths",
        )
    };
    let text = std::str::from_utf8(pattern).map_err(|e| bad(e.to_string()))?;
    let glob = GlobBuilder::new(text).literal_separator(true).build();
    Ok(glob.map_err(|e| bad(e.kind().to_string()))?.compile_matcher())
}

/// Finds worktree paths that a glob matches; what lies below a match is not looked at.
pub(crate) fn glob_matches(repo: &Repo, pattern: &RepoPath) -> Result<Vec<RepoPath>, OpError> {
    let matcher = compile(pattern.as_bytes())?;
    let fixed: Vec<&[u8]> = pattern.parts().take_while(|part| !is_glob(part)).collect();
    let depth = pattern.parts().count();
    let deep = pattern.parts().any(|part| part == b"**");
    let mut pending = vec![fixed.join(&b'/')];
    let mut out = Vec::new();
    while let Some(folder) = pending.pop() {
        let dir = match repo.door().root().descend(&folder) {
            Ok(dir) => dir,
            Err(e) if e.is_missing() => continue,
            Err(e) => return Err(e.into()),
        };
        for entry in dir.entries()? {
            let mut path = folder.clone();
            if !path.is_empty() {
                path.push(b'/');
            }
            path.extend(&entry.name);
            // Names that are never tracked are not what a pattern means.
            let Ok(path) = RepoPath::new(&path) else { continue };
            if matcher.is_match(path.to_os()) {
                out.push(path);
            } else if entry.kind == Some(FileKind::Directory)
                && (deep || path.parts().count() < depth)
            {
                pending.push(path.as_bytes().to_vec());
            }
        }
    }
    Ok(out)
}
