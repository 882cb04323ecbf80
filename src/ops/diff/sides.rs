//! Which two versions are compared, from words that may be revisions or paths.

use std::collections::BTreeMap;
use std::ffi::OsString;

use crate::git::GitError;
use crate::ops::at::{or_path, stands};
use crate::ops::chosen::{Candidate, candidates};
use crate::ops::error::OpError;
use crate::ops::select::Select;
use crate::path::{RepoPath, show};
use crate::repo::Repo;
use crate::worktree::RefusedPointer;

/// The pointers of one side.
#[derive(Default)]
pub(super) struct Side {
    /// The revision; empty for the worktree, or where there is none.
    pub(super) rev: String,
    pub(super) pointers: BTreeMap<RepoPath, Candidate>,
    pub(super) refused: Vec<RefusedPointer>,
}

/// Both sides, and the paths that are of interest.
pub(super) struct Sides {
    pub(super) old: Side,
    pub(super) new: Side,
    pub(super) paths: Vec<OsString>,
}

/// Reads `[A [B]] [PATH…]` or `A..B [PATH…]`: words are revisions as long as Git knows them as such.
pub(super) fn sides(repo: &Repo, words: &[OsString], paths: &[OsString]) -> Result<Sides, OpError> {
    let mut revs: Vec<String> = Vec::new();
    let mut rest = words.iter().peekable();
    while revs.len() < 2
        && let Some(word) = rest.peek()
    {
        let found = if revs.is_empty() { range(repo, word)? } else { None };
        if let Some(both) = found {
            revs.extend(both);
        } else if let Some(rev) = revision(repo, word)? {
            revs.push(rev);
        } else {
            break;
        }
        rest.next();
    }
    let paths = rest.chain(paths).cloned().collect();
    let mut revs = revs.into_iter();
    let old = match revs.next() {
        Some(rev) => at(repo, Some(rev))?,
        None if repo.git().head()?.is_none() => Side::default(),
        None => at(repo, Some("HEAD".to_owned()))?,
    };
    let new = at(repo, revs.next())?;
    Ok(Sides { old, new, paths })
}

fn at(repo: &Repo, rev: Option<String>) -> Result<Side, OpError> {
    let select = Select { rev: rev.clone(), ..Select::default() };
    let (pointers, refused) = candidates(repo, &select)?;
    let pointers = pointers.into_iter().map(|found| (found.path.clone(), found)).collect();
    Ok(Side { rev: rev.unwrap_or_default(), pointers, refused })
}

/// Reads `A..B`; `HEAD` stands for a side that is left out.
fn range(repo: &Repo, word: &OsString) -> Result<Option<[String; 2]>, OpError> {
    let Some((old, new)) = word.to_str().and_then(|word| word.split_once("..")) else {
        return Ok(None);
    };
    if old.is_empty() && new.is_empty() {
        return Ok(None);
    }
    let side = |text: &str| if text.is_empty() { "HEAD" } else { text }.to_owned();
    let sides = [side(old), side(new)];
    for rev in &sides {
        if !is_revision(repo, rev)? {
            return Ok(None);
        }
    }
    Ok(Some(sides))
}

fn is_revision(repo: &Repo, word: &str) -> Result<bool, OpError> {
    match repo.git().resolve(word) {
        // Of several it is told where it is looked up, unless it is a path.
        Ok(_) | Err(GitError::BranchAndTag { .. } | GitError::AmbiguousRevision { .. }) => Ok(true),
        Err(GitError::UnknownRevision { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Reads a revision; one that could be a path as well is refused.
fn revision(repo: &Repo, word: &OsString) -> Result<Option<String>, OpError> {
    let Some(text) = word.to_str() else { return Ok(None) };
    if !is_revision(repo, text)? {
        return Ok(None);
    }
    if !stands(repo, word) {
        return Ok(Some(text.to_owned()));
    }
    let word = show(text.as_bytes());
    Err(match repo.git().resolve(text) {
        Err(error) => or_path(&error, text),
        Ok(_) => OpError::refused(
            format!("`{word}` is both a revision and a path"),
            format!("write `./{word}` for the path, or `{word}~0` for the revision"),
        ),
    })
}
