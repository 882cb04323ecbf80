//! The pointers that a verb is about, found in the worktree, at a revision or at every ref.

use crate::git::{Content, TreePointer};
use crate::ops::error::OpError;
use crate::ops::select::Select;
use crate::ops::selection::{Selection, nothing_in_view};
use crate::path::{RepoPath, in_shell, show};
use crate::pointer::{Pointer, PointerError};
use crate::progress::Job;
use crate::repo::Repo;
use crate::transfer::{Filter, Root, Wanted};
use crate::worktree::{
    RefusedPointer, Tracked, TrackedState, Tracking, in_place, load_in_place, load_tracked,
    parse_tracked,
};

/// A pointer that a verb is about.
pub(crate) struct Chosen {
    pub(crate) path: RepoPath,
    pub(crate) by: Tracking,
    pub(crate) pointer: Pointer,
    pub(crate) bytes: Vec<u8>,
    pub(crate) filter: Filter,
}

impl Chosen {
    /// Returns it as transfer sees it.
    pub(crate) fn wanted(&self) -> Wanted {
        let (root, filter) = (Root::of(&self.pointer), self.filter.clone());
        Wanted { path: self.path.as_bytes().to_vec(), root, filter }
    }
}

/// Says that paths inside tracked ones were named, or a view was, and none of them is there.
pub(crate) fn nothing_matches(select: &Select) -> OpError {
    if let Some(view) = &select.view {
        return nothing_in_view(view);
    }
    OpError::refused(
        "none of the given paths is in a tracked folder of that name",
        "check the spelling; a pattern is matched against whole paths, and `**` crosses folders",
    )
}

/// Finds the selected pointers, in the worktree or at a revision; one that is not sound is an error.
pub(crate) fn chosen(repo: &Repo, select: &Select) -> Result<Vec<Chosen>, OpError> {
    Ok(find(repo, select)?.0)
}

/// The path of a pointer of `HEAD`, and the pointer or what is wrong with it.
pub(crate) type AtHead = (RepoPath, Result<Chosen, OpError>);

/// The pointers of `HEAD`, each or what is wrong with it; none before the first commit.
pub(crate) fn at_head(repo: &Repo) -> Result<Vec<AtHead>, OpError> {
    if repo.git().head()?.is_none() {
        return Ok(Vec::new());
    }
    let (found, _) = candidates(repo, &Select { rev: Some("HEAD".into()), ..Select::default() })?;
    let judged = |Candidate { path, by, state }: Candidate| {
        let item = match state {
            TrackedState::Sound(pointer, bytes) => {
                Ok(Chosen { path: path.clone(), by, pointer, bytes, filter: Filter::All })
            }
            TrackedState::Missing => return None,
            TrackedState::Unsound(error) => Err(unsound(&path, by, &error)),
        };
        Some((path, item))
    };
    Ok(found.into_iter().filter_map(judged).collect())
}

/// As [`chosen`], with a warning of each pointer that is passed over for its name.
pub(crate) fn chosen_or_warned(
    repo: &Repo,
    select: &Select,
    job: &Job,
) -> Result<Vec<Chosen>, OpError> {
    let (out, refused) = find(repo, select)?;
    Selection::of(repo, select)?.warn(&refused, job);
    Ok(out)
}

/// As [`chosen`], with the pointers that are passed over for their names.
pub(crate) fn find(
    repo: &Repo,
    select: &Select,
) -> Result<(Vec<Chosen>, Vec<RefusedPointer>), OpError> {
    let mut selection = Selection::of(repo, select)?;
    let mut out = Vec::new();
    let (candidates, refused) = candidates(repo, select)?;
    for Candidate { path, by, state } in candidates {
        let Some(filter) = selection.filter(&path) else { continue };
        match state {
            TrackedState::Sound(pointer, bytes) => {
                out.push(Chosen { path, by, pointer, bytes, filter });
            }
            TrackedState::Missing => {}
            TrackedState::Unsound(error) => return Err(unsound(&path, by, &error)),
        }
    }
    selection.check_used()?;
    Ok((out, refused))
}

/// Turns what is wrong with a pointer into an error that names it.
pub(crate) fn unsound(path: &RepoPath, by: Tracking, error: &PointerError) -> OpError {
    use crate::hint::Hint;
    let next = error.hint().unwrap_or_else(|| {
        let pointer = by.pointer_path(path).unwrap_or_else(|_| path.clone());
        format!(
            "restore it with `git checkout -- {}`, or run `haul add` on the data again",
            in_shell(pointer.as_bytes())
        )
    });
    OpError::refused(
        format!("the pointer of `{}` cannot be used: {error}", show(path.as_bytes())),
        next,
    )
}

/// A tracked path, and the state of its pointer.
pub(crate) struct Candidate {
    pub(crate) path: RepoPath,
    pub(crate) by: Tracking,
    pub(crate) state: TrackedState,
}

/// Tracked paths, and pointers of refused names.
pub(crate) type Candidates = (Vec<Candidate>, Vec<RefusedPointer>);

/// Lists the tracked paths of the worktree, of a revision or of every ref, whatever paths are selected.
pub(crate) fn candidates(repo: &Repo, select: &Select) -> Result<Candidates, OpError> {
    let mut out = Candidates::default();
    if select.all {
        let refs = repo.git().run(&["for-each-ref", "--format=%(refname)"], b"")?;
        for name in String::from_utf8_lossy(&refs).lines() {
            // A tag may name a tree or a file: nothing to look for.
            if let Ok(found) = repo.git().pointers_at(name) {
                for pointer in found {
                    at_revision(pointer, &mut out);
                }
            }
        }
    } else if let Some(rev) = select.rev.as_deref().or(repo.git().is_bare().then_some("HEAD")) {
        for pointer in repo.git().pointers_at(rev)? {
            at_revision(pointer, &mut out);
        }
    } else {
        let (tracked, refused) = load_tracked(repo.git(), repo.door())?;
        let (filtered, more) = load_in_place(repo.git())?;
        let of = |by| move |Tracked { path, state }| Candidate { path, by, state };
        let tracked = tracked.into_iter().map(of(Tracking::Beside));
        out.0 = tracked.chain(filtered.into_iter().map(of(Tracking::InPlace))).collect();
        out.0.sort_by(|a, b| a.path.cmp(&b.path));
        out.1 = refused.into_iter().chain(more).collect();
    }
    Ok(out)
}

fn at_revision(found: TreePointer, (out, refused): &mut Candidates) {
    let (by, path) = match Tracking::of(&found.path) {
        Ok(tracked) => tracked,
        Err(why) => {
            if refused.iter().all(|other| other.pointer != found.path) {
                refused.push(RefusedPointer { pointer: found.path, why });
            }
            return;
        }
    };
    let state = match found.content {
        content if by == Tracking::InPlace => match in_place(content) {
            Some(state) => state,
            None => return,
        },
        Content::Whole(bytes) => parse_tracked(bytes),
        Content::TooLarge(len) => {
            let len = usize::try_from(len).unwrap_or(usize::MAX);
            TrackedState::Unsound(PointerError::TooLong { len })
        }
    };
    out.push(Candidate { path, by, state });
}
