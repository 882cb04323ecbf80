//! What the arguments of a run, and the view that it is for, choose of each tracked path.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use globset::GlobMatcher;

use crate::config::View;
use crate::ops::error::OpError;
use crate::ops::select::{Select, compile, is_glob, meant, resolve_or_root};
use crate::path::{RepoPath, show};
use crate::progress::Job;
use crate::repo::Repo;
use crate::transfer::{Choice, Filter};
use crate::worktree::RefusedPointer;

/// The arguments of one run, matched against tracked paths.
pub(crate) struct Selection {
    rules: Rules,
    view: Option<ViewRules>,
    /// The tracked paths that were matched.
    seen: Vec<RepoPath>,
}

/// Paths and globs, any of which may choose; none chooses everything.
struct Rules(Vec<(Rule, OsString, bool)>);

enum Rule {
    Everything,
    Under(RepoPath),
    Glob(RepoPath, GlobMatcher),
}

/// What a view leaves of that which the arguments choose.
struct ViewRules {
    name: String,
    include: Rules,
    exclude: Rules,
    /// Whether anything was chosen.
    met: bool,
}

impl ViewRules {
    fn new(repo: &Repo, name: &str) -> Result<Self, OpError> {
        let views = &repo.config().views;
        let view = views.get(name).ok_or_else(|| unknown_view(name, views.keys()))?;
        let View { include, exclude } = view;
        // As in an ignore file, a pattern is meant from where the settings lie.
        let root = repo.git().root();
        let rules = |patterns: &[String]| {
            let whole: Vec<OsString> = patterns.iter().map(|own| root.join(own).into()).collect();
            Rules::new(repo, &whole)
        };
        let (include, exclude) = (rules(include)?, rules(exclude)?);
        Ok(Self { name: name.to_owned(), include, exclude, met: false })
    }

    /// Cuts down what is chosen of a tracked path; nothing if nothing is left.
    fn cut(&mut self, path: &RepoPath, chosen: Filter) -> Option<Filter> {
        let include = self.include.filter(path)?;
        let exclude = if self.exclude.0.is_empty() { None } else { self.exclude.filter(path) };
        let mut all = Vec::new();
        for filter in [chosen, include] {
            match filter {
                Filter::All => {}
                Filter::Some(choices) => all.push(choices),
                // Of bytes of a file there is no view.
                Filter::Span { .. } => return Some(filter),
            }
        }
        let none = match exclude {
            None => Vec::new(),
            Some(Filter::Some(choices)) => choices,
            Some(Filter::All | Filter::Span { .. }) => return None,
        };
        self.met = true;
        Some(match (all.len(), none.is_empty()) {
            (0, true) => Filter::All,
            (1, true) => Filter::Some(all.pop().unwrap_or_default()),
            _ => Filter::Some(vec![Choice::cut(all, none)]),
        })
    }
}

fn unknown_view<'n>(name: &str, known: impl Iterator<Item = &'n String>) -> OpError {
    let known: Vec<String> = known.map(|known| format!("`{known}`")).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    OpError::refused(
        format!("there is no view `{}` in the settings; set: {known}", name.escape_debug()),
        "name one of these, or write `[view.NAME]` with `include = [\"PATH\"]` into `haul.toml`",
    )
}

impl Rules {
    fn new(repo: &Repo, arguments: &[OsString]) -> Result<Self, OpError> {
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
        Ok(Self(rules))
    }

