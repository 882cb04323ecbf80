//! `REV:PATH`: a path of a revision, or of the worktree, and the pointer that it belongs to.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use crate::git::GitError;
use crate::hint::Hint;
use crate::ops::chosen::{Candidate, Chosen, candidates, unsound};
use crate::ops::error::OpError;
use crate::ops::select::{Select, meant, resolve_or_root};
use crate::path::{RepoPath, show};
use crate::repo::Repo;
use crate::transfer::Filter;
use crate::worktree::TrackedState;

/// A path, and the revision that it is meant of.
#[derive(Clone, Debug)]
pub(crate) struct At {
    /// As the user wrote it.
    pub(crate) word: OsString,
    /// The revision; the pointers in the worktree if absent.
    pub(crate) rev: Option<String>,
    /// The path; the root of the worktree if absent.
    pub(crate) path: Option<RepoPath>,
}

/// A tracked path, and what of it is meant.
pub(crate) struct Inside {
    pub(crate) chosen: Chosen,
    /// The path below the tracked folder; empty for the tracked path itself.
    pub(crate) rest: Vec<u8>,
}

impl At {
    /// Reads `[REV:]PATH`. As with Git, a path behind a revision is meant from the root, unless it
    /// begins with `./` or `../`; any other is meant from the current folder.
    pub(crate) fn parse(repo: &Repo, word: &OsStr) -> Result<Self, OpError> {
        let own = |rev, path| Self { word: word.to_owned(), rev, path };
        let bytes = word.as_bytes();
        let colon = bytes.iter().position(|byte| *byte == b':').filter(|at| *at > 0);
        let (rev, rest) = match colon.and_then(|at| bytes.split_at_checked(at)) {
            Some((rev, rest)) => (rev, rest.get(1..).unwrap_or_default()),
            None => return Ok(own(None, target(repo, word)?)),
        };
        let rev = match str::from_utf8(rev).map(|rev| (rev, repo.git().resolve(rev))) {
            Ok((rev, Ok(_))) => rev.to_owned(),
            // A name may hold a colon.
            Ok((_, Err(GitError::UnknownRevision { .. }))) | Err(_) if stands(repo, word) => {
                return Ok(own(None, target(repo, word)?));
            }
            Ok((
                _,
                Err(error @ (GitError::BranchAndTag { .. } | GitError::AmbiguousRevision { .. })),
            )) if stands(repo, word) => return Err(or_path(&error, &word.to_string_lossy())),
            Ok((_, Err(error))) => return Err(error.into()),
            Err(_) => return Ok(own(None, target(repo, word)?)),
        };
        let from_here = rest.starts_with(b"./") || rest.starts_with(b"../");
        let path = if from_here {
            target(repo, OsStr::from_bytes(rest))?
        } else if rest.iter().all(|byte| *byte == b'/') {
            None
        } else {
            let slashes = rest.iter().take_while(|byte| **byte == b'/').count();
            let rest = rest.get(slashes..).unwrap_or_default();
            let root = repo.git().root().join(OsStr::from_bytes(rest));
            target(repo, root.as_os_str())?
        };
        Ok(own(Some(rev), path))
    }

    fn pointers(&self, repo: &Repo) -> Result<BTreeMap<RepoPath, Candidate>, OpError> {
        let select = Select { rev: self.rev.clone(), ..Select::default() };
        let all = candidates(repo, &select)?.0.into_iter();
        Ok(all.map(|found| (found.path.clone(), found)).collect())
    }

    /// Finds the tracked paths at or below the path, or the one that it lies in.
    pub(crate) fn find(&self, repo: &Repo) -> Result<Vec<Inside>, OpError> {
        let mut out = Vec::new();
        for (path, Candidate { by, state, .. }) in self.pointers(repo)? {
            let rest = match &self.path {
                None => Vec::new(),
                Some(own) if path == *own || path.starts_with_dir(own) => Vec::new(),
                Some(own) => match own.relative_to(&path) {
                    Some(rest) => rest.as_bytes().to_vec(),
                    None => continue,
                },
            };
            match state {
                TrackedState::Sound(pointer, bytes) => {
                    let chosen = Chosen { path, by, pointer, bytes, filter: Filter::All };
                    out.push(Inside { chosen, rest });
                }
                TrackedState::Missing => {}
                TrackedState::Unsound(error) => return Err(unsound(&path, by, &error)),
            }
        }
        if out.is_empty() && self.path.is_some() {
            return Err(self.not_tracked(repo));
        }
        Ok(out)
    }

    /// Finds the one tracked path that this is, or that it lies in.
    pub(crate) fn find_one(&self, repo: &Repo) -> Result<Inside, OpError> {
        let mut found = self.find(repo)?;
        let one = found.pop().filter(|one| {
            found.is_empty()
                && (!one.rest.is_empty() || Some(&one.chosen.path) == self.path.as_ref())
        });
        one.ok_or_else(|| {
            OpError::refused(
                format!("`{}` is not one tracked path", show(self.word.as_bytes())),
                "name a tracked path, or one inside a tracked folder; `haul ls` lists them",
            )
        })
    }

    fn not_tracked(&self, repo: &Repo) -> OpError {
        let what =
            format!("`{}` is not tracked, nor inside a tracked path", show(self.word.as_bytes()));
        let tracked = self.pointers(repo).unwrap_or_default();
        let next = self.path.as_ref().and_then(|path| meant(path, tracked.keys()));
        let other = "run `haul ls` to see what is, or `haul log` for what once was";
        OpError::refused(what, next.unwrap_or_else(|| other.to_owned()))
    }

    /// Says that a tracked folder has nothing at this path.
    pub(crate) fn nothing_there(&self) -> OpError {
        OpError::refused(
            format!("there is no `{}` in its tracked folder", show(self.word.as_bytes())),
            "run `haul ls` on the folder to see what it has",
        )
    }
}

/// A path as users name it: the pointer's name stands for the data.
fn target(repo: &Repo, word: &OsStr) -> Result<Option<RepoPath>, OpError> {
    let path = resolve_or_root(repo, word)?;
    Ok(path.map(|path| path.target_of_pointer().unwrap_or(path)))
}

/// Says that a word may be a path too, besides the several revisions that its name is one of.
pub(crate) fn or_path(error: &GitError, word: &str) -> OpError {
    let hint = error.hint().map_or_else(String::new, |hint| format!("; for a revision, {hint}"));
    let word = show(word.as_bytes());
    OpError::refused(
        format!("{error}, and `{word}` is a path"),
        format!("write `./{word}` for the path{hint}"),
    )
}

/// Says whether a word is the path of something in the worktree, or of its pointer.
pub(crate) fn stands(repo: &Repo, word: &OsStr) -> bool {
    let Ok(Some(path)) = target(repo, word) else { return false };
    let there = |path: &RepoPath| repo.door().stamp(path).is_ok_and(|stamp| stamp.is_some());
    there(&path) || path.pointer_path().is_ok_and(|pointer| there(&pointer))
}
