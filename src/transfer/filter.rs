//! Which entries of a tracked directory are wanted, and which subtrees can hold them.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;

use globset::GlobMatcher;

use crate::node::in_one_folder;

/// A choice among the paths of one tracked directory.
#[derive(Clone, Debug, Default)]
pub enum Filter {
    /// Everything.
    #[default]
    All,
    /// What any of these chooses.
    Some(Vec<Choice>),
    /// Of one file those chunks that hold some of these bytes.
    Span {
        /// The file, relative to the tracked directory; not heeded where the file itself is tracked.
        path: Vec<u8>,
        /// Which bytes of it.
        bytes: Range<u64>,
    },
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
        /// What all matches lie below, relative to the tracked directory; empty if that cannot be told.
        under: Vec<u8>,
        /// The compiled glob.
        matcher: GlobMatcher,
    },
    /// What one of these chooses; every node is read, also those that cannot hold a path of them.
    Of(Vec<Choice>),
    /// Nothing, but the nodes that hold the names below this path are read; all if it is empty.
    Names(Vec<u8>),
    /// As [`Choice::Names`], without the nodes whose paths all lie in one folder directly below this path.
    Folders(Vec<u8>),
    /// What each of several lists chooses, and another does not. Made by [`Choice::cut`].
    Cut {
        /// The lists.
        all: Vec<Vec<Choice>>,
        /// What is left out.
        none: Vec<Choice>,
        /// What the lists have in common: see [`Choice::tops`].
        tops: Vec<Vec<u8>>,
    },
}

impl Choice {
    fn matches(&self, path: &[u8]) -> bool {
        match self {
            Self::Under(top) => is_under(path, top),
            Self::Glob { prefix, matcher, .. } => {
                let whole = [prefix.as_slice(), path].concat();
                matches_whole(matcher, &whole, prefix.len())
            }
            Self::Of(choices) => choices.iter().any(|choice| choice.matches(path)),
            Self::Names(_) | Self::Folders(_) => false,
            Self::Cut { all, none, .. } => {
                let any = |choices: &[Self]| choices.iter().any(|choice| choice.matches(path));
                all.iter().all(|choices| any(choices)) && !any(none)
            }
        }
    }

    /// Says whether a node with keys above `after` and up to `last` is read.
    fn needs(&self, after: Option<&[u8]>, last: &[u8]) -> bool {
        let whole = matches!(self, Self::Folders(top) if in_one_folder(top, after, last));
        let may = |top: &[u8]| top.is_empty() || may_be_under(top, after, last);
        !whole && self.tops().into_iter().any(may)
    }

    /// Chooses what each of the lists `all` does, and `none` does not.
    pub fn cut(all: Vec<Vec<Self>>, none: Vec<Self>) -> Self {
        let mut tops = vec![Vec::new()];
        for choices in &all {
            let own: BTreeSet<&[u8]> = choices.iter().flat_map(Self::tops).collect();
            let narrower = |top: &[u8], other: &[u8]| match () {
                () if other.is_empty() || is_under(top, other) => Some(top.to_vec()),
                () if top.is_empty() || is_under(other, top) => Some(other.to_vec()),
                () => None,
            };
            let met: BTreeSet<Vec<u8>> =
                tops.iter().flat_map(|top| own.iter().filter_map(|o| narrower(top, o))).collect();
            tops = met.into_iter().collect();
        }
        Self::Cut { all, none, tops }
    }

    /// Returns the paths that all it chooses lies at or below, and that its nodes are read for; an empty
    /// one is the whole directory.
    pub fn tops(&self) -> Vec<&[u8]> {
        match self {
            Self::Under(top)
            | Self::Names(top)
            | Self::Folders(top)
            | Self::Glob { under: top, .. } => vec![top],
            Self::Of(_) => vec![b""],
            Self::Cut { tops, .. } => tops.iter().map(Vec::as_slice).collect(),
        }
    }
}

impl Filter {
    /// Returns what chooses no entry but needs the whole manifest to find that out.
    pub fn names() -> Self {
        Self::names_below(b"")
    }

    /// As [`Self::names`], of what lies below a path, or at it.
    pub fn names_below(path: &[u8]) -> Self {
        Self::Some(vec![Choice::Names(path.to_vec())])
    }

    /// As [`Self::names_below`], of the folders and files directly below a path.
    pub fn folders_below(path: &[u8]) -> Self {
        Self::Some(vec![Choice::Folders(path.to_vec())])
    }

    /// Says whether the entry at `path` is wanted.
    pub fn matches(&self, path: &[u8]) -> bool {
        match self {
            Self::All => true,
            Self::Some(choices) => choices.iter().any(|choice| choice.matches(path)),
            Self::Span { path: only, .. } => path == only,
        }
    }

    /// Says whether the part of a file at these bytes is wanted.
    pub(super) fn meets(&self, bytes: &Range<u64>) -> bool {
        match self {
            Self::All | Self::Some(_) => true,
            Self::Span { bytes: own, .. } => bytes.start.max(own.start) < bytes.end.min(own.end),
        }
    }

    /// Says whether keys above `after` (if any) and up to `last` can be wanted.
    pub fn may_match_between(&self, after: Option<&[u8]>, last: &[u8]) -> bool {
        match self {
            Self::All => true,
            Self::Some(choices) => choices.iter().any(|choice| choice.needs(after, last)),
            Self::Span { path, .. } => may_be_under(path, after, last),
        }
    }
}

fn may_be_under(top: &[u8], after: Option<&[u8]>, last: &[u8]) -> bool {
    let end = [top, &b"0"[..]].concat();
    last >= top && after.is_none_or(|after| after < end.as_slice())
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
        let filter = Filter::names();
        assert!(!filter.matches(b"a") && !filter.matches(b"a/b"));
        assert!(filter.may_match_between(None, b"a") && filter.may_match_between(Some(b"a"), b"z"));
    }

    #[test]
    fn nodes_inside_one_folder_are_not_read_for_the_names_above() {
        let filter = Filter::folders_below(b"b");
        assert!(!filter.matches(b"b/c"));
        assert!(
            filter.may_match_between(None, b"b/c/2") && filter.may_match_between(Some(b"a"), b"z")
        );
        assert!(!filter.may_match_between(Some(b"b/c/1"), b"b/c/2"));
        assert!(filter.may_match_between(Some(b"b/c/1"), b"b/d/1"));
        assert!(!filter.may_match_between(Some(b"c"), b"z"));
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

    #[test]
    fn a_cut_chooses_what_all_lists_do_and_reads_only_what_they_have_in_common() {
        let under = |path: &str| Choice::Under(path.as_bytes().to_vec());
        let choice = Choice::cut(
            vec![vec![under("a"), under("b/c")], vec![under("b")]],
            vec![under("b/c/d")],
        );
        assert_eq!(choice.tops(), [b"b/c".as_slice()]);
        assert!(choice.matches(b"b/c/e") && !choice.matches(b"b/c/d/e"));
        assert!(!choice.matches(b"a/x") && !choice.matches(b"b/x"));
        let apart = Choice::cut(vec![vec![under("a")], vec![under("b")]], vec![]);
        assert!(apart.tops().is_empty());
        let filter = Filter::Some(vec![apart]);
        assert!(!filter.may_match_between(None, b"z"));
    }
}
