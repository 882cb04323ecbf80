//! Which entries of a tracked directory are wanted, and which subtrees can hold them.

use globset::{Glob, GlobMatcher};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// A choice among the paths of one tracked directory.
#[derive(Clone, Debug, Default)]
pub enum Filter {
    /// Everything.
    #[default]
    All,
    /// What any of these chooses.
    Some(Vec<Choice>),
}

/// One way to choose paths.
#[derive(Clone, Debug)]
pub enum Choice {
    /// The path itself and everything below it; relative to the tracked directory.
    Under(Vec<u8>),
    /// Every path that the glob matches; `prefix` is the tracked directory with a slash, which the
    /// glob's own text includes.
    Glob {
        /// What stands before each entry's path.
        prefix: Vec<u8>,
        /// The compiled glob.
        matcher: GlobMatcher,
    },
    /// What one of these chooses; every node is read, also those that cannot hold a path of them.
    Of(Vec<Choice>),
}

impl Choice {
    fn matches(&self, path: &[u8]) -> bool {
        match self {
            Self::Under(top) => is_under(path, top),
            Self::Glob { prefix, matcher } => {
                let whole = [prefix.as_slice(), path].concat();
                matches_whole(matcher, &whole, prefix.len())
            }
            Self::Of(choices) => choices.iter().any(|choice| choice.matches(path)),
        }
    }
}

impl Filter {
    /// Returns what chooses no entry but needs the whole manifest to find that out.
    pub fn names() -> Result<Self, globset::Error> {
        // No path of a manifest is `/`.
        let matcher = Glob::new("/")?.compile_matcher();
        Ok(Self::Some(vec![Choice::Glob { prefix: Vec::new(), matcher }]))
    }

    /// Says whether the entry at `path` is wanted.
    pub fn matches(&self, path: &[u8]) -> bool {
        match self {
            Self::All => true,
            Self::Some(choices) => choices.iter().any(|choice| choice.matches(path)),
        }
    }

    /// Says whether keys above `after` (if any) and up to `last` can be wanted.
    pub fn may_match_between(&self, after: Option<&[u8]>, last: &[u8]) -> bool {
        match self {
            Self::All => true,
            Self::Some(choices) => choices.iter().any(|choice| match choice {
                Choice::Under(top) => {
                    let mut end = top.clone();
                    end.push(b'/' + 1);
                    last >= top.as_slice() && after.is_none_or(|after| after < end.as_slice())
                }
                Choice::Glob { .. } | Choice::Of(_) => true,
            }),
        }
    }
}

/// A glob chooses a path if it matches it or a folder above it, below the tracked directory.
fn matches_whole(matcher: &GlobMatcher, whole: &[u8], prefix: usize) -> bool {
    let ends = whole.iter().enumerate().filter(|(i, b)| **b == b'/' && *i > prefix).map(|(i, _)| i);
    ends.chain([whole.len()])
        .any(|end| whole.get(..end).is_some_and(|part| matcher.is_match(OsStr::from_bytes(part))))
}

/// Says whether `path` is `top` or lies below it.
fn is_under(path: &[u8], top: &[u8]) -> bool {
    path.strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_choose_nothing_and_visit_everything() {
        let filter = Filter::names().unwrap();
        assert!(!filter.matches(b"a") && !filter.matches(b"a/b"));
        assert!(filter.may_match_between(None, b"a") && filter.may_match_between(Some(b"a"), b"z"));
    }

    #[test]
    fn a_subtree_is_visited_only_if_its_keys_can_match() {
        let filter = Filter::Some(vec![Choice::Under(b"b/c".to_vec())]);
        assert!(filter.matches(b"b/c") && filter.matches(b"b/c/d") && !filter.matches(b"b/cd"));
        assert!(!filter.may_match_between(None, b"b/b"));
        assert!(filter.may_match_between(Some(b"b/b"), b"b/c/x"));
        assert!(filter.may_match_between(Some(b"b/c/x"), b"z"));
        assert!(!filter.may_match_between(Some(b"b/d"), b"z"));
    }
}
