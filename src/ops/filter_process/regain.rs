//! Content that Git has the pointer of, and this machine does not know: a power cut before the end of
//! Git's command can lose what the filter had not taken in yet. Git does not ask for it again, as its
//! index has the pointer; but the file still stands in the worktree.

use std::collections::BTreeSet;

use crate::fs::FileKind;
use crate::ops::add::take_loose;
use crate::ops::checkout::is_unfilled;
use crate::ops::error::OpError;
use crate::ops::filter_process::cut::Rule;
use crate::path::{RepoPath, show};
use crate::pointer::{Pointer, PointerKind};
use crate::progress::{Job, Kind};
use crate::repo::Repo;
use crate::transfer::Root;
use crate::worktree::{Knowledge, Tracked, TrackedState, load_in_place};

/// Leaves those filtered paths of whose content nothing was ever recorded on this machine.
pub(crate) fn unknown(repo: &Repo, mut handed: Vec<Tracked>) -> Result<Vec<Tracked>, OpError> {
    let view = repo.index()?.reader()?;
    handed.retain(|item| root_of(item).is_some_and(|id| view.find(&id).is_none()));
    Ok(handed)
}

/// Takes in what has one of these roots, where this machine does not know it and the worktree has it.
pub(crate) fn find_again(
    repo: &Repo,
    roots: impl Iterator<Item = [u8; 32]>,
    job: &Job,
) -> Result<(), OpError> {
    let view = repo.index()?.reader()?;
    let new: BTreeSet<[u8; 32]> = roots.filter(|id| view.find(id).is_none()).collect();
    if new.is_empty() {
        return Ok(());
    }
    let (mut handed, _) = load_in_place(repo.git())?;
    handed.retain(|item| root_of(item).is_some_and(|id| new.contains(&id)));
    // What is not found here is asked of the remote by whoever needs it, and named if it is nowhere.
    regain(repo, &handed, job).map(drop)
}

fn root_of(item: &Tracked) -> Option<[u8; 32]> {
    item.pointer().and_then(|pointer| Root::of(pointer).id())
}

/// Takes the content of these in again where the worktree still has it, durably. Returns the paths where
/// it has another content: the one that Git has the pointer of may be nowhere. Where it has a pointer or
/// nothing, nobody had the content here.
pub(crate) fn regain(
    repo: &Repo,
    unknown: &[Tracked],
    job: &Job,
) -> Result<Vec<RepoPath>, OpError> {
    let (mut lost, mut alike) = (Vec::new(), Vec::new());
    for item in unknown {
        let TrackedState::Sound(pointer, bytes) = &item.state else { continue };
        let Some(stamp) = repo.door().stamp(&item.path)? else { continue };
        if stamp.kind != FileKind::File || is_unfilled(repo, &item.path, bytes)? {
            continue;
        }
        if stamp.size == pointer.size() {
            alike.push((item.path.clone(), pointer, stamp));
        } else {
            lost.push(item.path.clone());
        }
    }
    let files: Vec<_> = alike.iter().map(|(path, _, stamp)| (path.clone(), *stamp)).collect();
    let task = job.begin(Kind::Scan, None);
    let knowledge = Knowledge::new(Vec::new(), repo.door().now()?);
    let contents = knowledge.identify(repo.door(), &files, &task, job)?;
    let (mut sources, mut named) = (Vec::new(), Vec::new());
    for ((path, pointer, stamp), content) in alike.into_iter().zip(contents) {
        let PointerKind::File { oid, .. } = pointer.kind() else { continue };
        if content.oid == *oid {
            // Cut as its pointer says, and compared with nothing.
            let rule = Rule { former: None, ..Rule::after(Some(pointer), repo.profile()) };
            sources.push(rule.source(path.as_bytes(), stamp.size));
            named.push((path, pointer));
        } else {
            lost.push(path);
        }
    }
    let kinds = take_loose(repo, repo.door().root(), sources, job)?;
    let is = |kind: &PointerKind, pointer: &Pointer| match (kind, pointer.kind()) {
        (PointerKind::File { oid: a, root: b, .. }, PointerKind::File { oid: c, root: d, .. }) => {
            a == c && b == d
        }
        _ => false,
    };
    for (kind, (path, pointer)) in kinds.iter().zip(named) {
        if is(kind, pointer) {
            let shown = show(path.as_bytes());
            job.note(&format!(
                "took in `{shown}` again: when it was handed to Git, that did not come to its end"
            ));
        } else {
            lost.push(path);
        }
    }
    Ok(lost)
}