    /// Says which part of the tracked `path` is chosen; nothing if none is.
    fn filter(&mut self, path: &RepoPath) -> Option<Filter> {
        if self.0.is_empty() {
            return Some(Filter::All);
        }
        let mut choices = Vec::new();
        let mut all = false;
        for (rule, _, used) in &mut self.0 {
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
                        let under = fixed_part(pattern, path);
                        Some(Choice::Glob { prefix, under, matcher: matcher.clone() })
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

    /// Says whether a path that haul never tracks is among what is chosen.
    fn may_mean(&self, path: &[u8]) -> bool {
        let means = |rule: &Rule| match rule {
            Rule::Everything => true,
            Rule::Under(top) => {
                path.strip_prefix(top.as_bytes()).is_some_and(|rest| rest.starts_with(b"/"))
            }
            Rule::Glob(_, matcher) => matcher.is_match(OsStr::from_bytes(path)),
        };
        self.0.is_empty() || self.0.iter().any(|(rule, ..)| means(rule))
    }
}

impl Selection {
    /// Compiles the arguments; none selects everything.
    pub(crate) fn new(repo: &Repo, arguments: &[OsString]) -> Result<Self, OpError> {
        Ok(Self { rules: Rules::new(repo, arguments)?, view: None, seen: Vec::new() })
    }

    /// Compiles the arguments and the view.
    pub(crate) fn of(repo: &Repo, select: &Select) -> Result<Self, OpError> {
        let view = select.view.as_deref().map(|name| ViewRules::new(repo, name)).transpose()?;
        Ok(Self { view, ..Self::new(repo, &select.paths)? })
    }

    /// Says which part of the tracked `path` is selected; nothing if none is.
    pub(crate) fn filter(&mut self, path: &RepoPath) -> Option<Filter> {
        if !self.rules.0.is_empty() {
            self.seen.push(path.clone());
        }
        let chosen = self.rules.filter(path)?;
        match &mut self.view {
            None => Some(chosen),
            Some(view) => view.cut(path, chosen),
        }
    }

    /// Says whether a path that haul never tracks is among what is selected.
    pub(crate) fn may_mean(&self, path: &[u8]) -> bool {
        self.rules.may_mean(path)
            && self.view.as_ref().is_none_or(|view| view.include.may_mean(path))
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
        let mut rules = self.rules.0.iter();
        let unused = rules.find(|(rule, _, used)| !used && !matches!(rule, Rule::Everything));
        unused.map(|(_, argument, _)| argument.as_os_str())
    }

    /// Says which tracked path may be meant by an argument that met none.
    pub(crate) fn meant(&self, argument: &OsStr) -> Option<String> {
        let path = self.rules.0.iter().find_map(|(rule, own, _)| match rule {
            Rule::Under(path) if own == argument => Some(path),
            Rule::Under(_) | Rule::Everything | Rule::Glob(..) => None,
        });
        path.and_then(|path| meant(path, self.seen.iter()))
    }

    /// Fails if an argument, or all of the view, met no tracked path.
    pub(crate) fn check_used(&self) -> Result<(), OpError> {
        if let Some(argument) = self.unused() {
            let next = self.meant(argument);
            let argument = show(argument.as_bytes());
            return Err(OpError::refused(
                format!("`{argument}` is not tracked, nor inside a tracked path"),
                next.unwrap_or_else(|| {
                    "run `haul status` to see what is tracked, or `haul add` to track it".to_owned()
                }),
            ));
        }
        match &self.view {
            Some(view) if !view.met => Err(nothing_in_view(&view.name)),
            Some(_) | None => Ok(()),
        }
    }
}

/// Says that a view leaves nothing.
pub(crate) fn nothing_in_view(name: &str) -> OpError {
    OpError::refused(
        format!("the view `{}` matches nothing that is tracked and asked for", name.escape_debug()),
        format!(
            "compare `haul config view.{name}.include` with `haul ls -r`; a pattern is matched \
             against whole paths from the root of the repository, and `**` crosses folders"
        ),
    )
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

/// The folder below the tracked `path` that all matches of a pattern lie in, as far as the pattern says.
fn fixed_part(pattern: &RepoPath, path: &RepoPath) -> Vec<u8> {
    let depth = path.parts().count();
    if pattern.parts().take(depth).any(|part| part == b"**") {
        return Vec::new();
    }
    let plain = |part: &&[u8]| !is_glob(part) && !part.contains(&b'\\');
    let fixed: Vec<&[u8]> = pattern.parts().skip(depth).take_while(plain).collect();
    fixed.join(&b'/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plain_beginning_of_a_pattern_says_which_nodes_are_read() {
        let part = |pattern: &str, path: &str| {
            let [pattern, path] = [pattern, path].map(|text| RepoPath::new(text).unwrap());
            String::from_utf8(fixed_part(&pattern, &path)).unwrap()
        };
        assert_eq!(part("data/train/**", "data"), "train");
        assert_eq!(part("data/a/b/*.bin", "data"), "a/b");
        assert_eq!(part("d*/a/x", "data"), "a/x");
        for everything in ["data/**", "data/*/a", "**/a", "**/data/a", "data/x\\*/a"] {
            assert_eq!(part(everything, "data"), "", "{everything}");
        }
    }
}
