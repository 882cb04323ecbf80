//! Paths as users give them: relative to the current folder, possibly globs, possibly inside a
//! tracked directory.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};

use globset::{GlobBuilder, GlobMatcher};

use crate::config::nearest;
use crate::fs::FileKind;
use crate::ops::error::OpError;
use crate::path::{RepoPath, show};
use crate::progress::Job;
use crate::repo::Repo;
use crate::transfer::{Choice, Filter};
use crate::worktree::RefusedPointer;

/// Which pointers and which of their paths a verb is about, and of which revision.
#[derive(Clone, Debug, Default)]
pub struct Select {
    /// Paths or globs, relative to the current folder; none means everything.
    pub paths: Vec<OsString>,
    /// A revision; the pointers in the worktree if absent.
    pub rev: Option<String>,
    /// The pointers of every branch and tag.
    pub all: bool,
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
    let text = |path: &RepoPath| str::from_utf8(path.as_bytes()).map(str::to_owned).ok();
    let found = nearest(&text(path)?, tracked.filter_map(text))?;
    Some(format!("did you mean `{}`?", show(found.as_bytes())))
}

/// Says whether a path holds characters that mean something in a glob.
pub(crate) fn is_glob(path: &[u8]) -> bool {
    path.iter().any(|b| matches!(b, b'*' | b'?' | b'[' | b'{'))
}

fn compile(pattern: &[u8]) -> Result<GlobMatcher, OpError> {
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

/// The arguments of one run, matched against tracked paths.
pub(crate) struct Selection {
    rules: Vec<(Rule, OsString, bool)>,
    /// The tracked paths that were matched against them.
    seen: Vec<RepoPath>,
}

enum Rule {
    Everything,
    Under(RepoPath),
    Glob(RepoPath, GlobMatcher),
}

impl Selection {
    /// Compiles the arguments; none selects everything.
    pub(crate) fn new(repo: &Repo, arguments: &[OsString]) -> Result<Self, OpError> {
        let mut rules = Vec::new();
        for argument in arguments {
            let rule = match resolve_or_root(repo, argument)? {
                None => Rule::Everything,
                Some(path) if is_glob(path.as_bytes()) => {
                    let matcher = compile(path.as_bytes())?;
                    Rule::Glob(path, matcher)
                }
                Some(path) => Rule::Under(path.target_of_pointer().unwrap_or(path)),
            };
            rules.push((rule, argument.clone(), false));
        }
        Ok(Self { rules, seen: Vec::new() })
    }

    /// Says which part of the tracked `path` is selected; nothing if none is.
    pub(crate) fn filter(&mut self, path: &RepoPath) -> Option<Filter> {
        if self.rules.is_empty() {
            return Some(Filter::All);
        }
        self.seen.push(path.clone());
        let mut choices = Vec::new();
        let mut all = false;
        for (rule, _, used) in &mut self.rules {
            let choice = match rule {
                Rule::Everything => Some(None),
                Rule::Under(top) if top == path || path.starts_with_dir(top) => Some(None),
                Rule::Under(top) => {
                    top.relative_to(path).map(|rest| Some(Choice::Under(rest.as_bytes().to_vec())))
                }
                Rule::Glob(..) if glob_covers(rule, path) => Some(None),
                Rule::Glob(pattern, matcher) => {
                    // Brackets and stars may simply be part of a name.
                    if let Some(rest) = pattern.relative_to(path) {
                        *used = true;
                        choices.push(Choice::Under(rest.as_bytes().to_vec()));
                    }
                    glob_prefix_meets(pattern, path).then(|| {
                        let mut prefix = path.as_bytes().to_vec();
                        prefix.push(b'/');
                        Some(Choice::Glob { prefix, matcher: matcher.clone() })
                    })
                }
            };
            match choice {
                None => {}
                Some(None) => (all, *used) = (true, true),
                Some(Some(choice)) => {
                    *used = true;
                    choices.push(choice);
                }
            }
        }
        if all {
            return Some(Filter::All);
        }
        (!choices.is_empty()).then_some(Filter::Some(choices))
    }

    /// Says whether a path that haul never tracks is among what is selected.
    pub(crate) fn may_mean(&self, path: &[u8]) -> bool {
        let means = |rule: &Rule| match rule {
            Rule::Everything => true,
            Rule::Under(top) => {
                path.strip_prefix(top.as_bytes()).is_some_and(|rest| rest.starts_with(b"/"))
            }
            Rule::Glob(_, matcher) => matcher.is_match(OsStr::from_bytes(path)),
        };
        self.rules.is_empty() || self.rules.iter().any(|(rule, ..)| means(rule))
    }

    /// Warns of pointers that are passed over, as haul never tracks a path of such a name.
    pub(crate) fn warn(&self, refused: &[RefusedPointer], job: &Job) {
        for RefusedPointer { pointer, why } in refused.iter().filter(|r| self.may_mean(&r.pointer))
        {
            let pointer = show(pointer);
            job.warn(&format!("the pointer `{pointer}` is passed over: {why}"));
        }
    }

    /// Returns an argument that met no tracked path.
    pub(crate) fn unused(&self) -> Option<&OsStr> {
        let mut rules = self.rules.iter();
        let unused = rules.find(|(rule, _, used)| !used && !matches!(rule, Rule::Everything));
        unused.map(|(_, argument, _)| argument.as_os_str())
    }

    /// Fails if an argument met no tracked path.
    pub(crate) fn check_used(&self) -> Result<(), OpError> {
        let Some(argument) = self.unused() else { return Ok(()) };
        let path = self.rules.iter().find_map(|(rule, own, _)| match rule {
            Rule::Under(path) if own == argument => Some(path),
            Rule::Under(_) | Rule::Everything | Rule::Glob(..) => None,
        });
        let next = path.and_then(|path| meant(path, self.seen.iter()));
        Err(OpError::refused(
            format!("`{}` is not tracked, nor inside a tracked path", show(argument.as_bytes())),
            next.unwrap_or_else(|| {
                "run `haul status` to see what is tracked, or `haul add` to track it".to_owned()
            }),
        ))
    }
}

/// Says whether a glob matches the tracked path itself or a folder above it.
fn glob_covers(rule: &Rule, path: &RepoPath) -> bool {
    let Rule::Glob(pattern, matcher) = rule else { return false };
    if pattern == path || path.starts_with_dir(pattern) {
        return true;
    }
    let mut above = Some(path.clone());
    while let Some(path) = above {
        if matcher.is_match(path.to_os()) {
            return true;
        }
        above = path.parent();
    }
    false
}

/// Says whether paths below `path` can match: part by part, as far as the pattern has no `**`.
fn glob_prefix_meets(pattern: &RepoPath, path: &RepoPath) -> bool {
    let mut wanted = pattern.parts();
    for part in path.parts() {
        match wanted.next() {
            Some(b"**") => return true,
            Some(glob) if is_glob(glob) => match compile(glob) {
                Ok(m) if m.is_match(OsStr::from_bytes(part)) => {}
                _ => return false,
            },
            Some(name) if name == part => {}
            Some(_) | None => return false,
        }
    }
    wanted.next().is_some()
}
