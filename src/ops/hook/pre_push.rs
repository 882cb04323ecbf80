//! Before refs of a Git remote move: what the new commits name has to be on the remote of haul.

use std::collections::BTreeSet;

use crate::cache::Held;
use crate::git::{CommitId, Content, GitError, ObjectId, PointerBlob, TreePointer};
use crate::hint::Hint;
use crate::ops::error::OpError;
use crate::ops::hook::Moved;
use crate::ops::push::{self, PushReport};
use crate::path::show;
use crate::pointer::Pointer;
use crate::progress::Job;
use crate::repo::Repo;
use crate::transfer::Root;
use crate::worktree::{TrackedState, Tracking, parse_tracked};

/// Sends what the commits need that the Git remote does not have yet; nothing if they bring no pointer,
/// which costs no request.
///
/// Cost: the commits that lie neither behind where the refs point now nor behind what was last
/// fetched from or pushed to `git_remote`.
pub fn pre_push(
    repo: Repo,
    git_remote: &str,
    moved: &[Moved],
    job: &Job,
) -> Result<Option<PushReport>, OpError> {
    let repo = repo.to_look();
    let tips: BTreeSet<ObjectId> = moved.iter().filter_map(|moved| moved.to).collect();
    let mut known = remote_tips(&repo, git_remote)?;
    known.extend(moved.iter().filter_map(|moved| moved.from));
    let tips: Vec<ObjectId> = tips.difference(&known).copied().collect();
    if tips.is_empty() {
        return Ok(None);
    }
    let known: Vec<ObjectId> = known.into_iter().collect();
    let mut brought = repo.git().new_pointers(&tips, &known)?;
    refuse_broken(&repo, &tips, &brought)?;
    brought.extend(unsent(&repo, &tips)?);
    if brought.is_empty() {
        return Ok(None);
    }
    let repo = repo.to_work();
    let Some(plan) = push::plan_brought(&repo, brought, job)? else { return Ok(None) };
    Ok(Some(push::run(&repo, plan, job)?))
}

/// Finds the pointers at the tips whose content waits to be sent: a commit that brought it may have been
/// pushed while no hook was there, and nobody else has it.
fn unsent(repo: &Repo, tips: &[ObjectId]) -> Result<Vec<PointerBlob>, OpError> {
    if repo.index()?.packs(Held::Unpushed)?.is_empty() {
        return Ok(Vec::new());
    }
    let view = repo.index()?.reader()?;
    let waits = |content: &Content| {
        let Content::Whole(bytes) = content else { return false };
        let root = Pointer::parse(bytes).ok().and_then(|pointer| Root::of(&pointer).id());
        let held = root.and_then(|id| view.find_held(&id));
        held.is_some_and(|(_, held)| held == Held::Unpushed)
    };
    let mut out = Vec::new();
    for tip in tips {
        let there = match repo.git().pointers_at(&tip.to_string()) {
            // A tag may name a tree or a file.
            Err(GitError::UnknownRevision { .. }) => continue,
            other => other?,
        };
        let waiting = there.into_iter().filter(|found| waits(&found.content));
        out.extend(waiting.map(|TreePointer { path, id, content }| PointerBlob {
            path,
            id,
            content,
            commit: CommitId(*tip),
        }));
    }
    Ok(out)
}

/// All branches and tags, for who cannot say which of them are pushed.
pub fn all_refs(repo: &Repo) -> Result<Vec<Moved>, OpError> {
    let arguments = ["for-each-ref", "--format=%(objectname)", "refs/heads", "refs/tags"];
    let text = repo.git().run(&arguments, b"")?;
    let ids = text.split(|byte| *byte == b'\n').filter_map(ObjectId::from_hex);
    Ok(ids.map(|id| Moved { to: Some(id), from: None }).collect())
}

/// Where the refs of a Git remote pointed when they were last seen; none of one that has no name.
fn remote_tips(repo: &Repo, git_remote: &str) -> Result<BTreeSet<ObjectId>, OpError> {
    let prefix = format!("refs/remotes/{git_remote}/");
    if repo.git().remote_url(git_remote)?.is_none() {
        return Ok(BTreeSet::new());
    }
    let text = repo.git().run(&["for-each-ref", "--format=%(objectname)", &prefix], b"")?;
    Ok(text.split(|byte| *byte == b'\n').filter_map(ObjectId::from_hex).collect())
}

/// An old commit cannot be mended, but what is broken at a tip would break every clone.
fn refuse_broken(repo: &Repo, tips: &[ObjectId], brought: &[PointerBlob]) -> Result<(), OpError> {
    for found in brought {
        let Ok((_, path)) = Tracking::of(&found.path) else { continue };
        let (why, next) = match &found.content {
            Content::TooLarge(size) => (format!("it has {size} bytes"), None),
            Content::Whole(bytes) => match parse_tracked(bytes.clone()) {
                TrackedState::Unsound(error) => (error.to_string(), error.hint()),
                TrackedState::Sound(..) | TrackedState::Missing => continue,
            },
        };
        for tip in tips {
            if still_there(repo, *tip, found)? {
                return Err(OpError::refused(
                    format!(
                        "the pointer of `{}` that is pushed cannot be used: {why}",
                        show(path.as_bytes())
                    ),
                    next.unwrap_or_else(|| {
                        "run `haul add` on the data again and commit that".to_owned()
                    }),
                ));
            }
        }
    }
    Ok(())
}

fn still_there(repo: &Repo, tip: ObjectId, found: &PointerBlob) -> Result<bool, OpError> {
    match repo.git().file_at(&tip.to_string(), &found.path, crate::git::POINTER_LIMIT) {
        Ok(content) => Ok(content.as_ref() == Some(&found.content)),
        // A tag may name a tree or a file.
        Err(GitError::UnknownRevision { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
